//! Making an entity canonical and safe against transports before it is signed (RFC 8551 §3.1).

use aecm_core::limits::Limits;

use super::MimeError;
use super::binary::canonical;
use super::boundary::split;
use super::canonical::{canonical_line_ends, lines, without_line_end, without_trailing_space};
use super::entity::Entity;
use super::transfer::{base64_lines, quoted_printable};

/// Octets of a line without its CRLF (RFC 5322 §2.1.1).
const LINE: usize = 998;

/// The entity with CRLF line ends and 7-bit parts; what has the transfer encoding binary becomes base64.
///
/// Parts that are safe stay as they are, octet for octet. Others (octets above 127, lines above 998, white
/// space at the end of a line, lines that begin with "From ") are re-encoded: text as quoted-printable or
/// base64, everything else as base64; a multipart around them loses preamble and epilogue.
///
/// # Errors
/// [`MimeError::NotSevenBit`] for an unsafe part that may not be changed (multipart/signed, message/*,
/// multipart/digest), [`MimeError::HeaderNotAscii`] and [`MimeError::Field`] for headers, limits.
pub fn seven_bit(entity: &[u8], limits: &Limits) -> Result<Vec<u8>, MimeError> {
    let entity = canonical(entity, limits)?;
    let mut parts = 0;
    rewrite(&entity, limits, 0, &mut parts)
}

fn rewrite(octets: &[u8], limits: &Limits, depth: usize, parts: &mut usize) -> Result<Vec<u8>, MimeError> {
    *parts += 1;
    if *parts > limits.mime_parts {
        return Err(MimeError::TooManyParts { limit: limits.mime_parts });
    }
    if depth > limits.mime_depth {
        return Err(MimeError::TooDeep { limit: limits.mime_depth });
    }
    if is_safe(octets) {
        return Ok(octets.to_vec());
    }
    let entity = Entity::parse(octets, limits)?;
    entity.readable_type()?;
    let mut head = Vec::new();
    for field in entity.fields() {
        if !field.name.eq_ignore_ascii_case("content-transfer-encoding") {
            head.extend_from_slice(&clean_field(field.name, field.raw)?);
        }
    }
    let body = entity.body();
    if is_safe(body) {
        // Only the header was untidy; the encoding named in it still holds.
        if let Some(field) = entity.field("content-transfer-encoding")? {
            head.extend_from_slice(&clean_field(field.name, field.raw)?);
        }
        return Ok([&head, b"\r\n".as_slice(), body].concat());
    }
    let essence = entity.essence();
    let refuse = || Err(MimeError::NotSevenBit { content_type: essence.to_owned() });
    match essence.split_once('/').unwrap_or((essence, "")) {
        ("multipart", "signed" | "digest") => refuse(),
        ("multipart", _) => {
            let boundary = entity.boundary()?;
            let pieces = split(body, boundary.as_bytes(), limits.mime_parts)?;
            let mut rebuilt = Vec::new();
            for piece in pieces.parts {
                rebuilt.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
                rebuilt.extend_from_slice(&rewrite(piece, limits, depth + 1, parts)?);
                rebuilt.extend_from_slice(b"\r\n");
            }
            rebuilt.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
            Ok([&head, b"\r\n".as_slice(), &rebuilt].concat())
        }
        ("message", "rfc822") => {
            Ok([&head, b"\r\n".as_slice(), &rewrite(body, limits, depth + 1, parts)?].concat())
        }
        ("message", _) => refuse(),
        (kind, _) => {
            let content = entity.decoded()?;
            let (encoding, body) = encode_leaf(kind == "text", &content);
            head.extend_from_slice(format!("Content-Transfer-Encoding: {encoding}\r\n\r\n").as_bytes());
            head.extend_from_slice(&body);
            Ok(head)
        }
    }
}

/// Text that is mostly ASCII stays readable; for the rest base64 is shorter.
fn encode_leaf(text: bool, content: &[u8]) -> (&'static str, Vec<u8>) {
    let high = content.iter().filter(|octet| !octet.is_ascii() || **octet == 0).count();
    if text && high <= content.len() / 6 {
        ("quoted-printable", quoted_printable(&canonical_line_ends(content)))
    } else if text {
        ("base64", base64_lines(&canonical_line_ends(content)))
    } else {
        ("base64", base64_lines(content))
    }
}

/// Whether transports leave the octets as they are.
fn is_safe(octets: &[u8]) -> bool {
    lines(octets).all(|line| {
        let bare = without_line_end(line);
        bare.len() <= LINE
            && bare.iter().all(|octet| matches!(octet, b'\t' | 0x20..=0x7e))
            && without_trailing_space(bare).len() == bare.len()
            && !bare.starts_with(b"From ")
            && (line.len() == bare.len() || line.ends_with(b"\r\n"))
    })
}

/// A header field in canonical form: CRLF, no white space at the end of a line, printable ASCII.
pub(super) fn clean_field(name: &str, raw: &[u8]) -> Result<Vec<u8>, MimeError> {
    let mut field = Vec::with_capacity(raw.len() + 2);
    for line in lines(raw) {
        let line = without_trailing_space(without_line_end(line));
        if !line.iter().all(|octet| matches!(octet, b'\t' | 0x20..=0x7e)) {
            return Err(MimeError::HeaderNotAscii { name: name.to_owned() });
        }
        if line.len() > LINE {
            return Err(MimeError::Field {
                name: name.to_owned(),
                why: "a line is longer than 998; fold it",
            });
        }
        // A continuation of nothing but white space would become the empty line that ends the header.
        if !line.is_empty() {
            field.extend_from_slice(line);
            field.extend_from_slice(b"\r\n");
        }
    }
    Ok(field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(entity: &str) -> Result<String, MimeError> {
        seven_bit(entity.as_bytes(), &Limits::default()).map(|octets| String::from_utf8(octets).unwrap())
    }

    #[test]
    fn safe_entities_stay_octet_for_octet() {
        for entity in [
            "Content-Type: text/plain\r\n\r\nhello\r\n",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\npreamble\r\n--b\r\n\r\nx\r\n--b--\r\nepilogue",
            "\r\nno header\r\n",
        ] {
            assert_eq!(done(entity).unwrap(), entity);
        }
        assert_eq!(
            done("Content-Type: text/plain\n\nhello\n").unwrap(),
            "Content-Type: text/plain\r\n\r\nhello\r\n"
        );
    }

    #[test]
    fn unsafe_text_becomes_quoted_printable() {
        let mail = "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\nTrès bien \r\nFrom here\r\n";
        assert_eq!(
            done(mail).unwrap(),
            "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n\
             Tr=C3=A8s bien=20\r\n=46rom here\r\n"
        );
        let chinese = "Content-Type: text/plain; charset=utf-8\r\n\r\n你好\r\n";
        assert!(
            done(chinese).unwrap().ends_with("Content-Transfer-Encoding: base64\r\n\r\n5L2g5aW9DQo=\r\n")
        );
    }

    #[test]
    fn nested_parts_are_rewritten_and_others_kept() {
        let mail = "Content-Type: multipart/mixed; boundary=b\r\nContent-Transfer-Encoding: 8bit\r\n\r\npré\r\n--b\r\nX-A: 1 \r\n\r\nok\r\n--b\r\n\
                    Content-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\u{e9}\r\n--b--\r\n";
        assert_eq!(
            done(mail).unwrap(),
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nX-A: 1\r\n\r\nok\r\n--b\r\n\
             Content-Type: application/x\r\nContent-Transfer-Encoding: base64\r\n\r\nw6k=\r\n\r\n--b--\r\n"
        );
    }

    #[test]
    fn what_may_not_change_is_refused() {
        for (content_type, body) in [
            ("multipart/signed; boundary=b", "--b\r\n\r\n\u{e9}\r\n--b--\r\n"),
            ("multipart/digest; boundary=b", "--b\r\n\r\n\u{e9}\r\n--b--\r\n"),
            ("message/delivery-status", "\u{e9}"),
        ] {
            let mail = format!("Content-Type: {content_type}\r\n\r\n{body}");
            let essence = content_type.split(';').next().unwrap().to_owned();
            assert_eq!(done(&mail), Err(MimeError::NotSevenBit { content_type: essence }));
        }
        assert!(matches!(
            done("Content-Type: text/plain\r\nX-N: \u{e9}\r\n\r\nx"),
            Err(MimeError::HeaderNotAscii { .. })
        ));
        let long = format!("X-Long: {}\r\n\r\nx", "a".repeat(999));
        assert!(matches!(done(&long), Err(MimeError::Field { .. })));
    }

    #[test]
    fn depth_and_parts_are_limited() {
        let mut limits = Limits::default();
        limits.mime_depth = 3;
        let mut mail = "\r\n\u{e9}".to_owned();
        for level in 0..5 {
            mail = format!(
                "Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n{mail}\r\n--b{level}--\r\n"
            );
        }
        assert_eq!(seven_bit(mail.as_bytes(), &limits), Err(MimeError::TooDeep { limit: 3 }));
        limits.mime_depth = 5;
        assert!(seven_bit(mail.as_bytes(), &limits).is_ok());
        limits.mime_parts = 5;
        assert_eq!(seven_bit(mail.as_bytes(), &limits), Err(MimeError::TooManyParts { limit: 5 }));
    }
}
