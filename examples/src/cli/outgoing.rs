//! What is signed or encrypted as mail: a whole mail, a MIME entity, or any file made into one.

use aecm_core::limits::Limits;
use aecm_smime::mime::{Entity, HeaderProtection, Outgoing, seven_bit};
use base64ct::{Base64, Encoding as _};

use super::Failure;
use super::sniff::{Form, sniff};

/// Something on its way out.
pub(super) enum Letter {
    /// A mail with From: its header fields are protected.
    Mail(Box<Outgoing>),
    /// A MIME entity without a sender.
    Entity(Vec<u8>),
}

/// Whether a file is a whole mail: it has a header with From.
pub(super) fn is_mail(octets: &[u8], limits: &Limits) -> bool {
    sniff(octets, limits) == Form::Mail
        && Entity::parse(octets, limits).is_ok_and(|entity| entity.headers().get_all("from").next().is_some())
}

impl Letter {
    /// Reads a mail or an entity; what is neither becomes the body of one.
    pub(super) fn read(octets: &[u8], limits: &Limits) -> Result<Self, Failure> {
        if is_mail(octets, limits) {
            return Ok(Self::Mail(Box::new(Outgoing::parse(octets, limits)?)));
        }
        let has_type = |entity: Entity<'_>| entity.headers().get_all("content-type").next().is_some();
        let is_entity =
            sniff(octets, limits) == Form::Mail && Entity::parse(octets, limits).is_ok_and(has_type);
        let entity = if is_entity { octets.to_vec() } else { wrapped(octets) };
        Ok(Self::Entity(seven_bit(&entity, limits)?))
    }

    /// What is to be signed or encrypted.
    pub(super) fn payload(&self, protection: HeaderProtection) -> Result<Vec<u8>, Failure> {
        match self {
            Self::Mail(mail) => Ok(mail.payload(protection)?),
            Self::Entity(entity) => Ok(entity.clone()),
        }
    }

    /// The whole, around the S/MIME entity that its payload became.
    pub(super) fn message(&self, protection: HeaderProtection, entity: &[u8]) -> Vec<u8> {
        match self {
            Self::Mail(mail) => mail.message(protection, entity),
            Self::Entity(_) => [b"MIME-Version: 1.0\r\n", entity].concat(),
        }
    }
}

/// A file as the body of an entity: text where it is UTF-8, else an attachment.
fn wrapped(octets: &[u8]) -> Vec<u8> {
    let is_text = core::str::from_utf8(octets).is_ok() && !octets.contains(&0);
    if is_text {
        let charset = if octets.is_ascii() { "us-ascii" } else { "utf-8" };
        return [format!("Content-Type: text/plain; charset={charset}\r\n\r\n").as_bytes(), octets].concat();
    }
    let mut entity =
        b"Content-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\n".to_vec();
    for line in octets.chunks(57) {
        entity.extend_from_slice(Base64::encode_string(line).as_bytes());
        entity.extend_from_slice(b"\r\n");
    }
    entity
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_it_is_it_becomes_an_entity() {
        let limits = Limits::default();
        assert!(is_mail(b"Subject: x\r\nFrom: a@b.example\r\n\r\n", &limits));
        assert!(!is_mail(b"Subject: x\r\n\r\nFrom: a@b.example\r\n", &limits));
        let payload = |octets: &[u8]| {
            Letter::read(octets, &limits).map(|letter| letter.payload(HeaderProtection::None).unwrap())
        };
        assert_eq!(payload(b"hi\n").unwrap(), b"Content-Type: text/plain; charset=us-ascii\r\n\r\nhi\r\n");
        assert_eq!(payload(b"Content-Type: x/y\n\nz").unwrap(), b"Content-Type: x/y\r\n\r\nz");
        let attached = payload(&[0xff; 100]).unwrap();
        let lines = format!("\r\n\r\n{}\r\n{}w==\r\n", "/".repeat(76), "/".repeat(57));
        assert!(attached.ends_with(lines.as_bytes()), "{}", String::from_utf8_lossy(&attached));
        assert!(Letter::read(b"From: a@b.example\r\nFrom: c@d.example\r\n\r\n", &limits).is_err());
    }
}
