//! The ways into an envelope: each RecipientInfo with each key that it may mean.

use aecm_core::key::{Decryptor, KeyError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::agreement::Agreement;
use super::content::Plan;
use super::keys::{BareKey, OpenedBy, Password, Recipient, SecretKey};
use super::shared::{ITERATIONS, PasswordWrap, substitute, wrap_of};
use super::transport::{self, ContentKey};
use super::{DecryptError, DecryptOptions, Decrypted, bare};
use crate::cms::{Enveloped, KeyAgreement, Match, RecipientInfo};
use crate::tolerance::{Tolerance, note};

/// One way, and what is known of it beforehand.
pub(super) struct Candidate<'w, 'a> {
    pub(super) way: Way<'w, 'a>,
    /// The certificate's name is only the same after normalisation.
    pub(super) by_name: bool,
    /// The message may mean this key; one that does not open it then is a failure, and no stranger's.
    pub(super) meant: bool,
    /// The message does not say that it means this key, and does not say that it means another.
    pub(super) guessed: bool,
}

/// One way.
pub(super) enum Way<'w, 'a> {
    /// RSA or SM2.
    Transport { info: &'w RecipientInfo<'a>, holder: Holder<'w> },
    /// ECDH.
    Agreement { agreement: &'w KeyAgreement<'a>, encrypted_key: &'w [u8], holder: Holder<'w> },
    /// A password, or the key-encryption key itself.
    Password { wrap: PasswordWrap<'w>, by: Secret<'w> },
}

/// A private key, with its certificate or without.
#[derive(Clone, Copy)]
pub(super) enum Holder<'w> {
    Certified(&'w Recipient),
    Bare(&'w BareKey),
}

pub(super) enum Secret<'w> {
    Password(&'w Password),
    Key(&'w SecretKey),
}

/// What was tried so far.
struct Tried<'i> {
    operations: usize,
    iterations: &'i mut u64,
    matched: bool,
    key_error: Option<KeyError>,
    /// Keys without a certificate were left untried: there are more RecipientInfos for them than operations.
    left_out: bool,
    /// Visible without a key; another RecipientInfo may still open the message.
    unreadable: Option<DecryptError>,
}

pub(super) async fn open(
    enveloped: &Enveloped<'_>,
    plan: &Plan<'_>,
    keys: &[Recipient],
    options: &DecryptOptions,
    iterations: &mut u64,
) -> Result<Decrypted, DecryptError> {
    let limits = &options.limits;
    let mut tried = Tried {
        operations: limits.private_key_operations,
        iterations,
        matched: false,
        key_error: None,
        left_out: false,
        unreadable: None,
    };
    if let Some(opened) = by_shared_key(enveloped, plan, options, &mut tried) {
        return Ok(opened);
    }
    let mut guess: Option<(Zeroizing<Vec<u8>>, Decrypted)> = None;
    for Candidate { way, by_name, meant, guessed } in ways(enveloped, plan, keys, options, &mut tried) {
        let opened_by = way.opened_by();
        let found = match tried.keys(way, meant, plan, options).await {
            Ok(found) => found,
            Err(error) => {
                tried.unreadable.get_or_insert(error);
                continue;
            }
        };
        for (key, mut forgiven) in found {
            if by_name {
                note(&mut forgiven, Tolerance::NameEncoding);
            }
            let Some(opened) = finish(enveloped, plan, &key, opened_by.clone(), &forgiven) else { continue };
            if !guessed || opened.content.is_authenticated() {
                return Ok(opened);
            }
            // The padding of CBC lets one wrong key in 256 pass, and nothing else tells which is right.
            match &guess {
                None => guess = Some((key, opened)),
                Some((known, _)) if bool::from(known.ct_eq(&key)) => {}
                Some(_) => return Err(DecryptError::AmbiguousKey),
            }
            break;
        }
    }
    if let Some((_, opened)) = guess {
        return Ok(opened);
    }
    match tried.key_error {
        Some(error) => Err(DecryptError::Key(error)),
        None if tried.left_out => {
            Err(DecryptError::Limit { what: OPERATIONS, limit: limits.private_key_operations })
        }
        // Told by the message alone, whatever the keys and passwords are.
        None if tried.unreadable.as_ref().is_some_and(DecryptError::is_limit) => {
            Err(tried.unreadable.unwrap_or(DecryptError::Failed))
        }
        None if tried.matched => Err(DecryptError::Failed),
        None => Err(tried.unreadable.unwrap_or(DecryptError::NoMatchingKey)),
    }
}

/// What keys without a certificate may need too many of.
const OPERATIONS: &str = "private-key operations";

/// The ways in the order of the message, keys without a certificate last, as many as private-key operations are
/// allowed.
fn ways<'w, 'a>(
    enveloped: &'w Enveloped<'a>,
    plan: &Plan<'_>,
    keys: &'w [Recipient],
    options: &'w DecryptOptions,
    tried: &mut Tried<'_>,
) -> Vec<Candidate<'w, 'a>> {
    let limits = &options.limits;
    let mut list: Vec<Candidate<'w, 'a>> = Vec::new();
    for info in enveloped.recipients() {
        if list.len() >= limits.private_key_operations {
            break;
        }
        match info {
            RecipientInfo::KeyTransport { rid, .. } => {
                for recipient in keys {
                    if let Some(how) = rid.matches(&recipient.certificate) {
                        let way = Way::Transport { info, holder: Holder::Certified(recipient) };
                        list.push(Candidate {
                            way,
                            by_name: how == Match::Name,
                            meant: true,
                            guessed: false,
                        });
                    }
                }
            }
            RecipientInfo::KeyAgreement(agreement) => {
                for (rid, encrypted_key) in &agreement.keys {
                    for recipient in keys {
                        if let Some(how) = rid.matches(&recipient.certificate) {
                            let holder = Holder::Certified(recipient);
                            let way = Way::Agreement { agreement, encrypted_key, holder };
                            list.push(Candidate {
                                way,
                                by_name: how == Match::Name,
                                meant: true,
                                guessed: false,
                            });
                        }
                    }
                }
            }
            RecipientInfo::Password { derivation, algorithm, encrypted_key } => {
                let read = || PasswordWrap::read(derivation.as_ref(), algorithm, encrypted_key, limits);
                let passwords = options.passwords.iter().filter(|_| derivation.is_some());
                let secrets = options.secret_keys.iter().filter(|_| derivation.is_none());
                for by in passwords.map(Secret::Password).chain(secrets.map(Secret::Key)) {
                    match read() {
                        Ok(wrap) => {
                            let way = Way::Password { wrap, by };
                            list.push(Candidate { way, by_name: false, meant: true, guessed: false });
                        }
                        Err(error) => {
                            tried.unreadable.get_or_insert(error);
                            break;
                        }
                    }
                }
            }
            _ => {}
        }
    }
    list.truncate(limits.private_key_operations);
    let mut without = bare::ways(enveloped, plan.cipher, options);
    let left = limits.private_key_operations.saturating_sub(list.len());
    tried.left_out = without.len() > left;
    without.truncate(left);
    list.append(&mut without);
    list
}

impl Holder<'_> {
    fn key(&self) -> &dyn Decryptor {
        match self {
            Self::Certified(recipient) => recipient.key.as_ref(),
            Self::Bare(bare) => bare.key(),
        }
    }
}

impl Way<'_, '_> {
    fn opened_by(&self) -> OpenedBy {
        match self {
            Self::Transport { holder, .. } | Self::Agreement { holder, .. } => match holder {
                Holder::Certified(recipient) => OpenedBy::Certificate(recipient.certificate.clone()),
                Holder::Bare(bare) => OpenedBy::Key(bare.key().public_key().clone()),
            },
            Self::Password { by: Secret::Password(_), .. } => OpenedBy::Password,
            Self::Password { by: Secret::Key(key), .. } => {
                OpenedBy::SecretKey { id: key.id().map(<[u8]>::to_vec) }
            }
        }
    }
}

impl Tried<'_> {
    /// The keys to try on the content. The error is visible without a key.
    async fn keys(
        &mut self,
        way: Way<'_, '_>,
        meant: bool,
        plan: &Plan<'_>,
        options: &DecryptOptions,
    ) -> Result<Vec<ContentKey>, DecryptError> {
        let unwrapped = match way {
            Way::Transport { info, holder } => {
                let RecipientInfo::KeyTransport { algorithm, encrypted_key, .. } = info else {
                    return Ok(Vec::new());
                };
                let kind = holder.key().public_key().kind();
                let attempts = transport::attempts(algorithm, encrypted_key, kind, options)?;
                self.matched |= meant;
                attempts.unwrap(holder.key(), encrypted_key, plan.cipher, &mut self.operations).await
            }
            Way::Agreement { agreement, encrypted_key, holder } => {
                let kind = holder.key().public_key().kind();
                let agreement = Agreement::read(agreement, kind, &options.limits)?;
                self.matched |= meant;
                let Some(left) = self.operations.checked_sub(1) else { return Ok(Vec::new()) };
                self.operations = left;
                let size = plan.cipher.key_size();
                let key = holder.key().unwrap_key(&agreement.parameters(), encrypted_key, size).await;
                key.map(|key| vec![(key, Vec::new())])
            }
            Way::Password { wrap, by } => return self.by_password(&wrap, &by, plan),
        };
        match unwrapped {
            Ok(keys) => Ok(keys),
            Err(error) => {
                self.key_error.get_or_insert(error);
                Ok(Vec::new())
            }
        }
    }

    fn by_password(
        &mut self,
        wrap: &PasswordWrap<'_>,
        by: &Secret<'_>,
        plan: &Plan<'_>,
    ) -> Result<Vec<ContentKey>, DecryptError> {
        let kek = match by {
            Secret::Key(secret) if secret.octets().len() != wrap.key_size() => return Ok(Vec::new()),
            Secret::Key(secret) => Zeroizing::new(secret.octets().to_vec()),
            Secret::Password(password) => {
                // All attempts together, so that many recipients do not multiply the work (THREATS E6).
                let cost = wrap.work();
                *self.iterations = self.iterations.checked_sub(cost).ok_or(DecryptError::Limit {
                    what: ITERATIONS,
                    limit: usize::try_from(*self.iterations).unwrap_or(usize::MAX),
                })?;
                wrap.derive(password.octets())?
            }
        };
        self.matched = true;
        let (key, good) = wrap.unwrap(&kek, plan.cipher.key_size());
        if good {
            return Ok(vec![(key, Vec::new())]);
        }
        // As long as with the right password; CBC would let one wrong key in 256 pass.
        let _ = plan.open(&key);
        Ok(Vec::new())
    }
}

/// The first shared key whose wrap checks out and that opens the content.
fn by_shared_key(
    enveloped: &Enveloped<'_>,
    plan: &Plan<'_>,
    options: &DecryptOptions,
    tried: &mut Tried<'_>,
) -> Option<Decrypted> {
    let size = plan.cipher.key_size();
    for info in enveloped.recipients() {
        let RecipientInfo::KeyEncryptionKey { id, algorithm, encrypted_key } = info else { continue };
        for secret in options.secret_keys.iter().filter(|secret| secret.is_named(id)) {
            let wrap = match wrap_of(algorithm) {
                Ok(wrap) => wrap,
                Err(error) => {
                    tried.unreadable.get_or_insert(error);
                    break;
                }
            };
            if secret.octets().len() != wrap.key_size() {
                continue;
            }
            tried.matched = true;
            tried.operations = tried.operations.checked_sub(1)?;
            let opened = wrap.unwrap(secret.octets(), encrypted_key).filter(|key| key.len() == size);
            let by = OpenedBy::SecretKey { id: Some(id.to_vec()) };
            if let Some(key) = opened {
                if let Some(opened) = finish(enveloped, plan, &key, by, &[]) {
                    return Some(opened);
                }
            } else {
                // As long as with the right key; CBC would let one wrong key in 256 pass.
                let _ = plan.open(&substitute(secret.octets(), encrypted_key, size));
            }
        }
    }
    None
}

fn finish(
    enveloped: &Enveloped<'_>,
    plan: &Plan<'_>,
    key: &Zeroizing<Vec<u8>>,
    opened_by: OpenedBy,
    forgiven: &[Tolerance],
) -> Option<Decrypted> {
    let content = plan.open(key).ok()?;
    let mut tolerances = enveloped.tolerances().to_vec();
    plan.tolerances.iter().chain(forgiven).for_each(|tolerance| note(&mut tolerances, *tolerance));
    Some(Decrypted {
        content,
        content_type: enveloped.content_type(),
        cipher: plan.cipher,
        opened_by,
        form: enveloped.form(),
        tolerances,
    })
}
