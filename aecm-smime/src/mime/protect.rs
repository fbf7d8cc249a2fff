//! Reading protected headers: RFC 9788, and the message/rfc822 wrapper of RFC 8551 §3.1.

use aecm_core::header;
use aecm_core::limits::Limits;

use super::MimeError;
use super::entity::Entity;

/// How the header fields were protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtectionMode {
    /// `hp="clear"`: the sender only signed.
    Clear,
    /// `hp="cipher"`: the sender encrypted.
    Cipher,
    /// message/rfc822 with `forwarded=no`, as RFC 8551 §3.1 has it.
    Wrapped,
}

/// Header fields from inside the cryptographic payload (THREATS M3). They are worth as much as the
/// signature or encryption around them.
#[derive(Clone, PartialEq, Eq)]
pub struct ProtectedHeaders {
    /// How they were protected.
    pub mode: ProtectionMode,
    /// Name and unfolded, decoded value in order; no Content-*, MIME-Version and HP-Outer.
    pub fields: Vec<(String, String)>,
    /// What the sender left outside by its own word (`HP-Outer`), name and value in order.
    pub outer: Vec<(String, String)>,
    /// The raw value of From, where it stands exactly once.
    pub(crate) from: Option<Vec<u8>>,
    /// From stands more than once.
    pub(crate) several_from: bool,
}

/// Without the values, which the sender may have kept from the outside (THREATS K2).
impl core::fmt::Debug for ProtectedHeaders {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let names: Vec<&str> = self.fields.iter().map(|(name, _)| name.as_str()).collect();
        f.debug_struct("ProtectedHeaders")
            .field("mode", &self.mode)
            .field("names", &names)
            .finish_non_exhaustive()
    }
}

impl ProtectedHeaders {
    /// The first field of that name (ASCII case ignored).
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.fields
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    /// Whether the sender kept this field from the outside: it is inside, and HP-Outer does not name it with
    /// the same value (RFC 9788 §4.3). Replies must not leak it.
    #[must_use]
    pub fn is_confidential(&self, name: &str) -> bool {
        let Some(inner) = self.get(name) else { return false };
        let same = |(known, value): &(String, String)| known.eq_ignore_ascii_case(name) && value == inner;
        self.mode == ProtectionMode::Cipher && !self.outer.iter().any(same)
    }
}

/// The protected header fields of `payload`, the entity at the root of what was signed or encrypted; none
/// where it says neither `hp` nor `forwarded=no`.
///
/// # Errors
/// [`MimeError`] for `hp` with an unknown value or twice, and for a wrapped header that cannot be read.
pub fn protected_headers(
    payload: &Entity<'_>,
    limits: &Limits,
) -> Result<Option<ProtectedHeaders>, MimeError> {
    let forwarded = payload.parameter("forwarded").map(str::to_ascii_lowercase);
    if payload.essence() == "message/rfc822" && forwarded.as_deref() == Some("no") {
        let inner = Entity::parse(payload.body(), limits)?;
        return Ok(Some(collect(&inner, ProtectionMode::Wrapped)));
    }
    match payload.parameter("hp") {
        None => Ok(None),
        Some(mode) if mode.eq_ignore_ascii_case("clear") => Ok(Some(collect(payload, ProtectionMode::Clear))),
        Some(mode) if mode.eq_ignore_ascii_case("cipher") => {
            Ok(Some(collect(payload, ProtectionMode::Cipher)))
        }
        Some(_) => {
            Err(MimeError::Field { name: "Content-Type".to_owned(), why: "hp is neither clear nor cipher" })
        }
    }
}

fn collect(entity: &Entity<'_>, mode: ProtectionMode) -> ProtectedHeaders {
    let mut headers =
        ProtectedHeaders { mode, fields: Vec::new(), outer: Vec::new(), from: None, several_from: false };
    for field in entity.fields() {
        let name = field.name.to_ascii_lowercase();
        let value = header::decoded(field.value_raw);
        let value = value.trim();
        match name.as_str() {
            "mime-version" => {}
            "hp-outer" => {
                if let Some((name, value)) = value.split_once(':') {
                    headers.outer.push((name.trim().to_owned(), value.trim().to_owned()));
                }
            }
            _ if name.starts_with("content-") => {}
            _ => {
                if name == "from" {
                    headers.several_from = headers.from.is_some();
                    headers.from = Some(field.value_raw.to_vec());
                }
                headers.fields.push((field.name.to_owned(), value.to_owned()));
            }
        }
    }
    headers
}
