//! The report for people: the verdict first, then what was found in aligned rows, then why and what to do.

use super::explain;
use super::show;

/// A text in the making.
#[derive(Debug, Default)]
pub(super) struct Text(String);

/// The column where values begin.
const COLUMN: usize = 14;

impl Text {
    /// Begins with the verdict and a sentence about it.
    pub(super) fn verdict(word: &str, sentence: &str) -> Self {
        Self(format!("{}: {}\n", word, line(sentence)))
    }

    /// Begins with the verdict and its meaning from the page of words.
    pub(super) fn explained(word: &str) -> Self {
        Self::verdict(word, explain::verdict(word).map_or("", |row| row.meaning))
    }

    /// An empty line and a heading.
    pub(super) fn heading(&mut self, text: &str) {
        self.0.push_str(&format!("\n{}\n", line(text)));
    }

    /// A name and its value. What foreigners wrote stays on its line.
    pub(super) fn row(&mut self, name: &str, value: impl AsRef<str>) {
        let value = line(value.as_ref());
        if !value.is_empty() {
            self.0.push_str(&format!("  {name:COLUMN$}{value}\n"));
        }
    }

    /// A line of a tree.
    pub(super) fn branch(&mut self, depth: usize, text: &str) {
        self.0.push_str(&format!("{:1$}{2}\n", "", 2 + 2 * depth, line(text.trim_end())));
    }

    /// The reasons and tolerances, each with its meaning and what to do.
    pub(super) fn because<R: AsRef<str>>(&mut self, reasons: &[R], tolerances: &[String]) {
        self.words("Why", reasons.iter().map(AsRef::as_ref), explain::reason);
        self.words("Tolerated", tolerances.iter().map(String::as_str), explain::tolerance);
    }

    fn words<'w>(
        &mut self,
        heading: &str,
        words: impl Iterator<Item = &'w str>,
        find: fn(&str) -> Option<explain::Explanation>,
    ) {
        for (place, word) in words.enumerate() {
            if place == 0 {
                self.heading(heading);
            }
            let found = find(word);
            let meaning = found.as_ref().map_or(String::new(), |row| format!(": {}", row.meaning));
            self.0.push_str(&format!("  {}{meaning}\n", line(word)));
            if let Some(advice) = found.map(|row| row.advice).filter(|advice| !advice.is_empty()) {
                self.0.push_str(&format!("    {advice}\n"));
            }
        }
    }

    /// What is unusual, each with its meaning.
    pub(super) fn unusual(&mut self, words: &[&str]) {
        if words.is_empty() {
            return;
        }
        self.heading("Unusual");
        for word in words {
            let meaning = explain::reason(word).map_or("", |row| row.meaning);
            self.0.push_str(&format!("  {word}: {meaning}\n"));
        }
    }

    /// The whole.
    pub(super) fn finish(self) -> String {
        self.0
    }
}

/// Without line breaks, so that nobody's name can begin a line of its own.
fn line(text: &str) -> String {
    show::plain(text).replace('\n', "\\n").replace('\t', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_align_and_nobody_begins_a_line() {
        let mut text = Text::verdict("invalid", "no");
        text.row("subject", "CN=x\nvalid: all is well");
        text.row("empty", "");
        text.because(&["digest-mismatch"], &["ber-encoding".to_owned()]);
        let text = text.finish();
        assert!(
            text.starts_with("invalid: no\n  subject       CN=x\\nvalid: all is well\n\nWhy\n"),
            "{text}"
        );
        assert!(text.contains("  digest-mismatch: the content is not what was signed\n    changed on"));
        assert!(text.contains("\nTolerated\n  ber-encoding: "));
    }
}
