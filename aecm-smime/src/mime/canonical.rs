//! The canonical form of line ends (RFC 8551 §3.1.1).

use std::borrow::Cow;

/// The octets with every bare LF made CRLF; borrowed where there is none. Bare CR is left alone: it is not a
/// line end.
#[must_use]
pub fn canonical_line_ends(octets: &[u8]) -> Cow<'_, [u8]> {
    let bare = bare_line_feeds(octets);
    if bare == 0 {
        return Cow::Borrowed(octets);
    }
    let mut canonical = Vec::with_capacity(octets.len().saturating_add(bare));
    let mut before = 0;
    for &octet in octets {
        if octet == b'\n' && before != b'\r' {
            canonical.push(b'\r');
        }
        canonical.push(octet);
        before = octet;
    }
    Cow::Owned(canonical)
}

fn bare_line_feeds(octets: &[u8]) -> usize {
    let pairs = octets.windows(2).filter(|pair| matches!(pair, [before, b'\n'] if *before != b'\r')).count();
    pairs + usize::from(octets.first() == Some(&b'\n'))
}

/// The lines of `octets`, each with its line end (CRLF or LF), the last one perhaps without.
pub(super) fn lines(octets: &[u8]) -> impl Iterator<Item = &[u8]> {
    octets.split_inclusive(|octet| *octet == b'\n')
}

/// A line without its line end.
pub(super) fn without_line_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// A line without spaces and tabs at its end.
pub(super) fn without_trailing_space(line: &[u8]) -> &[u8] {
    let end = line.iter().rposition(|octet| !matches!(octet, b' ' | b'\t')).map_or(0, |last| last + 1);
    line.get(..end).unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_bare_line_feeds_change() {
        for (input, wanted) in [
            (&b""[..], &b""[..]),
            (b"\n", b"\r\n"),
            (b"\n\n", b"\r\n\r\n"),
            (b"a\nb\r\nc", b"a\r\nb\r\nc"),
            (b"a\rb\n", b"a\rb\r\n"),
            (b"a\r\r\n", b"a\r\r\n"),
        ] {
            assert_eq!(canonical_line_ends(input), wanted);
        }
        assert!(matches!(canonical_line_ends(b"a\r\nb\r\n"), Cow::Borrowed(_)));
    }

    #[test]
    fn line_helpers() {
        assert_eq!(lines(b"a\r\n\nb").collect::<Vec<_>>(), [&b"a\r\n"[..], b"\n", b"b"]);
        assert_eq!(without_line_end(b"a\r\n"), b"a");
        assert_eq!(without_line_end(b"a\r"), b"a");
        assert_eq!(without_trailing_space(b"a \t "), b"a");
        assert_eq!(without_trailing_space(b" \t"), b"");
    }
}
