//! The libraries' names for things, in the words of the command line: who sits at a terminal has options, not fields.

/// What stands in the libraries' sentences and on the page of words, and the option that does it.
const OPTIONS: [(&str, &str); 14] = [
    ("Policy::legacy", "--policy legacy"),
    ("Policy::sm2_raw_digest", "--sm2-raw-digest"),
    ("Policy::sm2_ids", "--sm2-id"),
    ("`Policy::sm2_default_id` allows it", "no option of this command refuses it"),
    ("SignerPolicy", "--signers"),
    ("OpenOptions::rewriters", "--rewriter"),
    ("`Verifier::at`, `OpenOptions::at`", "`--at`"),
    ("SignedHeaders::Relaxed", "--signed-headers relaxed"),
    ("`Revocation::required` makes this a failure", "give fresher ones with --crl or --ocsp"),
    ("`TimestampPolicy::accept_non_critical_eku` allows the second", "ask another authority"),
    ("`VerifyOptions` names the bound", "the CA has to use a longer one"),
    ("raise the field of Limits if", "--limits sets another bound, if"),
    ("raise Limits::", "another bound: Limits::"),
    ("name it as a recipient, or ask for only_named()", "name it with --to, or take it out of the mail"),
];

/// `text` without names of the libraries.
pub(super) fn words(text: &str) -> String {
    let mut text = text.to_owned();
    for (name, option) in OPTIONS {
        if text.contains(name) {
            text = text.replace(name, option);
        }
    }
    limits(&text)
}

/// `Limits::NAME` becomes `--limits NAME=…`.
fn limits(text: &str) -> String {
    let mut pieces = text.split("Limits::");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end =
            piece.find(|letter: char| !letter.is_ascii_lowercase() && letter != '_').unwrap_or(piece.len());
        let (name, rest) = piece.split_at(end);
        out.push_str(&format!("--limits {name}=…{rest}"));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_on_the_page_of_words_is_a_name_of_a_library() {
        let page = include_str!("../../../docs/verdicts.md");
        let rows: Vec<&str> = page.lines().filter(|line| line.starts_with("| `")).collect();
        assert!(rows.len() > 300, "{}", rows.len());
        for row in rows {
            let told = words(row);
            assert!(!told.contains("::") && !told.contains("()"), "{told}");
        }
        assert_eq!(
            words("`Limits::signature_checks` is the bound"),
            "`--limits signature_checks=…` is the bound"
        );
    }

    #[test]
    fn errors_name_options() {
        use aecm_smime::Error;
        use aecm_smime::mime::MimeError;
        let limit = Error::Limit { what: "signers", limit: 3 }.to_string();
        assert_eq!(
            words(&limit),
            "more than 3 signers; --limits sets another bound, if this sender is trusted so far"
        );
        let large = MimeError::TooLarge { found: 11, limit: 10 }.to_string();
        let told = words(&large);
        assert!(told.ends_with("another bound: --limits message_bytes=…"), "{told}");
        let named = aecm::Error::NotNamed { mailbox: "a@example.test".parse().unwrap() }.to_string();
        assert!(words(&named).ends_with("name it with --to, or take it out of the mail"), "{named}");
    }
}
