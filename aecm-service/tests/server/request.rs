//! RFC 8555 §6: nonces, methods, media types, the JWS and its header.

use aecm_acme::jws::encode;
use aecm_core::embed::Method;
use aecm_service::AcmeOptions;
use serde_json::json;

use crate::client::{Client, flattened, start};

// N1: a nonce works once; the refusal carries a fresh one, and that one works.
#[tokio::test]
async fn n1_nonces_are_single_use_and_refusals_bring_a_fresh_one() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let account = client.kid.clone();
    let spent = client.nonce().await;
    client.nonce = Some(spent.clone());
    client.read(&account).await.expect(200);

    client.nonce = Some(spent);
    let refused = client.read(&account).await.refused(400, "badNonce");
    let fresh = refused.header("replay-nonce").expect("a fresh nonce").to_owned();
    client.nonce = Some(fresh.clone());
    client.read(&account).await.expect(200);

    for invented in ["AAAAAAAAAAAAAAAAAAAAAA", "x"] {
        client.nonce = Some(invented.to_owned());
        let refused = client.read(&account).await.refused(400, "badNonce");
        assert!(refused.header("replay-nonce").is_some_and(|nonce| nonce != invented));
    }
}

// N1: a nonce is spent by a request that is refused for another reason, too.
#[tokio::test]
async fn n1_a_refused_request_spends_its_nonce() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let account = client.kid.clone();
    let nonce = client.nonce().await;
    client.nonce = Some(nonce.clone());
    let header =
        json!({ "alg": "ES256", "kid": account, "nonce": nonce, "url": "https://127.0.0.1/elsewhere" });
    let body = client.jws(&header, b"").await;
    client.send(&account, body).await.refused(403, "unauthorized");
    client.nonce = Some(nonce);
    client.read(&account).await.refused(400, "badNonce");
}

#[tokio::test]
async fn new_nonce_answers_head_and_get() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let url = client.url("newNonce");
    let head = client.raw(Method::Head, &url, None, Vec::new()).await.expect(200);
    let get = client.get(&url).await.expect(204);
    let nonces = [&head, &get].map(|reply| reply.header("replay-nonce").unwrap().to_owned());
    assert_ne!(nonces[0], nonces[1]);
    for reply in [&head, &get] {
        assert_eq!(reply.header("cache-control"), Some("no-store"));
        let index = format!("<{}>;rel=\"index\"", client.directory_url);
        assert!(reply.links().contains(&index.as_str()), "RFC 8555 §7.1: {:?}", reply.links());
    }
}

// §6.3: resources are read with POST-as-GET, and with nothing else.
#[tokio::test]
async fn resources_do_not_answer_get_nor_payloads_where_none_belong() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let mailbox = crate::client::open(&service, "alice@example.test");
    let order = client.order(&mailbox, None).await;
    for url in
        [&client.kid.clone(), &order.url, &order.authorization, &order.finalize, &client.url("newOrder")]
    {
        let refused = client.get(url).await.refused(405, "malformed");
        assert_eq!(refused.header("allow"), Some("POST"));
    }
    client.post(&order.url, &json!({})).await.refused(400, "malformed");
    let orders = format!("{}/orders", client.kid);
    client.post(&orders, &json!({})).await.refused(400, "malformed");
    let list = client.read(&orders).await.expect(200).json();
    assert_eq!(list["orders"], json!([order.url]));
    // The directory is the other way round.
    let directory = client.directory_url.clone();
    client.read(&directory).await.refused(404, "malformed");
}

#[tokio::test]
async fn the_media_type_is_that_of_a_jws() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let account = client.kid.clone();
    for content_type in [None, Some("application/json"), Some("text/plain"), Some("application/jose")] {
        let header = json!({ "alg": "ES256", "kid": account, "nonce": client.nonce().await, "url": account });
        let body = client.jws(&header, b"").await;
        let refused = client.raw(Method::Post, &account, content_type, body).await;
        assert!(refused.header("replay-nonce").is_some());
        refused.refused(415, "malformed");
    }
}

// §6.4: the URL in the header is the one the request went to.
#[tokio::test]
async fn the_url_in_the_header_is_the_one_that_was_asked() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let account = client.kid.clone();
    for wrong in
        [client.url("newOrder"), format!("{account}/"), account.replace("https", "http"), String::new()]
    {
        let header = json!({ "alg": "ES256", "kid": account, "nonce": client.nonce().await, "url": wrong });
        let body = client.jws(&header, b"").await;
        client.send(&account, body).await.refused(403, "unauthorized");
    }
    let header = json!({ "alg": "ES256", "kid": account, "nonce": client.nonce().await });
    let body = client.jws(&header, b"").await;
    client.send(&account, body).await.refused(400, "malformed");
}

// §6.2: newAccount wants the key, everything else the account; never both, never neither.
#[tokio::test]
async fn the_key_is_named_as_the_resource_wants_it() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let (account, new_account, new_order) =
        (client.kid.clone(), client.url("newAccount"), client.url("newOrder"));
    client.post(&new_account, &json!({ "termsOfServiceAgreed": true })).await.refused(400, "malformed");
    client.post_jwk(&new_order, &json!({ "identifiers": [] })).await.refused(400, "malformed");

    let both = json!({
        "alg": "ES256", "kid": account, "jwk": client.jwk(), "nonce": client.nonce().await, "url": account
    });
    let body = client.jws(&both, b"").await;
    client.send(&account, body).await.refused(400, "malformed");
    let neither = json!({ "alg": "ES256", "nonce": client.nonce().await, "url": account });
    let body = client.jws(&neither, b"").await;
    client.send(&account, body).await.refused(400, "malformed");

    client.kid = format!("{account}x");
    client.read(&account).await.refused(400, "accountDoesNotExist");
    client.kid = "https://elsewhere.example/acme/account/1".to_owned();
    client.read(&account).await.refused(400, "accountDoesNotExist");
}

// N12: the name of an algorithm in a message never chooses a weaker check.
#[tokio::test]
async fn n12_other_algorithms_are_refused_by_name() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let account = client.kid.clone();
    for (algorithm, signature) in
        [("none", &[][..]), ("HS256", &[7; 32]), ("ES384", &[7; 96]), ("SM2", &[7; 64])]
    {
        let header =
            json!({ "alg": algorithm, "kid": account, "nonce": client.nonce().await, "url": account });
        let body = flattened(&encode(header.to_string().as_bytes()), "", signature);
        let refused = client.send(&account, body).await.refused(400, "badSignatureAlgorithm");
        let offered = refused.json()["algorithms"].clone();
        assert!(offered.as_array().unwrap().contains(&json!("ES256")), "RFC 8555 §6.2: {offered}");
    }
    // RS256 is a good name, but not with this key.
    let header = json!({ "alg": "RS256", "kid": account, "nonce": client.nonce().await, "url": account });
    let body = flattened(&encode(header.to_string().as_bytes()), "", &[7; 256]);
    client.send(&account, body).await.refused(400, "badPublicKey");
}

#[tokio::test]
async fn a_signature_that_does_not_verify_is_refused() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let account = client.kid.clone();
    let own = std::mem::replace(&mut client.key, crate::client::signer(aecm_core::software::KeySpec::P256));
    client.read(&account).await.refused(401, "unauthorized");
    client.key = own;

    // A payload exchanged under a good signature.
    let header = json!({ "alg": "ES256", "kid": account, "nonce": client.nonce().await, "url": account });
    let mut jws: serde_json::Value = serde_json::from_slice(&client.jws(&header, b"").await).unwrap();
    jws["payload"] = json!(encode(br#"{"status":"deactivated"}"#));
    client.send(&account, jws.to_string().into_bytes()).await.refused(401, "unauthorized");
    assert_eq!(client.read(&account).await.expect(200).json()["status"], "valid");
}

// §6.2: one flattened JWS and nothing else.
#[tokio::test]
async fn other_serialisations_are_malformed() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let account = client.kid.clone();
    let header = json!({ "alg": "ES256", "kid": account, "nonce": client.nonce().await, "url": account });
    let good: serde_json::Value = serde_json::from_slice(&client.jws(&header, b"").await).unwrap();
    let text = |member: &str| good[member].as_str().unwrap().to_owned();
    let compact = format!("{}.{}.{}", text("protected"), text("payload"), text("signature"));
    let general = json!({
        "payload": text("payload"),
        "signatures": [{ "protected": text("protected"), "signature": text("signature") }]
    });
    let mut unprotected = good.clone();
    unprotected["header"] = json!({ "kid": account });
    let mut padded = good.clone();
    padded["signature"] = json!(format!("{}==", text("signature")));
    for body in [
        Vec::new(),
        b"null".to_vec(),
        b"[]".to_vec(),
        compact.into_bytes(),
        general.to_string().into_bytes(),
        unprotected.to_string().into_bytes(),
        padded.to_string().into_bytes(),
        vec![b'['; 10_000],
    ] {
        client.send(&account, body).await.refused(400, "malformed");
    }
    let crit = json!({
        "alg": "ES256", "kid": account, "nonce": client.nonce().await, "url": account, "crit": ["b64"], "b64": false
    });
    let body = client.jws(&crit, b"").await;
    client.send(&account, body).await.refused(400, "malformed");
    // §6.5.1: a nonce that is no base64url makes the JWS malformed; a missing one is a bad nonce.
    let nonce = json!({ "alg": "ES256", "kid": account, "nonce": "not base64url!", "url": account });
    let body = client.jws(&nonce, b"").await;
    client.send(&account, body).await.refused(400, "malformed");
    let none = json!({ "alg": "ES256", "kid": account, "url": account });
    let body = client.jws(&none, b"").await;
    client.send(&account, body).await.refused(400, "badNonce");
}

#[tokio::test]
async fn payloads_that_are_no_objects_are_malformed() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let new_order = client.url("newOrder");
    for payload in [&b"[]"[..], b"null", b"\"{}\"", b"{", b"", b"\xff"] {
        client.post_bytes(&new_order, payload).await.refused(400, "malformed");
    }
}

#[tokio::test]
async fn unknown_paths_are_not_found() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let base = client.directory_url.strip_suffix("directory").unwrap().to_owned();
    for path in ["", "nothing", "order", "order/x", "certificate/x", "a/b/c/d", "account/x/y"] {
        client.read(&format!("{base}{path}")).await.refused(404, "malformed");
    }
    client.get(&base.replace("/acme/", "/other")).await.expect(404);
}
