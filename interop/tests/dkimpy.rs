//! PyPI `dkimpy` 1.1 verifies the challenge mail of our service, and our client believes one that dkimpy signed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use std::sync::Arc;

use aecm::Plan;
use aecm_acme::email::{ChallengeDraft, DkimAuthenticator, RFC8823_FIELDS};
use aecm_acme::mail::{ChallengeAuthenticator, ChallengeRefusal, ExpectedChallenge, Mail, MailSource};
use aecm_acme::token::TokenPart1;
use aecm_core::embed::{Clock, SystemClock, TxtError, TxtResolver};
use aecm_core::mailbox::Mailbox;
use aecm_core::time::Time;
use aecm_interop::tools::{Answer, Desk, driver, prepared};
use aecm_interop::world::{ALICE, World};

fn dkimpy(desk: &Desk, arguments: &[&str]) -> Answer {
    let script = driver("dkimpy_peer.py");
    desk.run(&prepared("AECM_PYTHON"), &[&[script.as_str()], arguments].concat())
}

#[tokio::test(flavor = "multi_thread")]
async fn dkimpy_verifies_our_challenge_mail() {
    let world = World::start().await;
    world.alice.provision(Plan::sm2()).await.unwrap();
    let mails = world.service.post_office().mails(&ALICE.parse().unwrap(), Time::from_unix(0)).await.unwrap();
    assert_eq!(mails.len(), 1, "one challenge mail for all");
    let desk = Desk::new();
    desk.put("mail", &mails[0].raw);
    let (name, txt) = world.service.post_office().dkim_record("ca.example.test");
    let verify = |name: &str| dkimpy(&desk, &["verify", "mail", name, &txt]);
    assert_eq!(verify(&name).expect_ok("the challenge mail").text().trim(), "good");
    verify("other._domainkey.ca.example.test").expect_refusal("no key");

    let text = String::from_utf8(mails[0].raw.clone()).unwrap();
    desk.put("mail", text.replace("Subject: ACME: ", "Subject: ACME: x"));
    verify(&name).expect_refusal("another token");
    // Oversigned: a second Subject in front breaks it.
    desk.put("mail", format!("Subject: ACME: AAAAAAAAAAAAAAAAAAAAAAAA\r\n{text}"));
    verify(&name).expect_refusal("a second Subject");
}

struct Record(String);

#[async_trait::async_trait]
impl TxtResolver for Record {
    async fn txt(&self, name: &str) -> Result<Vec<Vec<u8>>, TxtError> {
        if name.trim_end_matches('.') == "peer._domainkey.ca.example" {
            Ok(vec![self.0.clone().into_bytes()])
        } else {
            Err(TxtError::NoRecords)
        }
    }
}

#[tokio::test]
async fn we_believe_what_dkimpy_signs() {
    let desk = Desk::new();
    desk.openssl("genrsa -traditional -out dkim.key 2048").expect_ok("a key");
    desk.openssl("rsa -in dkim.key -pubout -out dkim.pub").expect_ok("its public half");
    let pem = desk.text("dkim.pub");
    let key: String = pem.lines().filter(|line| !line.starts_with("-----")).collect();
    let authenticator = DkimAuthenticator::new(Arc::new(Record(format!("v=DKIM1; k=rsa; p={key}"))));

    let (ca, alice): (Mailbox, Mailbox) = ("acme@ca.example".parse().unwrap(), ALICE.parse().unwrap());
    let (now, url) = (SystemClock.now(), "https://ca.example/acme/challenge/1");
    let token = TokenPart1::parse("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W").unwrap();
    let draft = ChallengeDraft {
        from: &ca,
        to: &alice,
        token_part1: &token,
        challenge_url: Some(url),
        date: now,
        message_id: "<1@ca.example>",
        reply_to: None,
        text: None,
    };
    desk.put("mail", draft.compose().unwrap());
    let expected =
        ExpectedChallenge { mailbox: &alice, from: &ca, challenge_url: url, order_created: now, now };
    let sign = |domain: &str, fields: &[&str]| {
        dkimpy(&desk, &[&["sign", "mail", "dkim.key", domain, "signed"], fields].concat())
            .expect_ok("dkimpy signs");
        desk.get("signed")
    };
    let ask = async |raw: Vec<u8>| {
        let mail = Mail { id: "1".to_owned(), received: now, raw };
        authenticator.authenticate(&mail, &expected).await
    };

    // dkimpy folds h= and puts blanks around its colons.
    let good = sign("ca.example", &RFC8823_FIELDS);
    let header = String::from_utf8(good.clone()).unwrap().split("\r\nFrom:").next().unwrap().to_owned();
    assert!(header.contains(" : "), "{header}");
    let read = ask(good.clone()).await.unwrap_or_else(|refusal| panic!("{refusal}\n{header}"));
    assert!(read.token_part1 == token);

    let changed = String::from_utf8(good).unwrap().replace("Subject: ACME: MZfj", "Subject: ACME: MZfk");
    for (raw, what) in [
        (changed.into_bytes(), "another token"),
        (sign("other.example", &RFC8823_FIELDS), "another domain"),
        (sign("ca.example", &["from", "to", "subject", "date", "message-id"]), "too few header fields"),
        (desk.get("mail"), "no signature"),
    ] {
        let refusal = ask(raw).await.expect_err(what);
        assert!(matches!(refusal, ChallengeRefusal::NotAuthentic { .. }), "{what}: {refusal}");
    }
}
