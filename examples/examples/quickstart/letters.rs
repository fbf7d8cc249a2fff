//! The mails: sent in every form, opened by everybody they are for.

use std::path::Path;

use aecm::core::suite::Suite;
use aecm::smime::cms::Form;
use aecm::smime::encrypt::ContentCipher;
use aecm::smime::open::{Layer, Opened};
use aecm::smime::verify::Verdict;
use aecm::{Compose, Composed, Mailbox};
use aecm_examples::table::Table;

use crate::Outcome;
use crate::people::{People, Person};
use crate::world::World;

const LETTER: &[u8] = include_bytes!("../../data/letter.eml");

/// A mail that was sent.
pub(crate) struct Letter {
    pub(crate) name: &'static str,
    pub(crate) composed: Composed,
}

/// All of them, and the plain mail they carry.
pub(crate) struct Letters {
    pub(crate) plain: Vec<u8>,
    pub(crate) all: Vec<Letter>,
}

impl Letters {
    pub(crate) fn named(&self, name: &str) -> Outcome<&Composed> {
        let found = self.all.iter().find(|letter| letter.name == name);
        Ok(&found.ok_or_else(|| format!("no mail {name} was sent"))?.composed)
    }
}

/// The mail to send.
pub(crate) fn read(file: Option<&Path>) -> Outcome<Vec<u8>> {
    match file {
        Some(path) => Ok(std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?),
        None => Ok(LETTER.to_vec()),
    }
}

/// Sends and opens.
pub(crate) async fn send_and_open(world: &World, people: &People, plain: Vec<u8>) -> Outcome<Letters> {
    println!("Mail from alice: {} octets", plain.len());
    let mut post = Post { world, table: heading(), letters: Vec::new() };
    let (alice, bob, carol) = (&people.alice, &people.bob, &people.carol);
    let start = |person: &'static str| -> &Person { if person == "carol" { carol } else { alice } };
    let compose = |to: &[&Person]| -> Compose<'_> {
        start("alice")
            .mailbox
            .compose(&plain)
            .only_named()
            .to(to.iter().map(|person| person.mailbox.address().to_string()))
    };

    post.send("1-sm2-gcm", compose(&[bob]).protect().own_timestamp(), &[bob]).await?;
    post.send("2-sm2-cbc", compose(&[bob]).protect().cipher(ContentCipher::Sm4Cbc), &[bob]).await?;
    post.send("3-sm2-gbt35275", compose(&[bob]).protect().form(Form::Gbt35275), &[bob]).await?;
    post.send("4-rsa", compose(&[bob]).protect().suite(Suite::Classic), &[bob]).await?;
    post.send("5-bob-and-carol", compose(&[bob, carol]).protect(), &[bob, carol]).await?;
    post.send("6-rsa-signed", compose(&[bob]).sign().timestamp().suite(Suite::Classic), &[bob]).await?;
    post.send("7-sm2-signed", compose(&[bob]).sign().timestamp().suite(Suite::Sm2), &[bob]).await?;
    let answer = answer_of_carol(&plain, &carol.mailbox);
    let ecdsa = carol.mailbox.compose(&answer).to([bob.mailbox.address().to_string()]).sign().timestamp();
    post.send("8-ecdsa-signed", ecdsa, &[bob]).await?;
    println!("{}", post.table);
    println!("Why these suites and ciphers:");
    for letter in &post.letters {
        let reasons: Vec<String> = letter.composed.reasons.iter().map(ToString::to_string).collect();
        println!("  {:<16}  {}", letter.name, reasons.join("; "));
    }
    let first = bob.mailbox.open(&post.letters.first().ok_or("no mail was sent")?.composed.mail).await?;
    if let Some((time, authority)) = self_asserted(&first) {
        println!(
            "  1-sm2-gcm also carries a stamp of {authority} at {time}: self-asserted, it proves nothing."
        );
    }
    println!();
    Ok(Letters { plain, all: post.letters })
}

fn heading() -> Table {
    Table::new(["mail", "opened by", "cipher", "form", "signature", "proven time", "verdict"])
}

struct Post<'a> {
    world: &'a World,
    table: Table,
    letters: Vec<Letter>,
}

impl Post<'_> {
    async fn send(&mut self, name: &'static str, mail: Compose<'_>, readers: &[&Person]) -> Outcome<()> {
        let composed = mail.await?;
        for reader in readers {
            // Over the wire and back, as it would be.
            self.world.service.post_office().deliver(reader.mailbox.address(), &composed.mail);
            let opened = reader.mailbox.open(&composed.mail).await?;
            if opened.verdict != Verdict::Valid {
                return Err(format!("{name} does not open: {} {:?}", opened.verdict, opened.reasons).into());
            }
            let signed = layers(&opened).find_map(|layer| match layer {
                Layer::Signed(signed) => Some(signed),
                _ => None,
            });
            let form = signed.map_or("-", |signed| signed.report.form.word());
            self.table.row([
                name.to_owned(),
                reader.name.to_owned(),
                composed.plan.as_ref().map_or("-", |plan| plan.cipher.word()).to_owned(),
                form.to_owned(),
                composed
                    .signature_algorithm
                    .map_or("-", aecm::core::signature::SignatureAlgorithm::name)
                    .to_owned(),
                opened.sent_at.proven.map_or_else(|| "-".to_owned(), |time| time.to_string()),
                opened.verdict.word().to_owned(),
            ]);
        }
        self.letters.push(Letter { name, composed });
        Ok(())
    }
}

fn layers(opened: &Opened) -> impl Iterator<Item = &Layer> {
    opened.layers.iter()
}

fn self_asserted(opened: &Opened) -> Option<(aecm::core::time::Time, String)> {
    layers(opened).find_map(|layer| match layer {
        Layer::Signed(signed) => {
            signed.report.signers.iter().find_map(|signer| signer.time.self_asserted.first().cloned())
        }
        _ => None,
    })
}

/// The same mail, but from Carol.
fn answer_of_carol(plain: &[u8], carol: &Mailbox) -> Vec<u8> {
    let from = format!("From: {}\r\n", carol.address());
    let mut answer = Vec::with_capacity(plain.len());
    let (mut in_header, mut in_from) = (true, false);
    for line in plain.split_inclusive(|octet| *octet == b'\n') {
        if in_header {
            if line.trim_ascii_end().is_empty() {
                answer.extend_from_slice(from.as_bytes());
                (in_header, in_from) = (false, false);
            } else if !line.starts_with(b" ") && !line.starts_with(b"\t") {
                in_from = line.get(..5).is_some_and(|name| name.eq_ignore_ascii_case(b"from:"));
            }
        }
        if !in_from {
            answer.extend_from_slice(line);
        }
    }
    answer
}
