//! ECDSA signatures: the DER of X.509 and the fixed-length pair of JOSE (RFC 7518 §3.4).

use aecm_core::limits::Limits;
use aecm_core::tlv::{Reader, Rules, write};

use super::JwsError;

const SCALAR: usize = 32;

/// r‖s, 32 octets each, of a DER `SEQUENCE { r INTEGER, s INTEGER }` on P-256.
///
/// # Errors
/// [`JwsError::SignatureForm`] for anything else.
pub fn raw_from_der(der: &[u8]) -> Result<[u8; 2 * SCALAR], JwsError> {
    let numbers = || -> Option<[u8; 2 * SCALAR]> {
        let mut outer = Reader::new(der, Rules::Der, &Limits::default());
        let mut pair = outer.sequence().ok()?;
        outer.finish().ok()?;
        let mut raw = [0; 2 * SCALAR];
        let (r, s) = raw.split_at_mut(SCALAR);
        for half in [r, s] {
            let content = pair.integer().ok()?;
            if content.first()? & 0x80 != 0 {
                return None;
            }
            let number = content.strip_prefix(&[0]).unwrap_or(content);
            let start = SCALAR.checked_sub(number.len())?;
            half.get_mut(start..)?.copy_from_slice(number);
        }
        pair.finish().ok()?;
        Some(raw)
    };
    numbers().ok_or(JwsError::SignatureForm)
}

/// The inverse of [`raw_from_der`].
pub(super) fn der_from_raw(raw: &[u8]) -> Result<Vec<u8>, JwsError> {
    let (r, s) =
        raw.split_at_checked(SCALAR).filter(|(_, s)| s.len() == SCALAR).ok_or(JwsError::SignatureForm)?;
    Ok(write::sequence(&[&write::integer_bytes(r), &write::integer_bytes(s)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_round_trip() {
        for (r, s) in [([0xff; 32], [0x01; 32]), ([0; 32], [0x80; 32])] {
            let raw = [r, s].concat();
            assert_eq!(raw_from_der(&der_from_raw(&raw).unwrap()).unwrap().as_slice(), raw);
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for der in [
            &[][..],
            &[0x30, 0x00],
            &[0x30, 0x03, 0x02, 0x01, 0x01],                   // one number
            &[0x30, 0x06, 0x02, 0x01, 0x81, 0x02, 0x01, 0x01], // negative
            &[0x30, 0x06, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x00], // trailing octet
            &[0x30, 0x09, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01, 0x02, 0x01, 0x01], // three numbers
        ] {
            assert_eq!(raw_from_der(der), Err(JwsError::SignatureForm), "{der:?}");
        }
        let mut wide = vec![0x01];
        wide.extend_from_slice(&[0; 32]);
        let wide = write::sequence(&[&write::integer_bytes(&wide), &write::small(1)]);
        assert_eq!(raw_from_der(&wide), Err(JwsError::SignatureForm));
        for length in [0, 63, 65] {
            assert_eq!(der_from_raw(&vec![1; length]), Err(JwsError::SignatureForm));
        }
    }
}
