//! SignedData with one thing wrong, derived from the good ones.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{Tag, write};

use super::edit::{at, children, content, flip, is_type, replace};
use super::seeded::Seeded;
use super::signed::check;
use super::{CONTENT, Case, Check, Outcome, Set, keys};

const RSA: &str = "signed/rsa.der";
const P256: &str = "signed/p256.der";
const SM2: &str = "signed/sm2.der";
const GBT: &str = "signed/sm2-gbt35275.der";

// ContentInfo / [0] / SignedData / field.
const DIGESTS: &[usize] = &[1, 0, 1];
const CONTENT_OCTETS: &[usize] = &[1, 0, 2, 1, 0];
const CERTIFICATES: &[usize] = &[1, 0, 3];
// The fields of the one SignerInfo.
const SID: &[usize] = &[1, 0, 4, 0, 1];
const DIGEST: &[usize] = &[1, 0, 4, 0, 2];
const ATTRIBUTES: &[usize] = &[1, 0, 4, 0, 3];
const SIGNATURE_ALGORITHM: &[usize] = &[1, 0, 4, 0, 4];
const SIGNATURE: &[usize] = &[1, 0, 4, 0, 5];

pub(super) async fn add(set: &mut Set) -> Outcome<()> {
    unsigned_changes(set)?;
    signed_changes(set).await?;
    attacks(set).await?;
    readings(set)
}

struct Broken<'a> {
    set: &'a mut Set,
    from: &'static str,
}

impl Broken<'_> {
    fn case(&self, file: &str, shows: &'static str, expect: &'static str) -> Case {
        let algorithm = match self.from {
            RSA => "RSA PKCS#1 v1.5, SHA-256",
            P256 => "ECDSA P-256, SHA-256",
            _ => "SM2, SM3",
        };
        Case::good(file, check(), algorithm, shows, expect).derived(self.from)
    }

    fn add(&mut self, name: &str, octets: Vec<u8>, shows: &'static str, reasons: &'static [&'static str]) {
        let file = format!("broken/signed-{name}.der");
        self.set.file(&file, octets);
        let case = self.case(&file, shows, "invalid").reasons(reasons);
        self.set.cases.push(case);
    }
}

/// Changes without the private key.
fn unsigned_changes(set: &mut Set) -> Outcome<()> {
    let [rsa, p256, sm2, gbt] =
        [set.read(RSA)?, set.read(P256)?, set.read(SM2)?, set.read(GBT)?].map(<[u8]>::to_vec);
    let other = write::octet_string(&super::edit::text(CONTENT, "five", "four")?);
    let sha512 = DigestAlgorithm::Sha512.identifier_der();

    let mut broken = Broken { set, from: SM2 };
    let changed = replace(&sm2, CONTENT_OCTETS, &other)?;
    broken.add("content-changed", changed, "a word of the content changed", &["digest-mismatch"]);
    let changed = replace(&sm2, SIGNATURE_ALGORITHM, &write::algorithm(&oid::SM2_SIGN, None))?;
    let file = "broken/signed-signature-algorithm-changed.der";
    broken.set.file(file, changed);
    let shows = "the signature algorithm renamed to .301.1, which CMSAlgorithmProtection does not name";
    let case = broken.case(file, shows, "invalid").reasons(&["algorithm-protection-mismatch"]);
    broken.set.cases.push(case.tolerances(&["sm2-sign-oid"]));
    let mut attributes = children(&at(&sm2, ATTRIBUTES)?)?;
    attributes.reverse();
    let changed = replace(&sm2, ATTRIBUTES, &write::tlv(Tag::context(0), &attributes.concat()))?;
    let file = "broken/signed-attributes-reordered.der";
    broken.set.file(file, changed);
    let shows = "the signed attributes put in another order after signing";
    let case = broken.case(file, shows, "invalid").reasons(&["signature-mismatch"]);
    broken.set.cases.push(case.tolerances(&["signed-attributes-unsorted"]));

    broken.from = GBT;
    let changed = replace(&gbt, CONTENT_OCTETS, &other)?;
    broken.add("gbt35275-content-changed", changed, "a word of the content changed", &["digest-mismatch"]);

    broken.from = P256;
    let changed = flip(&p256, SIGNATURE)?;
    broken.add("signature-changed", changed, "the last bit of s turned over", &["signature-mismatch"]);

    broken.from = RSA;
    let place = place_of(&rsa, &oid::SIGNING_TIME)?;
    let path = [ATTRIBUTES, &[place, 1, 0]].concat();
    let time = aecm_core::time::Time::from_rfc3339("2026-11-30T00:00:00Z").ok_or("a time")?;
    let changed = replace(&rsa, &path, &write::time(time))?;
    broken.add("attribute-changed", changed, "signingTime set back by a day", &["signature-mismatch"]);
    let changed = replace(&replace(&rsa, DIGESTS, &write::set_of(vec![sha512.clone()]))?, DIGEST, &sha512)?;
    let shows = "the digest algorithm renamed to SHA-512, here and among those announced";
    let reasons =
        &["algorithm-protection-mismatch", "message-digest-attribute-malformed", "algorithm-mismatch"];
    broken.add("digest-algorithm-changed", changed, shows, reasons);
    let changed = replace(&rsa, DIGESTS, &write::set_of(vec![sha512]))?;
    let shows = "the signer's digest algorithm is not announced";
    broken.add("digest-algorithm-undeclared", changed, shows, &["digest-algorithm-undeclared"]);
    let changed = replace(&rsa, CERTIFICATES, b"")?;
    let shows = "the signer's certificate taken out";
    broken.add("certificate-removed", changed, shows, &["signer-certificate-missing"]);
    let changed = replace(&rsa, SIGNATURE_ALGORITHM, &write::algorithm(&oid::RSASSA_PSS, None))?;
    let shows = "the signature algorithm renamed to RSASSA-PSS without parameters";
    let reasons = &["algorithm-protection-mismatch", "algorithm-mismatch"];
    broken.add("scheme-changed", changed, shows, reasons);
    Ok(())
}

/// Changes of the signed attributes that the signer made himself: the signature holds, the attributes do not.
async fn signed_changes(set: &mut Set) -> Outcome<()> {
    let [rsa, sm2] = [set.read(RSA)?, set.read(SM2)?].map(<[u8]>::to_vec);
    let without = |list: Vec<Vec<u8>>, kind: &ObjectIdentifier| -> Vec<Vec<u8>> {
        list.into_iter().filter(|one| !is_type(one, kind)).collect()
    };
    let sorted = |mut list: Vec<Vec<u8>>| {
        list.sort();
        list
    };
    let of_rsa = children(&at(&rsa, ATTRIBUTES)?)?;
    let of_sm2 = children(&at(&sm2, ATTRIBUTES)?)?;
    let mut broken = Broken { set, from: SM2 };

    let file = "signed/sm2-attributes-unsorted.der";
    let mut list = of_sm2.clone();
    list.reverse();
    let changed = signed_again(&sm2, file, "sm2-sig", &list).await?;
    broken.set.file(file, changed);
    let shows =
        "the signed attributes signed in another order than DER has: checked over the octets as received";
    let case = broken.case(file, shows, "valid").tolerances(&["signed-attributes-unsorted"]);
    broken.set.cases.push(case);

    let list = without(of_sm2.clone(), &oid::CONTENT_TYPE);
    let changed = signed_again(&sm2, "content-type-missing", "sm2-sig", &list).await?;
    let shows = "no contentType among the signed attributes";
    broken.add("content-type-missing", changed, shows, &["content-type-attribute-missing"]);

    let mut list = without(of_sm2.clone(), &oid::CONTENT_TYPE);
    list.push(attribute(&oid::CONTENT_TYPE, &write::oid(&oid::TST_INFO)));
    let changed = signed_again(&sm2, "content-type-other", "sm2-sig", &sorted(list)).await?;
    let shows = "contentType says TSTInfo and eContentType data";
    broken.add("content-type-other", changed, shows, &["content-type-mismatch"]);

    let list = without(of_sm2.clone(), &oid::MESSAGE_DIGEST);
    let changed = signed_again(&sm2, "message-digest-missing", "sm2-sig", &list).await?;
    let shows = "no messageDigest among the signed attributes";
    broken.add("message-digest-missing", changed, shows, &["message-digest-attribute-missing"]);

    let mut list = of_sm2.clone();
    let digest = write::octet_string(&DigestAlgorithm::Sm3.digest(b"something else"));
    list.push(attribute(&oid::MESSAGE_DIGEST, &digest));
    let changed = signed_again(&sm2, "message-digest-twice", "sm2-sig", &sorted(list)).await?;
    let shows = "two messageDigest attributes, one of them right";
    broken.add("message-digest-twice", changed, shows, &["message-digest-attribute-repeated"]);

    broken.from = RSA;
    let mut list = without(of_rsa.clone(), &oid::ALGORITHM_PROTECTION);
    let signature = content(&rsa, SIGNATURE_ALGORITHM)?;
    let protection = write::sequence(&[
        &DigestAlgorithm::Sha512.identifier_der(),
        &write::tlv(Tag::context(1), &signature),
    ]);
    list.push(attribute(&oid::ALGORITHM_PROTECTION, &protection));
    let changed = signed_again(&rsa, "algorithm-protection-other", "rsa-sig", &sorted(list)).await?;
    let shows = "CMSAlgorithmProtection names SHA-512";
    broken.add("algorithm-protection-other", changed, shows, &["algorithm-protection-mismatch"]);

    let mut list = without(of_rsa, &oid::SIGNING_CERTIFICATE_V2);
    let hash = DigestAlgorithm::Sha256.digest(keys::certificate("p256-sig")?.as_der());
    let id = write::sequence(&[&write::sequence(&[&write::sequence(&[&write::octet_string(&hash)])])]);
    list.push(attribute(&oid::SIGNING_CERTIFICATE_V2, &id));
    let changed = signed_again(&rsa, "signing-certificate-other", "rsa-sig", &sorted(list)).await?;
    let shows = "signingCertificateV2 has the hash of another certificate";
    broken.add("signing-certificate-other", changed, shows, &["signing-certificate-mismatch"]);
    Ok(())
}

/// Signatures that hold and must not count.
async fn attacks(set: &mut Set) -> Outcome<()> {
    let [rsa, sm2] = [set.read(RSA)?, set.read(SM2)?].map(<[u8]>::to_vec);
    let mut broken = Broken { set, from: RSA };

    // RFC 5652 §5.4 signs the attributes as a SET OF; without them, the content itself.
    let attributes = write::tlv(Tag::SET, &content(&rsa, ATTRIBUTES)?);
    let changed = replace(&rsa, CONTENT_OCTETS, &write::octet_string(&attributes))?;
    let changed = replace(&changed, ATTRIBUTES, b"")?;
    let shows = "the signed attributes passed off as the content: the signature holds over it";
    broken.add("attributes-as-content", changed, shows, &["content-is-signed-attributes"]);

    broken.from = SM2;
    let changed = signed_again(&sm2, "attributes-empty", "sm2-sig", &[]).await?;
    let shows = "an empty set of signed attributes, signed: the signature covers nothing";
    let reasons =
        &["signed-attributes-empty", "content-type-attribute-missing", "message-digest-attribute-missing"];
    broken.add("attributes-empty", changed, shows, reasons);

    let leaf = keys::certificate("sm2-enc")?;
    let changed = replace(&sm2, CERTIFICATES, &write::tlv(Tag::context(0), leaf.as_der()))?;
    let sid = write::sequence(&[leaf.issuer_der(), &write::tlv(Tag::INTEGER, leaf.serial())]);
    let changed = replace(&changed, SID, &sid)?;
    let mut list = children(&at(&sm2, ATTRIBUTES)?)?;
    list.retain(|one| !is_type(one, &oid::SIGNING_CERTIFICATE_V2));
    let changed = signed_again(&changed, "encryption-certificate", "sm2-enc", &list).await?;
    let shows = "signed with the key of an encryption certificate";
    broken.add("encryption-certificate", changed, shows, &["usage-not-allowed"]);
    Ok(())
}

/// Good octets judged otherwise, forms that are read and not written, and what cannot be read.
fn readings(set: &mut Set) -> Outcome<()> {
    let rsa = set.read(RSA)?.to_vec();
    let broken = Broken { set, from: RSA };
    let mut mallory = broken.case(RSA, "somebody else is expected to have signed", "identity-mismatch");
    mallory.check = Check::Signed { content: None, mailbox: "mallory@example.test" };
    mallory.derived_from = None;
    broken.set.cases.push(mallory.reasons(&["from-does-not-match"]));

    let file = "signed/rsa-ber.der";
    let [oid, inner] = [at(&rsa, &[0])?, at(&rsa, &[1, 0])?];
    let indefinite = [b"\x30\x80", oid.as_slice(), b"\xa0\x80", &inner, b"\0\0\0\0"].concat();
    broken.set.file(file, indefinite);
    let shows = "ContentInfo with indefinite lengths";
    let case = broken.case(file, shows, "valid").tolerances(&["ber-encoding"]);
    broken.set.cases.push(case);

    let file = "broken/signed-truncated.der";
    broken.set.file(file, rsa.get(..rsa.len() / 2).unwrap_or_default());
    let case = broken.case(file, "the second half is missing", "error").reasons(&["malformed"]);
    broken.set.cases.push(case);
    Ok(())
}

/// The message with these signed attributes, in this order, signed again with the key of that name.
async fn signed_again(der: &[u8], label: &str, key: &str, attributes: &[Vec<u8>]) -> Outcome<Vec<u8>> {
    let list = attributes.concat();
    let identity = keys::identity(key, Seeded::new(label))?;
    let message = write::tlv(Tag::SET, &list);
    let signature = identity.signer.sign(identity.signer.algorithm(), &message).await?;
    let der = replace(der, ATTRIBUTES, &write::tlv(Tag::context(0), &list))?;
    replace(&der, SIGNATURE, &write::octet_string(&signature))
}

fn attribute(kind: &ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(kind), &write::tlv(Tag::SET, value)])
}

fn place_of(der: &[u8], kind: &ObjectIdentifier) -> Outcome<usize> {
    let list = children(&at(der, ATTRIBUTES)?)?;
    Ok(list.iter().position(|one| is_type(one, kind)).ok_or("no such attribute")?)
}
