//! Secrets that open a message beside private keys: symmetric keys and passwords.

use std::path::PathBuf;

use aecm_smime::decrypt::{Password, SecretKey};
use clap::Args;

use super::{Failure, Io, password, show};

/// `--secret-key` and `--recipient-password`
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Keys")]
pub(super) struct SecretArgs {
    /// A key that both sides have, in hexadecimal; other users of the machine can see it
    #[arg(long, value_name = "HEX", value_parser = key)]
    secret_key: Option<Hex>,
    /// The name of that key in the message
    #[arg(long, value_name = "HEX", value_parser = octets, requires = "secret_key")]
    secret_key_id: Option<Hex>,
    /// The password of the message; other users of the machine can see it
    #[arg(long, value_name = "P", conflicts_with = "recipient_password_file")]
    recipient_password: Option<String>,
    /// A file whose first line is the password of the message
    #[arg(long, value_name = "F")]
    recipient_password_file: Option<PathBuf>,
}

/// Octets given in hexadecimal; shown nowhere.
#[derive(Clone)]
struct Hex(zeroize::Zeroizing<Vec<u8>>);

impl core::fmt::Debug for Hex {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "Hex({} octets)", self.0.len())
    }
}

fn octets(text: &str) -> Result<Hex, String> {
    show::unhex(text)
        .filter(|octets| !octets.is_empty())
        .map(|octets| Hex(octets.into()))
        .ok_or_else(|| "hexadecimal digits in pairs are wanted".to_owned())
}

fn key(text: &str) -> Result<Hex, String> {
    octets(text).and_then(|key| match key.0.len() {
        16 | 24 | 32 => Ok(key),
        other => Err(format!("a key has 16, 24 or 32 octets, not {other}")),
    })
}

impl SecretArgs {
    /// The symmetric keys.
    pub(super) fn keys(&self) -> Vec<SecretKey> {
        let Some(key) = &self.secret_key else { return Vec::new() };
        let key = SecretKey::new(&key.0);
        vec![match &self.secret_key_id {
            Some(id) => key.with_id(&id.0),
            None => key,
        }]
    }

    /// The passwords.
    pub(super) fn passwords(&self, io: &mut Io) -> Result<Vec<Password>, Failure> {
        let text = match (&self.recipient_password, &self.recipient_password_file) {
            (Some(password), _) => zeroize::Zeroizing::new(password.clone()),
            (None, Some(path)) => password::first_line(path, io)?,
            (None, None) => return Ok(Vec::new()),
        };
        Ok(vec![Password::new(text.as_bytes())])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_have_the_size_of_keys_and_are_not_shown() {
        assert!(key(&"00".repeat(16)).is_ok() && key(&"ff".repeat(32)).is_ok());
        for wrong in ["", "00", "0", "zz", &"00".repeat(17), &"00".repeat(33)] {
            assert!(key(wrong).is_err(), "{wrong}");
        }
        assert!(!format!("{:?}", key(&"ab".repeat(16))).contains("ab"));
    }
}
