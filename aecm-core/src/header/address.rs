//! Address lists (RFC 5322 §3.4).

use alloc::string::String;
use alloc::vec::Vec;

use super::scan::Scanner;
use super::{HeaderError, decoded, unfold};
use crate::mailbox::Mailbox;

/// One mailbox of an address list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// The display name, with encoded-words decoded; empty where there is none. Proves nothing (THREATS M1).
    pub display_name: String,
    /// The mailbox.
    pub mailbox: Mailbox,
    /// The display name of the group that the mailbox stands in.
    pub group: Option<String>,
}

/// The mailboxes of a list, those in groups too.
///
/// # Errors
/// [`HeaderError::Syntax`], [`HeaderError::CommentDepth`], [`HeaderError::Mailbox`]. One bad entry is an error
/// of the whole list.
pub fn parse_address_list(value: &[u8]) -> Result<Vec<Mailbox>, HeaderError> {
    Ok(parse_addresses(value)?.into_iter().map(|address| address.mailbox).collect())
}

/// The one mailbox of a field such as From, which decides who a signer must be (THREATS M1).
///
/// # Errors
/// [`HeaderError::NotOneMailbox`] for a group, none, or several; as [`parse_address_list`].
pub fn parse_single_address(value: &[u8]) -> Result<Address, HeaderError> {
    let mut addresses = parse_addresses(value)?.into_iter();
    match (addresses.next(), addresses.next()) {
        (Some(address), None) if address.group.is_none() => Ok(address),
        _ => Err(HeaderError::NotOneMailbox),
    }
}

/// The mailboxes of a list with their display names and groups. Empty entries (`a@b, ,c@d`) are stepped over;
/// a group without members gives none.
///
/// ```text
/// address      = mailbox / group
/// mailbox      = name-addr / addr-spec
/// name-addr    = [display-name] [CFWS] "<" addr-spec ">" [CFWS]
/// group        = display-name ":" [group-list] ";" [CFWS]
/// ```
///
/// # Errors
/// As [`parse_address_list`]. Source routes (`<@a:b@c>`) and address literals are refused.
pub fn parse_addresses(value: &[u8]) -> Result<Vec<Address>, HeaderError> {
    let text = unfold(value);
    let mut scanner = Scanner::new(&text);
    let mut addresses = Vec::new();
    let mut group: Option<String> = None;
    loop {
        scanner.skip()?;
        match scanner.peek() {
            None if group.is_some() => return scanner.expected("`;` at the end of a group"),
            None => return Ok(addresses),
            Some(',') => {
                scanner.next();
                continue;
            }
            Some(';') if group.is_some() => {
                scanner.next();
                group = None;
                scanner.skip()?;
                match scanner.peek() {
                    None | Some(',') => continue,
                    Some(_) => return scanner.expected("`,`"),
                }
            }
            Some(_) => {}
        }
        let phrase = Phrase::read(&mut scanner)?;
        match scanner.peek() {
            Some(':') if group.is_none() && !phrase.words.is_empty() => {
                scanner.next();
                group = Some(phrase.display_name());
                continue;
            }
            Some('@') => {
                let mailbox = addr_spec(&mut scanner, &phrase)?;
                addresses.push(Address { display_name: String::new(), mailbox, group: group.clone() });
            }
            Some('<') => {
                scanner.next();
                scanner.skip()?;
                let local = Phrase::read(&mut scanner)?;
                let mailbox = addr_spec(&mut scanner, &local)?;
                if !scanner.eat('>') {
                    return scanner.expected("`>`");
                }
                scanner.skip()?;
                addresses.push(Address {
                    display_name: phrase.display_name(),
                    mailbox,
                    group: group.clone(),
                });
            }
            _ => return scanner.expected("`@` or `<`"),
        }
        match scanner.peek() {
            None | Some(',') => {}
            Some(';') if group.is_some() => {}
            Some(_) => return scanner.expected("`,`"),
        }
    }
}

// Words and dots as they follow one another.
struct Phrase {
    words: Vec<Word>,
}

enum Word {
    Atom(String),
    Quoted(String),
    Dot,
}

impl Phrase {
    fn read(scanner: &mut Scanner<'_>) -> Result<Self, HeaderError> {
        let mut words = Vec::new();
        loop {
            scanner.skip()?;
            match scanner.peek() {
                Some('"') => words.push(Word::Quoted(scanner.quoted()?)),
                Some('.') => {
                    scanner.next();
                    words.push(Word::Dot);
                }
                Some(c) if is_word(c) => words.push(Word::Atom(scanner.take(is_word))),
                _ => return Ok(Self { words }),
            }
        }
    }

    fn display_name(&self) -> String {
        let mut name = String::new();
        for word in &self.words {
            let (text, space) = match word {
                Word::Atom(text) | Word::Quoted(text) => (text.as_str(), true),
                Word::Dot => (".", false),
            };
            if space && !name.is_empty() {
                name.push(' ');
            }
            name.push_str(text);
        }
        // Encoded-words are atoms here; within quotes some senders write them too.
        decoded(name.as_bytes())
    }

    // local-part = word *("." word)
    fn local_part(&self) -> Option<String> {
        let mut local = String::new();
        for (index, word) in self.words.iter().enumerate() {
            match (index.is_multiple_of(2), word) {
                (true, Word::Atom(text) | Word::Quoted(text)) => local.push_str(text),
                (false, Word::Dot) => local.push('.'),
                _ => return None,
            }
        }
        (self.words.len() % 2 == 1).then_some(local)
    }
}

// What of an addr-spec follows the local part, which is `local`.
fn addr_spec(scanner: &mut Scanner<'_>, local: &Phrase) -> Result<Mailbox, HeaderError> {
    let Some(local) = local.local_part() else { return scanner.expected("a local part") };
    if !scanner.eat('@') {
        return scanner.expected("`@`");
    }
    let domain = Phrase::read(scanner)?;
    if domain.words.iter().any(|word| matches!(word, Word::Quoted(_))) {
        return scanner.expected("a domain");
    }
    let Some(domain) = domain.local_part() else { return scanner.expected("a domain") };
    Ok(Mailbox::from_parts(&local, &domain)?)
}

// An atom of a phrase; what a mailbox must not have is for `Mailbox` to say.
fn is_word(c: char) -> bool {
    if c.is_ascii() {
        c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c)
    } else {
        !c.is_control()
    }
}
