//! Encrypting keys that the service keeps for their mailbox: stored with consent, given to a device that just
//! proved control of the mailbox, announced.

mod package;

use std::time::Duration;

use aecm_acme::jws::encode;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;
use aecm_core::key::Decryptor;
use aecm_core::mailbox::Mailbox;
use aecm_core::oid;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_core::tlv::write;
use aecm_smime::sign::{SignedMessage, SignerAttributes, SigningIdentity, sign};
use aecm_store::package::MAX_KEYS;
use serde_json::{Map, Value, json};
use std::sync::Arc;

use super::events::Happened;
use super::problem::Problem;
use super::request::Signed;
use super::state::{Escrowed, EventKind, TransferState, address};
use super::transfer::{Asked, MAX_PACKAGE, cms_member, mailbox_member};
use super::{AcmeServer, object};
use crate::ca::{IssueError, KeyPair, Pki, Realm, Template, new_key};
use crate::envelope;
use crate::hex::hex;
use crate::net::Answer;

/// The largest package kept, in octets: what is given out of it fits into an answer.
const MAX_KEPT: usize = MAX_PACKAGE / 4 * 3;
/// How long before their end the escrow's certificates are made anew, at a start.
const RENEW_BEFORE: Duration = Duration::from_secs(90 * 86_400);
/// How far the clock of whoever agreed may be ahead.
const SKEW: Duration = Duration::from_secs(600);

/// The keys of the escrow: one that packages are encrypted to, and its twin that signs what is given out.
#[derive(Clone)]
pub(crate) struct EscrowKeys {
    pub(crate) encryption: KeyPair,
    pub(crate) signing: KeyPair,
}

impl EscrowKeys {
    /// Makes both under the S/MIME issuer of the key's suite; they differ in key and usage, not in name.
    pub(crate) async fn generate(
        pki: &Pki,
        spec: KeySpec,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<Self, IssueError> {
        let signing = if spec.suite() == Suite::Sm2 { KeySpec::Sm2 } else { KeySpec::P256 };
        let encryption = Self::certified(new_key(spec, rng)?, true, pki, rng, now).await?;
        Ok(Self { encryption, signing: Self::certified(new_key(signing, rng)?, false, pki, rng, now).await? })
    }

    async fn certified(
        key: SoftwareKey,
        encrypts: bool,
        pki: &Pki,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<KeyPair, IssueError> {
        let issuer = pki.issuer(Realm::Smime, key.public_key().suite())?;
        let template = Template::escrow(encrypts);
        let certificate = issuer.issue(&template, key.public_key(), rng.as_ref(), now).await?;
        Ok(KeyPair { key, certificate })
    }

    /// The same keys with new certificates, where those of the folder do not say what they are for or are about
    /// to end; whether they were.
    pub(crate) async fn renew(
        &mut self,
        pki: &Pki,
        rng: &Arc<dyn Rng>,
        now: Time,
    ) -> Result<bool, IssueError> {
        let stands = |pair: &KeyPair| {
            pair.certificate.policy_oids() == [oid::AECM_ESCROW_POLICY]
                && now.plus(RENEW_BEFORE) < pair.certificate.not_after()
        };
        if stands(&self.encryption) && stands(&self.signing) {
            return Ok(false);
        }
        self.encryption = Self::certified(self.encryption.key.clone(), true, pki, rng, now).await?;
        self.signing = Self::certified(self.signing.key.clone(), false, pki, rng, now).await?;
        Ok(true)
    }
}

/// The escrow as it works.
pub(crate) struct Escrow {
    decryptor: Arc<dyn Decryptor>,
    encryption: aecm_core::certificate::Certificate,
    identity: SigningIdentity,
    terms: String,
}

impl Escrow {
    pub(crate) fn new(
        keys: EscrowKeys,
        terms: String,
        pki: &Pki,
        rng: &Arc<dyn Rng>,
    ) -> Result<Self, IssueError> {
        let suite = keys.encryption.key.public_key().suite();
        let chain = pki.issuer(Realm::Smime, suite)?.chain_below();
        let signer = Arc::new(keys.signing.key.into_signer(Arc::clone(rng)));
        Ok(Self {
            decryptor: Arc::new(keys.encryption.key.into_decryptor(Arc::clone(rng))),
            encryption: keys.encryption.certificate,
            identity: SigningIdentity { certificate: keys.signing.certificate, chain, signer },
            terms,
        })
    }
}

impl AcmeServer {
    /// What the directory says of the escrow.
    pub(super) fn meta_escrow(&self) -> Option<Value> {
        let escrow = self.escrow.as_ref()?;
        let chain: Vec<String> =
            escrow.identity.chain.iter().map(|certificate| encode(certificate.as_der())).collect();
        Some(json!({
            "url": self.url("escrow"),
            "certificate": encode(escrow.encryption.as_der()),
            "chain": chain,
            "terms": self.url("escrow-terms"),
        }))
    }

    /// The terms of the escrow, for people.
    pub(super) fn escrow_terms(&self) -> Result<Answer, Problem> {
        let escrow = self.escrow.as_ref().ok_or_else(Problem::not_found)?;
        Ok(Answer::content("text/plain; charset=utf-8", escrow.terms.clone().into_bytes()))
    }

    /// `POST escrow`: keeps a package, or forgets it.
    pub(super) async fn post_escrow(&self, signed: &Signed) -> Result<Answer, Problem> {
        let escrow = self.escrow.as_ref().ok_or_else(Problem::not_found)?;
        let members = object(signed)?;
        let account = signed.account()?;
        let mailbox = mailbox_member(&members)?;
        self.require_proof(&self.state(), account, &mailbox)?;
        match (members.get("delete"), members.get("package")) {
            (Some(Value::Bool(true)), None) => self.withdraw(account, &mailbox).await,
            (None | Some(Value::Bool(false)), Some(_)) => {
                let consent = self.consent(escrow, &members)?;
                self.keep(escrow, account, mailbox, &members, consent).await
            }
            _ => Err(Problem::malformed("the escrow takes a package with consent, or \"delete\": true")),
        }
    }

    /// Forgets the keys, in the folder too; told to the mailbox, for what is forgotten does not come back.
    async fn withdraw(&self, account: &str, mailbox: &Mailbox) -> Result<Answer, Problem> {
        let kind = EventKind::EscrowWithdrawn;
        {
            let _alone = self.escrowing.lock().await;
            let mut state = self.state();
            self.require_fresh_proof(&state, account, mailbox, "what is kept is given up")?;
            state.escrow.remove(&address(mailbox)).ok_or_else(|| nothing(mailbox))?;
            state.forget_history();
            self.happened(&mut state, Happened { kind, mailbox, device: None, account, certificate: None });
        }
        self.notify(kind, mailbox, None).await;
        Ok(Answer::empty(204))
    }

    /// What was agreed to: these terms, this very document where it is named, not in the future.
    fn consent(&self, escrow: &Escrow, members: &Map<String, Value>) -> Result<Consent, Problem> {
        let missing = || {
            Problem::new(403, "userActionRequired", "keys are kept only with consent to the escrow's terms")
                .with("instance", json!(self.url("escrow-terms")))
        };
        let consent = members.get("consent").and_then(Value::as_object).ok_or_else(missing)?;
        let terms = consent.get("terms").and_then(Value::as_str).ok_or_else(missing)?;
        if terms != self.url("escrow-terms") {
            return Err(missing());
        }
        let sha256 = match consent.get("sha256") {
            None | Some(Value::Null) => None,
            Some(Value::String(digest))
                if *digest == hex(&DigestAlgorithm::Sha256.digest(escrow.terms.as_bytes())) =>
            {
                Some(digest.clone())
            }
            Some(_) => return Err(missing()),
        };
        let agreed = consent
            .get("agreedAt")
            .and_then(Value::as_str)
            .and_then(Time::from_rfc3339)
            .filter(|agreed| *agreed <= self.now().plus(SKEW))
            .ok_or_else(|| Problem::malformed("consent.agreedAt is not a time that has been"))?;
        Ok(Consent { terms: terms.to_owned(), sha256, agreed })
    }

    /// Opens the package, holds every key against what was issued here, and keeps it under the escrow's own key.
    async fn keep(
        &self,
        escrow: &Escrow,
        account: &str,
        mailbox: Mailbox,
        members: &Map<String, Value>,
        consent: Consent,
    ) -> Result<Answer, Problem> {
        let cms = cms_member(members, "package", MAX_PACKAGE)?;
        let signer = self.verified(&cms, oid::AUTH_ENVELOPED_DATA)?;
        self.by_device(&signer, account, &mailbox)?;
        let opened = envelope::open(&signer.content, escrow.decryptor.as_ref(), &self.limits)
            .await
            .map_err(|error| Problem::malformed(error.to_string()))?;
        let mut keys = package::read(&opened, &self.limits).map_err(Problem::malformed)?;
        {
            let state = self.state();
            let mut strangers = 0_usize;
            for key in &mut keys {
                if !key.keep_issued(&state, &mailbox).map_err(Problem::internal)? {
                    strangers = strangers.saturating_add(1);
                }
            }
            if strangers > 0 {
                return Err(Problem::unauthorized(format!(
                    "{strangers} of the keys have no encrypting certificate that was issued here for {mailbox}"
                )));
            }
        }
        let _alone = self.escrowing.lock().await;
        let known = self.state().escrow.get(&address(&mailbox)).map(|kept| kept.package.clone());
        let keys = match &known {
            Some(package) => {
                package::unite(self.kept(escrow, package).await?, keys).map_err(Problem::internal)?
            }
            None => keys,
        };
        let now = self.now();
        let united = {
            let state = self.state();
            package::write(&package::in_order(&keys, &state, &mailbox, now))
        };
        if keys.len() > MAX_KEYS || united.len() > MAX_KEPT {
            return Err(Problem::new(
                413,
                "malformed",
                format!("with these, more than {MAX_KEYS} keys or {MAX_KEPT} octets would be kept"),
            ));
        }
        let sealed = envelope::seal(&united, escrow.decryptor.public_key(), self.rng.as_ref())
            .map_err(|error| Problem::internal(error.to_string()))?;
        let mut state = self.state();
        // Another device may have removed this one meanwhile.
        self.require_proof(&state, account, &mailbox)?;
        if known.is_none() {
            self.require_room(state.escrow.len(), "packages in escrow")?;
        }
        let kept = Escrowed {
            mailbox: mailbox.clone(),
            package: sealed,
            stored: now,
            account: account.to_owned(),
            terms: consent.terms,
            terms_sha256: consent.sha256,
            agreed: consent.agreed,
        };
        state.escrow.insert(address(&mailbox), kept);
        let certificate = Some(hex(&signer.certificate.sha256()));
        let kind = EventKind::EscrowStored;
        self.happened(&mut state, Happened { kind, mailbox: &mailbox, device: None, account, certificate });
        Ok(Answer::empty(204))
    }

    /// The keys of a package as it is kept.
    async fn kept(&self, escrow: &Escrow, package: &[u8]) -> Result<Vec<package::Key>, Problem> {
        let opened = envelope::open(package, escrow.decryptor.as_ref(), &self.limits)
            .await
            .map_err(|error| Problem::internal(error.to_string()))?;
        package::read(&opened, &self.limits).map_err(Problem::internal)
    }

    /// Answers a request to the escrow at once.
    pub(super) async fn recover(
        &self,
        account: &str,
        cms: Vec<u8>,
        asked: &Asked,
    ) -> Result<Answer, Problem> {
        let escrow = self.escrow.as_ref().ok_or_else(|| nothing(&asked.mailbox))?;
        let now = self.now();
        let what = "the keys are given out";
        // What is kept stays as it is until it has gone out.
        let alone = self.escrowing.lock().await;
        let package = {
            let state = self.state();
            self.require_fresh_proof(&state, account, &asked.mailbox, what)?;
            let kept = state.escrow.get(&address(&asked.mailbox)).ok_or_else(|| nothing(&asked.mailbox))?;
            kept.package.clone()
        };
        let internal = |error: &dyn core::fmt::Display| Problem::internal(error.to_string());
        let keys = self.kept(escrow, &package).await?;
        let wanted: Vec<_> = keys.iter().filter(|key| asked.suites.contains(&key.suite())).collect();
        if wanted.is_empty() {
            return Err(nothing(&asked.mailbox));
        }
        let given = package::write(&wanted);
        let sealed =
            envelope::seal(&given, &asked.transport, self.rng.as_ref()).map_err(|error| internal(&error))?;
        let digest = DigestAlgorithm::Sha256.digest(&cms);
        let attributes = SignerAttributes {
            signing_time: Some(now),
            extra: vec![(oid::AECM_TRANSFER, vec![write::octet_string(&digest)])],
            ..SignerAttributes::default()
        };
        let message = SignedMessage::new(&sealed)
            .content_type(oid::AUTH_ENVELOPED_DATA)
            .attributes(attributes)
            .certificates(self.issuers(&wanted));
        let response = sign(message, &[&escrow.identity]).await.map_err(|error| internal(&error))?.to_der();
        let answer = {
            let mut state = self.state();
            // Another device may have removed this one meanwhile.
            self.require_fresh_proof(&state, account, &asked.mailbox, what)?;
            let mut transfer = self.admit_transfer(&mut state, account.to_owned(), cms, asked)?;
            transfer.state = TransferState::Answered;
            transfer.response = Some(response);
            transfer.keys = wanted.iter().map(|key| key.name()).collect();
            self.happened(
                &mut state,
                Happened {
                    kind: EventKind::EscrowRecovered,
                    mailbox: &asked.mailbox,
                    device: Some(&asked.device),
                    account,
                    certificate: Some(asked.certificate.clone()),
                },
            );
            let answer = self.transfer_answer(201, &transfer, true);
            state.transfers.insert(transfer.id.clone(), transfer);
            answer
        };
        drop(alone);
        self.notify(EventKind::EscrowRecovered, &asked.mailbox, Some(&asked.device)).await;
        Ok(answer)
    }

    /// The certificates above those of the keys, so that whoever receives them can build the paths.
    fn issuers(&self, keys: &[&package::Key]) -> Vec<aecm_core::certificate::Certificate> {
        let mut issuers = Vec::new();
        for suite in Suite::ALL {
            if keys.iter().any(|key| key.suite() == suite)
                && let Ok(issuer) = self.pki.issuer(Realm::Smime, suite)
            {
                issuers.extend(issuer.chain_below());
            }
        }
        issuers
    }
}

struct Consent {
    terms: String,
    sha256: Option<String>,
    agreed: Time,
}

fn nothing(mailbox: &Mailbox) -> Problem {
    Problem::aecm(404, "nothingEscrowed", format!("no keys of {mailbox} are kept here"))
}
