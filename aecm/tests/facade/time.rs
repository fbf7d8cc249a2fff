//! What time it is, and who may say so (DESIGN §5, THREATS T9).

use std::sync::Arc;
use std::time::{Duration, Instant};

use aecm::core::embed::Clock;
use aecm::core::suite::{Purpose, Suite};
use aecm::smime::verify::{CheckResult, Checks, TimestampTrust};
use aecm::timestamp::{Error as StampError, LocalSource, TimestampSource};
use aecm::{ClassicKeys, Error, Plan, Stamp};

use crate::open::{GOOD, signer, words};
use crate::world::{Offline, Silent, World, address, contains, family, letter, run};

// A10: a mailbox's own stamp is shown, and proves nothing.
#[test]
fn a_self_asserted_stamp_alone_proves_nothing() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        for suite in Suite::ALL {
            let sent =
                alice.compose(&raw).to([address(bob)]).suite(suite).sign().own_timestamp().await.unwrap();
            assert!(sent.stamp.is_none(), "no authority was asked");
            let opened = bob.open(&sent.mail).await.unwrap();
            assert_eq!(opened.verdict.word(), "valid", "{suite}: {:?}", words(&opened));
            assert_eq!((opened.sent_at.proven, opened.sent_at.trust), (None, None), "{suite}");
            let signer = signer(&opened);
            assert_eq!(signer.time.self_asserted.len(), 1, "{suite}");
            assert!(signer.time.self_asserted[0].1.contains(address(alice).as_str()));
            assert_ne!(signer.checks.time, CheckResult::Valid);
        }
    });
}

// DESIGN §5: a provisioned user's self-made token, years off, moves nothing; beside a real one it is only shown.
#[test]
fn a_self_made_token_never_moves_the_proven_time() {
    run(async {
        let world = World::new().await;
        let alice = world.person("alice", Plan::dual().classic_keys(ClassicKeys::Ecc)).await;
        let bob = world.person("bob", Plan::sm2()).await;
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        let now = world.dial.now();
        // Certificates begin five minutes before they are made.
        let long_ago = now.minus(Duration::from_secs(200));

        // As the authority of the mail: the facade is handed the mailbox's own key as if it were one.
        for suite in Suite::ALL {
            let entries = alice.entries().await.unwrap();
            let entry = entries
                .iter()
                .find(|entry| entry.slot.suite == suite && entry.slot.purpose == Purpose::Timestamp)
                .unwrap();
            let store = alice.owner().store().clone();
            let identity = aecm::smime::sign::SigningIdentity {
                certificate: entry.certificate.clone().unwrap(),
                chain: entry.chain.clone(),
                signer: store.signer(alice.address(), &entry.id).await.unwrap(),
            };
            let policy = *identity.certificate.policy_oids().first().unwrap();
            let local = LocalSource::new(identity, policy, Arc::new(aecm::core::embed::OsRng));
            let inner = local.clone();
            let backdated = Arc::new(Backdated { inner: local, time: long_ago });
            let aecm = world.builder(world.http(), store).authority(suite, backdated).build().unwrap();
            let forger = aecm.mailbox(alice.address().as_str()).unwrap();
            let sent =
                forger.compose(&raw).to([address(&bob)]).suite(suite).sign().timestamp().await.unwrap();
            let opened = bob.open(&sent.mail).await.unwrap();
            assert_eq!((opened.sent_at.proven, opened.sent_at.trust), (None, None), "{suite}");
            assert_eq!(signer(&opened).time.self_asserted[0].0, long_ago, "{suite}: shown");
            assert_ne!(signer(&opened).time.trust, Some(TimestampTrust::Tsa));

            // Beside the authority's: the proven time is the authority's.
            let sent = alice
                .compose(&raw)
                .to([address(&bob)])
                .suite(suite)
                .sign()
                .timestamp()
                .own_timestamp()
                .await
                .unwrap();
            let opened = bob.open(&sent.mail).await.unwrap();
            assert_eq!(opened.sent_at.trust, Some(TimestampTrust::Tsa), "{suite}");
            assert!(opened.sent_at.authority.as_ref().unwrap().contains("TSA"));
            assert!(opened.sent_at.proven.unwrap() >= now);
            assert_eq!(signer(&opened).time.self_asserted.len(), 1);

            // From before its certificate, it is not even shown.
            let store = forger.owner().store().clone();
            let older =
                Arc::new(Backdated { inner: inner.clone(), time: now.minus(Duration::from_secs(86_400)) });
            let aecm = world.builder(world.http(), store).authority(suite, older).build().unwrap();
            let older = aecm.mailbox(alice.address().as_str()).unwrap();
            let sent = older.compose(&raw).to([address(&bob)]).suite(suite).sign().timestamp().await.unwrap();
            let opened = bob.open(&sent.mail).await.unwrap();
            assert_eq!((opened.verdict.word(), opened.sent_at.proven), ("invalid", None), "{suite}");
            assert!(signer(&opened).time.self_asserted.is_empty(), "{suite}");

            // Nor does it keep a mail alive whose certificate ran out.
            let kept =
                forger.compose(&raw).to([address(&bob)]).suite(suite).sign().timestamp().await.unwrap();
            world.dial.forward(Duration::from_secs(2 * 365 * 86_400));
            let opened = bob.open(&kept.mail).await.unwrap();
            assert_eq!(opened.verdict.word(), "invalid", "{suite}");
            assert!(words(&opened).contains(&"expired"), "{suite}: {:?}", words(&opened));
            world.dial.backward(Duration::from_secs(2 * 365 * 86_400));
        }
    });
}

struct Backdated {
    inner: LocalSource,
    time: aecm::core::time::Time,
}

#[async_trait::async_trait]
impl TimestampSource for Backdated {
    async fn stamp(
        &self,
        digest: aecm::core::digest::DigestAlgorithm,
        imprint: &[u8],
        _: aecm::core::time::Time,
    ) -> Result<Vec<u8>, StampError> {
        self.inner.stamp(digest, imprint, self.time).await
    }
}

// Two years later: what an authority proved still holds, what nobody proved does not.
#[test]
fn a_proven_time_outlives_the_certificate() {
    run(async {
        let world = World::new().await;
        let alice = world.person("alice", Plan::dual().classic_keys(ClassicKeys::Ecc)).await;
        let bob = world.person("bob", Plan::dual().classic_keys(ClassicKeys::Ecc)).await;
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        let sent_at = world.dial.now();
        let mut mails = Vec::new();
        for suite in Suite::ALL {
            for encrypt in [false, true] {
                let compose = || {
                    let compose = alice.compose(&raw).to([address(&bob)]).suite(suite).sign();
                    if encrypt { compose.encrypt() } else { compose }
                };
                mails.push((suite, compose().timestamp().await.unwrap(), compose().await.unwrap()));
            }
        }
        world.dial.forward(Duration::from_secs(2 * 365 * 86_400));
        for (suite, stamped, unstamped) in &mails {
            let opened = bob.open(&stamped.mail).await.unwrap();
            assert_eq!(
                (opened.verdict.word(), signer(&opened).checks),
                ("valid", GOOD),
                "{suite}: {:?}",
                words(&opened)
            );
            assert!(opened.sent_at.proven.unwrap().since(sent_at) < Duration::from_secs(120));
            let opened = bob.open(&unstamped.mail).await.unwrap();
            assert_eq!((opened.verdict.word(), words(&opened)), ("invalid", vec!["expired"]), "{suite}");
            let expected = Checks { chain: CheckResult::Invalid, time: CheckResult::NotEvaluated, ..GOOD };
            assert_eq!(signer(&opened).checks, expected, "{suite}");
        }
        // And nothing new goes out with certificates that ran out.
        let late = alice.compose(&raw).to([address(&bob)]).protect().await;
        assert!(matches!(late, Err(Error::Choose(_) | Error::Sign(_))), "{late:?}");
        let late = alice.compose(&raw).to([address(&bob)]).sign().await;
        assert!(late.is_err(), "a signature that is invalid from the start is not made");
    });
}

// T9: no authority, no connection, no answer: the mail goes out in time, and says that it has no stamp.
#[test]
fn t9_a_mail_is_not_held_back_for_want_of_a_stamp() {
    let family = family();
    run(async {
        let world = &family.world;
        let raw = letter(family.alice.address().as_str(), family.bob.address().as_str());
        let store = family.alice.owner().store().clone();
        let bare = |authority: Option<Arc<dyn TimestampSource>>| {
            let mut builder = aecm::Aecm::builder(world.service.directory_url())
                .store(store.clone())
                .mail(world.service.mail_source())
                .authenticator(Arc::new(aecm::acme::email::DkimAuthenticator::new(
                    world.service.txt_resolver(),
                )))
                .http(world.http())
                .directory(world.service.certificate_directory())
                .trust(world.trust.clone())
                .stamp_deadline(Duration::from_millis(300));
            if let Some(authority) = authority {
                builder = builder.authority(Suite::Sm2, authority);
            }
            builder.build().unwrap().mailbox(family.alice.address().as_str()).unwrap()
        };
        type Authority = Option<Arc<dyn TimestampSource>>;
        type Case = (&'static str, Authority, fn(&StampError) -> bool);
        let offline = world.authority(Suite::Sm2, Arc::new(Offline));
        let silent = world.authority(Suite::Sm2, Arc::new(Silent));
        let cases: [Case; 3] = [
            ("none", None, |error| matches!(error, StampError::NoAuthority)),
            ("offline", Some(offline), |error| matches!(error, StampError::Http(_))),
            ("silent", Some(silent), |error| matches!(error, StampError::Deadline { .. })),
        ];
        for (what, authority, wanted) in cases {
            let alice = bare(authority);
            let started = Instant::now();
            let sent = alice.compose(&raw).to([address(&family.bob)]).protect().await.unwrap();
            assert!(started.elapsed() < Duration::from_secs(5), "{what}: {:?}", started.elapsed());
            let Some(Stamp::Failed(error)) = &sent.stamp else { panic!("{what}: {:?}", sent.stamp) };
            assert!(wanted(error), "{what}: {error:?}");
            assert!(!sent.is_stamped());
            let opened = family.bob.open(&sent.mail).await.unwrap();
            assert_eq!((opened.verdict.word(), opened.sent_at.proven), ("valid", None), "{what}");
        }
    });
}

// A token that does not verify is never put into a mail (T1): here, of a unit under a strange root.
#[test]
fn a_stamp_of_a_stranger_is_not_taken() {
    let family = family();
    run(async {
        let world = &family.world;
        let other = World::new().await;
        // Asked at the stranger's, judged by our roots.
        let policy = Arc::new(aecm::timestamp::TimestampPolicy::new(world.trust.tsa.clone()));
        let source = aecm::timestamp::HttpSource::new(
            other.service.tsa_url(Suite::Sm2),
            other.http(),
            Arc::new(aecm::core::embed::OsRng),
            policy,
        );
        let aecm = world
            .builder(world.http(), family.alice.owner().store().clone())
            .authority(Suite::Sm2, Arc::new(source))
            .build()
            .unwrap();
        let alice = aecm.mailbox(family.alice.address().as_str()).unwrap();
        let raw = letter(family.alice.address().as_str(), family.bob.address().as_str());
        let sent = alice.compose(&raw).to([address(&family.bob)]).sign().timestamp().await.unwrap();
        assert!(matches!(&sent.stamp, Some(Stamp::Failed(StampError::Token { .. }))), "{:?}", sent.stamp);
        let token = aecm::core::tlv::write::oid(&aecm::core::oid::TIME_STAMP_TOKEN);
        assert!(!contains(sent.signed_data.as_ref().unwrap(), &token));
    });
}
