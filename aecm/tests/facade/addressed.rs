//! From, To and Cc of a mail against who signs it and who can read it; one provisioning at a time.

use std::time::Duration;

use aecm::{Error, Plan};

use crate::world::{World, address, family, letter, memory, run};

// M1: a signature under a mail of somebody else would only be called a mismatch by every reader.
#[test]
fn m1_a_mail_of_somebody_else_is_not_signed() {
    let family = family();
    run(async {
        let (alice, bob) = (&family.alice, &family.bob);
        let to = [address(bob)];
        let raw = letter(bob.address().as_str(), alice.address().as_str());
        match alice.compose(&raw).to(to.clone()).sign().await {
            Err(Error::NotFrom { mailbox, found: Some(found) }) => {
                assert_eq!((&mailbox, &found), (alice.address(), bob.address()));
            }
            other => panic!("{other:?}"),
        }
        let raw = String::from_utf8(letter("x@example.test", bob.address().as_str())).unwrap();
        let raw = raw.replace("Sender <x@example.test>", &format!("{}, {}", alice.address(), bob.address()));
        assert!(matches!(alice.compose(raw.as_bytes()).to(to.clone()).sign().await, Err(Error::Header(_))));
        // Encrypting without a signature claims nothing about the author.
        let raw = letter(bob.address().as_str(), bob.address().as_str());
        assert!(alice.compose(&raw).to(to).encrypt().await.is_ok());
    });
}

#[test]
fn a_reader_shown_in_to_or_cc_has_to_be_named() {
    let family = family();
    run(async {
        let (alice, bob, carol) = (&family.alice, &family.bob, &family.carol);
        for shown in [
            format!("{}, {}", bob.address(), carol.address()),
            format!("{}\r\nCc: Carol <{}>", bob.address(), carol.address()),
            format!("friends: {}, {};", bob.address(), carol.address()),
        ] {
            let raw = letter(alice.address().as_str(), &shown);
            match alice.compose(&raw).to([address(bob)]).sign().encrypt().await {
                Err(Error::NotNamed { mailbox }) => assert_eq!(mailbox, *carol.address(), "{shown}"),
                other => panic!("{shown}: {other:?}"),
            }
            // Asked for, or readable by all: it goes.
            assert!(alice.compose(&raw).to([address(bob)]).only_named().sign().encrypt().await.is_ok());
            assert!(alice.compose(&raw).to([address(bob)]).sign().await.is_ok());
            assert!(alice.compose(&raw).to([address(bob), address(carol)]).sign().encrypt().await.is_ok());
        }
    });
}

#[test]
fn a_mailbox_is_provisioned_by_one_call_at_a_time() {
    run(async {
        let world = World::new().await;
        let aecm = world.builder(world.http(), memory()).build().unwrap();
        let mailbox = aecm.mailbox(world.address("busy").as_str()).unwrap();
        let (first, second) = tokio::join!(mailbox.provision(Plan::sm2()), mailbox.provision(Plan::sm2()));
        let refused = [&first, &second].iter().filter(|result| matches!(result, Err(Error::Busy(_)))).count();
        assert_eq!(refused, 1, "{first:?} {second:?}");
        assert_eq!(world.service.post_office().delivered(), 1);
        // The turn ended with the call, and an interrupted one gives it back too.
        let cut = tokio::time::timeout(Duration::from_millis(1), mailbox.provision(Plan::classic())).await;
        assert!(cut.is_err(), "RSA keys are not made in a millisecond");
        assert!(mailbox.provision(Plan::sm2()).await.unwrap().is_complete());
    });
}
