//! Keys that no CA certifies: known to be weak, or used for something else.

use aecm_acme::csr::{CertificateRequest, Template};
use aecm_acme::jws::encode;
use aecm_core::limits::Limits;
use aecm_core::signature::Sm2Id;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_service::AcmeOptions;
use serde_json::json;

use crate::client::{Client, csr, key, open, start};
use crate::relay::Device;

// BR §6.1.1.3: the requests are OpenSSL's, and nothing is wrong with them but the key.
#[tokio::test]
async fn weak_rsa_keys_are_refused() {
    let service = start(AcmeOptions::default()).await;
    let mut client = Client::registered(&service).await;
    let alice = open(&service, "alice@example.test");
    let first = client.order(&alice, Some("classic-sign-mv")).await;
    let token = client.token(&alice, &first).await;
    let good = csr(&alice, Purpose::Sign, &key(KeySpec::Rsa(2_048))).await;
    client.finalize(&first, &good, Some(&token)).await.expect(200);
    let order = client.order(&alice, Some("classic-sign-mv")).await;
    for (request, why) in [
        (&include_bytes!("../vectors/weak-keys/e3.csr")[..], "exponent"),
        (include_bytes!("../vectors/weak-keys/e17.csr"), "exponent"),
        (include_bytes!("../vectors/weak-keys/factor.csr"), "small factor"),
        (include_bytes!("../vectors/weak-keys/roca.csr"), "ROCA"),
    ] {
        CertificateRequest::parse(request, &Limits::default()).unwrap().verify(Sm2Id::Default).unwrap();
        let refused = client.finalize(&order, request, None).await.refused(400, "badPublicKey");
        assert!(refused.text().contains(why), "{}", refused.text());
    }
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "ready");
    client.finalize(&order, include_bytes!("../vectors/rsa2048.csr.der"), None).await.expect(200);
}

// K8: a key has one use; the order of the uses does not matter.
#[tokio::test]
async fn a_key_of_one_use_is_refused_for_another() {
    let service = start(AcmeOptions::default()).await;
    let alice = open(&service, "alice@example.test");
    let mut device = Device::new(&service, &alice).await;
    for (first, second) in [
        (Purpose::Sign, Purpose::Encrypt),
        (Purpose::Encrypt, Purpose::Sign),
        (Purpose::Encrypt, Purpose::Timestamp),
        (Purpose::Timestamp, Purpose::Sign),
    ] {
        let used = key(if first == Purpose::Encrypt { KeySpec::Rsa(2_048) } else { KeySpec::P256 });
        let chain = device.client.issue(&alice, Suite::Classic, first, &used).await;
        let order = device.client.order(&alice, Some(&format!("classic-{}-mv", second.word()))).await;
        let request = csr(&alice, second, &used).await;
        device.client.finalize(&order, &request, None).await.refused(400, "badPublicKey");
        // Nor for the account, new or moved.
        if first != Purpose::Encrypt {
            let mut other = Client::new(&service).await;
            other.key = std::sync::Arc::new(used.into_signer(std::sync::Arc::new(aecm_core::embed::OsRng)));
            other.register().await.refused(400, "badPublicKey");
        }
        let revoke = json!({ "certificate": encode(chain[0].as_der()) });
        let url = device.client.url("revokeCert");
        device.client.post(&url, &revoke).await.expect(200);
    }
    // A transport key is certified for nothing, and a certified key carries no transfer.
    device.ask().await;
    let transport = device.transport.clone();
    let order = device.client.order(&alice, Some("sm2-encrypt-mv")).await;
    let request = Template::new(&alice, Purpose::Encrypt)
        .prove(&transport.into_decryptor(std::sync::Arc::new(aecm_core::embed::OsRng)))
        .await
        .unwrap();
    device.client.finalize(&order, &request, None).await.refused(400, "badPublicKey");
    let shared = key(KeySpec::Sm2);
    device.encrypting(&shared).await;
    let mut text = device.text();
    text["transportKey"] = json!(encode(shared.public_key().spki_der()));
    device.ask_with(&text).await.refused(400, "malformed");
}
