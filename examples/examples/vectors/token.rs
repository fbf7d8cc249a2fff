//! Joining the halves of a challenge token (RFC 8823 §3): the three readings of the text, and what they give.

use aecm_acme::token::{TokenJoin, TokenPart1, TokenPart2};
use aecm_core::embed::Rng;

use super::manifest::quoted;
use super::seeded::Seeded;
use super::{Outcome, Set};

/// The thumbprint of RFC 7638 §3.1.
const RFC7638: &str = "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs";

pub(super) fn add(set: &mut Set) -> Outcome<()> {
    let rng = Seeded::new("token/joins.json");
    // What acme4j publishes: 32 octets with padding.
    let mut rows = vec![row(
        "LgYemJLy3F1LDkiJrdIGbEzyFJyOyf6vBdyZ1TG3sME=",
        "DGyRejmCefe7v4NfDGDKfA",
        "1_nKJnlH9boVxdoO63T8zP7O2w42qZL4d6xj35Hy5aI",
    )?];
    for (octets, padded) in
        [(16, true), (16, false), (20, true), (20, false), (24, false), (32, true), (32, false)]
    {
        let mut part1 = vec![0; octets];
        let mut part2 = vec![0; 16];
        rng.fill(&mut part1)?;
        rng.fill(&mut part2)?;
        rows.push(row(&base64url(&part1, padded), &base64url(&part2, false), RFC7638)?);
    }
    set.file("token/joins.json", format!("[\n{}\n]\n", rows.join(",\n")));
    Ok(())
}

fn row(part1: &str, part2: &str, thumbprint: &str) -> Outcome<String> {
    let (first, second) = (TokenPart1::parse(part1)?, TokenPart2::parse(part2)?);
    let mut joins = Vec::new();
    for join in TokenJoin::ALL {
        let token = first.join(&second, join)?;
        joins.push(format!(
            "   {}: {{\"token\": {}, \"keyAuthorizationDigest\": {}}}",
            quoted(join.word()),
            quoted(token.expose()),
            quoted(&token.key_authorization_digest(thumbprint)),
        ));
    }
    Ok(format!(
        "  {{\"part1\": {}, \"part2\": {}, \"thumbprint\": {}, \"joins\": {{\n{}}}}}",
        quoted(part1),
        quoted(part2),
        quoted(thumbprint),
        joins.join(",\n"),
    ))
}

/// RFC 4648 §5.
fn base64url(octets: &[u8], padded: bool) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in octets.chunks(3) {
        let bits =
            chunk.iter().fold(0, |bits: u32, octet| bits << 8 | u32::from(*octet)) << (8 * (3 - chunk.len()));
        for place in 0..4 {
            let digit =
                usize::try_from(bits >> (18 - 6 * place) & 63).ok().and_then(|digit| ALPHABET.get(digit));
            match digit {
                Some(digit) if place <= chunk.len() => text.push(char::from(*digit)),
                _ if padded => text.push('='),
                _ => {}
            }
        }
    }
    text
}
