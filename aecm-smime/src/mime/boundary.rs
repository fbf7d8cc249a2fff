//! Splitting a multipart body into the exact octets of its parts (RFC 2046 §5.1.1).

use super::MimeError;
use super::canonical::{without_line_end, without_trailing_space};

/// A multipart body in pieces.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Split<'a> {
    /// The parts: from the octet after the delimiter line to before the line end that belongs to the next.
    pub(super) parts: Vec<&'a [u8]>,
    /// Whether the closing delimiter is there.
    pub(super) closed: bool,
}

/// Splits `body` at `boundary`; at most `limit` parts.
///
/// A delimiter is a whole line: `--boundary`, perhaps `--`, perhaps spaces and tabs, and nothing more, so that
/// `--boundary2` of a nested multipart is content.
pub(super) fn split<'a>(body: &'a [u8], boundary: &[u8], limit: usize) -> Result<Split<'a>, MimeError> {
    let mut parts = Vec::new();
    let mut begin: Option<usize> = None;
    let mut offset = 0;
    for line in super::canonical::lines(body) {
        let next = offset + line.len();
        let delimiter = delimiter(line, boundary);
        if delimiter.is_some() {
            if let Some(begin) = begin {
                let end = end_before(body, begin, offset);
                parts.push(body.get(begin..end).unwrap_or_default());
                if parts.len() > limit {
                    return Err(MimeError::TooManyParts { limit });
                }
            }
            if delimiter == Some(Delimiter::Close) {
                // Without an opening delimiter before it there are no parts at all.
                return Ok(Split { closed: begin.is_some(), parts });
            }
            begin = Some(next);
        }
        offset = next;
    }
    if let Some(rest) = begin.and_then(|begin| body.get(begin..)) {
        parts.push(rest);
    }
    Ok(Split { parts, closed: false })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Delimiter {
    Open,
    Close,
}

fn delimiter(line: &[u8], boundary: &[u8]) -> Option<Delimiter> {
    let rest = line.strip_prefix(b"--")?.strip_prefix(boundary)?;
    match without_trailing_space(without_line_end(rest)) {
        b"" => Some(Delimiter::Open),
        // `--boundary --` is content with a space in it, not a closing delimiter.
        b"--" => Some(Delimiter::Close),
        _ => None,
    }
}

/// Where a part that began at `begin` ends, when the delimiter line begins at `delimiter`: the line end
/// before the delimiter belongs to the delimiter.
fn end_before(body: &[u8], begin: usize, delimiter: usize) -> usize {
    let part = body.get(begin..delimiter).unwrap_or_default();
    begin + without_line_end(part).len()
}

/// Whether a line of `octets` begins with `--boundary`: then that boundary cannot delimit them.
pub(super) fn occurs(octets: &[u8], boundary: &[u8]) -> bool {
    super::canonical::lines(octets)
        .any(|line| line.strip_prefix(b"--").is_some_and(|rest| rest.starts_with(boundary)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(body: &[u8]) -> (Vec<String>, bool) {
        let split = split(body, b"b", 8).unwrap();
        (split.parts.iter().map(|part| String::from_utf8(part.to_vec()).unwrap()).collect(), split.closed)
    }

    #[test]
    fn exact_octets() {
        for (body, wanted, closed) in [
            (&b"--b\r\none\r\n--b\r\ntwo\r\n\r\n--b--\r\n"[..], vec!["one", "two\r\n"], true),
            (b"preamble\r\n--b \t\r\none\r\n--b--", vec!["one"], true),
            (b"--b\none\n--b--\nepilogue\n--b\nthree\n--b--\n", vec!["one"], true),
            (b"--b\r\n--b\r\n\r\n--b--\r\n", vec!["", ""], true),
            (
                b"--b\r\none\r\n--bb\r\n--b2--\r\n --b\r\nx--b\r\n--b--\r\n",
                vec!["one\r\n--bb\r\n--b2--\r\n --b\r\nx--b"],
                true,
            ),
            (b"--b\r\none\r\n--b\r\ntrunc", vec!["one", "trunc"], false),
            (b"--b\r\none\r\n--b --\r\n", vec!["one\r\n--b --\r\n"], false),
            (b"--b--\r\n", vec![], false),
            (b"none\r\n", vec![], false),
            (b"", vec![], false),
        ] {
            assert_eq!(parts(body), (wanted.into_iter().map(String::from).collect(), closed));
        }
    }

    #[test]
    fn parts_are_counted() {
        let body = b"--b\r\n1\r\n--b\r\n2\r\n--b\r\n3\r\n--b--\r\n";
        assert_eq!(split(body, b"b", 3).unwrap().parts.len(), 3);
        assert_eq!(split(body, b"b", 2), Err(MimeError::TooManyParts { limit: 2 }));
    }

    #[test]
    fn a_boundary_that_occurs() {
        assert!(occurs(b"x\r\n--bx\r\n", b"b"));
        assert!(!occurs(b"x --b\r\n", b"b"));
    }
}
