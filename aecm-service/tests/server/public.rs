//! What anybody may read: anchors, certificates, revocation lists, when to renew; and the options of the challenge.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use aecm_acme::email::authz_hint;
use aecm_acme::jws::encode;
use aecm_core::certificate::Certificate;
use aecm_core::crl::{Crl, RevocationReason};
use aecm_core::embed::{Clock, Method};
use aecm_core::limits::Limits;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_service::{AcmeOptions, ChallengeMailTime, TokenPart1Bytes, TokenSubmission};
use serde_json::json;

use crate::client::{Client, csr, field, key, open, start, start_with};
use crate::state::World;
use crate::transfer::Dial;

#[tokio::test]
async fn the_directory_says_where_everything_is() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let aecm = client.directory["meta"]["aecm"].clone();
    let base = service.directory_url().replace("/acme/directory", "");
    for (name, path) in [
        ("anchors", "/aecm/anchors"),
        ("certificates", "/aecm/certificates/"),
        ("newTransfer", "/acme/new-transfer"),
        ("transfers", "/acme/transfers"),
        ("events", "/acme/events"),
    ] {
        assert_eq!(aecm[name], format!("{base}{path}"), "{name}");
    }
    assert_eq!(aecm["timestamp"]["sm2"], service.tsa_url(Suite::Sm2));
    assert_eq!(aecm["timestamp"]["classic"], service.tsa_url(Suite::Classic));
    assert_eq!((&aecm["version"], &aecm["challengeMail"]), (&json!(1), &json!("authorization")));
    assert_eq!(client.directory["renewalInfo"], format!("{base}/acme/renewal-info"));
    let anchors = client.get(&format!("{base}/aecm/anchors")).await.expect(200).json();
    let own = service.anchors();
    for (name, pair) in
        [("smime", &own.smime), ("tsa", &own.tsa), ("mailbox_timestamp", &own.mailbox_timestamp)]
    {
        assert_eq!(anchors[name], json!({ "classic": pair.classic.to_pem(), "sm2": pair.sm2.to_pem() }));
    }
    // A plain RFC 8823 server says nothing of AECM.
    let mut options = AcmeOptions::default();
    options.submissions = vec![TokenSubmission::ReplyMail];
    let plain = start(options).await;
    assert!(Client::new(&plain).await.directory["meta"]["aecm"].is_null());
}

#[tokio::test]
async fn certificates_are_listed_by_mailbox() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "al/ice+x@example.test");
    let url = client.directory["meta"]["aecm"]["certificates"].as_str().unwrap().to_owned();
    let encoded = "al%2Fice%2Bx%40example.test";
    client.get(&format!("{url}{encoded}")).await.refused(404, "malformed");
    let signing = client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let shared = key(KeySpec::P256);
    client.issue(&alice, Suite::Classic, Purpose::Encrypt, &shared).await;
    let renewed = client.issue(&alice, Suite::Classic, Purpose::Encrypt, &shared).await;
    client.issue(&alice, Suite::Sm2, Purpose::Timestamp, &key(KeySpec::Sm2)).await;
    let list = client.get(&format!("{url}{encoded}")).await.expect(200).json();
    let chain = |chain: &[Certificate]| chain.iter().map(|one| encode(one.as_der())).collect::<Vec<_>>();
    assert_eq!(list["certificates"], json!([chain(&renewed), chain(&signing)]));
    assert_eq!(client.get(&format!("{url}al%2fice%2bx%40EXAMPLE.test")).await.expect(200).json(), list);
    for other in ["al%2Fice%40example.test", "AL%2FICE%2Bx%40example.test"] {
        client.get(&format!("{url}{other}")).await.refused(404, "malformed");
    }
    for bad in ["", "alice", "%zz%40example.test", "a/b@example.test", "%00%40example.test"] {
        client.get(&format!("{url}{bad}")).await.refused(400, "malformed");
    }
    client.raw(Method::Post, &format!("{url}{encoded}"), None, Vec::new()).await.refused(405, "malformed");
    for nowhere in ["/aecm/", "/aecm/anchors/", "/aecm/other"] {
        let base = service.directory_url().replace("/acme/directory", "");
        client.get(&format!("{base}{nowhere}")).await.refused(404, "malformed");
    }
    let revoke = client.url("revokeCert");
    for leaf in [&signing[0], &renewed[0]] {
        client.post(&revoke, &json!({ "certificate": encode(leaf.as_der()) })).await.expect(200);
    }
    // The renewed certificate's predecessor has the same key and still stands.
    let left = client.get(&format!("{url}{encoded}")).await.expect(200).json();
    assert_eq!(left["certificates"].as_array().unwrap().len(), 1);
}

async fn crl(client: &Client, url: &str) -> Crl {
    let answer = client.get(url).await.expect(200);
    assert_eq!(answer.header("content-type"), Some("application/pkix-crl"));
    Crl::from_der(&answer.0.body, &Limits::default()).unwrap()
}

#[tokio::test]
async fn revocations_are_listed_by_their_issuer() {
    let mut world = World::new(|_| {}).await;
    let mut client = Client::registered(world.service()).await;
    let alice = open(world.service(), "alice@example.test");
    let chain = client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let other = client.issue(&alice, Suite::Sm2, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    let stamp = client.issue(&alice, Suite::Sm2, Purpose::Timestamp, &key(KeySpec::Sm2)).await;
    let url = chain[0].crl_urls()[0].clone();
    assert!(url.ends_with("/crl/smime-sm2.crl"));
    assert!(stamp[0].crl_urls()[0].ends_with("/crl/mailbox-timestamp-sm2.crl"));
    let empty = crl(&client, &url).await;
    assert_eq!(empty.entries().count(), 0);
    assert!(empty.this_update() <= aecm_core::embed::SystemClock.now());
    let revoke = client.url("revokeCert");
    for (leaf, reason) in [(&chain[0], 1), (&stamp[0], 0)] {
        let payload = json!({ "certificate": encode(leaf.as_der()), "reason": reason });
        client.post(&revoke, &payload).await.expect(200);
    }
    let list = crl(&client, &url).await;
    list.verify_signature_by(chain[1].public_key().unwrap(), aecm_core::signature::Sm2Id::Default).unwrap();
    let entries: Vec<_> = list.entries().map(|entry| (entry.serial.to_vec(), entry.reason)).collect();
    assert_eq!(entries, [(chain[0].serial().to_vec(), Some(RevocationReason::KeyCompromise))]);
    assert!(entries.iter().all(|(serial, _)| serial != other[0].serial()));
    let stamps = crl(&client, &stamp[0].crl_urls()[0].clone()).await;
    assert_eq!(stamps.entries().count(), 1);
    // Numbers grow, over restarts too.
    let mut last = list.number().unwrap().to_vec();
    for _ in 0..3 {
        client = world.again(&client).await;
        let next = crl(&client, &url).await;
        let number = next.number().unwrap().to_vec();
        assert!((number.len(), &number) > (last.len(), &last), "{number:?} after {last:?}");
        assert_eq!(next.entries().count(), 1);
        last = number;
    }
    let base = url.replace("smime-sm2.crl", "");
    for wrong in ["", "smime-sm2", "smime-sm3.crl", "../smime-sm2.crl", "smime-sm2.crl/"] {
        client.get(&format!("{base}{wrong}")).await.refused(404, "malformed");
    }
    client.raw(Method::Post, &url, None, Vec::new()).await.refused(405, "malformed");
    for name in ["smime-classic", "tsa-classic", "tsa-sm2", "mailbox-timestamp-classic"] {
        crl(&client, &format!("{base}{name}.crl")).await;
    }
}

// A list is signed when there is something new to say, not for everybody who asks.
#[tokio::test]
async fn a_list_is_signed_once_and_again_when_something_is_revoked() {
    let dial = Arc::new(Dial::default());
    let clock = dial.clone();
    let service = start_with(|options| options.clock = clock).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let chain = client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let url = chain[0].crl_urls()[0].clone();
    let first = client.get(&url).await.expect(200);
    let tag = first.header("etag").unwrap().to_owned();
    assert_eq!(first.header("cache-control"), Some("no-cache"));
    dial.0.store(6 * 3_600 - 60, Ordering::SeqCst);
    assert_eq!(client.get(&url).await.expect(200).0.body, first.0.body);
    for (known, status) in [
        (tag.clone(), 304),
        (format!("\"other\", W/{tag}"), 304),
        ("*".to_owned(), 304),
        ("\"other\"".to_owned(), 200),
        (tag.trim_matches('"').to_owned(), 200),
    ] {
        let answer = client.get_if_changed(&url, &known).await.expect(status);
        assert_eq!(answer.0.body.is_empty(), status == 304, "{known}");
    }
    // Another issuer's list is nothing to this one.
    let payload = |leaf: &Certificate| json!({ "certificate": encode(leaf.as_der()) });
    let stamp = client.issue(&alice, Suite::Sm2, Purpose::Timestamp, &key(KeySpec::Sm2)).await;
    let revoke = client.url("revokeCert");
    client.post(&revoke, &payload(&stamp[0])).await.expect(200);
    client.get_if_changed(&url, &tag).await.expect(304);
    // What is revoked shows at once.
    client.post(&revoke, &payload(&chain[0])).await.expect(200);
    let next = client.get_if_changed(&url, &tag).await.expect(200);
    let list = Crl::from_der(&next.0.body, &Limits::default()).unwrap();
    assert_eq!(list.entries().count(), 1);
    let next = next.header("etag").unwrap().to_owned();
    assert_ne!(next, tag);
    // And without anything new before it is old.
    client.get_if_changed(&url, &next).await.expect(304);
    dial.0.store(13 * 3_600, Ordering::SeqCst);
    let later = client.get_if_changed(&url, &next).await.expect(200);
    let later = Crl::from_der(&later.0.body, &Limits::default()).unwrap();
    assert!(later.this_update() > list.this_update());
    assert!(later.number().unwrap() > list.number().unwrap());
}

// RFC 9773
#[tokio::test]
async fn renewal_is_due_in_the_last_third_and_at_once_when_revoked() {
    let dial = Arc::new(Dial::default());
    let clock = dial.clone();
    let service = start_with(|options| options.clock = clock).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let chain = client.issue(&alice, Suite::Classic, Purpose::Sign, &key(KeySpec::P256)).await;
    let leaf = &chain[0];
    let identifier =
        format!("{}.{}", encode(leaf.authority_key_identifier().unwrap()), encode(leaf.serial()));
    let url = format!("{}/{identifier}", client.url("renewalInfo"));
    let window = async |client: &Client| {
        let answer = client.get(&url).await.expect(200);
        assert_eq!(answer.header("retry-after"), Some("21600"));
        let time = |name: &str| {
            Time::from_rfc3339(answer.json()["suggestedWindow"][name].as_str().unwrap()).unwrap()
        };
        (time("start"), time("end"))
    };
    let (start, end) = window(&client).await;
    let life = leaf.not_after().since(leaf.not_before());
    assert_eq!(start.since(leaf.not_before()), life / 3 * 2);
    assert!(start < end && end < leaf.not_after());
    for wrong in ["", "a", "a.b", &identifier[..identifier.len() - 2], &"x".repeat(400)] {
        let wrong = format!("{}/{wrong}", client.url("renewalInfo"));
        client.get(&wrong).await.refused(404, "malformed");
    }
    dial.0.store(3_600, Ordering::SeqCst);
    let revoke = json!({ "certificate": encode(leaf.as_der()) });
    let revoke_url = client.url("revokeCert");
    client.post(&revoke_url, &revoke).await.expect(200);
    let (start, end) = window(&client).await;
    assert!(start < end && end <= dial.now(), "over: renew at once");
    assert!(end.since(start) >= Duration::from_secs(60));
}

#[tokio::test]
async fn token_part1_is_as_long_as_asked() {
    for (bytes, characters) in [(20, 27), (24, 32), (32, 43)] {
        let mut options = AcmeOptions::default();
        options.token_part1_bytes = TokenPart1Bytes::from_bytes(bytes).unwrap();
        let service = start(options).await;
        let mut client = Client::registered(&service).await;
        let alice = open(&service, "alice@example.test");
        let order = client.order(&alice, Some("sm2-sign-mv")).await;
        let token = client.token(&alice, &order).await;
        assert_eq!(token.len(), characters + 32);
        let request = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
        client.finalize(&order, &request, Some(&token)).await.expect(200);
    }
    for other in [0, 16, 19, 21, 25, 33, 128] {
        assert_eq!(TokenPart1Bytes::from_bytes(other), None, "{other}");
    }
}

// RFC 8555 §8: a challenge is a resource of its own.
#[tokio::test]
async fn each_challenge_has_its_own_url() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let token = client.challenge(&order, "email-token-00").await;
    let reply = client.challenge(&order, "email-reply-00").await;
    assert_ne!(token["url"], reply["url"]);
    assert_eq!((&token["token"], &token["from"]), (&reply["token"], &reply["from"]));
    for challenge in [&token, &reply] {
        let read = client.read(challenge["url"].as_str().unwrap()).await.expect(200).json();
        assert_eq!(&read, challenge);
    }
    // A22: the hint is that of the first one.
    let mail = client.mails(&alice).await.remove(0);
    let submitted = field(&mail.raw, "Auto-Submitted").unwrap();
    assert!(submitted.ends_with(&format!("authz={}", authz_hint(token["url"].as_str().unwrap()))));
    for wrong in ["respond", "", "other"] {
        let url = token["url"].as_str().unwrap().replace("/token", &format!("/{wrong}"));
        client.read(&url).await.refused(404, "malformed");
    }
    // One that is not offered is not there.
    let mut options = AcmeOptions::default();
    options.submissions = vec![TokenSubmission::WithCsr];
    let service = start(options).await;
    let mut client = Client::registered(&service).await;
    open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let url =
        client.challenge(&order, "email-token-00").await["url"].as_str().unwrap().replace("/token", "/reply");
    client.read(&url).await.refused(404, "malformed");
    // A22: one address for each authorization.
    let again = client.order(&alice, None).await;
    let (one, two) = (
        client.challenge(&order, "email-token-00").await["from"].clone(),
        client.challenge(&again, "email-token-00").await["from"].clone(),
    );
    assert_ne!(one, two);
}

#[tokio::test]
async fn the_mail_may_wait_for_the_challenge() {
    for kind in ["email-token-00", "email-reply-00"] {
        let mut options = AcmeOptions::default();
        options.challenge_mail = ChallengeMailTime::AtChallenge;
        let service = start(options).await;
        let mut client = Client::registered(&service).await;
        assert_eq!(client.directory["meta"]["aecm"]["challengeMail"], "challenge");
        let alice = open(&service, "alice@example.test");
        let order = client.order(&alice, Some("sm2-sign-mv")).await;
        assert!(client.mails(&alice).await.is_empty());
        let challenge = client.challenge(&order, kind).await;
        let url = challenge["url"].as_str().unwrap().to_owned();
        let mut mallory = Client::registered(&service).await;
        mallory.post(&url, &json!({})).await.refused(404, "malformed");
        assert!(client.mails(&alice).await.is_empty());
        for _ in 0..3 {
            client.post(&url, &json!({})).await.expect(200);
        }
        let mails = client.mails(&alice).await;
        assert_eq!(mails.len(), 1, "one mail, however often it is asked for");
        let submitted = field(&mails[0].raw, "Auto-Submitted").unwrap();
        assert!(submitted.ends_with(&format!("authz={}", authz_hint(&url))), "{kind}");
        let token = client.token(&alice, &order).await;
        let request = csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
        client.finalize(&order, &request, Some(&token)).await.expect(200);
        // What is decided sends no mail any more.
        client.post(&url, &json!({})).await.expect(200);
        assert_eq!(client.mails(&alice).await.len(), 1);
    }
}
