//! The object identifiers that mail certificates, CMS and time-stamping use, by the names of their standards.

pub use der::asn1::ObjectIdentifier;

macro_rules! identifiers {
    ($($(#[$group:meta])* $constant:ident = $dotted:literal, $name:literal;)*) => {
        $(
            $(#[$group])*
            #[doc = concat!("`", $dotted, "`: ", $name, ".")]
            pub const $constant: ObjectIdentifier = ObjectIdentifier::new_unwrap($dotted);
        )*

        /// Every identifier of this module with its name.
        const NAMES: &[(ObjectIdentifier, &str)] = &[$(($constant, $name)),*];
    };
}

identifiers! {
    // Content types (RFC 5652, RFC 5083, RFC 3161, RFC 3274, RFC 2634).
    DATA = "1.2.840.113549.1.7.1", "id-data";
    SIGNED_DATA = "1.2.840.113549.1.7.2", "id-signedData";
    ENVELOPED_DATA = "1.2.840.113549.1.7.3", "id-envelopedData";
    ENCRYPTED_DATA = "1.2.840.113549.1.7.6", "id-encryptedData";
    AUTH_ENVELOPED_DATA = "1.2.840.113549.1.9.16.1.23", "id-ct-authEnvelopedData";
    COMPRESSED_DATA = "1.2.840.113549.1.9.16.1.9", "id-ct-compressedData";
    TST_INFO = "1.2.840.113549.1.9.16.1.4", "id-ct-TSTInfo";
    RECEIPT = "1.2.840.113549.1.9.16.1.1", "id-ct-receipt";
    ASYMMETRIC_KEY_PACKAGE = "2.16.840.1.101.2.1.2.78.5", "id-ct-KP-aKeyPackage";

    // Content types of GB/T 35275 (GM/T 0010).
    GM_DATA = "1.2.156.10197.6.1.4.2.1", "gm-data";
    GM_SIGNED_DATA = "1.2.156.10197.6.1.4.2.2", "gm-signedData";
    GM_ENVELOPED_DATA = "1.2.156.10197.6.1.4.2.3", "gm-envelopedData";
    GM_SIGNED_AND_ENVELOPED_DATA = "1.2.156.10197.6.1.4.2.4", "gm-signedAndEnvelopedData";
    GM_ENCRYPTED_DATA = "1.2.156.10197.6.1.4.2.5", "gm-encryptedData";

    // Digests.
    MD5 = "1.2.840.113549.2.5", "MD5";
    SHA1 = "1.3.14.3.2.26", "SHA-1";
    SHA224 = "2.16.840.1.101.3.4.2.4", "SHA-224";
    SHA256 = "2.16.840.1.101.3.4.2.1", "SHA-256";
    SHA384 = "2.16.840.1.101.3.4.2.2", "SHA-384";
    SHA512 = "2.16.840.1.101.3.4.2.3", "SHA-512";
    SM3 = "1.2.156.10197.1.401", "SM3";
    HMAC_SHA1 = "1.2.840.113549.2.7", "HMAC-SHA-1";
    HMAC_SHA224 = "1.2.840.113549.2.8", "HMAC-SHA-224";
    HMAC_SHA256 = "1.2.840.113549.2.9", "HMAC-SHA-256";
    HMAC_SHA384 = "1.2.840.113549.2.10", "HMAC-SHA-384";
    HMAC_SHA512 = "1.2.840.113549.2.11", "HMAC-SHA-512";
    HMAC_SM3 = "1.2.156.10197.1.401.2", "HMAC-SM3";
    HMAC_SM3_ANNEX = "1.2.156.10197.1.401.3.1", "HMAC-SM3 (GM/T 0091 annex)";

    // RSA (RFC 8017, RFC 4055, RFC 3560).
    RSA_ENCRYPTION = "1.2.840.113549.1.1.1", "rsaEncryption";
    MD5_WITH_RSA = "1.2.840.113549.1.1.4", "md5WithRSAEncryption";
    SHA1_WITH_RSA = "1.2.840.113549.1.1.5", "sha1WithRSAEncryption";
    RSAES_OAEP = "1.2.840.113549.1.1.7", "id-RSAES-OAEP";
    MGF1 = "1.2.840.113549.1.1.8", "id-mgf1";
    P_SPECIFIED = "1.2.840.113549.1.1.9", "id-pSpecified";
    RSASSA_PSS = "1.2.840.113549.1.1.10", "id-RSASSA-PSS";
    SHA256_WITH_RSA = "1.2.840.113549.1.1.11", "sha256WithRSAEncryption";
    SHA384_WITH_RSA = "1.2.840.113549.1.1.12", "sha384WithRSAEncryption";
    SHA512_WITH_RSA = "1.2.840.113549.1.1.13", "sha512WithRSAEncryption";

    // Elliptic curves (RFC 5480, RFC 5753).
    EC_PUBLIC_KEY = "1.2.840.10045.2.1", "id-ecPublicKey";
    PRIME256V1 = "1.2.840.10045.3.1.7", "P-256";
    SECP384R1 = "1.3.132.0.34", "P-384";
    SECP521R1 = "1.3.132.0.35", "P-521";
    ECDSA_WITH_SHA1 = "1.2.840.10045.4.1", "ecdsa-with-SHA1";
    ECDSA_WITH_SHA256 = "1.2.840.10045.4.3.2", "ecdsa-with-SHA256";
    ECDSA_WITH_SHA384 = "1.2.840.10045.4.3.3", "ecdsa-with-SHA384";
    ECDSA_WITH_SHA512 = "1.2.840.10045.4.3.4", "ecdsa-with-SHA512";
    ED25519 = "1.3.101.112", "Ed25519";
    DH_STD_SHA1_KDF = "1.3.133.16.840.63.0.2", "dhSinglePass-stdDH-sha1kdf";
    DH_STD_SHA256_KDF = "1.3.132.1.11.1", "dhSinglePass-stdDH-sha256kdf";
    DH_STD_SHA384_KDF = "1.3.132.1.11.2", "dhSinglePass-stdDH-sha384kdf";
    DH_STD_SHA512_KDF = "1.3.132.1.11.3", "dhSinglePass-stdDH-sha512kdf";
    DH_COFACTOR_SHA1_KDF = "1.3.133.16.840.63.0.3", "dhSinglePass-cofactorDH-sha1kdf";
    DH_COFACTOR_SHA256_KDF = "1.3.132.1.14.1", "dhSinglePass-cofactorDH-sha256kdf";
    DH_COFACTOR_SHA384_KDF = "1.3.132.1.14.2", "dhSinglePass-cofactorDH-sha384kdf";
    DH_COFACTOR_SHA512_KDF = "1.3.132.1.14.3", "dhSinglePass-cofactorDH-sha512kdf";

    // SM2, SM3, SM4 (GM/T 0006, GB/T 33560).
    SM2_CURVE = "1.2.156.10197.1.301", "SM2";
    SM2_SIGN = "1.2.156.10197.1.301.1", "SM2-1 signature";
    SM2_EXCHANGE = "1.2.156.10197.1.301.2", "SM2-2 key exchange";
    SM2_ENCRYPT = "1.2.156.10197.1.301.3", "SM2-3 encryption";
    SM2_ENCRYPT_WITH_SM3 = "1.2.156.10197.1.301.3.2.1", "SM2 encryption with SM3";
    SM2_WITH_SM3 = "1.2.156.10197.1.501", "SM2-with-SM3";
    SM4 = "1.2.156.10197.1.104", "SM4";
    SM4_ECB = "1.2.156.10197.1.104.1", "SM4-ECB";
    SM4_CBC = "1.2.156.10197.1.104.2", "SM4-CBC";
    SM4_GCM = "1.2.156.10197.1.104.8", "SM4-GCM";

    // AES (RFC 3565, RFC 5084).
    AES128_CBC = "2.16.840.1.101.3.4.1.2", "AES-128-CBC";
    AES128_WRAP = "2.16.840.1.101.3.4.1.5", "AES-128 key wrap";
    AES128_GCM = "2.16.840.1.101.3.4.1.6", "AES-128-GCM";
    AES192_CBC = "2.16.840.1.101.3.4.1.22", "AES-192-CBC";
    AES192_WRAP = "2.16.840.1.101.3.4.1.25", "AES-192 key wrap";
    AES192_GCM = "2.16.840.1.101.3.4.1.26", "AES-192-GCM";
    AES256_CBC = "2.16.840.1.101.3.4.1.42", "AES-256-CBC";
    AES256_WRAP = "2.16.840.1.101.3.4.1.45", "AES-256 key wrap";
    AES256_GCM = "2.16.840.1.101.3.4.1.46", "AES-256-GCM";
    DES_EDE3_CBC = "1.2.840.113549.3.7", "3DES-CBC";
    RC2_CBC = "1.2.840.113549.3.2", "RC2-CBC";

    // Passwords (RFC 8018, RFC 7914, RFC 9579).
    PWRI_KEK = "1.2.840.113549.1.9.16.3.9", "id-alg-PWRI-KEK";
    ZLIB_COMPRESS = "1.2.840.113549.1.9.16.3.8", "id-alg-zlibCompress";
    DIGESTED_DATA = "1.2.840.113549.1.7.5", "id-digestedData";
    AUTHENTICATED_DATA = "1.2.840.113549.1.9.16.1.2", "id-ct-authData";
    SM4_WRAP = "1.2.156.10197.1.104.12", "SM4 key wrap";
    PBES2 = "1.2.840.113549.1.5.13", "PBES2";
    PBKDF2 = "1.2.840.113549.1.5.12", "PBKDF2";
    PBMAC1 = "1.2.840.113549.1.5.14", "PBMAC1";
    SCRYPT = "1.3.6.1.4.1.11591.4.11", "scrypt";
    GM_PBKDF = "1.2.156.10197.6.1.4.1.5.1", "gm-PBKDF";
    GM_PBES = "1.2.156.10197.6.1.4.1.5.2", "gm-PBES";
    GM_PBKDF_GMSM = "1.2.156.10197.6.4.1.5.1", "gm-PBKDF (as gmsm writes it)";
    GM_PBES_GMSM = "1.2.156.10197.6.4.1.5.2", "gm-PBES (as gmsm writes it)";
    PBE_MD5_DES = "1.2.840.113549.1.5.3", "pbeWithMD5AndDES-CBC";
    PBE_SHA1_DES = "1.2.840.113549.1.5.10", "pbeWithSHA1AndDES-CBC";
    PBE_SHA_RC4_128 = "1.2.840.113549.1.12.1.1", "pbeWithSHAAnd128BitRC4";
    PBE_SHA_RC4_40 = "1.2.840.113549.1.12.1.2", "pbeWithSHAAnd40BitRC4";
    PBE_SHA_3DES = "1.2.840.113549.1.12.1.3", "pbeWithSHAAnd3-KeyTripleDES-CBC";
    PBE_SHA_2DES = "1.2.840.113549.1.12.1.4", "pbeWithSHAAnd2-KeyTripleDES-CBC";
    PBE_SHA_RC2_128 = "1.2.840.113549.1.12.1.5", "pbeWithSHAAnd128BitRC2-CBC";
    PBE_SHA_RC2_40 = "1.2.840.113549.1.12.1.6", "pbeWithSHAAnd40BitRC2-CBC";

    // PKCS#12 (RFC 7292).
    KEY_BAG = "1.2.840.113549.1.12.10.1.1", "keyBag";
    SHROUDED_KEY_BAG = "1.2.840.113549.1.12.10.1.2", "pkcs-8ShroudedKeyBag";
    CERT_BAG = "1.2.840.113549.1.12.10.1.3", "certBag";
    CRL_BAG = "1.2.840.113549.1.12.10.1.4", "crlBag";
    SECRET_BAG = "1.2.840.113549.1.12.10.1.5", "secretBag";
    SAFE_CONTENTS_BAG = "1.2.840.113549.1.12.10.1.6", "safeContentsBag";
    X509_CERTIFICATE = "1.2.840.113549.1.9.22.1", "x509Certificate";
    X509_CRL = "1.2.840.113549.1.9.23.1", "x509CRL";

    // Attributes (RFC 5652 §11, RFC 2985, RFC 5035, RFC 6211, RFC 8551).
    EMAIL_ADDRESS = "1.2.840.113549.1.9.1", "emailAddress";
    CONTENT_TYPE = "1.2.840.113549.1.9.3", "contentType";
    MESSAGE_DIGEST = "1.2.840.113549.1.9.4", "messageDigest";
    SIGNING_TIME = "1.2.840.113549.1.9.5", "signingTime";
    COUNTER_SIGNATURE = "1.2.840.113549.1.9.6", "counterSignature";
    CHALLENGE_PASSWORD = "1.2.840.113549.1.9.7", "challengePassword";
    EXTENSION_REQUEST = "1.2.840.113549.1.9.14", "extensionRequest";
    SMIME_CAPABILITIES = "1.2.840.113549.1.9.15", "smimeCapabilities";
    FRIENDLY_NAME = "1.2.840.113549.1.9.20", "friendlyName";
    LOCAL_KEY_ID = "1.2.840.113549.1.9.21", "localKeyID";
    ALGORITHM_PROTECTION = "1.2.840.113549.1.9.52", "cmsAlgorithmProtection";
    TMP_PUBLIC_KEY = "1.2.840.113549.1.9.63", "tmpPublicKey";
    RECEIPT_REQUEST = "1.2.840.113549.1.9.16.2.1", "receiptRequest";
    // Ours: the SHA-256 of the request that a key package answers. The arc is below 2³², where every reader
    // can hold it; 2.25 (X.667) has arcs of 128 bits, and no UUID begins with 96 zero bits by chance.
    AECM_TRANSFER = "2.25.2741368305", "aecm-transfer";
    // Ours: the policy of the two certificates of an escrow, which encrypts and signs for no mailbox.
    AECM_ESCROW_POLICY = "2.25.2741368306", "aecm-escrow";
    ENCRYPTION_KEY_PREFERENCE = "1.2.840.113549.1.9.16.2.11", "smimeEncryptionKeyPreference";
    SIGNING_CERTIFICATE = "1.2.840.113549.1.9.16.2.12", "signingCertificate";
    TIME_STAMP_TOKEN = "1.2.840.113549.1.9.16.2.14", "timeStampToken";
    CONTENT_TIME_STAMP = "1.2.840.113549.1.9.16.2.20", "contentTimestamp";
    SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.47", "signingCertificateV2";

    // Certificate extensions (RFC 5280 §4.2).
    SUBJECT_KEY_IDENTIFIER = "2.5.29.14", "subjectKeyIdentifier";
    KEY_USAGE = "2.5.29.15", "keyUsage";
    SUBJECT_ALT_NAME = "2.5.29.17", "subjectAltName";
    ISSUER_ALT_NAME = "2.5.29.18", "issuerAltName";
    BASIC_CONSTRAINTS = "2.5.29.19", "basicConstraints";
    CRL_NUMBER = "2.5.29.20", "cRLNumber";
    CRL_REASON = "2.5.29.21", "reasonCode";
    HOLD_INSTRUCTION = "2.5.29.23", "holdInstructionCode";
    INVALIDITY_DATE = "2.5.29.24", "invalidityDate";
    DELTA_CRL_INDICATOR = "2.5.29.27", "deltaCRLIndicator";
    ISSUING_DISTRIBUTION_POINT = "2.5.29.28", "issuingDistributionPoint";
    CERTIFICATE_ISSUER = "2.5.29.29", "certificateIssuer";
    NAME_CONSTRAINTS = "2.5.29.30", "nameConstraints";
    CRL_DISTRIBUTION_POINTS = "2.5.29.31", "cRLDistributionPoints";
    CERTIFICATE_POLICIES = "2.5.29.32", "certificatePolicies";
    ANY_POLICY = "2.5.29.32.0", "anyPolicy";
    POLICY_MAPPINGS = "2.5.29.33", "policyMappings";
    EXPIRED_CERTS_ON_CRL = "2.5.29.60", "expiredCertsOnCRL";
    AUTHORITY_KEY_IDENTIFIER = "2.5.29.35", "authorityKeyIdentifier";
    POLICY_CONSTRAINTS = "2.5.29.36", "policyConstraints";
    FRESHEST_CRL = "2.5.29.46", "freshestCRL";
    EXT_KEY_USAGE = "2.5.29.37", "extKeyUsage";
    INHIBIT_ANY_POLICY = "2.5.29.54", "inhibitAnyPolicy";
    AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1", "authorityInfoAccess";
    ACCESS_OCSP = "1.3.6.1.5.5.7.48.1", "id-ad-ocsp";
    ACCESS_CA_ISSUERS = "1.3.6.1.5.5.7.48.2", "id-ad-caIssuers";
    OCSP_BASIC = "1.3.6.1.5.5.7.48.1.1", "id-pkix-ocsp-basic";
    OCSP_NONCE = "1.3.6.1.5.5.7.48.1.2", "id-pkix-ocsp-nonce";
    OCSP_ARCHIVE_CUTOFF = "1.3.6.1.5.5.7.48.1.6", "id-pkix-ocsp-archive-cutoff";
    OCSP_NOCHECK = "1.3.6.1.5.5.7.48.1.5", "id-pkix-ocsp-nocheck";
    SMTP_UTF8_MAILBOX = "1.3.6.1.5.5.7.8.9", "id-on-SmtpUTF8Mailbox";

    // Extended key usages (RFC 5280 §4.2.1.12).
    ANY_EXTENDED_KEY_USAGE = "2.5.29.37.0", "anyExtendedKeyUsage";
    SERVER_AUTH = "1.3.6.1.5.5.7.3.1", "serverAuth";
    CLIENT_AUTH = "1.3.6.1.5.5.7.3.2", "clientAuth";
    CODE_SIGNING = "1.3.6.1.5.5.7.3.3", "codeSigning";
    EMAIL_PROTECTION = "1.3.6.1.5.5.7.3.4", "emailProtection";
    TIME_STAMPING = "1.3.6.1.5.5.7.3.8", "timeStamping";
    OCSP_SIGNING = "1.3.6.1.5.5.7.3.9", "OCSPSigning";

    // Distinguished names (RFC 4519, X.520).
    COMMON_NAME = "2.5.4.3", "CN";
    SURNAME = "2.5.4.4", "SN";
    SERIAL_NUMBER = "2.5.4.5", "serialNumber";
    COUNTRY = "2.5.4.6", "C";
    LOCALITY = "2.5.4.7", "L";
    STATE_OR_PROVINCE = "2.5.4.8", "ST";
    STREET = "2.5.4.9", "STREET";
    ORGANIZATION = "2.5.4.10", "O";
    ORGANIZATIONAL_UNIT = "2.5.4.11", "OU";
    TITLE = "2.5.4.12", "title";
    GIVEN_NAME = "2.5.4.42", "GN";
    PSEUDONYM = "2.5.4.65", "pseudonym";
    ORGANIZATION_IDENTIFIER = "2.5.4.97", "organizationIdentifier";
    DOMAIN_COMPONENT = "0.9.2342.19200300.100.1.25", "DC";
    USER_ID = "0.9.2342.19200300.100.1.1", "UID";

    // Policies of the CA/B Forum S/MIME Baseline Requirements §7.1.6.1.
    SMIME_MAILBOX_LEGACY = "2.23.140.1.5.1.1", "smime-mailbox-legacy";
    SMIME_MAILBOX_MULTIPURPOSE = "2.23.140.1.5.1.2", "smime-mailbox-multipurpose";
    SMIME_MAILBOX_STRICT = "2.23.140.1.5.1.3", "smime-mailbox-strict";
    SMIME_ORGANIZATION_LEGACY = "2.23.140.1.5.2.1", "smime-organization-legacy";
    SMIME_ORGANIZATION_MULTIPURPOSE = "2.23.140.1.5.2.2", "smime-organization-multipurpose";
    SMIME_ORGANIZATION_STRICT = "2.23.140.1.5.2.3", "smime-organization-strict";
    SMIME_SPONSOR_LEGACY = "2.23.140.1.5.3.1", "smime-sponsor-legacy";
    SMIME_SPONSOR_MULTIPURPOSE = "2.23.140.1.5.3.2", "smime-sponsor-multipurpose";
    SMIME_SPONSOR_STRICT = "2.23.140.1.5.3.3", "smime-sponsor-strict";
    SMIME_INDIVIDUAL_LEGACY = "2.23.140.1.5.4.1", "smime-individual-legacy";
    SMIME_INDIVIDUAL_MULTIPURPOSE = "2.23.140.1.5.4.2", "smime-individual-multipurpose";
    SMIME_INDIVIDUAL_STRICT = "2.23.140.1.5.4.3", "smime-individual-strict";

    // Revocation in CMS (RFC 5940).
    RI_OCSP_RESPONSE = "1.3.6.1.5.5.7.16.2", "id-ri-ocsp-response";
}

/// The name of a known identifier as its standard writes it (short form for attributes of names: `CN`).
#[must_use]
pub fn name(oid: &ObjectIdentifier) -> Option<&'static str> {
    NAMES.iter().find(|(known, _)| known == oid).map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_and_names_are_unique() {
        for (index, (oid, name)) in NAMES.iter().enumerate() {
            let rest = &NAMES[index + 1..];
            assert!(
                rest.iter().all(|(other, other_name)| other != oid && other_name != name),
                "{oid} {name}"
            );
        }
    }

    // The DER forms were printed by other programs (OpenSSL; CA/B Forum BR §7.1.6.1).
    #[test]
    fn known_encodings() {
        for (oid, der) in [
            (SM2_CURVE, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d][..]),
            (SM2_ENCRYPT, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x82, 0x2d, 0x03]),
            (SM2_WITH_SM3, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x75]),
            (SM3, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x11]),
            (HMAC_SM3, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x83, 0x11, 0x02]),
            (SM4_GCM, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x01, 0x68, 0x08]),
            (GM_SIGNED_DATA, &[0x2a, 0x81, 0x1c, 0xcf, 0x55, 0x06, 0x01, 0x04, 0x02, 0x02]),
            (RSA_ENCRYPTION, &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01]),
            (PRIME256V1, &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
            (AES256_GCM, &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x01, 0x2e]),
            (SMIME_MAILBOX_STRICT, &[0x67, 0x81, 0x0c, 0x01, 0x05, 0x01, 0x03]),
        ] {
            assert_eq!(oid.as_bytes(), der, "{oid}");
        }
    }

    #[test]
    fn names_are_found() {
        assert_eq!(name(&SM2_WITH_SM3), Some("SM2-with-SM3"));
        assert_eq!(name(&COMMON_NAME), Some("CN"));
        assert_eq!(name(&ObjectIdentifier::new_unwrap("1.2.3.4")), None);
    }
}
