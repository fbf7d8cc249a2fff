//! The two halves of a challenge token, and how they are joined (RFC 8823 §3, STANDARDS A1).
//!
//! The values are secrets until the authorization is decided: they are wiped when dropped and have neither
//! `Debug` nor `Display` (THREATS N9).
//!
//! ```compile_fail
//! let part = aecm_acme::token::TokenPart1::parse("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W").unwrap();
//! println!("{part:?}");
//! ```

use core::fmt;

use base64ct::{Base64UrlUnpadded, Encoding};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, Zeroizing};

/// The fewest characters of a part: 128 bits in base64url.
const MIN_CHARACTERS: usize = 22;
/// The most characters of a part, without padding: 128 octets in base64url.
const MAX_CHARACTERS: usize = 171;

/// How token-part1 and token-part2 become the token (RFC 8823 leaves it open; STANDARDS A1).
///
/// When part 1 is unpadded and encodes a multiple of three octets, all three give the same token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum TokenJoin {
    /// The text of part 1 without its `=`, then the text of part 2.
    #[default]
    TextUnpadded,
    /// The text of part 1 as it came, `=` included, then the text of part 2 (acme4j).
    TextAsReceived,
    /// Both parts decoded, the octets joined, and encoded again without padding.
    BytesReencoded,
}

impl TokenJoin {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::TextUnpadded, Self::TextAsReceived, Self::BytesReencoded];

    /// The word in `meta.aecm.tokenJoin`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::TextUnpadded => "text-unpadded",
            Self::TextAsReceived => "text-as-received",
            Self::BytesReencoded => "bytes-reencoded",
        }
    }

    /// The inverse of [`TokenJoin::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|join| join.word() == word)
    }
}

/// Why a text is no token part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenError {
    /// Fewer characters than 128 bits need, or more than the cap.
    Length {
        /// How many characters came, without padding.
        characters: usize,
    },
    /// A character that is not in the base64url alphabet.
    Alphabet {
        /// Its place, in octets.
        position: usize,
    },
    /// More than two `=` at the end.
    Padding,
    /// The part cannot be decoded, which [`TokenJoin::BytesReencoded`] needs.
    Undecodable,
}

impl fmt::Display for TokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Length { characters } => write!(
                f,
                "a token part has {characters} characters; {MIN_CHARACTERS} to {MAX_CHARACTERS} are accepted"
            ),
            Self::Alphabet { position } => {
                write!(f, "a token part has a character outside base64url at position {position}")
            }
            Self::Padding => f.write_str("a token part ends in more than two '='"),
            Self::Undecodable => {
                f.write_str("a token part is not canonical base64url, its octets cannot be joined")
            }
        }
    }
}

impl core::error::Error for TokenError {}

/// Checks `^[A-Za-z0-9_-]{22,171}={0,2}$` (THREATS C3).
fn check(text: &str) -> Result<(), TokenError> {
    let bare = text.trim_end_matches('=');
    if text.len() - bare.len() > 2 {
        return Err(TokenError::Padding);
    }
    if let Some(position) =
        bare.bytes().position(|byte| !(byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_'))
    {
        return Err(TokenError::Alphabet { position });
    }
    if !(MIN_CHARACTERS..=MAX_CHARACTERS).contains(&bare.len()) {
        return Err(TokenError::Length { characters: bare.len() });
    }
    Ok(())
}

fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, TokenError> {
    Base64UrlUnpadded::decode_vec(text.trim_end_matches('='))
        .map(Zeroizing::new)
        .map_err(|_| TokenError::Undecodable)
}

macro_rules! secret_text {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone)]
        #[allow(missing_debug_implementations)] // N9: a secret, it has no Debug on purpose
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// The text itself. It must not reach logs, file names or shells (THREATS N3, N9).
            #[must_use]
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        /// Takes the same time wherever the texts differ.
        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                bool::from(self.0.as_bytes().ct_eq(other.0.as_bytes()))
            }
        }

        impl Eq for $name {}
    };
}

secret_text! {
    /// token-part1: what came by mail, in the Subject (RFC 8823 §3.1).
    TokenPart1
}
secret_text! {
    /// token-part2: the `token` of the challenge object (RFC 8823 §3).
    TokenPart2
}
secret_text! {
    /// The joined token (RFC 8823 §3): proof that the mail was read, and of the account that asked.
    Token
}

impl TokenPart1 {
    /// Takes the text after `ACME:`, with white space already removed; `=` at its end are kept.
    ///
    /// # Errors
    /// [`TokenError`] when it is not `[A-Za-z0-9_-]{22,171}={0,2}`.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        check(text)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// Joins this part and `part2`.
    ///
    /// # Errors
    /// [`TokenError::Undecodable`] with [`TokenJoin::BytesReencoded`] when a part is not canonical base64url.
    pub fn join(&self, part2: &TokenPart2, join: TokenJoin) -> Result<Token, TokenError> {
        let mut joined = Zeroizing::new(String::with_capacity(self.0.len() + part2.0.len() + 2));
        match join {
            TokenJoin::TextUnpadded => {
                joined.push_str(self.0.trim_end_matches('='));
                joined.push_str(&part2.0);
            }
            TokenJoin::TextAsReceived => {
                joined.push_str(&self.0);
                joined.push_str(&part2.0);
            }
            TokenJoin::BytesReencoded => {
                let (first, second) = (decode(&self.0)?, decode(&part2.0)?);
                let mut octets = Zeroizing::new(Vec::with_capacity(first.len() + second.len()));
                octets.extend_from_slice(&first);
                octets.extend_from_slice(&second);
                joined = Zeroizing::new(Base64UrlUnpadded::encode_string(&octets));
            }
        }
        Ok(Token(joined))
    }
}

impl TokenPart2 {
    /// Takes the `token` of a challenge object.
    ///
    /// # Errors
    /// [`TokenError`] when it is not `[A-Za-z0-9_-]{22,171}={0,2}`.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        check(text)?;
        Ok(Self(Zeroizing::new(text.to_owned())))
    }
}

impl Token {
    /// A token as a server receives it in `{"token": ...}`.
    ///
    /// # Errors
    /// [`TokenError`] when it cannot be two joined parts.
    pub fn parse(text: &str) -> Result<Self, TokenError> {
        let longest = 2 * (MAX_CHARACTERS + 2);
        let characters = text.len();
        if !(2 * MIN_CHARACTERS..=longest).contains(&characters) {
            return Err(TokenError::Length { characters });
        }
        // `TextAsReceived` leaves '=' in the middle.
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'=');
        if let Some(position) = text.bytes().position(|byte| !allowed(byte)) {
            return Err(TokenError::Alphabet { position });
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The key authorization (RFC 8555 §8.1): token, a dot, and the account key's thumbprint in base64url.
    #[must_use]
    pub fn key_authorization(&self, thumbprint: &str) -> Zeroizing<String> {
        Zeroizing::new(format!("{}.{thumbprint}", self.expose()))
    }

    /// base64url(SHA-256(key authorization)): what RFC 8823 §3.2 puts in the response mail.
    #[must_use]
    pub fn key_authorization_digest(&self, thumbprint: &str) -> String {
        let mut digest = Sha256::digest(self.key_authorization(thumbprint).as_bytes());
        let text = Base64UrlUnpadded::encode_string(&digest);
        digest.zeroize();
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const THUMBPRINT: &str = "1_nKJnlH9boVxdoO63T8zP7O2w42qZL4d6xj35Hy5aI";
    const PART1: &str = "LgYemJLy3F1LDkiJrdIGbEzyFJyOyf6vBdyZ1TG3sME=";
    const PART2: &str = "DGyRejmCefe7v4NfDGDKfA";

    // A1: the acme4j vector and the two other readings of it.
    #[test]
    fn the_three_joins_give_the_three_known_digests() {
        let (part1, part2) = (TokenPart1::parse(PART1).unwrap(), TokenPart2::parse(PART2).unwrap());
        for (join, digest) in [
            (TokenJoin::TextAsReceived, "AjXW0h9_4YMP6Sv-9tKQNUrapI0us7ayBn0nCGOkUsk"),
            (TokenJoin::TextUnpadded, "aeF6_NPRTqHBh0L1_wlbKFwocQfQb1S5_ZJZS3_iKlI"),
            (TokenJoin::BytesReencoded, "xyC6Z01DHFuV0pZgacdI2xN9nIKkPSARDv1gLbxY8Xk"),
        ] {
            let token = part1.join(&part2, join).unwrap();
            assert_eq!(token.key_authorization_digest(THUMBPRINT), digest, "{}", join.word());
            assert_eq!(TokenJoin::from_word(join.word()), Some(join));
            assert!(Token::parse(token.expose()).is_ok(), "{}", join.word());
        }
    }

    #[test]
    fn an_unpadded_part_of_24_octets_joins_alike_in_all_ways() {
        let part1 = TokenPart1::parse("MZfj3Md0g5JsI2VSj7OgwINIx2NzBd9W").unwrap();
        let part2 = TokenPart2::parse(PART2).unwrap();
        let tokens = TokenJoin::ALL.map(|join| part1.join(&part2, join).unwrap());
        assert!(tokens.windows(2).all(|pair| pair[0] == pair[1]));
    }

    // C3: alphabet, length and padding of token-part1.
    #[test]
    fn malformed_parts_are_refused() {
        for (text, error) in [
            (String::new(), TokenError::Length { characters: 0 }),
            ("a".repeat(21), TokenError::Length { characters: 21 }),
            ("a".repeat(172), TokenError::Length { characters: 172 }),
            ("a".repeat(10_000), TokenError::Length { characters: 10_000 }),
            (format!("{}===", "a".repeat(22)), TokenError::Padding),
            (format!("{}=a", "a".repeat(22)), TokenError::Alphabet { position: 22 }),
            (format!("{}+", "a".repeat(22)), TokenError::Alphabet { position: 22 }),
            (format!("{}\r\n", "a".repeat(22)), TokenError::Alphabet { position: 22 }),
            (format!("{}\0", "a".repeat(22)), TokenError::Alphabet { position: 22 }),
            (format!("../{}", "a".repeat(22)), TokenError::Alphabet { position: 0 }),
            (format!("ä{}", "a".repeat(22)), TokenError::Alphabet { position: 0 }),
        ] {
            assert_eq!(TokenPart1::parse(&text).err(), Some(error), "{text:?}");
            assert_eq!(TokenPart2::parse(&text).err(), Some(error), "{text:?}");
        }
        assert!(TokenPart1::parse(&"a".repeat(22)).is_ok());
        assert!(TokenPart1::parse(&format!("{}==", "a".repeat(171))).is_ok());
        assert!(Token::parse(&"a".repeat(43)).is_err());
        assert!(Token::parse(&format!("{} ", "a".repeat(44))).is_err());
    }

    #[test]
    fn octets_of_a_part_that_cannot_be_decoded_are_not_joined() {
        // 25 characters: no number of octets has that length in base64.
        let part1 = TokenPart1::parse(&"a".repeat(25)).unwrap();
        let part2 = TokenPart2::parse(PART2).unwrap();
        assert_eq!(part1.join(&part2, TokenJoin::BytesReencoded).err(), Some(TokenError::Undecodable));
        assert!(part1.join(&part2, TokenJoin::TextUnpadded).is_ok());
    }
}
