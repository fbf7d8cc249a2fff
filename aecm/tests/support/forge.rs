//! A relay for transfers on script, and whoever forges what it carries. The forger writes the forms of the wire page
//! with a writer of its own, each piece exchangeable.

use std::sync::{Arc, Mutex};

use aecm::Mailbox;
use aecm::acme::jws;
use aecm::core::certificate::Certificate;
use aecm::core::digest::DigestAlgorithm;
use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse, Method, OsRng, Rng};
use aecm::core::oid::{self, ObjectIdentifier};
use aecm::core::public_key::{KeyKind, PublicKey};
use aecm::core::suite::{Purpose, Suite};
use aecm::core::tlv::{Tag, write};
use aecm::smime::cipher::ContentCipher;
use aecm::smime::cms::SignedData;
use aecm::smime::sign::{SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm::store::{EntryState, KeyStore};
use serde_json::{Value, json};

/// Carries transfers between what a test says and a client; everything else goes to the service.
pub struct Relay {
    inner: Arc<dyn Http>,
    base: String,
    /// The request that was posted last.
    pub posted: Mutex<Option<Vec<u8>>>,
    /// What the transfer looks like; `pending` until a test says otherwise.
    pub status: Mutex<String>,
    /// The response it carries.
    pub response: Mutex<Option<Vec<u8>>>,
    /// What `transfers` lists.
    pub listed: Mutex<Vec<Value>>,
    /// What was posted to the transfer.
    pub answers: Mutex<Vec<Value>>,
}

impl Relay {
    pub fn new(inner: Arc<dyn Http>, directory_url: &str) -> Arc<Self> {
        Arc::new(Self {
            inner,
            base: directory_url.to_owned(),
            posted: Mutex::default(),
            status: Mutex::new("pending".to_owned()),
            response: Mutex::default(),
            listed: Mutex::default(),
            answers: Mutex::default(),
        })
    }

    pub fn url(&self, name: &str) -> String {
        format!("{}-relay/{name}", self.base)
    }

    pub fn request(&self) -> Vec<u8> {
        self.posted.lock().unwrap().clone().expect("a request was posted")
    }

    pub fn answer(&self, response: Vec<u8>) {
        *self.response.lock().unwrap() = Some(response);
        *self.status.lock().unwrap() = "answered".to_owned();
    }

    /// A transfer as `transfers` lists it.
    pub fn list(&self, mailbox: &str, request: &[u8], device: &str, fingerprint: &str, now: &str) {
        self.listed.lock().unwrap().push(json!({
            "status": "pending", "identifier": {"type": "email", "value": mailbox},
            "device": device, "fingerprint": fingerprint, "created": now, "expires": "2099-01-01T00:00:00Z",
            "request": jws::encode(request), "url": self.url("transfer-1"),
        }));
    }

    fn object(&self) -> Value {
        let text = content_of(&self.request());
        let key = jws::decode(text["transportKey"].as_str().unwrap()).unwrap();
        json!({
            "status": *self.status.lock().unwrap(), "identifier": {"type": "email", "value": text["mailbox"]},
            "device": text["device"], "fingerprint": hex(&DigestAlgorithm::Sha256.digest(&key)),
            "created": text["created"], "expires": "2099-01-01T00:00:00Z", "url": self.url("transfer-1"),
            "response": self.response.lock().unwrap().as_deref().map(jws::encode),
        })
    }

    fn here(&self, request: &HttpRequest) -> Option<HttpResponse> {
        let name = request.url.strip_prefix(&format!("{}-relay/", self.base))?;
        assert_eq!(request.method, Method::Post);
        let body: Value = serde_json::from_slice(&request.body).unwrap();
        let payload = jws::decode(body["payload"].as_str().unwrap()).unwrap();
        let payload: Value = serde_json::from_slice(&payload).unwrap_or_default();
        let (status, answer) = match name {
            "new-transfer" => {
                let cms = jws::decode(payload["request"].as_str().unwrap()).unwrap();
                *self.posted.lock().unwrap() = Some(cms);
                (201, self.object())
            }
            "transfers" => (200, json!({ "transfers": *self.listed.lock().unwrap() })),
            "events" => (200, json!({ "events": [] })),
            _ if payload.is_object() => {
                self.answers.lock().unwrap().push(payload);
                (200, json!({}))
            }
            _ => (200, self.object()),
        };
        let headers = vec![("location".to_owned(), self.url("transfer-1"))];
        Some(HttpResponse { status, headers, body: answer.to_string().into_bytes() })
    }
}

#[async_trait::async_trait]
impl Http for Relay {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if let Some(answer) = self.here(&request) {
            return Ok(answer);
        }
        let is_directory = request.url == self.base;
        let mut response = self.inner.send(request).await?;
        if is_directory {
            let mut directory: Value = serde_json::from_slice(&response.body).unwrap();
            for (member, name) in
                [("newTransfer", "new-transfer"), ("transfers", "transfers"), ("events", "events")]
            {
                directory["meta"]["aecm"][member] = json!(self.url(name));
            }
            // It lists no devices: what is known of them is what they told each other.
            directory["meta"]["aecm"].as_object_mut().unwrap().remove("devices");
            response.body = directory.to_string().into_bytes();
        }
        Ok(response)
    }
}

pub fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// The JSON in a request.
pub fn content_of(request: &[u8]) -> Value {
    let signed = SignedData::parse(request, &aecm::core::limits::Limits::default()).unwrap();
    serde_json::from_slice(&signed.content().unwrap()).unwrap()
}

/// The identity with which a mailbox's device signs mail, or another purpose's.
pub async fn identity(mailbox: &Mailbox, suite: Suite, purpose: Purpose) -> SigningIdentity {
    let entries = mailbox.entries().await.unwrap();
    let entry = entries
        .into_iter()
        .rev()
        .find(|one| one.state == EntryState::Active && (one.slot.suite, one.slot.purpose) == (suite, purpose))
        .unwrap();
    let signer = mailbox.owner().store().signer(mailbox.address(), &entry.id).await.unwrap();
    SigningIdentity { certificate: entry.certificate.unwrap(), chain: entry.chain, signer }
}

/// A SignedData over `content`.
pub async fn signed(
    content: &[u8],
    content_type: ObjectIdentifier,
    identity: &SigningIdentity,
    answers: Option<&[u8]>,
) -> Vec<u8> {
    let mut attributes = SignerAttributes::default();
    if let Some(request) = answers {
        let digest = DigestAlgorithm::Sha256.digest(request);
        attributes.extra.push((oid::AECM_TRANSFER, vec![write::octet_string(&digest)]));
    }
    let message = SignedMessage::new(content).content_type(content_type).attributes(attributes);
    sign(message, &[identity]).await.unwrap().to_der()
}

/// A SignedData over `content` with other certificates beside it.
pub async fn signed_along(
    content: &[u8],
    content_type: ObjectIdentifier,
    identity: &SigningIdentity,
    along: Vec<Certificate>,
) -> Vec<u8> {
    let message = SignedMessage::new(content).content_type(content_type).certificates(along);
    sign(message, &[identity]).await.unwrap().to_der()
}

/// The transport key that a request names.
pub fn transport_key(request: &[u8]) -> PublicKey {
    let text = content_of(request);
    PublicKey::from_spki_der(&jws::decode(text["transportKey"].as_str().unwrap()).unwrap()).unwrap()
}

/// AuthEnvelopedData, written by hand; `change` may spoil content, cipher text and tag.
pub fn envelope(package: &[u8], key: &PublicKey, change: impl Fn(&mut Vec<u8>, &mut Vec<u8>)) -> Vec<u8> {
    let sm2 = key.kind() == KeyKind::Sm2;
    let cipher = if sm2 { ContentCipher::Sm4Gcm } else { ContentCipher::Aes256Gcm };
    let (mut cek, mut nonce) = (vec![0; cipher.key_size()], vec![0; 12]);
    OsRng.fill(&mut cek).unwrap();
    OsRng.fill(&mut nonce).unwrap();
    let (algorithm, wrapped) = if sm2 {
        (write::algorithm(&oid::SM2_ENCRYPT, None), key.encrypt_sm2_der(&cek, &OsRng).unwrap())
    } else {
        let sha256 = write::algorithm(&oid::SHA256, Some(&write::null()));
        let mgf = write::algorithm(&oid::MGF1, Some(&sha256));
        let parameters = write::sequence(&[&write::explicit(0, &sha256), &write::explicit(1, &mgf)]);
        let algorithm = write::algorithm(&oid::RSAES_OAEP, Some(&parameters));
        (algorithm, key.encrypt_rsa_oaep(DigestAlgorithm::Sha256, &cek, &OsRng).unwrap())
    };
    let info = write::sequence(&[
        &write::small(2),
        &write::tlv(Tag::context_primitive(0), &key.key_identifier()),
        &algorithm,
        &write::octet_string(&wrapped),
    ]);
    let kind = write::oid(&oid::ASYMMETRIC_KEY_PACKAGE);
    let attribute = write::sequence(&[&write::oid(&oid::CONTENT_TYPE), &write::set_of(vec![kind.clone()])]);
    let mut sealed = cipher.seal(&cek, &nonce, &write::set_of(vec![attribute.clone()]), package).unwrap();
    change(&mut sealed.ciphertext, &mut sealed.tag);
    write::sequence(&[
        &write::small(0),
        &write::set_of(vec![info]),
        &write::sequence(&[
            &kind,
            &cipher.identifier_der(&nonce),
            &write::tlv(Tag::context_primitive(0), &sealed.ciphertext),
        ]),
        &write::tlv(Tag::context(1), &attribute),
        &write::octet_string(&sealed.tag),
    ])
}

/// A package of these keys, each with these certificates, written by hand.
pub fn package(keys: &[(Vec<u8>, Vec<Certificate>)]) -> Vec<u8> {
    let one = |(pkcs8, certificates): &(Vec<u8>, Vec<Certificate>)| {
        let values = certificates.iter().map(|one| one.as_der().to_vec()).collect();
        let user_certificate = ObjectIdentifier::new_unwrap("2.5.4.36");
        let attribute = write::sequence(&[&write::oid(&user_certificate), &write::set_of(values)]);
        // Version, algorithm, key as they are; attributes behind them.
        let limits = aecm::core::limits::Limits::default();
        let mut fields =
            aecm::core::tlv::Reader::new(pkcs8, aecm::core::tlv::Rules::Der, &limits).sequence().unwrap();
        let parts: Vec<Vec<u8>> = (0..3).map(|_| fields.any().unwrap().bytes().to_vec()).collect();
        write::sequence(&[&parts[0], &parts[1], &parts[2], &write::tlv(Tag::context(0), &attribute)])
    };
    write::sequence(&[&keys.iter().map(one).collect::<Vec<_>>().concat()])
}

/// The keys of a mailbox for a purpose with their certificates, the oldest first.
pub async fn keys(mailbox: &Mailbox, purpose: Purpose) -> Vec<(Vec<u8>, Vec<Certificate>)> {
    let store: &Arc<dyn KeyStore> = mailbox.owner().store();
    let mut keys = Vec::new();
    for entry in mailbox.entries().await.unwrap().into_iter().filter(|one| one.slot.purpose == purpose) {
        let pkcs8 = store.export(mailbox.address(), &entry.id).await.unwrap().to_vec();
        keys.push((pkcs8, entry.former.into_iter().chain(entry.certificate).collect()));
    }
    keys
}

/// The certificates above a mailbox's encrypting ones.
pub async fn issuers(mailbox: &Mailbox) -> Vec<Certificate> {
    mailbox.entries().await.unwrap().into_iter().flat_map(|entry| entry.chain).collect()
}
