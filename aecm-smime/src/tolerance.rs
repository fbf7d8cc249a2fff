//! What a reader forgave. Every tolerance used is named in the report; none is silent (STANDARDS §4.8).

use core::fmt;

macro_rules! tolerances {
    ($($(#[$doc:meta])* $name:ident $word:literal $sentence:literal)*) => {
        /// A deviation from the strict form that was read nevertheless.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Tolerance { $($(#[$doc])* $name,)* }

        impl Tolerance {
            /// Every tolerance there is.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable kebab-case word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$name => $word,)* }
            }

            const fn sentence(self) -> &'static str {
                match self { $(Self::$name => $sentence,)* }
            }
        }
    };
}

tolerances! {
    /// BER where RFC 5652 allows it and DER is written: indefinite or long lengths, strings in pieces.
    BerEncoding "ber-encoding" "the message is in BER, not DER"
    /// The signed attributes are not in the order of DER; the signature was checked over them as received.
    SignedAttributesUnsorted "signed-attributes-unsorted" "the signed attributes are not in DER order"
    /// A digest algorithm carries NULL parameters (RFC 5754 §2).
    DigestParametersNull "digest-parameters-null" "the digest algorithm carries NULL parameters"
    /// An ECDSA or SM2 signature algorithm carries NULL parameters.
    SignatureParametersNull "signature-parameters-null" "the signature algorithm carries NULL parameters"
    /// An RSA signature algorithm carries no parameters where NULL is required.
    RsaParametersAbsent "rsa-parameters-absent" "the RSA signature algorithm carries no parameters"
    /// The salt of an RSASSA-PSS signature is not as long as its hash (RFC 4055 §3.1 recommends that).
    PssSaltLength "pss-salt-length" "the salt of the RSA-PSS signature is not as long as its hash"
    /// The signature algorithm names a kind of key; the digest came from digestAlgorithm.
    SignatureAlgorithmIsKeyType "signature-algorithm-is-key-type" "the signature algorithm only names the key's kind"
    /// The SM2 signature algorithm is 1.2.156.10197.1.301.1 in a message of RFC 5652 form.
    Sm2SignOid "sm2-sign-oid" "the SM2 signature algorithm is that of GB/T 35275 in an RFC 5652 message"
    /// The SM2 signature was made with another identifier, which the policy allows.
    Sm2OtherId "sm2-other-id" "the SM2 signature was made with an identifier other than the default"
    /// The SM2 signature is over SM3 of the content without Z, which the policy allows.
    Sm2RawDigest "sm2-raw-digest" "the SM2 signature was made over the bare digest, without Z"
    /// The SM2 ciphertext is in the old order.
    Sm2OrderC1C2C3 "sm2-order-c1c2c3" "the SM2 ciphertext is in the order C1 C2 C3"
    /// The SM2 ciphertext is raw octets and not DER.
    Sm2RawCiphertext "sm2-raw-ciphertext" "the SM2 ciphertext is raw octets, not DER"
    /// A version number is not the one that RFC 5652 §5.1, §5.3 or GB/T 35275 computes from the rest.
    VersionMismatch "version-mismatch" "a version number is not the one its standard wants"
    /// The content is not wrapped in an OCTET STRING (PKCS#7 v1.5, GB/T 35275).
    BareContent "bare-content" "the content is not wrapped in an OCTET STRING"
    /// Outer and inner content types come from different arcs.
    MixedContentTypes "mixed-content-types" "the outer and inner content types are of different standards"
    /// A certificate in the message cannot be read and was passed over.
    CertificateUnreadable "certificate-unreadable" "a certificate in the message cannot be read"
    /// The signer's or recipient's issuer name is encoded otherwise than in the certificate.
    NameEncoding "name-encoding" "the issuer name is encoded otherwise than in the certificate"
    /// The key transport algorithm does not fit the recipient's key, which decided.
    KeyTransportOid "key-transport-oid" "the key transport algorithm does not fit the recipient's key"
    /// RSAES-OAEP without parameters: SHA-1 throughout (RFC 4055 §4.1).
    OaepSha1 "oaep-sha1" "RSAES-OAEP was used with SHA-1"
    /// GCM in EnvelopedData with the tag appended, where RFC 5083 has AuthEnvelopedData.
    GcmInEnvelopedData "gcm-in-enveloped-data" "GCM was used in EnvelopedData, the tag appended"
    /// A GCM tag shorter than 16 octets, which the options allow.
    ShortTag "short-tag" "the GCM tag is shorter than 16 octets"
    /// The content cipher is the bare SM4 algorithm 1.2.156.10197.1.104, read as CBC (CFCA).
    BareSm4 "bare-sm4" "the content cipher only says SM4; it was read as CBC"
    /// SHA-1 was used, which the policy allows.
    WeakDigest "weak-digest" "a weak digest was used"
    /// An RSA key of fewer than 2,048 bits was used, which the policy allows.
    WeakKey "weak-key" "a weak key was used"
    /// No time was given, so that nobody looked whether the certificates are valid.
    ValidityNotChecked "validity-not-checked" "the validity dates of the certificates were not looked at"
    /// The MIME type is one of the old x-pkcs7 ones.
    XPkcs7Type "x-pkcs7-type" "the MIME type is an old x-pkcs7 one"
    /// The smime-type parameter is absent or wrong; the content said what it is.
    SmimeTypeSniffed "smime-type-sniffed" "the kind of message was found by looking into it"
    /// The signed part has bare line feeds; the signature held after canonicalisation.
    BareLineFeed "bare-line-feed" "the signed part has bare line feeds"
    /// The signed part's trailing blank lines were altered; the signature held without them.
    TrailingBlankLines "trailing-blank-lines" "the blank lines after the signed part were altered"
    /// The micalg parameter is not that of the signature.
    MicalgMismatch "micalg-mismatch" "the micalg parameter does not name the digest used"
}

impl fmt::Display for Tolerance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.sentence())
    }
}

/// Adds a tolerance to a list once.
pub(crate) fn note(list: &mut Vec<Tolerance>, tolerance: Tolerance) {
    if !list.contains(&tolerance) {
        list.push(tolerance);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_are_kebab_case_and_differ() {
        let words: BTreeSet<_> = Tolerance::ALL.iter().map(|tolerance| tolerance.word()).collect();
        assert_eq!(words.len(), Tolerance::ALL.len());
        for word in words {
            assert!(
                word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{word}"
            );
        }
    }
}
