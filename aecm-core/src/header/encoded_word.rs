//! Encoded-words (RFC 2047, with the language of RFC 2231 §5).

use alloc::string::String;
use alloc::vec::Vec;

use base64ct::{Base64, Base64Unpadded, Encoding};

use super::unfold;

/// An unstructured value for people: unfolded, with its encoded-words of UTF-8 or US-ASCII decoded. Those of
/// other charsets stay as they are written. Control characters that were hidden in an encoded-word become
/// U+FFFD.
///
/// ```text
/// encoded-word = "=?" charset ["*" language] "?" encoding "?" encoded-text "?="
/// ```
#[must_use]
pub fn decoded(value: &[u8]) -> String {
    let text = unfold(value);
    let mut out = String::with_capacity(text.len());
    // Octets of encoded-words that follow each other: a character may be cut between them.
    let mut pending: Vec<u8> = Vec::new();
    let mut rest = text.as_str();
    while !rest.is_empty() {
        let blank = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        let (space, after) = rest.split_at_checked(blank).unwrap_or(("", rest));
        let length = after.find([' ', '\t']).unwrap_or(after.len());
        let (word, behind) = after.split_at_checked(length).unwrap_or((after, ""));
        rest = behind;
        match decode_word(word) {
            Some(octets) => {
                // White space between encoded-words is not shown (RFC 2047 §6.2).
                if pending.is_empty() {
                    out.push_str(space);
                }
                pending.extend(octets);
            }
            None => {
                flush(&mut out, &mut pending);
                out.push_str(space);
                out.push_str(word);
            }
        }
    }
    flush(&mut out, &mut pending);
    out
}

fn flush(out: &mut String, pending: &mut Vec<u8>) {
    let text = String::from_utf8_lossy(pending);
    out.extend(text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }));
    pending.clear();
}

// One encoded-word, or several that were written without space between.
fn decode_word(word: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::new();
    let mut rest = word;
    while !rest.is_empty() {
        let (charset, after) = rest.strip_prefix("=?")?.split_once('?')?;
        let charset = charset.split_once('*').map_or(charset, |(charset, _language)| charset);
        let utf8 = charset.eq_ignore_ascii_case("utf-8");
        if !utf8 && !charset.eq_ignore_ascii_case("us-ascii") {
            return None;
        }
        let (encoding, after) = after.split_once('?')?;
        let (encoded, after) = after.split_once("?=")?;
        let decoded = match encoding {
            "q" | "Q" => decode_q(encoded)?,
            "b" | "B" => Base64::decode_vec(encoded).or_else(|_| Base64Unpadded::decode_vec(encoded)).ok()?,
            _ => return None,
        };
        if !utf8 && !decoded.is_ascii() {
            return None;
        }
        octets.extend(decoded);
        rest = after;
    }
    Some(octets)
}

fn decode_q(encoded: &str) -> Option<Vec<u8>> {
    let mut octets = Vec::with_capacity(encoded.len());
    let mut input = encoded.bytes();
    while let Some(octet) = input.next() {
        octets.push(match octet {
            b'_' => b' ',
            b'=' => {
                let (high, low) = (hex(input.next()?)?, hex(input.next()?)?);
                high << 4 | low
            }
            other => other,
        });
    }
    Some(octets)
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}
