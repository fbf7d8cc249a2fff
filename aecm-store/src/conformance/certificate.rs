//! Certificates for the suite: correct in form, signed by whatever key is at hand.

use aecm_core::certificate::Certificate;
use aecm_core::key::Signer;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid;
use aecm_core::suite::Purpose;
use aecm_core::time::Time;
use aecm_core::tlv::{Tag, write};

/// What a certificate says.
pub(crate) struct Wanted<'a> {
    pub(crate) mailbox: &'a Mailbox,
    pub(crate) spki: &'a [u8],
    pub(crate) purpose: Purpose,
    /// Certificates with later numbers are valid from later on, a second each.
    pub(crate) serial: u64,
}

/// A certificate (RFC 5280 §4.1) for that key, mailbox and purpose, signed by `issuer`.
pub(crate) async fn issue(wanted: &Wanted<'_>, issuer: &dyn Signer) -> Result<Certificate, String> {
    let algorithm = issuer.algorithm();
    let name = |text: &str| {
        let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(text)]);
        write::sequence(&[&write::set_of(vec![attribute])])
    };
    let extension = |oid, critical: bool, value: &[u8]| {
        let critical = if critical { write::boolean(true) } else { Vec::new() };
        write::sequence(&[&write::oid(&oid), &critical, &write::octet_string(value)])
    };
    // digitalSignature is bit 0, keyEncipherment bit 2.
    let (usage, extended) = match wanted.purpose {
        Purpose::Sign => (0b001, oid::EMAIL_PROTECTION),
        Purpose::Encrypt => (0b100, oid::EMAIL_PROTECTION),
        Purpose::Timestamp => (0b001, oid::TIME_STAMPING),
    };
    let san = write::tlv(Tag::context_primitive(1), wanted.mailbox.as_str().as_bytes());
    let extensions = write::sequence(&[
        &extension(oid::KEY_USAGE, true, &write::named_bits(usage)),
        &extension(oid::EXT_KEY_USAGE, true, &write::sequence(&[&write::oid(&extended)])),
        &extension(oid::SUBJECT_ALT_NAME, false, &write::sequence(&[&san])),
    ]);
    let since = Time::from_unix(1_790_000_000 + i64::try_from(wanted.serial).unwrap_or(0));
    let tbs = write::sequence(&[
        &write::explicit(0, &write::small(2)),
        &write::small(wanted.serial),
        &algorithm.identifier_der(),
        &name("Conformance"),
        &write::sequence(&[&write::time(since), &write::time(Time::from_unix(1_890_000_000))]),
        &name(wanted.mailbox.as_str()),
        wanted.spki,
        &write::explicit(3, &extensions),
    ]);
    let signature = issuer.sign(algorithm, &tbs).await.map_err(|error| error.to_string())?;
    let der = write::sequence(&[&tbs, &algorithm.identifier_der(), &write::bit_string(&signature)]);
    Certificate::from_der(&der).map_err(|error| format!("{error:?}"))
}
