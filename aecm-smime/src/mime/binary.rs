//! Parts in binary (RFC 2045 §2.9, RFC 3030): their line feeds are data, and must not be made line ends.

use std::borrow::Cow;

use aecm_core::header;
use aecm_core::limits::Limits;

use super::MimeError;
use super::boundary::split;
use super::canonical::canonical_line_ends;
use super::entity::Entity;
use super::transfer::base64_lines;

/// The octets with CRLF line ends, and every part whose Content-Transfer-Encoding is binary in base64 instead, its
/// content untouched. Borrowed where nothing changes.
///
/// # Errors
/// [`MimeError::NotSevenBit`] for binary inside what may not be changed (multipart/signed, multipart/digest), limits.
pub(super) fn canonical<'a>(octets: &'a [u8], limits: &Limits) -> Result<Cow<'a, [u8]>, MimeError> {
    if !names_binary(octets) {
        return Ok(canonical_line_ends(octets));
    }
    let mut parts = 0;
    rewrite(octets, limits, 0, &mut parts).map(Cow::Owned)
}

/// Whether the word occurs at all: most mail has none.
fn names_binary(octets: &[u8]) -> bool {
    octets.windows(6).any(|window| window.eq_ignore_ascii_case(b"binary"))
}

fn rewrite(octets: &[u8], limits: &Limits, depth: usize, parts: &mut usize) -> Result<Vec<u8>, MimeError> {
    *parts += 1;
    if *parts > limits.mime_parts {
        return Err(MimeError::TooManyParts { limit: limits.mime_parts });
    }
    if depth > limits.mime_depth {
        return Err(MimeError::TooDeep { limit: limits.mime_depth });
    }
    let entity = Entity::parse(octets, limits)?;
    entity.readable_type()?;
    let body = entity.body();
    let binary = is_binary(&entity)?;
    let essence = entity.essence();
    match essence.split_once('/').unwrap_or((essence, "")) {
        _ if !names_binary(octets) => Ok(canonical_line_ends(octets).into_owned()),
        ("multipart", "signed" | "digest") => {
            let pieces = split(body, entity.boundary()?.as_bytes(), limits.mime_parts)?.parts;
            for piece in pieces {
                // What is rewritten would no longer be what was signed.
                if binary || rewrite(piece, limits, depth + 1, parts)? != *canonical_line_ends(piece) {
                    return Err(MimeError::NotSevenBit { content_type: essence.to_owned() });
                }
            }
            Ok(canonical_line_ends(octets).into_owned())
        }
        ("multipart", _) => {
            let boundary = entity.boundary()?;
            let mut rebuilt = head(&entity, binary);
            rebuilt.extend_from_slice(b"\r\n");
            for piece in split(body, boundary.as_bytes(), limits.mime_parts)?.parts {
                rebuilt.extend_from_slice(format!("--{boundary}\r\n").as_bytes());
                rebuilt.extend_from_slice(&rewrite(piece, limits, depth + 1, parts)?);
                rebuilt.extend_from_slice(b"\r\n");
            }
            rebuilt.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
            Ok(rebuilt)
        }
        ("message", "rfc822" | "global") => {
            let mut rebuilt = head(&entity, binary);
            rebuilt.extend_from_slice(b"\r\n");
            rebuilt.extend_from_slice(&rewrite(body, limits, depth + 1, parts)?);
            Ok(rebuilt)
        }
        _ if binary => {
            let mut rebuilt = head(&entity, true);
            rebuilt.extend_from_slice(b"Content-Transfer-Encoding: base64\r\n\r\n");
            rebuilt.extend_from_slice(&base64_lines(body));
            Ok(rebuilt)
        }
        _ => Ok(canonical_line_ends(octets).into_owned()),
    }
}

fn is_binary(entity: &Entity<'_>) -> Result<bool, MimeError> {
    let field = entity.field("content-transfer-encoding")?;
    Ok(field.is_some_and(|field| header::unfold(field.value_raw).trim().eq_ignore_ascii_case("binary")))
}

/// The header with CRLF line ends, without the empty line; without its transfer encoding where that goes.
fn head(entity: &Entity<'_>, without_encoding: bool) -> Vec<u8> {
    let mut head = Vec::new();
    for field in entity.fields() {
        if !(without_encoding && field.name.eq_ignore_ascii_case("content-transfer-encoding")) {
            let raw = canonical_line_ends(field.raw);
            head.extend_from_slice(&raw);
            if !raw.ends_with(b"\r\n") {
                head.extend_from_slice(b"\r\n");
            }
        }
    }
    head
}

#[cfg(test)]
mod tests {
    use super::*;

    fn done(entity: &[u8]) -> Result<String, MimeError> {
        canonical(entity, &Limits::default()).map(|octets| String::from_utf8(octets.into_owned()).unwrap())
    }

    #[test]
    fn what_is_not_binary_becomes_canonical() {
        assert_eq!(done(b"A: b\n\nbinary\n").unwrap(), "A: b\r\n\r\nbinary\r\n");
        assert!(matches!(canonical(b"A: b\r\n\r\nx\r\n", &Limits::default()), Ok(Cow::Borrowed(_))));
    }

    #[test]
    fn binary_keeps_every_octet() {
        let leaf = b"Content-Type: image/png\nContent-Transfer-Encoding: Binary\n\na\nb\r\nc\r";
        let wanted = "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\nYQpiDQpjDQ==\r\n";
        assert_eq!(done(leaf).unwrap(), wanted);
        let mixed = [
            b"Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: binary\n\n--b\n"
                .as_slice(),
            leaf,
            b"\n--b\nContent-Type: text/plain\n\nline\n\n--b--\n",
        ]
        .concat();
        assert_eq!(
            done(&mixed).unwrap(),
            format!(
                "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n{wanted}\r\n--b\r\nContent-Type: \
                 text/plain\r\n\r\nline\r\n\r\n--b--\r\n"
            )
        );
    }

    #[test]
    fn binary_that_may_not_change_is_refused() {
        let signed = b"Content-Type: multipart/signed; boundary=b\r\n\r\n--b\r\nContent-Transfer-Encoding: binary\r\n\r\n\
                       a\nb\r\n--b\r\n\r\nx\r\n--b--\r\n";
        assert_eq!(done(signed), Err(MimeError::NotSevenBit { content_type: "multipart/signed".to_owned() }));
        let plain = b"Content-Type: multipart/signed; boundary=b\n\n--b\n\nbinary\n--b\n\nx\n--b--\n";
        assert!(done(plain).unwrap().contains("\r\nbinary\r\n"));
    }

    #[test]
    fn depth_and_parts_are_limited() {
        let mut mail = b"Content-Transfer-Encoding: binary\r\n\r\nx".to_vec();
        for level in 0..20 {
            let head = format!("Content-Type: multipart/mixed; boundary=b{level}\r\n\r\n--b{level}\r\n");
            mail = [head.as_bytes(), &mail, format!("\r\n--b{level}--\r\n").as_bytes()].concat();
        }
        assert_eq!(done(&mail), Err(MimeError::TooDeep { limit: 16 }));
    }
}
