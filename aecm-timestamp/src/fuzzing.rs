//! Bodies of the fuzz targets: they take any octets and assert what must hold.

use std::sync::OnceLock;

use aecm_core::digest::DigestAlgorithm;
use aecm_core::limits::Limits;
use aecm_core::path::Anchors;
use aecm_core::time::Time;
use aecm_smime::verify::{TokenFinding, TokenVerifier};

use crate::response::parse_response;
use crate::tst_info::TstInfo;
use crate::{Request, TimestampPolicy, Verifier, verify_response};

fn limits() -> &'static Limits {
    static LIMITS: OnceLock<Limits> = OnceLock::new();
    LIMITS.get_or_init(Limits::default)
}

/// A request that is read is written with the same meaning.
pub fn request(data: &[u8]) {
    let Ok(request) = Request::from_der(data, limits()) else { return };
    if !request.has_extensions() {
        let again = Request::from_der(&request.to_der(), limits());
        assert!(again == Ok(request), "a request changes when it is written again");
    }
}

/// An answer keeps the rule of status and token; its token is a span of it; without anchors nothing is believed.
pub fn answer(data: &[u8]) {
    if let Ok(response) = parse_response(data, limits()) {
        assert!(response.status.is_granted() == response.token.is_some(), "T6");
        if let Some(token) = response.token {
            assert!(data.windows(token.len()).any(|window| window == token), "the token is not as received");
            self::token(token);
        }
    }
    let Ok(request) = Request::new(DigestAlgorithm::Sha256, &[0; 32], [1; 8]) else { return };
    let policy = TimestampPolicy::new(Anchors::new(Vec::new()));
    assert!(
        verify_response(&request, data, &policy, Time::from_unix(0)).is_err(),
        "believed without anchors"
    );
}

/// A token is never believed without anchors.
pub fn token(data: &[u8]) {
    let verifier = Verifier::new(TimestampPolicy::new(Anchors::new(Vec::new())));
    let finding = verifier.verify_token(data, b"");
    assert!(
        matches!(finding, TokenFinding::Refused { .. } | TokenFinding::NotEvaluated { .. }),
        "believed without anchors"
    );
}

/// A TSTInfo that is read is written with the same meaning.
pub fn tst_info(data: &[u8]) {
    let Ok(info) = TstInfo::parse(data, limits()) else { return };
    if let Some(der) = info.to_der() {
        assert!(TstInfo::parse(&der, limits()) == Ok(info), "a TSTInfo changes when it is written again");
    }
}
