//! What is issued (six profiles, three roots a suite), and taking it back (RFC 8555 §7.6).

use aecm_acme::jws::{Jwk, encode};
use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::oid;
use aecm_core::path::{Anchors, PathOptions, PathPurpose, validate};
use aecm_core::public_key::KeyKind;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use aecm_service::{AcmeOptions, Service};
use serde_json::{Value, json};

use crate::client::{Client, jws_by, key, open, start};

fn spec(suite: Suite, purpose: Purpose) -> KeySpec {
    match (suite, purpose) {
        (Suite::Sm2, _) => KeySpec::Sm2,
        (Suite::Classic, Purpose::Encrypt) => KeySpec::Rsa(2_048),
        (Suite::Classic, _) => KeySpec::P256,
    }
}

fn holds(service: &Service, chain: &[Certificate], anchor: &Certificate, purpose: PathPurpose) -> bool {
    let options = PathOptions::new(purpose, Some(now(service)), aecm_core::limits::Limits::default());
    validate(&chain[0], &chain[1..], &Anchors::new(vec![anchor.clone()]), &options).is_ok()
}

fn now(_: &Service) -> Time {
    use aecm_core::embed::Clock as _;
    aecm_core::embed::SystemClock.now()
}

#[tokio::test]
async fn six_profiles_have_each_its_usage_and_its_root() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let anchors = service.anchors();
    for suite in Suite::ALL {
        for purpose in Purpose::ALL {
            let key = key(spec(suite, purpose));
            let chain = client.issue(&alice, suite, purpose, &key).await;
            let leaf = &chain[0];
            let what = format!("{suite} {purpose}");
            assert_eq!(chain.len(), 2, "{what}: leaf and issuer, no root");
            assert_eq!(leaf.public_key(), Some(key.public_key()), "{what}");
            assert_eq!(leaf.san_mailboxes(), std::slice::from_ref(&alice), "{what}");
            assert!(leaf.basic_constraints().is_none_or(|constraints| !constraints.ca), "{what}");
            let usage = leaf.key_usage().unwrap();
            let wanted = match purpose {
                Purpose::Sign | Purpose::Timestamp => KeyUsage::DIGITAL_SIGNATURE,
                Purpose::Encrypt => KeyUsage::KEY_ENCIPHERMENT,
            };
            assert_eq!(usage, wanted, "{what}: single key usage");
            let extended = leaf.extended_key_usage().unwrap();
            if purpose == Purpose::Timestamp {
                assert!(extended.is_only(&oid::TIME_STAMPING) && extended.critical, "{what}");
            } else {
                assert!(extended.is_only(&oid::EMAIL_PROTECTION), "{what}");
            }
            assert_eq!(leaf.smime_capabilities_der().is_some(), purpose == Purpose::Encrypt, "{what}");
            assert!(leaf.serial().len() <= 20 && leaf.serial().len() >= 8, "{what}");
            let days = leaf.not_after().since(leaf.not_before()).as_secs() / 86_400;
            assert_eq!(days, 365, "{what}");

            // Its own root and no other of the six.
            for (realm, roots) in
                [("smime", &anchors.smime), ("tsa", &anchors.tsa), ("mailbox", &anchors.mailbox_timestamp)]
            {
                for (of, root) in [(Suite::Classic, &roots.classic), (Suite::Sm2, &roots.sm2)] {
                    let own = if purpose == Purpose::Timestamp { "mailbox" } else { "smime" };
                    let expected = of == suite && realm == own;
                    assert_eq!(
                        holds(&service, &chain, root, PathPurpose::Any),
                        expected,
                        "{what} {realm} {of}"
                    );
                }
            }
            // A mailbox's timestamping certificate is no authority's; a signing one stamps nothing.
            let root = match (suite, purpose) {
                (Suite::Classic, Purpose::Timestamp) => &anchors.mailbox_timestamp.classic,
                (Suite::Sm2, Purpose::Timestamp) => &anchors.mailbox_timestamp.sm2,
                (Suite::Classic, _) => &anchors.smime.classic,
                (Suite::Sm2, _) => &anchors.smime.sm2,
            };
            assert_eq!(
                holds(&service, &chain, root, PathPurpose::SignMail),
                purpose == Purpose::Sign,
                "{what}"
            );
            assert_eq!(
                holds(&service, &chain, root, PathPurpose::EncryptMail),
                purpose == Purpose::Encrypt,
                "{what}"
            );
        }
    }
    // No timestamping below the S/MIME roots: the issuers are bound to one usage.
    let chain = client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    assert!(chain[1].extended_key_usage().unwrap().is_only(&oid::EMAIL_PROTECTION));
    assert_eq!(chain[1].basic_constraints().unwrap().path_len, Some(0));
    let distinct: std::collections::BTreeSet<_> = [&anchors.smime, &anchors.tsa, &anchors.mailbox_timestamp]
        .iter()
        .flat_map(|roots| [roots.classic.spki_der().to_vec(), roots.sm2.spki_der().to_vec()])
        .collect();
    assert_eq!(distinct.len(), 6);
}

// A P-256 encrypting key agrees, it does not encipher (STANDARDS A20).
#[tokio::test]
async fn an_ecc_encrypting_key_agrees() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let chain = client.issue(&alice, Suite::Classic, Purpose::Encrypt, &key(KeySpec::P256)).await;
    assert_eq!(chain[0].key_usage(), Some(KeyUsage::KEY_AGREEMENT));
    assert_eq!(chain[0].public_key().map(aecm_core::public_key::PublicKey::kind), Some(KeyKind::P256));
}

// RFC 9598: an address outside ASCII has its own form of name; IA5String cannot hold it.
#[tokio::test]
async fn international_addresses_are_certified_in_their_form() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    for address in ["用户@example.test", "alice@bücher.example"] {
        let mailbox = open(&service, address);
        let chain = client.issue(&mailbox, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
        let san = chain[0].extension(&oid::SUBJECT_ALT_NAME).unwrap().value;
        if let Some(at) = san.windows(1).position(|octet| octet == [0x81]) {
            assert!(san[at + 1..].is_ascii(), "{address}: rfc822Name is an IA5String");
        }
        let named = chain[0].san_mailboxes();
        assert!(named.iter().any(|named| named.matches(&mailbox)), "{address}: {named:?}");
    }
}

// RFC 5280 §A.1, §4.2.1.6: no common name above 64 characters; the empty subject makes the name critical.
#[tokio::test]
async fn a_long_address_is_no_common_name() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let domain = format!("@{}.example.test", "d".repeat(40));
    for (local, named) in [(64 - domain.len(), true), (65 - domain.len(), false)] {
        let mailbox = open(&service, &format!("{}{domain}", "a".repeat(local)));
        for suite in Suite::ALL {
            let chain = client.issue(&mailbox, suite, Purpose::Sign, &key(spec(suite, Purpose::Sign))).await;
            let leaf = &chain[0];
            assert_eq!(leaf.subject_der() == [0x30, 0], !named, "{suite} {mailbox}");
            assert_eq!(leaf.subject_text().contains(mailbox.as_str()), named);
            assert_eq!(leaf.extension(&oid::SUBJECT_ALT_NAME).unwrap().critical, !named);
            assert_eq!(leaf.san_mailboxes(), std::slice::from_ref(&mailbox));
            let roots = &service.anchors().smime;
            let root = if suite == Suite::Sm2 { &roots.sm2 } else { &roots.classic };
            assert!(holds(&service, &chain, root, PathPurpose::SignMail), "{suite} {mailbox}");
        }
    }
}

async fn revoke(client: &mut Client, certificate: &Certificate, reason: Value) -> crate::client::Reply {
    let url = client.url("revokeCert");
    let mut payload = json!({ "certificate": encode(certificate.as_der()) });
    if !reason.is_null() {
        payload["reason"] = reason;
    }
    client.post(&url, &payload).await
}

#[tokio::test]
async fn the_account_revokes_once() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let chain = client.issue(&alice, Suite::Sm2, Purpose::Encrypt, &key(KeySpec::Sm2)).await;
    let directory = service.certificate_directory();
    assert_eq!(directory.certificates(&alice).await.unwrap().len(), 1);
    for reason in [json!(6), json!(7), json!(8), json!(11), json!(-1), json!("1"), json!(1.5)] {
        revoke(&mut client, &chain[0], reason).await.refused(400, "badRevocationReason");
    }
    let url = client.url("revokeCert");
    for payload in [json!({}), json!({ "certificate": 7 }), json!({ "certificate": "!" })] {
        client.post(&url, &payload).await.refused(400, "malformed");
    }
    revoke(&mut client, &chain[1], Value::Null).await.refused(404, "malformed");
    let mut mallory = Client::registered(&service).await;
    revoke(&mut mallory, &chain[0], Value::Null).await.refused(403, "unauthorized");
    assert_eq!(directory.certificates(&alice).await.unwrap().len(), 1);

    let done = revoke(&mut client, &chain[0], json!(4)).await.expect(200);
    assert_eq!(done.text(), "");
    assert!(directory.certificates(&alice).await.unwrap().is_empty(), "no longer handed out");
    revoke(&mut client, &chain[0], json!(4)).await.refused(400, "alreadyRevoked");
    // Whoever may not revoke is not told, either.
    revoke(&mut mallory, &chain[0], Value::Null).await.refused(403, "unauthorized");
}

// §7.6: whoever has proven the mailbox may, and so may the certificate's own key.
#[tokio::test]
async fn another_holder_of_the_mailbox_and_the_key_itself_revoke() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let first = client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let mut second_device = Client::registered(&service).await;
    revoke(&mut second_device, &first[0], Value::Null).await.refused(403, "unauthorized");
    second_device.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    revoke(&mut second_device, &first[0], json!(1)).await.expect(200);

    let own = key(KeySpec::P256);
    let chain = client.issue(&alice, Suite::Classic, Purpose::Sign, &own).await;
    let url = client.url("revokeCert");
    let stranger = key(KeySpec::P256);
    for (key, status) in [(&stranger, 403), (&own, 200), (&own, 400)] {
        let answered = revoke_by_key(&mut client, &url, &chain[0], key, 0).await;
        assert_eq!(answered.status(), status, "{}", answered.text());
    }
}

pub async fn revoke_by_key(
    client: &mut Client,
    url: &str,
    certificate: &Certificate,
    key: &SoftwareKey,
    reason: u64,
) -> crate::client::Reply {
    let jwk: Value =
        serde_json::from_str(&Jwk::from_public_key(key.public_key()).unwrap().canonical()).unwrap();
    let header = json!({ "alg": "ES256", "jwk": jwk, "nonce": client.nonce().await, "url": url });
    let payload = json!({ "certificate": encode(certificate.as_der()), "reason": reason });
    let signer = key.clone().into_signer(std::sync::Arc::new(aecm_core::embed::OsRng));
    let body = jws_by(&signer, &header, payload.to_string().as_bytes()).await;
    client.send(url, body).await
}
