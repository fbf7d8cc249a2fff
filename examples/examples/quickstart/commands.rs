//! The command lines by which the reader checks it all without us.

use aecm_examples::artefacts::Artefacts;

/// Lines for OpenSSL 3, run in the folder of the artefacts. CI runs each of them.
const LINES: &[&str] = &[
    "openssl cms -verify -in 6-rsa-signed.eml -CAfile root-smime-classic.crt -out /dev/null",
    "openssl cms -verify -in 8-ecdsa-signed.eml -CAfile root-smime-classic.crt -out /dev/null",
    "openssl ts -verify -data 6-rsa-signed.signature -in 6-rsa-signed.tsr -CAfile root-tsa-classic.crt",
    "openssl verify -CAfile root-smime-classic.crt -untrusted issuer-classic-sign.crt alice-classic-sign.crt",
    "openssl verify -CAfile root-smime-classic.crt -untrusted issuer-classic-encrypt.crt bob-classic-encrypt.crt",
    "openssl verify -CAfile root-mailbox-timestamp-classic.crt -untrusted issuer-classic-timestamp.crt alice-classic-timestamp.crt",
    "openssl verify -vfyopt distid:1234567812345678 -CAfile root-smime-sm2.crt issuer-sm2-sign.crt",
    "openssl verify -vfyopt distid:1234567812345678 -partial_chain -trusted issuer-sm2-sign.crt alice-sm2-sign.crt",
    "openssl verify -vfyopt distid:1234567812345678 -partial_chain -trusted issuer-sm2-encrypt.crt bob-sm2-encrypt.crt",
    "openssl verify -vfyopt distid:1234567812345678 -CAfile root-tsa-sm2.crt issuer-tsa-sm2.crt",
    "openssl verify -vfyopt distid:1234567812345678 -partial_chain -trusted issuer-tsa-sm2.crt tsa-sm2.crt",
];

/// Lines that need a private key.
const LINES_WITH_KEYS: &[&str] = &[
    "openssl cms -decrypt -inform DER -in 4-rsa.p7m -recip bob-classic-encrypt.crt -inkey bob-classic-encrypt.key.der -out 4-rsa.opened.eml",
    "openssl cms -verify -in 4-rsa.opened.eml -CAfile root-smime-classic.crt -out /dev/null",
    "openssl cms -decrypt -inform DER -in 2-sm2-cbc.p7m -recip bob-sm2-encrypt.crt -inkey bob-sm2-encrypt.key.der -out 2-sm2-cbc.opened.eml",
];

/// Prints them, and where to run them.
pub(crate) fn print(artefacts: &Artefacts, keys: bool) {
    let folder = artefacts.folder().display();
    println!(
        "{} files in {folder}/: certificates .crt, mails .eml, CMS .p7m and .p7s, timestamps .tsr",
        artefacts.names().len()
    );
    println!(
        "\nCheck it with OpenSSL 3 (SM2 chains link by link; OpenSSL 4 verifies them whole):\n\n  cd {folder}"
    );
    for line in LINES {
        println!("  {line}");
    }
    if keys {
        for line in LINES_WITH_KEYS {
            println!("  {line}");
        }
    } else {
        println!(
            "\nTo decrypt with OpenSSL too, run again with `-- --keys`: private keys are left only when asked for."
        );
    }
}
