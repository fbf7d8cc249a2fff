//! Another ASN.1 library (rasn) reads what is written here, and sees the same; and it reads what others wrote as we
//! do.

use core::time::Duration;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_timestamp::response::{Failure, rejected};
use aecm_timestamp::{Request, Unit, parse_response};
use rasn::types::{Integer, ObjectIdentifier as RasnOid};
use rasn_cms::tsp::{PkiStatus, TimeStampReq, TimeStampResp, TstInfo};

use crate::maker::{CLASSIC, DATA, NATIONAL, POLICY, noon, run};

const NONCE: [u8; 8] = [0x80, 1, 2, 3, 4, 5, 6, 7];

fn request(digest: DigestAlgorithm) -> Request {
    Request::new(digest, &digest.digest(DATA), NONCE).unwrap().with_policy(POLICY)
}

fn same(theirs: &RasnOid, ours: &oid::ObjectIdentifier) -> bool {
    ours.arcs().eq(theirs.iter().copied())
}

#[test]
fn a_request() {
    let ours = request(DigestAlgorithm::Sm3);
    let read: TimeStampReq = rasn::der::decode(&ours.to_der()).unwrap();
    assert_eq!(read.version, 1);
    assert!(same(&read.message_imprint.hash_algorithm.algorithm, &oid::SM3));
    assert_eq!(read.message_imprint.hashed_message.as_ref(), ours.imprint());
    assert!(same(read.req_policy.as_ref().unwrap(), &POLICY));
    assert_eq!(read.nonce, Some(Integer::from(u64::from_be_bytes(NONCE))));
    assert!(read.cert_req && read.extensions.is_none());
    assert_eq!(rasn::der::encode(&read).unwrap(), ours.to_der());
}

fn content(der: &[u8]) -> (RasnOid, Vec<u8>, usize) {
    let answer: TimeStampResp = rasn::der::decode(der).unwrap();
    let token = answer.time_stamp_token.unwrap();
    let signed: rasn_cms::SignedData = rasn::ber::decode(token.content.as_bytes()).unwrap();
    assert_eq!(signed.signer_infos.len(), 1);
    let content = signed.encap_content_info.content.unwrap().to_vec();
    (signed.encap_content_info.content_type, content, signed.certificates.map_or(0, |bag| bag.len()))
}

#[test]
fn a_token() {
    for (world, digest) in [(&*CLASSIC, DigestAlgorithm::Sha256), (&*NATIONAL, DigestAlgorithm::Sm3)] {
        let mut unit =
            Unit::new(world.tsa.identity(), POLICY).with_accuracy(Duration::from_micros(2_900_128));
        unit.ordering = true;
        let answer = run(unit.answer(&request(digest).to_der(), noon(), &[0xff, 1]));
        let (content_type, content, certificates) = content(&answer);
        assert!(same(&content_type, &oid::TST_INFO));
        assert_eq!(certificates, 1);
        let info: TstInfo = rasn::der::decode(&content).unwrap();
        assert_eq!(info.version, Integer::from(1));
        assert!(same(&info.policy, &POLICY));
        assert!(same(&info.message_imprint.hash_algorithm.algorithm, &digest.oid()));
        assert_eq!(info.message_imprint.hashed_message.as_ref(), digest.digest(DATA));
        assert_eq!(info.serial_number, Integer::from(0xff01u64));
        assert_eq!(info.gen_time.timestamp(), noon().unix());
        let accuracy = info.accuracy.clone().unwrap();
        assert_eq!(accuracy.seconds, Some(Integer::from(2)));
        assert_eq!((accuracy.millis, accuracy.micros), (Some(Integer::from(900)), Some(Integer::from(128))));
        assert!(info.ordering);
        assert_eq!(info.nonce, Some(Integer::from(u64::from_be_bytes(NONCE))));
        assert!(info.tsa.is_none() && info.extensions.is_none());
        assert_eq!(rasn::der::encode(&info).unwrap(), content);
    }
}

#[test]
fn a_rejection() {
    for failure in
        [Failure::BadAlg, Failure::BadDataFormat, Failure::UnacceptedExtension, Failure::SystemFailure]
    {
        let der = rejected(failure, "nein, danke");
        let read: TimeStampResp = rasn::der::decode(&der).unwrap();
        assert_eq!(read.status.status, PkiStatus::Rejection);
        assert_eq!(read.status.status_string.as_ref().unwrap()[0], "nein, danke");
        assert!(read.time_stamp_token.is_none());
        let bits = read.status.fail_info.as_ref().unwrap();
        assert_eq!(bits.iter_ones().collect::<Vec<_>>(), [usize::from(failure.bit())]);
    }
}

#[test]
fn answers_of_others_look_the_same() {
    for (der, granted) in [
        (&include_bytes!("../vectors/tsp/openssl30-rsa-sha256.tsr")[..], true),
        (include_bytes!("../vectors/tsp/bc186-sm2-sm3.tsr"), true),
        (include_bytes!("../vectors/tsp/openssl30-rejection-status.tsr"), false),
    ] {
        let theirs: TimeStampResp = rasn::ber::decode(der).unwrap();
        let ours = parse_response(der, &Limits::default()).unwrap();
        assert_eq!(theirs.status.status == PkiStatus::Granted, granted);
        assert_eq!(ours.status.is_granted(), granted);
        assert_eq!(theirs.time_stamp_token.is_some(), ours.token.is_some());
        let text = theirs.status.status_string.map(|strings| strings.join("; ")).unwrap_or_default();
        assert_eq!(text, ours.text);
    }
}
