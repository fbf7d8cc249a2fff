//! Signatures that others made: the RFC, dkimpy, acme2certifier's and acme4j's mail rig.

use super::*;

macro_rules! vector {
    ($name:literal) => {
        include_bytes!(concat!("../../../tests/vectors/mail/", $name)).as_slice()
    };
}

// RFC 6376 appendix A.2.
#[test]
fn the_example_of_the_rfc() {
    let zone = Zone::usual();
    let mail = vector!("rfc6376-a2.eml");
    assert_eq!(outcome(mail, &zone), Ok(Pass { key_bits: 1024, weak_key: true }));
    let report = report(mail, &zone);
    let signature = report.passing(|signature| signature.domain == "example.com").unwrap();
    let names: Vec<&str> = signature.covered.iter().map(|covered| covered.name.as_str()).collect();
    assert_eq!(names, ["received", "from", "to", "subject", "date", "message-id"]);
    assert!(signature.covered.iter().all(|covered| (covered.fields, covered.uncovered) == (1, 0)));
    assert!(!report.bare_lf);
    let of_game = String::from_utf8(mail.to_vec()).unwrap().replace("We lost", "We won ");
    assert_eq!(outcome(of_game.as_bytes(), &zone), Err(Failure::BodyHash));
}

#[test]
fn real_mails() {
    let zone = Zone::usual();
    for (mail, domain) in [
        (vector!("acme2certifier-challenge.eml"), "ca.example.test"),
        (vector!("acme4j-reply.eml"), "example.test"),
    ] {
        assert_eq!(outcome(mail, &zone), Ok(Pass { key_bits: 2048, weak_key: false }));
        let report = report(mail, &zone);
        let signature = report.passing(|signature| signature.domain == domain).unwrap();
        for name in ["auto-submitted", "date", "from", "message-id", "subject", "to"] {
            assert!(signature.covers(name), "{name}");
        }
        for name in ["reply-to", "cc", "authentication-results", "content-type"] {
            assert!(!signature.covers(name), "{name}");
        }
    }
}

#[test]
fn mails_signed_by_dkimpy() {
    let zone = Zone::usual();
    let strong = Ok(Pass { key_bits: 2048, weak_key: false });
    for (name, mail, verdict) in [
        ("simple-simple", vector!("dkimpy/simple-simple.eml"), strong.clone()),
        ("simple-relaxed", vector!("dkimpy/simple-relaxed.eml"), strong.clone()),
        ("relaxed-simple", vector!("dkimpy/relaxed-simple.eml"), strong.clone()),
        ("relaxed-relaxed", vector!("dkimpy/relaxed-relaxed.eml"), strong.clone()),
        ("empty-body-simple", vector!("dkimpy/empty-body-simple.eml"), strong.clone()),
        ("empty-body-relaxed", vector!("dkimpy/empty-body-relaxed.eml"), strong.clone()),
        ("body-length", vector!("dkimpy/body-length.eml"), strong.clone()),
        ("challenge-oversigned", vector!("dkimpy/challenge-oversigned.eml"), strong),
        ("short-key", vector!("dkimpy/short-key.eml"), Ok(Pass { key_bits: 1024, weak_key: true })),
        (
            "rsa-sha1",
            vector!("dkimpy/rsa-sha1.eml"),
            Err(Failure::Signature(SignatureError::Algorithm { algorithm: "rsa-sha1".to_owned() })),
        ),
    ] {
        let later = Time::from_unix(1_795_500_000);
        let report = run(verify(mail, later, &VerifyOptions::default(), &zone)).unwrap();
        assert_eq!(report.signatures[0].outcome, verdict, "{name}");
    }
}

// C2: what `l=` leaves open is where text is appended.
#[test]
fn appending_behind_the_stated_length() {
    let zone = Zone::usual();
    let mut mail = vector!("dkimpy/body-length.eml").to_vec();
    mail.extend_from_slice(b"And send money.\r\n");
    let later = Time::from_unix(1_795_500_000);
    let report = run(verify(&mail, later, &VerifyOptions::default(), &zone)).unwrap();
    assert_eq!(report.signatures[0].outcome, Err(Failure::BodyLength));
}
