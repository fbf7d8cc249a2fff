//! Devices that ask each other, or the escrow, for encrypting keys: what they sign and seal, written by hand.

use std::sync::Arc;

use aecm_acme::jws::encode;
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Clock, OsRng, SystemClock};
use aecm_core::mailbox::Mailbox;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::tlv::{Reader, Rules, Tag, write};
use aecm_service::Service;
use aecm_smime::cipher::ContentCipher;
use aecm_smime::sign::{SignedMessage, SignerAttributes, SigningIdentity, sign};
use serde_json::{Value, json};

use crate::client::{Client, key};

/// A device: an account with a signing certificate.
pub struct Device {
    pub client: Client,
    pub mailbox: Mailbox,
    pub signing: SigningIdentity,
    pub transport: SoftwareKey,
}

impl Device {
    /// With an account and an SM2 signing certificate.
    pub async fn new(service: &Service, mailbox: &Mailbox) -> Self {
        Self::of_suite(service, mailbox, Suite::Sm2).await
    }

    pub async fn of_suite(service: &Service, mailbox: &Mailbox, suite: Suite) -> Self {
        let mut client = Client::registered(service).await;
        let spec = if suite == Suite::Sm2 { KeySpec::Sm2 } else { KeySpec::P256 };
        let signer = key(spec);
        let mut chain = client.issue(mailbox, suite, Purpose::Sign, &signer).await;
        let certificate = chain.remove(0);
        let signing =
            SigningIdentity { certificate, chain, signer: Arc::new(signer.into_signer(Arc::new(OsRng))) };
        Self { client, mailbox: mailbox.clone(), signing, transport: key(KeySpec::Sm2) }
    }

    /// Obtains an encrypting certificate.
    pub async fn encrypting(&mut self, key: &SoftwareKey) -> Vec<Certificate> {
        let mailbox = self.mailbox.clone();
        self.client.issue(&mailbox, key.public_key().suite(), Purpose::Encrypt, key).await
    }

    /// The text of a good request.
    pub fn text(&self) -> Value {
        let mut nonce = [0; 16];
        aecm_core::embed::Rng::fill(&OsRng, &mut nonce).unwrap();
        json!({
            "version": 1,
            "kind": "transfer-request",
            "directory": self.client.directory_url,
            "mailbox": self.mailbox.as_str(),
            "device": "laptop-1",
            "transportKey": encode(self.transport.public_key().spki_der()),
            "suites": ["sm2", "classic"],
            "nonce": encode(&nonce),
            "created": SystemClock.now().to_string(),
            "source": "device",
        })
    }

    pub async fn signed(&self, text: &Value) -> Vec<u8> {
        cms(text.to_string().as_bytes(), oid::DATA, &self.signing, None).await
    }

    pub async fn ask_with(&mut self, text: &Value) -> crate::client::Reply {
        let cms = self.signed(text).await;
        self.ask_cms(&cms).await
    }

    pub async fn ask_cms(&mut self, cms: &[u8]) -> crate::client::Reply {
        let url = self.aecm_url("newTransfer");
        self.client.post(&url, &json!({ "request": encode(cms) })).await
    }

    /// A good request: its transfer's URL.
    pub async fn ask(&mut self) -> String {
        let text = self.text();
        self.ask_with(&text).await.expect(201).location()
    }

    pub fn aecm_url(&self, name: &str) -> String {
        self.client.directory["meta"]["aecm"][name].as_str().unwrap().to_owned()
    }

    pub async fn waiting(&mut self) -> Vec<Value> {
        let url = self.aecm_url("transfers");
        self.client.read(&url).await.expect(200).json()["transfers"].as_array().unwrap().clone()
    }

    pub async fn events(&mut self) -> Vec<(String, String)> {
        let url = self.aecm_url("events");
        let list = self.client.read(&url).await.expect(200).json();
        let word = |event: &Value, name: &str| event[name].as_str().unwrap().to_owned();
        let list = list["events"].as_array().unwrap().clone();
        list.iter().map(|event| (word(event, "kind"), word(event, "account"))).collect()
    }

    /// The answer that brings `keys` to `to`.
    pub async fn answer(
        &self,
        keys: &[(&SoftwareKey, &[Certificate])],
        to: &PublicKey,
        request: &[u8],
    ) -> Vec<u8> {
        let sealed = seal(&package(keys), to);
        cms(&sealed, oid::AUTH_ENVELOPED_DATA, &self.signing, Some(request)).await
    }
}

/// SignedData by one signer.
pub async fn cms(
    content: &[u8],
    content_type: ObjectIdentifier,
    signer: &SigningIdentity,
    request: Option<&[u8]>,
) -> Vec<u8> {
    let mut attributes = SignerAttributes::default();
    if let Some(request) = request {
        let digest = DigestAlgorithm::Sha256.digest(request);
        attributes.extra.push((oid::AECM_TRANSFER, vec![write::octet_string(&digest)]));
    }
    let message = SignedMessage::new(content).content_type(content_type).attributes(attributes);
    sign(message, &[signer]).await.unwrap().to_der()
}

/// AsymmetricKeyPackage (RFC 5958): each key with its certificates in userCertificate.
pub fn package(keys: &[(&SoftwareKey, &[Certificate])]) -> Vec<u8> {
    let user_certificate = ObjectIdentifier::new_unwrap("2.5.4.36");
    let one = |(key, certificates): &(&SoftwareKey, &[Certificate])| {
        let pkcs8 = key.to_pkcs8_der();
        let fields =
            Reader::new(&pkcs8, Rules::Der, &aecm_core::limits::Limits::default()).sequence().unwrap();
        let values = certificates.iter().map(|certificate| certificate.as_der().to_vec()).collect();
        let attribute = write::sequence(&[&write::oid(&user_certificate), &write::set_of(values)]);
        write::sequence(&[fields.rest(), &write::tlv(Tag::context(0), &attribute)])
    };
    let parts: Vec<Vec<u8>> = keys.iter().map(one).collect();
    write::sequence(&parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

/// AuthEnvelopedData (RFC 5083) for one key.
pub fn seal(package: &[u8], to: &PublicKey) -> Vec<u8> {
    let sm2 = to.kind() == KeyKind::Sm2;
    let cipher = if sm2 { ContentCipher::Sm4Gcm } else { ContentCipher::Aes256Gcm };
    let (key, nonce) = (vec![7; cipher.key_size()], vec![9; 12]);
    let (wrapped, algorithm) = if sm2 {
        (to.encrypt_sm2_der(&key, &OsRng).unwrap(), write::algorithm(&oid::SM2_ENCRYPT, None))
    } else {
        let sha256 = write::algorithm(&oid::SHA256, Some(&write::null()));
        let mask = write::algorithm(&oid::MGF1, Some(&sha256));
        let parameters = write::sequence(&[&write::explicit(0, &sha256), &write::explicit(1, &mask)]);
        let wrapped = to.encrypt_rsa_oaep(DigestAlgorithm::Sha256, &key, &OsRng).unwrap();
        (wrapped, write::algorithm(&oid::RSAES_OAEP, Some(&parameters)))
    };
    let info = write::sequence(&[
        &write::small(2),
        &write::tlv(Tag::context_primitive(0), &to.key_identifier()),
        &algorithm,
        &write::octet_string(&wrapped),
    ]);
    let kind = write::oid(&oid::ASYMMETRIC_KEY_PACKAGE);
    let attribute = write::sequence(&[&write::oid(&oid::CONTENT_TYPE), &write::set_of(vec![kind.clone()])]);
    let sealed = cipher.seal(&key, &nonce, &write::set_of(vec![attribute.clone()]), package).unwrap();
    let content = write::sequence(&[
        &kind,
        &cipher.identifier_der(&nonce),
        &write::tlv(Tag::context_primitive(0), &sealed.ciphertext),
    ]);
    write::sequence(&[
        &write::small(0),
        &write::set_of(vec![info]),
        &content,
        &write::tlv(Tag::context(1), &attribute),
        &write::octet_string(&sealed.tag),
    ])
}
