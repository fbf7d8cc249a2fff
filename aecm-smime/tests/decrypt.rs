//! Opening envelopes: those of other implementations, and broken ones.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::key::{Decryptor, KeyError, RecipientParameters};
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::public_key::PublicKey;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::{SoftwareDecryptor, SoftwareKey};
use aecm_core::tlv::{Tag, write};
use aecm_sm::sm2::CiphertextForm;
use aecm_smime::cipher::ContentCipher;
use aecm_smime::cms::Form;
use aecm_smime::decrypt::{
    Content, DecryptError, DecryptOptions, Decrypted, OpenedBy, Recipient, decrypt, decrypt_with,
};
use aecm_smime::{Error, Tolerance};
use zeroize::Zeroizing;

fn read(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/vectors").join(name)).unwrap()
}

fn text(name: &str) -> String {
    String::from_utf8(read(name)).unwrap()
}

fn software(name: &str) -> SoftwareDecryptor {
    let key = SoftwareKey::from_pem(&text(&format!("keys/{name}.key"))).unwrap();
    key.into_decryptor(Arc::new(OsRng))
}

fn certificate(name: &str) -> Certificate {
    Certificate::from_pem(&text(&format!("keys/{name}.crt"))).unwrap()
}

fn recipient(name: &str) -> Recipient {
    Recipient { certificate: certificate(name), key: Arc::new(software(name)) }
}

fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

fn open(octets: &[u8], keys: &[Recipient]) -> Result<Decrypted, DecryptError> {
    run(decrypt(octets, keys, &Limits::default()))
}

fn expect(name: &str, key: &str, cipher: ContentCipher, form: Form, tolerances: &[Tolerance]) {
    // The other keys of the mailbox are at hand too: the message chooses.
    let keys: Vec<_> = ["rsa-enc", "sm2-enc"].map(recipient).to_vec();
    let opened = open(&read(&format!("enveloped/{name}")), &keys).unwrap();
    assert_eq!(opened.cipher, cipher, "{name}");
    assert_eq!(opened.form, form, "{name}");
    assert_eq!(opened.opened_by, OpenedBy::Certificate(certificate(key)), "{name}");
    assert_eq!(opened.tolerances, tolerances, "{name}");
    assert_eq!(opened.content.is_authenticated(), cipher.is_authenticated(), "{name}");
    let octets = match opened.content {
        Content::Authenticated(octets) => octets,
        Content::Unauthenticated(content) => content.into_unauthenticated(),
    };
    assert_eq!(*octets, read("msg.txt"), "{name}");
}

#[test]
fn gmsm_sm2_sm4_cbc() {
    expect("gmsm-sm2-sm4cbc.der", "sm2-enc", ContentCipher::Sm4Cbc, Form::Rfc5652, &[]);
}

#[test]
fn gmsm_sm2_in_gbt_form() {
    expect("gmsm-sm2gm-sm4cbc.der", "sm2-enc", ContentCipher::Sm4Cbc, Form::Gbt35275, &[]);
}

#[test]
fn bouncy_castle_172_writes_the_old_order() {
    let tolerances = [Tolerance::Sm2RawCiphertext, Tolerance::Sm2OrderC1C2C3];
    expect("bc172-sm2-aes256gcm-auth.der", "sm2-enc", ContentCipher::Aes256Gcm, Form::Rfc5652, &tolerances);
}

#[test]
fn bouncy_castle_186_writes_the_new_order() {
    let tolerances = [Tolerance::Sm2RawCiphertext];
    expect("bc186-sm2-sm4cbc.der", "sm2-enc", ContentCipher::Sm4Cbc, Form::Rfc5652, &tolerances);
}

#[test]
fn openssl_oaep_gcm() {
    expect("openssl30-oaep-gcm.der", "rsa-enc", ContentCipher::Aes256Gcm, Form::Rfc5652, &[]);
}

/// Empty parameters are the SHA-1 defaults: read, named, never written.
#[test]
fn openssl_oaep_with_default_parameters() {
    let tolerances = [Tolerance::OaepSha1];
    expect("openssl30-oaep-sha1-gcm.der", "rsa-enc", ContentCipher::Aes256Gcm, Form::Rfc5652, &tolerances);
}

#[test]
fn openssl_names_the_key_by_its_identifier() {
    expect("openssl30-rsa-keyid-aes192.der", "rsa-enc", ContentCipher::Aes192Cbc, Form::Rfc5652, &[]);
}

#[test]
fn nss_rsa_in_ber() {
    let tolerances = [Tolerance::BerEncoding];
    expect("nss387-rsa-ber.der", "rsa-enc", ContentCipher::Aes128Cbc, Form::Rfc5652, &tolerances);
}

/// The form can be fixed; the wrong one fails like everything else.
#[test]
fn a_fixed_sm2_order_is_not_guessed_around() {
    let octets = read("enveloped/bc172-sm2-aes256gcm-auth.der");
    let with = |form| {
        let mut options = DecryptOptions::default();
        options.sm2_form = Some(form);
        run(decrypt_with(&octets, &[recipient("sm2-enc")], &options))
    };
    assert!(with(CiphertextForm::C1C2C3).is_ok());
    assert_eq!(with(CiphertextForm::C1C3C2).unwrap_err(), DecryptError::Failed);
    assert_eq!(with(CiphertextForm::Der).unwrap_err(), DecryptError::Failed);
}

#[test]
fn another_key_does_not_match() {
    let octets = read("enveloped/gmsm-sm2-sm4cbc.der");
    assert_eq!(open(&octets, &[recipient("rsa-enc")]).unwrap_err(), DecryptError::NoMatchingKey);
    assert_eq!(open(&octets, &[]).unwrap_err(), DecryptError::NoMatchingKey);
}

/// Octets of the fields that decide about decryption may be changed at will: there is one failure, and GCM
/// content never comes out changed.
#[test]
fn no_flipped_bit_opens_authenticated_content() {
    for (name, key) in [("bc172-sm2-aes256gcm-auth.der", "sm2-enc"), ("openssl30-oaep-gcm.der", "rsa-enc")] {
        let octets = read(&format!("enveloped/{name}"));
        let keys = [recipient(key)];
        let content = read("msg.txt");
        let mut failed = 0;
        // One bit in three of the RSA message: its private operations are slow without optimisation.
        let step = if key == "rsa-enc" { 3 } else { 1 };
        for bit in (0..octets.len() * 8).step_by(step) {
            let mut flipped = octets.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            match open(&flipped, &keys) {
                Ok(opened) => match opened.content {
                    // Versions, case of the issuer's letters, content type: nothing that the tag covers.
                    Content::Authenticated(octets) => assert_eq!(*octets, content, "{name} bit {bit}"),
                    Content::Unauthenticated(_) => panic!("{name} bit {bit}: downgraded"),
                },
                Err(DecryptError::Failed) => failed += 1,
                Err(_) => {}
            }
        }
        assert!(failed > 500 / step, "{name}: only {failed} reached the key");
    }
}

#[test]
fn no_truncated_message_opens() {
    for (name, key) in [("gmsm-sm2-sm4cbc.der", "sm2-enc"), ("nss387-rsa-ber.der", "rsa-enc")] {
        let octets = read(&format!("enveloped/{name}"));
        let keys = [recipient(key)];
        for end in 0..octets.len() {
            assert!(
                matches!(open(&octets[..end], &keys), Err(DecryptError::Malformed(_))),
                "{name} at {end}"
            );
        }
    }
}

// ----- messages made here -----------------------------------------------------------------------------------

const KEY: [u8; 32] = [7; 32];
const CONTENT: &[u8] = b"Content-Type: text/plain\r\n\r\nhello\r\n";

/// A message to the RSA key, with every part open to be spoilt.
struct Message {
    authenticated: bool,
    cipher: ContentCipher,
    cipher_oid: ObjectIdentifier,
    cek: Vec<u8>,
    icv: Option<u64>,
    nonce: Vec<u8>,
    tag: Vec<u8>,
    ciphertext: Vec<u8>,
    content_type: ObjectIdentifier,
    attributes: Vec<u8>,
    encrypted_key: Option<Vec<u8>>,
    transport: Vec<u8>,
    recipients: usize,
}

impl Message {
    fn new(cipher: ContentCipher) -> Self {
        Self::with_attributes(cipher, Vec::new())
    }

    fn with_attributes(cipher: ContentCipher, attributes: Vec<u8>) -> Self {
        let cek = KEY[..cipher.key_size()].to_vec();
        let nonce = vec![9; cipher.nonce_size()];
        let aad = if attributes.is_empty() { Vec::new() } else { write::tlv(Tag::SET, &attributes) };
        let sealed = cipher.seal(&cek, &nonce, &aad, CONTENT).unwrap();
        Self {
            authenticated: cipher.is_authenticated(),
            cipher,
            cipher_oid: cipher.oid(),
            cek,
            icv: Some(16),
            nonce,
            tag: sealed.tag,
            ciphertext: sealed.ciphertext,
            content_type: oid::DATA,
            attributes,
            encrypted_key: None,
            transport: write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())),
            recipients: 1,
        }
    }

    fn to_der(&self) -> Vec<u8> {
        let certificate = certificate("rsa-enc");
        let serial = write::tlv(Tag::INTEGER, certificate.serial());
        let rid = write::sequence(&[certificate.issuer_der(), &serial]);
        let encrypted_key = self.encrypted_key.clone().unwrap_or_else(|| {
            certificate.public_key().unwrap().encrypt_rsa_pkcs1(&self.cek, &OsRng).unwrap()
        });
        let info =
            write::sequence(&[&write::small(0), &rid, &self.transport, &write::octet_string(&encrypted_key)]);
        let nonce = write::octet_string(&self.nonce);
        let parameters = if self.cipher.is_authenticated() {
            write::sequence(&[&nonce, &self.icv.map(write::small).unwrap_or_default()])
        } else {
            nonce
        };
        let encrypted = write::sequence(&[
            &write::oid(&self.content_type),
            &write::algorithm(&self.cipher_oid, Some(&parameters)),
            &write::tlv(Tag::context_primitive(0), &self.ciphertext),
        ]);
        let recipients = write::tlv(Tag::SET, &info.repeat(self.recipients));
        let (attributes, tag, outer) = if self.authenticated {
            let attributes = if self.attributes.is_empty() {
                Vec::new()
            } else {
                write::tlv(Tag::context(1), &self.attributes)
            };
            (attributes, write::octet_string(&self.tag), oid::AUTH_ENVELOPED_DATA)
        } else {
            (Vec::new(), Vec::new(), oid::ENVELOPED_DATA)
        };
        let body = write::sequence(&[&write::small(0), &recipients, &encrypted, &attributes, &tag]);
        write::sequence(&[&write::oid(&outer), &write::explicit(0, &body)])
    }

    fn open(&self) -> Result<Decrypted, DecryptError> {
        open(&self.to_der(), &[recipient("rsa-enc")])
    }
}

fn content_type_attribute(oid: &ObjectIdentifier) -> Vec<u8> {
    write::sequence(&[&write::oid(&oid::CONTENT_TYPE), &write::tlv(Tag::SET, &write::oid(oid))])
}

#[test]
fn every_cipher_opens() {
    for cipher in ContentCipher::ALL {
        let opened = Message::new(cipher).open().unwrap();
        assert_eq!(opened.cipher, cipher);
        match opened.content {
            Content::Authenticated(octets) => assert_eq!(*octets, CONTENT),
            Content::Unauthenticated(content) => assert_eq!(content.as_unauthenticated(), CONTENT),
        }
    }
}

/// E1: bad key padding, bad key length, bad content padding, bad tag are one value, in Display and Debug too.
#[test]
fn every_cryptographic_failure_is_the_same() {
    let gcm = || Message::new(ContentCipher::Aes256Gcm);
    let cbc = || Message::new(ContentCipher::Aes256Cbc);
    let spoilt = |message: Message, spoil: fn(&mut Message)| {
        let mut message = message;
        spoil(&mut message);
        message.open().unwrap_err()
    };
    let failures = [
        spoilt(gcm(), |message| message.encrypted_key = Some(vec![1; 256])),
        spoilt(gcm(), |message| message.encrypted_key = Some(vec![0; 256])),
        spoilt(gcm(), |message| message.encrypted_key = Some(vec![1; 17])),
        spoilt(gcm(), |message| message.encrypted_key = Some(Vec::new())),
        spoilt(gcm(), |message| message.cek = vec![7; 16]),
        spoilt(gcm(), |message| message.cek = vec![8; 32]),
        spoilt(gcm(), |message| message.tag[0] ^= 1),
        spoilt(gcm(), |message| message.ciphertext[0] ^= 1),
        spoilt(cbc(), |message| message.ciphertext.truncate(20)),
        spoilt(cbc(), |message| message.ciphertext.clear()),
        spoilt(cbc(), |message| {
            let at = message.ciphertext.len() - 17;
            message.ciphertext[at] ^= 0xFF;
        }),
    ];
    for failure in failures {
        assert_eq!(failure, DecryptError::Failed);
        assert_eq!(format!("{failure} {failure:?}"), "the message did not decrypt Failed");
    }
}

/// E2: what anybody can see to be wrong is refused before a key is used.
#[test]
fn misuse_of_the_cipher_is_refused() {
    let gcm = || Message::new(ContentCipher::Aes256Gcm);
    let malformed = |message: Message| matches!(message.open(), Err(DecryptError::Malformed(_)));
    assert!(malformed(Message { icv: None, ..gcm() }), "ICVlen 12 by default, a tag of 16");
    assert!(malformed(Message { icv: Some(12), ..gcm() }));
    assert!(malformed(Message { icv: Some(4), tag: vec![0; 4], ..gcm() }));
    assert!(malformed(Message { icv: Some(0), tag: Vec::new(), ..gcm() }));
    assert!(malformed(Message { nonce: vec![9; 8], ..gcm() }));
    assert!(malformed(Message { nonce: vec![9; 16], ..gcm() }));
    assert!(malformed(Message { nonce: vec![9; 8], ..Message::new(ContentCipher::Aes256Cbc) }));
    let cbc = Message { authenticated: true, ..Message::new(ContentCipher::Aes256Cbc) };
    assert!(matches!(cbc.open(), Err(DecryptError::Unsupported { .. })), "CBC in AuthEnvelopedData");
    let des = ObjectIdentifier::new_unwrap("1.2.840.113549.3.7");
    let unknown = Message { cipher_oid: des, ..Message::new(ContentCipher::Aes128Cbc) };
    assert!(matches!(unknown.open(), Err(DecryptError::Unsupported { oid: Some(oid), .. }) if oid == des));
}

#[test]
fn short_tags_only_by_option() {
    let mut message = Message::new(ContentCipher::Aes256Gcm);
    message.icv = Some(12);
    message.tag.truncate(12);
    assert_eq!(message.open().unwrap_err(), DecryptError::ShortTag { octets: 12 });
    let mut options = DecryptOptions::default();
    options.tag_octets_min = 12;
    let opened = run(decrypt_with(&message.to_der(), &[recipient("rsa-enc")], &options)).unwrap();
    assert!(opened.tolerances.contains(&Tolerance::ShortTag));
    message.tag[0] ^= 1;
    let refused = run(decrypt_with(&message.to_der(), &[recipient("rsa-enc")], &options));
    assert_eq!(refused.unwrap_err(), DecryptError::Failed);
}

/// gmsm writes GCM into EnvelopedData, the tag appended (STANDARDS §3.7); it is read, named and authenticated.
#[test]
fn gcm_in_enveloped_data_is_read() {
    let mut message = Message::new(ContentCipher::Sm4Gcm);
    message.authenticated = false;
    message.ciphertext.extend(core::mem::take(&mut message.tag));
    let opened = message.open().unwrap();
    assert!(opened.content.is_authenticated());
    assert!(opened.tolerances.contains(&Tolerance::GcmInEnvelopedData));
    message.ciphertext[0] ^= 1;
    assert_eq!(message.open().unwrap_err(), DecryptError::Failed);
    message.ciphertext.truncate(15);
    assert_eq!(message.open().unwrap_err(), DecryptError::Failed);
}

/// RFC 5083 §2.1, §2.2: the authenticated attributes are under the tag, and name the content's type.
#[test]
fn authenticated_attributes_are_authenticated() {
    let attribute = content_type_attribute(&oid::DATA);
    let good = || Message::with_attributes(ContentCipher::Aes256Gcm, attribute.clone());
    assert!(good().open().is_ok());
    let other = [attribute.clone(), content_type_attribute(&oid::DATA)].concat();
    let malformed = |message: Message| matches!(message.open(), Err(DecryptError::Malformed(_)));
    assert!(malformed(Message { attributes: other, ..good() }), "twice");
    assert!(malformed(Message { attributes: content_type_attribute(&oid::SIGNED_DATA), ..good() }));
    assert!(malformed(Message { content_type: oid::SIGNED_DATA, ..Message::new(ContentCipher::Aes256Gcm) }));
    assert_eq!(Message { attributes: Vec::new(), ..good() }.open().unwrap_err(), DecryptError::Failed);
    let time = write::sequence(&[&write::oid(&oid::SIGNING_TIME), &write::tlv(Tag::SET, &write::null())]);
    let added = Message { attributes: [attribute.clone(), time].concat(), ..good() };
    assert_eq!(added.open().unwrap_err(), DecryptError::Failed);
}

/// E5: RSAES-OAEP parameters by their types.
#[test]
fn oaep_parameters_are_read_strictly() {
    use aecm_core::digest::DigestAlgorithm::Sha256;
    let certificate = certificate("rsa-enc");
    let oaep = |digest, parameters: Option<Vec<u8>>| {
        let mut message = Message::new(ContentCipher::Aes256Gcm);
        let key = certificate.public_key().unwrap().encrypt_rsa_oaep(digest, &message.cek, &OsRng);
        message.encrypted_key = Some(key.unwrap());
        message.transport = write::algorithm(&oid::RSAES_OAEP, parameters.as_deref());
        message.open()
    };
    let hash = |oid| write::explicit(0, &write::algorithm(&oid, None));
    let mask = |oid| write::explicit(1, &write::algorithm(&oid::MGF1, Some(&write::algorithm(&oid, None))));
    let sha256 = write::sequence(&[&hash(oid::SHA256), &mask(oid::SHA256)]);
    assert!(oaep(Sha256, Some(sha256.clone())).unwrap().tolerances.is_empty());
    assert_eq!(oaep(Sha256, Some(write::sequence(&[]))).unwrap_err(), DecryptError::Failed);
    for bad in [
        None,
        Some(write::null()),
        Some(b"\x30\x80\x00\x00".to_vec()),
        Some([&sha256[..], b"\x05\x00"].concat()),
    ] {
        assert!(matches!(oaep(Sha256, bad.clone()), Err(DecryptError::Malformed(_))), "{bad:02x?}");
    }
    let unknown = write::sequence(&[&hash(oid::DATA)]);
    assert!(matches!(oaep(Sha256, Some(unknown)), Err(DecryptError::Unsupported { .. })));
    let label = write::sequence(&[
        &hash(oid::SHA256),
        &mask(oid::SHA256),
        &write::explicit(2, &write::algorithm(&oid::P_SPECIFIED, Some(&write::octet_string(b"label")))),
    ]);
    assert_eq!(oaep(Sha256, Some(label)).unwrap_err(), DecryptError::Failed, "another label");
}

/// The recipient's key decides, the identifier is a hint (STANDARDS §3.6).
#[test]
fn a_wrong_transport_identifier_is_forgiven_and_named() {
    let mut message = Message::new(ContentCipher::Aes256Gcm);
    // For an RSA key there is nothing to be lenient about (THREATS §0: unknown ones read as PKCS#1 v1.5).
    for unknown in [oid::SM2_ENCRYPT, oid::SHA256_WITH_RSA] {
        message.transport = write::algorithm(&unknown, None);
        let refused = message.open().map(|_| ()).unwrap_err();
        assert_eq!(
            refused,
            DecryptError::Unsupported { what: "key transport to a key of this kind by", oid: Some(unknown) }
        );
    }

    let certificate = certificate("sm2-enc");
    let serial = write::tlv(Tag::INTEGER, certificate.serial());
    let rid = write::sequence(&[certificate.issuer_der(), &serial]);
    for (oid, named) in [(oid::RSA_ENCRYPTION, true), (oid::SM2_EXCHANGE, true), (oid::SM2_ENCRYPT, false)] {
        let cek = &KEY[..16];
        let key = certificate.public_key().unwrap().encrypt_sm2_der(cek, &OsRng).unwrap();
        let info = write::sequence(&[
            &write::small(0),
            &rid,
            &write::algorithm(&oid, None),
            &write::octet_string(&key),
        ]);
        let cipher = ContentCipher::Sm4Cbc;
        let sealed = cipher.seal(cek, &[9; 16], b"", CONTENT).unwrap();
        let encrypted = write::sequence(&[
            &write::oid(&oid::DATA),
            &cipher.identifier_der(&[9; 16]),
            &write::tlv(Tag::context_primitive(0), &sealed.ciphertext),
        ]);
        let body = write::sequence(&[&write::small(0), &write::tlv(Tag::SET, &info), &encrypted]);
        let octets = write::sequence(&[&write::oid(&oid::ENVELOPED_DATA), &write::explicit(0, &body)]);
        let opened = open(&octets, &[recipient("sm2-enc")]).unwrap();
        assert_eq!(opened.tolerances.contains(&Tolerance::KeyTransportOid), named, "{oid}");
    }
}

/// Counts what is asked of a key.
struct Counting {
    inner: SoftwareDecryptor,
    asked: std::sync::atomic::AtomicUsize,
    locked: bool,
}

#[async_trait::async_trait]
impl Decryptor for Counting {
    fn public_key(&self) -> &PublicKey {
        self.inner.public_key()
    }

    async fn unwrap_key(
        &self,
        parameters: &RecipientParameters<'_>,
        ciphertext: &[u8],
        key_length: usize,
    ) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        self.asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        if self.locked {
            return Err(KeyError::Locked);
        }
        self.inner.unwrap_key(parameters, ciphertext, key_length).await
    }

    fn proof_algorithm(&self) -> SignatureAlgorithm {
        self.inner.proof_algorithm()
    }

    async fn prove_possession(&self, info: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.inner.prove_possession(info).await
    }
}

fn counting(name: &str, locked: bool) -> (Arc<Counting>, Recipient) {
    let key = Arc::new(Counting { inner: software(name), asked: 0.into(), locked });
    (key.clone(), Recipient { certificate: certificate(name), key })
}

/// E1: at most eight private-key operations, whatever the message lists.
#[test]
fn private_key_operations_are_bounded() {
    let mut message = Message::new(ContentCipher::Aes256Gcm);
    message.tag[0] ^= 1;
    message.recipients = 20;
    let (key, recipient) = counting("rsa-enc", false);
    assert_eq!(open(&message.to_der(), &[recipient]).unwrap_err(), DecryptError::Failed);
    assert_eq!(key.asked.load(std::sync::atomic::Ordering::SeqCst), 8);
}

#[test]
fn a_locked_key_is_told_apart_from_a_failure() {
    let (_, recipient) = counting("rsa-enc", true);
    let message = Message::new(ContentCipher::Aes256Gcm).to_der();
    assert_eq!(open(&message, &[recipient]).unwrap_err(), DecryptError::Key(KeyError::Locked));
}

#[test]
fn limits_are_limits() {
    let mut limits = Limits::default();
    limits.recipient_infos = 1;
    let mut message = Message::new(ContentCipher::Aes256Gcm);
    assert!(run(decrypt(&message.to_der(), &[recipient("rsa-enc")], &limits)).is_ok());
    message.recipients = 2;
    let refused = run(decrypt(&message.to_der(), &[recipient("rsa-enc")], &limits));
    assert_eq!(refused.unwrap_err(), DecryptError::Limit { what: "RecipientInfos", limit: 1 });
    let signed = read("signed/bc172-sm2.der");
    let refused = open(&signed, &[]).unwrap_err();
    assert!(matches!(refused, DecryptError::Malformed(Error::ContentType { .. })));
}

/// Rule 5: what is decrypted does not show in Debug.
#[test]
fn content_does_not_leak_through_debug() {
    for cipher in [ContentCipher::Aes256Gcm, ContentCipher::Aes256Cbc] {
        let shown = format!("{:?}", Message::new(cipher).open().unwrap().content);
        assert!(!shown.contains("hello") && !shown.contains("104"), "{shown}");
    }
}
