//! The two algorithm families, what a certificate is for, and how well its holder was checked.

use core::fmt;

/// An algorithm family: which certificates and ciphers go together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Suite {
    /// RSA or NIST-curve ECC with SHA-2 and AES (RFC 8551).
    Classic,
    /// SM2 with SM3 and SM4 (GB/T 32918, 32905, 32907).
    Sm2,
}

/// What the one usage of a certificate is. AECM certificates have exactly one (STANDARDS: single key usage).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// Signs mail: digitalSignature, emailProtection. One key a device.
    Sign,
    /// Receives encrypted mail: keyEncipherment or keyAgreement, emailProtection. One key a mailbox.
    Encrypt,
    /// Signs the mailbox's own timestamp tokens: digitalSignature, timeStamping, never under an S/MIME root.
    Timestamp,
}

/// How the holder was validated (CA/B Forum S/MIME BR §7.1.6.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// Mailbox-validated: control of the address, nothing else.
    Mailbox,
    /// Individual-validated.
    Individual,
    /// Organization-validated.
    Organization,
    /// Sponsor-validated: an individual within an organization.
    Sponsor,
}

impl Suite {
    /// Both, SM2 (the default of the product) first.
    pub const ALL: [Self; 2] = [Self::Sm2, Self::Classic];

    /// The stable word used in stores, profiles and output: `classic` or `sm2`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Classic => "classic",
            Self::Sm2 => "sm2",
        }
    }

    /// The inverse of [`Suite::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|suite| suite.word() == word)
    }
}

impl Purpose {
    /// All three, in the order they are asked for.
    pub const ALL: [Self; 3] = [Self::Sign, Self::Encrypt, Self::Timestamp];

    /// The stable word: `sign`, `encrypt` or `timestamp`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sign => "sign",
            Self::Encrypt => "encrypt",
            Self::Timestamp => "timestamp",
        }
    }

    /// The inverse of [`Purpose::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|purpose| purpose.word() == word)
    }
}

impl Level {
    /// All four, the weakest first.
    pub const ALL: [Self; 4] = [Self::Mailbox, Self::Individual, Self::Organization, Self::Sponsor];

    /// The stable word: `mv`, `iv`, `ov` or `sv`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mailbox => "mv",
            Self::Individual => "iv",
            Self::Organization => "ov",
            Self::Sponsor => "sv",
        }
    }

    /// The inverse of [`Level::word`].
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.word() == word)
    }
}

impl fmt::Display for Suite {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Purpose {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_inverse() {
        assert!(Suite::ALL.into_iter().all(|suite| Suite::from_word(suite.word()) == Some(suite)));
        assert!(Purpose::ALL.into_iter().all(|purpose| Purpose::from_word(purpose.word()) == Some(purpose)));
        assert!(Level::ALL.into_iter().all(|level| Level::from_word(level.word()) == Some(level)));
        assert_eq!(Suite::from_word("rsa"), None);
        assert_eq!(Purpose::from_word("Sign"), None);
    }
}
