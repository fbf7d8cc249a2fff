//! Row by row what the page of the command promises: members, verdicts, exit statuses.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::Bench;

#[track_caller]
fn members(page: &Value) -> BTreeSet<&str> {
    page.as_object().unwrap_or_else(|| panic!("no object: {page}")).keys().map(String::as_str).collect()
}

#[track_caller]
fn has(page: &Value, wanted: &str) {
    let found = members(page);
    for name in wanted.split_whitespace() {
        assert!(found.contains(name), "no {name} in {page}");
    }
}

#[track_caller]
fn is_pem(page: &Value) {
    assert!(page.as_str().unwrap().starts_with("-----BEGIN CERTIFICATE-----\n"), "{page}");
}

/// `serve`: the ready file, and one object at the end.
#[test]
fn the_service_says_where_it_is_and_ends_when_asked() {
    let bench = Bench::new();
    let served = bench.serve("");
    let ready = &served.ready;
    has(ready, "directory tls_ca anchors tsa dkim pid");
    assert!(ready["directory"].as_str().unwrap().starts_with("https://127.0.0.1:"), "{ready}");
    is_pem(&ready["tls_ca"]);
    for of in ["smime", "tsa", "mailbox_timestamp"] {
        for suite in ["classic", "sm2"] {
            is_pem(&ready["anchors"][of][suite]);
        }
    }
    for suite in ["classic", "sm2"] {
        assert!(ready["tsa"][suite].as_str().unwrap().starts_with("https://"), "{ready}");
    }
    let dkim = ready["dkim"].as_object().unwrap();
    assert!(dkim.iter().any(|(name, text)| {
        name.contains("._domainkey.") && text.as_str().unwrap().starts_with("v=DKIM1;")
    }));
    assert_eq!(ready["pid"], served.child.id());
    let (anchors, keys) = (ready["anchors"].clone(), ready["dkim"].clone());
    let directory = ready["directory"].clone();
    let page = served.stop();
    has(&page, "verdict reasons tolerances directory mails signal");
    assert_eq!((&page["verdict"], &page["signal"]), (&json!("valid"), &json!("SIGTERM")), "{page}");
    // What it kept is there again.
    let again = bench.serve("");
    assert_eq!(again.ready["anchors"], anchors);
    assert_eq!(again.ready["dkim"], keys);
    assert_eq!(again.ready["directory"], directory, "the port is kept");
}

/// `provision`, `status`, `compose`, `open`, `renew`, `revoke`.
#[test]
fn a_mailbox_is_kept_from_the_command_line() {
    let bench = Bench::new();
    let served = bench.serve("");
    let ready = served.ready.clone();
    let letter = concat!(env!("CARGO_MANIFEST_DIR"), "/data/letter.eml");
    std::fs::copy(letter, bench.path("letter.eml")).unwrap();
    let (alice, bob) =
        ("--store alice --store-password-file password", "--store bob --store-password-file password");

    let page = bench.provision(&served, "alice@example.test", "alice", "--classic ecc").valid();
    has(&page, "verdict reasons tolerances slots mailbox directory anchors");
    assert_eq!((&page["anchors"], &page["directory"]), (&json!("pinned-now"), &ready["directory"]), "{page}");
    let slots = page["slots"].as_array().unwrap();
    let mut kinds = BTreeSet::new();
    for slot in slots {
        has(slot, "suite purpose level device state serial not_after");
        assert_eq!((&slot["state"], &slot["level"]), (&json!("issued"), &json!("mv")), "{slot}");
        assert_eq!(slot["device"].is_null(), slot["purpose"] == "encrypt", "{slot}");
        assert!(slot["not_after"].as_str().unwrap().ends_with('Z'), "{slot}");
        kinds.insert((slot["suite"].to_string(), slot["purpose"].to_string()));
    }
    assert_eq!((slots.len(), kinds.len()), (6, 6), "{page}");
    // Again: nothing is asked for.
    let again = bench.provision(&served, "alice@example.test", "alice", "--classic ecc").valid();
    assert_eq!((&again["slots"][0]["state"], &again["anchors"]), (&json!("present"), &json!("pinned")));
    bench.provision(&served, "bob@example.test", "bob", "--plan sm2").valid();
    bench.provision(&served, "carol@example.test", "carol", "--plan classic --classic ecc").valid();

    let status = bench.run(&format!("status {alice}")).valid();
    has(&status, "slots mailboxes device");
    assert_eq!(status["slots"].as_array().unwrap().len(), 6, "{status}");
    for slot in status["slots"].as_array().unwrap() {
        has(slot, "suite purpose level device state serial not_after mailbox");
        assert_eq!(slot["mailbox"], "alice@example.test", "{slot}");
    }
    // Without a password where none is needed, and with the member all the same.
    for (store, reason) in [("absent", "no-vault"), ("mail", "not-a-vault"), ("letter.eml", "not-a-vault")] {
        let page = bench.run(&format!("status --store {store}")).json();
        assert_eq!((&page["reasons"], &page["slots"]), (&json!([reason]), &json!([])), "{page}");
    }
    let page = bench.run("status --store alice").json();
    assert_eq!(page["reasons"], json!(["password-missing"]), "{page}");

    // SM2 where everybody reads it, and why.
    let words = format!("compose letter.eml {alice} --to bob@example.test --out sent.eml");
    let page = bench.run(&words).valid();
    let plan = &page["plan"];
    has(plan, "suite cipher form signature recipients time why");
    assert_eq!((&plan["suite"], &plan["cipher"]), (&json!("sm2"), &json!("sm4-gcm")), "{plan}");
    assert_eq!(plan["why"][0]["reason"], "everybody-declares-sm4", "{plan}");
    assert_eq!(plan["time"]["stamped"], true, "{plan}");
    let readers = plan["recipients"].as_array().unwrap();
    assert_eq!(readers.len(), 2, "{plan}");
    has(&readers[0], "mailbox serial sha256 transport source not_after");
    assert_eq!((&readers[0]["source"], &readers[1]["source"]), (&json!("service"), &json!("own")), "{plan}");
    // One suite by wish, signed only, and the classic way for a reader without SM2.
    let signed =
        format!("compose letter.eml {alice} --to bob@example.test --no-encrypt --suite classic --out s.eml");
    let page = bench.run(&signed).valid();
    assert_eq!((&page["plan"]["cipher"], &page["plan"]["suite"]), (&Value::Null, &Value::Null), "{page}");
    bench.write(
        "carol.eml",
        "From: alice@example.test\r\nTo: carol@example.test\r\nSubject: x\r\n\r\nHi.\r\n",
    );
    let words = format!("compose carol.eml {alice} --to carol@example.test --out carol-sent.eml");
    let page = bench.run(&words).valid();
    assert_eq!((&page["plan"]["suite"], &page["plan"]["cipher"]), (&json!("classic"), &json!("aes-256-gcm")));
    assert_eq!(page["plan"]["why"][0]["reason"], "no-sm2-certificate", "{page}");

    // To oneself, and to somebody twice: one recipient each.
    bench.write("own.eml", "From: alice@example.test\r\nTo: alice@example.test\r\nSubject: x\r\n\r\nHi.\r\n");
    let own =
        format!("compose own.eml {alice} --to alice@example.test alice@Example.TEST --out own-sent.eml");
    let page = bench.run(&own).valid();
    assert_eq!(page["plan"]["recipients"].as_array().unwrap().len(), 1, "{page}");
    bench.run(&format!("open own-sent.eml {alice}")).valid();

    // Opened with the vault alone, by its reader and by its writer; by nobody else.
    for (store, ended) in [(bob, 0), (alice, 0), ("--store carol --store-password-file password", 2)] {
        let ran = bench.run(&format!("open sent.eml {store} --out received.eml"));
        assert_eq!(ran.status, ended, "{ran:?}");
    }
    let page = bench.run(&format!("open sent.eml {bob}")).valid();
    has(&page, "layers protected_headers");
    let kinds: Vec<&Value> = page["layers"].as_array().unwrap().iter().map(|layer| &layer["kind"]).collect();
    assert_eq!(kinds, ["encrypted", "signed"]);
    assert_eq!(page["layers"][1]["signers"][0]["level"], "mv", "{page}");
    let refused = bench.run("open sent.eml --store carol --store-password-file password").json();
    assert_eq!(refused["reasons"], json!(["no-matching-key"]));

    // The encrypting key stays when it is renewed: old mail opens.
    let before = bench.run(&format!("status {bob}")).valid();
    let page = bench.run(&format!("renew --slot sm2-encrypt-mv --slot sm2-sign-mv {bob}")).valid();
    has(&page, "slots renewed next");
    assert_eq!(page["renewed"].as_array().unwrap().len(), 2, "{page}");
    let serial = |page: &Value| page["slots"][1]["serial"].clone();
    assert_ne!(serial(&before), serial(&page), "{page}");
    bench.run(&format!("open sent.eml {bob}")).valid();
    let due = bench.run(&format!("renew --if-due {bob}")).valid();
    assert_eq!(due["renewed"], json!([]), "{due}");
    assert!(due["next"].is_string(), "{due}");

    let page = bench.run(&format!("revoke --slot sm2-sign-mv --reason key-compromise {bob}")).valid();
    has(&page, "slots revoked unattributed");
    assert_eq!(page["revoked"][0]["outcome"], "now", "{page}");
    let state = |page: &Value| page["slots"][0]["state"].clone();
    assert_eq!(state(&page), "revoked", "{page}");
    let page =
        bench.run("provision bob@example.test --store bob --store-password-file password --plan sm2").valid();
    assert_eq!(state(&page), "issued", "the empty slot is filled: {page}");

    // The service is gone: so is its page, and a mail goes out without a stamp, which is said.
    served.stop();
    assert!(!bench.path("ready.json").exists());
    let page =
        bench.run(&format!("compose own.eml {alice} --to alice@example.test --out unstamped.eml")).valid();
    assert_eq!(page["plan"]["time"]["stamped"], false, "{page}");
    assert_eq!(page["reasons"], json!([page["plan"]["time"]["reason"]]), "{page}");
    // A renewal ends soon, and leaves what there was.
    let began = std::time::Instant::now();
    let ran = bench.run(&format!("renew --all --timeout 3s {alice}"));
    let page = ran.json();
    assert_eq!((ran.status, &page["verdict"]), (2, &json!("error")), "{page}");
    assert!(began.elapsed() < std::time::Duration::from_secs(40), "{:?}", began.elapsed());
    let reason = page["reasons"][0].as_str().unwrap();
    assert!(["service-unreachable", "deadline"].contains(&reason), "{page}");
    let after = bench.run(&format!("status {alice}")).valid();
    assert_eq!(after["slots"], status["slots"]);
    // So does everything else that has to ask, and says so.
    for words in ["device list", "device events", "revoke --slot sm2-sign-mv", "escrow delete"] {
        let page = bench.run(&format!("{words} {alice}")).json();
        assert_eq!(page["reasons"], json!(["service-unreachable"]), "{words}: {page}");
    }
}

/// Two devices of one mailbox: the second asks, the first hands the keys over.
#[test]
fn a_second_device_gets_the_encrypting_keys() {
    let bench = Bench::new();
    let served = bench.serve("--escrow sm2");
    let words = |store: &str| format!("--store {store} --store-password-file password");
    bench.provision(&served, "alice@example.test", "laptop", "--plan sm2").valid();
    let ran = bench.provision(&served, "alice@example.test", "phone", "--plan sm2");
    let page = ran.json();
    assert_eq!((ran.status, &page["verdict"]), (1, &json!("partial")), "{page}");
    assert_eq!(page["reasons"], json!(["waiting-for-transfer"]), "{page}");
    has(&page["waiting"], "device fingerprint suites expires");
    let shown = page["waiting"]["fingerprint"].as_str().unwrap();

    let requests = bench.run(&format!("device requests {}", words("laptop"))).valid();
    assert_eq!(requests["requests"][0]["fingerprint"], shown, "{requests}");
    let other = bench.run(&format!("device approve {} {}", "0".repeat(64), words("laptop")));
    assert_eq!(other.json()["reasons"], json!(["transfer-fingerprint-differs"]));
    bench.run(&format!("device approve {shown} {}", words("laptop"))).valid();
    let page = bench.provision(&served, "alice@example.test", "phone", "--plan sm2").valid();
    let states: Vec<&Value> = page["slots"].as_array().unwrap().iter().map(|slot| &slot["state"]).collect();
    assert!(states.contains(&&json!("received")), "{page}");

    let list = bench.run(&format!("device list {}", words("laptop"))).valid();
    assert_eq!(list["devices"].as_array().unwrap().len(), 2, "{list}");
    has(&list["devices"][0], "device this since certificates");
    let events = bench.run(&format!("device events {}", words("laptop"))).valid();
    has(&events["events"][0], "time kind device account certificate");
    let none = bench.run(&format!("device conflict {}", words("laptop"))).valid();
    assert!(none.get("conflict").is_some_and(Value::is_null), "{none}");
    // A lost phone.
    let phone = bench.run(&format!("status {}", words("phone"))).valid();
    let lost = phone["device"].as_str().unwrap();
    let page =
        bench.run(&format!("revoke --device {lost} --reason key-compromise {}", words("laptop"))).valid();
    assert!(!page["revoked"].as_array().unwrap().is_empty(), "{page}");
    let events = bench.run(&format!("device events {}", words("laptop"))).valid();
    assert!(events["events"].as_array().unwrap().iter().any(|one| one["kind"] == "revoked"), "{events}");

    // Everything lost: the keys come out of escrow.
    let refused = bench.run(&format!("escrow put {}", words("laptop"))).json();
    assert_eq!(refused["reasons"], json!(["terms-not-agreed"]), "{refused}");
    let put = bench.run(&format!("escrow put --agree-terms {}", words("laptop"))).valid();
    assert_eq!(put["terms_sha256"].as_str().map(str::len), Some(64), "{put}");
    let again = bench.provision(&served, "alice@example.test", "tablet", "--plan sm2").json();
    assert_eq!(again["verdict"], "partial", "{again}");
    let page = bench.run(&format!("escrow recover {}", words("tablet"))).valid();
    assert_eq!(page["recovered"], json!(["sm2"]), "{page}");
    bench.run(&format!("escrow delete {}", words("tablet"))).valid();
}

/// A customer of the CA signs as their organization too.
#[test]
fn a_bound_account_gets_the_levels_of_its_customer() {
    let bench = Bench::new();
    let key = "bWFjLWtleS1vZi0yNC1vY3RldHMtISE";
    let customer = json!({
        "key": key, "organization": "Example AG", "organization_identifier": "VATDE-123456789", "country": "DE",
    });
    bench.write("customers.json", json!({ "kid-1": customer }).to_string());
    bench.write("key", format!("{key}\n"));
    let served = bench.serve("--eab customers.json --eab-required");
    has(&served.ready, "eab");
    assert!(!served.ready.to_string().contains(key), "the key is nobody's to read");
    let refused = bench.provision(&served, "alice@example.test", "stranger", "--plan sm2").json();
    assert_eq!(refused["reasons"], json!(["external-account-required"]), "{refused}");
    let bound = "--plan sm2 --level mv,ov --eab-kid kid-1 --eab-key-file key";
    let page = bench.provision(&served, "alice@example.test", "alice", bound).valid();
    let signing = page["slots"].as_array().unwrap().iter().filter(|slot| slot["purpose"] == "sign");
    let levels: BTreeSet<&str> = signing.map(|slot| slot["level"].as_str().unwrap()).collect();
    assert_eq!(levels, BTreeSet::from(["mv", "ov"]), "{page}");
}
