//! Bodies of the fuzz targets; `cargo test` replays their seeds. Each asserts invariants, not only the absence
//! of panics.

use aecm_core::limits::Limits;
use aecm_core::path::Anchors;

use crate::capabilities::Capabilities;
use crate::cms::{CompressedData, EncryptedData, Enveloped, SignedData, content_type};
use crate::inspect;
use crate::verify::{Policy, Verdict, Verifier};

/// Reads any octets as any CMS. What was read must lie in the input, and nothing is valid without anchors.
pub fn cms(octets: &[u8]) {
    let limits = Limits::default();
    let known = content_type(octets, &limits).is_ok();
    if let Ok(signed) = SignedData::parse(octets, &limits) {
        assert!(known, "a SignedData is a ContentInfo");
        assert!(signed.signers().len() <= limits.signer_infos);
        assert!(signed.content().is_none_or(|content| content.len() <= octets.len()));
        for info in signed.signers() {
            if let Some(received) = info.signed_attributes() {
                assert!(is_inside(received, octets), "signed attributes are a span of the input");
                assert_eq!(info.to_be_verified().map(|octets| octets.len()), Some(received.len()));
            }
        }
    }
    if let Ok(enveloped) = Enveloped::parse(octets, &limits) {
        assert!(known, "an EnvelopedData is a ContentInfo");
        assert!(enveloped.recipients().len() <= limits.recipient_infos);
        assert!(enveloped.ciphertext().is_none_or(|content| content.len() <= octets.len()));
    }
    if let Ok(encrypted) = EncryptedData::parse(octets, &limits) {
        assert!(known, "an EncryptedData is a ContentInfo");
        assert!(encrypted.ciphertext().is_none_or(|content| content.len() <= octets.len()));
    }
    if let Ok(compressed) = CompressedData::parse(octets, &limits) {
        let mut tight = limits.clone();
        tight.decompressed_bytes = 1 << 20;
        if let Ok(content) = compressed.decompress(&tight) {
            assert!(content.len() <= tight.decompressed_bytes, "more than the limit");
        }
    }
    if let Ok(tree) = inspect::cms(octets, &limits) {
        assert!(known, "what is shown is a ContentInfo");
        let text = tree.to_string();
        assert_eq!(text.lines().count(), tree.count(), "a line is not one node");
        assert!(!text.contains('\u{1b}'), "a control character reaches the terminal");
    }
    if let Ok(tree) = inspect::asn1(octets, &limits) {
        assert!(tree.size <= octets.len() && tree.count() < 1 << 18);
    }
    let anchors = Anchors::new(Vec::new());
    let policy = Policy::legacy();
    for detached in [None, Some(&b"content"[..])] {
        if let Ok(report) = Verifier::new(&anchors, &policy).verify(octets, detached) {
            assert_ne!(report.verdict, Verdict::Valid, "nothing is valid without anchors");
        }
    }
}

/// Reads any octets as SMIMECapabilities.
pub fn capabilities(octets: &[u8]) {
    if let Ok(capabilities) = Capabilities::parse(octets, &Limits::default()) {
        assert!(capabilities.ciphers().len() <= capabilities.as_slice().len());
    }
}

fn is_inside(part: &[u8], whole: &[u8]) -> bool {
    let whole = whole.as_ptr_range();
    let part = part.as_ptr_range();
    whole.start <= part.start && part.end <= whole.end
}
