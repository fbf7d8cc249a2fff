//! Certification requests for one purpose each.

use aecm_acme::csr::Template;
use aecm_core::suite::Purpose;

use super::seeded::Seeded;
use super::{Case, Check, MAILBOX, Outcome, Set, edit, keys};

pub(super) async fn add(set: &mut Set) -> Outcome<()> {
    let mailbox = MAILBOX.parse()?;
    let sign = Template::new(&mailbox, Purpose::Sign);
    for (file, key, algorithm) in
        [("csr/rsa-sign.der", "rsa-sig", "RSA, SHA-256"), ("csr/sm2-sign.der", "sm2-sig", "SM2, SM3")]
    {
        let signer = keys::key(key)?.into_signer(Seeded::new(file));
        set.file(file, sign.sign(&signer).await?);
        let shows = "digitalSignature alone, empty subject, critical subjectAltName";
        set.cases.push(Case::good(file, Check::Csr { purpose: "sign" }, algorithm, shows, "valid"));
    }
    let encrypt = Template::new(&mailbox, Purpose::Encrypt);
    for (file, key, algorithm) in
        [("csr/rsa-encrypt.der", "rsa-enc", "RSA, SHA-256"), ("csr/sm2-encrypt.der", "sm2-enc", "SM2, SM3")]
    {
        let decryptor = keys::key(key)?.into_decryptor(Seeded::new(file));
        set.file(file, encrypt.prove(&decryptor).await?);
        let shows = "keyEncipherment alone; the only thing that an encrypting key signs";
        set.cases.push(Case::good(file, Check::Csr { purpose: "encrypt" }, algorithm, shows, "valid"));
    }

    let name = MAILBOX.as_bytes();
    let from = "csr/rsa-sign.der";
    let mut changed = set.read(from)?.to_vec();
    let place = changed.windows(name.len()).position(|window| window == name).ok_or("no mailbox")?;
    *changed.get_mut(place).ok_or("no mailbox")? = b'e';
    let check = Check::Csr { purpose: "sign" };
    let shows = "the mailbox changed after signing";
    broken(set, "broken/csr-mailbox-changed.der", changed, check.clone(), (from, "RSA, SHA-256", shows));

    let from = "csr/sm2-sign.der";
    let changed = edit::flip(set.read(from)?, &[2])?;
    let shows = "the last bit of the signature turned over";
    broken(set, "broken/csr-signature-changed.der", changed, check, (from, "SM2, SM3", shows));

    let from = "csr/sm2-encrypt.der";
    let spki = edit::at(set.read("csr/sm2-sign.der")?, &[0, 2])?;
    let changed = edit::replace(set.read(from)?, &[0, 2], &spki)?;
    let check = Check::Csr { purpose: "encrypt" };
    let shows = "the key of somebody else, without proof that it is held";
    broken(set, "broken/csr-key-changed.der", changed, check, (from, "SM2, SM3", shows));
    Ok(())
}

fn broken(
    set: &mut Set,
    file: &str,
    octets: Vec<u8>,
    check: Check,
    (from, algorithm, shows): (&'static str, &'static str, &'static str),
) {
    set.file(file, octets);
    let case = Case::good(file, check, algorithm, shows, "refused");
    set.cases.push(case.derived(from).reasons(&["signature"]));
}
