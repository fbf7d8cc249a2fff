//! Authentication-Results: whose word counts, and for what (THREATS C1).

use super::*;

const ID: &str = "mx.example.test";

fn judge_results(raw: &[u8]) -> String {
    let authenticator = AuthenticationResultsAuthenticator::new(ID);
    word(run(authenticator.authenticate(&received(raw), &World::new().expected())))
}

fn under(results: &str) -> Vec<u8> {
    [results.as_bytes(), &signed(GOOD)].concat()
}

#[test]
fn what_is_believed() {
    for results in [
        "Authentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n",
        "Authentication-Results: MX.Example.Test 1; spf=fail smtp.mailfrom=x;\r\n dkim=pass (2048-bit key) reason=\"ok; yes\"\r\n header.d=CA.example.test header.s=own;\r\n",
        "Authentication-Results: \"mx.example.test\"; DKIM/1=Pass header.i=joe@x header.d=ca.example.test\r\n",
        "Authentication-Results: mx.example.test; dkim=fail header.d=evil.test; dkim=pass header.d=ca.example.test\r\n",
        "Authentication-Results: other.test; dkim=fail header.d=ca.example.test\r\nAuthentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n",
        "Authentication-Results: (broken\r\nAuthentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n",
        "Authentication-Results: mx.example.test; none; dkim=pass header.d=ca.example.test\r\n",
    ] {
        assert_eq!(judge_results(&under(results)), "accepted", "{results}");
    }
    // Gmail's way needs the signature's first characters.
    let raw = String::from_utf8(signed(GOOD)).unwrap();
    let start = &raw[raw.find("\r\n b=").unwrap() + 5..][..8];
    let gmail = format!(
        "Authentication-Results: mx.example.test; dkim=pass header.i=@ca.example.test header.s=own header.b=\"{start}\"\r\n{raw}"
    );
    assert_eq!(judge_results(gmail.as_bytes()), "accepted");
}

#[test]
fn what_is_not_believed() {
    for (reason, results) in [
        ("authentication-results-missing", ""),
        (
            "authentication-results-missing",
            "Authentication-Results: evil.test; dkim=pass header.d=ca.example.test\r\n",
        ),
        (
            "authentication-results-missing",
            "Authentication-Results: mx.example.test.evil.test; dkim=pass header.d=ca.example.test\r\n",
        ),
        (
            "authentication-results-missing",
            "Authentication-Results: mx.example.test 2; dkim=pass header.d=ca.example.test\r\n",
        ),
        (
            "authentication-results-missing",
            "X-Authentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n",
        ),
        ("authentication-results-missing", "Authentication-Results: (mx.example.test;\r\n"),
        (
            "authentication-results-malformed",
            "Authentication-Results: mx.example.test; dkim=pass header.d\r\n",
        ),
        (
            "authentication-results-malformed",
            "Authentication-Results: mx.example.test; dkim=pass = header.d=ca.example.test\r\n",
        ),
        ("authentication-results-not-pass", "Authentication-Results: mx.example.test; none\r\n"),
        ("authentication-results-not-pass", "Authentication-Results: mx.example.test\r\n"),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=fail header.d=ca.example.test\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=none reason=\"dkim=pass header.d=ca.example.test\"\r\n",
        ),
        ("authentication-results-not-pass", "Authentication-Results: mx.example.test; dkim=pass\r\n"),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=pass header.d=evil.test\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=pass header.d=example.test\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=pass header.i=@ca.example.test\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=pass header.i=@ca.example.test header.b=AAAAAAAA\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=pass header.d=ca.example.test header.d=evil.test\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=pass header.d=ca.example.test header.s=other\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; spf=pass header.d=ca.example.test; dmarc=pass header.from=ca.example.test\r\n",
        ),
        // Only the topmost of our server counts: the one below came with the mail.
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; dkim=fail header.d=ca.example.test\r\nAuthentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n",
        ),
        (
            "authentication-results-not-pass",
            "Authentication-Results: mx.example.test; none\r\nAuthentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n",
        ),
        (
            "authentication-results-malformed",
            "Authentication-Results: mx.example.test; ;x\r\nAuthentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n",
        ),
    ] {
        assert_eq!(judge_results(&under(results)), reason, "{results}");
    }
}

// The server's word is about a signature; what it covers is still read here.
#[test]
fn the_signature_has_to_cover_the_fields() {
    let results = "Authentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n";
    let signed_by = |options: SignOptions| [results.as_bytes(), &sign(&options, GOOD.as_bytes())].concat();
    let few = SignOptions::new("ca.example.test", "own").fields(&["from", "to", "subject", "date"]);
    assert_eq!(judge_results(&signed_by(few.clone())), "dkim-header-not-covered");
    let mut part = usual_options(&World::new());
    part.extra_tags = " l=0;".to_owned();
    assert_eq!(judge_results(&signed_by(part)), "authentication-results-not-pass");
    assert_eq!(judge_results(&[results, GOOD].concat().into_bytes()), "authentication-results-not-pass");
    // One that covers beside one that does not: which passed is not said.
    let both = [results.as_bytes(), &sign(&few, &signed(GOOD))].concat();
    assert_eq!(judge_results(&both), "dkim-header-not-covered");
    let raw = include_bytes!("../../../tests/vectors/mail/acme2certifier-challenge.eml");
    assert_eq!(judge_results(raw), "dkim-header-not-covered");
    let relaxed = AuthenticationResultsAuthenticator::new(ID).signed_headers(SignedHeaders::Relaxed);
    assert!(relaxed.check(&received(raw), &World::new().expected()).is_ok());
    let wrong =
        AuthenticationResultsAuthenticator::new("mx.other.test").signed_headers(SignedHeaders::Relaxed);
    let refused = wrong.check(&received(raw), &World::new().expected()).unwrap_err();
    assert_eq!(refused.word(), "authentication-results-missing");
}

#[test]
fn mails_that_are_no_challenge_are_refused_before() {
    let results = "Authentication-Results: mx.example.test; dkim=pass header.d=ca.example.test\r\n";
    for (reason, mail) in [
        ("not-a-challenge", with("ACME: ", "Re: ACME: ")),
        ("to-not-expected", with("bob@", "carol@")),
        ("token-malformed", with(TOKEN, "short")),
    ] {
        assert_eq!(judge_results(&[results.as_bytes(), &signed(&mail)].concat()), reason);
    }
    // The body was changed behind the border server.
    let raw = String::from_utf8(under(results)).unwrap().replacen("Hello", "Hallo", 1);
    assert_eq!(judge_results(raw.as_bytes()), "authentication-results-not-pass");
}
