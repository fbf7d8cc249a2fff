//! The embedder's side: keys, mailbox and a clock that jumps.

use std::collections::BTreeMap;
use std::sync::Arc;

use aecm_acme::csr::Template;
use aecm_acme::machine::{AcceptedMail, Config, Consent, Error, Input, Machine, Output, Report};
use aecm_acme::mail::ChallengeMail;
use aecm_acme::plan::{Plan, PlanItem};
use aecm_acme::token::TokenPart1;
use aecm_core::certificate::Certificate;
use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::{HttpError, OsRng};
use aecm_core::key::Signer;
use aecm_core::mailbox::Mailbox;
use aecm_core::signature::SignatureAlgorithm;
use aecm_core::software::{KeySpec, SoftwareKey, SoftwareSigner};
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;

use super::ca::block_on;
use super::server::{BASE, Server};

pub const NOW: Time = Time::from_unix(1_795_420_800); // 2026-11-23T08:00:00Z

pub fn alice() -> Mailbox {
    "alice@example.com".parse().unwrap()
}

pub struct World {
    pub server: Server,
    pub now: Time,
    pub account: SoftwareSigner,
    pub plan: Plan,
    pub configure: fn(&mut Config),
    pub consent: bool,
    pub installed: Vec<(PlanItem, Certificate)>,
    /// A CSR for every item instead of the right one.
    pub wrong_csr: Option<(KeySpec, Purpose, &'static str)>,
    keys: BTreeMap<String, Vec<u8>>,
    pub outputs: usize,
    pub slept: u64,
}

/// What is done with the machine between outputs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Never,
    /// Save and restore after every output; the answer goes to the restored machine.
    Always,
    /// Crash at this output; it was carried out and its answer was lost.
    Lost(usize),
    /// Crash at this output before it was carried out.
    Before(usize),
}

impl World {
    pub fn new(server: Server, plan: Plan) -> Self {
        Self {
            server,
            now: NOW,
            account: SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(Arc::new(OsRng)),
            plan,
            configure: |_| {},
            consent: true,
            installed: Vec::new(),
            wrong_csr: None,
            keys: BTreeMap::new(),
            outputs: 0,
            slept: 0,
        }
    }

    pub fn config(&self) -> Config {
        let mut config = Config::new(&format!("{BASE}/directory"), self.server.ca.anchors());
        config.can_reply = true;
        (self.configure)(&mut config);
        config
    }

    pub fn machine(&self) -> Result<Machine, Error> {
        Machine::new(self.config(), self.account.public_key(), &self.plan, None, 7)
    }

    pub fn restore(&self, machine: &Machine) -> Machine {
        Machine::restore(self.config(), self.account.public_key(), &machine.save().unwrap()).unwrap()
    }

    pub fn run(&mut self, stop: Stop) -> Result<Report, Error> {
        let machine = self.machine()?;
        self.drive(machine, stop)
    }

    pub fn drive(&mut self, mut machine: Machine, stop: Stop) -> Result<Report, Error> {
        for output_number in 0..20_000 {
            let output = machine.poll(self.now)?;
            self.outputs += 1;
            if stop == Stop::Before(output_number) {
                machine = self.restore(&machine);
                continue;
            }
            if let Output::Done(report) = output {
                return Ok(report);
            }
            let saved =
                (stop == Stop::Always || stop == Stop::Lost(output_number)).then(|| self.restore(&machine));
            let input = self.carry_out(output);
            if let Some(restored) = saved {
                machine = restored;
                if stop == Stop::Lost(output_number) {
                    continue;
                }
            }
            machine.handle(input, self.now)?;
        }
        panic!("20 000 outputs and no end");
    }

    /// One output and its answer.
    pub fn step(&mut self, machine: &mut Machine) -> Result<Option<Report>, Error> {
        match machine.poll(self.now)? {
            Output::Done(report) => Ok(Some(report)),
            output => {
                let input = self.carry_out(output);
                machine.handle(input, self.now).map(|()| None)
            }
        }
    }

    pub fn carry_out(&mut self, output: Output) -> Input {
        match output {
            Output::Consent { terms_url } => Input::Consent(self.consent.then_some(Consent {
                terms_url,
                document_sha256: None,
                agreed_at: self.now,
            })),
            Output::Sign { octets } => {
                let es256 = SignatureAlgorithm::Ecdsa(DigestAlgorithm::Sha256);
                Input::Signature(block_on(self.account.sign(es256, &octets)).unwrap())
            }
            Output::Send(request) => {
                let limit = request.max_body;
                let response = self.server.handle(&request, self.now);
                Input::Response(if response.body.len() > limit {
                    Err(HttpError::TooLarge { url: request.url, limit })
                } else {
                    Ok(response)
                })
            }
            Output::WaitMail(wait) => {
                self.now = self.now.plus(wait.wait);
                let unseen = self.server.mails.iter().filter(|mail| !wait.consumed.contains(&mail.id));
                let accepted = unseen.map(|mail| AcceptedMail {
                    id: mail.id.clone(),
                    challenge: ChallengeMail {
                        token_part1: TokenPart1::parse(&mail.part1).unwrap(),
                        authz_hint: mail.hint.clone(),
                        message_id: Some(format!("<{}@ca.example>", mail.id)),
                        reply_to: wait.from.clone(),
                        subject: format!("ACME: {}", mail.part1),
                    },
                });
                Input::Mails { accepted: accepted.collect(), refused: Vec::new() }
            }
            Output::SendReply(reply) => {
                assert_eq!(reply.from, alice());
                self.server.replies.push(reply.digest);
                Input::ReplySent
            }
            Output::Csr { item, .. } => Input::Csr(self.csr(&item)),
            Output::Install { item, chain } => {
                // Idempotent, as a store is.
                self.installed.retain(|(known, _)| *known != item);
                self.installed.push((item, chain[0].clone()));
                Input::Installed
            }
            Output::Sleep { until } => {
                assert!(until > self.now);
                self.slept += until.since(self.now).as_secs();
                self.now = until;
                Input::Woken
            }
            _ => panic!("an output this driver does not know"),
        }
    }

    fn csr(&mut self, item: &PlanItem) -> Vec<u8> {
        if let Some((spec, purpose, mailbox)) = self.wrong_csr {
            let signer = SoftwareKey::generate(spec, &OsRng).unwrap().into_signer(Arc::new(OsRng));
            return block_on(Template::new(&mailbox.parse().unwrap(), purpose).sign(&signer)).unwrap();
        }
        let spec = if item.suite == Suite::Sm2 { KeySpec::Sm2 } else { KeySpec::P256 };
        let pkcs8 = self
            .keys
            .entry(item.to_string())
            .or_insert_with(|| SoftwareKey::generate(spec, &OsRng).unwrap().to_pkcs8_der().to_vec());
        let key = SoftwareKey::from_pkcs8_der(pkcs8).unwrap();
        let template = Template::new(&alice(), item.purpose);
        if item.purpose == Purpose::Encrypt {
            block_on(template.prove(&key.into_decryptor(Arc::new(OsRng)))).unwrap()
        } else {
            block_on(template.sign(&key.into_signer(Arc::new(OsRng)))).unwrap()
        }
    }
}
