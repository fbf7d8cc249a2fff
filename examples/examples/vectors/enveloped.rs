//! EnvelopedData and AuthEnvelopedData in every form that is written, and with one thing wrong.

use aecm_core::oid;
use aecm_core::tlv::{Tag, write};
use aecm_smime::cms::Form;
use aecm_smime::encrypt::{ContentCipher, Encryptor, Transport};

use super::edit::{at, children, contains, content, flip, replace};
use super::seeded::Seeded;
use super::{CONTENT, Case, Check, Outcome, Set, keys};

const RSA_GCM: &str = "enveloped/rsa-oaep-aes256gcm.der";
const SM2_GCM: &str = "enveloped/sm2-sm4gcm.der";
const MIXED: &str = "enveloped/rsa-and-sm2-aes256gcm.der";
const SM2_CBC: &str = "enveloped/sm2-sm4cbc.der";
const GBT: &str = "enveloped/sm2-sm4cbc-gbt35275.der";
const RSA_CBC: &str = "enveloped/rsa-oaep-aes256cbc.der";

// ContentInfo / [0] / AuthEnvelopedData / field.
const RECIPIENTS: &[usize] = &[1, 0, 1];
const ENCRYPTED_KEY: &[usize] = &[1, 0, 1, 0, 3];
const CIPHER: &[usize] = &[1, 0, 2, 1];
/// Of GCMParameters: aes-nonce.
const NONCE: &[usize] = &[1, 0, 2, 1, 1, 0];
/// Of GCMParameters: aes-ICVlen.
const TAG_SIZE: &[usize] = &[1, 0, 2, 1, 1, 1];
/// The IV of CBC.
const IV: &[usize] = &[1, 0, 2, 1, 1];
const CIPHERTEXT: &[usize] = &[1, 0, 2, 2];
const MAC: &[usize] = &[1, 0, 3];

const RSA: (&str, Transport) = ("rsa-enc", Transport::RsaOaepSha256);
const SM2: (&str, Transport) = ("sm2-enc", Transport::Sm2);

pub(super) fn add(set: &mut Set) -> Outcome<()> {
    let rfc = Form::Rfc5652;
    write(set, RSA_GCM, ContentCipher::Aes256Gcm, rfc, &[RSA], "AuthEnvelopedData")?;
    write(set, SM2_GCM, ContentCipher::Sm4Gcm, rfc, &[SM2], "AuthEnvelopedData, .301.3 with DER SM2Cipher")?;
    let shows = "AuthEnvelopedData, one recipient of each family";
    write(set, MIXED, ContentCipher::Aes256Gcm, rfc, &[RSA, SM2], shows)?;
    write(set, SM2_CBC, ContentCipher::Sm4Cbc, rfc, &[SM2], "EnvelopedData of RFC 5652")?;
    write(set, GBT, ContentCipher::Sm4Cbc, Form::Gbt35275, &[SM2], "EnvelopedData of GB/T 35275")?;
    write(set, RSA_CBC, ContentCipher::Aes256Cbc, rfc, &[RSA], "EnvelopedData of RFC 5652")?;
    broken_gcm(set)?;
    broken_recipients(set)?;
    broken_cbc(set)
}

fn write(
    set: &mut Set,
    file: &'static str,
    cipher: ContentCipher,
    form: Form,
    recipients: &[(&'static str, Transport)],
    shows: &'static str,
) -> Outcome<()> {
    let mut encryptor = Encryptor::new(cipher).form(form);
    for (name, transport) in recipients {
        encryptor = encryptor.recipient(&keys::certificate(name)?, *transport);
    }
    set.file(file, encryptor.encrypt(CONTENT, &*Seeded::new(file))?);
    // CBC content is nobody's until a signature inside says whose.
    let expect = if cipher.is_authenticated() { "opens" } else { "unauthenticated" };
    for (key, _) in recipients {
        set.cases.push(Case::good(file, Check::Enveloped { key }, algorithm(file), shows, expect));
    }
    Ok(())
}

fn algorithm(file: &str) -> &'static str {
    match file {
        RSA_GCM => "RSAES-OAEP SHA-256, AES-256-GCM",
        SM2_GCM => "SM2, SM4-GCM",
        MIXED => "RSAES-OAEP SHA-256 and SM2, AES-256-GCM",
        RSA_CBC => "RSAES-OAEP SHA-256, AES-256-CBC",
        _ => "SM2, SM4-CBC",
    }
}

struct Broken<'a> {
    set: &'a mut Set,
    from: &'static str,
    key: &'static str,
}

impl Broken<'_> {
    fn case(&self, file: &str, shows: &'static str, expect: &'static str) -> Case {
        Case::good(file, Check::Enveloped { key: self.key }, algorithm(self.from), shows, expect)
            .derived(self.from)
    }

    fn add(&mut self, name: &str, octets: Vec<u8>, shows: &'static str, reason: &'static [&'static str]) {
        let file = format!("broken/enveloped-{name}.der");
        self.set.file(&file, octets);
        let case = self.case(&file, shows, "refused").reasons(reason);
        self.set.cases.push(case);
    }
}

fn broken_gcm(set: &mut Set) -> Outcome<()> {
    let [rsa, sm2] = [set.read(RSA_GCM)?, set.read(SM2_GCM)?].map(<[u8]>::to_vec);
    let mut broken = Broken { set, from: RSA_GCM, key: "rsa-enc" };
    let mut tag = content(&rsa, MAC)?;
    tag.truncate(12);
    let shortened = replace(&rsa, MAC, &write::octet_string(&tag))?;
    let shows = "four octets of the tag taken away";
    broken.add("tag-shortened", shortened.clone(), shows, &["structure"]);
    let announced = replace(&shortened, TAG_SIZE, &write::small(12))?;
    let shows = "four octets of the tag taken away, and aes-ICVlen made 12";
    broken.add("tag-short", announced, shows, &["short-tag"]);
    broken.add("tag-changed", flip(&rsa, MAC)?, "the last bit of the tag turned over", &["failed"]);
    let iv = write::octet_string(&[0; 16]);
    let cbc = replace(&rsa, CIPHER, &write::algorithm(&oid::AES256_CBC, Some(&iv)))?;
    let shows = "the content cipher renamed to AES-256-CBC, which AuthEnvelopedData cannot have";
    broken.add("cipher-renamed", cbc, shows, &["unsupported"]);

    broken.from = SM2_GCM;
    broken.key = "sm2-enc";
    let shows = "the last bit of the ciphertext turned over";
    broken.add("ciphertext-changed", flip(&sm2, CIPHERTEXT)?, shows, &["failed"]);
    broken.add("nonce-changed", flip(&sm2, NONCE)?, "the last bit of the nonce turned over", &["failed"]);
    let nonce = write::octet_string(&[content(&sm2, NONCE)?, vec![0; 4]].concat());
    let shows = "a nonce of 16 octets instead of 12";
    broken.add("nonce-long", replace(&sm2, NONCE, &nonce)?, shows, &["structure"]);

    let file = "enveloped/sm2-sm4gcm-in-enveloped-data.der";
    let sealed = [content(&sm2, CIPHERTEXT)?, content(&sm2, MAC)?].concat();
    let moved = replace(&sm2, CIPHERTEXT, &write::tlv(Tag::context_primitive(0), &sealed))?;
    let moved = replace(&moved, MAC, b"")?;
    let moved = replace(&moved, &[0], &write::oid(&oid::ENVELOPED_DATA))?;
    broken.set.file(file, moved);
    let shows =
        "GCM in EnvelopedData with the tag behind the ciphertext, as gmsm writes it: read, not written";
    let case = broken.case(file, shows, "opens").tolerances(&["gcm-in-enveloped-data"]);
    broken.set.cases.push(case);
    Ok(())
}

fn broken_recipients(set: &mut Set) -> Outcome<()> {
    let [rsa, sm2, mixed] = [set.read(RSA_GCM)?, set.read(SM2_GCM)?, set.read(MIXED)?].map(<[u8]>::to_vec);
    let mut broken = Broken { set, from: RSA_GCM, key: "rsa-enc" };
    let shows = "the last bit of the encrypted content key turned over";
    broken.add("rsa-key-changed", flip(&rsa, ENCRYPTED_KEY)?, shows, &["failed"]);
    broken.key = "sm2-enc";
    let mut nobody = broken.case(RSA_GCM, "the key of somebody who is not a recipient", "refused");
    nobody.derived_from = None;
    broken.set.cases.push(nobody.reasons(&["no-matching-key"]));

    broken.from = SM2_GCM;
    // The last field of SM2Cipher is C2; C3 stands before it.
    let shows = "the last bit of C2, the encrypted content key, turned over";
    broken.add("sm2-key-changed", flip(&sm2, ENCRYPTED_KEY)?, shows, &["failed"]);
    let cipher = content(&sm2, ENCRYPTED_KEY)?;
    let changed = write::octet_string(&flip(&cipher, &[2])?);
    let shows = "the last bit of C3, the hash in the encrypted content key, turned over";
    broken.add("sm2-hash-changed", replace(&sm2, ENCRYPTED_KEY, &changed)?, shows, &["failed"]);
    let off_curve = replace(&cipher, &[0], &write::integer_bytes(&[2]))?;
    let changed = replace(&sm2, ENCRYPTED_KEY, &write::octet_string(&off_curve))?;
    let shows = "C1 is a point that is not on the curve";
    broken.add("sm2-point-off-curve", changed, shows, &["failed"]);

    broken.from = MIXED;
    let mut infos = children(&at(&mixed, RECIPIENTS)?)?;
    infos.retain(|info| !contains(info, &write::oid(&oid::SM2_ENCRYPT)));
    let removed = replace(&mixed, RECIPIENTS, &write::set_of(infos))?;
    let shows = "the SM2 recipient taken out: she cannot read it, and nobody notices";
    broken.add("recipient-removed", removed, shows, &["no-matching-key"]);
    broken.key = "rsa-enc";
    let file = "broken/enveloped-recipient-removed.der";
    let shows = "the SM2 recipient taken out: the other one reads it, RFC 5083 does not cover recipients";
    let case = broken.case(file, shows, "opens");
    broken.set.cases.push(case);
    Ok(())
}

fn broken_cbc(set: &mut Set) -> Outcome<()> {
    let [rsa, sm2, gbt] = [set.read(RSA_CBC)?, set.read(SM2_CBC)?, set.read(GBT)?].map(<[u8]>::to_vec);
    let mut broken = Broken { set, from: SM2_CBC, key: "sm2-enc" };
    let file = "broken/enveloped-cbc-iv-changed.der";
    broken.set.file(file, flip(&sm2, IV)?);
    let shows = "the last bit of the IV turned over: the content changes, and CBC does not notice (EFAIL)";
    let case = broken.case(file, shows, "unauthenticated").reasons(&["content-differs"]);
    broken.set.cases.push(case);

    broken.from = GBT;
    let shows = "the last bit of the ciphertext turned over: the padding is wrong";
    broken.add("gbt35275-padding", flip(&gbt, CIPHERTEXT)?, shows, &["failed"]);

    broken.from = RSA_CBC;
    broken.key = "rsa-enc";
    let mut ciphertext = content(&rsa, CIPHERTEXT)?;
    ciphertext.pop();
    let cut = replace(&rsa, CIPHERTEXT, &write::tlv(Tag::context_primitive(0), &ciphertext))?;
    broken.add("cbc-length", cut, "the ciphertext is not whole blocks", &["failed"]);
    broken.add(
        "truncated",
        rsa.get(..100).unwrap_or_default().to_vec(),
        "cut after 100 octets",
        &["malformed"],
    );
    Ok(())
}
