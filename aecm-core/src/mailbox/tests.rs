use alloc::format;
use alloc::string::{String, ToString};

use super::*;

fn parse(text: &str) -> Result<Mailbox, MailboxError> {
    text.parse()
}

#[test]
fn parts() {
    for (text, local, domain) in [
        ("alice@example.org", "alice", "example.org"),
        ("Alice.B+tag@EXAMPLE.Org", "Alice.B+tag", "example.org"),
        ("\"alice smith\"@example.org", "\"alice smith\"", "example.org"),
        ("\"a\\\"b\\\\c\"@example.org", "\"a\\\"b\\\\c\"", "example.org"),
        ("\"alice\"@example.org", "alice", "example.org"),
        ("\"a@b\"@example.org", "\"a@b\"", "example.org"),
        ("\"a..b\"@example.org", "\"a..b\"", "example.org"),
        ("用户@例子.广告", "用户", "例子.广告"),
        ("a@localhost", "a", "localhost"),
        ("!#$%&'*+-/=?^_`{|}~@1.example", "!#$%&'*+-/=?^_`{|}~", "1.example"),
    ] {
        let mailbox = parse(text).unwrap();
        assert_eq!((mailbox.local(), mailbox.domain()), (local, domain), "{text}");
        assert_eq!(parse(mailbox.as_str()), Ok(mailbox.clone()), "{text}");
        assert_eq!(mailbox.to_string(), format!("{local}@{domain}"));
    }
}

// M1: what could be taken for another address than it is.
#[test]
fn what_is_no_address_is_refused_m1() {
    use MailboxError::{DomainCharacter, EmptyPart, Hyphen, LocalCharacter, NoAt, Unterminated};
    for (text, wanted) in [
        ("", NoAt),
        ("alice", NoAt),
        ("@example.org", EmptyPart),
        ("alice@", EmptyPart),
        ("alice@example..org", EmptyPart),
        ("alice@example.org.", EmptyPart),
        ("alice@.example.org", EmptyPart),
        (".alice@example.org", EmptyPart),
        ("alice.@example.org", EmptyPart),
        ("a..b@example.org", EmptyPart),
        ("\"\"@example.org", EmptyPart),
        ("a b@example.org", LocalCharacter(' ')),
        ("a\0b@example.org", LocalCharacter('\0')),
        ("\"a\0b\"@example.org", LocalCharacter('\0')),
        ("\"a\r\nb\"@example.org", LocalCharacter('\r')),
        ("\"a\\\nb\"@example.org", LocalCharacter('\n')),
        ("a@evil.example@example.org", LocalCharacter('@')),
        ("Alice <alice@example.org", LocalCharacter(' ')),
        ("<alice@example.org", LocalCharacter('<')),
        ("a(comment)@example.org", LocalCharacter('(')),
        ("a\u{202e}b@example.org", LocalCharacter('\u{202e}')),
        ("\"a\u{200b}b\"@example.org", LocalCharacter('\u{200b}')),
        ("a\u{a0}b@example.org", LocalCharacter('\u{a0}')),
        ("a\u{85}b@example.org", LocalCharacter('\u{85}')),
        ("alice@example.org\0.evil.example", DomainCharacter('\0')),
        ("alice@example.org>", DomainCharacter('>')),
        ("alice@example.org ", DomainCharacter(' ')),
        ("alice@exa_mple.org", DomainCharacter('_')),
        ("alice@[192.0.2.1]", DomainCharacter('[')),
        ("alice@example.org\n", DomainCharacter('\n')),
        ("alice@example\u{3002}org", DomainCharacter('\u{3002}')),
        ("alice@\u{ff45}xample.org", DomainCharacter('\u{ff45}')),
        ("alice@exam\u{ad}ple.org", DomainCharacter('\u{ad}')),
        ("alice@exam\u{e000}ple.org", DomainCharacter('\u{e000}')),
        ("alice@-example.org", Hyphen),
        ("alice@example-.org", Hyphen),
        ("\"alice@example.org", Unterminated),
        ("\"alice\\", Unterminated),
        ("\"alice\"example.org", NoAt),
        ("\"alice\" @example.org", NoAt),
    ] {
        assert_eq!(parse(text), Err(wanted), "{text:?}");
    }
}

#[test]
fn lengths_at_and_beyond_the_limit() {
    let local = "a".repeat(64);
    assert!(parse(&format!("{local}@example.org")).is_ok());
    assert_eq!(
        parse(&format!("{local}a@example.org")),
        Err(MailboxError::TooLong { octets: 65, limit: MAX_LOCAL_OCTETS })
    );
    let label = "b".repeat(63);
    assert!(parse(&format!("a@{label}.org")).is_ok());
    assert_eq!(parse(&format!("a@{label}b.org")), Err(MailboxError::TooLong { octets: 64, limit: 63 }));
    let domain = [label.as_str(), &label, &label, &"c".repeat(60)].join(".");
    assert_eq!(domain.len(), 252);
    assert!(parse(&format!("a@{domain}")).is_ok());
    assert_eq!(parse(&format!("ab@{domain}")), Err(MailboxError::TooLong { octets: 255, limit: MAX_OCTETS }));
    assert!(matches!(
        parse(&format!("a@{domain}.d")),
        Err(MailboxError::TooLong { limit: MAX_DOMAIN_OCTETS, .. })
    ));
    assert!(matches!(parse(&"x".repeat(1 << 20)), Err(MailboxError::TooLong { .. })));
}

#[test]
fn matching_m1() {
    let alice = parse("alice@example.org").unwrap();
    for same in ["alice@EXAMPLE.ORG", "\"alice\"@example.org"] {
        assert!(alice.matches(&parse(same).unwrap()), "{same}");
    }
    for other in [
        "Alice@example.org",
        "alice@example.com",
        "alice@sub.example.org",
        "alice+x@example.org",
        "аlice@example.org",
    ] {
        assert!(!alice.matches(&parse(other).unwrap()), "{other}");
    }
    let unicode = parse("a@bücher.example").unwrap();
    let ascii = parse("a@XN--bcher-kva.example").unwrap();
    assert!(unicode.matches(&ascii) && ascii.matches(&unicode));
    assert_ne!(unicode, ascii);
    assert!(!unicode.matches(&parse("a@bucher.example").unwrap()));
}

// Sample strings of RFC 3492 §7.1 (A), (B), (L), (R) and registered names.
#[test]
fn punycode_vectors() {
    for (unicode, ascii) in [
        ("ليهمابتكلموشعربي؟", "xn--egbpdaj6bu4bxfgehfvwxn"),
        ("他们为什么不说中文", "xn--ihqwcrb4cv8a8dqg056pqjye"),
        ("3年b組金八先生", "xn--3b-ww4c5e180e575a65lsy2b"),
        ("そのスピードで", "xn--d9juau41awczczp"),
        ("例子", "xn--fsqu00a"),
        ("münchen", "xn--mnchen-3ya"),
    ] {
        assert_eq!(punycode::to_ascii(unicode), ascii);
    }
    let long: String = core::iter::repeat_n('\u{10000}', 63).collect();
    assert!(punycode::to_ascii(&long).starts_with("xn--"));
}
