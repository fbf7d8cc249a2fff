//! The keys to decrypt with.

use std::sync::Arc;

use aecm_core::key::Decryptor;
use aecm_core::limits::Limits;
use aecm_sm::sm2::CiphertextForm;
use aecm_smime::decrypt::{BareKey, Recipient};
use clap::{Args, ValueEnum};

use super::keys::KeyArgs;
use super::{Failure, Io};

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

/// The keys to decrypt with.
#[derive(Default)]
pub(super) struct Recipients {
    /// Every key with every certificate of it.
    pub(super) named: Vec<Recipient>,
    /// Keys that came without one: they stand for whoever the message names.
    pub(super) bare: Vec<BareKey>,
}

/// Reads the keys.
pub(super) fn read(args: &KeyArgs, limits: &Limits, io: &mut Io) -> Result<Recipients, Failure> {
    let mut recipients = Recipients::default();
    for owned in args.read(limits, io)?.owned {
        let key: Arc<dyn Decryptor> = Arc::new(owned.key.into_decryptor(Arc::clone(&io.rng)));
        if owned.certificates.is_empty() {
            recipients.bare.push(BareKey::new(Arc::clone(&key)));
        }
        for certificate in owned.certificates {
            recipients.named.push(Recipient { certificate, key: Arc::clone(&key) });
        }
    }
    Ok(recipients)
}
