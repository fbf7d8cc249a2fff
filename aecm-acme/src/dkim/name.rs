//! The names DKIM works with: domains, selectors, header field names.

/// A domain in `d=` (RFC 6376 §3.5): two or more LDH labels; lower case is returned.
pub(super) fn domain(text: &str) -> Option<String> {
    let labels = text.split('.');
    let well_formed = labels.clone().count() >= 2
        && text.len() <= 253
        && labels.clone().all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        });
    well_formed.then(|| text.to_ascii_lowercase())
}

/// A selector in `s=`: one or more labels. An underscore is let through: real signers use it and it can only
/// lead to another name under the same domain.
pub(super) fn selector(text: &str) -> Option<String> {
    let well_formed = text.len() <= 253
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        });
    well_formed.then(|| text.to_ascii_lowercase())
}

/// Whether `name` is `domain` or lies under it; both in lower case.
pub(super) fn is_within(name: &str, domain: &str) -> bool {
    name.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A header field name (RFC 5322 §3.6.8): printable ASCII without colon; lower case is returned.
/// The semicolon is excluded as well, for it would end the tag (RFC 6376 §2.11).
pub(super) fn field(text: &str) -> Option<String> {
    let well_formed = !text.is_empty()
        && text.len() <= 255
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b':' | b';'));
    well_formed.then(|| text.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_and_selectors() {
        assert_eq!(domain("Example.COM"), Some("example.com".to_owned()));
        assert_eq!(domain("xn--bcher-kva.example"), Some("xn--bcher-kva.example".to_owned()));
        let long = format!("{}.example", "a".repeat(64));
        for bad in [
            "",
            "com",
            ".",
            "a.",
            ".a",
            "a..b",
            "a b.c",
            "-a.b",
            "a-.b",
            "a_b.c",
            "bücher.example",
            "a.b\0",
            long.as_str(),
        ] {
            assert_eq!(domain(bad), None, "{bad:?}");
        }
        assert_eq!(domain(&["a"; 127].join(".")), Some(["a"; 127].join(".")));
        assert_eq!(domain(&["a"; 128].join(".")), None);
        assert_eq!(selector("S1._x.2024-a"), Some("s1._x.2024-a".to_owned()));
        for bad in ["", "a.", "a b", "a/b", "-a", "ä"] {
            assert_eq!(selector(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn within_means_whole_labels() {
        assert!(is_within("example.com", "example.com"));
        assert!(is_within("a.b.example.com", "example.com"));
        for outside in ["notexample.com", "example.com.evil.test", "com", "", ".com"] {
            assert!(!is_within(outside, "example.com"), "{outside}");
        }
    }

    #[test]
    fn field_names() {
        assert_eq!(field("Message-ID"), Some("message-id".to_owned()));
        for bad in ["", "a b", "a:b", "a;b", "ä", "a\t", "a\0"] {
            assert_eq!(field(bad), None, "{bad:?}");
        }
    }
}
