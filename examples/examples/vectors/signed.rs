//! SignedData in every form that is written.

use aecm_core::time::Time;
use aecm_smime::cipher::ContentCipher;
use aecm_smime::cms::Form;
use aecm_smime::sign::{SignedMessage, SignerAttributes, sign, smime_capabilities};

use super::seeded::Seeded;
use super::{CONTENT, Case, Check, MADE_AT, MAILBOX, Outcome, Set, keys};

pub(super) fn check() -> Check {
    Check::Signed { content: None, mailbox: MAILBOX }
}

/// signingTime and SMIMECapabilities, beside what is always written.
pub(super) fn attributes() -> SignerAttributes {
    SignerAttributes {
        signing_time: Time::from_rfc3339(MADE_AT),
        smime_capabilities: Some(smime_capabilities(&[ContentCipher::Sm4Gcm, ContentCipher::Aes256Gcm])),
        extra: Vec::new(),
    }
}

pub(super) async fn add(set: &mut Set) -> Outcome<()> {
    for (file, key, form, algorithm, shows) in [
        ("signed/rsa.der", "rsa-sig", Form::Rfc5652, "RSA PKCS#1 v1.5, SHA-256", "RFC 5652, attached"),
        ("signed/p256.der", "p256-sig", Form::Rfc5652, "ECDSA P-256, SHA-256", "RFC 5652, attached"),
        ("signed/sm2.der", "sm2-sig", Form::Rfc5652, "SM2, SM3", "RFC 5652, attached, .501"),
        (
            "signed/sm2-gbt35275.der",
            "sm2-sig",
            Form::Gbt35275,
            "SM2, SM3",
            "GB/T 35275 content types, attached, .301.1",
        ),
    ] {
        let message = SignedMessage::new(CONTENT).form(form).attributes(attributes());
        let identity = keys::identity(key, Seeded::new(file))?;
        set.file(file, sign(message, &[&identity]).await?.to_der());
        set.cases.push(Case::good(file, check(), algorithm, shows, "valid"));
    }

    let file = "signed/sm2-detached.der";
    let message = SignedMessage::new(CONTENT).detached(true).attributes(attributes());
    let identity = keys::identity("sm2-sig", Seeded::new(file))?;
    set.file(file, sign(message, &[&identity]).await?.to_der());
    let detached = Check::Signed { content: Some("content.txt"), mailbox: MAILBOX };
    set.cases.push(Case::good(file, detached, "SM2, SM3", "RFC 5652, detached", "valid"));

    let file = "signed/rsa-and-sm2.der";
    let message = SignedMessage::new(CONTENT).attributes(attributes());
    let rng = Seeded::new(file);
    let (rsa, sm2) = (keys::identity("rsa-sig", rng.clone())?, keys::identity("sm2-sig", rng)?);
    set.file(file, sign(message, &[&rsa, &sm2]).await?.to_der());
    let algorithm = "RSA PKCS#1 v1.5, SHA-256 and SM2, SM3";
    let shows =
        "RFC 5652, two signers in parallel; digestAlgorithms, certificates and signerInfos in DER SET order";
    set.cases.push(Case::good(file, check(), algorithm, shows, "valid"));
    Ok(())
}
