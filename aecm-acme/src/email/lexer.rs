//! Words, quoted strings and separators of structured header fields (RFC 5322 §3.2), comments dropped:
//! what Auto-Submitted (RFC 3834 §5) and Authentication-Results (RFC 8601 §2.2) are made of.

/// A piece of a structured field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Token {
    /// A run of characters that are neither blank nor separator.
    Word(String),
    /// What stood between quotation marks, backslashes resolved.
    Quoted(String),
    /// `;`
    Semicolon,
    /// `=`
    Equals,
}

/// Takes an unfolded value apart; `None` where a comment or a quoted string does not end, and for control
/// characters.
pub(super) fn tokens(value: &str) -> Option<Vec<Token>> {
    let mut tokens = Vec::new();
    let mut chars = value.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            ' ' | '\t' => {}
            ';' => tokens.push(Token::Semicolon),
            '=' => tokens.push(Token::Equals),
            '(' => {
                let mut depth = 1usize;
                while depth > 0 {
                    match chars.next()? {
                        '\\' => drop(chars.next()?),
                        '(' => depth += 1,
                        ')' => depth -= 1,
                        _ => {}
                    }
                }
            }
            '"' => {
                let mut text = String::new();
                loop {
                    match chars.next()? {
                        '"' => break,
                        '\\' => text.push(chars.next()?),
                        other => text.push(other),
                    }
                }
                tokens.push(Token::Quoted(text));
            }
            ')' | '\\' => return None,
            control if control.is_control() => return None,
            first => {
                let mut word = String::from(first);
                while let Some(next) = chars.next_if(|next| {
                    !next.is_control() && !matches!(next, ' ' | '\t' | ';' | '=' | '(' | ')' | '"' | '\\')
                }) {
                    word.push(next);
                }
                tokens.push(Token::Word(word));
            }
        }
    }
    Some(tokens)
}

/// The pieces between semicolons.
pub(super) fn segments(tokens: &[Token]) -> impl Iterator<Item = &[Token]> {
    tokens.split(|token| *token == Token::Semicolon)
}

/// Reads `name=value name=value …`; names in lower case.
pub(super) fn pairs(segment: &[Token]) -> Option<Vec<(String, String)>> {
    segment
        .chunks(3)
        .map(|chunk| match chunk {
            [Token::Word(name), Token::Equals, Token::Word(value) | Token::Quoted(value)] => {
                Some((name.to_ascii_lowercase(), value.clone()))
            }
            _ => None,
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_strings_and_comments() {
        let word = |text: &str| Token::Word(text.to_owned());
        assert_eq!(
            tokens("a (c (d\\)) e)b;x = \"y \\\" z\"").unwrap(),
            [
                word("a"),
                word("b"),
                Token::Semicolon,
                word("x"),
                Token::Equals,
                Token::Quoted("y \" z".to_owned())
            ]
        );
        for broken in ["(", "(()", "\"a", "\"a\\", ")", "a\\b", "a\0", "\r\n"] {
            assert_eq!(tokens(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn pairs_are_strict() {
        let read = |text: &str| pairs(&tokens(text).unwrap());
        assert_eq!(
            read("A=b c=\"d e\"").unwrap(),
            [("a".to_owned(), "b".to_owned()), ("c".to_owned(), "d e".to_owned())]
        );
        assert_eq!(read(""), Some(vec![]));
        for broken in ["a", "a=", "=b", "a=b c", "a==b", "\"a\"=b", "a b=c"] {
            assert_eq!(read(broken), None, "{broken:?}");
        }
    }
}
