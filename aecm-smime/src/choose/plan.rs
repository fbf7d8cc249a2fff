//! The plan, and how it is made.

use aecm_core::certificate::Certificate;
use aecm_core::mailbox::Mailbox;
use aecm_core::suite::Suite;
use aecm_core::time::Time;

use super::{Choice, ChooseError, Correspondent, Reason};
use crate::cipher::ContentCipher;
use crate::cms::Form;
use crate::encrypt::{Encryptor, Transport, UnusableCertificate};

/// How a mail goes out.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Plan {
    /// The suite of the encryption certificates.
    pub suite: Suite,
    /// The content cipher.
    pub cipher: ContentCipher,
    /// The wire form.
    pub form: Form,
    /// The recipients in order, the sender's own copy last.
    pub recipients: Vec<PlannedRecipient>,
    /// The suite to sign with; none where the sender cannot sign.
    pub signature_suite: Option<Suite>,
    /// Whether the mail has to be signed inside, because the cipher does not authenticate.
    pub signature_required: bool,
    /// Why.
    pub reasons: Vec<Reason>,
    /// When the certificates have to be valid, as the choice was told.
    pub at: Option<Time>,
}

/// One recipient of a plan.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PlannedRecipient {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// The certificate to encrypt to.
    pub certificate: Certificate,
    /// How the content key travels.
    pub transport: Transport,
}

impl Plan {
    /// The [`Encryptor`] that carries the plan out.
    #[must_use]
    pub fn encryptor(&self) -> Encryptor {
        let mut encryptor = Encryptor::new(self.cipher).form(self.form);
        if let Some(at) = self.at {
            encryptor = encryptor.at(at);
        }
        self.recipients.iter().fold(encryptor, |encryptor, recipient| {
            encryptor.recipient(&recipient.certificate, recipient.transport)
        })
    }
}

/// Suite and cipher with what led to them.
struct Outcome {
    suite: Suite,
    cipher: ContentCipher,
    reasons: Vec<Reason>,
}

impl Choice {
    /// Makes the plan for a mail from `sender` to `recipients`.
    ///
    /// # Errors
    /// [`ChooseError`]; a missing certificate is named with its mailbox, and the mail is better not sent than
    /// sent to fewer people or weaker.
    pub fn plan(&self, sender: &Correspondent, recipients: &[Correspondent]) -> Result<Plan, ChooseError> {
        if recipients.is_empty() {
            return Err(ChooseError::NoRecipient);
        }
        // Who writes to themselves has one copy.
        let to_oneself = recipients.iter().any(|reader| reader.mailbox().matches(sender.mailbox()));
        let own = (self.own_copy && !to_oneself).then_some(sender);
        let everybody: Vec<&Correspondent> = recipients.iter().chain(own).collect();
        let Outcome { suite, cipher, mut reasons } = self.outcome(&everybody)?;
        let mut planned = Vec::with_capacity(everybody.len());
        for correspondent in &everybody {
            let certificate = correspondent.usable(suite, self.at).map_err(|why| {
                let (mailbox, reasons) = (correspondent.mailbox().clone(), reasons.clone());
                ChooseError::MissingCertificate { mailbox, suite, why, reasons }
            })?;
            planned.push(PlannedRecipient {
                mailbox: correspondent.mailbox().clone(),
                certificate: certificate.clone(),
                transport: match Transport::for_certificate(certificate) {
                    Some(Transport::RsaOaepSha256) if self.rsa_pkcs1 => Transport::RsaPkcs1,
                    Some(usual) => usual,
                    None => {
                        return Err(ChooseError::MissingCertificate {
                            mailbox: correspondent.mailbox().clone(),
                            suite,
                            why: Some(UnusableCertificate::UnsupportedKey),
                            reasons,
                        });
                    }
                },
            });
        }
        let signature_required = !cipher.is_authenticated();
        let signature_suite = self.signing_suite(suite, &mut reasons);
        if signature_required {
            if signature_suite.is_none() {
                return Err(ChooseError::NoSigningSuite);
            }
            reasons.push(Reason::SignatureInside);
        }
        Ok(Plan {
            suite,
            cipher,
            form: self.form,
            recipients: planned,
            signature_suite,
            signature_required,
            reasons,
            at: self.at,
        })
    }

    /// The suite to sign a mail with that is not encrypted: SM2 when every recipient declares it by the same
    /// rule, else classic, unless the user asked; with the reasons. None where the sender cannot sign.
    #[must_use]
    pub fn signature_suite(&self, recipients: &[Correspondent]) -> (Option<Suite>, Vec<Reason>) {
        let mut reasons = Vec::new();
        let wanted = match self.suite {
            Some(suite) => {
                reasons.push(Reason::SuiteAskedFor { suite });
                suite
            }
            None if recipients.is_empty() => Suite::Classic,
            None => match sm4_of_all(&recipients.iter().collect::<Vec<_>>(), self) {
                Ok(_) => {
                    reasons.push(Reason::EverybodyDeclaresSm4);
                    Suite::Sm2
                }
                Err(why) => {
                    reasons.push(why);
                    Suite::Classic
                }
            },
        };
        (self.signing_suite(wanted, &mut reasons), reasons)
    }

    fn signing_suite(&self, wanted: Suite, reasons: &mut Vec<Reason>) -> Option<Suite> {
        if self.sign_with.contains(&wanted) {
            return Some(wanted);
        }
        reasons.push(Reason::SigningSuiteAbsent { suite: wanted });
        self.sign_with.first().copied()
    }

    fn outcome(&self, everybody: &[&Correspondent]) -> Result<Outcome, ChooseError> {
        if let Some(cipher @ ContentCipher::Aes192Cbc) = self.cipher {
            return Err(ChooseError::ReadOnlyCipher { cipher });
        }
        if self.form == Form::Gbt35275 {
            let fits = self.suite != Some(Suite::Classic)
                && self.cipher.is_none_or(|cipher| cipher == ContentCipher::Sm4Cbc);
            if !fits {
                return Err(ChooseError::Form { form: self.form });
            }
            let reasons = vec![Reason::FormAskedFor { form: self.form }];
            return Ok(Outcome { suite: Suite::Sm2, cipher: ContentCipher::Sm4Cbc, reasons });
        }
        let mut reasons = Vec::new();
        let mode = sm4_of_all(everybody, self);
        let suite = match (self.suite, &mode) {
            (Some(suite), _) => {
                reasons.push(Reason::SuiteAskedFor { suite });
                suite
            }
            (None, Ok(_)) => {
                reasons.push(Reason::EverybodyDeclaresSm4);
                Suite::Sm2
            }
            (None, Err(why)) => {
                reasons.push(why.clone());
                Suite::Classic
            }
        };
        let cipher = match (self.cipher, suite, mode) {
            (Some(cipher), _, _) => {
                reasons.push(Reason::CipherAskedFor { cipher });
                cipher
            }
            (None, Suite::Classic, _) => ContentCipher::Aes256Gcm,
            (None, Suite::Sm2, Ok(Sm4Mode { lacks_gcm: None })) => ContentCipher::Sm4Gcm,
            (None, Suite::Sm2, Ok(Sm4Mode { lacks_gcm: Some(mailbox) })) => {
                reasons.push(Reason::Sm4GcmNotDeclared { mailbox });
                ContentCipher::Sm4Cbc
            }
            // SM2 was asked for although somebody declares nothing: the mode every SM2 reader has.
            (None, Suite::Sm2, Err(why)) => {
                reasons.push(why);
                ContentCipher::Sm4Cbc
            }
        };
        Ok(Outcome { suite, cipher, reasons })
    }
}

/// The best mode of SM4 that everybody declares.
struct Sm4Mode {
    /// Who does not declare GCM; none where everybody does.
    lacks_gcm: Option<Mailbox>,
}

/// The mode of SM4 for everybody, or the first thing that stands against SM2.
fn sm4_of_all(everybody: &[&Correspondent], choice: &Choice) -> Result<Sm4Mode, Reason> {
    let (mut lacks_gcm, mut lacks_cbc) = (None, false);
    for correspondent in everybody {
        let (_, gcm, cbc) = correspondent.sm2(choice.at)?;
        if !gcm && lacks_gcm.is_none() {
            lacks_gcm = Some(correspondent.mailbox().clone());
        }
        lacks_cbc |= !cbc;
    }
    if lacks_gcm.is_some() && lacks_cbc { Err(Reason::NoCommonSm4Mode) } else { Ok(Sm4Mode { lacks_gcm }) }
}
