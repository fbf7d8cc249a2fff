//! Debian's `pebble`, and the way of our machine to it.
//!
//! Pebble certifies domain names only, and our machine asks for mailboxes only. A [`Gateway`] stands between: it
//! signs two requests anew with the account key (newOrder with a `dns` identifier, finalize with a CSR for that
//! name), and shows dns-01 challenges as `email-reply-00`. Every other request reaches pebble as our client made
//! it, and every status, header field, nonce and problem comes back as pebble sent it.

use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aecm_acme::hyper::HyperHttp;
use aecm_acme::jws::{self, Flattened};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Http, HttpError, HttpRequest, HttpResponse, Method};
use aecm_core::key::Signer;
use aecm_core::signature::SignatureAlgorithm;
use serde_json::{Value, json};

use crate::tools::{Desk, driver};

/// The domain name that stands for the mailbox.
pub const DOMAIN: &str = "alice.example.test";
/// Where the challenge mails seem to come from.
pub const SENDER: &str = "acme@pebble.example.test";

/// A running pebble; it ends when dropped.
#[derive(Debug)]
pub struct Pebble {
    child: Child,
    desk: Desk,
    port: u16,
    management: u16,
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

impl Pebble {
    /// Starts it on free ports; of a hundred good nonces it refuses so many.
    pub fn start(refused_nonces: u8) -> Self {
        let desk = Desk::new();
        let config = driver("pebble/tls.cnf");
        let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -x509";
        desk.openssl(&format!("req {key} -config {config} -extensions ca -keyout ca.key -out ca.crt"))
            .expect_ok("the TLS CA");
        desk.openssl(&format!(
            "req {key} -config {config} -extensions leaf -subj /CN=127.0.0.1 -CA ca.crt -CAkey ca.key -keyout tls.key -out tls.crt"
        ))
        .expect_ok("the TLS certificate");
        // Two at once, so that they differ.
        let free: Vec<TcpListener> =
            (0..2).map(|_| TcpListener::bind("127.0.0.1:0").expect("a free port")).collect();
        let [port, management] = [0, 1].map(|index: usize| free[index].local_addr().expect("bound").port());
        drop(free);
        let settings = std::fs::read_to_string(driver("pebble/config.json")).expect("the configuration");
        let settings =
            settings.replace("@PORT@", &port.to_string()).replace("@MANAGEMENT@", &management.to_string());
        desk.put("config.json", settings);
        let log = std::fs::File::create(desk.path().join("log")).expect("a log");
        let child = Command::new("pebble")
            .args(["-config", "config.json", "-strict"])
            .env("PEBBLE_VA_ALWAYS_VALID", "1")
            .env("PEBBLE_VA_NOSLEEP", "1")
            .env("PEBBLE_WFE_NONCEREJECT", refused_nonces.to_string())
            .current_dir(desk.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a second handle"))
            .stderr(log)
            .spawn()
            .expect("pebble starts (Debian: apt-get install pebble)");
        let mut pebble = Self { child, desk, port, management };
        pebble.wait();
        pebble
    }

    fn wait(&mut self) {
        let deadline = Instant::now() + Duration::from_secs(30);
        for port in [self.port, self.management] {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                let ended = self.child.try_wait().expect("a child");
                assert!(
                    ended.is_none() && Instant::now() < deadline,
                    "pebble did not start: {}",
                    self.desk.text("log")
                );
                std::thread::sleep(Duration::from_millis(50));
            }
        }
    }

    /// Where its directory stands.
    pub fn directory_url(&self) -> String {
        format!("https://127.0.0.1:{}/dir", self.port)
    }

    /// A client that trusts its TLS certificate.
    pub fn http(&self) -> HyperHttp {
        HyperHttp::new(&self.desk.text("ca.crt")).expect("a TLS CA")
    }

    /// The root of the certificates it issues, PEM.
    pub async fn root_pem(&self) -> String {
        let request = HttpRequest {
            method: Method::Get,
            url: format!("https://127.0.0.1:{}/roots/0", self.management),
            headers: Vec::new(),
            body: Vec::new(),
            max_body: 65_536,
        };
        let response = self.http().send(request).await.expect("an answer");
        assert_eq!(response.status, 200);
        String::from_utf8(response.body).expect("PEM")
    }

    /// Its folder.
    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// What it logged.
    pub fn log(&self) -> String {
        self.desk.text("log")
    }
}

/// What went through a gateway.
#[derive(Clone, Debug, Default)]
pub struct Traffic {
    /// The last parts of the URLs that were posted to.
    pub posts: Vec<String>,
    /// Answers with `badNonce`.
    pub bad_nonces: usize,
    /// Orders opened.
    pub orders: usize,
    /// The last certificate chain, PEM.
    pub chain: Option<String>,
    new_order: String,
    finalize: Vec<String>,
}

/// Shows pebble to our machine as a CA for mailboxes.
pub struct Gateway {
    http: HyperHttp,
    account: Arc<dyn Signer>,
    mailbox: String,
    csr: String,
    traffic: Mutex<Traffic>,
}

impl Gateway {
    /// For the account whose key that is. `csr`, PKCS#10 in DER for [`DOMAIN`], takes the place of the machine's.
    pub fn new(pebble: &Pebble, account: Arc<dyn Signer>, mailbox: &str, csr: &[u8]) -> Self {
        let csr = jws::encode(csr);
        Self { http: pebble.http(), account, mailbox: mailbox.to_owned(), csr, traffic: Mutex::default() }
    }

    /// What went through so far.
    pub fn traffic(&self) -> Traffic {
        self.traffic.lock().expect("nobody panicked").clone()
    }

    /// The payload that pebble is to see instead, where there is one.
    fn replaced(&self, url: &str) -> Option<Value> {
        let traffic = self.traffic.lock().expect("nobody panicked");
        if url == traffic.new_order {
            return Some(json!({ "identifiers": [{ "type": "dns", "value": DOMAIN }] }));
        }
        traffic.finalize.iter().any(|known| known == url).then(|| json!({ "csr": self.csr }))
    }

    /// The same header, nonce included, over another payload.
    async fn signed_anew(&self, body: &[u8], payload: &Value) -> Vec<u8> {
        let theirs: Flattened = serde_json::from_slice(body).expect("our client sends JWS");
        let payload = jws::encode(payload.to_string().as_bytes());
        let octets = jws::signing_input(&theirs.protected, &payload);
        let es256 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
        let der = self.account.sign(es256, &octets).await.expect("the account key signs");
        let signature = jws::encode(&jws::raw_from_der(&der).expect("an ECDSA signature"));
        let ours = Flattened { protected: theirs.protected, payload, signature };
        serde_json::to_vec(&ours).expect("JSON")
    }

    /// `dns` and dns-01 as `email` and email-reply-00.
    fn translated(&self, value: &mut Value) {
        match value {
            Value::Object(members) => {
                match members.get("type").and_then(Value::as_str) {
                    Some("dns") => {
                        members.insert("type".into(), json!("email"));
                        members.insert("value".into(), json!(self.mailbox));
                    }
                    Some("dns-01") => {
                        members.insert("type".into(), json!("email-reply-00"));
                        members.insert("from".into(), json!(SENDER));
                    }
                    _ => {}
                }
                members.values_mut().for_each(|member| self.translated(member));
            }
            Value::Array(entries) => entries.iter_mut().for_each(|entry| self.translated(entry)),
            _ => {}
        }
    }

    /// Notes what an answer says, and shows it as one about a mailbox.
    fn seen(&self, request: &HttpRequest, response: &mut HttpResponse) {
        let mut traffic = self.traffic.lock().expect("nobody panicked");
        if request.method == Method::Post {
            traffic.posts.push(request.url.clone());
        }
        let Ok(mut body) = serde_json::from_slice::<Value>(&response.body) else {
            if response.body.starts_with(b"-----BEGIN CERTIFICATE-----") {
                traffic.chain = String::from_utf8(response.body.clone()).ok();
            }
            return;
        };
        if body["type"] == "urn:ietf:params:acme:error:badNonce" {
            traffic.bad_nonces += 1;
        }
        if let Some(url) = body["newOrder"].as_str() {
            traffic.new_order = url.to_owned();
        }
        if let Some(url) = body["finalize"].as_str() {
            if response.status == 201 {
                traffic.orders += 1;
            }
            traffic.finalize.push(url.to_owned());
        }
        drop(traffic);
        self.translated(&mut body);
        response.body = body.to_string().into_bytes();
    }
}

#[async_trait::async_trait]
impl Http for Gateway {
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(payload) = self.replaced(&request.url) {
            request.body = self.signed_anew(&request.body, &payload).await;
        }
        let mut response = self.http.send(request.clone()).await?;
        self.seen(&request, &mut response);
        Ok(response)
    }
}
