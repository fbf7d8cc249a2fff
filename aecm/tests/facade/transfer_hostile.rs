//! What another device or the relay may say, and must not be believed. Each answer breaks one rule of an answer that
//! is taken.

use std::sync::Arc;

use aecm::acme::jws;
use aecm::core::embed::{Clock, OsRng};
use aecm::core::oid;
use aecm::core::public_key::PublicKey;
use aecm::core::software::{KeySpec, SoftwareKey};
use aecm::core::suite::{Purpose, Suite};
use aecm::core::time::Time;
use aecm::store::{EntryState, KeyStore};
use aecm::{Error, Mailbox, Plan, RenewPlan, SlotState, TransferError};
use serde_json::{Value, json};

use crate::forge::{self, Relay, content_of, envelope, identity, keys, package, signed, transport_key};
use crate::world::{World, memory, run};

struct Scene {
    world: World,
    first: Mailbox,
    second: Mailbox,
    store: Arc<dyn KeyStore>,
    relay: Arc<Relay>,
}

impl Scene {
    /// A second device that waits for the keys of the first.
    async fn new() -> Self {
        Self::after(async |_| ()).await
    }

    async fn after(before: impl AsyncFnOnce(&Mailbox)) -> Self {
        let world = World::new().await;
        let first = world.person("victim", Plan::sm2()).await;
        before(&first).await;
        let relay = Relay::new(world.http(), &world.service.directory_url());
        let store = memory();
        let aecm = world.builder(relay.clone(), store.clone()).build().unwrap();
        let second = aecm.mailbox(first.address().as_str()).unwrap();
        let report = second.provision(Plan::sm2()).await.unwrap();
        assert!(report.waiting.is_some(), "{report:?}");
        Self { world, first, second, store, relay }
    }

    fn key(&self) -> PublicKey {
        transport_key(&self.relay.request())
    }

    /// An answer as the first device gives it, but for what the test changes.
    async fn answer(&self, package: &[u8]) -> Vec<u8> {
        let identity = identity(&self.first, Suite::Sm2, Purpose::Sign).await;
        self.sealed(&envelope(package, &self.key(), |_, _| ()), &identity, Some(&self.relay.request())).await
    }

    async fn sealed(
        &self,
        enveloped: &[u8],
        identity: &aecm::smime::sign::SigningIdentity,
        answers: Option<&[u8]>,
    ) -> Vec<u8> {
        signed(enveloped, oid::AUTH_ENVELOPED_DATA, identity, answers).await
    }

    async fn package(&self) -> Vec<u8> {
        package(&keys(&self.first, Purpose::Encrypt).await)
    }

    /// What the second device makes of an answer. Whatever is refused leaves nothing behind.
    async fn take(&self, answer: Vec<u8>) -> Result<(), TransferError> {
        self.relay.answer(answer);
        let before = self.store.entries(self.second.address()).await.unwrap();
        match self.second.provision(Plan::sm2()).await {
            Ok(report) => {
                assert!(report.is_complete(), "{report:?}");
                assert!(report.slots.iter().any(|slot| slot.state == SlotState::Received));
                assert_eq!(self.relay.answers.lock().unwrap().as_slice(), [json!({"status": "done"})]);
                Ok(())
            }
            Err(Error::Transfer(error)) => {
                assert_eq!(
                    self.store.entries(self.second.address()).await.unwrap(),
                    before,
                    "nothing is imported"
                );
                assert!(self.relay.answers.lock().unwrap().is_empty(), "nothing is reported as done");
                // The next call asks anew, with another key.
                let asked = self.relay.request();
                *self.relay.status.lock().unwrap() = "pending".to_owned();
                assert!(self.second.provision(Plan::sm2()).await.unwrap().waiting.is_some());
                assert_ne!(transport_key(&self.relay.request()), transport_key(&asked));
                Err(error)
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn an_honest_answer_is_taken() {
    run(async {
        let scene = Scene::new().await;
        let answer = scene.answer(&scene.package().await).await;
        scene.take(answer).await.unwrap();
        let entries = scene.store.entries(scene.second.address()).await.unwrap();
        assert!(entries.iter().all(|entry| entry.state == EntryState::Active), "{entries:?}");
    });
}

#[test]
fn an_answer_by_another_mailbox_is_refused() {
    run(async {
        let scene = Scene::new().await;
        let mallory = scene.world.person("mallory", Plan::sm2()).await;
        let identity = identity(&mallory, Suite::Sm2, Purpose::Sign).await;
        let enveloped = envelope(&scene.package().await, &scene.key(), |_, _| ());
        let answer = scene.sealed(&enveloped, &identity, Some(&scene.relay.request())).await;
        let error = scene.take(answer).await.unwrap_err();
        assert!(
            matches!(&error, TransferError::Signer { reasons } if reasons.contains("from-does-not-match")),
            "{error}"
        );
    });
}

#[test]
fn an_answer_under_strange_roots_is_refused() {
    run(async {
        let scene = Scene::new().await;
        let strange = World::new().await;
        strange.service.post_office().open(scene.first.address());
        let impostor = strange.builder(strange.http(), memory()).build().unwrap();
        let impostor = impostor.mailbox(scene.first.address().as_str()).unwrap();
        impostor.provision(Plan::sm2()).await.unwrap();
        // As signer of the answer.
        let enveloped = envelope(&scene.package().await, &scene.key(), |_, _| ());
        let signer = identity(&impostor, Suite::Sm2, Purpose::Sign).await;
        let answer = scene.sealed(&enveloped, &signer, Some(&scene.relay.request())).await;
        assert!(matches!(scene.take(answer).await, Err(TransferError::Signer { .. })));
        // And in the package of the right signer.
        let both =
            [keys(&impostor, Purpose::Encrypt).await, keys(&scene.first, Purpose::Encrypt).await].concat();
        let answer = scene.answer(&package(&both)).await;
        let error = scene.take(answer).await.unwrap_err();
        assert!(matches!(error, TransferError::Certificate { .. }), "{error}");
    });
}

#[test]
fn an_answer_to_another_request_is_refused() {
    run(async {
        let scene = Scene::new().await;
        let signer = identity(&scene.first, Suite::Sm2, Purpose::Sign).await;
        let enveloped = envelope(&scene.package().await, &scene.key(), |_, _| ());
        for answers in [None, Some(&b"another request"[..])] {
            let answer = scene.sealed(&enveloped, &signer, answers).await;
            assert_eq!(scene.take(answer).await, Err(TransferError::OtherRequest));
        }
    });
}

// Replay: what was once a good answer to this very device.
#[test]
fn an_answer_is_good_for_one_request() {
    run(async {
        let scene = Scene::new().await;
        let old = scene.answer(&scene.package().await).await;
        // The request is refused, and the device asks again.
        *scene.relay.status.lock().unwrap() = "refused".to_owned();
        let report = scene.second.provision(Plan::sm2()).await.unwrap();
        assert!(report.slots.iter().any(|slot| slot.state == SlotState::TransferRefused));
        *scene.relay.status.lock().unwrap() = "pending".to_owned();
        scene.second.provision(Plan::sm2()).await.unwrap();
        assert_eq!(scene.take(old).await, Err(TransferError::OtherRequest));
    });
}

#[test]
fn an_answer_for_another_key_or_changed_is_refused() {
    run(async {
        let scene = Scene::new().await;
        let signer = identity(&scene.first, Suite::Sm2, Purpose::Sign).await;
        let package = scene.package().await;
        let stranger = SoftwareKey::generate(KeySpec::Sm2, &OsRng).unwrap().public_key().clone();
        let rsa = SoftwareKey::generate(KeySpec::Rsa(2_048), &OsRng).unwrap().public_key().clone();
        for key in [stranger, rsa] {
            let enveloped = envelope(&package, &key, |_, _| ());
            let answer = scene.sealed(&enveloped, &signer, Some(&scene.relay.request())).await;
            assert_eq!(scene.take(answer).await, Err(TransferError::Decrypt));
        }
        let spoiled = envelope(&package, &scene.key(), |ciphertext, _| ciphertext[3] ^= 1);
        let answer = scene.sealed(&spoiled, &signer, Some(&scene.relay.request())).await;
        assert_eq!(scene.take(answer).await, Err(TransferError::Decrypt));
        let spoiled = envelope(&package, &scene.key(), |_, tag| tag[0] ^= 1);
        let answer = scene.sealed(&spoiled, &signer, Some(&scene.relay.request())).await;
        assert_eq!(scene.take(answer).await, Err(TransferError::Decrypt));
        // A shorter tag is not taken at all.
        let short = envelope(&package, &scene.key(), |_, tag| tag.truncate(12));
        let answer = scene.sealed(&short, &signer, Some(&scene.relay.request())).await;
        assert!(matches!(scene.take(answer).await, Err(TransferError::Malformed { .. })));
    });
}

#[test]
fn keys_that_are_none_of_the_certificates_are_refused() {
    run(async {
        let scene = Scene::new().await;
        let mut own = keys(&scene.first, Purpose::Encrypt).await;
        own[0].0 = SoftwareKey::generate(KeySpec::Sm2, &OsRng).unwrap().to_pkcs8_der().to_vec();
        let answer = scene.answer(&package(&own)).await;
        assert_eq!(scene.take(answer).await, Err(TransferError::KeyMismatch));
    });
}

#[test]
fn keys_of_another_mailbox_are_refused() {
    run(async {
        let scene = Scene::new().await;
        let bob = scene.world.person("bob", Plan::sm2()).await;
        let both = [keys(&bob, Purpose::Encrypt).await, keys(&scene.first, Purpose::Encrypt).await].concat();
        let answer = scene.answer(&package(&both)).await;
        assert_eq!(scene.take(answer).await, Err(TransferError::Certificate { why: "another-mailbox" }));
    });
}

#[test]
fn a_package_without_the_key_in_use_is_refused() {
    run(async {
        let rekey = async |first: &Mailbox| {
            let slot = "sm2-encrypt-mv".parse().unwrap();
            first.renew(RenewPlan::slot(slot).rekey()).await.unwrap();
        };
        let scene = Scene::after(rekey).await;
        let mut old = keys(&scene.first, Purpose::Encrypt).await;
        assert_eq!(old.len(), 2);
        old.truncate(1);
        let answer = scene.answer(&package(&old)).await;
        assert_eq!(scene.take(answer).await, Err(TransferError::ActiveMissing { suite: Suite::Sm2 }));
    });
}

// A signing key must never become one that others encrypt to (K8), nor may a suite come that nobody asked for.
#[test]
fn keys_of_another_purpose_or_suite_are_refused() {
    run(async {
        let scene = Scene::new().await;
        let own = keys(&scene.first, Purpose::Encrypt).await;
        let with = async |more: Vec<(Vec<u8>, Vec<aecm::core::certificate::Certificate>)>| {
            let answer = scene.answer(&package(&[more, own.clone()].concat())).await;
            scene.take(answer).await.unwrap_err()
        };
        let error = with(keys(&scene.first, Purpose::Sign).await).await;
        assert!(matches!(error, TransferError::Certificate { .. }), "{error}");
        let classic = scene.world.person("classic", Plan::classic()).await;
        let error = with(keys(&classic, Purpose::Encrypt).await).await;
        assert_eq!(error, TransferError::Certificate { why: "suite-not-asked-for" });
    });
}

#[test]
fn what_is_no_package_is_refused() {
    run(async {
        let scene = Scene::new().await;
        let signer = identity(&scene.first, Suite::Sm2, Purpose::Sign).await;
        let request = || scene.relay.request();
        let good = scene.answer(&scene.package().await).await;
        let mut answers = vec![Vec::new(), b"not CMS".to_vec(), good[..good.len() - 1].to_vec()];
        answers.push(scene.answer(b"not a package").await);
        answers.push(scene.answer(&aecm::core::tlv::write::sequence(&[])).await);
        answers.push(scene.sealed(b"not enveloped", &signer, Some(&request())).await);
        for answer in answers {
            let error = scene.take(answer).await.unwrap_err();
            assert!(
                matches!(
                    error,
                    TransferError::Malformed { .. }
                        | TransferError::NothingToGive
                        | TransferError::OtherRequest
                ),
                "{error}"
            );
        }
        // The right octets under another content type, and beyond the limit.
        let enveloped = envelope(&scene.package().await, &scene.key(), |_, _| ());
        let other_type = signed(&enveloped, oid::DATA, &signer, Some(&request())).await;
        assert!(matches!(scene.take(other_type).await, Err(TransferError::Signer { .. })));
        let large = vec![0x30; (256 << 10) + 1];
        assert!(matches!(scene.take(large).await, Err(TransferError::TooLarge { .. })));
    });
}

/// A holder, whose service is the relay, and a device that asks.
struct Holder {
    first: Mailbox,
    asking: Mailbox,
    relay: Arc<Relay>,
    world: World,
}

impl Holder {
    async fn new() -> Self {
        let world = World::new().await;
        let relay = Relay::new(world.http(), &world.service.directory_url());
        let address = world.address("holder");
        let aecm = world.builder(relay.clone(), memory()).build().unwrap();
        let first = aecm.mailbox(address.as_str()).unwrap();
        assert!(first.provision(Plan::sm2()).await.unwrap().is_complete());
        let aecm = world.builder(relay.clone(), memory()).build().unwrap();
        let asking = aecm.mailbox(address.as_str()).unwrap();
        asking.provision(Plan::sm2()).await.unwrap();
        Self { first, asking, relay, world }
    }

    /// What the holder says of a request.
    async fn judge(&self, request: &[u8], fingerprint: &str) -> Result<(), TransferError> {
        self.relay.listed.lock().unwrap().clear();
        self.relay.answers.lock().unwrap().clear();
        let now = self.world.dial.now().to_string();
        self.relay.list(self.first.address().as_str(), request, "asking-device", fingerprint, &now);
        let mut listed = self.first.transfer_requests().await.unwrap();
        assert_eq!(listed.len(), 1, "it is shown");
        let listed = listed.remove(0);
        let approved = self.first.approve_transfer(&listed, fingerprint).await;
        assert_eq!(listed.refused.is_none(), approved.is_ok(), "{:?} {approved:?}", listed.refused);
        match approved {
            Ok(_) => {
                assert_eq!(self.relay.answers.lock().unwrap().len(), 1);
                Ok(())
            }
            Err(Error::Transfer(error)) => {
                assert!(self.relay.answers.lock().unwrap().is_empty(), "nothing leaves");
                Err(error)
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The text of a good request, changed and signed again by the device that asks.
    async fn with(&self, change: impl FnOnce(&mut Value)) -> Result<(), TransferError> {
        let mut text = content_of(&self.relay.request());
        text["device"] = json!("asking-device");
        change(&mut text);
        let signer = identity(&self.asking, Suite::Sm2, Purpose::Sign).await;
        let request = signed(text.to_string().as_bytes(), oid::DATA, &signer, None).await;
        let key = jws::decode(text["transportKey"].as_str().unwrap_or_default()).unwrap_or_default();
        let digest = aecm::core::digest::DigestAlgorithm::Sha256.digest(&key);
        self.judge(&request, &forge::hex(&digest)).await
    }
}

fn spki(spec: KeySpec) -> Value {
    let key = SoftwareKey::generate(spec, &OsRng).unwrap();
    json!(jws::encode(key.public_key().spki_der()))
}

#[test]
fn requests_that_say_something_else_are_refused() {
    run(async {
        let holder = Holder::new().await;
        let differs = |member| Err(TransferError::Request { member });
        assert_eq!(holder.with(|_| ()).await, Ok(()), "the request itself is good");
        assert_eq!(holder.with(|text| text["version"] = json!(2)).await, differs("version"));
        assert_eq!(holder.with(|text| text["kind"] = json!("mail")).await, differs("kind"));
        let elsewhere = "https://other.example/directory";
        assert_eq!(holder.with(|text| text["directory"] = json!(elsewhere)).await, differs("directory"));
        assert_eq!(holder.with(|text| text["source"] = json!("escrow")).await, differs("source"));
        assert_eq!(holder.with(|text| text["nonce"] = json!("AAAA")).await, differs("nonce"));
        assert_eq!(holder.with(|text| text["suites"] = json!([])).await, differs("suites"));
        assert_eq!(holder.with(|text| text["suites"] = json!(["rot13"])).await, differs("suites"));
        // Keys that are too weak, of the wrong kind, or not of the suite of the signature.
        for spec in [KeySpec::P256, KeySpec::Rsa(2_048), KeySpec::Rsa(3_072)] {
            assert_eq!(
                holder.with(|text| text["transportKey"] = spki(spec)).await,
                differs("transportKey"),
                "{spec:?}"
            );
        }
        assert_eq!(holder.with(|text| text["transportKey"] = json!("AAAA")).await, differs("transportKey"));
        let missing = holder
            .with(|text| {
                text.as_object_mut().unwrap().remove("nonce");
            })
            .await;
        assert!(matches!(missing, Err(TransferError::Malformed { .. })), "{missing:?}");
        // Too old, and from the future.
        let now = holder.world.dial.now();
        let day = core::time::Duration::from_secs(86_400);
        for created in [now.minus(day * 8), now.plus(day)] {
            let outcome = holder.with(|text| text["created"] = json!(created.to_string())).await;
            assert_eq!(outcome, Err(TransferError::Expired), "{created}");
        }
        assert!(now > Time::from_unix(0));
    });
}

#[test]
fn requests_of_strangers_are_refused() {
    run(async {
        let holder = Holder::new().await;
        let text = content_of(&holder.relay.request()).to_string();
        let key = transport_key(&holder.relay.request());
        let fingerprint = forge::hex(&aecm::core::digest::DigestAlgorithm::Sha256.digest(key.spki_der()));
        let mallory = holder.world.person("mallory", Plan::sm2()).await;
        let signer = identity(&mallory, Suite::Sm2, Purpose::Sign).await;
        let request = signed(text.as_bytes(), oid::DATA, &signer, None).await;
        assert!(matches!(holder.judge(&request, &fingerprint).await, Err(TransferError::Signer { .. })));
        // By the timestamping key of the very device: it is not for signing such things.
        let signer = identity(&holder.asking, Suite::Sm2, Purpose::Timestamp).await;
        let request = signed(text.as_bytes(), oid::TST_INFO, &signer, None).await;
        assert!(matches!(holder.judge(&request, &fingerprint).await, Err(TransferError::Signer { .. })));
        assert!(matches!(holder.judge(b"junk", &fingerprint).await, Err(TransferError::Malformed { .. })));
        // The relay shows another fingerprint than the signed request has.
        let good = holder.relay.request();
        let other = "0".repeat(64);
        assert!(matches!(
            holder.judge(&good, &other).await,
            Err(TransferError::Request { member: "fingerprint" })
        ));
    });
}

// What lies beside a request is believed where it is this mailbox's and leads to the anchors; the rest may be laid
// there by whoever relays, and would be revoked with the device one day.
#[test]
fn strangers_certificates_beside_a_request_are_not_remembered() {
    run(async {
        let holder = Holder::new().await;
        let mallory = holder.world.person("mallory", Plan::sm2()).await;
        let strange = World::new().await;
        strange.service.post_office().open(holder.first.address());
        let impostor = strange.builder(strange.http(), memory()).build().unwrap();
        let impostor = impostor.mailbox(holder.first.address().as_str()).unwrap();
        impostor.provision(Plan::sm2()).await.unwrap();
        let mut along = Vec::new();
        for (mailbox, purpose) in [
            (&holder.asking, Purpose::Timestamp),
            (&mallory, Purpose::Sign),
            (&impostor, Purpose::Sign),
            (&impostor, Purpose::Timestamp),
            (&holder.first, Purpose::Encrypt),
        ] {
            let entries = mailbox.entries().await.unwrap();
            let entry = entries.into_iter().find(|entry| entry.slot.purpose == purpose).unwrap();
            along.extend(entry.certificate.into_iter().chain(entry.chain));
        }
        let mut text = content_of(&holder.relay.request());
        text["device"] = json!("asking-device");
        let signer = identity(&holder.asking, Suite::Sm2, Purpose::Sign).await;
        let request = forge::signed_along(text.to_string().as_bytes(), oid::DATA, &signer, along).await;
        let key = transport_key(&request);
        let fingerprint = forge::hex(&aecm::core::digest::DigestAlgorithm::Sha256.digest(key.spki_der()));
        assert_eq!(holder.judge(&request, &fingerprint).await, Ok(()));
        let devices = holder.first.devices().await.unwrap();
        let device = devices.iter().find(|device| device.id.as_str() == "asking-device").unwrap();
        let stamps = identity(&holder.asking, Suite::Sm2, Purpose::Timestamp).await;
        assert_eq!(device.certificates.len(), 2, "{device:?}");
        for own in [signer.certificate, stamps.certificate] {
            assert!(device.certificates.contains(&own));
        }
    });
}

// A request that was signed again is there twice: the device looks at the newer one.
#[test]
fn of_two_requests_with_one_key_the_newest_is_shown() {
    run(async {
        let holder = Holder::new().await;
        let text = content_of(&holder.relay.request());
        let signer = identity(&holder.asking, Suite::Sm2, Purpose::Sign).await;
        let fingerprint = forge::hex(
            &aecm::core::digest::DigestAlgorithm::Sha256
                .digest(transport_key(&holder.relay.request()).spki_der()),
        );
        let now = holder.world.dial.now();
        let minute = core::time::Duration::from_secs(60);
        for created in [now.minus(minute), now, now.minus(minute * 2)] {
            let mut text = text.clone();
            text["device"] = json!("asking-device");
            text["created"] = json!(created.to_string());
            let request = signed(text.to_string().as_bytes(), oid::DATA, &signer, None).await;
            let (address, now) = (holder.first.address().as_str(), now.to_string());
            holder.relay.list(address, &request, "asking-device", &fingerprint, &now);
        }
        let shown = holder.first.transfer_requests().await.unwrap();
        assert_eq!(shown.len(), 1, "{shown:?}");
        assert_eq!(shown[0].created.unix(), now.unix());
    });
}

// The store will never take these keys: the answer is not tried again until it expires.
#[test]
fn an_answer_that_the_store_refuses_is_given_up() {
    run(async {
        let scene = Scene::new().await;
        let refusing = crate::cut::CutStore::refusing_imports(scene.store.clone());
        let aecm = scene.world.builder(scene.relay.clone(), refusing).build().unwrap();
        let second = aecm.mailbox(scene.first.address().as_str()).unwrap();
        let asked = scene.relay.request();
        scene.relay.answer(scene.answer(&scene.package().await).await);
        let error = second.provision(Plan::sm2()).await.unwrap_err();
        assert!(matches!(error, Error::Transfer(TransferError::NotTaken { .. })), "{error:?}");
        *scene.relay.status.lock().unwrap() = "pending".to_owned();
        assert!(second.provision(Plan::sm2()).await.unwrap().waiting.is_some());
        assert_ne!(transport_key(&scene.relay.request()), transport_key(&asked));
    });
}

// The certificate that the service named stands in the package, and behind it a key that is older: it is history.
#[test]
fn the_order_of_a_package_decides_nothing_against_the_named_certificate() {
    run(async {
        let rekey = async |first: &Mailbox| {
            first.renew(RenewPlan::slot("sm2-encrypt-mv".parse().unwrap()).rekey()).await.unwrap();
        };
        let scene = Scene::after(rekey).await;
        let mut turned = keys(&scene.first, Purpose::Encrypt).await;
        turned.reverse();
        let answer = scene.answer(&package(&turned)).await;
        scene.take(answer).await.unwrap();
        let active = async |mailbox: &Mailbox| {
            let entries = mailbox.entries().await.unwrap();
            let mut active = entries
                .into_iter()
                .filter(|one| one.slot.purpose == Purpose::Encrypt && one.state == EntryState::Active);
            active.next().unwrap().public_key
        };
        assert_eq!(active(&scene.second).await, active(&scene.first).await);
    });
}

// The same request, answered and shown again under whatever URL.
#[test]
fn a_replayed_request_is_refused() {
    run(async {
        let holder = Holder::new().await;
        assert_eq!(holder.with(|_| ()).await, Ok(()));
        let text = content_of(&holder.relay.request());
        let signer = identity(&holder.asking, Suite::Sm2, Purpose::Sign).await;
        let mut text = text;
        text["device"] = json!("asking-device");
        let request = signed(text.to_string().as_bytes(), oid::DATA, &signer, None).await;
        let key = transport_key(&request);
        let fingerprint = forge::hex(&aecm::core::digest::DigestAlgorithm::Sha256.digest(key.spki_der()));
        assert_eq!(holder.judge(&request, &fingerprint).await, Ok(()));
        assert_eq!(holder.judge(&request, &fingerprint).await, Err(TransferError::Replayed));
    });
}
