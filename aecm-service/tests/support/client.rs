//! A small raw ACME client that can do everything wrong: nothing of `aecm-acme`'s machine is in it.

use std::sync::Arc;

use aecm_acme::csr::Template;
use aecm_acme::hyper::HyperHttp;
use aecm_acme::jws::{Jwk, encode, raw_from_der, signing_input};
use aecm_acme::mail::{Mail, MailError, MailSource};
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Http, HttpRequest, HttpResponse, Method, OsRng};
use aecm_core::key::Signer;
use aecm_core::mailbox::Mailbox;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_service::{AcmeOptions, Service, ServiceOptions};
use serde_json::{Value, json};

/// A service with fast keys.
pub async fn start(acme: AcmeOptions) -> Service {
    start_with(|options| options.acme = acme).await
}

/// A service with fast keys and other changes.
pub async fn start_with(change: impl FnOnce(&mut ServiceOptions)) -> Service {
    let mut options = ServiceOptions::default();
    options.classic_tsa = KeySpec::P256;
    change(&mut options);
    Service::start(options).await.unwrap()
}

pub fn signer(spec: KeySpec) -> Arc<dyn Signer> {
    Arc::new(SoftwareKey::generate(spec, &OsRng).unwrap().into_signer(Arc::new(OsRng)))
}

/// An answer.
#[derive(Debug)]
pub struct Reply(pub HttpResponse);

impl Reply {
    pub fn status(&self) -> u16 {
        self.0.status
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.0.header(name)
    }

    pub fn links(&self) -> Vec<&str> {
        self.0.header_all("link").collect()
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.0.body).expect("a JSON answer")
    }

    pub fn text(&self) -> &str {
        core::str::from_utf8(&self.0.body).unwrap()
    }

    /// The answer if it has that status.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status(), status, "{}", String::from_utf8_lossy(&self.0.body));
        self
    }

    /// The status and the last word of the problem's type; the document's form is checked on the way.
    #[track_caller]
    pub fn problem(&self) -> (u16, String) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{}", self.text());
        let document = self.json();
        assert_eq!(document["status"], json!(self.status()));
        assert!(document["detail"].as_str().is_some_and(|detail| !detail.is_empty()));
        let kind = document["type"].as_str().unwrap();
        let word = kind.strip_prefix("urn:ietf:params:acme:error:").unwrap().to_owned();
        (self.status(), word)
    }

    #[track_caller]
    pub fn refused(self, status: u16, kind: &str) -> Self {
        assert_eq!(self.problem(), (status, kind.to_owned()), "{}", self.text());
        self
    }

    pub fn location(&self) -> String {
        self.header("location").expect("Location").to_owned()
    }
}

/// A client with one account key.
pub struct Client {
    http: HyperHttp,
    pub directory: Value,
    pub directory_url: String,
    pub key: Arc<dyn Signer>,
    pub kid: String,
    mails: Arc<dyn MailSource>,
    pub nonce: Option<String>,
}

impl Client {
    /// With a fresh key and no account.
    pub async fn new(service: &Service) -> Self {
        let http = HyperHttp::new(&service.tls_ca_pem()).unwrap();
        let mut client = Self {
            http,
            directory: Value::Null,
            directory_url: service.directory_url(),
            key: signer(KeySpec::P256),
            kid: String::new(),
            mails: service.mail_source(),
            nonce: None,
        };
        client.directory = client.get(&service.directory_url()).await.expect(200).json();
        client
    }

    /// Of a service in another process, whose mail it does not see.
    pub async fn remote(ready: &Value) -> Self {
        let http = HyperHttp::new(ready["tls_ca"].as_str().unwrap()).unwrap();
        let directory_url = ready["directory"].as_str().unwrap().to_owned();
        let mut client = Self {
            http,
            directory: Value::Null,
            directory_url: directory_url.clone(),
            key: signer(KeySpec::P256),
            kid: String::new(),
            mails: Arc::new(NoMail),
            nonce: None,
        };
        client.directory = client.get(&directory_url).await.expect(200).json();
        client
    }

    /// A POST whose connection may break: whoever answers may be killed meanwhile.
    pub async fn try_register(&mut self) -> Option<Reply> {
        let nonce_url = self.url("newNonce");
        let head = HttpRequest {
            method: Method::Head,
            url: nonce_url,
            headers: Vec::new(),
            body: Vec::new(),
            max_body: 1 << 20,
        };
        let nonce = self.http.send(head).await.ok()?.header("replay-nonce")?.to_owned();
        let url = self.url("newAccount");
        let header = json!({ "alg": "ES256", "jwk": self.jwk(), "nonce": nonce, "url": url });
        let payload = json!({ "termsOfServiceAgreed": true });
        let body = self.jws(&header, payload.to_string().as_bytes()).await;
        self.try_raw(&url, body).await.ok().map(Reply)
    }

    /// With an account.
    pub async fn registered(service: &Service) -> Self {
        let mut client = Self::new(service).await;
        client.register().await.expect(201);
        client
    }

    pub async fn register(&mut self) -> Reply {
        let url = self.url("newAccount");
        let reply = self.post_jwk(&url, &json!({ "termsOfServiceAgreed": true })).await;
        if reply.status() < 300 {
            self.kid = reply.location();
        }
        reply
    }

    /// A URL of the directory.
    pub fn url(&self, name: &str) -> String {
        self.directory[name].as_str().unwrap().to_owned()
    }

    pub async fn raw(&self, method: Method, url: &str, content_type: Option<&str>, body: Vec<u8>) -> Reply {
        let headers = content_type.map(|value| ("Content-Type".to_owned(), value.to_owned()));
        let request = HttpRequest {
            method,
            url: url.to_owned(),
            headers: headers.into_iter().collect(),
            body,
            max_body: 1 << 20,
        };
        Reply(self.http.send(request).await.unwrap())
    }

    pub async fn try_raw(
        &self,
        url: &str,
        body: Vec<u8>,
    ) -> Result<HttpResponse, aecm_core::embed::HttpError> {
        let headers = vec![("Content-Type".to_owned(), "application/jose+json".to_owned())];
        let request =
            HttpRequest { method: Method::Post, url: url.to_owned(), headers, body, max_body: 1 << 20 };
        self.http.send(request).await
    }

    pub async fn get_if_changed(&self, url: &str, tag: &str) -> Reply {
        let headers = vec![("If-None-Match".to_owned(), tag.to_owned())];
        let request = HttpRequest {
            method: Method::Get,
            url: url.to_owned(),
            headers,
            body: Vec::new(),
            max_body: 1 << 20,
        };
        Reply(self.http.send(request).await.unwrap())
    }

    pub async fn get(&self, url: &str) -> Reply {
        self.raw(Method::Get, url, None, Vec::new()).await
    }

    /// A nonce: the one kept from the last answer, else a new one.
    pub async fn nonce(&mut self) -> String {
        if let Some(nonce) = self.nonce.take() {
            return nonce;
        }
        let reply = self.raw(Method::Head, &self.url("newNonce"), None, Vec::new()).await.expect(200);
        reply.header("replay-nonce").expect("Replay-Nonce").to_owned()
    }

    pub fn jwk(&self) -> Value {
        serde_json::from_str(&Jwk::from_public_key(self.key.public_key()).unwrap().canonical()).unwrap()
    }

    pub fn thumbprint(&self) -> String {
        Jwk::from_public_key(self.key.public_key()).unwrap().thumbprint()
    }

    /// Signs with whatever header is given.
    pub async fn jws(&self, header: &Value, payload: &[u8]) -> Vec<u8> {
        jws_by(self.key.as_ref(), header, payload).await
    }

    pub async fn send(&mut self, url: &str, body: Vec<u8>) -> Reply {
        let reply = self.raw(Method::Post, url, Some("application/jose+json"), body).await;
        self.nonce = reply.header("replay-nonce").map(str::to_owned);
        reply
    }

    pub async fn post_bytes(&mut self, url: &str, payload: &[u8]) -> Reply {
        let header = json!({ "alg": "ES256", "kid": self.kid, "nonce": self.nonce().await, "url": url });
        let body = self.jws(&header, payload).await;
        self.send(url, body).await
    }

    /// As the account.
    pub async fn post(&mut self, url: &str, payload: &Value) -> Reply {
        self.post_bytes(url, payload.to_string().as_bytes()).await
    }

    /// POST-as-GET.
    pub async fn read(&mut self, url: &str) -> Reply {
        self.post_bytes(url, b"").await
    }

    /// With the key itself.
    pub async fn post_jwk(&mut self, url: &str, payload: &Value) -> Reply {
        let header = json!({ "alg": "ES256", "jwk": self.jwk(), "nonce": self.nonce().await, "url": url });
        let body = self.jws(&header, payload.to_string().as_bytes()).await;
        self.send(url, body).await
    }

    pub async fn order_reply(&mut self, mailbox: &Mailbox, profile: Option<&str>) -> Reply {
        let url = self.url("newOrder");
        let mut payload = json!({ "identifiers": [{ "type": "email", "value": mailbox.as_str() }] });
        if let Some(profile) = profile {
            payload["profile"] = json!(profile);
        }
        self.post(&url, &payload).await
    }

    pub async fn order(&mut self, mailbox: &Mailbox, profile: Option<&str>) -> Order {
        let reply = self.order_reply(mailbox, profile).await.expect(201);
        let body = reply.json();
        Order {
            url: reply.location(),
            finalize: body["finalize"].as_str().unwrap().to_owned(),
            authorization: body["authorizations"][0].as_str().unwrap().to_owned(),
            body,
        }
    }

    pub async fn mails(&self, mailbox: &Mailbox) -> Vec<Mail> {
        self.mails.mails(mailbox, Time::from_unix(0)).await.unwrap()
    }

    /// The challenge of that type.
    pub async fn challenge(&mut self, order: &Order, kind: &str) -> Value {
        let authorization = self.read(&order.authorization).await.expect(200).json();
        let challenges = authorization["challenges"].as_array().unwrap();
        challenges.iter().find(|one| one["type"] == kind).expect("that challenge").clone()
    }

    /// The joined token: part 1 of the mail from the challenge's sender, part 2 of the challenge.
    pub async fn token(&mut self, mailbox: &Mailbox, order: &Order) -> String {
        let authorization = self.read(&order.authorization).await.expect(200).json();
        let challenge = &authorization["challenges"][0];
        let from = challenge["from"].as_str().unwrap();
        let mails = self.mails(mailbox).await;
        let mail = mails
            .iter()
            .find(|mail| field(&mail.raw, "From").is_some_and(|value| value.contains(from)))
            .expect("the challenge mail");
        let subject = field(&mail.raw, "Subject").unwrap();
        let part1 = subject.strip_prefix("ACME: ").unwrap().trim();
        format!("{part1}{}", challenge["token"].as_str().unwrap())
    }

    pub async fn finalize(&mut self, order: &Order, csr: &[u8], token: Option<&str>) -> Reply {
        let mut payload = json!({ "csr": encode(csr) });
        if let Some(token) = token {
            payload["token"] = json!(token);
        }
        self.post(&order.finalize, &payload).await
    }

    /// An issued chain, by whatever way: for what comes after.
    pub async fn issue(
        &mut self,
        mailbox: &Mailbox,
        suite: Suite,
        purpose: Purpose,
        key: &SoftwareKey,
    ) -> Vec<Certificate> {
        let profile = format!("{}-{}-mv", suite.word(), purpose.word());
        let order = self.order(mailbox, Some(&profile)).await;
        let token = match order.body["status"].as_str() {
            Some("pending") => Some(self.token(mailbox, &order).await),
            _ => None,
        };
        let csr = csr(mailbox, purpose, key).await;
        let issued = self.finalize(&order, &csr, token.as_deref()).await.expect(200).json();
        assert_eq!(issued["status"], "valid");
        let chain = self.read(issued["certificate"].as_str().unwrap()).await.expect(200);
        assert_eq!(chain.header("content-type"), Some("application/pem-certificate-chain"));
        Certificate::all_from_pem(chain.text()).unwrap()
    }
}

/// Nobody's mailbox.
struct NoMail;

#[async_trait::async_trait]
impl MailSource for NoMail {
    async fn mails(&self, mailbox: &Mailbox, _: Time) -> Result<Vec<Mail>, MailError> {
        Err(MailError::NoMailbox(mailbox.to_string()))
    }

    async fn wait(&self, _: &Mailbox, _: std::time::Duration) -> bool {
        false
    }
}

/// An order as it was answered.
#[derive(Clone, Debug)]
pub struct Order {
    pub url: String,
    pub finalize: String,
    pub authorization: String,
    pub body: Value,
}

/// A JWS by any P-256 key with any header.
pub async fn jws_by(key: &dyn Signer, header: &Value, payload: &[u8]) -> Vec<u8> {
    let (protected, payload) = (encode(header.to_string().as_bytes()), encode(payload));
    let es256 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
    let der = key.sign(es256, &signing_input(&protected, &payload)).await.unwrap();
    flattened(&protected, &payload, &raw_from_der(&der).unwrap())
}

pub fn flattened(protected: &str, payload: &str, signature: &[u8]) -> Vec<u8> {
    json!({ "protected": protected, "payload": payload, "signature": encode(signature) })
        .to_string()
        .into_bytes()
}

/// A request for a certificate, by the software key.
pub async fn csr(mailbox: &Mailbox, purpose: Purpose, key: &SoftwareKey) -> Vec<u8> {
    let template = Template::new(mailbox, purpose);
    let rng = Arc::new(OsRng);
    if purpose == Purpose::Encrypt {
        template.prove(&key.clone().into_decryptor(rng)).await.unwrap()
    } else {
        template.sign(&key.clone().into_signer(rng)).await.unwrap()
    }
}

pub fn key(spec: KeySpec) -> SoftwareKey {
    SoftwareKey::generate(spec, &OsRng).unwrap()
}

/// The value of a header field that stands on one line.
pub fn field(raw: &[u8], name: &str) -> Option<String> {
    let text = core::str::from_utf8(raw).unwrap();
    let (head, _) = text.split_once("\r\n\r\n").unwrap();
    let unfolded = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    let prefix = format!("{name}: ");
    unfolded.lines().find_map(|line| line.strip_prefix(&prefix).map(str::to_owned))
}

/// A mailbox opened at the service.
pub fn open(service: &Service, address: &str) -> Mailbox {
    let mailbox: Mailbox = address.parse().unwrap();
    service.post_office().open(&mailbox);
    mailbox
}
