//! External account binding (RFC 8555 §7.3.4): the operator's customers, known by a MAC key.

use aecm_acme::jws::{Jwk, decode, signing_input};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Sha256, Sha384, Sha512};

use super::AcmeServer;
use super::problem::Problem;
use super::request::Signed;

/// The inner JWS; members of other names make it malformed.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Binding {
    protected: String,
    payload: String,
    signature: String,
}

/// Its header: no nonce, no jwk, nothing else.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    alg: String,
    kid: String,
    url: String,
}

impl AcmeServer {
    /// The external account that a newAccount request binds to; `None` where it binds to none and need not.
    pub(super) fn bound_to(
        &self,
        members: &Map<String, Value>,
        signed: &Signed,
    ) -> Result<Option<String>, Problem> {
        let Some(value) = members.get("externalAccountBinding") else {
            return if self.options.external_account_required {
                Err(Problem::new(
                    403,
                    "externalAccountRequired",
                    "this server takes accounts of its customers only: bind it with externalAccountBinding",
                ))
            } else {
                Ok(None)
            };
        };
        let form = |what: &str| Problem::malformed(format!("externalAccountBinding: {what}"));
        let binding: Binding =
            Binding::deserialize(value).map_err(|_| form("not a flattened JWS of three members"))?;
        let header = decode(&binding.protected).ok_or_else(|| form("protected is not base64url"))?;
        let header: Header = serde_json::from_slice(&header)
            .map_err(|_| form("the header has to hold alg, kid and url, and neither nonce nor jwk"))?;
        let known = self.options.external_accounts.get(&header.kid);
        // The MAC before what it covers. An unknown customer and a wrong MAC look alike.
        let unknown = || {
            Problem::unauthorized(
                "externalAccountBinding: no customer of that kid, or the MAC is not by their key",
            )
        };
        let tag = decode(&binding.signature).ok_or_else(|| form("signature is not base64url"))?;
        let input = signing_input(&binding.protected, &binding.payload);
        let fits = known.and_then(|known| verify(&header.alg, known.key(), &input, &tag));
        match fits {
            _ if !ALGORITHMS.contains(&header.alg.as_str()) => {
                return Err(Problem::new(
                    400,
                    "badSignatureAlgorithm",
                    "externalAccountBinding: alg has to be HS256, HS384 or HS512",
                )
                .with("algorithms", ALGORITHMS.into()));
            }
            Some(true) => {}
            _ => return Err(unknown()),
        }
        if header.url != self.url("new-account") {
            return Err(Problem::unauthorized("externalAccountBinding: url is not that of the request"));
        }
        let payload = decode(&binding.payload).ok_or_else(|| form("payload is not base64url"))?;
        let bound: Value =
            serde_json::from_slice(&payload).map_err(|_| form("the payload is not the account's JWK"))?;
        let (_, thumbprint) = signed.jwk()?;
        let bound = Jwk::from_value(&bound).map_err(|_| form("the payload is not the account's JWK"))?;
        if bound.thumbprint() != thumbprint {
            return Err(Problem::unauthorized("externalAccountBinding: it is for another account key"));
        }
        Ok(Some(header.kid))
    }
}

const ALGORITHMS: &[&str] = &["HS256", "HS384", "HS512"];

/// Whether `tag` is the MAC, compared in constant time; `None` for another algorithm.
fn verify(algorithm: &str, key: &[u8], input: &[u8], tag: &[u8]) -> Option<bool> {
    macro_rules! hold {
        ($hash:ty) => {{
            let mut mac = <Hmac<$hash>>::new_from_slice(key).ok()?;
            mac.update(input);
            Some(mac.verify_slice(tag).is_ok())
        }};
    }
    match algorithm {
        "HS256" => hold!(Sha256),
        "HS384" => hold!(Sha384),
        "HS512" => hold!(Sha512),
        _ => None,
    }
}
