//! Bodies of the fuzz targets, and of the replay of their seeds. They assert what must hold for any input.
//!
//! Not part of the API.
#![allow(clippy::missing_panics_doc, clippy::panic)]

use alloc::vec::Vec;

use crate::certificate::Certificate;
use crate::crl::Crl;
use crate::header::{self, Headers};
use crate::limits::Limits;
use crate::mailbox::Mailbox;
use crate::ocsp::OcspResponse;
use crate::signature::Sm2Id;
use crate::software::SoftwareKey;
use crate::tlv::{self, Reader, Rules, Tag, Tlv, write};

/// Walks over `input` as far as it can be read: spans lie in order within the input, what is DER is BER too,
/// and what is DER is written again as the same octets.
pub fn tlv(input: &[u8]) {
    let limits = Limits::default();
    let der = walk(input, Rules::Der, &limits);
    let ber = walk(input, Rules::Ber, &limits);
    assert!(ber >= der, "DER reads {der} values where BER reads {ber}");
    if !tlv::deviates_from_der(input, &limits) {
        let mut reader = Reader::new(input, Rules::Der, &limits);
        let whole = reader.any().map(|value| write::tlv(value.tag(), value.content()));
        assert_eq!(whole.as_deref(), Ok(input), "DER has one form");
    }
}

// How many values are read before the end or the first error.
fn walk(input: &[u8], rules: Rules, limits: &Limits) -> usize {
    let mut open = Vec::from([Reader::new(input, rules, limits)]);
    let mut count = 0;
    while let Some(reader) = open.last_mut() {
        if reader.is_empty() {
            open.pop();
            continue;
        }
        let before = reader.rest();
        let Ok(value) = reader.any() else { return count };
        count += 1;
        inspect(input, &value, rules);
        assert_eq!(before.len(), value.bytes().len() + reader.rest().len(), "nothing is lost or read twice");
        if let Ok(inner) = value.reader() {
            assert!(open.len() <= limits.asn1_depth, "deeper than the limit");
            open.push(inner);
        }
    }
    count
}

fn inspect(input: &[u8], value: &Tlv<'_>, rules: Rules) {
    let end = value.offset() + value.bytes().len();
    assert_eq!(input.get(value.offset()..end), Some(value.bytes()), "offset and octets agree");
    assert!(value.content().len() + 2 <= value.bytes().len(), "content lies within the value");
    assert!(rules == Rules::Ber || !value.is_indefinite(), "DER has no indefinite lengths");
    if let Ok(octets) = value.octet_string() {
        assert!(octets.len() <= value.content().len(), "putting together never grows");
    }
    if let Ok(time) = value.time() {
        let kind =
            if value.tag() == Tag::UTC_TIME { write::time(time) } else { write::generalized_time(time) };
        assert!(kind.ends_with(value.content()), "a time has one form");
    }
    if let Ok(number) = value.small() {
        assert!(write::small(number).ends_with(value.content()), "an INTEGER has one form");
    }
    if let Ok(oid) = value.oid() {
        assert_eq!(oid.as_bytes(), value.content(), "an identifier keeps its octets");
    }
    // These must not panic; what they give is for their own tests.
    let _ = (value.text(), value.bits(), value.boolean(), value.algorithm());
}

/// Reads a certificate: its octets stay, every part is a part of it, and x509-cert agrees on the parts.
pub fn certificate(input: &[u8]) {
    let Ok(certificate) = Certificate::from_der(input) else { return };
    assert_eq!(certificate.as_der(), input, "octets are kept");
    let parts = [
        certificate.tbs_der(),
        certificate.issuer_der(),
        certificate.subject_der(),
        certificate.spki_der(),
        certificate.serial(),
        certificate.signature_algorithm().bytes,
    ];
    assert!(parts.iter().all(|part| !part.is_empty()), "no part is lost");
    assert!(certificate.serial().len() <= 64, "serial numbers are bounded");
    let mut oids: Vec<_> = certificate.extensions().map(|extension| extension.oid).collect();
    let count = oids.len();
    oids.sort_unstable();
    oids.dedup();
    assert_eq!(oids.len(), count, "no extension occurs twice");
    for mailbox in certificate.mailboxes() {
        self::mailbox(mailbox.as_str());
    }
    let again = Certificate::from_pem(&certificate.to_pem());
    assert_eq!(again.as_ref(), Ok(&certificate), "PEM gives the same octets");
    if let Ok(theirs) = certificate.to_x509() {
        let tbs = theirs.tbs_certificate();
        assert_eq!(tbs.serial_number().as_bytes(), certificate.serial(), "x509-cert reads the same serial");
        assert_eq!(theirs.signature().raw_bytes(), certificate.signature(), "and the same signature");
        let not_after = i64::try_from(tbs.validity().not_after.to_unix_duration().as_secs());
        assert!(
            certificate.not_after().unix() < 0 || not_after == Ok(certificate.not_after().unix()),
            "and the same end"
        );
    }
    let _ = (certificate.subject_text(), certificate.issuer_text());
}

/// Reads a CRL: its octets stay, every entry is found by its serial number, PEM gives it back.
pub fn crl(input: &[u8]) {
    let limits = Limits::default();
    let Ok(crl) = Crl::from_der(input, &limits) else { return };
    assert_eq!(crl.as_der(), input, "octets are kept");
    let parts = [crl.tbs_der(), crl.issuer_der(), crl.signature_algorithm().bytes];
    assert!(parts.iter().all(|part| !part.is_empty()), "no part is lost");
    let mut before: &[u8] = &[];
    for entry in crl.entries() {
        assert!(entry.serial >= before, "entries are sorted");
        before = entry.serial;
        assert!(crl.entries_of(entry.serial).any(|found| found == entry), "an entry is found");
        let own = entry.certificate_issuer == crl.issuer_der();
        assert!(own || crl.is_indirect(), "only an indirect list speaks of other issuers");
    }
    let number = |octets: &[u8]| octets.first().is_some_and(|first| *first < 0x80);
    assert!(
        crl.number().is_none_or(number) && crl.delta_base().is_none_or(number),
        "numbers are not negative"
    );
    assert_eq!(Crl::from_pem(&crl.to_pem(), &limits).as_ref(), Ok(&crl), "PEM gives the same octets");
    let _ = (crl.issuer_text(), crl.next_update(), crl.authority_key_identifier());
}

/// Reads an OCSP response: its octets stay, and it believes no made-up signer.
pub fn ocsp(input: &[u8]) {
    let limits = Limits::default();
    let Ok(response) = OcspResponse::from_der(input, &limits) else { return };
    assert_eq!(response.as_der(), input, "octets are kept");
    assert!(response.certificates().len() <= limits.certificates, "certificates are bounded");
    for certificate in response.certificates() {
        let Some(key) = certificate.public_key() else { continue };
        assert!(response.statuses(certificate, key).count() <= response.len(), "statuses are bounded");
        let _ = response.is_responder(certificate);
        let _ = response.verify_signature_by(key, Sm2Id::Default);
    }
}

/// Reads a header section and every value by every grammar: fields and body make up the message, addresses are
/// addresses, decoded text has no control characters but those that stood there openly.
pub fn headers(input: &[u8]) {
    let limits = Limits::default();
    let Ok((headers, body)) = Headers::parse(input, &limits) else { return };
    assert_eq!([headers.bytes(), body].concat(), input, "nothing is lost");
    assert!(headers.len() <= limits.header_count, "fields are bounded");
    for field in headers.iter() {
        assert!(field.raw.starts_with(field.name.as_bytes()), "the name starts the field");
        let text = header::decoded(field.value_raw);
        let shown = |c: char| c.is_control() && !field.value_raw.contains(&u8::try_from(c).unwrap_or(0));
        assert!(
            field.value_raw.iter().any(|octet| *octet >= 0x80) || !text.contains(shown),
            "nothing hidden"
        );
        assert!(!text.contains(['\r', '\n', '\0']), "one line");
        if let Ok(addresses) = header::parse_addresses(field.value_raw) {
            for address in addresses {
                mailbox(address.mailbox.as_str());
            }
        }
        if let Ok(content_type) = header::content_type(field.value_raw) {
            assert!(content_type.essence.contains('/'), "type and subtype");
        }
        let _ = header::parse_date(field.value_raw);
    }
}

/// Reads a mailbox: what is accepted has one form, which reads as the same mailbox.
pub fn mailbox(text: &str) {
    let Ok(mailbox) = text.parse::<Mailbox>() else { return };
    assert_eq!(mailbox.as_str().parse::<Mailbox>().as_ref(), Ok(&mailbox), "its own form reads as itself");
    assert!(mailbox.matches(&mailbox), "it matches itself");
    assert!(!mailbox.as_str().contains(char::is_control), "no control characters");
    assert!(mailbox.ascii_domain().is_ascii(), "A-labels are ASCII");
}

/// A private key under the password `p`, in DER or PEM, with bounds so low that no input costs more than a moment.
pub fn encrypted_key(input: &[u8]) {
    let limits = Limits { pbkdf2_iterations: 20, scrypt_memory: 1 << 16, ..Limits::default() };
    let mut found = SoftwareKey::from_encrypted_der(input, b"p", &limits).ok();
    if let Ok(text) = core::str::from_utf8(input) {
        found = found.or_else(|| SoftwareKey::from_pem_with_password(text, b"p", &limits).ok());
    }
    if let Some(key) = found {
        let again = SoftwareKey::from_pkcs8_der(&key.to_pkcs8_der());
        assert!(again.is_ok_and(|again| again.public_key() == key.public_key()), "what is read is written");
    }
    if let Ok(plain) = crate::password::decrypt(input, b"p", &limits) {
        assert!(plain.len() < input.len(), "padding is taken away");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LEAF: &str = include_str!("../tests/vectors/keys/sm2-sig.crt");
    const CRL: &str = include_str!("../tests/vectors/revocation/sm2-ca.crl");
    const OCSP: &[u8] = include_bytes!("../tests/vectors/revocation/sm2-responder.ocsp");
    const MAIL: &[u8] =
        b"From: =?utf-8?q?A=C3=A9?= <a@b.example>, T: \"c d\"@e.example;\r\nDate: Mon, 23 Nov 2026 \
        08:09:10 +0000\r\nContent-Type: multipart/signed; boundary=\"x\"\r\n\r\nbody";

    // Changes some octets of a valid input: nearer to what an attacker sends than noise.
    fn changed(base: &[u8], changes: &[(usize, u8)]) -> Vec<u8> {
        let mut input = base.to_vec();
        for (position, octet) in changes {
            let index = position % input.len();
            input[index] = *octet;
        }
        input
    }

    fn changes() -> impl Strategy<Value = Vec<(usize, u8)>> {
        prop::collection::vec((any::<usize>(), any::<u8>()), 0..6)
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

        #[test]
        fn any_octets(input in prop::collection::vec(any::<u8>(), 0..200)) {
            tlv(&input);
            certificate(&input);
            crl(&input);
            ocsp(&input);
            headers(&input);
        }

        #[test]
        fn changed_certificates(changes in changes()) {
            let leaf = Certificate::from_pem(LEAF).unwrap();
            let input = changed(leaf.as_der(), &changes);
            tlv(&input);
            certificate(&input);
        }

        #[test]
        fn changed_evidence(changes in changes()) {
            let list = Crl::from_pem(CRL, &Limits::default()).unwrap();
            crl(&changed(list.as_der(), &changes));
            ocsp(&changed(OCSP, &changes));
        }

        #[test]
        fn changed_headers(changes in changes()) {
            headers(&changed(MAIL, &changes));
        }

        #[test]
        fn near_mailboxes(text in "[a-zé\"\\\\.@ \u{202e}\u{0}-]{0,12}@[a-z中.\\-]{0,8}") {
            mailbox(&text);
        }
    }
}
