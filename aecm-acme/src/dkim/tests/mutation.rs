//! What we sign verifies; whatever is changed in what is covered does not.

use super::*;

#[test]
fn every_canonicalization_round_trips() {
    let zone = Zone::usual();
    for (header, body) in CANONICALIZATIONS {
        let options = options()
            .canonicalization(header, body)
            .signed_at(NOW)
            .expires(NOW.plus(std::time::Duration::from_secs(9)));
        for mail in [
            PLAIN,
            b"From: a@b\r\n\r\n",
            b"From: a@b\r\n",
            b"From: a@b\r\n\r\nno line end",
            b"From: a@b\r\n\r\n \r\n\r\n",
        ] {
            let signed = sign(&options, mail);
            assert!(outcome(&signed, &zone).is_ok(), "{header}/{body}");
            assert!(signed.split(|byte| *byte == b'\n').all(|line| line.len() <= 999));
            // The same in a Maildir, where lines end in LF alone.
            let unix: Vec<u8> = signed.iter().copied().filter(|byte| *byte != b'\r').collect();
            assert!(outcome(&unix, &zone).is_ok(), "{header}/{body}");
            assert!(report(&unix, &zone).bare_lf);
        }
    }
}

#[test]
fn every_octet_counts_in_simple_simple() {
    let zone = Zone::usual();
    let options = options().canonicalization(Canonicalization::Simple, Canonicalization::Simple).fields(&[
        "from",
        "to",
        "subject",
        "date",
        "message-id",
        "x-many",
        "x-many",
    ]);
    let signed = sign(&options, PLAIN);
    let records = prepared(&signed, &zone);
    for at in 0..signed.len() {
        for mask in [0x01, 0x20, 0x80] {
            let mut changed = signed.clone();
            changed[at] ^= mask;
            assert!(!passes(&changed, &records), "octet {at} with {mask:#x}");
        }
        let mut shorter = signed.clone();
        shorter.remove(at);
        // Only empty lines at the end are free (§3.4.3), and the folds inside `b=`.
        let value_starts = signed.windows(3).position(|three| three == b" b=").unwrap();
        let value_ends = signed.windows(6).position(|six| six == b"From: ").unwrap();
        let free = at >= signed.len() - 6 || (value_starts..value_ends).contains(&at);
        assert!(free || !passes(&shorter, &records), "without octet {at}");
    }
}

#[test]
fn relaxed_lets_white_space_and_case_of_names_go_and_nothing_else() {
    let zone = Zone::usual();
    let signed = String::from_utf8(sign(&options(), PLAIN)).unwrap();
    for (from, to) in [
        ("Subject: Is  dinner\r\n\tready?", "SUBJECT:Is dinner ready?  "),
        ("Subject: ", "Subject  :\t "),
        ("Hi. \t \r\n", "Hi.\r\n"),
        ("  We lost  the", " We\tlost the"),
        ("Joe.\r\n\r\n\r\n", "Joe.\r\n"),
        ("Joe.\r\n\r\n\r\n", "Joe."),
        ("X-Many: from a\r\n", ""),
        (
            "To: suzie@example.test\r\nSubject: Is  dinner\r\n\tready?\r\n",
            "Subject: Is  dinner ready?\r\nTo: suzie@example.test\r\n",
        ),
    ] {
        assert!(signed.contains(from), "{from}");
        assert!(outcome(signed.replacen(from, to, 1).as_bytes(), &zone).is_ok(), "{from:?} -> {to:?}");
    }
    for (from, to) in [
        ("Is  dinner", "Isdinner"),
        ("Is  dinner", "is  dinner"),
        ("We lost", "Welost"),
        ("Hi.", " Hi."),
        ("\r\n\r\nHi.", "\r\n\r\n\r\nHi."),
        ("Joe.\r\n", "Joe.\r\n\r\n.\r\n"),
        ("suzie@", "susie@"),
        ("To: suzie@example.test\r\n", ""),
        ("To: suzie@example.test\r\n", "To: suzie@example.test\r\nTo: mallory@example.test\r\n"),
        // Oversigned: these cannot be added.
        ("To: ", "Cc: mallory@example.test\r\nTo: "),
        ("To: ", "Reply-To: mallory@example.test\r\nTo: "),
        ("From: ", "From: mallory@example.test\r\nFrom: "),
        ("v=1;", "v=1; l=0;"),
        ("c=relaxed/relaxed", "c=relaxed/simple"),
        ("c=relaxed/relaxed", "c=simple/relaxed"),
        ("d=ca.example.test", "d=evil.test"),
        ("h=from:from:", "h=from:"),
    ] {
        assert!(signed.contains(from), "{from}");
        assert!(outcome(signed.replacen(from, to, 1).as_bytes(), &zone).is_err(), "{from:?} -> {to:?}");
    }
}

#[test]
fn fields_of_one_name_are_picked_from_the_bottom() {
    let zone = Zone::usual();
    let one = sign(&options().fields(&["from", "x-many"]), PLAIN);
    let text = String::from_utf8(one).unwrap();
    // Only the last is signed: the first may change, and then is known to be uncovered.
    let report_of = |mail: &str| report(mail.as_bytes(), &zone);
    let changed = report_of(&text.replacen("from a", "from z", 1));
    let passed = changed.passing(|_| true).unwrap();
    assert!(!passed.covers("x-many"));
    assert_eq!(passed.covered[1].uncovered, 1);
    assert!(report_of(&text.replacen("from b", "from z", 1)).passing(|_| true).is_none());
    let swapped = text.replacen("X-Many: from a\r\nX-Many: from b", "X-Many: from b\r\nX-Many: from a", 1);
    assert!(report_of(&swapped).passing(|_| true).is_none());
    // RFC 6376 allows this; whoever reads From has to ask `covers`.
    let added = report_of(&text.replacen("From: ", "From: mallory@evil.test\r\nFrom: ", 1));
    assert!(!added.passing(|_| true).unwrap().covers("from"));
}

// THREATS §11: 10^4 mutated mails, none accepted whose covered content differs.
#[test]
fn no_mutated_mail_is_accepted() {
    let zone = Zone::usual();
    let signed = sign(&options(), PLAIN);
    let records = prepared(&signed, &zone);
    let covered =
        ["from", "to", "cc", "subject", "date", "message-id", "reply-to", "in-reply-to", "references"];
    let (genuine_header, genuine_body) = content(&signed, &covered);
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut accepted = 0;
    for round in 0..10_000 {
        let mut mail = signed.clone();
        for _ in 0..=random.below(3) {
            random.mutate(&mut mail);
        }
        if passes(&mail, &records) {
            accepted += 1;
            let (header, body) = content(&mail, &covered);
            assert_eq!((header, body), (genuine_header.clone(), genuine_body.clone()), "round {round}");
        }
    }
    // White space and uncovered fields change without harm, so some have to be let through.
    assert!((10..5_000).contains(&accepted), "{accepted}");
}

fn prepared(mail: &[u8], zone: &Zone) -> Records {
    run(prepare(mail, NOW, &VerifyOptions::default()).unwrap().look_up(zone))
}

fn passes(mail: &[u8], records: &Records) -> bool {
    prepare(mail, NOW, &VerifyOptions::default())
        .is_ok_and(|pending| pending.check(records).passing(|_| true).is_some())
}

/// Name, field after field of that name, words.
type Words = Vec<(String, Vec<Vec<String>>)>;

/// What a reader sees, computed without the code under test: the words of each covered field, and the words of
/// each line of the body with whether it starts with white space.
fn content(mail: &[u8], covered: &[&str]) -> (Words, Vec<(bool, Vec<String>)>) {
    let text: String = mail.iter().map(|byte| char::from(*byte)).collect::<String>().replace("\r\n", "\n");
    let (header, body) = text.split_once("\n\n").unwrap_or((text.trim_end_matches('\n'), ""));
    let unfolded = header.replace("\n ", " ").replace("\n\t", " ");
    let words =
        |text: &str| text.split([' ', '\t']).filter(|word| !word.is_empty()).map(str::to_owned).collect();
    let fields = covered
        .iter()
        .map(|name| {
            let of_name = unfolded.lines().filter_map(|line| {
                let (found, value) = line.split_once(':')?;
                found.trim().eq_ignore_ascii_case(name).then(|| words(value))
            });
            ((*name).to_owned(), of_name.collect())
        })
        .collect();
    let mut lines: Vec<(bool, Vec<String>)> =
        body.split('\n').map(|line| (line.starts_with([' ', '\t']), words(line))).collect();
    while lines.last().is_some_and(|(_, words)| words.is_empty()) {
        lines.pop();
    }
    for line in &mut lines {
        line.0 &= !line.1.is_empty();
    }
    (fields, lines)
}

struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap() % limit
    }

    fn mutate(&mut self, mail: &mut Vec<u8>) {
        let at = self.below(mail.len());
        match self.below(9) {
            0 => mail[at] ^= 1 << self.below(8),
            1 => mail[at] = [b' ', b'\t', b'\r', b'\n', b':', b';', b'=', 0][self.below(8)],
            2 => drop(mail.remove(at)),
            3 => mail.insert(at, [b' ', b'\t', b'a', b':'][self.below(4)]),
            4 => {
                let lines: [&[u8]; 5] = [b"\r\n", b"\r\n ", b"X: y\r\n", b"From: a@b\r\n", b" \t"];
                let line = lines[self.below(5)];
                mail.splice(at..at, line.iter().copied());
            }
            5 => {
                // A whole line moves.
                let mut lines: Vec<Vec<u8>> =
                    mail.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                let line = lines.remove(self.below(lines.len()));
                lines.insert(self.below(lines.len() + 1), line);
                *mail = lines.concat();
            }
            6 => mail.truncate(mail.len() - self.below(20).min(mail.len())),
            7 => {
                mail.extend_from_slice([b"\r\n".as_slice(), b" \r\n", b"x", b"\r\n\r\nx\r\n"][self.below(4)])
            }
            _ => mail[at] = mail[at].to_ascii_uppercase(),
        }
    }
}
