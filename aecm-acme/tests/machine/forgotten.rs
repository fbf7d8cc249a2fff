//! Accounts the server forgets, mails that come again, challenges that share a URL.

use aecm_acme::machine::{AcceptedMail, Error, Input, Output, StepName};
use aecm_acme::mail::ChallengeMail;
use aecm_acme::plan::Plan;
use aecm_acme::token::{TokenJoin, TokenPart1};
use aecm_acme::wire::{ProblemType, TokenSubmission};
use serde_json::json;

use super::flow::pair;
use super::mischief::{edit, one};
use super::server::{BASE, SentMail, Server, problem};
use super::world::{NOW, Stop, World};

/// The server does not know the account at the next `count` orders.
fn forgets(count: usize) -> World {
    let mut server = Server::new(NOW);
    let mut left = count;
    server.tamper = Some(Box::new(move |request, response| {
        if request.url.ends_with("/new-order") && left > 0 {
            left -= 1;
            *response = problem(400, "accountDoesNotExist", "who?");
        }
    }));
    World::new(server, one())
}

fn registrations(world: &World) -> usize {
    world.server.requests.iter().filter(|(_, url)| url.ends_with("/new-account")).count()
}

// RFC 8555 §7.3: an account that was made in this plan and is forgotten is made once more, not for ever.
#[test]
fn a_forgotten_account_is_made_once_more() {
    let mut world = forgets(1);
    world.run(Stop::Never).unwrap();
    assert_eq!(registrations(&world), 2);

    let mut world = forgets(2);
    let mut machine = world.machine().unwrap();
    let error = loop {
        if let Err(error) = world.step(&mut machine) {
            break error;
        }
    };
    let Error::Problem { step: StepName::NewOrder, problem } = error else { panic!("{error}") };
    assert_eq!(problem.kind, ProblemType::AccountDoesNotExist);
    assert_eq!(registrations(&world), 2);
    // And the next try begins with a new account.
    let machine = world.restore(&machine);
    world.drive(machine, Stop::Never).unwrap();
    assert_eq!(registrations(&world), 3);
}

fn copies(count: usize) -> impl Iterator<Item = SentMail> {
    let part1 = aecm_acme::jws::encode(&[9; 24]);
    (0..count).map(move |number| SentMail { id: format!("copy-{number}"), part1: part1.clone(), hint: None })
}

// A22, C4: copies of one wrong mail cost one try.
#[test]
fn copies_of_a_wrong_mail_cost_one_try() {
    for submission in [TokenSubmission::WithCsr, TokenSubmission::ChallengeResponse] {
        let mut server = Server::dialect(NOW, submission, true);
        server.hints = false;
        server.mails.extend(copies(7));
        let mut world = World::new(server, pair());
        world.run(Stop::Never).unwrap();
        assert_eq!(world.server.orders_opened, 2, "{}", submission.word());
        assert!(world.server.requests.len() < 40);
    }
}

// C4: when no more mails can be remembered the order ends; none is used twice.
#[test]
fn more_mails_than_can_be_remembered() {
    let mut server = Server::new(NOW);
    server.hints = false;
    let mut world = World::new(server, one());
    world.configure = |config| config.token_join = TokenJoin::BytesReencoded;
    let mut machine = world.machine().unwrap();
    let mut handed = 0_u32;
    let error = loop {
        let wait = match machine.poll(world.now).unwrap() {
            Output::WaitMail(wait) => wait,
            other => {
                let input = world.carry_out(other);
                machine.handle(input, world.now).unwrap();
                continue;
            }
        };
        assert_eq!(wait.consumed.len(), usize::try_from(handed).unwrap());
        // Its last bits are not zero: its octets cannot be joined, and nothing is submitted.
        let part1 =
            format!("{}B", aecm_acme::jws::encode(&[&[0; 12][..], &handed.to_be_bytes()[1..]].concat()));
        let challenge = ChallengeMail {
            token_part1: TokenPart1::parse(&format!("A{part1}")).unwrap(),
            authz_hint: None,
            message_id: None,
            reply_to: wait.from.clone(),
            subject: String::new(),
        };
        let mails = vec![AcceptedMail { id: handed.to_string(), challenge }];
        handed += 1;
        if let Err(error) = machine.handle(Input::Mails { accepted: mails, refused: Vec::new() }, world.now) {
            break error;
        }
        assert!(handed < 5_000);
    };
    assert_eq!(error, Error::TooManyMails { limit: 1_000 });
    assert_eq!(handed, 1_001);
    // The next try has an order and a mail of its own.
    world.server.mails.clear();
    world.drive(machine, Stop::Never).unwrap();
    assert_eq!(world.server.orders_opened, 2);
}

// The state of one mailbox serves no other.
#[test]
fn a_plan_for_another_mailbox_is_not_taken_up() {
    let world = World::new(Server::new(NOW), one());
    let mut machine = world.machine().unwrap();
    let other = Plan { mailbox: "bob@example.com".parse().unwrap(), ..pair() };
    assert!(!machine.retarget(&other));
    assert_eq!(machine.plan(), one());
    assert!(machine.retarget(&pair()));
    assert_eq!(machine.plan(), pair());
}

// RFC 8555 §7.5: a challenge is known by URL and type; two types may share a URL.
#[test]
fn challenges_that_share_a_url() {
    let mut server = Server::dialect(NOW, TokenSubmission::ChallengeResponse, true);
    server.hints = false;
    server.challenge_types = vec!["email-reply-00", "email-token-00"];
    server.mails.extend(copies(1));
    server.tamper = Some(Box::new(edit("/authz/", |authz| {
        authz["challenges"][0]["url"] = json!(format!("{BASE}/chall/0/email-token-00"));
    })));
    let mut world = World::new(server, one());
    world.run(Stop::Never).unwrap();
    assert_eq!(world.server.orders_opened, 1);
}

// A6: a server that names a profile of its own although none was asked for.
#[test]
fn a_profile_that_was_not_asked_for() {
    let mut server = Server::new(NOW);
    server.meta_more = json!({ "profiles": {} });
    server.names_profile = Some("default");
    let mut world = World::new(server, one());
    world.run(Stop::Never).unwrap();
    assert_eq!(world.server.profiles_seen, [None]);
}
