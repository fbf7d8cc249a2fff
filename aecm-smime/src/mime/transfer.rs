//! Content-Transfer-Encodings (RFC 2045 §6).

use base64ct::{Base64, Encoding};

use super::MimeError;
use super::canonical::{lines, without_line_end, without_trailing_space};

/// Octets of base64 on a line (RFC 2045 §6.8 allows 76).
const BASE64_COLUMNS: usize = 76;

/// Octets on a line of quoted-printable, the soft line break's `=` not counted (RFC 2045 §6.7 allows 76).
const QUOTED_COLUMNS: usize = 75;

/// Base64 in lines of 76, each ended with CRLF.
pub(super) fn base64_lines(octets: &[u8]) -> Vec<u8> {
    let encoded = Base64::encode_string(octets).into_bytes();
    let mut body = Vec::with_capacity(encoded.len() + encoded.len() / 38 + 2);
    for line in encoded.chunks(BASE64_COLUMNS) {
        body.extend_from_slice(line);
        body.extend_from_slice(b"\r\n");
    }
    body
}

/// The inverse; white space anywhere is passed over, anything else that is not base64 is an error.
pub(super) fn from_base64(body: &[u8]) -> Result<Vec<u8>, MimeError> {
    let digits: Vec<u8> =
        body.iter().copied().filter(|octet| !matches!(octet, b'\r' | b'\n' | b' ' | b'\t')).collect();
    let text =
        core::str::from_utf8(&digits).map_err(|_| MimeError::TransferEncoding { encoding: "base64" })?;
    Base64::decode_vec(text).map_err(|_| MimeError::TransferEncoding { encoding: "base64" })
}

/// Quoted-printable of text whose lines end in CRLF, safe against everything transports do: no trailing
/// white space, no "From " or "--" or lone "." at the begin of a line, no line above 76.
pub(super) fn quoted_printable(text: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(text.len() + text.len() / 8);
    for line in lines(text) {
        let content = without_line_end(line);
        let mut column = 0;
        for (index, &octet) in content.iter().enumerate() {
            let rest = content.get(index..).unwrap_or_default();
            let last = rest.len() == 1;
            let begin = column == 0;
            let hazard =
                begin && (rest.starts_with(b"From ") || rest.starts_with(b"--") || rest.starts_with(b"."));
            let literal = match octet {
                b' ' | b'\t' => !last,
                b'=' => false,
                0x21..=0x7e => !hazard,
                _ => false,
            };
            let width = if literal { 1 } else { 3 };
            if column + width > QUOTED_COLUMNS {
                body.extend_from_slice(b"=\r\n");
                column = 0;
                // The octet now begins a line, which may make it a hazard of its own.
                if literal && (rest.starts_with(b"From ") || matches!(octet, b'-' | b'.')) {
                    push_hex(&mut body, octet);
                    column = 3;
                    continue;
                }
            }
            if literal {
                body.push(octet);
            } else {
                push_hex(&mut body, octet);
            }
            column += width;
        }
        if line.len() > content.len() {
            body.extend_from_slice(b"\r\n");
        }
    }
    body
}

fn push_hex(body: &mut Vec<u8>, octet: u8) {
    let digit = |value: u8| if value < 10 { b'0' + value } else { b'A' + value - 10 };
    body.extend_from_slice(&[b'=', digit(octet >> 4), digit(octet & 15)]);
}

/// The inverse; white space at the end of a line is dropped (RFC 2045 §6.7 rule 3), an `=` that begins
/// neither an octet nor a soft line break is an error.
pub(super) fn from_quoted_printable(body: &[u8]) -> Result<Vec<u8>, MimeError> {
    let wrong = MimeError::TransferEncoding { encoding: "quoted-printable" };
    let mut text = Vec::with_capacity(body.len());
    for line in lines(body) {
        let bare = without_line_end(line);
        let content = without_trailing_space(bare);
        let ended = line.len() > bare.len();
        let (content, soft) = match content.strip_suffix(b"=") {
            Some(content) => (content, true),
            None => (content, false),
        };
        let mut octets = content.iter();
        while let Some(&octet) = octets.next() {
            if octet != b'=' {
                text.push(octet);
                continue;
            }
            let (Some(high), Some(low)) = (octets.next().and_then(hex), octets.next().and_then(hex)) else {
                return Err(wrong);
            };
            text.push(high << 4 | low);
        }
        if ended && !soft {
            text.extend_from_slice(b"\r\n");
        }
    }
    Ok(text)
}

fn hex(digit: &u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_both_ways() {
        let octets: Vec<u8> = (0..=255).collect();
        let body = base64_lines(&octets);
        assert!(body.split(|octet| *octet == b'\n').all(|line| line.len() <= 77));
        assert!(body.ends_with(b"\r\n"));
        assert_eq!(from_base64(&body).unwrap(), octets);
        assert_eq!(base64_lines(b""), b"");
        assert_eq!(from_base64(b" QU\tI=\r\n\r\n").unwrap(), b"AB");
    }

    #[test]
    fn base64_that_is_none() {
        for body in [&b"QUI"[..], b"QU-=", b"QUI=QUI=", b"QUJ=", b"Q\xc3\xa9I=", b"QUI=\r\n--b"] {
            assert_eq!(from_base64(body), Err(MimeError::TransferEncoding { encoding: "base64" }));
        }
    }

    #[test]
    fn quoted_printable_is_safe_and_comes_back() {
        let long = [b'x'; 200];
        let mut hazard = vec![b'y'; 75];
        hazard.extend_from_slice(b"--boundary\r\n");
        let mut from = vec![b'z'; 75];
        from.extend_from_slice(b"From me\r\n.\r\n");
        for text in [
            &b"From me\r\n--b\r\n.\r\ntrailing \r\ntab\t\r\n"[..],
            b"a=b\xc3\xa9\r\n\r\nno end",
            &long,
            &hazard,
            &from,
            b" \r\n\t",
            b"",
            &[0, 1, 13, 127, 255],
        ] {
            let body = quoted_printable(text);
            assert_eq!(from_quoted_printable(&body).unwrap(), text, "{body:?}");
            for line in body.split(|octet| *octet == b'\n') {
                assert!(line.len() <= 77, "{line:?}");
                assert!(!line.starts_with(b"From ") && !line.starts_with(b"--") && !line.starts_with(b"."));
                assert!(!line.ends_with(b" \r") && !line.ends_with(b" ") && !line.ends_with(b"\t\r"));
                assert!(line.iter().all(u8::is_ascii));
            }
        }
    }

    #[test]
    fn quoted_printable_that_is_none() {
        for body in [&b"=4"[..], b"=GG", b"a=4\r\n", b"= x"] {
            assert_eq!(
                from_quoted_printable(body),
                Err(MimeError::TransferEncoding { encoding: "quoted-printable" }),
                "{body:?}"
            );
        }
        assert_eq!(from_quoted_printable(b"a=3d  \r\nb=\t\r\nc").unwrap(), b"a=\r\nbc");
    }
}
