//! The token and the mail that carries its first half.

/// When the challenge mail goes out (RFC 8823 §3 allows both).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum ChallengeMailTime {
    /// With the order that opens the authorization.
    #[default]
    AtAuthorization,
    /// When the client first POSTs `{}` to one of the challenges.
    AtChallenge,
}

impl ChallengeMailTime {
    /// The word in `meta.aecm.challengeMail`: `authorization` or `challenge`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::AtAuthorization => "authorization",
            Self::AtChallenge => "challenge",
        }
    }
}

/// How many random octets token-part1 has; RFC 8823 §3.1 wants 16 or more.
///
/// ```
/// use aecm_service::TokenPart1Bytes;
///
/// assert_eq!(TokenPart1Bytes::from_bytes(20), Some(TokenPart1Bytes::Twenty));
/// assert_eq!(TokenPart1Bytes::from_bytes(16), None);
/// assert_eq!(TokenPart1Bytes::default().bytes(), 24);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum TokenPart1Bytes {
    /// 20: 27 characters, no multiple of three octets, so that a wrong join shows (STANDARDS A1).
    Twenty,
    /// 24: 32 characters; every way of joining gives the same token.
    #[default]
    TwentyFour,
    /// 32: 43 characters.
    ThirtyTwo,
}

impl TokenPart1Bytes {
    /// The length with that many octets; `None` for one that is not offered.
    #[must_use]
    pub const fn from_bytes(bytes: usize) -> Option<Self> {
        match bytes {
            20 => Some(Self::Twenty),
            24 => Some(Self::TwentyFour),
            32 => Some(Self::ThirtyTwo),
            _ => None,
        }
    }

    /// In octets.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Twenty => 20,
            Self::TwentyFour => 24,
            Self::ThirtyTwo => 32,
        }
    }
}
