//! TRACE on both sides shows everything but secrets: no token, key, password or nonce in any form (THREATS N9, K2).

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use aecm::acme::hyper::HyperHttp;
use aecm::acme::token::{TokenJoin, TokenPart1, TokenPart2};
use aecm::core::embed::{Http as _, HttpRequest, Method, OsRng};
use aecm::store::{KeyStore as _, Vault};
use base64ct::{Base64, Base64UrlUnpadded, Encoding as _};
use serde_json::Value;

use crate::support::{Bench, PASSWORD, Served};

/// Octets of a key that are looked for at once.
const PIECE: usize = 24;
/// What is compared: shorter than any form of a piece, longer than chance.
const WINDOW: usize = 16;

/// What must not be found, by its first octets.
#[derive(Default)]
struct Needles(std::collections::BTreeMap<[u8; WINDOW], String>);

impl Needles {
    /// A secret, in every form it could be written in.
    fn secret(&mut self, what: &str, octets: &[u8]) {
        assert!(octets.len() >= WINDOW, "{what} is too short to be looked for");
        let hex: String = octets.iter().map(|octet| format!("{octet:02x}")).collect();
        let decimal: Vec<String> = octets.iter().map(u8::to_string).collect();
        let escaped: String = octets.iter().map(|octet| octet.escape_ascii().to_string()).collect();
        let mut forms = vec![octets.to_vec(), escaped.into_bytes(), decimal.join(", ").into_bytes()];
        forms.extend([hex.to_uppercase().into_bytes(), hex.into_bytes()]);
        for before in 0..3 {
            // Whatever stands before and behind: the letters that hold bits of a neighbour are left out.
            let padded = [vec![0; before], octets.to_vec()].concat();
            let whole = padded.len() / 3 * 3;
            for text in
                [Base64::encode_string(&padded[..whole]), Base64UrlUnpadded::encode_string(&padded[..whole])]
            {
                forms.push(text.into_bytes()[[0, 2, 3][before]..].to_vec());
            }
        }
        for form in forms {
            assert!(form.len() >= WINDOW, "{what}");
            self.0.insert(form[..WINDOW].try_into().unwrap(), what.to_owned());
        }
    }

    /// A private key in PKCS#8: its secret parts, piece by piece.
    fn key(&mut self, what: &str, der: &[u8]) {
        let scalar = der.windows(3).position(|octets| octets == [0x02, 0x01, 0x01]).map(|at| at + 3);
        let secret = match scalar.filter(|_| der.len() < 400) {
            // ECPrivateKey: version 1, OCTET STRING of the scalar (RFC 5915 §3).
            Some(at) => {
                assert_eq!(der[at], 0x04, "{what}");
                &der[at + 2..at + 2 + usize::from(der[at + 1])]
            }
            // RSAPrivateKey ends with d, p, q, dP, dQ, qInv (RFC 8017 §A.1.2): nothing public in its second half.
            None => &der[der.len() / 2..],
        };
        for piece in secret.chunks_exact(PIECE) {
            self.secret(what, piece);
        }
        assert!(secret.len() >= PIECE, "{what}");
    }

    fn text(&mut self, what: &str, text: &str) {
        self.secret(what, text.as_bytes());
        let octets = Base64UrlUnpadded::decode_vec(text).unwrap_or_default();
        if octets.len() >= WINDOW {
            self.secret(what, &octets);
        }
    }

    fn found(&self, log: &[u8]) -> BTreeSet<String> {
        let hit = |window: &[u8]| self.0.get(<&[u8; WINDOW]>::try_from(window).unwrap()).cloned();
        log.windows(WINDOW).filter_map(hit).collect()
    }
}

/// The values of all members `name` anywhere in a page.
fn members(page: &Value, name: &str, found: &mut Vec<String>) {
    match page {
        Value::Object(object) => {
            for (key, value) in object {
                if let (true, Value::String(text)) = (key == name, value) {
                    found.push(text.clone());
                }
                members(value, name, found);
            }
        }
        Value::Array(list) => list.iter().for_each(|value| members(value, name, found)),
        _ => {}
    }
}

/// The pages after the digests of the service's files.
fn pages(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    let page = |line: &str| serde_json::from_str(line.get(65..).unwrap_or_default()).ok();
    let whole = |line: &str| serde_json::from_str(line).ok();
    text.lines().filter_map(|line| whole(line).or_else(|| page(line))).collect()
}

fn collect_keys(needles: &mut Needles, bench: &Bench, store: &str, mailbox: &str) {
    let vault = Vault::open(bench.path(store), PASSWORD, Arc::new(OsRng)).unwrap();
    let mailbox = mailbox.parse().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let entries = runtime.block_on(vault.entries(&mailbox)).unwrap();
    assert!(!entries.is_empty());
    for entry in entries {
        let der = runtime.block_on(vault.export(&mailbox, &entry.id)).unwrap();
        needles.key(&format!("the key {} of {store}", entry.slot), &der);
    }
}

fn collect_tokens(needles: &mut Needles, bench: &Bench) {
    let mut tokens = 0;
    for page in pages(&bench.path("service/journal-0")) {
        let (mut first, mut second) = (Vec::new(), Vec::new());
        members(&page, "token_part1", &mut first);
        members(&page, "token_part2", &mut second);
        for (first, second) in first.iter().zip(&second) {
            needles.text("token-part1", first);
            let (part1, part2) = (TokenPart1::parse(first).unwrap(), TokenPart2::parse(second).unwrap());
            for join in TokenJoin::ALL {
                if let Ok(token) = part1.join(&part2, join) {
                    needles.text("the token", token.expose());
                }
            }
            tokens += 1;
        }
    }
    assert!(tokens >= 2, "{tokens} tokens in the service's state");
    let mails = bench.contents("mail/new");
    let subject = |octets: &[u8]| -> Option<String> {
        let text = String::from_utf8_lossy(octets).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("Subject: ACME: "))?;
        Some(line.trim().to_owned())
    };
    let subjects: Vec<String> = mails.iter().filter_map(|(_, octets)| subject(octets)).collect();
    assert!(subjects.len() >= 2, "{} challenge mails", subjects.len());
    for token in subjects {
        needles.text("the token of a mail", &token);
    }
}

/// Nonces that the service gives out now.
fn collect_nonces(needles: &mut Needles, served: &Served) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let http = HyperHttp::new(served.ready["tls_ca"].as_str().unwrap()).unwrap();
    let ask = |method, url: &str| {
        let request = HttpRequest {
            method,
            url: url.to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            max_body: 65_536,
        };
        runtime.block_on(http.send(request)).unwrap()
    };
    let directory = ask(Method::Get, served.ready["directory"].as_str().unwrap());
    let directory: Value = serde_json::from_slice(&directory.body).unwrap();
    for _ in 0..4 {
        let answer = ask(Method::Head, directory["newNonce"].as_str().unwrap());
        needles.text("a nonce", answer.header("replay-nonce").unwrap());
    }
}

#[test]
fn trace_shows_no_secret_of_the_whole_journey() {
    let bench = Bench::new();
    let letter = concat!(env!("CARGO_MANIFEST_DIR"), "/data/letter.eml");
    std::fs::copy(letter, bench.path("letter.eml")).unwrap();
    let served = bench.serve("--log trace");
    let mut logs = Vec::new();
    let mut note = |ran: crate::support::Ran| {
        ran.valid();
        logs.push((ran.stderr + &ran.stdout).into_bytes());
    };
    note(bench.provision(&served, "alice@example.test", "alice", "--classic ecc --log trace"));
    note(bench.provision(&served, "bob@example.test", "bob", "--plan sm2 --log trace"));
    let store = |name: &str| format!("--store {name} --store-password-file password --log trace");
    note(bench.run(&format!("compose letter.eml {} --to bob@example.test --out sent.eml", store("alice"))));
    note(bench.run(&format!("open sent.eml {} --out received.eml", store("bob"))));
    note(bench.run(&format!("renew {} --slot sm2-sign-mv", store("bob"))));
    note(bench.run(&format!("status {}", store("alice"))));

    let mut needles = Needles::default();
    needles.secret("the password", PASSWORD.as_bytes());
    collect_tokens(&mut needles, &bench);
    collect_keys(&mut needles, &bench, "alice", "alice@example.test");
    collect_keys(&mut needles, &bench, "bob", "bob@example.test");
    let mut service_keys = Vec::new();
    for page in pages(&bench.path("service/identity")) {
        members(&page, "key", &mut service_keys);
        members(&page, "dkim", &mut service_keys);
    }
    assert!(service_keys.len() >= 12, "{} keys of the service", service_keys.len());
    for key in &service_keys {
        needles.key("a key of the service", &Base64UrlUnpadded::decode_vec(key).unwrap());
    }
    collect_nonces(&mut needles, &served);
    logs.push(std::fs::read(&served.log).unwrap());

    // The logs say something, of this command and of what lies below it.
    let all = logs.concat();
    let said = |word: &str| all.windows(word.len()).any(|window| window == word.as_bytes());
    for word in ["TRACE", "DEBUG", "hyper"] {
        assert!(said(word), "no {word} in {} octets of logs", all.len());
    }
    assert_eq!(needles.found(&all), BTreeSet::new(), "in {} octets of logs", all.len());

    // What is looked for would be found, wherever it begins.
    let planted = needles.0.len();
    for (at, needle) in needles.0.keys().enumerate().step_by(planted / 40 + 1) {
        let log = [b"x".repeat(at % 7).as_slice(), needle, b"y"].concat();
        assert_eq!(needles.found(&log).len(), 1);
    }
    let token = Base64::encode_string(format!("ab{PASSWORD}z").as_bytes());
    assert!(needles.found(token.as_bytes()).contains("the password"));
    served.stop();
}
