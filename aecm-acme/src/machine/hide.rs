//! Secrets that a server repeats do not reach a message (THREATS N9).

use super::Error;

impl Error {
    /// Takes a secret, and parts of it, out of what the server said: it may repeat what it was sent (N9).
    pub(super) fn hide(&mut self, secret: &str) {
        let problem = match self {
            Self::Problem { problem, .. } => problem,
            Self::OrderInvalid { problem: Some(problem) }
            | Self::ChallengeFailed { problem: Some(problem), .. } => problem,
            _ => return,
        };
        let of_subproblems = problem.subproblems.iter_mut().map(|sub| &mut sub.detail);
        let texts = [&mut problem.title, &mut problem.detail, &mut problem.instance];
        for text in texts.into_iter().chain(of_subproblems).flatten() {
            *text = without(text, secret);
        }
    }
}

/// `text` without words in base64url that are in the secret or have it in them.
fn without(text: &str, secret: &str) -> String {
    const SHORTEST: usize = 16;
    let of_words = |char: char| char.is_ascii_alphanumeric() || matches!(char, '-' | '_');
    let mut rest = text;
    let mut shown = String::new();
    while !rest.is_empty() {
        let (word, behind) = rest.split_at(rest.find(|char| !of_words(char)).unwrap_or(rest.len()));
        let tells = word.len() >= SHORTEST
            && secret.len() >= SHORTEST
            && (secret.contains(word) || word.contains(secret));
        shown.push_str(if tells { "[token]" } else { word });
        let (between, next) = behind.split_at(behind.find(of_words).unwrap_or(behind.len()));
        shown.push_str(between);
        rest = next;
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    // N9: a server repeats the token it was sent.
    #[test]
    fn a_repeated_token_is_not_shown() {
        let secret = "1SZ6w5CZ2yR_jOPNlbd-wCChgCpajMmcpr2kDAhq";
        for (said, shown) in [
            (format!("the token {secret} is wrong"), "the token [token] is wrong"),
            (format!("{secret}."), "[token]."),
            (format!("({}) x{secret}x", &secret[3..30]), "([token]) [token]"),
            ("é nothing of-it, because it is Monday".to_owned(), "é nothing of-it, because it is Monday"),
            (String::new(), ""),
        ] {
            assert_eq!(without(&said, secret), shown);
        }
        assert_eq!(without("abcdefghijklmnopqrstuvwxyz", ""), "abcdefghijklmnopqrstuvwxyz");
    }
}
