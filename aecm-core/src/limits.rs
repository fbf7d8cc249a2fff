//! The numbers that bound work on outside data, in one place.

/// Upper bounds on what is read, built and computed from outside data.
///
/// The defaults suit mail; an embedder changes single fields:
///
/// ```
/// let mut limits = aecm_core::limits::Limits::default();
/// limits.message_bytes = 8 << 20;
/// assert_eq!(limits.asn1_depth, 32);
/// ```
///
/// A value of exactly the limit is accepted, one more is refused with a typed error.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Octets of a message held in memory; larger content is streamed. 64 MiB.
    pub message_bytes: usize,
    /// Nesting of ASN.1 values. 32.
    pub asn1_depth: usize,
    /// Elements read from one constructed ASN.1 value. 262,144, so that a CRL of the largest size fits.
    pub asn1_elements: usize,
    /// SignerInfos in one SignedData. 16.
    pub signer_infos: usize,
    /// RecipientInfos in one (Auth)EnvelopedData. 2,000.
    pub recipient_infos: usize,
    /// Private-key operations spent on one envelope. 8.
    pub private_key_operations: usize,
    /// Certificates in one bag. 64.
    pub certificates: usize,
    /// Octets of one certificate. 64 KiB.
    pub certificate_bytes: usize,
    /// Extensions of one certificate or request. 64.
    pub extensions: usize,
    /// Octets of one CRL or OCSP response. 4 MiB.
    pub crl_bytes: usize,
    /// Attributes in one set. 64.
    pub attributes: usize,
    /// Values of one attribute. 32.
    pub attribute_values: usize,
    /// Nesting of MIME parts. 16.
    pub mime_depth: usize,
    /// MIME parts of one message, all levels together. 512.
    pub mime_parts: usize,
    /// Octets of one header section. 64 KiB.
    pub header_bytes: usize,
    /// Fields of one header section. 1,024.
    pub header_count: usize,
    /// Octets that compressed content may grow to. 256 MiB.
    pub decompressed_bytes: usize,
    /// Growth of compressed content, as a factor. 200.
    pub decompression_ratio: usize,
    /// Layers of compression. 4.
    pub decompression_layers: usize,
    /// Cryptographic layers of one message. 8.
    pub crypto_layers: usize,
    /// Octets of a time-stamp answer. 64 KiB.
    pub tsa_answer_bytes: usize,
    /// Octets of an ACME JSON document. 64 KiB.
    pub acme_json_bytes: usize,
    /// Nesting of an ACME JSON document. 16.
    pub acme_json_depth: usize,
    /// Octets of an issued certificate chain. 128 KiB.
    pub acme_chain_bytes: usize,
    /// Certificates of an issued chain. 10.
    pub acme_chain_certificates: usize,
    /// Signatures checked while one path is looked for. 100.
    pub signature_checks: usize,
    /// Certificates between the leaf and the anchor. 8.
    pub intermediates: usize,
    /// Name comparisons while one path is looked for. 250,000.
    pub name_comparisons: usize,
    /// PBKDF2 iterations accepted in a file. 10,000,000.
    pub pbkdf2_iterations: u64,
    /// Octets of memory that scrypt may take for a file. 128 MiB.
    pub scrypt_memory: usize,
    /// Bits of an RSA modulus. 8,192.
    pub rsa_modulus_bits: usize,
    /// Bits of an RSA public exponent. 33.
    pub rsa_exponent_bits: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_bytes: 64 << 20,
            asn1_depth: 32,
            asn1_elements: 1 << 18,
            signer_infos: 16,
            recipient_infos: 2_000,
            private_key_operations: 8,
            certificates: 64,
            certificate_bytes: 64 << 10,
            extensions: 64,
            crl_bytes: 4 << 20,
            attributes: 64,
            attribute_values: 32,
            mime_depth: 16,
            mime_parts: 512,
            header_bytes: 64 << 10,
            header_count: 1_024,
            decompressed_bytes: 256 << 20,
            decompression_ratio: 200,
            decompression_layers: 4,
            crypto_layers: 8,
            tsa_answer_bytes: 64 << 10,
            acme_json_bytes: 64 << 10,
            acme_json_depth: 16,
            acme_chain_bytes: 128 << 10,
            acme_chain_certificates: 10,
            signature_checks: 100,
            intermediates: 8,
            name_comparisons: 250_000,
            pbkdf2_iterations: 10_000_000,
            scrypt_memory: 128 << 20,
            rsa_modulus_bits: 8_192,
            rsa_exponent_bits: 33,
        }
    }
}
