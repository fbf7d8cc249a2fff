//! The textual form (RFC 7468 §5).

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding};

use super::CertificateError;

const BEGIN: [&str; 2] = ["-----BEGIN CERTIFICATE-----", "-----BEGIN X509 CERTIFICATE-----"];
const END: [&str; 2] = ["-----END CERTIFICATE-----", "-----END X509 CERTIFICATE-----"];

/// The octets of each certificate block, in order.
pub(super) fn blocks(text: &str) -> impl Iterator<Item = Result<Vec<u8>, CertificateError>> {
    let mut lines = text.lines().map(str::trim);
    core::iter::from_fn(move || {
        lines.find(|line| BEGIN.contains(line))?;
        let mut base64 = String::new();
        for line in lines.by_ref() {
            if END.contains(&line) {
                return Some(Base64::decode_vec(&base64).map_err(|_| CertificateError::BadPem));
            }
            if line.starts_with("-----") {
                break;
            }
            base64.extend(line.split_ascii_whitespace());
        }
        Some(Err(CertificateError::BadPem))
    })
}

pub(super) fn write(der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    let mut text = String::from("-----BEGIN CERTIFICATE-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END CERTIFICATE-----\n");
    text
}
