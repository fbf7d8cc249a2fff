//! Bodies of the targets of aecm-core: any octets in, invariants asserted.

use std::sync::OnceLock;

use aecm_core::certificate::Certificate;
use aecm_core::crl::Crl;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::header::{self, Headers};
use aecm_core::limits::Limits;
use aecm_core::mailbox::Mailbox;
use aecm_core::ocsp::OcspResponse;
use aecm_core::path::{self, Anchors, PathOptions, PathPurpose, Revocation, RevocationStatus};
use aecm_core::public_key::PublicKey;
use aecm_core::signature::{SignatureAlgorithm, Sm2Id};
use aecm_core::software::SoftwareKey;
use aecm_core::time::Time;
use aecm_core::tlv::{Reader, Rules, Tlv, TlvError, deviates_from_der};

/// Reads any octets as ASN.1, all the way down. Values lie in one another, errors name a place in the input, and
/// what is DER is read by both rules.
pub fn tlv(data: &[u8]) {
    let limits = Limits::default();
    let mut whole = Vec::new();
    for rules in [Rules::Ber, Rules::Der] {
        let result = walk(Reader::new(data, rules, &limits), data);
        if let Err(error) = &result {
            assert!(error.offset() <= data.len(), "an error behind the end: {error}");
        }
        whole.push(result.is_ok());
    }
    if !data.is_empty() && !deviates_from_der(data, &limits) {
        assert_eq!(whole, [true, true], "DER that cannot be read");
    }
}

fn walk(mut reader: Reader<'_>, outer: &[u8]) -> Result<(), TlvError> {
    while !reader.is_empty() {
        let peeked = reader.peek()?;
        let value = reader.any()?;
        assert_eq!(peeked, Some(value.tag()));
        assert!(inside(value.bytes(), outer) && inside(value.content(), value.bytes()));
        decode(&value);
        if value.tag().constructed {
            walk(value.reader()?, value.content())?;
        }
    }
    reader.finish()
}

/// Every decoder takes every value, or says what it is instead.
fn decode(value: &Tlv<'_>) {
    let longest = value.content().len();
    let _ = value.oid().map(|oid| oid.to_string());
    let _ = value.integer().map(|octets| assert!(octets.len() <= longest));
    let _ = value.small();
    let _ = value.boolean();
    let _ = value.bits().map(|(unused, octets)| assert!(unused < 8 && octets.len() <= longest));
    let _ = value.text();
    let _ = value.time().map(|time| time.to_string());
    let _ = value.octet_string().map(|octets| assert!(octets.len() <= longest));
    let _ = value.algorithm().map(|algorithm| assert!(inside(algorithm.bytes, value.bytes())));
}

/// Reads any octets as a certificate, in DER or PEM. Its octets are kept, and everything it says can be asked.
pub fn certificate(data: &[u8]) {
    let found = match core::str::from_utf8(data) {
        Ok(text) => Certificate::all_from_pem(text).unwrap_or_default(),
        Err(_) => Vec::new(),
    };
    if let Ok(certificate) = Certificate::from_der(data) {
        assert_eq!(certificate.as_der(), data, "the octets were not kept");
        ask(&certificate);
    }
    for certificate in found {
        let again = Certificate::from_pem(&certificate.to_pem());
        assert!(again.is_ok_and(|again| again == certificate), "PEM that does not read back");
        ask(&certificate);
    }
}

fn ask(certificate: &Certificate) {
    let der = certificate.as_der();
    for part in
        [certificate.tbs_der(), certificate.issuer_der(), certificate.subject_der(), certificate.spki_der()]
    {
        assert!(
            der.windows(part.len()).any(|window| window == part),
            "a part that is not in the certificate"
        );
    }
    assert!(certificate.extensions().count() <= Limits::default().extensions);
    let mailboxes = certificate.mailboxes();
    assert!(certificate.san_mailboxes().iter().all(|mailbox| mailboxes.contains(mailbox)));
    assert!(!certificate.subject_text().contains(['\r', '\n', '\0']), "control characters for people");
    assert!(!certificate.issuer_text().contains(['\r', '\n', '\0']), "control characters for people");
    let _ = (certificate.key_usage(), certificate.extended_key_usage(), certificate.basic_constraints());
    let _ = (certificate.crl_urls(), certificate.ocsp_urls(), certificate.issuer_urls());
    let _ = (certificate.not_before().to_string(), certificate.not_after().to_string());
    let _ = certificate.to_x509();
    if let Some(key) = certificate.public_key() {
        let _ = certificate.verify_signature_by(key, Sm2Id::Default);
    }
}

/// Any octets as a CRL.
pub fn crl(data: &[u8]) {
    aecm_core::fuzzing::crl(data);
}

/// Any octets as an OCSP response.
pub fn ocsp(data: &[u8]) {
    aecm_core::fuzzing::ocsp(data);
}

/// Certificates, CRLs and OCSP responses one behind the other: the first certificate is judged, all else may help.
/// A path that holds ends in one of our anchors, every signature on it is right, and nothing is good without evidence.
pub fn path(data: &[u8]) {
    let limits = Limits::default();
    let mut reader = Reader::new(data, Rules::Ber, &limits);
    let mut certificates = Vec::new();
    let mut revocation = Revocation::default();
    for _ in 0..16 {
        let Ok(value) = reader.any() else { break };
        certificates.extend(Certificate::from_der(value.bytes()));
        revocation.crls.extend(Crl::from_der(value.bytes(), &limits));
        revocation.ocsp.extend(OcspResponse::from_der(value.bytes(), &limits));
    }
    let Some((leaf, others)) = certificates.split_first() else { return };
    for purpose in
        [PathPurpose::SignMail, PathPurpose::EncryptMail, PathPurpose::TimestampAuthority, PathPurpose::Any]
    {
        let mut options = PathOptions::new(purpose, Some(Time::from_unix(1_796_083_200)), limits.clone());
        options.revocation = revocation.clone();
        match path::validate(leaf, others, anchors(), &options) {
            Ok(path) => {
                assert_eq!(path.chain.first(), Some(leaf));
                assert!(path.chain.last().is_some_and(|last| anchors().certificates().contains(last)));
                for pair in path.chain.windows(2) {
                    let [below, above] = pair else { continue };
                    let issuer = above.public_key().expect("an issuer has a key");
                    assert!(
                        below.verify_signature_by(issuer, Sm2Id::Default).is_ok(),
                        "a path without signature"
                    );
                }
                let evidence = !revocation.crls.is_empty() || !revocation.ocsp.is_empty();
                assert!(evidence || path.revocation != RevocationStatus::Good, "good without evidence");
                // What evidence allows is allowed without it: it can only take away.
                options.revocation = Revocation::default();
                assert!(path::validate(leaf, others, anchors(), &options).is_ok(), "evidence made it hold");
                options.policies.explicit = true;
                let held = path::validate(leaf, others, anchors(), &options);
                assert!(held.is_err() || !path.valid_policies.is_empty(), "valid for no policy");
            }
            Err(failure) => assert!(!failure.word().is_empty()),
        }
    }
    let none = Anchors::new(Vec::new());
    let options = PathOptions::new(PathPurpose::Any, None, limits);
    assert!(path::validate(leaf, others, &none, &options).is_err(), "trusted without anchors");
}

fn anchors() -> &'static Anchors {
    static ANCHORS: OnceLock<Anchors> = OnceLock::new();
    ANCHORS.get_or_init(|| {
        let roots = [
            include_str!("../../aecm-core/tests/vectors/keys/rsa-ca.crt"),
            include_str!("../../aecm-core/tests/vectors/keys/p256-ca.crt"),
            include_str!("../../aecm-core/tests/vectors/keys/sm2-ca.crt"),
        ];
        Anchors::new(roots.into_iter().map(|pem| Certificate::from_pem(pem).expect("a root")).collect())
    })
}

/// Any octets as SubjectPublicKeyInfo, then as a signature and a message for the key.
pub fn public_key(data: &[u8]) {
    let Ok(key) = PublicKey::from_spki_der(data) else { return };
    assert_eq!(key.spki_der(), data, "the octets were not kept");
    assert_eq!(key.rsa_parts().is_some(), key.sec1_point().is_none());
    let _ = (key.key_identifier(), key.suite(), format!("{key:?}"));
    for algorithm in [
        SignatureAlgorithm::RsaPkcs1(DigestAlgorithm::Sha256),
        SignatureAlgorithm::RsaPss(DigestAlgorithm::Sha256),
        SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256),
        SignatureAlgorithm::Sm2Sm3,
    ] {
        // The message is bound to the key, so that a fuzzer cannot work towards a match.
        let signature = DigestAlgorithm::Sha512.digest(data);
        assert!(key.verify(algorithm, Sm2Id::Default, data, &signature).is_err(), "a made-up signature");
    }
}

/// Any octets as a private key, in DER or PEM: what is read is written and reads back as the same key.
pub fn private_key(data: &[u8]) {
    let mut keys = Vec::new();
    keys.extend(SoftwareKey::from_pkcs8_der(data));
    keys.extend(core::str::from_utf8(data).ok().and_then(|text| SoftwareKey::from_pem(text).ok()));
    for key in keys {
        let again = SoftwareKey::from_pkcs8_der(&key.to_pkcs8_der());
        assert!(again.is_ok_and(|again| again.public_key() == key.public_key()), "a key does not read back");
    }
}

/// Any octets as a mail: its header section, and every field as everything that a field can be.
pub fn mail_header(data: &[u8]) {
    let limits = Limits::default();
    if let Ok((headers, body)) = Headers::parse(data, &limits) {
        assert!(inside(headers.bytes(), data) && inside(body, data));
        assert!(headers.len() <= limits.header_count);
        for field in headers.iter() {
            assert!(headers.get_all(field.name).next().is_some(), "a field that its name does not find");
            assert!(!header::unfold(field.value_raw).contains(['\r', '\n']), "unfolding leaves line ends");
            value(field.value_raw);
        }
    }
    value(data);
}

fn value(octets: &[u8]) {
    let _ = header::decoded(octets);
    if let Ok(addresses) = header::parse_address_list(octets) {
        for mailbox in &addresses {
            assert!(mailbox.as_str().parse::<Mailbox>().is_ok_and(|again| &again == mailbox));
        }
        assert!(header::parse_single_address(octets).is_err() || addresses.len() == 1);
    }
    let _ =
        header::content_type(octets).map(|found| format!("{} {:?}", found.type_(), found.param("boundary")));
    let _ = header::content_disposition(octets);
    let _ = header::parse_date(octets);
}

/// Any text as a mailbox: its text reads back, and it matches itself in every spelling of the domain.
pub fn mailbox(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else { return };
    let Ok(mailbox) = text.parse::<Mailbox>() else { return };
    assert!(!mailbox.as_str().contains(['\r', '\n', '\0']));
    assert!(mailbox.as_str().parse::<Mailbox>().is_ok_and(|again| again == mailbox));
    assert!(mailbox.matches(&mailbox));
    // A-labels are longer than U-labels, perhaps too long.
    let spelt = |domain: &str| format!("{}@{domain}", mailbox.local()).parse::<Mailbox>();
    if let Ok(ascii) = spelt(&mailbox.ascii_domain()) {
        assert!(ascii.matches(&mailbox) && mailbox.matches(&ascii), "its A-labels differ");
    }
    if let Ok(upper) = spelt(&mailbox.ascii_domain().to_ascii_uppercase()) {
        assert!(upper.matches(&mailbox), "the case of the domain matters");
    }
}

fn inside(part: &[u8], whole: &[u8]) -> bool {
    let (part, whole) = (part.as_ptr_range(), whole.as_ptr_range());
    part.is_empty() || (whole.start <= part.start && part.end <= whole.end)
}
