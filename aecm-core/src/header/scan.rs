//! The lexical tokens of structured fields (RFC 5322 §3.2).

use alloc::string::String;
use core::iter::Peekable;
use core::str::Chars;

use super::HeaderError;

const MAX_COMMENT_DEPTH: usize = 16;

/// Walks over an unfolded value.
#[derive(Clone)]
pub(super) struct Scanner<'a> {
    characters: Peekable<Chars<'a>>,
    position: usize,
}

impl<'a> Scanner<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { characters: text.chars().peekable(), position: 0 }
    }

    pub(super) fn peek(&mut self) -> Option<char> {
        self.characters.peek().copied()
    }

    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.characters.next();
        self.position += usize::from(next.is_some());
        next
    }

    pub(super) fn eat(&mut self, wanted: char) -> bool {
        let found = self.peek() == Some(wanted);
        if found {
            self.next();
        }
        found
    }

    pub(super) fn expected<T>(&self, expected: &'static str) -> Result<T, HeaderError> {
        Err(HeaderError::Syntax { expected, position: self.position })
    }

    /// Steps over white space and comments (CFWS), without recursion.
    pub(super) fn skip(&mut self) -> Result<(), HeaderError> {
        loop {
            match self.peek() {
                Some(' ' | '\t') => _ = self.next(),
                Some('(') => self.comment()?,
                _ => return Ok(()),
            }
        }
    }

    fn comment(&mut self) -> Result<(), HeaderError> {
        let mut depth = 0usize;
        loop {
            match self.next() {
                Some('(') => {
                    depth += 1;
                    if depth > MAX_COMMENT_DEPTH {
                        return Err(HeaderError::CommentDepth);
                    }
                }
                Some(')') => {
                    depth -= 1;
                    if depth == 0 {
                        return Ok(());
                    }
                }
                Some('\\') if self.next().is_none() => return self.expected("the end of a comment"),
                Some(_) => {}
                None => return self.expected("the end of a comment"),
            }
        }
    }

    /// The meaning of a quoted-string; its opening mark is next.
    pub(super) fn quoted(&mut self) -> Result<String, HeaderError> {
        let mut text = String::new();
        self.next();
        loop {
            match self.next() {
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some(escaped) => text.push(escaped),
                    None => return self.expected("a closing quotation mark"),
                },
                Some(other) => text.push(other),
                None => return self.expected("a closing quotation mark"),
            }
        }
    }

    /// All characters up to the first that `belongs` does not hold for.
    pub(super) fn take(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut text = String::new();
        while let Some(character) = self.characters.next_if(|character| belongs(*character)) {
            self.position += 1;
            text.push(character);
        }
        text
    }
}
