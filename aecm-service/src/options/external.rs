//! Customers known from elsewhere, who bind their ACME accounts (RFC 8555 §7.3.4), and what is known of them.

use aecm_acme::jws::decode;
use aecm_core::suite::Level;
use zeroize::Zeroizing;

/// The shortest MAC key, in octets.
const MIN_KEY: usize = 16;
/// RFC 5280 §A.1: the longest attribute values, in characters.
const UB_NAME: usize = 64;

/// A customer: the MAC key that was given to them, and the subject that was checked.
#[derive(Clone)]
pub struct ExternalAccount {
    key: Zeroizing<Vec<u8>>,
    subject: ExternalSubject,
}

/// Without the key.
impl core::fmt::Debug for ExternalAccount {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("ExternalAccount").field("subject", &self.subject).finish_non_exhaustive()
    }
}

/// What is known of a customer beside the mailbox (S/MIME BR §7.1.4.2). Which levels they may order follows
/// from what is there: [`ExternalSubject::permits`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct ExternalSubject {
    /// organizationName.
    pub organization: Option<String>,
    /// organizationIdentifier, for example `VATDE-123456789` (BR §7.1.4.2.2 d).
    pub organization_identifier: Option<String>,
    /// givenName.
    pub given_name: Option<String>,
    /// surname.
    pub surname: Option<String>,
    /// countryName: two letters (ISO 3166-1).
    pub country: Option<String>,
}

/// Why a customer cannot be configured so.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternalAccountError {
    /// The key is not base64url, or shorter than 128 bits.
    Key,
    /// A subject attribute is empty, too long, or not of its form.
    Subject {
        /// Which.
        attribute: &'static str,
    },
}

impl core::fmt::Display for ExternalAccountError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Key => write!(f, "the MAC key has to be base64url of {MIN_KEY} octets or more"),
            Self::Subject { attribute } => write!(
                f,
                "{attribute} is empty, longer than {UB_NAME} characters or not of the form S/MIME BR §7.1.4.2 wants"
            ),
        }
    }
}

impl core::error::Error for ExternalAccountError {}

impl ExternalAccount {
    /// Takes the key as it was given to the customer (base64url, with or without padding).
    ///
    /// # Errors
    /// [`ExternalAccountError`].
    pub fn new(key_base64url: &str, subject: ExternalSubject) -> Result<Self, ExternalAccountError> {
        let key = decode(key_base64url.trim().trim_end_matches('='))
            .map(Zeroizing::new)
            .filter(|key| key.len() >= MIN_KEY)
            .ok_or(ExternalAccountError::Key)?;
        subject.check()?;
        Ok(Self { key, subject })
    }

    /// What is known of them.
    #[must_use]
    pub fn subject(&self) -> &ExternalSubject {
        &self.subject
    }

    pub(crate) fn key(&self) -> &[u8] {
        &self.key
    }
}

impl ExternalSubject {
    /// An organization: OV.
    #[must_use]
    pub fn organization(name: &str, identifier: &str) -> Self {
        Self {
            organization: Some(name.to_owned()),
            organization_identifier: Some(identifier.to_owned()),
            ..Self::default()
        }
    }

    /// A person: IV.
    #[must_use]
    pub fn individual(given_name: &str, surname: &str) -> Self {
        Self { given_name: Some(given_name.to_owned()), surname: Some(surname.to_owned()), ..Self::default() }
    }

    /// A person within an organization: SV, and OV and IV too.
    #[must_use]
    pub fn sponsored(organization: &str, identifier: &str, given_name: &str, surname: &str) -> Self {
        Self {
            given_name: Some(given_name.to_owned()),
            surname: Some(surname.to_owned()),
            ..Self::organization(organization, identifier)
        }
    }

    /// Adds the country.
    #[must_use]
    pub fn in_country(mut self, country: &str) -> Self {
        self.country = Some(country.to_owned());
        self
    }

    /// Whether enough is known for certificates of that level.
    #[must_use]
    pub fn permits(&self, level: Level) -> bool {
        let organization = self.organization.is_some() && self.organization_identifier.is_some();
        let person = self.given_name.is_some() && self.surname.is_some();
        match level {
            Level::Mailbox => true,
            Level::Individual => person,
            Level::Organization => organization,
            Level::Sponsor => organization && person,
            _ => false,
        }
    }

    fn check(&self) -> Result<(), ExternalAccountError> {
        let names = [
            ("organization", &self.organization),
            ("organization_identifier", &self.organization_identifier),
            ("given_name", &self.given_name),
            ("surname", &self.surname),
        ];
        for (attribute, value) in names {
            let fits = |text: &String| {
                !text.trim().is_empty()
                    && text.chars().count() <= UB_NAME
                    && !text.chars().any(char::is_control)
            };
            if !value.as_ref().is_none_or(fits) {
                return Err(ExternalAccountError::Subject { attribute });
            }
        }
        if !self.organization_identifier.as_deref().is_none_or(is_organization_identifier) {
            return Err(ExternalAccountError::Subject { attribute: "organization_identifier" });
        }
        let country = |text: &str| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        if !self.country.as_deref().is_none_or(country) {
            return Err(ExternalAccountError::Subject { attribute: "country" });
        }
        // The common name of IV and SV is the personal name (ub-common-name).
        let person = self.personal_name();
        if person.is_some_and(|name| name.chars().count() > UB_NAME) {
            return Err(ExternalAccountError::Subject { attribute: "surname" });
        }
        Ok(())
    }

    pub(crate) fn personal_name(&self) -> Option<String> {
        Some(format!("{} {}", self.given_name.as_deref()?, self.surname.as_deref()?))
    }
}

/// Three letters of the scheme, two of the country, perhaps `+` and a subdivision, `-`, the reference (BR
/// §7.1.4.2.2 d).
fn is_organization_identifier(text: &str) -> bool {
    let Some((prefix, reference)) = text.split_once('-') else { return false };
    let (place, subdivision) = match prefix.split_once('+') {
        Some((place, subdivision)) => (place, Some(subdivision)),
        None => (prefix, None),
    };
    place.len() == 5
        && place.bytes().all(|byte| byte.is_ascii_uppercase())
        && subdivision.is_none_or(|part| {
            (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric())
        })
        && !reference.is_empty()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "bWFjLWtleS1vZi0yNC1vY3RldHMtISE";

    #[test]
    fn unusable_customers_are_refused() {
        for key in ["", "c2hvcnQ", "not base64!"] {
            assert_eq!(
                ExternalAccount::new(key, ExternalSubject::default()).err(),
                Some(ExternalAccountError::Key)
            );
        }
        let subjects = [
            (ExternalSubject::organization("", "VATDE-1"), "organization"),
            (ExternalSubject::organization("A\nB", "VATDE-1"), "organization"),
            (ExternalSubject::organization(&"x".repeat(65), "VATDE-1"), "organization"),
            (ExternalSubject::organization("Acme", "VATDE1"), "organization_identifier"),
            (ExternalSubject::organization("Acme", "VAT-1"), "organization_identifier"),
            (ExternalSubject::organization("Acme", "vatde-1"), "organization_identifier"),
            (ExternalSubject::organization("Acme", "NTRDE+BAYERN-1"), "organization_identifier"),
            (ExternalSubject::organization("Acme", "VATDE-"), "organization_identifier"),
            (ExternalSubject::individual(" ", "Ito"), "given_name"),
            (ExternalSubject::individual("Aiko", ""), "surname"),
            (ExternalSubject::individual(&"x".repeat(40), &"y".repeat(40)), "surname"),
            (ExternalSubject::individual("Aiko", "Ito").in_country("Japan"), "country"),
            (ExternalSubject::individual("Aiko", "Ito").in_country("jp"), "country"),
        ];
        for (subject, attribute) in subjects {
            let refused = ExternalAccount::new(KEY, subject.clone()).err();
            assert_eq!(refused, Some(ExternalAccountError::Subject { attribute }), "{subject:?}");
        }
        let good = ExternalSubject::sponsored("Acme", "NTRUS+CA-12345", "Aiko", "Ito").in_country("US");
        let account = ExternalAccount::new(KEY, good).unwrap();
        assert!(!format!("{account:?}").contains("109"), "no key octets in {account:?}");
    }

    #[test]
    fn levels_follow_from_what_is_known() {
        let permits = |subject: &ExternalSubject| Level::ALL.map(|level| subject.permits(level));
        // Mailbox, individual, organization, sponsor.
        assert_eq!(permits(&ExternalSubject::default()), [true, false, false, false]);
        assert_eq!(permits(&ExternalSubject::individual("A", "B")), [true, true, false, false]);
        assert_eq!(permits(&ExternalSubject::organization("A", "VATDE-1")), [true, false, true, false]);
        assert_eq!(permits(&ExternalSubject::sponsored("A", "VATDE-1", "B", "C")), [true; 4]);
    }
}
