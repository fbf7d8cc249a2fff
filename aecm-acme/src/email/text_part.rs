//! The plain text of a reply: its body, or the text/plain part of its multipart/alternative (RFC 8823 §3.2).

use crate::dkim::fields::Message;
use aecm_core::header::{self, ContentType};
use aecm_core::limits::Limits;

/// The text, whatever its transfer encoding; `None` where there is no plain text that can be read.
pub(super) fn plain_text(message: &Message<'_>, limits: &Limits) -> Option<String> {
    let content_type = content_type(message)?;
    let essence = content_type.as_ref().map_or("text/plain", |content_type| content_type.essence.as_str());
    match essence {
        "text/plain" => decoded(message),
        "multipart/alternative" => {
            let boundary =
                content_type.as_ref()?.param("boundary").filter(|text| (1..=70).contains(&text.len()))?;
            parts(message.body, boundary.as_bytes(), limits.mime_parts)?.into_iter().find_map(|part| {
                let part = Message::parse(part, limits).ok()?;
                let content_type = self::content_type(&part)?;
                let plain = content_type.is_none_or(|content_type| content_type.essence == "text/plain");
                plain.then(|| decoded(&part)).flatten()
            })
        }
        _ => None,
    }
}

/// `Some(None)` where there is none, which says text/plain (RFC 2045 §5.2).
fn content_type(message: &Message<'_>) -> Option<Option<ContentType>> {
    let mut fields = message.named("content-type");
    match (fields.next(), fields.next()) {
        (None, _) => Some(None),
        (Some(field), None) => header::content_type(field.value).ok().map(Some),
        _ => None,
    }
}

/// What stands between the delimiter lines (RFC 2046 §5.1.1), each part without the line end before the next
/// delimiter. `None` without a closing delimiter, or with too many parts.
fn parts<'a>(body: &'a [u8], boundary: &[u8], limit: usize) -> Option<Vec<&'a [u8]>> {
    let mut parts = Vec::new();
    let mut start: Option<usize> = None;
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        let length = rest.windows(2).position(|pair| pair == b"\r\n").map_or(rest.len(), |end| end + 2);
        let line = rest.get(..length)?.trim_ascii_end();
        let tail = line.strip_prefix(b"--").and_then(|line| line.strip_prefix(boundary));
        if let Some(tail) = tail.filter(|tail| matches!(*tail, b"" | b"--")) {
            if let Some(start) = start {
                let part = body.get(start..at)?;
                parts.push(part.strip_suffix(b"\r\n").unwrap_or(part));
            }
            if tail == b"--" {
                return Some(parts);
            }
            if parts.len() == limit {
                return None;
            }
            start = Some(at + length);
        }
        at += length;
    }
    None
}

fn decoded(message: &Message<'_>) -> Option<String> {
    let mut fields = message.named("content-transfer-encoding");
    let encoding = match (fields.next(), fields.next()) {
        (None, _) => "7bit".to_owned(),
        (Some(field), None) => header::unfold(field.value).trim().to_ascii_lowercase(),
        _ => return None,
    };
    let octets = match encoding.as_str() {
        "7bit" | "8bit" | "binary" => message.body.to_vec(),
        "base64" => {
            use base64ct::Encoding;
            let compact: Vec<u8> =
                message.body.iter().copied().filter(|byte| !byte.is_ascii_whitespace()).collect();
            base64ct::Base64::decode_vec(std::str::from_utf8(&compact).ok()?).ok()?
        }
        "quoted-printable" => quoted_printable(message.body)?,
        _ => return None,
    };
    // Any charset that has ASCII at its place will do: the block is ASCII.
    Some(String::from_utf8_lossy(&octets).into_owned())
}

/// RFC 2045 §6.7; `None` for an escape that is none.
fn quoted_printable(body: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::with_capacity(body.len());
    let mut rest = body;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'=' {
            out.push(*first);
            continue;
        }
        // White space between a soft break's `=` and the line end was added on the way.
        let blanks = after.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        if let Some(next) = after.get(blanks..).and_then(|tail| tail.strip_prefix(b"\r\n")) {
            rest = next;
            continue;
        }
        let digit = |byte: Option<&u8>| u8::try_from(char::from(*byte?).to_digit(16)?).ok();
        out.push(digit(after.first())? << 4 | digit(after.get(1))?);
        rest = after.get(2..)?;
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dkim::fields::Octets;

    fn text(mail: &str) -> Option<String> {
        let limits = Limits::default();
        let octets = Octets::new(mail.as_bytes(), &limits).unwrap();
        plain_text(&octets.take_apart(&limits).unwrap(), &limits)
    }

    #[test]
    fn bodies_of_every_encoding() {
        for (header, body, wanted) in [
            ("", "a\r\nb", "a\r\nb"),
            ("Content-Type: text/plain\r\n", "a", "a"),
            ("Content-Transfer-Encoding: BASE64\r\n", "aGVs\r\nbG8=\r\n", "hello"),
            ("Content-Transfer-Encoding: quoted-printable\r\n", "a=3Db= \r\nc=\r\n d", "a=bc d"),
        ] {
            assert_eq!(text(&format!("{header}\r\n{body}")).as_deref(), Some(wanted), "{header}");
        }
    }

    #[test]
    fn the_plain_part_of_an_alternative() {
        let mail = "Content-Type: multipart/alternative; boundary=\"b\"\r\n\r\npreamble\r\n--b\r\n\
                    Content-Type: text/html\r\n\r\n<p>\r\n--b  \r\n\r\nplain\r\n--bb\r\n--b--\r\nrest";
        assert_eq!(text(mail).as_deref(), Some("plain\r\n--bb"));
    }

    #[test]
    fn what_has_no_plain_text() {
        for mail in [
            "Content-Type: text/html\r\n\r\nx",
            "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
            "Content-Type: multipart/alternative\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n\r\nx\r\n",
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\nnonsense\r\n\r\nx\r\n--b--\r\n",
            "Content-Type: text/plain\r\nContent-Type: text/html\r\n\r\nx",
            "Content-Transfer-Encoding: x-uuencode\r\n\r\nx",
            "Content-Transfer-Encoding: base64\r\n\r\n*",
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n=G0",
            "Content-Transfer-Encoding: quoted-printable\r\n\r\n=",
        ] {
            assert_eq!(text(mail), None, "{mail:?}");
        }
    }
}
