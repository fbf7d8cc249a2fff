//! Canonicalisation (RFC 6376 §3.4): the octets that are hashed and signed.

use std::borrow::Cow;
use std::fmt;

/// One of the two canonicalisations, for the header or for the body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Canonicalization {
    /// Nothing changes but the empty lines at the end of the body (§3.4.1, §3.4.3).
    Simple,
    /// Names in lower case, fields unfolded, runs of white space one space (§3.4.2, §3.4.4).
    Relaxed,
}

impl Canonicalization {
    /// The word in `c=`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Simple => "simple",
            Self::Relaxed => "relaxed",
        }
    }

    pub(super) fn from_word(word: &str) -> Option<Self> {
        [Self::Simple, Self::Relaxed].into_iter().find(|known| known.word().eq_ignore_ascii_case(word))
    }

    /// Appends the canonical form of one header field to `out`.
    ///
    /// `field` is the whole field, name and folding included, with or without its line end; `line_end` says
    /// whether the canonical form gets one (the DKIM-Signature field itself does not, §3.7).
    pub(super) fn header(self, field: &[u8], line_end: bool, out: &mut Vec<u8>) {
        let field = field.strip_suffix(b"\r\n").unwrap_or(field);
        match self {
            Self::Simple => out.extend_from_slice(field),
            Self::Relaxed => {
                let colon = field.iter().position(|byte| *byte == b':').unwrap_or(field.len());
                let (name, value) = field.split_at(colon);
                out.extend(name.trim_ascii_end().iter().map(u8::to_ascii_lowercase));
                out.push(b':');
                relax_line(value.strip_prefix(b":").unwrap_or(value), true, out);
            }
        }
        if line_end {
            out.extend_from_slice(b"\r\n");
        }
    }

    /// The canonical form of the body. `body` has CRLF line ends ([`line_ends`]).
    pub(crate) fn body(self, body: &[u8]) -> Cow<'_, [u8]> {
        match self {
            Self::Simple => {
                let kept = without_empty_lines(body);
                // A body without octets, or without a last line end, gets one (§3.4.3).
                if kept.ends_with(b"\r\n") && !kept.is_empty() {
                    Cow::Borrowed(kept)
                } else {
                    let mut owned = kept.to_vec();
                    owned.extend_from_slice(b"\r\n");
                    Cow::Owned(owned)
                }
            }
            Self::Relaxed => {
                let mut out = Vec::with_capacity(body.len());
                for line in lines(body) {
                    relax_line(line, false, &mut out);
                    out.extend_from_slice(b"\r\n");
                }
                // Unlike `simple`, nothing stays nothing (§3.4.4).
                let kept = without_empty_lines(&out).len();
                out.truncate(kept);
                Cow::Owned(out)
            }
        }
    }
}

impl fmt::Display for Canonicalization {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// How the lines of a mail ended before [`line_ends`] made them CRLF.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LineEnds {
    /// CRLF throughout.
    Crlf,
    /// LF throughout, as in a Maildir.
    BareLf,
}

/// Gives the mail CRLF line ends. `None` where both kinds occur: then a signature could have been made
/// over other lines than a reader sees.
pub(crate) fn line_ends(message: &[u8]) -> Option<(Cow<'_, [u8]>, LineEnds)> {
    let (mut crlf, mut bare) = (0usize, 0usize);
    let mut before = 0u8;
    for byte in message {
        if *byte == b'\n' {
            if before == b'\r' {
                crlf += 1;
            } else {
                bare += 1;
            }
        }
        before = *byte;
    }
    match (crlf, bare) {
        (_, 0) => Some((Cow::Borrowed(message), LineEnds::Crlf)),
        (0, _) => {
            let mut owned = Vec::with_capacity(message.len() + bare);
            for byte in message {
                if *byte == b'\n' {
                    owned.push(b'\r');
                }
                owned.push(*byte);
            }
            Some((Cow::Owned(owned), LineEnds::BareLf))
        }
        _ => None,
    }
}

/// The lines of a body without their CRLF; a last line without CRLF counts, an empty rest does not.
fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = body;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let (line, after) = match rest.windows(2).position(|pair| pair == b"\r\n") {
            Some(end) => (rest.get(..end)?, rest.get(end + 2..)?),
            None => (rest, [].as_slice()),
        };
        rest = after;
        Some(line)
    })
}

/// Drops the empty lines at the end, keeping the line end of the last line that is not empty.
fn without_empty_lines(body: &[u8]) -> &[u8] {
    let mut kept = body;
    while let Some(shorter) = kept.strip_suffix(b"\r\n") {
        if shorter.is_empty() || shorter.ends_with(b"\r\n") {
            kept = shorter;
        } else {
            break;
        }
    }
    kept
}

/// Runs of white space become one space; at the end of the line they go, and at the start too when
/// `trim_start`. In a header field the line ends of folding go as well (§3.4.2 step 2).
fn relax_line(line: &[u8], trim_start: bool, out: &mut Vec<u8>) {
    let mut pending = false;
    let mut written = !trim_start;
    let mut rest = line;
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'\r' if trim_start && after.first() == Some(&b'\n') => rest = after.get(1..).unwrap_or(&[]),
            b' ' | b'\t' => pending = true,
            byte => {
                if pending && written {
                    out.push(b' ');
                }
                pending = false;
                written = true;
                out.push(*byte);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(how: Canonicalization, field: &str) -> String {
        let mut out = Vec::new();
        how.header(field.as_bytes(), true, &mut out);
        String::from_utf8(out).unwrap()
    }

    fn body(how: Canonicalization, text: &str) -> String {
        String::from_utf8(how.body(text.as_bytes()).into_owned()).unwrap()
    }

    // RFC 6376 §3.4.5, examples 1 to 3.
    #[test]
    fn the_examples_of_the_rfc() {
        let (a, b) = ("A: X\r\n", "B : Y\t\r\n\tZ  \r\n");
        let text = " C \r\nD \t E\r\n\r\n\r\n";
        assert_eq!(header(Canonicalization::Relaxed, a), "a:X\r\n");
        assert_eq!(header(Canonicalization::Relaxed, b), "b:Y Z\r\n");
        assert_eq!(body(Canonicalization::Relaxed, text), " C\r\nD E\r\n");
        assert_eq!(header(Canonicalization::Simple, a), a);
        assert_eq!(header(Canonicalization::Simple, b), b);
        assert_eq!(body(Canonicalization::Simple, text), " C \r\nD \t E\r\n");
    }

    // RFC 6376 §3.4.3 and §3.4.4 give the hashes of the empty body: CRLF for simple, nothing for relaxed.
    #[test]
    fn bodies_without_content() {
        for empty in ["", "\r\n", "\r\n\r\n\r\n"] {
            assert_eq!(body(Canonicalization::Simple, empty), "\r\n", "{empty:?}");
            assert_eq!(body(Canonicalization::Relaxed, empty), "", "{empty:?}");
        }
        // White space alone is an empty line only after relaxing.
        assert_eq!(body(Canonicalization::Relaxed, " \t\r\n  "), "");
        assert_eq!(body(Canonicalization::Simple, " \r\n\r\n"), " \r\n");
    }

    #[test]
    fn a_missing_last_line_end_is_added() {
        assert_eq!(body(Canonicalization::Simple, "x"), "x\r\n");
        assert_eq!(body(Canonicalization::Relaxed, "x \t"), "x\r\n");
        assert_eq!(body(Canonicalization::Relaxed, "\r\n x"), "\r\n x\r\n");
    }

    #[test]
    fn a_lone_carriage_return_is_content() {
        assert_eq!(body(Canonicalization::Relaxed, "a\rb \r\n"), "a\rb\r\n");
        assert_eq!(body(Canonicalization::Simple, "a\r\r\n\r\n"), "a\r\r\n");
        assert_eq!(body(Canonicalization::Relaxed, "\r\r\n"), "\r\r\n");
    }

    #[test]
    fn folding_in_every_place() {
        for field in [
            "Subject: a b",
            "subject:a\r\n b\r\n",
            "SUBJECT \t:\r\n  a \r\n\tb \t\r\n",
            "Subject:a  b \r\n \r\n",
        ] {
            assert_eq!(header(Canonicalization::Relaxed, field), "subject:a b\r\n", "{field:?}");
        }
        assert_ne!(
            header(Canonicalization::Relaxed, "Subject: ab"),
            header(Canonicalization::Relaxed, "Subject: a b")
        );
    }

    #[test]
    fn line_ends_of_one_kind_only() {
        assert_eq!(line_ends(b"a\r\nb\r\n").unwrap().1, LineEnds::Crlf);
        let (lf, how) = line_ends(b"a\nb\n").unwrap();
        assert_eq!((lf.as_ref(), how), (b"a\r\nb\r\n".as_slice(), LineEnds::BareLf));
        assert!(line_ends(b"a\r\nb\n").is_none());
        assert!(line_ends(b"a\nb\r\n").is_none());
        assert_eq!(line_ends(b"").unwrap().1, LineEnds::Crlf);
    }
}
