//! Passwords: given, in a file, or asked for.

use std::path::PathBuf;

use aecm_core::limits::Limits;
use clap::Args;
use zeroize::Zeroizing;

use super::{Failure, Io, input};

/// Where the password comes from.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct PasswordArgs {
    /// The password; other users of the machine can see it: prefer --password-file
    #[arg(long, value_name = "P", conflicts_with = "password_file")]
    password: Option<String>,
    /// A file whose first line is the password
    #[arg(long, value_name = "F")]
    password_file: Option<PathBuf>,
}

impl PasswordArgs {
    /// The password, where one was named.
    pub(super) fn given(&self, io: &mut Io) -> Result<Option<Zeroizing<String>>, Failure> {
        match (&self.password, &self.password_file) {
            (Some(password), _) => Ok(Some(Zeroizing::new(password.clone()))),
            (None, Some(path)) => first_line(path, io).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// The password; asked for where none was named and somebody is there.
    pub(super) fn wanted(&self, what: &str, io: &mut Io) -> Result<Zeroizing<String>, Failure> {
        if let Some(password) = self.given(io)? {
            return Ok(password);
        }
        ask(what, "--password-file", io)
    }
}

/// Where the password of what is written comes from.
#[derive(Args, Clone, Debug, Default)]
pub(super) struct NewPasswordArgs {
    /// Write the key under a password
    #[arg(long, requires = "out")]
    encrypt: bool,
    /// The password to write it under; other users of the machine can see it: prefer --new-password-file
    #[arg(long, value_name = "P", conflicts_with = "new_password_file", requires = "encrypt")]
    new_password: Option<String>,
    /// A file whose first line is the password to write it under
    #[arg(long, value_name = "F", requires = "encrypt")]
    new_password_file: Option<PathBuf>,
}

impl NewPasswordArgs {
    /// The password, where something is to be written under one.
    pub(super) fn given(&self, io: &mut Io) -> Result<Option<Zeroizing<String>>, Failure> {
        if !self.encrypt {
            return Ok(None);
        }
        let args = PasswordArgs {
            password: self.new_password.clone(),
            password_file: self.new_password_file.clone(),
        };
        match args.given(io)? {
            Some(password) => Ok(Some(password)),
            None => ask("the new file", "--new-password-file", io).map(Some),
        }
    }
}

/// The first line of a file, without its line end.
pub(super) fn first_line(path: &std::path::Path, io: &mut Io) -> Result<Zeroizing<String>, Failure> {
    let mut limits = Limits::default();
    limits.message_bytes = 64 << 10;
    let text = input::read_text(path, &limits, io)?;
    let line = text.split('\n').next().unwrap_or_default();
    Ok(Zeroizing::new(line.strip_suffix('\r').unwrap_or(line).to_owned()))
}

/// Asks for it where somebody is there; else the option that would give it is named.
pub(super) fn ask(what: &str, option: &str, io: &Io) -> Result<Zeroizing<String>, Failure> {
    if !io.interactive {
        let message = format!("{what} needs a password: give {option}");
        return Err(Failure::error("password-missing", message));
    }
    rpassword::prompt_password(format!("Password of {what}: "))
        .map(Zeroizing::new)
        .map_err(|error| Failure::error("password-missing", format!("no password could be read: {error}")))
}
