//! Requests to a time-stamping authority and its answers (RFC 3161).

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use aecm_core::oid::ObjectIdentifier;
use aecm_core::time::Time;
use aecm_core::tlv::write;
use aecm_timestamp::Request;
use aecm_timestamp::issue::{Unit, random_serial};

use super::edit::{at, flip, replace};
use super::seeded::Seeded;
use super::{CONTENT, Case, Check, JUDGED_AT, MADE_AT, Outcome, Set, keys};

const RSA: (&str, &str) = ("timestamp/rsa.tsq", "timestamp/rsa.tsr");
const SM2: (&str, &str) = ("timestamp/sm2.tsq", "timestamp/sm2.tsr");
const RSA_NAMES: &str = "SHA-256, RSA PKCS#1 v1.5";
const SM2_NAMES: &str = "SM3, SM2";

/// ETSI's best practices policy (EN 319 421 §5.2).
pub(super) const POLICY: ObjectIdentifier = ObjectIdentifier::new_unwrap("0.4.0.2023.1.1");

pub(super) fn unit(key: &str, rng: std::sync::Arc<dyn Rng>) -> Outcome<Unit> {
    let identity = keys::identity(key, rng)?;
    Ok(Unit::new(identity, POLICY).with_accuracy(core::time::Duration::from_secs(1)))
}

pub(super) async fn add(set: &mut Set) -> Outcome<()> {
    let now = Time::from_rfc3339(MADE_AT).ok_or("a time")?;
    for ((query, answer), key, digest, algorithm) in [
        (RSA, "rsa-tsa", DigestAlgorithm::Sha256, RSA_NAMES),
        (SM2, "sm2-tsa", DigestAlgorithm::Sm3, SM2_NAMES),
    ] {
        let request = request(query, digest)?;
        let rng = Seeded::new(answer);
        let serial = random_serial(&*rng)?;
        set.file(answer, unit(key, rng)?.answer(&request, now, &serial).await);
        set.file(query, request);
        let shows =
            "granted: nonce echoed, signingCertificateV2, certificate included, accuracy of one second";
        let check = Check::Timestamp { request: query, at: JUDGED_AT };
        set.cases.push(Case::good(answer, check, algorithm, shows, "granted").proven(MADE_AT));
    }

    // A unit of the national suite stamps SM3 only (GM/T 0033).
    let file = "timestamp/sm2-rejection.tsr";
    let mut national = unit("sm2-tsa", Seeded::new(file))?;
    national.digests = vec![DigestAlgorithm::Sm3];
    let rejection = national.answer(set.read(RSA.0)?, now, &[1]).await;
    set.file(file, rejection);
    let shows = "refused with badAlg: SHA-256 asked of a unit that stamps SM3";
    let check = Check::Timestamp { request: RSA.0, at: JUDGED_AT };
    set.cases.push(Case::good(file, check, SM2_NAMES, shows, "refused").reasons(&["timestamp-rejected"]));
    broken(set)
}

fn request(file: &str, digest: DigestAlgorithm) -> Outcome<Vec<u8>> {
    let mut nonce = [0; 8];
    Seeded::new(file).fill(&mut nonce)?;
    Ok(Request::new(digest, &digest.digest(CONTENT), nonce)?.to_der())
}

fn broken(set: &mut Set) -> Outcome<()> {
    let [rsa, sm2] = [set.read(RSA.1)?, set.read(SM2.1)?].map(<[u8]>::to_vec);
    let of = |request, at| Check::Timestamp { request, at };

    let other = "timestamp/rsa-other-nonce.tsq";
    set.file(other, request(other, DigestAlgorithm::Sha256)?);
    let shows = "the answer to another request for the same imprint";
    let case = Case::good(RSA.1, of(other, JUDGED_AT), RSA_NAMES, shows, "refused");
    set.cases.push(case.reasons(&["timestamp-nonce-mismatch"]));
    let shows = "the answer to a request for another imprint";
    let case = Case::good(SM2.1, of(RSA.0, JUDGED_AT), SM2_NAMES, shows, "refused");
    set.cases.push(case.reasons(&["timestamp-imprint-mismatch"]));
    let shows = "an answer that is an hour old";
    let case = Case::good(SM2.1, of(SM2.0, "2026-12-01T01:00:00Z"), SM2_NAMES, shows, "refused");
    set.cases.push(case.reasons(&["timestamp-not-fresh"]));

    // TimeStampResp / token / [0] / SignedData / signerInfos / SignerInfo / signature.
    let file = "broken/timestamp-signature-changed.tsr";
    set.file(file, flip(&sm2, &[1, 1, 0, 4, 0, 5])?);
    let shows = "the last bit of the token's signature turned over";
    let case = Case::good(file, of(SM2.0, JUDGED_AT), SM2_NAMES, shows, "refused").derived(SM2.1);
    set.cases.push(case.reasons(&["timestamp-signature-mismatch"]));

    let file = "broken/timestamp-time-changed.tsr";
    let tst_info_at = [1, 1, 0, 2, 1, 0];
    let octets = super::edit::content(&rsa, &tst_info_at)?;
    let later = Time::from_rfc3339("2026-12-01T00:00:30Z").ok_or("a time")?;
    let moved = replace(&octets, &[4], &write::generalized_time(later))?;
    set.file(file, replace(&rsa, &tst_info_at, &write::octet_string(&moved))?);
    let shows = "genTime moved by half a minute";
    let case = Case::good(file, of(RSA.0, JUDGED_AT), RSA_NAMES, shows, "refused").derived(RSA.1);
    set.cases.push(case.reasons(&["timestamp-digest-mismatch"]));

    let file = "broken/timestamp-certificate-removed.tsr";
    set.file(file, replace(&rsa, &[1, 1, 0, 3], b"")?);
    let shows = "the certificate that was asked for taken out";
    let case = Case::good(file, of(RSA.0, JUDGED_AT), RSA_NAMES, shows, "refused").derived(RSA.1);
    set.cases.push(case.reasons(&["timestamp-certificates-missing"]));

    let file = "broken/timestamp-status-changed.tsr";
    let status = replace(&at(&sm2, &[0])?, &[0], &write::small(2))?;
    set.file(file, replace(&sm2, &[0], &status)?);
    let shows = "the status says rejection and there is a token";
    let case = Case::good(file, of(SM2.0, JUDGED_AT), SM2_NAMES, shows, "refused").derived(SM2.1);
    set.cases.push(case.reasons(&["timestamp-status-and-token-disagree"]));
    Ok(())
}
