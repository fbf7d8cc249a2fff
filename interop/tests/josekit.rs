//! josekit 0.10 (JOSE over OpenSSL) reads what our client signs, and our server reads what josekit signs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm::Plan;
use aecm_acme::jws::{self, Jwk as OurJwk, KeyReference, Protected, Unverified};
use aecm_acme::wire::{Directory, ProblemType};
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Http, HttpRequest, HttpResponse, Method};
use aecm_core::limits::Limits;
use aecm_interop::world::{Exchange, World};
use josekit::jwk::Jwk;
use josekit::jwk::alg::ec::EcCurve;
use josekit::jws::{
    ES256, JwsHeader, JwsHeaderSet, JwsSigner, JwsVerifier, RS256, deserialize_json, serialize_flattened_json,
};
use serde_json::{Value, json};

fn body(exchange: &Exchange) -> String {
    String::from_utf8(exchange.request.body.clone()).unwrap()
}

/// The key inside the header of a newAccount, as josekit reads it.
fn account_key(exchange: &Exchange) -> Jwk {
    let jws: Value = serde_json::from_slice(&exchange.request.body).unwrap();
    let header = jws::decode(jws["protected"].as_str().unwrap()).unwrap();
    let header: Value = serde_json::from_slice(&header).unwrap();
    Jwk::from_map(header["jwk"].as_object().unwrap().clone()).unwrap()
}

fn text<'a>(header: &'a JwsHeader, name: &str) -> Option<&'a str> {
    header.claim(name).and_then(Value::as_str)
}

/// Every request of a whole provisioning: the account's with its key, all others with its URL.
#[tokio::test(flavor = "multi_thread")]
async fn josekit_verifies_every_request_of_our_client() {
    let world = World::start().await;
    assert_eq!(world.alice.provision(Plan::sm2()).await.unwrap().issued(), 3);
    let posts = world.http.posts();
    let account = posts.iter().find(|post| post.resource() == "new-account").unwrap();
    let account_url = account.response.header("location").unwrap();
    let key = account_key(account);
    let verifier = ES256.verifier_from_jwk(&key).unwrap();
    let mut resources = Vec::new();
    let mut nonces = std::collections::BTreeSet::new();
    for post in &posts {
        let (payload, header) = deserialize_json(body(post), &verifier).unwrap();
        assert_eq!(header.algorithm(), Some("ES256"));
        assert_eq!(header.url(), Some(post.request.url.as_str()));
        assert!(nonces.insert(text(&header, "nonce").unwrap().to_owned()), "a nonce is used once");
        let is_account = post.resource() == "new-account";
        assert_eq!(header.jwk().is_some(), is_account);
        assert_eq!(header.key_id(), (!is_account).then_some(account_url));
        assert!(header.critical().is_none());
        if post.resource() == "new-order" {
            let order: Value = serde_json::from_slice(&payload).unwrap();
            assert_eq!(order["identifiers"], json!([{ "type": "email", "value": "alice@example.test" }]));
        }
        resources.push(post.resource());

        // josekit means it: one changed payload, and another key.
        let mut jws: Value = serde_json::from_slice(&post.request.body).unwrap();
        jws["payload"] = json!(jws::encode(b"{\"other\":1}"));
        assert!(deserialize_json(jws.to_string(), &verifier).is_err());
    }
    for wanted in ["new-account", "new-order", "finalize"] {
        assert!(resources.contains(&wanted), "{wanted}: {resources:?}");
    }
    let stranger = Jwk::generate_ec_key(EcCurve::P256).unwrap();
    let stranger = ES256.verifier_from_jwk(&stranger.to_public_key().unwrap()).unwrap();
    assert!(deserialize_json(body(&posts[0]), &stranger as &dyn JwsVerifier).is_err());
}

/// RFC 7638 over the members that josekit gives, by an ordered map of our own.
fn thumbprint(jwk: &Jwk) -> String {
    let names = if jwk.key_type() == "EC" { ["crv", "kty", "x", "y"].as_slice() } else { &["e", "kty", "n"] };
    let member = |name: &&str| {
        format!(
            "{}:{}",
            json!(name),
            jwk.parameter(name).cloned().unwrap_or_else(|| {
                // josekit keeps these two apart from the parameters.
                if *name == "kty" { json!(jwk.key_type()) } else { json!(jwk.curve().unwrap()) }
            })
        )
    };
    let text = format!("{{{}}}", names.iter().map(member).collect::<Vec<_>>().join(","));
    jws::encode(&DigestAlgorithm::Sha256.digest(text.as_bytes()))
}

#[test]
fn thumbprints_agree() {
    for key in [Jwk::generate_ec_key(EcCurve::P256).unwrap(), Jwk::generate_rsa_key(2048).unwrap()] {
        let public = key.to_public_key().unwrap();
        let value: Value = Value::Object(public.as_ref().clone());
        let ours = OurJwk::from_value(&value).unwrap();
        assert_eq!(ours.thumbprint(), thumbprint(&public));
        // And back: josekit takes the JWK that we write.
        let written = serde_json::to_value(&ours).unwrap();
        let again = Jwk::from_map(written.as_object().unwrap().clone()).unwrap();
        assert_eq!(thumbprint(&again), thumbprint(&public));
        // The private key is never read as an account key.
        let private = Value::Object(key.as_ref().clone());
        assert!(OurJwk::from_value(&private).is_err());
    }
}

/// What josekit signs for a URL. `nonce` is a plain claim: josekit's own `set_nonce` encodes it once more.
fn signed(
    signer: &dyn JwsSigner,
    url: &str,
    nonce: Option<&str>,
    key: &KeyReference,
    payload: &[u8],
) -> String {
    let mut header = JwsHeaderSet::new();
    header.set_claim("url", Some(json!(url)), true).unwrap();
    if let Some(nonce) = nonce {
        header.set_claim("nonce", Some(json!(nonce)), true).unwrap();
    }
    match key {
        KeyReference::Jwk(jwk) => {
            header.set_claim("jwk", Some(serde_json::to_value(jwk).unwrap()), true).unwrap()
        }
        KeyReference::Kid(kid) => header.set_claim("kid", Some(json!(kid)), true).unwrap(),
    }
    serialize_flattened_json(payload, &header, signer).unwrap()
}

fn ours(key: &Jwk) -> OurJwk {
    OurJwk::from_value(&Value::Object(key.to_public_key().unwrap().as_ref().clone())).unwrap()
}

fn signers() -> [(OurJwk, Box<dyn JwsSigner>); 2] {
    let (ec, rsa) = (Jwk::generate_ec_key(EcCurve::P256).unwrap(), Jwk::generate_rsa_key(2048).unwrap());
    [
        (ours(&ec), Box::new(ES256.signer_from_jwk(&ec).unwrap()) as Box<dyn JwsSigner>),
        (ours(&rsa), Box::new(RS256.signer_from_jwk(&rsa).unwrap())),
    ]
}

#[test]
fn our_server_verifies_what_josekit_signs() {
    let limits = Limits::default();
    let url = "https://ca.example/acme/new-account";
    let [(_, _), (stranger, _)] = signers();
    for (jwk, signer) in signers() {
        let text = signed(
            signer.as_ref(),
            url,
            Some("oFvnlFP1wIhRlYS2jTaXbA"),
            &KeyReference::Jwk(jwk.clone()),
            b"{}",
        );
        let read = Unverified::parse(text.as_bytes(), &limits).unwrap();
        assert_eq!(read.header().url, url);
        assert_eq!(read.header().nonce.as_deref(), Some("oFvnlFP1wIhRlYS2jTaXbA"));
        let (key, payload) = read.verify_own().unwrap();
        assert_eq!((OurJwk::from_public_key(&key), payload.as_slice()), (Some(jwk.clone()), &b"{}"[..]));

        let kid = KeyReference::Kid("https://ca.example/acme/account/1".to_owned());
        let text = signed(signer.as_ref(), url, Some("MZfj3Md0"), &kid, b"");
        let read = || Unverified::parse(text.as_bytes(), &limits).unwrap();
        assert!(read().verify(&jwk.to_public_key().unwrap()).unwrap().is_empty());
        assert!(read().verify(&stranger.to_public_key().unwrap()).is_err(), "another key");
        let mut changed: Value = serde_json::from_str(&text).unwrap();
        changed["payload"] = json!("e30");
        let changed = Unverified::parse(changed.to_string().as_bytes(), &limits).unwrap();
        assert!(changed.verify(&jwk.to_public_key().unwrap()).is_err(), "another payload");
    }
}

async fn post(world: &World, url: &str, body: String) -> HttpResponse {
    let headers = vec![("Content-Type".to_owned(), "application/jose+json".to_owned())];
    let request = HttpRequest {
        method: Method::Post,
        url: url.to_owned(),
        headers,
        body: body.into_bytes(),
        max_body: 65_536,
    };
    world.http.send(request).await.unwrap()
}

fn problem(response: &HttpResponse) -> ProblemType {
    let document: Value = serde_json::from_slice(&response.body).unwrap();
    ProblemType::from_uri(document["type"].as_str().unwrap())
}

/// The running service: an account and an order by josekit; its two ways of going wrong.
#[tokio::test(flavor = "multi_thread")]
async fn our_service_takes_an_account_and_an_order_of_josekit() {
    let world = World::start().await;
    let get = |method, url: &str| HttpRequest {
        method,
        url: url.to_owned(),
        headers: Vec::new(),
        body: Vec::new(),
        max_body: 65_536,
    };
    let directory = world.http.send(get(Method::Get, &world.service.directory_url())).await.unwrap();
    let directory: Directory = serde_json::from_slice(&directory.body).unwrap();
    for (jwk, signer) in signers() {
        let nonce = world.http.send(get(Method::Head, &directory.new_nonce)).await.unwrap();
        let nonce = nonce.header("replay-nonce").unwrap().to_owned();

        // josekit's helper encodes the nonce's octets: another text, which the service never gave out.
        let mut header = JwsHeader::new();
        header.set_nonce(&nonce);
        assert_ne!(text(&header, "nonce"), Some(nonce.as_str()));

        let own = KeyReference::Jwk(jwk);
        let url = directory.new_account.as_str();
        let agreed = br#"{"termsOfServiceAgreed":true}"#;
        let twice = text(&header, "nonce").unwrap();
        let refused = post(&world, url, signed(signer.as_ref(), url, Some(twice), &own, agreed)).await;
        assert_eq!((refused.status, problem(&refused)), (400, ProblemType::BadNonce));
        let elsewhere = signed(signer.as_ref(), &directory.new_order, Some(&nonce), &own, agreed);
        let refused = post(&world, url, elsewhere).await;
        assert_eq!((refused.status, problem(&refused)), (403, ProblemType::Unauthorized));

        let nonce = refused.header("replay-nonce").unwrap();
        let made = post(&world, url, signed(signer.as_ref(), url, Some(nonce), &own, agreed)).await;
        assert_eq!(made.status, 201, "{}", String::from_utf8_lossy(&made.body));
        let kid = KeyReference::Kid(made.header("location").unwrap().to_owned());
        let order = br#"{"identifiers":[{"type":"email","value":"alice@example.test"}]}"#;
        let nonce = made.header("replay-nonce");
        let url = directory.new_order.as_str();
        let order = post(&world, url, signed(signer.as_ref(), url, nonce, &kid, order)).await;
        assert_eq!(order.status, 201, "{}", String::from_utf8_lossy(&order.body));
    }
}

/// The header that our client writes is the one that josekit would: same members, same values.
#[test]
fn headers_agree() {
    let [(jwk, signer), _] = signers();
    let url = "https://ca.example/acme/new-account";
    for key in [KeyReference::Jwk(jwk), KeyReference::Kid("https://ca.example/acme/account/1".to_owned())] {
        let ours = Protected::new(url, Some("oFvnlFP1wIhRlYS2jTaXbA"), key.clone()).encoded();
        let theirs: Value =
            serde_json::from_str(&signed(signer.as_ref(), url, Some("oFvnlFP1wIhRlYS2jTaXbA"), &key, b"{}"))
                .unwrap();
        let read = |text: &str| serde_json::from_slice::<Value>(&jws::decode(text).unwrap()).unwrap();
        assert_eq!(read(&ours), read(theirs["protected"].as_str().unwrap()));
    }
}
