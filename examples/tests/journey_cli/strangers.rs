//! Strangers order certificates for alice's address while she does: their challenge mails fill her mailbox, and she
//! gets hers all the same (THREATS C1, C6, N12).

use std::sync::Arc;
use std::time::Duration;

use aecm::acme::hyper::HyperHttp;
use aecm::acme::mail::{
    ChallengeAuthenticator, ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail, MailError, MailSource,
};
use aecm::core::certificate::Certificate;
use aecm::core::embed::OsRng;
use aecm::core::mailbox::Mailbox;
use aecm::core::time::Time;
use aecm::store::MemoryStore;
use aecm::{Aecm, Consent, Plan, Trust};
use serde_json::Value;

use crate::support::{Bench, Served};

const STRANGERS: usize = 20;

/// They cannot read alice's mail.
struct Locked;

#[async_trait::async_trait]
impl MailSource for Locked {
    async fn mails(&self, _mailbox: &Mailbox, _since: Time) -> Result<Vec<Mail>, MailError> {
        Ok(Vec::new())
    }
}

#[async_trait::async_trait]
impl ChallengeAuthenticator for Locked {
    async fn authenticate(
        &self,
        _mail: &Mail,
        _expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        Err(ChallengeRefusal::NotAChallenge)
    }
}

fn trust(ready: &Value) -> Trust {
    let both = |of: &str| -> Vec<Certificate> {
        let pem = |suite: &str| ready["anchors"][of][suite].as_str().unwrap();
        ["classic", "sm2"].map(|suite| Certificate::from_pem(pem(suite)).unwrap()).to_vec()
    };
    Trust::new(both("smime"), both("tsa"), both("mailbox_timestamp"))
}

/// An account of its own that orders for alice and waits for a mail that it never sees.
async fn stranger(ready: Value, patience: Duration) {
    let http = HyperHttp::new(ready["tls_ca"].as_str().unwrap()).unwrap();
    let aecm = Aecm::builder(ready["directory"].as_str().unwrap())
        .store(Arc::new(MemoryStore::new(Arc::new(OsRng))))
        .mail(Arc::new(Locked))
        .authenticator(Arc::new(Locked))
        .http(Arc::new(http))
        .trust(trust(&ready))
        .consent(Consent::agreed());
    let mailbox = aecm.build().unwrap().mailbox("alice@example.test").unwrap();
    let refused = mailbox.provision(Plan::sm2().within(patience)).await;
    assert!(refused.is_err(), "a stranger has a certificate for alice: {refused:?}");
}

fn challenge_mails(bench: &Bench) -> usize {
    let subject = |octets: &[u8]| String::from_utf8_lossy(octets).contains("\nSubject: ACME:");
    bench.contents("mail/new").iter().filter(|(_, octets)| subject(octets)).count()
}

fn provision_amid_strangers(bench: &Bench, served: &Served) -> Value {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let patience = Duration::from_secs(120);
    let strangers: Vec<_> =
        (0..STRANGERS).map(|_| runtime.spawn(stranger(served.ready.clone(), patience))).collect();
    // Half of their mails are there before alice begins; the others come meanwhile.
    let until = std::time::Instant::now() + patience;
    while challenge_mails(bench) < STRANGERS / 2 {
        assert!(std::time::Instant::now() < until, "{} strangers' mails came", challenge_mails(bench));
        std::thread::sleep(Duration::from_millis(20));
    }
    let page = bench.provision(served, "alice@example.test", "alice", "--classic ecc").valid();
    // They would wait on; one that has ended was refused, or its own check says otherwise.
    runtime.block_on(async {
        for stranger in strangers {
            if stranger.is_finished() {
                stranger.await.unwrap();
            } else {
                stranger.abort();
            }
        }
    });
    page
}

#[test]
fn strangers_cannot_keep_alice_from_her_certificates() {
    let bench = Bench::new();
    let served = bench.serve("");
    let page = provision_amid_strangers(&bench, &served);
    let slots = page["slots"].as_array().unwrap();
    assert_eq!(slots.len(), 6, "{page}");
    assert!(slots.iter().all(|slot| slot["state"] == "issued"), "{page}");
    let mails = challenge_mails(&bench);
    assert!(mails > STRANGERS / 2, "{mails} challenge mails");
    // They have accounts and open orders, and no certificate.
    let journal = std::fs::read_to_string(bench.path("service/journal-0")).unwrap();
    let rows = |table: &str| journal.matches(&format!(r#"["{table}","#)).count();
    assert!(rows("account") > STRANGERS / 2, "{} accounts", rows("account"));
}
