//! Bodies of the fuzz targets; `cargo test` replays their seeds. Each asserts invariants, not only the absence
//! of panics.

use aecm_core::limits::Limits;
use aecm_core::path::Anchors;

use crate::capabilities::Capabilities;
use crate::cms::{Enveloped, SignedData, content_type};
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
