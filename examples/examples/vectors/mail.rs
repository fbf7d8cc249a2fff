//! Whole mails: multipart/signed with a timestamp token, and the same encrypted.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::oid;
use aecm_core::time::Time;
use aecm_core::tlv::write;
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};
use aecm_smime::mime::{CmsKind, HeaderProtection, Outgoing, multipart_signed, pkcs7_mime};
use aecm_smime::sign::{SignedDraft, SignedMessage, sign};
use aecm_timestamp::{LocalSource, stamp_signature};

use super::edit::{at, replace, text};
use super::seeded::Seeded;
use super::{Case, Check, MADE_AT, Outcome, Set, keys, signed, timestamp};

const SIGNED: &str = "mail/sm2-signed-stamped.eml";
const SEALED: &str = "mail/sm2-signed-encrypted.eml";
const LETTER: &[u8] = b"From: Alice <alice@example.test>\r\nTo: Bob <bob@example.org>\r\nSubject: Tea\r\n\
    Date: Tue, 01 Dec 2026 00:00:00 +0000\r\nMessage-ID: <tea-1@example.test>\r\n\
    Content-Type: text/plain; charset=utf-8\r\n\r\nTea at five?\r\n";
const SIGNED_NAMES: &str = "SM2, SM3, token SM2 with SM3";
const SEALED_NAMES: &str = "SM2, SM3, token SM2 with SM3; RSAES-OAEP SHA-256 and SM2, AES-256-GCM";

pub(super) async fn add(set: &mut Set) -> Outcome<()> {
    let letter = Outgoing::parse(LETTER, &Limits::default())?;
    let payload = letter.payload(HeaderProtection::Clear)?;
    let stamped = stamped(&payload, SIGNED).await?.to_der();
    set.file(SIGNED, clear(&letter, &payload, &stamped)?);
    let shows =
        "multipart/signed, micalg sm3, hp=\"clear\", signature and encryption certificates, SM3 token";
    let good = Case::good(SIGNED, Check::Mail { keys: &[] }, SIGNED_NAMES, shows, "valid");
    set.cases.push(good.proven(MADE_AT));
    broken(set, &letter, &payload, &stamped).await?;

    let payload = letter.payload(HeaderProtection::Cipher)?;
    let draft = self::stamped(&payload, SEALED).await?;
    let rng = Seeded::new("mail/sm2-signed-encrypted.eml, envelope");
    let inner =
        multipart_signed(&payload, &draft.to_der(), &[DigestAlgorithm::Sm3], &*Seeded::new(BOUNDARY))?;
    let sealed = Encryptor::new(ContentCipher::Aes256Gcm)
        .recipient(&keys::certificate("rsa-enc")?, Transport::RsaOaepSha256)
        .recipient(&keys::certificate("sm2-enc")?, Transport::Sm2)
        .encrypt(&inner, &*rng)?;
    let mail = letter.message(HeaderProtection::Cipher, &pkcs7_mime(CmsKind::AuthEnvelopedData, &sealed)?);
    set.file(SEALED, mail);
    let shows =
        "application/pkcs7-mime authEnveloped-data around multipart/signed, hp=\"cipher\", Subject hidden";
    for keys in [&["rsa-enc"], &["sm2-enc"]] {
        let case = Case::good(SEALED, Check::Mail { keys }, SEALED_NAMES, shows, "valid");
        set.cases.push(case.proven(MADE_AT));
    }
    let case = Case::good(SEALED, Check::Mail { keys: &[] }, SEALED_NAMES, "no key at hand", "error");
    set.cases.push(case.reasons(&["no-matching-key"]));
    Ok(())
}

const BOUNDARY: &str = "boundary";
/// unsignedAttrs of the one SignerInfo.
const UNSIGNED: &[usize] = &[1, 0, 4, 0, 6];

/// The payload signed with SM2 and stamped, the encryption certificates beside the signer's.
async fn stamped(payload: &[u8], file: &str) -> Outcome<SignedDraft> {
    let mut draft = unstamped(payload, file).await?;
    let rng = Seeded::new(&format!("{file}, token"));
    let authority = LocalSource::new(keys::identity("sm2-tsa", rng.clone())?, timestamp::POLICY, rng);
    let now = Time::from_rfc3339(MADE_AT).ok_or("a time")?;
    stamp_signature(&mut draft, 0, DigestAlgorithm::Sm3, &authority, now).await?;
    Ok(draft)
}

async fn unstamped(payload: &[u8], file: &str) -> Outcome<SignedDraft> {
    let along = [keys::certificate("rsa-enc")?, keys::certificate("sm2-enc")?];
    let message =
        SignedMessage::new(payload).detached(true).attributes(signed::attributes()).certificates(along);
    let identity = keys::identity("sm2-sig", Seeded::new(file))?;
    Ok(sign(message, &[&identity]).await?)
}

fn clear(letter: &Outgoing, payload: &[u8], der: &[u8]) -> Outcome<Vec<u8>> {
    let entity = multipart_signed(payload, der, &[DigestAlgorithm::Sm3], &*Seeded::new(BOUNDARY))?;
    Ok(letter.message(HeaderProtection::Clear, &entity))
}

async fn broken(set: &mut Set, letter: &Outgoing, payload: &[u8], stamped: &[u8]) -> Outcome<()> {
    let good = set.read(SIGNED)?.to_vec();
    let case = |file: &str, shows, expect| {
        Case::good(file, Check::Mail { keys: &[] }, SIGNED_NAMES, shows, expect).derived(SIGNED)
    };
    let add = |set: &mut Set, octets: Vec<u8>, case: Case| {
        set.file(&case.file, octets);
        set.cases.push(case);
    };

    let shows = "a word of the text changed; the token over the signature proves nothing about this text";
    let changed = case("broken/mail-text-changed.eml", shows, "invalid").reasons(&["digest-mismatch"]);
    add(set, text(&good, "Tea at five?", "Tea at four?")?, changed);

    let shows = "the outer From is somebody else, the protected one is not";
    let changed = case("broken/mail-from-changed.eml", shows, "identity-mismatch");
    let octets = text(&good, "From: Alice <alice@example.test>", "From: Alice <mallory@example.test>")?;
    add(set, octets, changed.reasons(&["outer-from-differs"]).proven(MADE_AT));

    let shows = "a signed mail of Alice's put into a mail from Mallory";
    let changed = case("broken/mail-wrapped.eml", shows, "partial").reasons(&["not-signed", "partly-signed"]);
    let part = text(&good, "From: Alice", "X-From: Alice")?;
    let head: &[u8] =
        b"From: mallory@example.test\r\nTo: bob@example.org\r\nSubject: Tea\r\nMIME-Version: 1.0\r\n\
        Content-Type: multipart/mixed; boundary=outer\r\n\r\n--outer\r\nContent-Type: text/plain\r\n\r\n\
        Coffee at four.\r\n--outer\r\n";
    add(set, [head, &part, b"\r\n--outer--\r\n"].concat(), changed);

    let shows =
        "bare line feeds throughout, as some stores leave them: the signature holds over the canonical form";
    let changed = case("mail/sm2-signed-stamped-lf.eml", shows, "valid").tolerances(&["bare-line-feed"]);
    let octets: Vec<u8> = good.iter().copied().filter(|octet| *octet != b'\r').collect();
    add(set, octets, changed.proven(MADE_AT));

    let shows = "no token: valid, and nothing proves when";
    let der = unstamped(payload, SIGNED).await?.to_der();
    add(set, clear(letter, payload, &der)?, case("mail/sm2-signed.eml", shows, "valid"));

    let shows = "the token of another signature";
    let other = self::stamped(b"Content-Type: text/plain\r\n\r\nAnother mail\r\n", "another mail").await?;
    let token = at(&other.to_der(), UNSIGNED)?;
    let der = replace(stamped, UNSIGNED, &token)?;
    let changed = case("broken/mail-token-of-another.eml", shows, "invalid");
    add(set, clear(letter, payload, &der)?, changed.reasons(&["timestamp-imprint-mismatch"]));

    let shows = "octets that are no token where a token should be";
    let mut draft = unstamped(payload, SIGNED).await?;
    let value = write::octet_string(&DigestAlgorithm::Sm3.digest(payload));
    draft.add_unsigned_attribute(0, oid::TIME_STAMP_TOKEN, value)?;
    let changed = case("broken/mail-token-malformed.eml", shows, "invalid");
    add(set, clear(letter, payload, &draft.to_der())?, changed.reasons(&["timestamp-malformed"]));
    Ok(())
}
