//! OpenSSL 3.0's `ts` command, both ways.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Clock, SystemClock};
use aecm_interop::keys;
use aecm_interop::tools::Desk;
use aecm_timestamp::{Request, TimestampPolicy, Unit, verify_response};

const DATA: &[u8] = b"to be stamped\r\n";

#[tokio::test]
async fn openssl_verifies_our_answers() {
    for (name, ca) in [("rsa-tsa", "rsa-ca"), ("p256-tsa", "p256-ca")] {
        let unit = Unit::new(keys::signer(name), "1.2.3.4.1".parse().unwrap());
        let desk = Desk::new();
        desk.put("data", DATA);
        desk.openssl("ts -query -data data -sha256 -cert -out q.tsq").expect_ok("query");
        let now = SystemClock.now();
        let answer = unit.answer(&desk.get("q.tsq"), now, &[0x12, 0x34]).await;
        desk.put("a.tsr", answer);
        let ca = keys::path(&format!("{ca}.crt"));
        desk.openssl(&format!("ts -verify -queryfile q.tsq -in a.tsr -CAfile {ca}")).expect_ok(name);
        desk.openssl(&format!("ts -verify -data data -in a.tsr -CAfile {ca}")).expect_ok(name);
        // Other data and another CA are refused, so that the yes above means something.
        let other = keys::path("sm2-ca.crt");
        desk.openssl(&format!("ts -verify -data data -in a.tsr -CAfile {other}")).expect_refusal(name);
        desk.put("data", b"something else");
        assert!(!desk.openssl(&format!("ts -verify -data data -in a.tsr -CAfile {ca}")).ok, "{name}");
    }
}

#[test]
fn we_verify_the_answers_of_openssl() {
    let desk = Desk::new();
    desk.put(
        "ts.cnf",
        format!(
            "[tsa]\ndefault_tsa=t\n\n[t]\nserial=./serial\ncrypto_device=builtin\nsigner_cert={}\ncerts={}\n\
             signer_key={}\nsigner_digest=sha256\ndefault_policy=1.2.3.4.1\ndigests=sha256,sm3,sha512\n\
             accuracy=secs:1,millisecs:500,microsecs:100\nclock_precision_digits=3\nordering=yes\ntsa_name=yes\n\
             ess_cert_id_chain=no\ness_cert_id_alg=sha256\n",
            keys::path("rsa-tsa.crt"),
            keys::path("rsa-ca.crt"),
            keys::path("rsa-tsa.key")
        ),
    );
    desk.put("serial", "01\n");
    for digest in [DigestAlgorithm::Sha256, DigestAlgorithm::Sha512, DigestAlgorithm::Sm3] {
        let request = Request::new(digest, &digest.digest(DATA), [3; 8]).unwrap();
        desk.put("q.tsq", request.to_der());
        desk.openssl("ts -reply -config ts.cnf -queryfile q.tsq -out a.tsr").expect_ok("reply");
        let policy = TimestampPolicy::new(keys::anchors(&["rsa"]));
        let now = SystemClock.now();
        let token = verify_response(&request, &desk.get("a.tsr"), &policy, now)
            .unwrap_or_else(|error| panic!("{digest:?}: {error}"));
        assert!(token.info.gen_time.unix().abs_diff(now.unix()) < 300, "{digest:?}");
        assert_eq!(token.info.imprint, digest.digest(DATA));
        // The answer to another question is refused (T1).
        let other = Request::new(digest, &digest.digest(DATA), [4; 8]).unwrap();
        assert!(verify_response(&other, &desk.get("a.tsr"), &policy, now).is_err());
        let stranger = TimestampPolicy::new(keys::anchors(&["p256"]));
        assert!(verify_response(&request, &desk.get("a.tsr"), &stranger, now).is_err());
    }
}
