//! The file of `--eab`: customers that may bind their accounts (RFC 8555 §7.3.4).

use std::collections::BTreeMap;
use std::path::Path;

use aecm_core::limits::Limits;
use aecm_service::{ExternalAccount, ExternalSubject};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::cli::online::stop::{Done, Stop};
use crate::cli::{Io, input};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Customer {
    key: String,
    organization: Option<String>,
    organization_identifier: Option<String>,
    given_name: Option<String>,
    surname: Option<String>,
    country: Option<String>,
}

pub(super) fn read(path: &Path, io: &mut Io) -> Done<BTreeMap<String, ExternalAccount>> {
    let text = input::read_text(path, &Limits::default(), io)?;
    let wrong = |why: String| Stop::error("malformed", format!("{}: {why}", path.display()));
    let customers: BTreeMap<String, Customer> =
        serde_json::from_str(&text).map_err(|error| wrong(error.to_string()))?;
    let mut accounts = BTreeMap::new();
    for (kid, customer) in customers {
        let mut subject = ExternalSubject::default();
        subject.organization = customer.organization;
        subject.organization_identifier = customer.organization_identifier;
        subject.given_name = customer.given_name;
        subject.surname = customer.surname;
        subject.country = customer.country;
        let account = ExternalAccount::new(&Zeroizing::new(customer.key), subject);
        accounts.insert(kid.clone(), account.map_err(|error| wrong(format!("{kid}: {error}")))?);
    }
    Ok(accounts)
}
