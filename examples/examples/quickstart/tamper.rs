//! Five attempts to change a mail unseen, each refused for its own reason.

use aecm::core::embed::OsRng;
use aecm::core::limits::Limits;
use aecm::core::oid;
use aecm::smime::cms::SignedData;
use aecm::smime::mime::{CmsKind, HeaderProtection, Outgoing, multipart_signed, pkcs7_mime};
use aecm::{Composed, Mailbox};
use aecm_examples::table::Table;

use crate::Outcome;
use crate::letters::Letters;
use crate::people::People;

/// Tampers with the SM2 mails and prints what Bob is told.
pub(crate) async fn show(people: &People, letters: &Letters) -> Outcome<()> {
    let bob = &people.bob.mailbox;
    let signed = letters.named("7-sm2-signed")?;
    let der = signed.signed_data.as_deref().ok_or("the mail is not signed")?;
    println!("Tampering, one octet or digit at a time:");
    let mut table = Table::new(["what was changed", "verdict", "reasons"]);

    let mut entity = signed.signed_entity.clone().ok_or("the mail is not signed")?;
    change_text(&mut entity)?;
    let mut told = Vec::new();
    told.push(row(&mut table, "signed text", bob, &rebuilt(letters, &entity, der, signed)?).await);

    let entity = signed.signed_entity.clone().ok_or("the mail is not signed")?;
    for (what, changed) in [
        ("signed attribute", signing_time_changed(der)?),
        ("certificate", certificate_changed(der)?),
        ("timestamp token", token_changed(der)?),
    ] {
        told.push(row(&mut table, what, bob, &rebuilt(letters, &entity, &changed, signed)?).await);
    }

    let sealed = letters.named("1-sm2-gcm")?;
    let mut cms = sealed.enveloped_data.clone().ok_or("the mail is not encrypted")?;
    let middle = cms.len() / 2;
    flip(&mut cms, middle)?;
    let outgoing = Outgoing::parse(&letters.plain, &Limits::default())?;
    let wrapped = pkcs7_mime(CmsKind::AuthEnvelopedData, &cms)?;
    told.push(
        row(&mut table, "ciphertext", bob, &outgoing.message(HeaderProtection::Cipher, &wrapped)).await,
    );
    println!("{table}");
    if told.iter().any(|(verdict, _)| verdict == "valid") {
        return Err("a mail that was tampered with was taken for valid".into());
    }
    let different: std::collections::BTreeSet<&String> = told.iter().map(|(_, reasons)| reasons).collect();
    if different.len() != told.len() {
        return Err("two ways of tampering were told apart by nothing".into());
    }
    Ok(())
}

/// Opens a mail and prints what Bob is told; verdict and reasons come back.
async fn row(table: &mut Table, what: &str, bob: &Mailbox, mail: &[u8]) -> (String, String) {
    let (verdict, reasons) = match bob.open(mail).await {
        Ok(opened) => {
            let words: Vec<&str> = opened.reasons.iter().map(|reason| reason.word()).collect();
            (opened.verdict.word().to_owned(), words.join(", "))
        }
        Err(error) => ("error".to_owned(), error.to_string()),
    };
    table.row([what.to_owned(), verdict.clone(), reasons.clone()]);
    (verdict, reasons)
}

/// The signed mail with another entity or another signature.
fn rebuilt(letters: &Letters, entity: &[u8], der: &[u8], signed: &Composed) -> Outcome<Vec<u8>> {
    let digest = signed.signature_algorithm.ok_or("the mail is not signed")?.digest();
    let wrapped = multipart_signed(entity, der, &[digest], &OsRng)?;
    Ok(Outgoing::parse(&letters.plain, &Limits::default())?.message(HeaderProtection::Clear, &wrapped))
}

/// One minute digit of signingTime.
fn signing_time_changed(der: &[u8]) -> Outcome<Vec<u8>> {
    let limits = Limits::default();
    let parsed = SignedData::parse(der, &limits)?;
    let signer = parsed.signers().first().ok_or("no signer")?;
    let attributes = signer.signed_attributes().ok_or("no signed attributes")?;
    let oid = aecm::core::tlv::write::oid(&oid::SIGNING_TIME);
    let within = find(attributes, &oid).ok_or("no signingTime")?;
    let start = find(der, attributes).ok_or("the attributes are not in the message")?;
    // OID, SET header, UTCTime header, then YYMMDDHHMMSSZ.
    changed_digit(der, start + within + oid.len() + 4 + 9)
}

/// The last octet of the certificate's signature.
fn certificate_changed(der: &[u8]) -> Outcome<Vec<u8>> {
    let limits = Limits::default();
    let parsed = SignedData::parse(der, &limits)?;
    let signer = parsed.signers().first().ok_or("no signer")?;
    let certificates = parsed.certificates();
    let leaf =
        certificates.iter().find(|certificate| signer.sid().names(certificate)).ok_or("no certificate")?;
    let start = find(der, leaf.as_der()).ok_or("the certificate is not in the message")?;
    let mut changed = der.to_vec();
    flip(&mut changed, start + leaf.as_der().len() - 1)?;
    Ok(changed)
}

/// One minute digit of genTime.
fn token_changed(der: &[u8]) -> Outcome<Vec<u8>> {
    let tst_info = aecm::core::tlv::write::oid(&oid::TST_INFO);
    let content = find(der, &tst_info).ok_or("no timestamp token")?;
    let rest = der.get(content..).ok_or("no timestamp token")?;
    // GeneralizedTime of 15 octets.
    let time = find(rest, &[0x18, 0x0f]).ok_or("no genTime")?;
    changed_digit(der, content + time + 2 + 11)
}

fn changed_digit(der: &[u8], place: usize) -> Outcome<Vec<u8>> {
    let mut changed = der.to_vec();
    let digit = changed.get_mut(place).filter(|octet| octet.is_ascii_digit()).ok_or("no digit there")?;
    *digit = if *digit == b'0' { b'1' } else { b'0' };
    Ok(changed)
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}

/// Turns the case of the first letter of the text: of the first part where there are several.
fn change_text(entity: &mut [u8]) -> Outcome<()> {
    let body = |from: usize| {
        let rest = entity.get(from..)?;
        find(rest, b"\r\n\r\n").map(|place| from + place + 4)
    };
    let first = body(0).ok_or("the mail has no body")?;
    let start = body(first).unwrap_or(first);
    let letter = |octets: &[u8], from: usize| {
        octets.get(from..)?.iter().position(u8::is_ascii_alphabetic).map(|place| from + place)
    };
    let place =
        letter(entity, start).or_else(|| letter(entity, first)).ok_or("the text has no letter to change")?;
    *entity.get_mut(place).ok_or("nothing there to change")? ^= 0x20;
    Ok(())
}

fn flip(octets: &mut [u8], place: usize) -> Outcome<()> {
    *octets.get_mut(place).ok_or("nothing there to change")? ^= 1;
    Ok(())
}
