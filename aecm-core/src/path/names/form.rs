//! The forms of names, and whether a name lies in a subtree.

use crate::certificate::name;
use crate::mailbox::Mailbox;
use crate::oid;
use crate::tlv::{Class, Tag, Tlv, TlvError, TlvErrorKind};

/// The base of a subtree.
pub(super) struct Subtree<'a> {
    pub(super) form: Form<'a>,
}

pub(super) enum Form<'a> {
    Mailbox(MailboxBase<'a>),
    /// `example.org`, or `.example.org` for what is below only; empty for all.
    Dns(&'a str),
    /// A whole Name.
    Directory(&'a [u8]),
    /// A host, or `.example.org` for hosts below; empty for all.
    Uri(&'a str),
    /// Address and mask.
    Ip(&'a [u8], &'a [u8]),
    /// otherName: the octets of its type.
    Other(&'a [u8]),
    /// A GeneralName of that number, which is not compared here.
    Unknown(u32),
}

pub(super) enum MailboxBase<'a> {
    One(Mailbox),
    /// All mailboxes of that host, or of hosts below `.example.org`; empty for all.
    Host(&'a str),
}

/// A name of a certificate; `None` where it cannot be read as what it says it is.
pub(super) enum Name<'a> {
    Directory(&'a [u8]),
    Mailbox(Option<Mailbox>),
    /// A mailbox in an otherName (RFC 9598): its type, and what rfc822Name constraints apply to.
    Utf8Mailbox(&'a [u8], Option<Mailbox>),
    Dns(Option<&'a str>),
    /// The host of a URI.
    Uri(Option<&'a str>),
    Ip(&'a [u8]),
    Other(Option<&'a [u8]>),
    Unknown(u32),
}

impl<'a> Subtree<'a> {
    pub(super) fn read(base: &Tlv<'a>) -> Result<Self, TlvError> {
        let bad = || base.fail(TlvErrorKind::BadString(base.tag()));
        if base.tag().class != Class::ContextSpecific {
            return Err(base.fail(unexpected(base.tag())));
        }
        let form = match base.tag().number {
            0 => Form::Other(other_kind(base)?),
            1 => {
                let text = ascii(base).ok_or_else(bad)?;
                Form::Mailbox(if text.contains('@') {
                    MailboxBase::One(text.parse().map_err(|_| bad())?)
                } else {
                    MailboxBase::Host(domain(text).ok_or_else(bad)?)
                })
            }
            2 => Form::Dns(domain(ascii(base).ok_or_else(bad)?).ok_or_else(bad)?),
            4 => {
                let mut inner = base.reader()?;
                let directory = inner.expect(Tag::SEQUENCE)?.bytes();
                inner.finish()?;
                if !name::is_readable(directory) {
                    return Err(bad());
                }
                Form::Directory(directory)
            }
            6 => Form::Uri(domain(ascii(base).ok_or_else(bad)?).ok_or_else(bad)?),
            7 => {
                let octets = base.content();
                let (address, mask) = octets.split_at_checked(octets.len() / 2).ok_or_else(bad)?;
                if !matches!(octets.len(), 8 | 32) || !is_mask(mask) {
                    return Err(bad());
                }
                Form::Ip(address, mask)
            }
            number => Form::Unknown(number),
        };
        Ok(Self { form })
    }

    /// Whether `name` surely lies in a permitted subtree.
    pub(super) fn contains(&self, name: &Name<'_>) -> bool {
        match (&self.form, name) {
            (Form::Directory(base), Name::Directory(name)) => name::is_within(name, base),
            (Form::Mailbox(base), Name::Mailbox(Some(mailbox)) | Name::Utf8Mailbox(_, Some(mailbox))) => {
                base.contains(mailbox)
            }
            (Form::Dns(base), Name::Dns(Some(name))) => {
                base.is_empty() || is_below(name, base) || (!base.starts_with('.') && same(name, base))
            }
            (Form::Uri(base), Name::Uri(Some(host))) => base.is_empty() || at_host(host, base),
            (Form::Ip(base, mask), Name::Ip(address)) => {
                base.len() == address.len()
                    && base
                        .iter()
                        .zip(*mask)
                        .zip(*address)
                        .all(|((base, mask), octet)| base & mask == octet & mask)
            }
            _ => false,
        }
    }

    /// Whether `name` lies, or cannot be shown not to lie, in an excluded subtree.
    pub(super) fn may_contain(&self, name: &Name<'_>) -> bool {
        let unreadable = match name {
            Name::Mailbox(None) | Name::Utf8Mailbox(_, None) | Name::Dns(None) | Name::Uri(None) => true,
            Name::Ip(address) => !matches!(address.len(), 4 | 16),
            Name::Directory(name) => !name::is_readable(name),
            _ => false,
        };
        // `*.example.org` stands also for names below an excluded `host.example.org`.
        let covers = match (&self.form, name) {
            (Form::Dns(base), Name::Dns(Some(name))) => {
                name.strip_prefix('*').is_some_and(|parent| is_below(base.trim_start_matches('.'), parent))
            }
            _ => false,
        };
        (unreadable && name.is_of(&self.form)) || covers || self.contains(name)
    }
}

impl MailboxBase<'_> {
    fn contains(&self, mailbox: &Mailbox) -> bool {
        match self {
            Self::One(one) => one.matches(mailbox),
            Self::Host(base) => base.is_empty() || at_host(&mailbox.ascii_domain(), base),
        }
    }
}

impl<'a> Name<'a> {
    /// One GeneralName of subjectAltName.
    pub(super) fn read(value: &Tlv<'a>) -> Self {
        match value.tag().number {
            0 => match (other_kind(value).ok(), utf8_mailbox(value)) {
                (Some(kind), Some(mailbox)) => Self::Utf8Mailbox(kind, mailbox),
                (kind, _) => Self::Other(kind),
            },
            1 => Self::Mailbox(ascii(value).and_then(|text| text.parse().ok())),
            2 => Self::Dns(ascii(value).filter(|name| is_host(name.strip_prefix("*.").unwrap_or(name)))),
            4 => Self::Directory(
                value
                    .reader()
                    .and_then(|mut inner| inner.expect(Tag::SEQUENCE))
                    .map(|name| name.bytes())
                    .unwrap_or_default(),
            ),
            6 => Self::Uri(ascii(value).and_then(uri_host)),
            7 => Self::Ip(value.content()),
            number => Self::Unknown(number),
        }
    }

    pub(super) fn is_of(&self, form: &Form<'_>) -> bool {
        matches!(
            (self, form),
            (Self::Directory(_), Form::Directory(_))
                | (Self::Mailbox(_) | Self::Utf8Mailbox(..), Form::Mailbox(_))
                | (Self::Dns(_), Form::Dns(_))
                | (Self::Uri(_), Form::Uri(_))
                | (Self::Ip(_), Form::Ip(..))
        )
    }

    /// The type of an otherName.
    pub(super) fn other(&self) -> Option<&'a [u8]> {
        match self {
            Self::Utf8Mailbox(kind, _) => Some(kind),
            Self::Other(kind) => *kind,
            _ => None,
        }
    }

    pub(super) const fn unknown(&self) -> Option<u32> {
        match self {
            Self::Unknown(number) => Some(*number),
            _ => None,
        }
    }
}

fn unexpected(found: Tag) -> TlvErrorKind {
    TlvErrorKind::Unexpected { expected: Tag::context_primitive(1), found: Some(found) }
}

fn other_kind<'a>(value: &Tlv<'a>) -> Result<&'a [u8], TlvError> {
    Ok(value.reader()?.expect(Tag::OID)?.content())
}

// The outer `None` for another type of otherName.
fn utf8_mailbox(value: &Tlv<'_>) -> Option<Option<Mailbox>> {
    let mut fields = value.reader().ok()?;
    if fields.oid().ok()? != oid::SMTP_UTF8_MAILBOX {
        return None;
    }
    let text = fields.expect(Tag::context(0)).and_then(|wrapper| wrapper.reader()?.any());
    let mailbox = text.ok().and_then(|text| text.text().ok()?.parse::<Mailbox>().ok());
    Some(mailbox.filter(|mailbox| !mailbox.local().is_ascii()))
}

fn ascii<'a>(value: &Tlv<'a>) -> Option<&'a str> {
    core::str::from_utf8(value.content()).ok().filter(|text| text.is_ascii())
}

/// A host name that a constraint names: also empty, or with a dot in front.
fn domain(text: &str) -> Option<&str> {
    (text.is_empty() || is_host(text.strip_prefix('.').unwrap_or(text))).then_some(text)
}

fn is_host(name: &str) -> bool {
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))
    };
    name.len() <= crate::mailbox::MAX_DOMAIN_OCTETS && name.split('.').all(label)
}

fn same(one: &str, other: &str) -> bool {
    one.eq_ignore_ascii_case(other)
}

/// Whether `name` lies below `base`, with or without a dot in front.
fn is_below(name: &str, base: &str) -> bool {
    let base = base.strip_prefix('.').unwrap_or(base);
    let Some(cut) = name.len().checked_sub(base.len() + 1) else { return false };
    let (Some(tail), Some(b'.')) = (name.get(cut + 1..), name.as_bytes().get(cut)) else { return false };
    cut > 0 && same(tail, base)
}

/// For mailboxes and URIs: the very host, or below it where the base begins with a dot.
fn at_host(host: &str, base: &str) -> bool {
    if base.starts_with('.') { is_below(host, base) } else { same(host, base) }
}

fn is_mask(mask: &[u8]) -> bool {
    let bits = mask.iter().flat_map(|octet| (0..8).rev().map(move |bit| octet >> bit & 1));
    bits.is_sorted_by(|one, next| one >= next)
}

/// The host of `scheme://[user@]host[:port]…` where it is a name: a URI without one cannot be constrained, so that
/// a constraint refuses it (RFC 5280 §4.2.1.10).
fn uri_host(uri: &str) -> Option<&str> {
    let (scheme, rest) = uri.split_once(':')?;
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'+' | b'-' | b'.');
    if scheme.is_empty() || !scheme.bytes().all(plain) {
        return None;
    }
    let rest = rest.strip_prefix("//")?;
    // A backslash ends the host for some readers and not for others.
    if rest.contains('\\') {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next()?;
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    let host = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|octet| octet.is_ascii_digit()) => host,
        Some(_) => return None,
        None => host,
    };
    let address =
        host.rsplit('.').next().is_some_and(|last| last.bytes().all(|octet| octet.is_ascii_digit()));
    (is_host(host) && !address).then_some(host)
}
