//! npm `acme-client` 5.4 against aecm-service: what it does, and which problems it is told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::collections::BTreeMap;

use aecm_interop::tools::{Desk, driver, prepared};
use aecm_interop::world::{ALICE, World};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn acme_client_keeps_an_account_and_reads_our_problems() {
    let world = World::start().await;
    let desk = Desk::new();
    let tls_ca = desk.put("tls.pem", world.service.tls_ca_pem()).display().to_string();
    let directory = world.service.directory_url();
    let said = tokio::task::spawn_blocking(move || {
        let (script, modules) = (driver("acme-client.mjs"), prepared("AECM_NODE_PATH"));
        let environment = [("NODE_EXTRA_CA_CERTS", tls_ca.as_str()), ("AECM_NODE_PATH", &modules)];
        desk.run_with("node", &[script.as_str(), &directory, ALICE], &environment).expect_ok("acme-client")
    })
    .await
    .unwrap();
    let lines: BTreeMap<String, Value> = said
        .text()
        .lines()
        .map(|line| {
            let value: Value = serde_json::from_str(line).unwrap();
            (value["step"].as_str().unwrap().to_owned(), value)
        })
        .collect();

    for kind in ["ec", "rsa"] {
        let step = |name: &str| {
            lines.get(&format!("{kind} {name}")).unwrap_or_else(|| panic!("{kind} {name}: {lines:?}"))
        };
        assert!(step("terms")["url"].as_str().unwrap().ends_with("/acme/terms"));
        let account = step("account");
        assert_eq!(
            (&account["status"], &account["contact"]),
            (&json!("valid"), &json!(["mailto:one@example.test"]))
        );
        assert_eq!(step("update")["contact"], json!(["mailto:two@example.test"]));
        assert_eq!(step("found again")["url"], account["url"]);
        let order = step("order");
        assert_eq!(order["status"], "pending");
        assert_eq!(order["identifiers"], json!([{ "type": "email", "value": ALICE }]));
        let authorization = step("authorization");
        assert_eq!(authorization["status"], "pending");
        assert!(authorization["challenges"].as_array().unwrap().contains(&json!("email-reply-00")));
        assert_eq!(step("deactivated")["status"], "deactivated");

        for (name, word, status) in [
            ("without agreement", "userActionRequired", 403),
            ("bad contact", "unsupportedContact", 400),
            ("dns order", "unsupportedIdentifier", 400),
            ("wildcard order", "rejectedIdentifier", 400),
            ("unknown profile", "invalidProfile", 400),
            ("finalize too early", "orderNotReady", 403),
            ("order of another", "malformed", 404),
            ("after deactivation", "unauthorized", 401),
        ] {
            let answer = step(name);
            assert_eq!(answer["refused"], true, "{kind} {name}: {answer}");
            assert_eq!(
                answer["type"],
                format!("urn:ietf:params:acme:error:{word}"),
                "{kind} {name}: {answer}"
            );
            assert_eq!(answer["status"], status, "{kind} {name}: {answer}");
            // It shows the detail to its user, so there has to be one.
            assert!(answer["message"].as_str().unwrap().len() > 15, "{kind} {name}: {answer}");
        }
    }
    assert_eq!(lines["ec key change"]["contact"], json!(["mailto:three@example.test"]));
    assert_eq!(lines["ec old key"]["type"], "urn:ietf:params:acme:error:accountDoesNotExist");
}
