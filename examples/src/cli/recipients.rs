//! The keys to decrypt with.

use std::sync::Arc;

use aecm_core::key::Decryptor;
use aecm_core::limits::Limits;
use aecm_sm::sm2::CiphertextForm;
use aecm_smime::decrypt::Recipient;
use clap::{Args, ValueEnum};

use super::keys::KeyArgs;
use super::{Failure, Io, keys, stand_in};

/// `--sm2-order`
#[derive(Args, Clone, Copy, Debug, Default)]
pub(super) struct Sm2OrderArgs {
    /// The order of the parts of SM2 ciphertexts, whatever the message says; signatures have none
    #[arg(long, value_enum, value_name = "ORDER")]
    sm2_order: Option<Sm2Order>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sm2Order {
    C1c3c2,
    C1c2c3,
    Der,
}

impl Sm2OrderArgs {
    /// The form to read; nothing where the message decides.
    pub(super) fn form(self) -> Option<CiphertextForm> {
        self.sm2_order.map(|order| match order {
            Sm2Order::C1c3c2 => CiphertextForm::C1C3C2,
            Sm2Order::C1c2c3 => CiphertextForm::C1C2C3,
            Sm2Order::Der => CiphertextForm::Der,
        })
    }
}

/// Every key with every certificate of it.
pub(super) fn read(args: &KeyArgs, limits: &Limits, io: &mut Io) -> Result<Vec<Recipient>, Failure> {
    recipients(args, None, limits, io)
}

/// The same for one message: a key without a certificate stands for whoever the message names.
pub(super) fn read_for(
    cms: &[u8],
    args: &KeyArgs,
    limits: &Limits,
    io: &mut Io,
) -> Result<Vec<Recipient>, Failure> {
    recipients(args, Some(cms), limits, io)
}

fn recipients(
    args: &KeyArgs,
    cms: Option<&[u8]>,
    limits: &Limits,
    io: &mut Io,
) -> Result<Vec<Recipient>, Failure> {
    let mut recipients = Vec::new();
    for owned in args.read(limits, io)?.owned {
        let mut certificates = owned.certificates;
        if certificates.is_empty() {
            let cms = cms.ok_or_else(|| keys::mismatch(&owned.name))?;
            certificates = stand_in::of(cms, owned.key.public_key(), limits);
        }
        let key: Arc<dyn Decryptor> = Arc::new(owned.key.into_decryptor(Arc::clone(&io.rng)));
        for certificate in certificates {
            recipients.push(Recipient { certificate, key: Arc::clone(&key) });
        }
    }
    Ok(recipients)
}
