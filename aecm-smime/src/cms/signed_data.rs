//! SignedData.

use std::borrow::Cow;

use aecm_core::certificate::Certificate;
use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::{AlgorithmId, Reader, Tag};

use crate::cms::attribute::sequence_of;
use crate::cms::signer_info::SignerInfo;
use crate::cms::{Form, bounded, content_info, elements, encoding_tolerances, explicit};
use crate::error::{At, Error};
use crate::tolerance::{Tolerance, note};

/// A SignedData, read (RFC 5652 §5.1; GB/T 35275 §8).
///
/// ```text
/// SignedData ::= SEQUENCE {
///   version CMSVersion,
///   digestAlgorithms DigestAlgorithmIdentifiers,
///   encapContentInfo EncapsulatedContentInfo,
///   certificates [0] IMPLICIT CertificateSet OPTIONAL,
///   crls [1] IMPLICIT RevocationInfoChoices OPTIONAL,
///   signerInfos SignerInfos }
/// EncapsulatedContentInfo ::= SEQUENCE {
///   eContentType ContentType,
///   eContent [0] EXPLICIT OCTET STRING OPTIONAL }   -- ANY in PKCS#7 v1.5 and GB/T 35275
/// ```
///
/// ```
/// use aecm_core::limits::Limits;
/// use aecm_smime::cms::{Form, SignedData};
///
/// let message = include_bytes!("../../tests/vectors/signed/gmsm-sm2-sigalg301.1.der");
/// let signed = SignedData::parse(message, &Limits::default())?;
/// assert_eq!(signed.form(), Form::Rfc5652);
/// assert_eq!(signed.signers().len(), 1);
/// assert!(signed.content().is_some_and(|content| content.starts_with(b"Content-Type: text/plain")));
/// # Ok::<(), aecm_smime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct SignedData<'a> {
    form: Form,
    content_type: ObjectIdentifier,
    content: Option<Cow<'a, [u8]>>,
    digest_algorithms: Vec<AlgorithmId<'a>>,
    certificates: Vec<&'a [u8]>,
    crls: Vec<&'a [u8]>,
    signers: Vec<SignerInfo<'a>>,
    tolerances: Vec<Tolerance>,
}

impl<'a> SignedData<'a> {
    /// Reads a whole ContentInfo that holds SignedData, in BER or DER.
    ///
    /// # Errors
    /// [`Error::ContentType`] for another content type; [`Error::Tlv`], [`Error::Structure`] or
    /// [`Error::Limit`] for what cannot be read. Unreadable certificates are passed over, and named as
    /// [`Tolerance::CertificateUnreadable`].
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let (outer, value) = content_info(bytes, limits)?;
        let form = match outer {
            oid::SIGNED_DATA => Form::Rfc5652,
            oid::GM_SIGNED_DATA => Form::Gbt35275,
            found => return Err(Error::ContentType { found, expected: "signedData" }),
        };
        let mut tolerances = encoding_tolerances(bytes, limits);
        let mut fields = sequence_of(&value, "SignedData")?;
        let version = fields.small().at("SignedData.version")?;
        if !matches!(version, 1 | 3 | 4 | 5) {
            return Err(Error::Structure { what: "SignedData.version", why: "it is not 1, 3, 4 or 5" });
        }
        let digest_algorithms = digest_algorithms(&mut fields, limits)?;
        let mut encapsulated = fields.sequence().at("SignedData.encapContentInfo")?;
        let content_type = encapsulated.oid().at("SignedData.eContentType")?;
        let content = read_content(&mut encapsulated, form, &mut tolerances)?;
        encapsulated.finish().at("SignedData.encapContentInfo")?;
        let other_arc = match form {
            Form::Rfc5652 => content_type == oid::GM_DATA,
            Form::Gbt35275 => content_type == oid::DATA,
        };
        if other_arc {
            note(&mut tolerances, Tolerance::MixedContentTypes);
        }
        let certificates = bag(&mut fields, 0, limits.certificates, "certificates in a bag")?;
        let crls = bag(&mut fields, 1, limits.certificates, "CRLs in a bag")?;
        if crls.iter().any(|crl| crl.len() > limits.crl_bytes) {
            return Err(Error::Limit { what: "octets of a CRL", limit: limits.crl_bytes });
        }
        let infos = fields.set().at("SignedData.signerInfos")?;
        fields.finish().at("SignedData")?;
        let mut signers = Vec::new();
        for info in elements(infos, limits.signer_infos, "SignerInfos")? {
            signers.push(SignerInfo::read(&info, limits)?);
        }
        let fits = version == expected_version(form, &content_type, &certificates, &signers);
        if !fits || !signers.iter().all(SignerInfo::version_fits) {
            note(&mut tolerances, Tolerance::VersionMismatch);
        }
        if certificates.iter().any(|octets| Certificate::from_der(octets).is_err()) {
            note(&mut tolerances, Tolerance::CertificateUnreadable);
        }
        Ok(Self { form, content_type, content, digest_algorithms, certificates, crls, signers, tolerances })
    }

    /// Which standard's content types the message uses.
    #[must_use]
    pub const fn form(&self) -> Form {
        self.form
    }

    /// eContentType: `data` for mail.
    #[must_use]
    pub const fn content_type(&self) -> ObjectIdentifier {
        self.content_type
    }

    /// The content octets, **not verified**; `None` where the signature is detached.
    #[must_use]
    pub fn content(&self) -> Option<Cow<'_, [u8]>> {
        self.content.as_deref().map(Cow::Borrowed)
    }

    /// The digest algorithms that the message announces.
    #[must_use]
    pub fn digest_algorithms(&self) -> &[AlgorithmId<'a>] {
        &self.digest_algorithms
    }

    /// The certificates of the message that can be read: untrusted hints. At most
    /// [`Limits::certificates`](aecm_core::limits::Limits).
    #[must_use]
    pub fn certificates(&self) -> Vec<Certificate> {
        self.certificates.iter().filter_map(|octets| Certificate::from_der(octets).ok()).collect()
    }

    /// Everything in the bag of certificates, each as received.
    pub(crate) fn certificate_spans(&self) -> &[&'a [u8]] {
        &self.certificates
    }

    /// The CRLs and other revocation information of the message, each as received: untrusted hints.
    #[must_use]
    pub fn crls(&self) -> &[&'a [u8]] {
        &self.crls
    }

    /// The signers; none in a message that only carries certificates.
    #[must_use]
    pub fn signers(&self) -> &[SignerInfo<'a>] {
        &self.signers
    }

    /// What was forgiven in reading.
    #[must_use]
    pub fn tolerances(&self) -> &[Tolerance] {
        &self.tolerances
    }
}

/// RFC 5652 §5.1; the form of GB/T 35275 only knows 1. Other kinds of revocation information (version 5) are not
/// told from CRLs here, so that a message with them is at worst named.
fn expected_version(
    form: Form,
    content_type: &ObjectIdentifier,
    certificates: &[&[u8]],
    signers: &[SignerInfo<'_>],
) -> u64 {
    let has = |tag: u8| certificates.iter().any(|octets| octets.first() == Some(&tag));
    if form == Form::Gbt35275 {
        1
    } else if has(0xA3) {
        5
    } else if has(0xA2) {
        4
    } else if has(0xA1) || *content_type != oid::DATA || signers.iter().any(SignerInfo::is_version_3) {
        3
    } else {
        1
    }
}

fn digest_algorithms<'a>(fields: &mut Reader<'a>, limits: &Limits) -> Result<Vec<AlgorithmId<'a>>, Error> {
    let mut set = fields.set().at("SignedData.digestAlgorithms")?;
    let mut list = Vec::new();
    while !set.is_empty() {
        bounded(list.len().saturating_add(1), limits.signer_infos, "digest algorithms")?;
        list.push(set.algorithm().at("SignedData.digestAlgorithms")?);
    }
    Ok(list)
}

fn read_content<'a>(
    fields: &mut Reader<'a>,
    form: Form,
    tolerances: &mut Vec<Tolerance>,
) -> Result<Option<Cow<'a, [u8]>>, Error> {
    let what = "SignedData.eContent";
    let Some(value) = explicit(fields, 0, what)? else { return Ok(None) };
    if value.tag().same_type(Tag::OCTET_STRING) {
        return value.octet_string().at(what).map(Some);
    }
    match form {
        Form::Rfc5652 => Err(Error::Structure { what, why: "it is not an OCTET STRING" }),
        // PKCS#7 v1.5 §9.3: the content octets are signed, without tag and length.
        Form::Gbt35275 => {
            note(tolerances, Tolerance::BareContent);
            Ok(Some(Cow::Borrowed(value.content())))
        }
    }
}

fn bag<'a>(
    fields: &mut Reader<'a>,
    number: u32,
    limit: usize,
    what: &'static str,
) -> Result<Vec<&'a [u8]>, Error> {
    let Some(value) = fields.context(number).at(what)? else { return Ok(Vec::new()) };
    if !value.tag().constructed {
        return Err(Error::Structure { what, why: "it is not a SET" });
    }
    let items = elements(value.reader().at(what)?, limit, what)?;
    Ok(items.into_iter().map(|item| item.bytes()).collect())
}
