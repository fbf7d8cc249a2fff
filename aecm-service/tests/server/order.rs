//! RFC 8555 §7.4 and RFC 8823 §3: orders, their identifier and profile, the reuse of authorizations.

use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_service::{AcmeOptions, TokenSubmission};
use serde_json::json;

use crate::client::{Client, key, open, start};

#[tokio::test]
async fn an_order_names_one_mailbox_and_nothing_else() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    open(&service, "alice@example.test");
    let url = client.url("newOrder");
    let email = |value: &str| json!({ "type": "email", "value": value });
    for (identifiers, kind) in [
        (json!([{ "type": "dns", "value": "example.test" }]), "unsupportedIdentifier"),
        (json!([{ "type": "ip", "value": "192.0.2.1" }]), "unsupportedIdentifier"),
        (json!([{ "value": "alice@example.test" }]), "unsupportedIdentifier"),
        (json!([email("*@example.test")]), "rejectedIdentifier"),
        (json!([email("example.test")]), "rejectedIdentifier"),
        (json!([email("alice@example.test, bob@example.test")]), "rejectedIdentifier"),
        (json!([email("Alice <alice@example.test>")]), "rejectedIdentifier"),
        (json!([{ "type": "email" }]), "rejectedIdentifier"),
        (json!([email("alice@example.test"), email("bob@example.test")]), "malformed"),
        (json!([]), "malformed"),
        (json!("alice@example.test"), "malformed"),
    ] {
        client.post(&url, &json!({ "identifiers": identifiers })).await.refused(400, kind);
    }
    client.post(&url, &json!({})).await.refused(400, "malformed");
    let alice = json!([email("alice@example.test")]);
    for profile in [json!("classic-sign"), json!("sm2-sign-ov"), json!(""), json!(7), json!(null)] {
        let payload = json!({ "identifiers": alice, "profile": profile });
        client.post(&url, &payload).await.refused(400, "invalidProfile");
    }
    for date in ["notBefore", "notAfter"] {
        let mut payload = json!({ "identifiers": alice });
        payload[date] = json!("2030-01-01T00:00:00Z");
        client.post(&url, &payload).await.refused(400, "malformed");
    }
    // What was refused sent no mail.
    assert_eq!(service.post_office().delivered(), 0);
}

#[tokio::test]
async fn a_new_order_is_pending_and_says_where_everything_is() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    assert_eq!(order.body["status"], "pending");
    assert_eq!(order.body["profile"], "sm2-sign-mv");
    assert_eq!(order.body["identifiers"], json!([{ "type": "email", "value": "alice@example.test" }]));
    assert!(order.body["certificate"].is_null());
    let read = client.read(&order.url).await.expect(200);
    assert_eq!(read.json(), order.body);
    let authorization = client.read(&order.authorization).await.expect(200).json();
    assert_eq!(authorization["status"], "pending");
    assert_eq!(authorization["identifier"], order.body["identifiers"][0]);
    assert!(authorization["wildcard"].is_null());
    let kinds: Vec<_> =
        authorization["challenges"].as_array().unwrap().iter().map(|one| &one["type"]).collect();
    assert_eq!(kinds, ["email-token-00", "email-reply-00"]);
}

// One challenge mail at the creation of the authorization, none later, and one sender for each.
#[tokio::test]
async fn one_mail_for_each_authorization() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let first = client.order(&alice, None).await;
    assert_eq!(client.mails(&alice).await.len(), 1);
    for _ in 0..3 {
        client.read(&first.authorization).await.expect(200);
        client.read(&first.url).await.expect(200);
    }
    assert_eq!(client.mails(&alice).await.len(), 1);
    // A pending authorization is not shared: its mail may be somebody else's to read by now.
    let second = client.order(&alice, None).await;
    assert_ne!(first.authorization, second.authorization);
    let mails = client.mails(&alice).await;
    let senders: std::collections::BTreeSet<_> =
        mails.iter().map(|mail| crate::client::field(&mail.raw, "From").unwrap()).collect();
    assert_eq!((mails.len(), senders.len()), (2, 2), "A22: a sender of its own for each authorization");
    // A mailbox that nobody opened is not told apart.
    let nobody = "nobody@example.test".parse().unwrap();
    assert_eq!(client.order(&nobody, None).await.body["status"], "pending");
}

#[tokio::test]
async fn authorizations_are_reused_or_not_as_configured() {
    for reuse in [true, false] {
        let mut options = AcmeOptions::default();
        options.reuse_authorizations = reuse;
        let service = start(options).await;
        let mut client = Client::registered(&service).await;
        let alice = open(&service, "alice@example.test");
        client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
        let next = client.order(&alice, None).await;
        assert_eq!(next.body["status"], if reuse { "ready" } else { "pending" });
        assert_eq!(client.mails(&alice).await.len(), if reuse { 1 } else { 2 });
        // Never for another mailbox of the account.
        let bob = open(&service, "bob@example.test");
        assert_eq!(client.order(&bob, None).await.body["status"], "pending");
        // The local part is another one in another case (M1).
        let other = open(&service, "Alice@example.test");
        assert_eq!(client.order(&other, None).await.body["status"], "pending");
        // The domain is not.
        let same = client.order(&"alice@EXAMPLE.test".parse().unwrap(), None).await;
        assert_eq!(same.body["status"], next.body["status"]);
    }
}

// §7.5.2: given up, it serves no order any more.
#[tokio::test]
async fn a_deactivated_authorization_serves_nothing() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let key = key(KeySpec::Sm2);
    client.issue(&alice, Suite::Sm2, Purpose::Sign, &key).await;
    let ready = client.order(&alice, None).await;
    client.post(&ready.authorization, &json!({ "status": "valid" })).await.refused(400, "malformed");
    let gone = client.post(&ready.authorization, &json!({ "status": "deactivated" })).await.expect(200);
    assert_eq!(gone.json()["status"], "deactivated");
    assert_eq!(client.read(&ready.url).await.expect(200).json()["status"], "invalid");
    let csr = crate::client::csr(&alice, Purpose::Sign, &key).await;
    client.finalize(&ready, &csr, None).await.refused(403, "orderNotReady");
    assert_eq!(client.order(&alice, None).await.body["status"], "pending");
}

#[tokio::test]
async fn the_directory_says_what_is_offered() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let meta = &client.directory["meta"];
    let names: Vec<&String> = meta["profiles"].as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        [
            "classic-encrypt-mv",
            "classic-sign-mv",
            "classic-timestamp-mv",
            "sm2-encrypt-mv",
            "sm2-sign-mv",
            "sm2-timestamp-mv"
        ]
    );
    assert_eq!(meta["externalAccountRequired"], false);
    assert_eq!(meta["aecm"]["tokenSubmission"], json!(["with-csr", "challenge-response", "reply-mail"]));
    for name in ["newNonce", "newAccount", "newOrder", "revokeCert", "keyChange"] {
        assert!(client.url(name).starts_with("https://127.0.0.1:"), "{name}");
    }

    // A plain RFC 8823 server says nothing of AECM and offers the reply alone.
    let mut options = AcmeOptions::default();
    options.submissions = vec![TokenSubmission::ReplyMail];
    let service = start(options).await;
    let mut client = Client::registered(&service).await;
    assert!(client.directory["meta"]["aecm"].is_null());
    let alice = open(&service, "alice@example.test");
    let order = client.order(&alice, None).await;
    let token = client.token(&alice, &order).await;
    let authorization = client.read(&order.authorization).await.expect(200).json();
    let challenges = authorization["challenges"].as_array().unwrap();
    assert_eq!((challenges.len(), &challenges[0]["type"]), (1, &json!("email-reply-00")));
    // The right token in a way that is not offered: refused, and the order is as it was.
    let url = challenges[0]["url"].as_str().unwrap();
    client.post(url, &json!({ "token": token })).await.refused(400, "malformed");
    let csr = crate::client::csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    client.finalize(&order, &csr, Some(&token)).await.refused(403, "orderNotReady");
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "pending");
}
