//! One octet or digit changed at a time: each change is refused for its own reason.

use aecm::core::limits::Limits;
use aecm::core::oid;
use aecm::core::suite::Suite;
use aecm::core::tlv::write;
use aecm::smime::cms::SignedData;
use aecm::smime::decrypt::DecryptError;
use aecm::smime::mime::{CmsKind, HeaderProtection, Outgoing, pkcs7_mime};
use aecm::smime::open::OpenError;
use aecm::smime::verify::{CheckResult, Checks};

use crate::open::{GOOD, rebuilt, signer, words};
use crate::world::{address, family, letter, run};

fn find(haystack: &[u8], needle: &[u8]) -> usize {
    haystack.windows(needle.len()).position(|window| window == needle).unwrap()
}

fn digit(der: &[u8], place: usize) -> Vec<u8> {
    let mut changed = der.to_vec();
    assert!(changed[place].is_ascii_digit());
    changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
    changed
}

fn flipped(octets: &[u8], place: usize) -> Vec<u8> {
    let mut changed = octets.to_vec();
    changed[place] ^= 1;
    changed
}

#[test]
fn five_changes_have_five_reasons() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        for suite in Suite::ALL {
            let sent = alice.compose(&raw).to([address(bob)]).suite(suite).sign().timestamp().await.unwrap();
            let (der, entity) = (sent.signed_data.clone().unwrap(), sent.signed_entity.clone().unwrap());
            let open =
                async |entity: &[u8], der: &[u8]| bob.open(&rebuilt(&raw, entity, der, &sent)).await.unwrap();
            let untouched = open(&entity, &der).await;
            assert_eq!((untouched.verdict.word(), signer(&untouched).checks), ("valid", GOOD), "{suite}");

            // The text: only the digest is wrong, and the content is not given out.
            let text = flipped(&entity, find(&entity, b"red"));
            let opened = open(&text, &der).await;
            assert_eq!(
                (opened.verdict.word(), words(&opened)),
                ("invalid", vec!["digest-mismatch"]),
                "{suite}"
            );
            assert_eq!(signer(&opened).checks, Checks { digest: CheckResult::Invalid, ..GOOD });
            assert!(opened.withheld && opened.content.is_none());

            let limits = Limits::default();
            let parsed = SignedData::parse(&der, &limits).unwrap();
            let info = &parsed.signers()[0];
            // A signed attribute: only the signature is wrong.
            let attributes = info.signed_attributes().unwrap();
            let id = write::oid(&oid::SIGNING_TIME);
            let place = find(&der, attributes) + find(attributes, &id) + id.len() + 4 + 9;
            let opened = open(&entity, &digit(&der, place)).await;
            assert_eq!(opened.verdict.word(), "invalid");
            assert!(words(&opened).contains(&"signature-mismatch"), "{suite}: {:?}", words(&opened));
            assert_eq!(signer(&opened).checks, Checks { signature: CheckResult::Invalid, ..GOOD }, "{suite}");

            // The certificate: the mathematics of the mail hold, the chain does not (and RFC 5035 sees it first).
            let certificates = parsed.certificates();
            let leaf = certificates.iter().find(|one| info.sid().names(one)).unwrap();
            let place = find(&der, leaf.as_der()) + leaf.as_der().len() - 1;
            let opened = open(&entity, &flipped(&der, place)).await;
            assert_eq!(opened.verdict.word(), "invalid");
            assert_ne!(signer(&opened).checks.chain, CheckResult::Valid, "{suite}: {:?}", words(&opened));
            assert_eq!(signer(&opened).checks.digest, CheckResult::Valid);
            assert!(!words(&opened).contains(&"digest-mismatch"));

            // The token: only the time is wrong; nothing is proven.
            let content = find(&der, &write::oid(&oid::TST_INFO));
            let place = content + find(&der[content..], &[0x18, 0x0f]) + 2 + 11;
            let opened = open(&entity, &digit(&der, place)).await;
            assert_eq!(opened.verdict.word(), "invalid");
            assert_eq!(signer(&opened).checks, Checks { time: CheckResult::Invalid, ..GOOD }, "{suite}");
            assert!(words(&opened).iter().all(|word| word.starts_with("timestamp-")), "{:?}", words(&opened));
            assert_eq!(opened.sent_at.proven, None);

            // A token of another mail: good in itself, but about something else.
            let other = alice.compose(&raw).to([address(bob)]).suite(suite).sign().timestamp().await.unwrap();
            let other = other.signed_data.unwrap();
            let swapped = with_token_of(&der, &other);
            let opened = open(&entity, &swapped).await;
            assert_eq!(opened.verdict.word(), "invalid", "{suite}: {:?}", words(&opened));
            assert_eq!(signer(&opened).checks, Checks { time: CheckResult::Invalid, ..GOOD }, "{suite}");

            // The ciphertext: an error, and all failures to decrypt look the same (E1).
            let sealed = alice.compose(&raw).to([address(bob)]).suite(suite).protect().await.unwrap();
            let cms = sealed.enveloped_data.unwrap();
            let outgoing = Outgoing::parse(&raw, &limits).unwrap();
            for place in [cms.len() - 1, cms.len() / 2, cms.len() - 40] {
                let wrapped = pkcs7_mime(CmsKind::AuthEnvelopedData, &flipped(&cms, place)).unwrap();
                let error =
                    bob.open(&outgoing.message(HeaderProtection::Cipher, &wrapped)).await.unwrap_err();
                assert!(
                    matches!(error, aecm::Error::Open(OpenError::Decrypt(DecryptError::Failed))),
                    "{suite} at {place}: {error:?}"
                );
            }
        }
    });
}

/// The one unsigned attribute exchanged, whatever the lengths around it.
fn with_token_of(der: &[u8], other: &[u8]) -> Vec<u8> {
    let limits = Limits::default();
    let token = |der: &[u8]| -> Vec<u8> {
        let parsed = SignedData::parse(der, &limits).unwrap();
        parsed.signers()[0].unsigned_attributes()[0].single().unwrap().to_vec()
    };
    let (own, foreign) = (token(der), token(other));
    let at = find(der, &own);
    grown(der, at, own.len(), &foreign)
}

/// `octets[at..at + length]` exchanged for `new`, with the DER lengths of everything around it put right.
fn grown(octets: &[u8], at: usize, length: usize, new: &[u8]) -> Vec<u8> {
    if at == 0 && length == octets.len() {
        return new.to_vec();
    }
    // One element: identifier, length, then elements of which one holds the place.
    let head = 1 + if octets[1] < 0x80 { 1 } else { 1 + usize::from(octets[1] & 0x7f) };
    let mut content = Vec::new();
    let mut place = head;
    while place < octets.len() {
        let size = element(&octets[place..]);
        let part = &octets[place..place + size];
        if (place..place + size).contains(&at) {
            content.extend(grown(part, at - place, length, new));
        } else {
            content.extend_from_slice(part);
        }
        place += size;
    }
    let mut whole = vec![octets[0]];
    let size = content.len();
    if size < 0x80 {
        whole.push(u8::try_from(size).unwrap());
    } else {
        let bytes: Vec<u8> = size.to_be_bytes().into_iter().skip_while(|octet| *octet == 0).collect();
        whole.push(0x80 | u8::try_from(bytes.len()).unwrap());
        whole.extend(bytes);
    }
    whole.extend(content);
    whole
}

fn element(octets: &[u8]) -> usize {
    if octets[1] < 0x80 {
        return 2 + usize::from(octets[1]);
    }
    let count = usize::from(octets[1] & 0x7f);
    let size = octets[2..2 + count].iter().fold(0, |size, octet| size << 8 | usize::from(*octet));
    2 + count + size
}

// Transports that rewrap lines or change a header outside change nothing that is signed.
#[test]
fn what_transports_do_is_borne() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let raw = letter(alice.address().as_str(), bob.address().as_str());
        let sent = alice.compose(&raw).to([address(bob)]).sign().timestamp().await.unwrap();
        let text = String::from_utf8(sent.mail).unwrap();
        let received = format!("Received: from mx.example.test\r\nX-Spam: no\r\n{text}");
        let bare = text.replace("\r\n", "\n");
        for (what, mail) in [("headers added", received), ("bare line feeds", bare)] {
            let opened = bob.open(mail.as_bytes()).await.unwrap();
            assert_eq!(opened.verdict.word(), "valid", "{what}: {:?}", words(&opened));
        }
    });
}
