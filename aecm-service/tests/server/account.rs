//! RFC 8555 §7.3: accounts.

use aecm_core::software::KeySpec;
use aecm_service::AcmeOptions;
use serde_json::json;

use crate::client::{Client, jws_by, open, signer, start};

#[tokio::test]
async fn the_same_key_finds_its_account() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::new(&service).await;
    let new_account = client.url("newAccount");
    let made = client.register().await.expect(201);
    assert_eq!(made.json()["status"], "valid");
    assert_eq!(made.json()["key"], client.jwk());
    assert_eq!(made.json()["orders"], json!(format!("{}/orders", client.kid)));
    let again = client.post_jwk(&new_account, &json!({ "termsOfServiceAgreed": true })).await.expect(200);
    assert_eq!(again.location(), client.kid);
    let only = client.post_jwk(&new_account, &json!({ "onlyReturnExisting": true })).await.expect(200);
    assert_eq!(only.location(), client.kid);
}

#[tokio::test]
async fn only_return_existing_makes_nothing() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::new(&service).await;
    let new_account = client.url("newAccount");
    let payload = json!({ "onlyReturnExisting": true, "termsOfServiceAgreed": true });
    client.post_jwk(&new_account, &payload).await.refused(400, "accountDoesNotExist");
    client.post_jwk(&new_account, &payload).await.refused(400, "accountDoesNotExist");
}

// A30: no account without agreement, and the refusal says where the terms are.
#[tokio::test]
async fn terms_have_to_be_agreed_to() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::new(&service).await;
    let new_account = client.url("newAccount");
    let terms = client.directory["meta"]["termsOfService"].as_str().unwrap().to_owned();
    for payload in [
        json!({}),
        json!({ "termsOfServiceAgreed": false }),
        json!({ "termsOfServiceAgreed": "true" }),
        json!({ "termsOfServiceAgreed": 1 }),
    ] {
        let refused = client.post_jwk(&new_account, &payload).await.refused(403, "userActionRequired");
        assert_eq!(refused.json()["instance"], json!(terms));
        let link = format!("<{terms}>;rel=\"terms-of-service\"");
        assert!(refused.links().contains(&link.as_str()), "{:?}", refused.links());
    }
    client.get(&terms).await.expect(200);
    client
        .post_jwk(&new_account, &json!({ "onlyReturnExisting": true }))
        .await
        .refused(400, "accountDoesNotExist");
}

#[tokio::test]
async fn contacts_are_single_mailto_addresses() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::new(&service).await;
    let new_account = client.url("newAccount");
    let with = |contact: serde_json::Value| json!({ "termsOfServiceAgreed": true, "contact": contact });
    for (contact, kind) in [
        (json!(["tel:+491234"]), "unsupportedContact"),
        (json!(["https://example.test/"]), "unsupportedContact"),
        (json!(["mailto:a@example.test?subject=x"]), "invalidContact"),
        (json!(["mailto:a@example.test,b@example.test"]), "invalidContact"),
        (json!(["mailto:nobody"]), "invalidContact"),
        (json!(["mailto:"]), "invalidContact"),
        (json!("mailto:a@example.test"), "malformed"),
        (json!([7]), "malformed"),
        (json!(vec!["mailto:a@example.test"; 17]), "invalidContact"),
    ] {
        client.post_jwk(&new_account, &with(contact)).await.refused(400, kind);
    }
    let made = client.post_jwk(&new_account, &with(json!(["mailto:a@example.test"]))).await.expect(201);
    assert_eq!(made.json()["contact"], json!(["mailto:a@example.test"]));

    client.kid = made.location();
    let account = client.kid.clone();
    let changed = client.post(&account, &json!({ "contact": ["mailto:b@example.test"] })).await.expect(200);
    assert_eq!(changed.json()["contact"], json!(["mailto:b@example.test"]));
    // An update that is refused changes nothing, not even its good half.
    let half = json!({ "contact": ["mailto:c@example.test"], "status": "revoked" });
    client.post(&account, &half).await.refused(400, "malformed");
    assert_eq!(client.read(&account).await.expect(200).json()["contact"], json!(["mailto:b@example.test"]));
}

// §7.3.6
#[tokio::test]
async fn a_deactivated_account_is_dead() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let (account, new_account, new_order) =
        (client.kid.clone(), client.url("newAccount"), client.url("newOrder"));
    let gone = client.post(&account, &json!({ "status": "deactivated" })).await.expect(200);
    assert_eq!(gone.json()["status"], "deactivated");
    client.read(&account).await.refused(401, "unauthorized");
    client.post(&account, &json!({ "status": "valid" })).await.refused(401, "unauthorized");
    client.post(&new_order, &json!({})).await.refused(401, "unauthorized");
    client
        .post_jwk(&new_account, &json!({ "termsOfServiceAgreed": true }))
        .await
        .refused(401, "unauthorized");
    client.post_jwk(&new_account, &json!({ "onlyReturnExisting": true })).await.refused(401, "unauthorized");
}

#[tokio::test]
async fn another_account_s_resources_are_out_of_reach() {
    let service = start(AcmeOptions::default()).await;
    let mut alice = Client::registered(&service).await;
    let mut mallory = Client::registered(&service).await;
    let mailbox = open(&service, "alice@example.test");
    let order = alice.order(&mailbox, None).await;
    let challenge = alice.challenge(&order, "email-token-00").await;
    let token = alice.token(&mailbox, &order).await;
    let key = crate::client::key(KeySpec::Sm2);
    let csr = crate::client::csr(&mailbox, aecm_core::suite::Purpose::Sign, &key).await;

    for url in [&order.url, &order.authorization, &challenge["url"].as_str().unwrap().to_owned()] {
        mallory.read(url).await.refused(404, "malformed");
    }
    for url in [alice.kid.clone(), format!("{}/orders", alice.kid)] {
        mallory.read(&url).await.refused(403, "unauthorized");
    }
    mallory.post(&alice.kid, &json!({ "status": "deactivated" })).await.refused(403, "unauthorized");
    // Even the right token is worth nothing in the wrong hands.
    mallory
        .post(challenge["url"].as_str().unwrap(), &json!({ "token": token }))
        .await
        .refused(404, "malformed");
    mallory.post(challenge["url"].as_str().unwrap(), &json!({})).await.refused(404, "malformed");
    mallory.post(&order.authorization, &json!({ "status": "deactivated" })).await.refused(404, "malformed");
    mallory.finalize(&order, &csr, Some(&token)).await.refused(404, "malformed");

    let issued = alice.finalize(&order, &csr, Some(&token)).await.expect(200).json();
    mallory.read(issued["certificate"].as_str().unwrap()).await.refused(404, "malformed");
    // Nor does Alice's proof serve another account.
    let other = mallory.order(&mailbox, None).await;
    assert_eq!(other.body["status"], "pending");
}

// §7.3.5
#[tokio::test]
async fn the_account_moves_to_a_new_key() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let mut other = Client::registered(&service).await;
    let url = client.url("keyChange");
    let new_key = signer(KeySpec::P256);
    let inner =
        |account: String, old_key: serde_json::Value| json!({ "account": account, "oldKey": old_key });
    let new_jwk: serde_json::Value = serde_json::from_str(
        &aecm_acme::jws::Jwk::from_public_key(new_key.public_key()).unwrap().canonical(),
    )
    .unwrap();
    let good = json!({ "alg": "ES256", "jwk": new_jwk, "url": url });
    let payload = inner(client.kid.clone(), client.jwk());

    let mut wrong_url = good.clone();
    wrong_url["url"] = json!(client.kid);
    let mut with_nonce = good.clone();
    with_nonce["nonce"] = json!("AAAA");
    let cases = [
        (wrong_url, payload.clone()),
        (with_nonce, payload.clone()),
        (good.clone(), inner(other.kid.clone(), client.jwk())),
        (good.clone(), inner(client.kid.clone(), other.jwk())),
        (good.clone(), json!({ "account": client.kid })),
    ];
    for (header, payload) in cases {
        let body = jws_by(new_key.as_ref(), &header, payload.to_string().as_bytes()).await;
        let refused = client.post_bytes(&url, &body).await;
        assert!((400..500).contains(&refused.problem().0), "{header} {payload}");
    }
    // Not signed by the key it names.
    let body = jws_by(other.key.as_ref(), &good, payload.to_string().as_bytes()).await;
    client.post_bytes(&url, &body).await.refused(401, "unauthorized");
    client.post(&url, &json!({})).await.refused(400, "malformed");
    // The key of another account.
    let taken = json!({ "alg": "ES256", "jwk": other.jwk(), "url": url });
    let body = jws_by(other.key.as_ref(), &taken, payload.to_string().as_bytes()).await;
    let conflict = client.post_bytes(&url, &body).await.expect(409);
    assert_eq!(conflict.location(), other.kid);

    let body = jws_by(new_key.as_ref(), &good, payload.to_string().as_bytes()).await;
    client.post_bytes(&url, &body).await.expect(200);
    let account = client.kid.clone();
    client.read(&account).await.refused(401, "unauthorized");
    client.key = new_key;
    assert_eq!(client.read(&account).await.expect(200).json()["key"], new_jwk);
    assert_eq!(other.read(&other.kid.clone()).await.expect(200).json()["status"], "valid");
}
