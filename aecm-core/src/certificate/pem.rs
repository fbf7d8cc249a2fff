//! The textual form (RFC 7468) of certificates, CRLs and OCSP responses.

use alloc::format;
use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Encoding};

/// Labels of a certificate (RFC 7468 §5).
pub(crate) const CERTIFICATE: &[&str] = &["CERTIFICATE", "X509 CERTIFICATE"];

/// A PEM block that is not closed or not base64.
pub(crate) struct BadPem;

/// The octets of each block with one of `labels`, in order.
pub(crate) fn blocks<'a>(
    text: &'a str,
    labels: &'a [&'a str],
) -> impl Iterator<Item = Result<Vec<u8>, BadPem>> + 'a {
    let mut lines = text.lines().map(str::trim);
    let is = |line: &str, start: &str| {
        let label = line.strip_prefix(start).and_then(|rest| rest.strip_suffix("-----"));
        label.is_some_and(|label| labels.contains(&label))
    };
    core::iter::from_fn(move || {
        lines.find(|line| is(line, "-----BEGIN "))?;
        let mut base64 = String::new();
        for line in lines.by_ref() {
            if is(line, "-----END ") {
                return Some(Base64::decode_vec(&base64).map_err(|_| BadPem));
            }
            if line.starts_with("-----") {
                break;
            }
            base64.extend(line.split_ascii_whitespace());
        }
        Some(Err(BadPem))
    })
}

/// `der` as a block of that label, ending in a line feed.
pub(crate) fn write(label: &str, der: &[u8]) -> String {
    let base64 = Base64::encode_string(der);
    let mut text = format!("-----BEGIN {label}-----\n");
    let mut rest = base64.as_str();
    while !rest.is_empty() {
        let (line, more) = rest.split_at_checked(64).unwrap_or((rest, ""));
        text.push_str(line);
        text.push('\n');
        rest = more;
    }
    text.push_str("-----END ");
    text.push_str(label);
    text.push_str("-----\n");
    text
}
