//! CompressedData.

use std::borrow::Cow;

use aecm_core::limits::Limits;
use aecm_core::oid::{self, ObjectIdentifier};
use aecm_core::tlv::AlgorithmId;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_COMPUTE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use zeroize::Zeroizing;

use crate::cms::attribute::sequence_of;
use crate::cms::{content_info, encoding_tolerances, explicit};
use crate::error::{At, Error};
use crate::tolerance::Tolerance;

/// A CompressedData, read (RFC 3274 §1.1). It protects nothing.
///
/// ```text
/// CompressedData ::= SEQUENCE {
///   version CMSVersion,   -- 0
///   compressionAlgorithm CompressionAlgorithmIdentifier,
///   encapContentInfo EncapsulatedContentInfo }
/// ```
///
/// ```
/// use aecm_core::limits::Limits;
/// use aecm_smime::cms::CompressedData;
///
/// let message = include_bytes!("../../tests/vectors/kinds/bc172-compressed.der");
/// let content = CompressedData::parse(message, &Limits::default())?.decompress(&Limits::default())?;
/// assert!(content.starts_with(b"Content-Type: text/plain"));
/// # Ok::<(), aecm_smime::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct CompressedData<'a> {
    algorithm: AlgorithmId<'a>,
    content_type: ObjectIdentifier,
    compressed: Cow<'a, [u8]>,
    tolerances: Vec<Tolerance>,
}

/// Octets that any content may grow to, whatever its ratio: small text compresses beyond any ratio.
const SMALL: usize = 64 << 10;

impl<'a> CompressedData<'a> {
    /// Reads a whole ContentInfo that holds CompressedData, in BER or DER; the content stays compressed.
    ///
    /// # Errors
    /// [`Error::ContentType`] for another content type; [`Error::Tlv`], [`Error::Structure`] or
    /// [`Error::Limit`] for what cannot be read.
    pub fn parse(bytes: &'a [u8], limits: &Limits) -> Result<Self, Error> {
        let (outer, value) = content_info(bytes, limits)?;
        if outer != oid::COMPRESSED_DATA {
            return Err(Error::ContentType { found: outer, expected: "compressedData" });
        }
        let tolerances = encoding_tolerances(bytes, limits);
        let mut fields = sequence_of(&value, "CompressedData")?;
        if fields.small().at("CompressedData.version")? != 0 {
            return Err(Error::Structure { what: "CompressedData.version", why: "it is not 0" });
        }
        let algorithm = fields.algorithm().at("CompressedData.compressionAlgorithm")?;
        let what = "CompressedData.encapContentInfo";
        let mut encapsulated = fields.sequence().at(what)?;
        let content_type = encapsulated.oid().at("CompressedData.eContentType")?;
        let content = explicit(&mut encapsulated, 0, "CompressedData.eContent")?
            .ok_or(Error::Structure { what: "CompressedData.eContent", why: "it is absent" })?;
        encapsulated.finish().at(what)?;
        fields.finish().at("CompressedData")?;
        if !content.tag().same_type(aecm_core::tlv::Tag::OCTET_STRING) {
            return Err(Error::Structure {
                what: "CompressedData.eContent",
                why: "it is not an OCTET STRING",
            });
        }
        let compressed = content.octet_string().at("CompressedData.eContent")?;
        Ok(Self { algorithm, content_type, compressed, tolerances })
    }

    /// The compression algorithm.
    #[must_use]
    pub const fn algorithm(&self) -> &AlgorithmId<'a> {
        &self.algorithm
    }

    /// The type of what is compressed: `data` for mail.
    #[must_use]
    pub const fn content_type(&self) -> ObjectIdentifier {
        self.content_type
    }

    /// Octets of the content as it came.
    #[must_use]
    pub fn compressed_len(&self) -> usize {
        self.compressed.len()
    }

    /// What was forgiven in reading.
    #[must_use]
    pub fn tolerances(&self) -> &[Tolerance] {
        &self.tolerances
    }

    /// The content, decompressed by zlib (RFC 1950), its checksum checked.
    ///
    /// # Errors
    /// [`Error::Limit`] beyond [`Limits::decompressed_bytes`], or beyond [`Limits::decompression_ratio`] where
    /// that is more than 64 KiB: memory never grows further (THREATS A3). [`Error::Unsupported`] for another
    /// algorithm than zlib; [`Error::Structure`] for what is not one whole zlib stream.
    pub fn decompress(&self, limits: &Limits) -> Result<Zeroizing<Vec<u8>>, Error> {
        if self.algorithm.oid != oid::ZLIB_COMPRESS {
            return Err(Error::Unsupported { what: "the compression", oid: Some(self.algorithm.oid) });
        }
        let by_ratio = self.compressed.len().saturating_mul(limits.decompression_ratio).max(SMALL);
        let (bound, what, limit) = if by_ratio < limits.decompressed_bytes {
            (by_ratio, "times the size of compressed content", limits.decompression_ratio)
        } else {
            (limits.decompressed_bytes, "octets of decompressed content", limits.decompressed_bytes)
        };
        inflate(&self.compressed, bound, Error::Limit { what, limit })
    }
}

fn inflate(compressed: &[u8], bound: usize, beyond: Error) -> Result<Zeroizing<Vec<u8>>, Error> {
    const FLAGS: u32 =
        TINFL_FLAG_PARSE_ZLIB_HEADER | TINFL_FLAG_COMPUTE_ADLER32 | TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let wrong = |why| Error::Structure { what: "CompressedData.eContent", why };
    let mut state = Box::<DecompressorOxide>::default();
    // One octet more than allowed, so that content of exactly the limit is told from more.
    let room = bound.saturating_add(1);
    let mut content = Zeroizing::new(vec![0; compressed.len().saturating_mul(4).clamp(512, SMALL).min(room)]);
    let (mut read, mut written) = (0_usize, 0_usize);
    loop {
        let rest = compressed.get(read..).unwrap_or_default();
        let (status, consumed, produced) = decompress(&mut state, rest, &mut content, written, FLAGS);
        read = read.saturating_add(consumed);
        written = written.saturating_add(produced);
        match status {
            TINFLStatus::Done if written > bound => return Err(beyond),
            TINFLStatus::Done if read == compressed.len() => {
                content.truncate(written);
                return Ok(content);
            }
            TINFLStatus::Done => return Err(wrong("something follows the compressed stream")),
            TINFLStatus::HasMoreOutput if content.len() >= room => return Err(beyond),
            TINFLStatus::HasMoreOutput => {
                let size = content.len().saturating_mul(2).max(512).min(room);
                // Not resized in place: what is left behind is wiped.
                let mut larger = Zeroizing::new(vec![0; size]);
                larger.iter_mut().zip(content.iter()).for_each(|(to, from)| *to = *from);
                content = larger;
            }
            TINFLStatus::Adler32Mismatch => return Err(wrong("its checksum is wrong")),
            _ => return Err(wrong("it is no zlib stream, or cut off")),
        }
    }
}
