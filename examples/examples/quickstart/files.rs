//! What is left under target/quickstart for other tools to look at.

use aecm::core::certificate::Certificate;
use aecm::core::limits::Limits;
use aecm::core::oid;
use aecm::smime::cms::SignedData;
use aecm::store::EntryState;
use aecm::timestamp::response;
use aecm_examples::artefacts::Artefacts;

use crate::Outcome;
use crate::letters::{Letter, Letters};
use crate::people::{People, Person};
use crate::world::World;

/// Writes certificates, mails, signatures and timestamps; keys only when asked.
pub(crate) async fn leave(
    world: &World,
    people: &People,
    letters: &Letters,
    keys: bool,
    artefacts: &mut Artefacts,
) -> Outcome<()> {
    let roots = world.service.anchors();
    for (realm, anchors) in
        [("smime", &roots.smime), ("tsa", &roots.tsa), ("mailbox-timestamp", &roots.mailbox_timestamp)]
    {
        artefacts.write(&format!("root-{realm}-classic.crt"), anchors.classic.to_pem())?;
        artefacts.write(&format!("root-{realm}-sm2.crt"), anchors.sm2.to_pem())?;
    }
    for person in people.all() {
        certificates_of(person, keys, artefacts).await?;
    }
    artefacts.write("plain.eml", &letters.plain)?;
    for letter in &letters.all {
        parts_of(letter, artefacts)?;
    }
    Ok(())
}

async fn certificates_of(person: &Person, keys: bool, artefacts: &mut Artefacts) -> Outcome<()> {
    for entry in person.mailbox.entries().await? {
        let (EntryState::Active, Some(certificate)) = (entry.state, &entry.certificate) else { continue };
        let slot = format!("{}-{}", entry.slot.suite, entry.slot.purpose);
        artefacts.write(&format!("{}-{slot}.crt", person.name), certificate.to_pem())?;
        // One issuer for each realm and suite, the same for everybody.
        if let Some(issuer) =
            entry.chain.iter().find(|issuer| issuer.subject_der() == certificate.issuer_der())
        {
            let name = format!("issuer-{slot}.crt");
            if !artefacts.names().contains(&name) {
                artefacts.write(&name, issuer.to_pem())?;
            }
        }
        if keys {
            let key = person.store.export(person.mailbox.address(), &entry.id).await?;
            artefacts.write_private(&format!("{}-{slot}.key.der", person.name), &key)?;
        }
    }
    Ok(())
}

fn parts_of(letter: &Letter, artefacts: &mut Artefacts) -> Outcome<()> {
    let Letter { name, composed } = letter;
    artefacts.write(&format!("{name}.eml"), &composed.mail)?;
    if let Some(cms) = &composed.enveloped_data {
        artefacts.write(&format!("{name}.p7m"), cms)?;
    }
    let Some(cms) = &composed.signed_data else { return Ok(()) };
    artefacts.write(&format!("{name}.p7s"), cms)?;
    let limits = Limits::default();
    let signed = SignedData::parse(cms, &limits)?;
    let signer = signed.signers().first().ok_or("a signed mail has no signer")?;
    // The stamp is over the octets of the signature value.
    artefacts.write(&format!("{name}.signature"), signer.signature())?;
    let token =
        signer.unsigned_attributes().iter().find(|attribute| attribute.oid == Some(oid::TIME_STAMP_TOKEN));
    if let Some(token) = token.and_then(|attribute| attribute.values.first()) {
        artefacts.write(&format!("{name}.tsr"), response::granted(token))?;
        let limits = Limits::default();
        let stamp = SignedData::parse(token, &limits)?;
        let unit = stamp.signers().first().ok_or("a token has no signer")?;
        let certificates: Vec<Certificate> = stamp.certificates();
        if let Some(leaf) = certificates.iter().find(|certificate| unit.sid().names(certificate)) {
            let suite = leaf.public_key().map_or("unknown", |key| key.suite().word());
            artefacts.write(&format!("tsa-{suite}.crt"), leaf.to_pem())?;
            for issuer in certificates.iter().filter(|issuer| issuer.subject_der() == leaf.issuer_der()) {
                artefacts.write(&format!("issuer-tsa-{suite}.crt"), issuer.to_pem())?;
            }
        }
    }
    Ok(())
}
