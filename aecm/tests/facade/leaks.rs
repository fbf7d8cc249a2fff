//! N9, K2: what is printed holds no token and no key.

use std::sync::{Arc, Mutex};

use aecm::core::time::Time;
use aecm::{Event, Plan};

use crate::world::{World, address, letter, memory, run};

fn hex(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}

/// As `{:?}` prints octets.
fn list(octets: &[u8]) -> String {
    let text = format!("{octets:?}");
    text.trim_matches(['[', ']']).to_owned()
}

#[test]
fn n9_k2_nothing_printed_holds_a_token_or_a_key() {
    run(async {
        let world = World::new().await;
        let own = world.address("alice");
        let store = memory();
        let builder = world.builder(world.http(), store.clone());
        let mut printed = format!("{builder:?}\n");
        let aecm = builder.build().unwrap();
        let mailbox = aecm.mailbox(own.as_str()).unwrap();
        let events = Arc::new(Mutex::new(String::new()));
        let told = events.clone();
        let observer = move |event: Event| told.lock().unwrap().push_str(&format!("{event:?}\n{event:#?}\n"));
        let report = mailbox.provision_observed(Plan::sm2(), Some(Arc::new(observer))).await.unwrap();
        let raw = letter(own.as_str(), own.as_str());
        let compose = mailbox.compose(&raw).to([address(&mailbox)]).protect().own_timestamp();
        printed.push_str(&format!("{compose:?}\n"));
        let composed = compose.await.unwrap();
        let opened = mailbox.open(&composed.mail).await.unwrap();
        assert_eq!(opened.verdict.word(), "valid");
        let layers = format!("{:?}", opened.layers);
        let entries = mailbox.entries().await.unwrap();
        printed.push_str(&format!(
            "{aecm:?} {mailbox:?} {report:?} {:?} {:?} {:?} {entries:?} {layers} {:?} {:?}",
            composed.plan, composed.reasons, composed.stamp, world.service, world.trust
        ));
        printed.push_str(&events.lock().unwrap());

        let mails = world.service.mail_source().mails(&own, Time::from_unix(0)).await.unwrap();
        let text = String::from_utf8(mails[0].raw.clone()).unwrap();
        let token = text.lines().find_map(|line| line.strip_prefix("Subject: ACME: ")).unwrap().trim();
        assert!(!printed.contains(token), "token-part1");
        for entry in &entries {
            let pkcs8 = store.export(&own, &entry.id).await.unwrap();
            // PKCS#8 of an EC key: the scalar is the first OCTET STRING of 32 octets.
            let at = pkcs8.windows(2).position(|window| window == [0x04, 0x20]).unwrap() + 2;
            let scalar = &pkcs8[at..at + 32];
            for form in [hex(scalar), hex(scalar).to_uppercase(), list(scalar), list(&scalar[..8])] {
                assert!(!printed.contains(&form), "{:?}", entry.slot);
            }
        }
        assert!(printed.contains(own.as_str()), "it does say something");
    });
}
