//! What a file is, found by looking at it: PEM, DER or BER, base64 of it, or a mail.

use aecm_core::limits::Limits;

/// The outer form of an input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// One or more PEM blocks: label and octets, in order.
    Pem(Vec<(String, Vec<u8>)>),
    /// One ASN.1 value in DER or BER.
    Asn1(Vec<u8>),
    /// Header fields, an empty line, a body.
    Mail,
    /// Something else.
    Unknown,
}

/// Looks at `octets`.
pub(super) fn sniff(octets: &[u8], limits: &Limits) -> Form {
    let start = octets.iter().position(|octet| !octet.is_ascii_whitespace()).unwrap_or(0);
    let rest = octets.get(start..).unwrap_or_default();
    // SEQUENCE, definite or indefinite; nothing else stands at the top of what is read here.
    if octets.first() == Some(&0x30)
        && octets.get(1).is_some_and(|length| *length >= 0x80 || octets.len() < 0x90)
    {
        return Form::Asn1(octets.to_vec());
    }
    // A mail may speak of PEM in its text, and PEM may stand under lines that look like a header.
    if is_mail(rest) && has_mail_field(rest) {
        return Form::Mail;
    }
    if let Some(blocks) = pem(octets, limits) {
        return Form::Pem(blocks);
    }
    match base64(rest) {
        Some(der) if der.first() == Some(&0x30) => Form::Asn1(der),
        _ => Form::Unknown,
    }
}

/// The PEM blocks of a text (RFC 7468), lax about what stands around them; `None` where there is none.
fn pem(octets: &[u8], limits: &Limits) -> Option<Vec<(String, Vec<u8>)>> {
    let text = core::str::from_utf8(octets).ok()?;
    let mut blocks = Vec::new();
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("-----BEGIN ") {
        let (label, after) = after.split_once("-----")?;
        let (body, after) = after.split_once(&format!("-----END {label}-----"))?;
        blocks.push((label.to_owned(), base64(without_header(body).as_bytes())?));
        rest = after;
        if blocks.len() > limits.certificates {
            return None;
        }
    }
    (!blocks.is_empty()).then_some(blocks)
}

/// The body of a PEM block without the header fields that old encrypted keys have (RFC 1421 §4.6).
fn without_header(body: &str) -> &str {
    let has_header = body.trim_start().lines().next().is_some_and(|line| line.contains(':'));
    if !has_header {
        return body;
    }
    body.split_once("\n\n").or_else(|| body.split_once("\n\r\n")).map_or(body, |(_, rest)| rest)
}

fn base64(text: &[u8]) -> Option<Vec<u8>> {
    use base64ct::{Base64, Encoding as _};
    let letters: String =
        text.iter().filter(|octet| !octet.is_ascii_whitespace()).map(|octet| char::from(*octet)).collect();
    Base64::decode_vec(&letters).ok()
}

/// Whether the first line is a header field (RFC 5322 §2.2).
fn is_mail(octets: &[u8]) -> bool {
    let line = octets.split(|octet| *octet == b'\n').next().unwrap_or_default();
    let mut parts = line.splitn(2, |octet| *octet == b':');
    let name = parts.next().unwrap_or_default();
    parts.next().is_some() && !name.is_empty() && name.iter().all(|octet| (33..=126).contains(octet))
}

/// Whether a field that only mail has stands before the first empty line, and before any PEM.
fn has_mail_field(octets: &[u8]) -> bool {
    const FIELDS: [&[u8]; 17] = [
        b"from:",
        b"sender:",
        b"reply-to:",
        b"to:",
        b"cc:",
        b"bcc:",
        b"subject:",
        b"date:",
        b"message-id:",
        b"received:",
        b"return-path:",
        b"delivered-to:",
        b"dkim-signature:",
        b"mime-version:",
        b"content-type:",
        b"content-transfer-encoding:",
        b"content-disposition:",
    ];
    octets
        .split(|octet| *octet == b'\n')
        .take_while(|line| !line.trim_ascii().is_empty() && !line.starts_with(b"-----BEGIN "))
        .any(|line| {
            FIELDS
                .iter()
                .any(|field| line.get(..field.len()).is_some_and(|start| start.eq_ignore_ascii_case(field)))
        })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_told_apart() {
        let limits = Limits::default();
        assert_eq!(sniff(b"\x30\x03\x02\x01\x05", &limits), Form::Asn1(vec![0x30, 3, 2, 1, 5]));
        assert_eq!(sniff(b"MAMCAQU=\n", &limits), Form::Asn1(vec![0x30, 3, 2, 1, 5]));
        assert_eq!(sniff(b"From: a@b.example\r\n\r\n", &limits), Form::Mail);
        let pem = b"text\n-----BEGIN X-----\nMAMCAQU=\n-----END X-----\n";
        assert_eq!(sniff(pem, &limits), Form::Pem(vec![("X".to_owned(), vec![0x30, 3, 2, 1, 5])]));
        assert_eq!(sniff(&[b"Subject: x\n\n", &pem[..]].concat(), &limits), Form::Mail);
        assert!(matches!(sniff(&[b"Certificate:\n    Data:\n", &pem[..]].concat(), &limits), Form::Pem(_)));
        // Lines with colons are no mail: /etc/passwd, a configuration file, a log.
        let passwd = b"root:x:0:0:root:/root:/bin/bash\nmail:x:8:8:mail:/var/mail:/usr/sbin/nologin\n";
        let yaml = b"name: aecm\nversion: 1\n\nfrom: here\n";
        let nothings = [
            &b""[..],
            b"\0\0",
            b"-----BEGIN X-----",
            b"no header",
            b" : x",
            passwd,
            yaml,
            b"12:00:01 started\n",
        ];
        for nothing in nothings {
            assert_eq!(sniff(nothing, &limits), Form::Unknown, "{nothing:?}");
        }
    }
}
