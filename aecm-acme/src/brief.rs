//! Foreign texts in messages, cut to a length: a server chooses how long its texts are.

use core::fmt::{self, Display, Write};

/// Shows at most so many characters, and `…` where there are more.
pub(crate) struct Brief<T>(pub(crate) T, pub(crate) usize);

struct Cut<'a, 'f> {
    to: &'a mut fmt::Formatter<'f>,
    left: usize,
    more: bool,
}

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.more {
            return Ok(());
        }
        match text.char_indices().nth(self.left) {
            Some((at, _)) => {
                self.more = true;
                self.to.write_str(text.get(..at).unwrap_or_default())?;
                self.to.write_str("…")
            }
            None => {
                self.left -= text.chars().count();
                self.to.write_str(text)
            }
        }
    }
}

impl<T: Display> Display for Brief<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(Cut { to: f, left: self.1, more: false }, "{}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        for (text, most, shown) in
            [("", 0, ""), ("a", 0, "…"), ("abc", 3, "abc"), ("abcd", 3, "abc…"), ("é世界", 2, "é世…")]
        {
            assert_eq!(Brief(text, most).to_string(), shown);
        }
        // In pieces too.
        assert_eq!(Brief(format_args!("{}-{}-{}", "ab", "cd", "ef"), 4).to_string(), "ab-c…");
    }
}
