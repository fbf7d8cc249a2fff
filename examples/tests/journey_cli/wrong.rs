//! Everything that can be asked wrongly: exit status, reason, one sentence, nothing made, the vault as it was.

use aecm_examples::cli::{Io, Sink, run};
use serde_json::{Value, json};

use crate::support::{Bench, Served};

/// Words, with `BENCH` for the folder and `URL` for the directory; the exit status, the reason.
type Case = (&'static str, u8, &'static str);

struct Tried {
    status: u8,
    page: Value,
}

fn try_words(bench: &Bench, served: &Served, words: &str) -> Tried {
    let folder = bench.folder.path().display().to_string();
    let url = served.ready["directory"].as_str().unwrap();
    let words = words.replace("BENCH", &folder).replace("URL", url);
    let (stdout, stderr) = (Sink::default(), Sink::default());
    let mut io = Io::captured(Vec::new(), &stdout, &stderr);
    let words = ["aecm"].into_iter().chain(words.split_whitespace()).chain(["--json"]);
    let status = run(words.collect::<Vec<_>>(), &mut io);
    let text = stdout.text();
    assert_eq!(text.lines().count(), 1, "{text} {}", stderr.text());
    Tried { status, page: serde_json::from_str(&text).unwrap() }
}

/// The options that suffice for a new vault at `store`.
fn provision(more: &str, store: &str) -> String {
    format!(
        "provision alice@example.test --tls-ca BENCH/tls-ca.pem --maildir BENCH/mail --dkim-dns BENCH/dns.json \
         --store BENCH/{store} --store-password-file BENCH/password {more}"
    )
}

/// A bench with a service and the vault of bob, who has SM2 certificates.
fn bench() -> (Bench, Served) {
    let bench = Bench::new();
    let served = bench.serve("");
    bench.provision(&served, "bob@example.test", "bob", "--plan sm2").valid();
    bench.write("empty", "\n");
    bench.write("other", "another password\n");
    bench.write("garbage", "no certificate, no JSON, no mail");
    bench.write("list.json", "[]");
    bench.write("dns-twice.json", r#"{"a":"x","A.":"y"}"#);
    bench.write("eab.json", r#"{"kid":{"key":"short"}}"#);
    bench.write("ca.pem", served.ready["anchors"]["smime"]["sm2"].as_str().unwrap());
    bench.write(
        "plain.eml",
        "From: bob@example.test\r\nTo: carol@example.test\r\nSubject: x\r\n\r\nHello.\r\n",
    );
    bench.write("alice.eml", "From: alice@example.test\r\nTo: bob@example.test\r\n\r\nHello.\r\n");
    bench.write("nobody.eml", "To: bob@example.test\r\n\r\nHello.\r\n");
    bench.write("two.eml", "From: bob@example.test\r\nFrom: eve@example.test\r\n\r\nHello.\r\n");
    std::fs::create_dir_all(bench.path("hoard")).unwrap();
    bench.write("hoard/file", "something");
    (bench, served)
}

fn check(bench: &Bench, served: &Served, cases: &[(String, u8, &'static str)]) {
    let names = |bench: &Bench| -> Vec<_> {
        let entries = std::fs::read_dir(bench.folder.path()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let (before, vault) = (names(bench), bench.vault("bob"));
    let mut wrong = Vec::new();
    for (words, status, reason) in cases {
        let Tried { status: found, page } = try_words(bench, served, words);
        let sentence = page["message"].as_str().unwrap_or_default();
        for (holds, what) in [
            ((found, &page["reasons"]) == (*status, &json!([reason])), "another reason than"),
            (page["verdict"] == "error", "another verdict than error, not"),
            (sentence.len() > 10, "no sentence beside"),
            (*reason == "usage" || sentence.lines().count() == 1, "more than a sentence beside"),
            (names(bench) == before, "something was left behind by"),
            (bench.vault("bob") == vault, "the vault was changed by"),
        ] {
            if !holds {
                wrong.push(format!("{words}: {what} {reason}: {page}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn owned(cases: &[Case]) -> Vec<(String, u8, &'static str)> {
    cases.iter().map(|(words, status, reason)| ((*words).to_owned(), *status, *reason)).collect()
}

#[test]
fn wrong_questions_are_answered_clearly_and_change_nothing() {
    let (bench, served) = bench();
    let closed = {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let bob = "--store BENCH/bob --store-password-file BENCH/password";
    let mut cases = owned(&[
        ("provision", 2, "usage"),
        ("provision no-address --store BENCH/new", 2, "usage"),
        ("provision alice@example.test", 2, "usage"),
        ("provision alice@example.test --store BENCH/new", 2, "password-missing"),
        (
            "provision alice@example.test --store BENCH/new --store-password-file BENCH/absent",
            2,
            "file-unreadable",
        ),
        (
            "provision alice@example.test --store BENCH/new --store-password-file BENCH/empty",
            2,
            "password-missing",
        ),
        (
            "provision alice@example.test --store BENCH/new --store-password-file BENCH/password",
            2,
            "option-missing",
        ),
    ]);
    for (more, reason) in [
        ("", "option-missing"),
        ("--directory URL", "terms-not-agreed"),
        ("--directory URL --service BENCH/ready.json", "usage"),
        ("--directory URL --plan both", "usage"),
        ("--directory URL --classic dsa", "usage"),
        ("--directory URL --timeout soon", "usage"),
        ("--directory URL --level xx", "usage"),
        ("--directory URL --eab-kid k", "usage"),
        ("--directory URL --agree-tos --trust BENCH/garbage", "wrong-kind"),
        ("--directory URL --agree-tos --tsa-trust BENCH/ca.pem", "usage"),
        ("--directory http://127.0.0.1:1/directory --agree-tos", "url-unusable"),
        ("--directory nowhere --agree-tos", "url-unusable"),
        ("--directory URL/absent --agree-tos", "service-answer"),
    ] {
        cases.push((provision(more, "new"), 2, reason));
    }
    cases.push((
        provision(&format!("--directory https://{closed}/directory"), "new"),
        2,
        "service-unreachable",
    ));
    for (option, reason) in [
        ("--tls-ca BENCH/absent", "file-unreadable"),
        ("--tls-ca BENCH/garbage", "tls-ca-unusable"),
        ("--tls-ca BENCH/ca.pem", "service-unreachable"),
        ("--maildir BENCH/absent", "no-maildir"),
        ("--maildir BENCH/password", "no-maildir"),
        ("--dkim-dns BENCH/absent", "file-unreadable"),
        ("--dkim-dns BENCH/garbage", "malformed"),
        ("--dkim-dns BENCH/list.json", "malformed"),
        ("--dkim-dns BENCH/dns-twice.json", "malformed"),
    ] {
        // The later one of an option that is given twice would be refused: it takes the place of the usual one.
        let name = option.split(' ').next().unwrap();
        let usual = provision("--directory URL --agree-tos", "new");
        let (before, after) = usual.split_once(name).unwrap();
        let rest = after.trim_start().split_once(' ').unwrap().1;
        cases.push((format!("{before}{option} {rest}"), 2, reason));
    }
    cases.extend(owned(&[
        (
            "provision alice@example.test --service BENCH/garbage --maildir BENCH/mail --store BENCH/new \
          --store-password-file BENCH/password",
            2,
            "malformed",
        ),
        (
            "provision bob@example.test --store BENCH/bob --store-password-file BENCH/other",
            2,
            "wrong-password",
        ),
        (
            "provision bob@example.test --directory https://other.test/ --store BENCH/bob \
          --store-password-file BENCH/password",
            2,
            "other-service",
        ),
        (
            "provision bob@example.test --store BENCH/hoard --store-password-file BENCH/password",
            2,
            "not-a-vault",
        ),
        ("status", 2, "usage"),
        ("status --store BENCH/absent --store-password-file BENCH/password", 2, "no-vault"),
        ("status --store BENCH/bob", 2, "password-missing"),
        ("status --store BENCH/bob --store-password-file BENCH/other", 2, "wrong-password"),
    ]));
    for (words, reason) in [
        ("status --mailbox eve@example.test BOB", "not-provisioned"),
        ("status --mailbox eve BOB", "usage"),
        ("renew BOB", "usage"),
        ("renew --all --if-due BOB", "usage"),
        ("renew --slot sm2 BOB", "slot-malformed"),
        ("renew --slot sm2-sign-mv@ BOB", "slot-malformed"),
        ("renew --slot classic-sign-mv BOB", "nothing-there"),
        ("renew --all --timeout never BOB", "usage"),
        ("revoke BOB", "usage"),
        ("revoke --slot sm2-sign-mv --device abc BOB", "usage"),
        ("revoke --slot sm2-sign-mv --reason boredom BOB", "usage"),
        ("revoke --slot classic-encrypt BOB", "nothing-there"),
        ("revoke --certificate BENCH/garbage BOB", "wrong-kind"),
        ("device BOB", "usage"),
        ("device approve BOB", "usage"),
        ("device nonsense BOB", "usage"),
        ("device accept BOB", "usage"),
        ("device accept 00 BOB", "nothing-there"),
        ("device decline BOB", "nothing-there"),
        ("device list --store BENCH/absent --store-password-file BENCH/password", "no-vault"),
        ("device requests --store BENCH/hoard --store-password-file BENCH/password", "not-a-vault"),
        ("device events --store BENCH/bob --store-password-file BENCH/other", "wrong-password"),
        ("escrow BOB", "usage"),
        ("escrow put BOB", "not-offered"),
        ("escrow recover --store BENCH/absent --store-password-file BENCH/password", "no-vault"),
        ("compose BENCH/absent --to carol@example.test BOB", "file-unreadable"),
        ("compose BENCH/plain.eml BOB", "usage"),
        ("compose BENCH/plain.eml --to carol BOB", "usage"),
        ("compose BENCH/plain.eml --to carol@example.test --suite rsa BOB", "usage"),
        ("compose BENCH/plain.eml --to carol@example.test BOB", "no-protection-fits"),
        ("compose BENCH/plain.eml --to dan@example.test BOB", "reader-not-named"),
        ("compose BENCH/alice.eml --to bob@example.test BOB", "not-provisioned"),
        ("compose BENCH/nobody.eml --to bob@example.test BOB", "malformed"),
        ("compose BENCH/two.eml --to bob@example.test BOB", "malformed"),
        ("compose BENCH/plain.eml --to carol@example.test --recipient-cert BENCH/garbage BOB", "wrong-kind"),
        ("compose BENCH/plain.eml --to carol@example.test --recipient-cert BENCH/ca.pem BOB", "malformed"),
        (
            "compose BENCH/plain.eml --to carol@example.test --no-encrypt --out BENCH/absent/f BOB",
            "file-unwritable",
        ),
        ("open BENCH/plain.eml --key BENCH/garbage BOB", "usage"),
        ("open BENCH/plain.eml --store BENCH/absent --store-password-file BENCH/password", "no-vault"),
    ] {
        cases.push((words.replace("BOB", bob), 2, reason));
    }
    let taken = served.ready["directory"].as_str().unwrap().split('/').nth(2).unwrap().to_owned();
    cases.push((format!("serve --listen {taken}"), 2, "listen"));
    cases.extend(owned(&[
        ("serve --listen 0.0.0.0:0", 2, "not-loopback"),
        ("serve --listen localhost", 2, "usage"),
        ("serve --smtp nowhere", 2, "usage"),
        ("serve --token-part1 16", 2, "usage"),
        ("serve --submission telepathy", 2, "usage"),
        ("serve --eab BENCH/eab.json", 2, "malformed"),
        ("serve --eab BENCH/absent", 2, "file-unreadable"),
        ("serve --eab-required", 2, "usage"),
        ("serve --ready BENCH/absent/ready.json", 2, "file-unwritable"),
        ("serve --state BENCH/password", 2, "state-unusable"),
        ("serve --state BENCH/service", 2, "state-unusable"),
    ]));
    assert!(cases.len() >= 70, "{}", cases.len());
    check(&bench, &served, &cases);
    assert!(!bench.path("new").exists(), "a vault was made");

    // The terms are named where they are wanted.
    let page = try_words(&bench, &served, &provision("--directory URL", "new")).page;
    assert!(page["terms"].as_str().unwrap().starts_with("https://"), "{page}");
    // Bob can still do everything.
    let status = try_words(&bench, &served, &format!("status {bob}"));
    assert_eq!((status.status, status.page["slots"].as_array().unwrap().len()), (0, 3), "{}", status.page);
}

#[test]
fn what_stops_a_provisioning_names_the_step() {
    let bench = Bench::new();
    let served = bench.serve("");
    for (more, reason, step) in [
        ("--timeout 0", "deadline", "directory"),
        ("--plan sm2 --level ov", "not-offered", "new-order"),
        ("--plan sm2 --eab-kid k --eab-key-file password", "external-account-malformed", ""),
    ] {
        let store = format!("store-{reason}");
        let ran = bench.provision(&served, "alice@example.test", &store, more);
        let page = ran.json();
        assert_eq!(
            (ran.status, &page["verdict"], &page["reasons"]),
            (2, &json!("error"), &json!([reason])),
            "{page}"
        );
        assert_eq!(page["step"].as_str().unwrap_or_default(), step, "{page}");
    }
    // A Maildir in which nothing arrives: the call ends at its deadline, and says what it waited for.
    for part in ["new", "cur", "tmp"] {
        std::fs::create_dir_all(bench.path("silent").join(part)).unwrap();
    }
    let words = bench.provision_words(&served, "alice@example.test", "alice", "--plan sm2 --timeout 3");
    let words: Vec<String> =
        words.into_iter().map(|word| if word == "mail" { "silent".to_owned() } else { word }).collect();
    let began = std::time::Instant::now();
    let ran = bench.run_words(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let page = ran.json();
    assert_eq!((&page["reasons"], &page["step"]), (&json!(["deadline"]), &json!("challenge-mail")), "{page}");
    assert!(began.elapsed() < std::time::Duration::from_secs(30), "the deadline holds");
    assert!(ran.stderr.contains("waiting for the challenge mail"), "{}", ran.stderr);
    // The same call with the right Maildir goes on, and agreed terms need no second word.
    let words =
        "provision alice@example.test --maildir mail --store alice --store-password-file password --plan sm2";
    assert_eq!(bench.run(words).valid()["slots"].as_array().unwrap().len(), 3);
}

#[test]
fn anchors_that_change_are_refused_until_they_are_given() {
    let bench = Bench::new();
    let first = bench.serve("");
    bench.provision(&first, "alice@example.test", "alice", "--plan sm2").valid();
    let address = first.ready["directory"].as_str().unwrap().split('/').nth(2).unwrap().to_owned();
    first.stop();
    // Another service at the same place.
    std::fs::remove_dir_all(bench.path("service")).unwrap();
    let second = bench.serve(&format!("--listen {address}"));
    let vault = bench.vault("alice");
    let ran = bench.provision(&second, "alice@example.test", "alice", "--plan sm2");
    let page = ran.json();
    assert_eq!((ran.status, &page["reasons"]), (2, &json!(["anchors-changed"])), "{page}");
    assert!(bench.vault("alice") == vault, "the vault was changed");
    bench.write("smime.pem", second.ready["anchors"]["smime"]["sm2"].as_str().unwrap());
    bench.write("stamp.pem", second.ready["anchors"]["mailbox_timestamp"]["sm2"].as_str().unwrap());
    let given = "--plan sm2 --trust smime.pem --timestamp-trust stamp.pem";
    let page = bench.provision(&second, "alice@example.test", "alice", given).valid();
    assert_eq!(page["anchors"], "given", "{page}");
}
