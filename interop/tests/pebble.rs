//! Our ACME client against Debian's `pebble` 2.4, which refuses one nonce in five: account, nonces, order,
//! authorization, challenge, finalize, download.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm_acme::check::CheckError;
use aecm_acme::client::{AgreedBeforehand, Client, ClientError, Joints, Keys, KeysError};
use aecm_acme::csr::Template;
use aecm_acme::email::{ChallengeDraft, read_challenge};
use aecm_acme::hyper::TokioSleep;
use aecm_acme::machine::{Config, Error, IssuerAnchors, StepName};
use aecm_acme::mail::{
    ChallengeAuthenticator, ChallengeMail, ChallengeRefusal, ExpectedChallenge, Mail, MailError, MailSender,
    MailSource,
};
use aecm_acme::plan::{Plan, PlanItem};
use aecm_acme::token::TokenPart1;
use aecm_acme::wire::{Problem, ProblemType};
use aecm_core::certificate::Certificate;
use aecm_core::embed::{Clock, Http, OsRng, SystemClock};
use aecm_core::key::Signer;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::path::Anchors;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_interop::pebble::{DOMAIN, Gateway, Pebble, SENDER};
use aecm_interop::world::ALICE;
use async_trait::async_trait;
use zeroize::Zeroizing;

/// Calls that go on after pebble refused four nonces in a row: one request in 600 meets that.
const CALLS: usize = 6;

fn alice() -> Mailbox {
    ALICE.parse().unwrap()
}

fn plan() -> Plan {
    Plan { mailbox: alice(), items: vec![PlanItem::new(Suite::Classic, Purpose::Sign)] }
}

fn deadline() -> Time {
    SystemClock.now().plus(Duration::from_secs(120))
}

/// One account key, one certificate key, and the state of the client.
struct Store {
    account: Arc<dyn Signer>,
    slot: SoftwareKey,
    stored: Mutex<BTreeMap<String, Vec<u8>>>,
}

#[async_trait]
impl Keys for Store {
    async fn account(&self, _directory: &str) -> Result<Arc<dyn Signer>, KeysError> {
        Ok(Arc::clone(&self.account))
    }

    async fn request(
        &self,
        mailbox: &Mailbox,
        item: &PlanItem,
        refused: Option<&Problem>,
    ) -> Result<Vec<u8>, KeysError> {
        assert_eq!(refused, None, "pebble takes the CSR at once");
        let signer = self.slot.clone().into_signer(Arc::new(OsRng));
        Ok(Template::new(mailbox, item.purpose).sign(&signer).await?)
    }

    async fn install(
        &self,
        _mailbox: &Mailbox,
        _item: &PlanItem,
        _chain: &[Certificate],
    ) -> Result<(), KeysError> {
        panic!("a certificate for a domain name is never installed for a mailbox")
    }

    async fn load(&self, name: &str) -> Result<Option<Zeroizing<Vec<u8>>>, KeysError> {
        Ok(self.stored.lock().unwrap().get(name).cloned().map(Zeroizing::new))
    }

    async fn save(&self, name: &str, octets: &[u8]) -> Result<(), KeysError> {
        self.stored.lock().unwrap().insert(name.to_owned(), octets.to_vec());
        Ok(())
    }

    async fn delete(&self, name: &str) -> Result<(), KeysError> {
        self.stored.lock().unwrap().remove(name);
        Ok(())
    }
}

/// One challenge mail for each order that was opened, and nobody who reads the replies.
struct Post(Arc<Gateway>);

#[async_trait]
impl MailSource for Post {
    async fn mails(&self, mailbox: &Mailbox, _since: Time) -> Result<Vec<Mail>, MailError> {
        let now = SystemClock.now();
        let mail = |order| Mail {
            id: format!("order-{order}"),
            received: now,
            raw: ChallengeDraft {
                from: &SENDER.parse().unwrap(),
                to: mailbox,
                token_part1: &TokenPart1::parse("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W").unwrap(),
                challenge_url: None,
                date: now,
                message_id: &format!("<{order}@pebble.example.test>"),
                reply_to: None,
                text: None,
            }
            .compose()
            .unwrap(),
        };
        Ok((1..=self.0.traffic().orders).map(mail).collect())
    }
}

#[async_trait]
impl MailSender for Post {
    async fn send(&self, _from: &Mailbox, to: &Mailbox, _raw: &[u8]) -> Result<(), MailError> {
        assert_eq!(to.as_str(), SENDER);
        Ok(())
    }
}

#[async_trait]
impl ChallengeAuthenticator for Post {
    async fn authenticate(
        &self,
        mail: &Mail,
        expected: &ExpectedChallenge<'_>,
    ) -> Result<ChallengeMail, ChallengeRefusal> {
        read_challenge(&mail.raw, mail.received, expected, &Limits::default())
    }
}

/// A client with fresh keys; its gateway to pebble.
struct Rig {
    gateway: Arc<Gateway>,
    joints: Joints,
    config: Config,
    slot: SoftwareKey,
}

impl Rig {
    async fn new(pebble: &Pebble) -> Self {
        let account = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(Arc::new(OsRng));
        let account: Arc<dyn Signer> = Arc::new(account);
        let slot = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
        pebble.desk().put("slot.der", slot.to_pkcs8_der().as_slice());
        pebble
            .desk()
            .openssl(&format!(
                "req -new -key slot.der -keyform DER -subj /CN={DOMAIN} -addext subjectAltName=DNS:{DOMAIN} -outform DER -out slot.csr"
            ))
            .expect_ok("a CSR");
        let csr = pebble.desk().get("slot.csr");
        let gateway = Arc::new(Gateway::new(pebble, Arc::clone(&account), ALICE, &csr));
        let post = Arc::new(Post(Arc::clone(&gateway)));
        let joints = Joints {
            http: Arc::clone(&gateway) as _,
            clock: Arc::new(SystemClock),
            sleep: Arc::new(TokioSleep),
            rng: Arc::new(OsRng),
            mail: Arc::clone(&post) as _,
            authenticator: Arc::clone(&post) as _,
            sender: Some(post),
            keys: Arc::new(Store { account, slot: slot.clone(), stored: Mutex::default() }),
            consent: Some(Arc::new(AgreedBeforehand)),
            observer: None,
        };
        let root = Anchors::new(vec![Certificate::from_pem(&pebble.root_pem().await).unwrap()]);
        let anchors = IssuerAnchors {
            smime_classic: root.clone(),
            smime_sm2: root.clone(),
            timestamp_classic: root.clone(),
            timestamp_sm2: root,
        };
        let mut config = Config::new(&pebble.directory_url(), anchors);
        config.contact = vec!["mailto:operator@example.test".to_owned()];
        Self { gateway, joints, config, slot }
    }

    fn client(&self) -> Client {
        Client::new(self.config.clone(), self.joints.clone())
    }

    /// Provisions, and goes on where pebble refused too many nonces in a row.
    async fn provision(&self) -> ClientError {
        for _ in 0..CALLS {
            match self.client().provision(&plan(), deadline()).await {
                Err(ClientError::Machine(Error::Nonces { .. })) => {}
                Err(error) => return error,
                Ok(report) => panic!("a certificate for a domain name was taken for a mailbox: {report:?}"),
            }
        }
        panic!("pebble refused {} nonces", self.gateway.traffic().bad_nonces)
    }
}

/// The client goes the whole way, six times, and takes nothing that it did not ask for: pebble's certificate has
/// the right key and chain, and is for a domain name (N7).
#[tokio::test(flavor = "multi_thread")]
async fn the_whole_way_with_one_nonce_in_five_refused() {
    let pebble = Pebble::start(20);
    let mut refused = 0;
    for _ in 0..6 {
        let rig = Rig::new(&pebble).await;
        let error = rig.provision().await;
        let traffic = rig.gateway.traffic();
        refused += traffic.bad_nonces;
        assert!(
            matches!(error, ClientError::Machine(Error::Certificate(CheckError::Mailboxes { ref found })) if found.is_empty()),
            "{error}\n{:?}\n{}",
            traffic.posts,
            pebble.log()
        );
        assert_eq!(traffic.orders, 1, "one order, whatever was refused on the way");
        let chain = traffic.chain.expect("the chain was downloaded");
        let certificates = Certificate::all_from_pem(&chain).unwrap();
        assert_eq!(certificates[0].public_key(), Some(rig.slot.public_key()));
        let desk = pebble.desk();
        desk.put("chain.pem", &chain);
        desk.put("root.pem", pebble.root_pem().await);
        desk.openssl(&format!(
            "verify -CAfile root.pem -untrusted chain.pem -verify_hostname {DOMAIN} chain.pem"
        ))
        .expect_ok("the downloaded chain");
    }
    assert!(refused > 0, "pebble refused no nonce, so that nothing was shown about retries");
}

/// N1: a server that refuses every nonce does not keep the client busy.
#[tokio::test(flavor = "multi_thread")]
async fn the_client_gives_up_when_every_nonce_is_refused() {
    let pebble = Pebble::start(100);
    let rig = Rig::new(&pebble).await;
    let error = rig.client().provision(&plan(), deadline()).await.unwrap_err();
    assert!(matches!(error, ClientError::Machine(Error::Nonces { step: StepName::Account })), "{error}");
    assert_eq!(rig.gateway.traffic().bad_nonces, 4, "one try and three more");
}

/// Without the gateway pebble is asked for a mailbox; its problem document is read.
#[tokio::test(flavor = "multi_thread")]
async fn pebbles_problem_is_read() {
    let pebble = Pebble::start(0);
    let rig = Rig::new(&pebble).await;
    let joints = Joints { http: Arc::new(pebble.http()) as Arc<dyn Http>, ..rig.joints.clone() };
    let error =
        Client::new(rig.config.clone(), joints.clone()).provision(&plan(), deadline()).await.unwrap_err();
    let ClientError::Machine(Error::Problem { step: StepName::NewOrder, problem }) = error else {
        panic!("{error}")
    };
    assert_eq!(problem.kind, ProblemType::Malformed);
    assert!(
        problem.detail.as_deref().unwrap_or_default().contains("unknown identifier type email"),
        "{problem}"
    );
    // The account that was opened on the way is given up again, once.
    let client = Client::new(rig.config.clone(), joints);
    client.deactivate_account(deadline()).await.unwrap();
    assert!(matches!(client.deactivate_account(deadline()).await, Err(ClientError::NoAccount)));
}
