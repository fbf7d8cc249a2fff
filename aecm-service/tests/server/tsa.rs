//! The timestamp authority: RFC 3161 over HTTP (§3.4).

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{Clock, Method, SystemClock};
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::path::Anchors;
use aecm_core::suite::Suite;
use aecm_service::AcmeOptions;
use aecm_smime::cms::SignedData;
use aecm_smime::verify::TimestampTrust;

use aecm_timestamp::response::parse_response;
use aecm_timestamp::{Request, TimestampPolicy, verify_response};

use crate::client::{Client, start};

const QUERY: Option<&str> = Some("application/timestamp-query");

#[tokio::test]
async fn both_units_stamp_under_their_own_root() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let roots = &service.anchors().tsa;
    for (suite, digest, own, other) in [
        (Suite::Classic, DigestAlgorithm::Sha256, &roots.classic, &roots.sm2),
        (Suite::Sm2, DigestAlgorithm::Sm3, &roots.sm2, &roots.classic),
    ] {
        let request = Request::new(digest, &digest.digest(b"a signature"), [7; 8]).unwrap();
        let url = service.tsa_url(suite);
        let answer = client.raw(Method::Post, &url, QUERY, request.to_der()).await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/timestamp-reply"));
        let now = SystemClock.now();
        let policy = TimestampPolicy::new(Anchors::new(vec![own.clone()])).at(now);
        let token = verify_response(&request, &answer.0.body, &policy, now).unwrap();
        assert_eq!(token.trust, TimestampTrust::Tsa);
        // Under another root, or for another request, it is worth nothing.
        let wrong = TimestampPolicy::new(Anchors::new(vec![other.clone()])).at(now);
        assert!(verify_response(&request, &answer.0.body, &wrong, now).is_err());
        let asked = Request::new(digest, &digest.digest(b"another"), [7; 8]).unwrap();
        assert!(verify_response(&asked, &answer.0.body, &policy, now).is_err());
        let asked = Request::new(digest, &digest.digest(b"a signature"), [8; 8]).unwrap();
        assert!(verify_response(&asked, &answer.0.body, &policy, now).is_err());

        // DESIGN §5: the unit's certificate names no mailbox; its usage is stamping alone, critically.
        let limits = Limits::default();
        let signed = SignedData::parse(&token.der, &limits).unwrap();
        let certificates = signed.certificates();
        let unit = certificates.iter().find(|one| signed.signers()[0].sid().names(one)).unwrap();
        assert!(unit.mailboxes().is_empty());
        let usage = unit.extended_key_usage().unwrap();
        assert!(usage.critical && usage.is_only(&oid::TIME_STAMPING));
        assert_eq!(unit.public_key().unwrap().suite(), suite);
    }
}

#[tokio::test]
async fn it_answers_requests_and_nothing_else() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let url = service.tsa_url(Suite::Classic);
    client.get(&url).await.expect(405);
    for content_type in [None, Some("application/octet-stream"), Some("application/timestamp-reply")] {
        client.raw(Method::Post, &url, content_type, vec![0x30, 0]).await.expect(415);
    }
    client.raw(Method::Post, &format!("{url}/x"), QUERY, Vec::new()).await.expect(404);

    let sha1 = DigestAlgorithm::Sha1;
    let good = Request::new(DigestAlgorithm::Sha256, &[1; 32], [7; 8]).unwrap();
    let unknown_policy = good.clone().with_policy(oid::ANY_EXTENDED_KEY_USAGE);
    for (what, body) in [
        ("nothing", Vec::new()),
        ("garbage", b"GET / HTTP/1.1".to_vec()),
        ("trailing octets", [good.to_der(), vec![0]].concat()),
        ("a cut request", good.to_der()[..20].to_vec()),
        ("another policy", unknown_policy.to_der()),
        ("SHA-1", Request::new(sha1, &[1; 20], [7; 8]).map(|request| request.to_der()).unwrap_or_default()),
    ] {
        let answer = client.raw(Method::Post, &url, QUERY, body).await.expect(200);
        let parsed = parse_response(&answer.0.body, &Limits::default()).unwrap();
        assert!(!parsed.status.is_granted(), "{what}");
        assert!(parsed.token.is_none(), "{what}");
    }
}

// Two stamps never share a serial number (RFC 3161 §2.4.2).
#[tokio::test]
async fn serial_numbers_differ() {
    let service = start(AcmeOptions::default()).await;
    let client = Client::new(&service).await;
    let url = service.tsa_url(Suite::Sm2);
    let request = Request::new(DigestAlgorithm::Sm3, &[1; 32], [7; 8]).unwrap();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..4 {
        let answer = client.raw(Method::Post, &url, QUERY, request.to_der()).await.expect(200);
        let now = SystemClock.now();
        let policy = TimestampPolicy::new(Anchors::new(vec![service.anchors().tsa.sm2.clone()])).at(now);
        let token = verify_response(&request, &answer.0.body, &policy, now).unwrap();
        assert!(seen.insert(token.info.serial.clone()));
    }
}
