//! Keys, a zone and a signing helper for the tests of this crate, and the tests of DKIM.

mod hostile;
mod mutation;
mod vectors;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use aecm_core::embed::{OsRng, TxtError, TxtResolver};
use aecm_core::key::Signer;
use aecm_core::software::SoftwareKey;
use aecm_core::time::Time;
use async_trait::async_trait;

use super::*;

pub(crate) const NOW: Time = Time::from_unix(1_795_455_800);

/// The key of the dkimpy vectors, which the tests sign with too.
pub(crate) static STRONG: LazyLock<Arc<dyn Signer>> =
    LazyLock::new(|| signer(include_str!("../../tests/vectors/mail/test-key-2048.pem")));
pub(crate) static SHORT: LazyLock<Arc<dyn Signer>> =
    LazyLock::new(|| signer(include_str!("../../tests/vectors/mail/test-key-1024.pem")));

fn signer(pem: &str) -> Arc<dyn Signer> {
    Arc::new(SoftwareKey::from_pem(pem).unwrap().into_signer(Arc::new(OsRng)))
}

pub(crate) fn run<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(future)
}

/// Signs whatever `options` allow, with any key.
pub(crate) fn sign_with(options: &SignOptions, mail: &[u8], signer: &dyn Signer) -> Vec<u8> {
    let to_sign = options.prepare(mail).unwrap();
    let value = run(signer.sign(ToSign::ALGORITHM, to_sign.octets())).unwrap();
    [to_sign.finish(&value), mail.to_vec()].concat()
}

pub(crate) fn sign(options: &SignOptions, mail: &[u8]) -> Vec<u8> {
    sign_with(options, mail, STRONG.as_ref())
}

/// TXT records for a test.
#[derive(Clone, Default)]
pub(crate) struct Zone(BTreeMap<String, Result<Vec<Vec<u8>>, TxtError>>);

impl Zone {
    /// The records of the vectors, and the strong key at `sel` of the domains the tests use.
    pub(crate) fn usual() -> Self {
        let mut zone = Self::default();
        for line in include_str!("../../tests/vectors/mail/dkimpy/dns.txt").lines() {
            let (name, text) = line.split_once('\t').unwrap();
            zone.set(name, text);
        }
        let strong = KeyRecord::text(STRONG.public_key());
        for domain in ["ca.example.test", "example.test", "evil.test", "mail.ca.example.test"] {
            zone.set(&format!("own._domainkey.{domain}"), &strong);
        }
        let real = include_str!("../../tests/vectors/mail/dkim-dns.txt").split('"').nth(1).unwrap();
        zone.set("sel._domainkey.ca.example.test", real);
        zone.set("sel._domainkey.example.test", real);
        zone.set(
            "brisbane._domainkey.example.com",
            "v=DKIM1; p=MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtI\
             xN2SnFCjxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gbto/NMqJ0fzfVjH4OuKhitdY\
             9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB",
        );
        zone
    }

    pub(crate) fn set(&mut self, name: &str, text: &str) {
        self.set_all(name, Ok(vec![text.as_bytes().to_vec()]));
    }

    pub(crate) fn set_all(&mut self, name: &str, answer: Result<Vec<Vec<u8>>, TxtError>) {
        self.0.insert(name.to_owned(), answer);
    }
}

#[async_trait]
impl TxtResolver for Zone {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        self.0.get(name).cloned().unwrap_or(Err(TxtError::NoRecords))
    }
}

pub(crate) fn report(mail: &[u8], zone: &Zone) -> Report {
    run(verify(mail, NOW, &VerifyOptions::default(), zone)).unwrap()
}

/// The verdict on the only signature.
pub(crate) fn outcome(mail: &[u8], zone: &Zone) -> Result<Pass, Failure> {
    let report = report(mail, zone);
    assert_eq!(report.signatures.len(), 1);
    report.signatures[0].outcome.clone()
}

pub(crate) const PLAIN: &[u8] = b"From: Joe <joe@ca.example.test>\r\nTo: suzie@example.test\r\n\
    Subject: Is  dinner\r\n\tready?\r\nDate: Mon, 23 Nov 2026 08:00:00 +0000\r\n\
    Message-ID: <1@ca.example.test>\r\nX-Many: from a\r\nX-Many: from b\r\n\r\n\
    Hi. \t \r\n\r\n  We lost  the game.\r\nJoe.\r\n\r\n\r\n";

pub(crate) fn options() -> SignOptions {
    SignOptions::new("ca.example.test", "own")
}

pub(crate) const CANONICALIZATIONS: [(Canonicalization, Canonicalization); 4] = [
    (Canonicalization::Simple, Canonicalization::Simple),
    (Canonicalization::Simple, Canonicalization::Relaxed),
    (Canonicalization::Relaxed, Canonicalization::Simple),
    (Canonicalization::Relaxed, Canonicalization::Relaxed),
];
