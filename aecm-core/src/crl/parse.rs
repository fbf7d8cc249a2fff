//! Reading TBSCertList.

use alloc::vec::Vec;
use core::ops::Range;

use super::{CrlError, Entry, Inner, IssuingDistributionPoint, Known, RevocationReason};
use crate::certificate::extension::{self, List, Span};
use crate::certificate::parse::{content, name, whole};
use crate::limits::Limits;
use crate::oid;
use crate::time::Time;
use crate::tlv::{Reader, Rules, Tag, Tlv, TlvError, TlvErrorKind};

/// ```text
/// CertificateList  ::=  SEQUENCE  {
///     tbsCertList          TBSCertList,
///     signatureAlgorithm   AlgorithmIdentifier,
///     signatureValue       BIT STRING  }
///
/// TBSCertList  ::=  SEQUENCE  {
///     version                 Version OPTIONAL,
///     signature               AlgorithmIdentifier,
///     issuer                  Name,
///     thisUpdate              Time,
///     nextUpdate              Time OPTIONAL,
///     revokedCertificates     SEQUENCE OF SEQUENCE OPTIONAL,
///     crlExtensions           [0]  EXPLICIT Extensions OPTIONAL }
/// ```
pub(super) fn crl(der: &[u8], limits: &Limits) -> Result<Inner, CrlError> {
    if der.len() > limits.crl_bytes {
        return Err(CrlError::TooLarge { octets: der.len(), limit: limits.crl_bytes });
    }
    let mut outermost = Reader::new(der, Rules::Der, limits);
    let mut list = outermost.sequence()?;
    outermost.finish()?;
    let tbs = list.expect(Tag::SEQUENCE)?;
    let algorithm_value = list.expect(Tag::SEQUENCE)?;
    let algorithm = algorithm_value.algorithm()?;
    let signature_value = list.expect(Tag::BIT_STRING)?;
    let (unused, signature) = signature_value.bits()?;
    if unused != 0 {
        return Err(signature_value.fail(TlvErrorKind::UnusedBits).into());
    }
    list.finish()?;

    let mut fields = tbs.reader()?;
    let version = match fields.optional(Tag::INTEGER)? {
        None => 0,
        Some(version) => version.small()?,
    };
    if version > 1 {
        return Err(CrlError::Version { value: version });
    }
    if fields.algorithm()?.bytes != algorithm.bytes {
        return Err(CrlError::AlgorithmsDiffer);
    }
    let issuer = name(&mut fields)?;
    let this_update = fields.time()?;
    let next_update = match fields.peek()? {
        Some(Tag::UTC_TIME | Tag::GENERALIZED_TIME) => Some(fields.time()?),
        _ => None,
    };
    let revoked = fields.optional(Tag::SEQUENCE)?;
    let extensions = match fields.optional(Tag::context(0))? {
        None => List::default(),
        Some(_) if version == 0 => return Err(CrlError::ExtensionsInOldVersion),
        Some(wrapper) => {
            let mut inner = wrapper.reader()?;
            let list = inner.sequence()?;
            inner.finish()?;
            extension::list(list, limits)?
        }
    };
    fields.finish()?;

    let mut unknown_critical = extensions.unnamed_critical;
    let known = known(der, &extensions, &mut unknown_critical)?;
    let indirect = known.distribution_point.as_ref().is_some_and(|point| point.indirect);
    let entries = match revoked {
        None => Vec::new(),
        Some(revoked) => {
            let mut entries = Entries { der, limits, old: version == 0, indirect, unknown_critical };
            let read = entries.read(revoked.reader()?)?;
            unknown_critical = entries.unknown_critical;
            read
        }
    };

    Ok(Inner {
        tbs: whole(&tbs),
        issuer: whole(&issuer),
        this_update,
        next_update,
        algorithm: algorithm.oid,
        algorithm_bytes: whole(&algorithm_value),
        algorithm_parameters: algorithm.parameters.map(|parameters| {
            let range = whole(&algorithm_value);
            range.end - parameters.len()..range.end
        }),
        signature: {
            let range = whole(&signature_value);
            range.end - signature.len()..range.end
        },
        entries,
        extensions,
        known,
        unknown_critical,
        der: der.to_vec(),
    })
}

fn known(der: &[u8], list: &List, unknown_critical: &mut bool) -> Result<Known, CrlError> {
    let mut known = Known::default();
    for span in &list.spans {
        let value = der.get(span.value.clone()).unwrap_or_default();
        let read = read(&mut known, span, value);
        match read.map_err(|error| CrlError::Extension { oid: span.oid, error })? {
            true => {}
            false => *unknown_critical |= span.critical,
        }
    }
    Ok(known)
}

// Whether the extension is known.
fn read(known: &mut Known, span: &Span, value: &[u8]) -> Result<bool, TlvError> {
    let mut reader = Reader::new(value, Rules::Der, &Limits::default());
    let at = |inner: Range<usize>| span.value.start + inner.start..span.value.start + inner.end;
    match span.oid {
        oid::CRL_NUMBER => known.number = Some(at(number(&reader.any()?)?)),
        oid::DELTA_CRL_INDICATOR => known.delta_base = Some(at(number(&reader.any()?)?)),
        oid::AUTHORITY_KEY_IDENTIFIER => {
            let mut fields = reader.sequence()?;
            if let Some(identifier) = fields.optional(Tag::context_primitive(0))? {
                known.authority_key_identifier = Some(at(content(&identifier)));
            }
        }
        oid::EXPIRED_CERTS_ON_CRL => known.expired_since = Some(generalized(&mut reader)?),
        oid::ISSUING_DISTRIBUTION_POINT => {
            known.distribution_point = Some(IssuingDistributionPoint::read(value)?);
            return Ok(true);
        }
        // Names of the issuer, and where changes are found: nothing that decides anything here.
        oid::ISSUER_ALT_NAME | oid::FRESHEST_CRL | oid::AUTHORITY_INFO_ACCESS => return Ok(true),
        _ => return Ok(false),
    }
    reader.finish()?;
    Ok(true)
}

// Where the octets of an INTEGER stand that is not negative.
fn number(value: &Tlv<'_>) -> Result<Range<usize>, TlvError> {
    if value.tag() != Tag::INTEGER {
        let kind = TlvErrorKind::Unexpected { expected: Tag::INTEGER, found: Some(value.tag()) };
        return Err(value.fail(kind));
    }
    match value.integer()?.first() {
        Some(first) if *first < 0x80 => Ok(content(value)),
        _ => Err(value.fail(TlvErrorKind::IntegerRange)),
    }
}

struct Entries<'a> {
    der: &'a [u8],
    limits: &'a Limits,
    old: bool,
    indirect: bool,
    unknown_critical: bool,
}

impl Entries<'_> {
    fn read(&mut self, mut list: Reader<'_>) -> Result<Vec<Entry>, CrlError> {
        let mut entries = Vec::new();
        // RFC 5280 §5.3.3: an entry without certificateIssuer has that of the entry before.
        let mut issuer = None;
        while !list.is_empty() {
            let mut fields = list.sequence()?;
            let serial = fields.expect(Tag::INTEGER)?;
            serial.integer()?;
            let date = fields.time()?;
            let extensions = match fields.optional(Tag::SEQUENCE)? {
                None => List::default(),
                Some(_) if self.old => return Err(CrlError::ExtensionsInOldVersion),
                Some(list) => extension::list(list.reader()?, self.limits)?,
            };
            fields.finish()?;
            let mut entry =
                Entry { serial: content(&serial), date, reason: None, invalidity: None, issuer: None };
            self.unknown_critical |= extensions.unnamed_critical;
            for span in &extensions.spans {
                self.extension(&mut entry, span, &mut issuer)
                    .map_err(|error| CrlError::Extension { oid: span.oid, error })?;
            }
            entry.issuer.clone_from(&issuer);
            entries.push(entry);
        }
        // Stable: entries of one serial number stay in order.
        let serial = |entry: &Entry| self.der.get(entry.serial.clone()).unwrap_or_default();
        entries.sort_by(|one, other| serial(one).cmp(serial(other)));
        Ok(entries)
    }

    fn extension(
        &mut self,
        entry: &mut Entry,
        span: &Span,
        issuer: &mut Option<Range<usize>>,
    ) -> Result<(), TlvError> {
        let value = self.der.get(span.value.clone()).unwrap_or_default();
        let mut reader = Reader::new(value, Rules::Der, &Limits::default());
        match span.oid {
            oid::CRL_REASON => {
                let reason = reader.expect(Tag::ENUMERATED)?;
                entry.reason = Some(reason_of(&reason)?);
            }
            oid::INVALIDITY_DATE => entry.invalidity = Some(generalized(&mut reader)?),
            oid::CERTIFICATE_ISSUER if self.indirect => {
                let mut names = reader.sequence()?;
                let mut directories = 0;
                while !names.is_empty() {
                    let general_name = names.any()?;
                    if general_name.tag() == Tag::context(4) {
                        let directory = name(&mut general_name.reader()?)?;
                        let range = whole(&directory);
                        *issuer = Some(span.value.start + range.start..span.value.start + range.end);
                        directories += 1;
                    }
                }
                // An issuer has one name (RFC 5280 §4.1.2.4). Whose this and the following entries are is not known
                // else, and the entry must not pass for one of the issuer before.
                self.unknown_critical |= directories != 1;
            }
            oid::HOLD_INSTRUCTION => return Ok(()),
            // certificateIssuer in a list that is not indirect is one of these: it cannot be meant.
            _ => {
                self.unknown_critical |= span.critical;
                return Ok(());
            }
        }
        reader.finish()
    }
}

/// The CRLReason of an ENUMERATED.
pub(crate) fn reason_of(value: &Tlv<'_>) -> Result<RevocationReason, TlvError> {
    RevocationReason::from_code(value.small()?).ok_or_else(|| value.fail(TlvErrorKind::IntegerRange))
}

/// ```text
/// InvalidityDate ::=  GeneralizedTime
/// ```
pub(crate) fn generalized(reader: &mut Reader<'_>) -> Result<Time, TlvError> {
    reader.expect(Tag::GENERALIZED_TIME)?.time()
}
