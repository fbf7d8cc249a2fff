//! What has to work, and has to go on after a stop at any point.

use aecm_acme::machine::{Machine, Outcome, StateError};
use aecm_acme::plan::{Plan, PlanItem};
use aecm_acme::wire::{TokenForm, TokenSubmission};
use aecm_core::embed::{Method, OsRng};
use aecm_core::key::Signer;
use aecm_core::software::{KeySpec, SoftwareKey};
use aecm_core::suite::{Purpose, Suite};

use super::server::{SentMail, Server};
use super::world::{NOW, Stop, World, alice};

/// Two certificates of one suite: enough to see whether the authorization is shared, quick enough to repeat.
pub fn pair() -> Plan {
    let item = |purpose| PlanItem::new(Suite::Classic, purpose);
    Plan { mailbox: alice(), items: vec![item(Purpose::Sign), item(Purpose::Encrypt)] }
}

fn posts(world: &World, what: &str) -> usize {
    world.server.requests.iter().filter(|(method, url)| *method == Method::Post && url.contains(what)).count()
}

// A2, A5, A6: six certificates in each dialect, with one mail or six.
#[test]
fn six_certificates_in_every_dialect() {
    for submission in TokenSubmission::ALL {
        for (reuse, slow) in [(true, false), (false, true)] {
            let mut server = Server::dialect(NOW, submission, reuse);
            server.slow = slow;
            let mut world = World::new(server, Plan::dual(&alice()));
            let report = world.run(Stop::Never).unwrap();
            let word = submission.word();
            assert_eq!(world.installed.len(), 6, "{word}");
            assert!(report.outcomes.iter().all(|(_, outcome)| matches!(outcome, Outcome::Issued(_))));
            assert_eq!(world.server.mails.len(), if reuse { 1 } else { 6 }, "{word} reuse {reuse}");
            assert_eq!(world.server.orders_opened, 6);
            let profiles: Vec<_> = Plan::dual(&alice()).items.iter().map(|i| Some(i.to_string())).collect();
            assert_eq!(world.server.profiles_seen, profiles);
            for (item, certificate) in &world.installed {
                assert_eq!(certificate.public_key().unwrap().suite(), item.suite);
                assert_eq!(certificate.san_mailboxes(), [alice()]);
            }
            let responses = posts(&world, "/chall/");
            assert_eq!(responses == 0, submission == TokenSubmission::WithCsr, "{word}");
            assert_eq!(world.server.replies.is_empty(), submission != TokenSubmission::ReplyMail, "{word}");
        }
    }
}

// Rule 1, N6: saved, rebuilt and continued after every output, the end is the same.
#[test]
fn rebuilt_after_every_output() {
    for submission in TokenSubmission::ALL {
        for reuse in [true, false] {
            let plain = {
                let mut world = World::new(Server::dialect(NOW, submission, reuse), pair());
                world.run(Stop::Never).unwrap();
                world.outputs
            };
            let mut world = World::new(Server::dialect(NOW, submission, reuse), pair());
            world.run(Stop::Always).unwrap();
            assert_eq!(world.outputs, plain, "the same steps");
            assert_eq!(world.installed.len(), 2);
            assert_eq!(world.server.orders_opened, 2);
        }
    }
}

/// Crashes at every output of one dialect. Without reuse of authorizations the second order repeats the first,
/// so every third output is enough there.
fn crashed_at_every_output(submission: TokenSubmission) {
    for (reuse, stride) in [(true, 1), (false, 3)] {
        let make = || {
            let mut server = Server::dialect(NOW, submission, reuse);
            server.slow = !reuse;
            World::new(server, pair())
        };
        let mut plain = make();
        plain.run(Stop::Never).unwrap();
        for number in (0..plain.outputs).step_by(stride) {
            for stop in [Stop::Lost(number), Stop::Before(number)] {
                let mut world = make();
                let report = world.run(stop).unwrap_or_else(|error| {
                    panic!("{} reuse {reuse}, output {number}: {error}", submission.word())
                });
                assert_eq!(report.outcomes.len(), 2);
                assert_eq!(world.installed.len(), 2);
                let orders = world.server.orders_opened;
                assert!((2..=3).contains(&orders), "{orders} orders");
                assert!(world.server.replies.len() <= world.server.mails.len() + 1);
            }
        }
    }
}

// N11: a crash at any output, with the request carried out or not, is recovered from.
#[test]
fn crashed_at_every_output_with_csr() {
    crashed_at_every_output(TokenSubmission::WithCsr);
}

#[test]
fn crashed_at_every_output_with_challenge_response() {
    crashed_at_every_output(TokenSubmission::ChallengeResponse);
}

#[test]
fn crashed_at_every_output_with_reply_mail() {
    crashed_at_every_output(TokenSubmission::ReplyMail);
}

// A22: a stranger's mails for other authorizations are passed over by their hints, at no cost of a try.
#[test]
fn twenty_hostile_orders_cost_nothing_with_hints() {
    for submission in TokenSubmission::ALL {
        let mut server = Server::dialect(NOW, submission, true);
        for number in 0..20 {
            server.mails.push(hostile(number, Some("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")));
        }
        let mut world = World::new(server, pair());
        world.run(Stop::Never).unwrap();
        assert_eq!(world.server.orders_opened, 2);
        assert_eq!(world.server.replies.len(), usize::from(submission == TokenSubmission::ReplyMail));
    }
}

fn hostile(number: u8, hint: Option<&str>) -> SentMail {
    let part1 = aecm_acme::jws::encode(&[number; 24]);
    SentMail { id: format!("hostile-{number}"), part1, hint: hint.map(str::to_owned) }
}

// A22: without hints the candidates are tried in order of arrival, five for one authorization.
#[test]
fn without_hints_the_candidates_are_tried_in_order() {
    for submission in [TokenSubmission::WithCsr, TokenSubmission::ChallengeResponse] {
        for strangers in [4, 7] {
            let mut server = Server::dialect(NOW, submission, true);
            server.hints = false;
            server.mails.extend((0..strangers).map(|number| hostile(number, None)));
            let mut world = World::new(server, pair());
            world.run(Stop::Never).unwrap();
            // Seven strangers use up one authorization; the second order meets the rest.
            let orders = if strangers == 4 { 2 } else { 3 };
            assert_eq!(world.server.orders_opened, orders, "{} {strangers}", submission.word());
        }
    }
}

// A2: with nothing advertised the type of the challenge decides.
#[test]
fn without_meta_aecm_the_challenge_type_decides() {
    for (types, replies) in [
        (vec!["email-token-00"], 0),
        (vec!["email-reply-00"], 1),
        (vec!["email-token-00", "email-reply-00"], 0),
    ] {
        let mut server = Server::new(NOW);
        server.advertise = None;
        server.challenge_types = types;
        let mut world = World::new(server, pair());
        world.run(Stop::Never).unwrap();
        assert_eq!(world.server.replies.len(), replies);
        assert_eq!(posts(&world, "/chall/"), 1);
    }
}

// A2: the first of the server's words that is possible here.
#[test]
fn preferences_of_the_server_are_followed() {
    for (words, can_reply, responses) in [
        (vec!["reply-mail", "challenge-response"], false, 1),
        (vec!["telepathy", "with-csr"], true, 0),
        (vec![], true, 0),
    ] {
        let mut server = Server::new(NOW);
        server.advertise = Some(words);
        let mut world = World::new(server, pair());
        if !can_reply {
            world.configure = |config| config.can_reply = false;
        }
        world.run(Stop::Never).unwrap();
        assert_eq!(posts(&world, "/chall/"), responses);
        assert!(world.server.replies.is_empty());
    }
}

// A3: the digest instead of the token.
#[test]
fn the_digest_can_be_submitted_instead() {
    for submission in [TokenSubmission::WithCsr, TokenSubmission::ChallengeResponse] {
        let mut world = World::new(Server::dialect(NOW, submission, true), pair());
        world.configure = |config| config.token_form = TokenForm::KeyAuthorizationDigest;
        world.run(Stop::Never).unwrap();
    }
}

// A30: consent is asked once; a known account is used again without a newAccount request.
#[test]
fn a_known_account_is_used_again() {
    let mut world = World::new(Server::new(NOW), pair());
    let report = world.run(Stop::Never).unwrap();
    assert_eq!(posts(&world, "/new-account"), 1);
    world.consent = false;
    let account = report.account.clone();
    assert!(account.as_ref().unwrap().consent.is_some());
    let key = world.account.public_key().clone();
    let machine = Machine::new(world.config(), &key, &world.plan, account, 1).unwrap();
    world.drive(machine, Stop::Never).unwrap();
    assert_eq!(posts(&world, "/new-account"), 1);
    assert_eq!(world.server.mails.len(), 1, "the authorization still serves");
}

// N6: a state belongs to its account key and directory, and to this version.
#[test]
fn foreign_states_are_refused() {
    let world = World::new(Server::new(NOW), pair());
    let saved = world.machine().unwrap().save().unwrap();
    let other = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
    assert_eq!(Machine::restore(world.config(), other.public_key(), &saved).err(), Some(StateError::Other));
    let mut config = world.config();
    config.directory_url = "https://other.example/directory".into();
    let key = world.account.public_key();
    assert_eq!(Machine::restore(config, key, &saved).err(), Some(StateError::Other));
    let text = String::from_utf8(saved.to_vec()).unwrap();
    let newer = text.replacen(r#""version":1"#, r#""version":9"#, 1);
    let restore = |octets: &[u8]| Machine::restore(world.config(), key, octets).err();
    assert_eq!(restore(newer.as_bytes()), Some(StateError::Version { found: 9 }));
    assert_eq!(restore(b"{}"), Some(StateError::Malformed));
    for length in (0..saved.len()).step_by(97) {
        assert_eq!(restore(&saved[..length]), Some(StateError::Malformed));
    }
}
