//! External account binding (RFC 8555 §7.3.4) and what bound accounts may order.

use aecm_acme::jws::{encode, signing_input};
use aecm_core::certificate::Certificate;
use aecm_core::oid;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_service::{AcmeOptions, ExternalAccount, ExternalSubject};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use crate::client::{Client, Reply, csr, key, open, start};

const KEY: &[u8] = b"mac-key-of-24-octets-!!!";

fn options() -> AcmeOptions {
    let mut options = AcmeOptions::default();
    let subjects = [
        (
            "sponsor",
            ExternalSubject::sponsored("Acme 公司", "NTRUS+CA-12345", "Aiko", "Ito").in_country("US"),
        ),
        ("organization", ExternalSubject::organization("Acme", "VATDE-123456789")),
        ("individual", ExternalSubject::individual("Aiko", "Ito")),
        ("nothing", ExternalSubject::default()),
    ];
    for (kid, subject) in subjects {
        options
            .external_accounts
            .insert(kid.to_owned(), ExternalAccount::new(&encode(KEY), subject).unwrap());
    }
    options
}

fn mac(algorithm: &str, key: &[u8], input: &[u8]) -> Vec<u8> {
    macro_rules! tag {
        ($hash:ty) => {{
            let mut mac = <Hmac<$hash>>::new_from_slice(key).unwrap();
            mac.update(input);
            mac.finalize().into_bytes().to_vec()
        }};
    }
    match algorithm {
        "HS384" => tag!(sha2::Sha384),
        "HS512" => tag!(sha2::Sha512),
        _ => tag!(sha2::Sha256),
    }
}

fn binding(header: &Value, payload: &Value, key: &[u8]) -> Value {
    let (protected, payload) =
        (encode(header.to_string().as_bytes()), encode(payload.to_string().as_bytes()));
    let tag = mac(header["alg"].as_str().unwrap_or_default(), key, &signing_input(&protected, &payload));
    json!({ "protected": protected, "payload": payload, "signature": encode(&tag) })
}

async fn register(client: &mut Client, binding: &Value) -> Reply {
    let url = client.url("newAccount");
    let payload = json!({ "termsOfServiceAgreed": true, "externalAccountBinding": binding });
    let reply = client.post_jwk(&url, &payload).await;
    if reply.status() == 201 {
        client.kid = reply.location();
    }
    reply
}

fn header(client: &Client, kid: &str) -> Value {
    json!({ "alg": "HS256", "kid": kid, "url": client.url("newAccount") })
}

pub async fn bound(service: &aecm_service::Service, kid: &str) -> Client {
    let mut client = Client::new(service).await;
    let binding = binding(&header(&client, kid), &client.jwk(), KEY);
    register(&mut client, &binding).await.expect(201);
    client
}

#[tokio::test]
async fn accounts_are_bound_with_each_mac() {
    let service = start(options()).await;
    for algorithm in ["HS256", "HS384", "HS512"] {
        let mut client = Client::new(&service).await;
        let mut header = header(&client, "sponsor");
        header["alg"] = json!(algorithm);
        let binding = binding(&header, &client.jwk(), KEY);
        register(&mut client, &binding).await.expect(201);
        let alice = open(&service, "alice@example.test");
        client.order_reply(&alice, Some("sm2-sign-sv")).await.expect(201);
    }
    // Where it is not required, an account may do without.
    Client::registered(&service).await;
    // The client's own binding is one of these.
    let mut client = Client::new(&service).await;
    let jwk = aecm_acme::jws::Jwk::from_public_key(client.key.public_key()).unwrap();
    let account = aecm_acme::jws::ExternalAccount::new("sponsor", &encode(KEY)).unwrap();
    let bound = serde_json::to_value(account.bind(&jwk, &client.url("newAccount"))).unwrap();
    register(&mut client, &bound).await.expect(201);
}

#[tokio::test]
async fn a_required_binding_is_required() {
    let mut options = options();
    options.external_account_required = true;
    let service = start(options).await;
    let mut client = Client::new(&service).await;
    assert_eq!(client.directory["meta"]["externalAccountRequired"], true);
    client.register().await.refused(403, "externalAccountRequired");
    let binding = binding(&header(&client, "nothing"), &client.jwk(), KEY);
    register(&mut client, &binding).await.expect(201);
    // Who is there already is let in by the key.
    client.register().await.expect(200);
}

// §7.3.4, rule by rule: each binding is wrong in one thing.
#[tokio::test]
async fn bindings_that_break_a_rule_are_refused() {
    let service = start(options()).await;
    let mut client = Client::new(&service).await;
    let (good, jwk) = (header(&client, "sponsor"), client.jwk());
    let with = |member: &str, value: Value| {
        let mut header = good.clone();
        header[member] = value;
        header
    };
    let without = |member: &str| {
        let mut header = good.clone();
        header.as_object_mut().unwrap().remove(member);
        header
    };
    let other = Client::new(&service).await.jwk();
    let cases = [
        ("alg none", binding(&with("alg", json!("none")), &jwk, KEY), 400, "badSignatureAlgorithm"),
        ("alg ES256", binding(&with("alg", json!("ES256")), &jwk, KEY), 400, "badSignatureAlgorithm"),
        ("no alg", binding(&without("alg"), &jwk, KEY), 400, "malformed"),
        ("no kid", binding(&without("kid"), &jwk, KEY), 400, "malformed"),
        ("no url", binding(&without("url"), &jwk, KEY), 400, "malformed"),
        ("a nonce", binding(&with("nonce", json!("AAAA")), &jwk, KEY), 400, "malformed"),
        ("a jwk", binding(&with("jwk", jwk.clone()), &jwk, KEY), 400, "malformed"),
        (
            "another url",
            binding(&with("url", json!("https://elsewhere.test/")), &jwk, KEY),
            403,
            "unauthorized",
        ),
        ("unknown kid", binding(&with("kid", json!("stranger")), &jwk, KEY), 403, "unauthorized"),
        ("another key", binding(&good, &jwk, b"another-key-of-24-octets"), 403, "unauthorized"),
        ("no key", binding(&good, &jwk, b""), 403, "unauthorized"),
        ("another account", binding(&good, &other, KEY), 403, "unauthorized"),
        ("no JWK", binding(&good, &json!({ "kty": "EC" }), KEY), 400, "malformed"),
        ("text", binding(&good, &json!("jwk"), KEY), 400, "malformed"),
        ("no JWS", json!({}), 400, "malformed"),
        ("null", Value::Null, 400, "malformed"),
        ("text", json!("JWS"), 400, "malformed"),
    ];
    for (what, binding, status, kind) in cases {
        let refused = register(&mut client, &binding).await;
        assert_eq!(refused.problem(), (status, kind.to_owned()), "{what}: {}", refused.text());
    }
    let whole = binding(&good, &jwk, KEY);
    // A MAC of another algorithm, cut, empty, not base64url; more members; an unprotected header.
    let cut = &whole["signature"].as_str().unwrap()[..40];
    for (member, value, status) in [
        ("signature", json!(cut), 403),
        ("signature", json!(""), 403),
        ("signature", json!("!"), 400),
        ("protected", json!("!"), 400),
        ("payload", json!("!"), 403),
        ("header", json!({}), 400),
    ] {
        let mut changed = whole.clone();
        changed[member] = value;
        let refused = register(&mut client, &changed).await;
        assert_eq!(refused.status(), status, "{member}: {}", refused.text());
    }
    let mut mixed = whole.clone();
    let tag = mac(
        "HS512",
        KEY,
        &signing_input(whole["protected"].as_str().unwrap(), whole["payload"].as_str().unwrap()),
    );
    mixed["signature"] = json!(encode(&tag[..32]));
    register(&mut client, &mixed).await.refused(403, "unauthorized");
    // Nothing of it made an account.
    let url = client.url("newAccount");
    client.post_jwk(&url, &json!({ "onlyReturnExisting": true })).await.refused(400, "accountDoesNotExist");
    register(&mut client, &whole).await.expect(201);
}

async fn issue(
    client: &mut Client,
    mailbox: &aecm_core::mailbox::Mailbox,
    profile: &str,
    spec: KeySpec,
) -> Certificate {
    let order = client.order(mailbox, Some(profile)).await;
    let token = match order.body["status"].as_str() {
        Some("pending") => Some(client.token(mailbox, &order).await),
        _ => None,
    };
    let request = csr(mailbox, Purpose::Sign, &key(spec)).await;
    let issued = client.finalize(&order, &request, token.as_deref()).await.expect(200).json();
    let chain = client.read(issued["certificate"].as_str().unwrap()).await.expect(200);
    Certificate::all_from_pem(chain.text()).unwrap().remove(0)
}

// S/MIME BR §7.1.4.2: which subject attributes each level has, and its policy.
#[tokio::test]
async fn each_level_has_its_subject_and_policy() {
    let service = start(options()).await;
    let alice = open(&service, "alice@example.test");
    let mut client = bound(&service, "sponsor").await;
    let cases = [
        ("mv", "CN=alice@example.test", oid::SMIME_MAILBOX_STRICT, "1.3.6.1.4.1.32473.1.1"),
        ("iv", "C=US, GN=Aiko, SN=Ito, CN=Aiko Ito", oid::SMIME_INDIVIDUAL_STRICT, "1.3.6.1.4.1.32473.1.6"),
        (
            "ov",
            "C=US, O=Acme 公司, organizationIdentifier=NTRUS+CA-12345, CN=Acme 公司",
            oid::SMIME_ORGANIZATION_STRICT,
            "1.3.6.1.4.1.32473.1.4",
        ),
        (
            "sv",
            "C=US, O=Acme 公司, organizationIdentifier=NTRUS+CA-12345, GN=Aiko, SN=Ito, CN=Aiko Ito",
            oid::SMIME_SPONSOR_STRICT,
            "1.3.6.1.4.1.32473.1.5",
        ),
    ];
    for (level, subject, classic, sm2) in cases {
        for (suite, spec) in [(Suite::Classic, KeySpec::P256), (Suite::Sm2, KeySpec::Sm2)] {
            let leaf = issue(&mut client, &alice, &format!("{suite}-sign-{level}"), spec).await;
            let text = leaf.subject_text().replace("\\+", "+");
            let mut found: Vec<&str> = text.split(',').map(str::trim).collect();
            let mut wanted: Vec<&str> = subject.split(", ").collect();
            found.sort_unstable();
            wanted.sort_unstable();
            assert_eq!(found, wanted, "{suite} {level}: {text}");
            let policy = if suite == Suite::Classic { classic.to_string() } else { sm2.to_owned() };
            let policies: Vec<String> = leaf.policy_oids().iter().map(ToString::to_string).collect();
            assert_eq!(policies, [policy], "exactly one");
            assert!(leaf.san_mailboxes()[0].matches(&alice), "every level names the mailbox");
        }
    }
}

#[tokio::test]
async fn levels_are_for_those_who_were_checked_for_them() {
    let service = start(options()).await;
    let alice = open(&service, "alice@example.test");
    let permitted = [
        ("sponsor", vec!["iv", "ov", "sv"]),
        ("organization", vec!["ov"]),
        ("individual", vec!["iv"]),
        ("nothing", vec![]),
    ];
    for (kid, permitted) in permitted {
        let mut client = bound(&service, kid).await;
        for level in ["iv", "ov", "sv"] {
            for suite in ["sm2", "classic"] {
                let reply = client.order_reply(&alice, Some(&format!("{suite}-sign-{level}"))).await;
                if permitted.contains(&level) {
                    reply.expect(201);
                } else {
                    let refused = reply.refused(403, "unauthorized");
                    assert!(refused.text().contains("not checked"), "{}", refused.text());
                }
            }
        }
        client.order_reply(&alice, Some("sm2-sign-mv")).await.expect(201);
    }
    let mut unbound = Client::registered(&service).await;
    let refused = unbound.order_reply(&alice, Some("sm2-sign-iv")).await.refused(403, "unauthorized");
    assert!(refused.text().contains("externalAccountBinding"), "{}", refused.text());
    for profile in ["sm2-encrypt-sv", "sm2-timestamp-iv", "sm2-sign-ev"] {
        unbound.order_reply(&alice, Some(profile)).await.refused(400, "invalidProfile");
    }
    let profiles = unbound.directory["meta"]["profiles"].as_object().unwrap().clone();
    assert_eq!(profiles.len(), 12);
    // Not offered where nobody was checked.
    let plain = start(AcmeOptions::default()).await;
    let client = Client::new(&plain).await;
    assert_eq!(client.directory["meta"]["profiles"].as_object().unwrap().len(), 6);
    assert!(plain.ready().get("eab").is_none());
    let ready = service.ready();
    assert_eq!(ready["eab"]["individual"], json!(["mv", "iv"]));
    assert!(!ready.to_string().contains(&encode(KEY)));
}
