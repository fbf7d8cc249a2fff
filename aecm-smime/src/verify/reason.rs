//! Why a verdict is what it is, in stable words.

use core::fmt;

use aecm_core::path::PathReason;

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $word:literal $sentence:literal)*) => {
        /// One reason of a verdict. Most make a message less than valid; some only inform.
        #[derive(Clone, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Reason {
            $($(#[$doc])* $name,)*
            /// The certificate chain does not hold.
            Chain(PathReason),
            /// A timestamp token was refused, or could not be evaluated.
            Timestamp {
                /// The stable word.
                word: &'static str,
                /// A sentence for people.
                detail: String,
            },
        }

        impl Reason {
            /// Every reason without data.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable kebab-case word.
            #[must_use]
            pub fn word(&self) -> &'static str {
                match self {
                    $(Self::$name => $word,)*
                    Self::Chain(reason) => reason.word(),
                    Self::Timestamp { word, .. } => word,
                }
            }
        }

        impl fmt::Display for Reason {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$name => f.write_str($sentence),)*
                    Self::Chain(reason) => write!(f, "the certificate chain does not hold: {reason}"),
                    Self::Timestamp { detail, .. } => f.write_str(detail),
                }
            }
        }
    };
}

reasons! {
    /// There is no signer in the message.
    NotSigned "not-signed" "the message carries no signature"
    /// No certificate that the signer's identifier names was found.
    SignerCertificateMissing "signer-certificate-missing" "the signer's certificate is not in the message nor given"
    /// The signature does not verify with the certificate's key.
    SignatureMismatch "signature-mismatch" "the signature does not verify with the signer's key"
    /// The signature algorithm is not known.
    UnsupportedSignatureAlgorithm "unsupported-signature-algorithm" "the signature algorithm is not supported"
    /// The signature algorithm does not fit the key or the digest (THREATS S8).
    AlgorithmMismatch "algorithm-mismatch" "the signature algorithm fits neither the key nor the digest"
    /// The digest algorithm is not known.
    UnsupportedDigest "unsupported-digest" "the digest algorithm is not supported"
    /// The digest algorithm carries parameters it cannot have.
    DigestParameters "digest-parameters" "the digest algorithm carries parameters"
    /// The signer's digest algorithm is not among those the message announces.
    DigestAlgorithmUndeclared "digest-algorithm-undeclared" "the signer's digest algorithm is not announced"
    /// The content is not what was signed.
    DigestMismatch "digest-mismatch" "the content is not what was signed"
    /// More signature checks than the limits allow would be needed.
    TooManySignatureChecks "too-many-signature-checks" "the message needs more signature checks than allowed"
    /// The signed attributes are not DER (THREATS S13).
    SignedAttributesNotDer "signed-attributes-not-der" "the signed attributes are not in DER"
    /// The signed attributes are there and empty.
    SignedAttributesEmpty "signed-attributes-empty" "the set of signed attributes is empty"
    /// There are no signed attributes where the content type or the policy wants them.
    SignedAttributesRequired "signed-attributes-required" "the signer has no signed attributes, which are required here"
    /// The content could be mistaken for signed attributes (THREATS S1).
    ContentIsAttributes "content-is-signed-attributes" "the signed content is itself a set of attributes"
    /// contentType is missing.
    ContentTypeMissing "content-type-attribute-missing" "the content-type attribute is missing"
    /// contentType is there more than once or with several values.
    ContentTypeRepeated "content-type-attribute-repeated" "there is more than one content-type attribute or value"
    /// contentType is no OBJECT IDENTIFIER.
    ContentTypeMalformed "content-type-attribute-malformed" "the content-type attribute is not an object identifier"
    /// contentType is another one than eContentType.
    ContentTypeMismatch "content-type-mismatch" "the content-type attribute is not the type of the content"
    /// The content is of another type than was asked for.
    UnexpectedContentType "unexpected-content-type" "the content is of another type than was asked for"
    /// messageDigest is missing.
    MessageDigestMissing "message-digest-attribute-missing" "the message-digest attribute is missing"
    /// messageDigest is there more than once or with several values.
    MessageDigestRepeated "message-digest-attribute-repeated" "there is more than one message-digest attribute or value"
    /// messageDigest is no OCTET STRING of the digest's size.
    MessageDigestMalformed "message-digest-attribute-malformed" "the message-digest attribute is not a digest of the right size"
    /// signingTime is there more than once, or is no time.
    SigningTimeMalformed "signing-time-attribute-malformed" "the signing-time attribute is not one single time"
    /// CMSAlgorithmProtection names other algorithms (RFC 6211, THREATS S7).
    AlgorithmProtectionMismatch "algorithm-protection-mismatch" "the protected algorithms are not those of the signer"
    /// signingCertificate or signingCertificateV2 names another certificate (RFC 5035, THREATS S7).
    SigningCertificateMismatch "signing-certificate-mismatch" "the signing-certificate attribute names another certificate"
    /// An attribute that has to be signed stands among the unsigned ones.
    AttributeNotSigned "attribute-must-be-signed" "an attribute that must be signed is unsigned"
    /// The SM2 signature is over SM3(content) without Z; a policy can allow that.
    Sm2RawDigest "sm2-raw-digest" "the SM2 signature was made over the bare digest, without Z; the policy refuses that"
    /// The SM2 signature was made with the empty identifier; a policy can allow that.
    Sm2EmptyId "sm2-empty-id" "the SM2 signature was made with the empty identifier; the policy refuses that"
    /// The SM2 signature was made with the default identifier; the policy names others only.
    Sm2DefaultId "sm2-default-id" "the SM2 signature was made with the default identifier; the policy wants another"
    /// SHA-1.
    WeakDigest "weak-digest" "the digest algorithm is too weak for the policy"
    /// An RSA key that is too short.
    WeakKey "weak-key" "the signer's key is too short for the policy"
    /// The certificate's key usage or extended key usage does not allow signing mail.
    UsageNotAllowed "usage-not-allowed" "the certificate may not be used for this"
    /// No trust anchors were given; the chain was not evaluated.
    NoAnchorsGiven "no-anchors-given" "no trust anchors were given, so the chain was not evaluated"
    /// The certificate does not name the expected mailbox (THREATS M1).
    FromDoesNotMatch "from-does-not-match" "the certificate does not name the sender's mailbox"
    /// The evidence that was given does not say whether the certificates are revoked; the verdict does not
    /// depend on it.
    RevocationUnknown "revocation-unknown" "the CRLs and OCSP responses given do not say whether a certificate of the chain is revoked"
    /// There is a timestamp token, and no way to verify it was given.
    NoTsaAnchor "no-tsa-anchor" "there is a timestamp, and no timestamp anchors were given to check it"
    /// The policy wants a timestamp and there is none.
    NoTimestamp "no-timestamp" "there is no timestamp, which the policy requires"
    /// The policy wants a signer of another suite.
    SuiteMissing "suite-missing" "no signer has a key of the suite that the policy requires"
    /// The protected inner From and the outer From differ (THREATS M1).
    OuterFromDiffers "outer-from-differs" "the outer From is not the protected one"
    /// The mail has no From.
    FromMissing "from-missing" "the mail has no From"
    /// The mail has several From mailboxes, or one that cannot be read.
    FromAmbiguous "from-ambiguous" "the mail's From is not one single mailbox"
    /// Only a part of the mail is signed (THREATS M2).
    PartlySigned "partly-signed" "only a part of the mail is signed"
    /// The signature was made over something encrypted: its signer need not know the content (THREATS M2).
    SignatureOverCiphertext "signature-over-ciphertext" "the signature covers something encrypted, not the content itself"
    /// The content was decrypted without authentication and carries no valid signature (THREATS M5).
    Unauthenticated "unauthenticated" "the encrypted content is not authenticated"
    /// The structure of the mail is not one that a signature can cover.
    MimeStructure "mime-structure" "the MIME structure is not that of a signed mail"
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn words_are_kebab_case_and_differ() {
        let words: BTreeSet<_> = Reason::ALL.iter().map(Reason::word).collect();
        assert_eq!(words.len(), Reason::ALL.len());
        for word in words {
            assert!(
                word.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-'),
                "{word}"
            );
        }
    }
}
