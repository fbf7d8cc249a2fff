//! Bodies of the targets of aecm-smime that need keys and anchors: any octets in, invariants asserted.

use std::pin::pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::path::Anchors;
use aecm_core::software::SoftwareKey;
use aecm_core::time::Time;
use aecm_smime::decrypt::{DecryptOptions, Password, Recipient, SecretKey, decrypt_with};
use aecm_smime::mime::{
    Entity, HeaderProtection, Outgoing, canonical_line_ends, covert_parts, protected_headers,
};
use aecm_smime::open::{OpenOptions, open};
use aecm_smime::verify::{Policy, Verdict, Verifier};

macro_rules! key_file {
    ($name:literal) => {
        include_str!(concat!("../../aecm-smime/tests/vectors/keys/", $name))
    };
}

/// What the holders of the anchors' keys signed in the seeds.
const SIGNED: &[u8] = include_bytes!("../../aecm-smime/tests/vectors/msg.txt");

struct World {
    anchors: Anchors,
    policy: Policy,
    keys: Vec<Recipient>,
    at: Time,
}

fn world() -> &'static World {
    static WORLD: OnceLock<World> = OnceLock::new();
    WORLD.get_or_init(|| {
        let certificate = |pem| Certificate::from_pem(pem).expect("a certificate");
        let roots = [key_file!("rsa-ca.crt"), key_file!("p256-ca.crt"), key_file!("sm2-ca.crt")];
        let keys = [
            (key_file!("rsa-enc.crt"), key_file!("rsa-enc.key")),
            (key_file!("sm2-enc.crt"), key_file!("sm2-enc.key")),
            (key_file!("p256-agr.crt"), key_file!("p256-agr.key")),
        ];
        World {
            anchors: Anchors::new(roots.into_iter().map(certificate).collect()),
            policy: Policy::legacy(),
            keys: keys
                .into_iter()
                .map(|(pem, key)| Recipient {
                    certificate: certificate(pem),
                    key: Arc::new(SoftwareKey::from_pem(key).expect("a key").into_decryptor(Arc::new(OsRng))),
                })
                .collect(),
            at: Time::from_unix(1_796_083_200),
        }
    })
}

/// Software keys never wait.
fn ready<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => unreachable!("nothing here waits"),
    }
}

/// Any octets as SignedData under anchors whose keys signed one text only: nothing else is valid, nothing else is
/// handed out.
pub fn signed(data: &[u8]) {
    let World { anchors, policy, at, .. } = world();
    for detached in [None, Some(SIGNED)] {
        let Ok(report) = Verifier::new(anchors, policy).at(*at).verify(data, detached) else { continue };
        if report.verdict == Verdict::Valid {
            let content = report.content.as_deref().or(detached);
            assert_eq!(content, Some(SIGNED), "a forged content is valid");
        }
        let vouched = report.signers.iter().any(|signer| signer.checks.cryptographically_valid());
        assert!(vouched || report.content.is_none(), "content that no signature vouches for");
        assert!(report.verdict == Verdict::Valid || !report.all_reasons().is_empty(), "no reason is given");
    }
}

/// Any octets as EnvelopedData or EncryptedData for keys, secrets and passwords that we hold.
pub fn enveloped(data: &[u8]) {
    let mut options = DecryptOptions::default();
    options.limits.pbkdf2_iterations = 8_192;
    options.passwords = vec![Password::new(b"test")];
    options.secret_keys = [16, 24, 32].map(|size| SecretKey::new(&(0..size).collect::<Vec<u8>>())).to_vec();
    if let Ok(opened) = ready(decrypt_with(data, &world().keys, &options)) {
        assert_eq!(opened.content.is_authenticated(), opened.cipher.is_authenticated());
        if let Some(by) = opened.opened_by.certificate() {
            assert!(world().keys.iter().any(|key| key.certificate == *by));
        }
    }
}

/// Any octets as a mail: opened with keys and anchors, and its MIME structure walked.
pub fn mail(data: &[u8]) {
    let World { anchors, policy, keys, at } = world();
    let limits = Limits::default();
    for accept in [false, true] {
        let options = OpenOptions::new(anchors, policy).keys(keys).at(*at).accept_unauthenticated(accept);
        let Ok(opened) = ready(open(data, &options)) else { continue };
        assert!(!opened.withheld || opened.content.is_none(), "withheld and handed out");
        assert!(!(accept && opened.withheld), "asked for and withheld");
        assert!(opened.layers.len() <= limits.crypto_layers);
        if opened.verdict == Verdict::Valid {
            assert!(!opened.layers.is_empty() && opened.content.is_some() && opened.from.is_some());
        } else {
            assert!(!opened.reasons.is_empty(), "no reason is given");
        }
    }
    if let Ok(entity) = Entity::parse(data, &limits) {
        walk(&entity, &limits, 0);
        let _ = protected_headers(&entity, &limits);
        let _ = covert_parts(&entity, &limits);
    }
    let canonical = canonical_line_ends(data);
    assert_eq!(canonical_line_ends(&canonical), canonical, "canonical line ends change again");
}

fn walk(entity: &Entity<'_>, limits: &Limits, depth: usize) {
    let _ = entity.decoded();
    let _ = entity.protection(limits);
    let Ok(parts) = entity.parts(limits) else { return };
    assert!(parts.len() <= limits.mime_parts);
    for part in parts {
        assert!(part.len() <= entity.octets().len());
        if depth < limits.mime_depth
            && let Ok(part) = Entity::parse(part, limits)
        {
            walk(&part, limits, depth + 1);
        }
    }
}

/// Any octets as a mail that goes out: what is signed or encrypted is canonical, 7-bit, and reads back; Bcc stays
/// here.
pub fn outgoing(data: &[u8]) {
    let limits = Limits::default();
    let Ok(mail) = Outgoing::parse(data, &limits) else { return };
    for protection in [HeaderProtection::None, HeaderProtection::Clear, HeaderProtection::Cipher] {
        let Ok(payload) = mail.payload(protection) else { continue };
        assert!(payload.iter().all(u8::is_ascii), "not 7-bit");
        assert_eq!(&*canonical_line_ends(&payload), payload.as_slice(), "not canonical");
        let entity = Entity::parse(&payload, &limits).expect("a payload reads back");
        assert!(entity.headers().get_all("bcc").next().is_none(), "Bcc is sent");
        let whole = mail.message(protection, b"Content-Type: application/pkcs7-mime\r\n\r\n");
        let whole = Entity::parse(&whole, &limits).expect("a message reads back");
        assert!(whole.headers().get_all("bcc").next().is_none(), "Bcc is sent");
        assert_eq!(whole.headers().get_all("from").count(), 1);
    }
}
