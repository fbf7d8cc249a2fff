//! Public keys as JSON (RFC 7517, RFC 7518 §6) and their thumbprints (RFC 7638).

use core::fmt;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid;
use aecm_core::public_key::{KeyKind, PublicKey, PublicKeyError};
use aecm_core::tlv::write;
use serde::ser::SerializeMap;
use serde::{Serialize, Serializer};
use serde_json::Value;

use super::{decode, encode};

/// The size of a P-256 coordinate, in octets (RFC 7518 §6.2.1.2: never shorter).
const COORDINATE: usize = 32;

/// A public account key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Jwk {
    /// `{"crv":"P-256","kty":"EC","x":...,"y":...}`
    P256 {
        /// The x coordinate, 32 octets.
        x: [u8; COORDINATE],
        /// The y coordinate, 32 octets.
        y: [u8; COORDINATE],
    },
    /// `{"e":...,"kty":"RSA","n":...}`
    Rsa {
        /// The modulus, big-endian, without leading zeros.
        n: Vec<u8>,
        /// The exponent, big-endian, without leading zeros.
        e: Vec<u8>,
    },
}

/// Why a JWK cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum JwkError {
    /// The key type or curve is not accepted.
    Kind,
    /// A member is missing or no text.
    Member {
        /// Its name.
        member: &'static str,
    },
    /// A number has the wrong length or a leading zero (RFC 8555 §8.1).
    Number {
        /// Its name.
        member: &'static str,
    },
    /// It holds a private or symmetric key.
    Private,
    /// The numbers are no key.
    Key(PublicKeyError),
}

impl fmt::Display for JwkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kind => f.write_str("the key type is not accepted; use EC on P-256"),
            Self::Member { member } => write!(f, "the member '{member}' is missing or no text"),
            Self::Number { member } => write!(f, "the number '{member}' has the wrong length"),
            Self::Private => f.write_str("it holds a private key; that key must not be used any more"),
            Self::Key(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for JwkError {}

impl Jwk {
    /// The JWK of a P-256 or RSA key; `None` for kinds that JOSE has no name for here.
    #[must_use]
    pub fn from_public_key(key: &PublicKey) -> Option<Self> {
        match key.kind() {
            KeyKind::P256 => {
                let point = key.sec1_point()?;
                let (x, y) = point.get(1..)?.split_at_checked(COORDINATE)?;
                Some(Self::P256 { x: x.try_into().ok()?, y: y.try_into().ok()? })
            }
            KeyKind::Rsa { .. } => {
                let (n, e) = key.rsa_parts()?;
                Some(Self::Rsa { n: without_zeros(&n), e: without_zeros(&e) })
            }
            _ => None,
        }
    }

    /// Reads a JWK. Members that say more about the key (`alg`, `use`, `kid`) are passed over.
    ///
    /// # Errors
    /// [`JwkError`].
    pub fn from_value(value: &Value) -> Result<Self, JwkError> {
        if ["d", "p", "q", "k"].iter().any(|member| value.get(member).is_some()) {
            return Err(JwkError::Private);
        }
        let text = |member: &'static str| {
            value.get(member).and_then(Value::as_str).ok_or(JwkError::Member { member })
        };
        let number = |member| decode(text(member)?).ok_or(JwkError::Number { member });
        let coordinate = |member| number(member)?.try_into().map_err(|_| JwkError::Number { member });
        let integer = |member| {
            let octets = number(member)?;
            if octets.first().is_none_or(|first| *first == 0) {
                Err(JwkError::Number { member })
            } else {
                Ok(octets)
            }
        };
        match text("kty")? {
            "EC" if text("crv")? == "P-256" => Ok(Self::P256 { x: coordinate("x")?, y: coordinate("y")? }),
            "RSA" => Ok(Self::Rsa { n: integer("n")?, e: integer("e")? }),
            _ => Err(JwkError::Kind),
        }
    }

    /// The key, its numbers checked.
    ///
    /// # Errors
    /// [`JwkError::Key`] when the numbers are no key.
    pub fn to_public_key(&self) -> Result<PublicKey, JwkError> {
        let (algorithm, key) = match self {
            Self::P256 { x, y } => {
                let curve = write::oid(&oid::PRIME256V1);
                let point = [&[0x04], x.as_slice(), y.as_slice()].concat();
                (write::algorithm(&oid::EC_PUBLIC_KEY, Some(&curve)), point)
            }
            Self::Rsa { n, e } => (
                write::algorithm(&oid::RSA_ENCRYPTION, Some(&write::null())),
                write::sequence(&[&write::integer_bytes(n), &write::integer_bytes(e)]),
            ),
        };
        PublicKey::from_spki_der(&write::sequence(&[&algorithm, &write::bit_string(&key)]))
            .map_err(JwkError::Key)
    }

    /// The JSON text that the thumbprint covers: the required members in lexicographic order, no white space
    /// (RFC 7638 §3.2). It is written by hand, so that no map order can change it.
    #[must_use]
    pub fn canonical(&self) -> String {
        match self {
            Self::P256 { x, y } => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, encode(x), encode(y))
            }
            Self::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, encode(e), encode(n)),
        }
    }

    /// The SHA-256 thumbprint in base64url (RFC 7638), as key authorizations use it.
    #[must_use]
    pub fn thumbprint(&self) -> String {
        encode(&DigestAlgorithm::Sha256.digest(self.canonical().as_bytes()))
    }
}

impl Serialize for Jwk {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        match self {
            Self::P256 { x, y } => {
                map.serialize_entry("crv", "P-256")?;
                map.serialize_entry("kty", "EC")?;
                map.serialize_entry("x", &encode(x))?;
                map.serialize_entry("y", &encode(y))?;
            }
            Self::Rsa { n, e } => {
                map.serialize_entry("e", &encode(e))?;
                map.serialize_entry("kty", "RSA")?;
                map.serialize_entry("n", &encode(n))?;
            }
        }
        map.end()
    }
}

fn without_zeros(number: &[u8]) -> Vec<u8> {
    number.iter().copied().skip_while(|octet| *octet == 0).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    // RFC 7638 §3.1's example.
    #[test]
    fn the_thumbprint_of_rfc_7638() {
        let jwk = Jwk::from_value(&serde_json::json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB", "alg": "RS256", "kid": "2011-04-29"
        }))
        .unwrap();
        assert_eq!(jwk.thumbprint(), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        assert!(matches!(jwk.to_public_key().unwrap().kind(), KeyKind::Rsa { bits: 2048 }));
    }

    // The EC key of RFC 7517 appendix A.1; it round-trips through a PublicKey.
    #[test]
    fn an_ec_key_round_trips() {
        let value = serde_json::json!({
            "kty": "EC", "crv": "P-256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
        });
        let jwk = Jwk::from_value(&value).unwrap();
        let key = jwk.to_public_key().unwrap();
        assert_eq!(Jwk::from_public_key(&key), Some(jwk.clone()));
        assert_eq!(serde_json::to_string(&jwk).unwrap(), jwk.canonical());
    }

    #[test]
    fn keys_that_must_not_be_used_are_refused() {
        let (x, y) =
            ("MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4", "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM");
        let short = "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7A";
        for (value, error) in [
            (serde_json::json!({"kty":"oct","k":"AAAA"}), JwkError::Private),
            (serde_json::json!({"kty":"EC","crv":"P-256","x":x,"y":y,"d":x}), JwkError::Private),
            (serde_json::json!({"kty":"EC","crv":"P-521","x":x,"y":y}), JwkError::Kind),
            (serde_json::json!({"kty":"EC","crv":"SM2","x":x,"y":y}), JwkError::Kind),
            (serde_json::json!({"kty":"EC","crv":"P-256","x":x}), JwkError::Member { member: "y" }),
            (serde_json::json!({"kty":"EC","crv":"P-256","x":7,"y":y}), JwkError::Member { member: "x" }),
            (serde_json::json!({"kty":"EC","crv":"P-256","x":short,"y":y}), JwkError::Number { member: "x" }),
            (
                serde_json::json!({"kty":"EC","crv":"P-256","x":format!("{x}="),"y":y}),
                JwkError::Number { member: "x" },
            ),
            (serde_json::json!({"kty":"RSA","n":"AMLs","e":"AQAB"}), JwkError::Number { member: "n" }),
            (serde_json::json!({"crv":"P-256"}), JwkError::Member { member: "kty" }),
            (serde_json::json!([]), JwkError::Member { member: "kty" }),
        ] {
            assert_eq!(Jwk::from_value(&value), Err(error), "{value}");
        }
        // x and y swapped: two good numbers, no point of the curve.
        let off = Jwk::from_value(&serde_json::json!({"kty":"EC","crv":"P-256","x":y,"y":x})).unwrap();
        assert!(matches!(off.to_public_key(), Err(JwkError::Key(_))));
    }
}
