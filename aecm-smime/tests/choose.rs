//! A24, A25, K9: the table of choices, their reasons, and what is not chosen.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]
#![allow(unreachable_pub, dead_code)]

#[path = "support/people.rs"]
mod people;

use aecm_core::certificate::Certificate;
use aecm_core::embed::OsRng;
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Suite;
use aecm_smime::capabilities::Capabilities;
use aecm_smime::choose::{Choice, ChooseError, Correspondent, Plan};
use aecm_smime::cipher::ContentCipher;
use aecm_smime::cms::{Enveloped, Form};
use aecm_smime::encrypt::{EncryptError, Transport, UnusableCertificate};
use aecm_smime::sign::smime_capabilities;
use people::{Authority, Profile, certificate, now};

const GCM: ContentCipher = ContentCipher::Sm4Gcm;
const CBC: ContentCipher = ContentCipher::Sm4Cbc;
const AES: ContentCipher = ContentCipher::Aes256Gcm;

fn issue(
    family: &str,
    mailbox: &str,
    ciphers: Option<&[ContentCipher]>,
    not_after: &'static str,
) -> Certificate {
    let key = certificate(&format!("{family}-enc"));
    let capabilities = ciphers.map(smime_capabilities);
    let profile = Profile { capabilities, not_after, ..Profile::encrypt(mailbox) };
    Authority::new().issue(key.public_key().unwrap(), &profile)
}

/// A mailbox with a classic certificate and an SM2 one that declares `ciphers`.
fn both(mailbox: &str, ciphers: &[ContentCipher]) -> Correspondent {
    let end = "2030-01-01T00:00:00Z";
    person(mailbox, vec![issue("rsa", mailbox, Some(&[AES]), end), issue("sm2", mailbox, Some(ciphers), end)])
}

fn classic(mailbox: &str) -> Correspondent {
    person(mailbox, vec![issue("rsa", mailbox, None, "2030-01-01T00:00:00Z")])
}

fn sm2_only(mailbox: &str, ciphers: Option<&[ContentCipher]>) -> Correspondent {
    person(mailbox, vec![issue("sm2", mailbox, ciphers, "2030-01-01T00:00:00Z")])
}

fn person(mailbox: &str, certificates: Vec<Certificate>) -> Correspondent {
    Correspondent::new(mailbox.parse().unwrap(), certificates)
}

fn words(plan: &Plan) -> Vec<&'static str> {
    plan.reasons.iter().map(|reason| reason.word()).collect()
}

#[test]
fn the_table_of_choices() {
    let (a, b, c) = ("alice@example.test", "bob@example.org", "carol@example.org");
    let expired = || {
        let mut certificates = vec![issue("rsa", b, None, "2030-01-01T00:00:00Z")];
        certificates.push(issue("sm2", b, Some(&[GCM]), "2026-11-30T00:00:00Z"));
        person(b, certificates)
    };
    for (sender, recipients, suite, cipher, reasons) in [
        (both(a, &[GCM]), vec![both(b, &[GCM])], Suite::Sm2, GCM, vec!["everybody-declares-sm4"]),
        (
            both(a, &[GCM, CBC]),
            vec![both(b, &[CBC, GCM]), both(c, &[GCM])],
            Suite::Sm2,
            GCM,
            vec!["everybody-declares-sm4"],
        ),
        (
            both(a, &[GCM, CBC]),
            vec![both(b, &[CBC])],
            Suite::Sm2,
            CBC,
            vec!["everybody-declares-sm4", "sm4-gcm-not-declared", "signature-inside"],
        ),
        (both(a, &[GCM]), vec![both(b, &[CBC])], Suite::Classic, AES, vec!["no-common-sm4-mode"]),
        // One recipient without SM2, and the sender's own copy, decide for all.
        (both(a, &[GCM]), vec![both(b, &[GCM]), classic(c)], Suite::Classic, AES, vec!["no-sm2-certificate"]),
        (classic(a), vec![both(b, &[GCM])], Suite::Classic, AES, vec!["no-sm2-certificate"]),
        (both(a, &[GCM]), vec![both(b, &[AES])], Suite::Classic, AES, vec!["sm4-not-declared"]),
        (both(a, &[GCM]), vec![expired()], Suite::Classic, AES, vec!["sm2-certificate-unusable"]),
        (classic(a), vec![classic(b), classic(c)], Suite::Classic, AES, vec!["no-sm2-certificate"]),
    ] {
        let plan = Choice::new().at(now()).plan(&sender, &recipients).unwrap();
        assert_eq!((plan.suite, plan.cipher, words(&plan)), (suite, cipher, reasons));
        assert_eq!(plan.recipients.len(), recipients.len() + 1);
        assert_eq!(plan.signature_suite, Some(suite));
        assert_eq!(plan.signature_required, cipher == CBC);
        let transport = if suite == Suite::Sm2 { Transport::Sm2 } else { Transport::RsaOaepSha256 };
        assert!(plan.recipients.iter().all(|recipient| recipient.transport == transport));
        let cms = plan.encryptor().at(now()).encrypt(b"x", &OsRng).unwrap();
        assert_eq!(
            Enveloped::parse(&cms, &Limits::default()).unwrap().recipients().len(),
            plan.recipients.len()
        );
    }
}

#[test]
fn what_the_user_asks_for_is_done() {
    let alice = both("alice@example.test", &[GCM]);
    let bob = [both("bob@example.org", &[GCM])];
    let plan = |choice: Choice| choice.at(now()).plan(&alice, &bob).unwrap();
    let classic = plan(Choice::new().suite(Suite::Classic));
    assert_eq!(
        (classic.suite, classic.cipher, words(&classic)),
        (Suite::Classic, AES, vec!["suite-asked-for"])
    );
    let pkcs1 = plan(Choice::new().suite(Suite::Classic).rsa_pkcs1(true).cipher(ContentCipher::Aes128Cbc));
    assert!(pkcs1.recipients.iter().all(|recipient| recipient.transport == Transport::RsaPkcs1));
    assert_eq!(words(&pkcs1), ["suite-asked-for", "cipher-asked-for", "signature-inside"]);
    let gbt = plan(Choice::new().form(Form::Gbt35275));
    assert_eq!((gbt.cipher, gbt.form, gbt.signature_required), (CBC, Form::Gbt35275, true));
    let alone = plan(Choice::new().own_copy(false));
    assert_eq!(alone.recipients.len(), 1);
    // Who writes to themselves has one copy, not two.
    let own = Choice::new().at(now()).plan(&alice, &[alice.clone(), bob[0].clone()]).unwrap();
    assert_eq!(own.recipients.len(), 2);
    let signer = plan(Choice::new().sign_with(&[Suite::Classic]));
    assert_eq!((signer.suite, signer.signature_suite), (Suite::Sm2, Some(Suite::Classic)));
    assert_eq!(words(&signer), ["everybody-declares-sm4", "signing-suite-absent"]);
    // Asked for SM2 although nothing is declared: the mode every SM2 reader has.
    let silent = [sm2_only("bob@example.org", None)];
    let asked = Choice::new().suite(Suite::Sm2).plan(&alice, &silent).unwrap();
    assert_eq!(
        (asked.cipher, words(&asked)),
        (CBC, vec!["suite-asked-for", "sm4-not-declared", "signature-inside"])
    );
}

#[test]
fn missing_certificates_name_the_mailbox() {
    let (alice, bob) = (both("alice@example.test", &[GCM]), both("bob@example.org", &[GCM]));
    let missing = |result: Result<Plan, ChooseError>| match result {
        Err(ChooseError::MissingCertificate { mailbox, suite, why, .. }) => (mailbox.to_string(), suite, why),
        other => panic!("{other:?}"),
    };
    let carol = sm2_only("carol@example.org", None);
    assert_eq!(
        missing(Choice::new().plan(&alice, &[bob.clone(), carol])),
        ("carol@example.org".to_owned(), Suite::Classic, None)
    );
    let nobody = Correspondent::new("dave@example.org".parse::<Mailbox>().unwrap(), vec![]);
    assert_eq!(missing(Choice::new().plan(&alice, std::slice::from_ref(&nobody))).0, "dave@example.org");
    assert_eq!(missing(Choice::new().plan(&nobody, std::slice::from_ref(&bob))).0, "dave@example.org");
    assert!(Choice::new().own_copy(false).plan(&nobody, std::slice::from_ref(&bob)).is_ok());
    let lacking = missing(Choice::new().suite(Suite::Sm2).plan(&alice, &[classic("carol@example.org")]));
    assert_eq!((lacking.0.as_str(), lacking.1), ("carol@example.org", Suite::Sm2));
    // Why the certificate that is there cannot be used.
    let foreign = person("erin@example.org", vec![certificate("rsa-enc")]);
    assert_eq!(missing(Choice::new().plan(&alice, &[foreign])).2, Some(UnusableCertificate::OtherMailbox));
    let signing = person("alice@example.test", vec![certificate("rsa-sig")]);
    assert_eq!(missing(Choice::new().plan(&alice, &[signing])).2, Some(UnusableCertificate::KeyUsage));
}

#[test]
fn choices_that_are_refused() {
    let (alice, bob) = (both("alice@example.test", &[GCM]), [both("bob@example.org", &[CBC, GCM])]);
    let refuse = |choice: Choice| choice.plan(&alice, &bob).unwrap_err();
    assert_eq!(Choice::new().plan(&alice, &[]).err(), Some(ChooseError::NoRecipient));
    let form = Form::Gbt35275;
    assert_eq!(refuse(Choice::new().form(form).suite(Suite::Classic)), ChooseError::Form { form });
    assert_eq!(refuse(Choice::new().form(form).cipher(GCM)), ChooseError::Form { form });
    let cipher = ContentCipher::Aes192Cbc;
    assert_eq!(refuse(Choice::new().cipher(cipher)), ChooseError::ReadOnlyCipher { cipher });
    // M5: CBC without anybody to sign.
    assert_eq!(refuse(Choice::new().cipher(CBC).sign_with(&[])), ChooseError::NoSigningSuite);
    assert!(Choice::new().sign_with(&[]).plan(&alice, &bob).is_ok());
}

/// K9: capabilities of a verified message go before those of the certificate, in both directions.
#[test]
fn declared_capabilities() {
    let declared = |ciphers| Capabilities::parse(&smime_capabilities(ciphers), &Limits::default()).unwrap();
    let alice = both("alice@example.test", &[GCM]);
    let able = both("bob@example.org", &[AES]).declared(declared(&[GCM]));
    assert_eq!(Choice::new().plan(&alice, &[able]).unwrap().cipher, GCM);
    let unable = both("bob@example.org", &[GCM]).declared(declared(&[AES]));
    assert_eq!(Choice::new().plan(&alice, &[unable]).unwrap().cipher, AES);
}

/// The newest usable certificate of several generations is taken.
#[test]
fn generations() {
    let mailbox = "bob@example.org";
    let key = certificate("rsa-enc");
    let issue = |not_before, not_after| {
        let profile = Profile { not_before, not_after, ..Profile::encrypt(mailbox) };
        Authority::new().issue(key.public_key().unwrap(), &profile)
    };
    let old = issue("2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z");
    let new = issue("2026-06-01T00:00:00Z", "2027-06-01T00:00:00Z");
    let future = issue("2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z");
    let bob = person(mailbox, vec![future, old.clone(), new.clone()]);
    let chosen = |time: &str| {
        let choice = Choice::new().own_copy(false).at(aecm_core::time::Time::from_rfc3339(time).unwrap());
        choice.plan(&bob, std::slice::from_ref(&bob)).unwrap().recipients[0].certificate.clone()
    };
    assert!(chosen("2026-12-01T00:00:00Z") == new);
    assert!(chosen("2026-03-01T00:00:00Z") == old);
}

#[test]
fn signature_suite_without_encryption() {
    let choice = Choice::new();
    assert_eq!(choice.signature_suite(&[both("b@example.org", &[GCM])]).0, Some(Suite::Sm2));
    assert_eq!(
        choice.signature_suite(&[both("b@example.org", &[GCM]), classic("c@example.org")]).0,
        Some(Suite::Classic)
    );
    assert_eq!(choice.signature_suite(&[]).0, Some(Suite::Classic), "strangers read RSA");
    let asked = Choice::new().suite(Suite::Sm2);
    assert_eq!(asked.signature_suite(&[classic("c@example.org")]).0, Some(Suite::Sm2));
    assert_eq!(Choice::new().sign_with(&[]).signature_suite(&[]).0, None);
}

/// What the choice was told about time holds when the plan is carried out.
#[test]
fn a_plan_keeps_its_time() {
    let alice = classic("alice@example.org");
    let bob = classic("bob@example.org");
    let plan = Choice::new().at(now()).plan(&alice, std::slice::from_ref(&bob)).unwrap();
    assert_eq!(plan.at, Some(now()));
    assert!(plan.encryptor().encrypt(b"x", &OsRng).is_ok());
    let mut later = plan;
    later.at = aecm_core::time::Time::from_rfc3339("2099-01-01T00:00:00Z");
    let error = later.encryptor().encrypt(b"x", &OsRng).unwrap_err();
    assert!(
        matches!(error, EncryptError::Certificate { why: UnusableCertificate::Expired { .. }, .. }),
        "{error}"
    );
    assert!(Choice::new().plan(&alice, &[bob]).unwrap().at.is_none());
}

/// Keys on P-256 are written to by ECDH, beside RSA ones.
#[test]
fn ecdh_readers_are_planned() {
    let alice = person("alice@example.test", vec![certificate("p256-agr")]);
    let bob = classic("bob@example.org");
    let plan = Choice::new().rsa_pkcs1(true).plan(&alice, &[bob]).unwrap();
    let transports: Vec<Transport> = plan.recipients.iter().map(|one| one.transport).collect();
    assert_eq!(transports, [Transport::RsaPkcs1, Transport::Ecdh]);
    assert!(plan.encryptor().encrypt(b"x", &OsRng).is_ok());
}
