//! What the stable words mean, and what to do: read from `docs/verdicts.md`, so that there is one text of it.

use super::terminal;

const PAGE: &str = include_str!("../../../docs/verdicts.md");

/// One row of the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Explanation {
    /// What the word means.
    pub(super) meaning: &'static str,
    /// What to do; empty where there is nothing to do.
    pub(super) advice: String,
}

/// Sections whose words are not reasons.
const NO_REASONS: [&str; 6] =
    ["Verdict", "Check", "Revocation", "Tolerance", "Ground of a time", "Choice of protection"];

/// Why a verdict is what it is.
pub(super) fn reason(word: &str) -> Option<Explanation> {
    sections().filter(|(name, _)| !NO_REASONS.contains(name)).find_map(|(_, text)| row(text, word))
}

/// What was forgiven. The first is the library's list, the other what the command line itself forgives.
pub(super) fn tolerance(word: &str) -> Option<Explanation> {
    in_section("Tolerance", word).or_else(|| in_section("Command line", word))
}

/// The summary itself.
pub(super) fn verdict(word: &str) -> Option<Explanation> {
    in_section("Verdict", word)
}

fn in_section(wanted: &str, word: &str) -> Option<Explanation> {
    sections().filter(|(name, _)| *name == wanted).find_map(|(_, text)| row(text, word))
}

fn sections() -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.split("\n## ").skip(1).filter_map(|section| section.split_once('\n'))
}

fn row(section: &'static str, word: &str) -> Option<Explanation> {
    section.lines().find_map(|line| {
        let (name, rest) = line.strip_prefix("| `")?.split_once("` |")?;
        let (meaning, rest) = rest.split_once('|').filter(|_| name == word)?;
        let advice = terminal::words(rest.trim_end().trim_end_matches('|').trim());
        Some(Explanation { meaning: meaning.trim(), advice })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_in_their_sections() {
        let weak = reason("weak-digest").unwrap();
        assert!(weak.meaning.contains("too weak") && weak.advice.contains("`--policy legacy`"));
        assert!(tolerance("weak-digest").unwrap().meaning.contains("was used"));
        assert!(verdict("invalid").unwrap().advice.contains("not trusted"));
        assert!(reason("timestamp-imprint-mismatch").is_some() && reason("expired").is_some());
        assert_eq!(reason("ber-encoding"), None);
        assert_eq!(reason("no-such-word"), None);
    }
}
