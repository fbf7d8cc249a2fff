//! CMS in MIME (RFC 8551 §3): multipart/signed and application/pkcs7-mime entities.

use aecm_core::digest::DigestAlgorithm;
use aecm_core::embed::Rng;

use super::boundary::occurs;
use super::transfer::base64_lines;
use super::{CmsKind, MimeError};

/// The micalg parameter for the digests of the signers: `sha-256`, `sm3` (A23), several with commas.
/// It is a hint that no reader may rely on.
#[must_use]
pub fn micalg(digests: &[DigestAlgorithm]) -> String {
    let mut words: Vec<&'static str> = Vec::new();
    for digest in digests {
        let word = match digest {
            DigestAlgorithm::Sha1 => "sha-1",
            DigestAlgorithm::Sha256 => "sha-256",
            DigestAlgorithm::Sha384 => "sha-384",
            DigestAlgorithm::Sha512 => "sha-512",
            DigestAlgorithm::Sm3 => "sm3",
            _ => "unknown",
        };
        if !words.contains(&word) {
            words.push(word);
        }
    }
    words.join(",")
}

/// A multipart/signed entity (RFC 8551 §3.5.3): `payload` in the clear, exactly as it was signed, and the
/// detached `signature` (SignedData in DER).
///
/// The payload should be canonical and 7-bit ([`super::Outgoing::payload`], [`super::seven_bit`]), or
/// transports break the signature.
///
/// # Errors
/// [`MimeError::Rng`] when no boundary can be drawn that the payload does not have.
pub fn multipart_signed(
    payload: &[u8],
    signature: &[u8],
    digests: &[DigestAlgorithm],
    rng: &dyn Rng,
) -> Result<Vec<u8>, MimeError> {
    let boundary = fresh_boundary(payload, rng)?;
    let micalg = micalg(digests);
    let head = format!(
        "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\";\r\n \
         micalg=\"{micalg}\"; boundary=\"{boundary}\"\r\n\r\n--{boundary}\r\n"
    );
    let middle = format!(
        "\r\n--{boundary}\r\n\
         Content-Type: application/pkcs7-signature; name=\"smime.p7s\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"smime.p7s\"\r\n\r\n"
    );
    let signature = base64_lines(signature);
    let tail = format!("\r\n--{boundary}--\r\n");
    Ok([head.as_bytes(), payload, middle.as_bytes(), &signature, tail.as_bytes()].concat())
}

/// An application/pkcs7-mime entity (RFC 8551 §3.2) with the CMS message `cms` in base64.
///
/// # Errors
/// [`MimeError::NoMimeForm`] for a kind that has no smime-type here.
pub fn pkcs7_mime(kind: CmsKind, cms: &[u8]) -> Result<Vec<u8>, MimeError> {
    let (smime_type, name) = kind.smime_type().ok_or(MimeError::NoMimeForm { kind })?;
    let head = format!(
        "Content-Type: application/pkcs7-mime; smime-type={smime_type};\r\n name=\"{name}\"\r\n\
         Content-Transfer-Encoding: base64\r\n\
         Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n"
    );
    Ok([head.as_bytes(), &base64_lines(cms)].concat())
}

/// A random boundary that begins no line of `octets`. `=_` occurs neither in base64 nor in quoted-printable.
fn fresh_boundary(octets: &[u8], rng: &dyn Rng) -> Result<String, MimeError> {
    // 144 random bits collide with nothing that did not see them; a second try is for a broken source.
    for _ in 0..2 {
        let mut random = [0; 18];
        rng.fill(&mut random).map_err(|_| MimeError::Rng)?;
        let digits: String = random.iter().map(|octet| format!("{octet:02x}")).collect();
        let boundary = format!("=_{digits}");
        if !occurs(octets, boundary.as_bytes()) {
            return Ok(boundary);
        }
    }
    Err(MimeError::Rng)
}

#[cfg(test)]
mod tests {
    use super::*;
    use aecm_core::embed::RngError;

    struct Fixed(u8);

    impl Rng for Fixed {
        fn fill(&self, buffer: &mut [u8]) -> Result<(), RngError> {
            buffer.fill(self.0);
            Ok(())
        }
    }

    struct Broken;

    impl Rng for Broken {
        fn fill(&self, _: &mut [u8]) -> Result<(), RngError> {
            Err(RngError)
        }
    }

    #[test]
    fn micalg_words() {
        use DigestAlgorithm::{Sha256, Sm3};
        assert_eq!(micalg(&[Sha256]), "sha-256");
        assert_eq!(micalg(&[Sm3]), "sm3");
        assert_eq!(micalg(&[Sha256, Sm3, Sha256]), "sha-256,sm3");
    }

    #[test]
    fn a_boundary_never_occurs_in_what_it_delimits() {
        let taken = format!("Content-Type: text/plain\r\n\r\n--=_{}\r\n", "07".repeat(18));
        assert!(multipart_signed(taken.as_bytes(), b"s", &[], &Fixed(8)).is_ok());
        assert_eq!(multipart_signed(taken.as_bytes(), b"s", &[], &Fixed(7)), Err(MimeError::Rng));
        assert_eq!(multipart_signed(b"", b"s", &[], &Broken), Err(MimeError::Rng));
    }

    #[test]
    fn only_kinds_with_a_mime_form() {
        let entity = pkcs7_mime(CmsKind::AuthEnvelopedData, &[0x30; 100]).unwrap();
        let text = String::from_utf8(entity).unwrap();
        assert!(text.starts_with(
            "Content-Type: application/pkcs7-mime; smime-type=authEnveloped-data;\r\n name=\"smime.p7m\"\r\n"
        ));
        assert!(text.lines().all(|line| line.len() <= 78));
        let other = CmsKind::Other(aecm_core::oid::TST_INFO);
        assert_eq!(pkcs7_mime(other, b""), Err(MimeError::NoMimeForm { kind: other }));
    }
}
