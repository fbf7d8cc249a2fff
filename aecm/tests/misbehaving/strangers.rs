//! A22, C6: strangers with accounts of their own order for Alice's mailbox, at each of her requests.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use aecm::acme::mail::{Mail, MailError, MailSource};
use aecm::core::mailbox::Mailbox;
use aecm::core::time::Time;
use aecm::{Aecm, Plan};

use crate::script::{Interlude, Place};
use crate::stage::{Stage, ensure, scene};
use crate::world::{memory, run};

/// The strangers cannot read Alice's mail.
struct Nothing;

#[async_trait::async_trait]
impl MailSource for Nothing {
    async fn mails(&self, mailbox: &Mailbox, _: Time) -> Result<Vec<Mail>, MailError> {
        Err(MailError::NoMailbox(mailbox.to_string()))
    }
}

struct Strangers {
    each: Vec<Aecm>,
    mailbox: String,
    came: AtomicUsize,
}

#[async_trait::async_trait]
impl Interlude for Strangers {
    async fn before(&self, number: usize) {
        let Some(stranger) = self.each.get(number - 1) else { return };
        let outcome = stranger.mailbox(&self.mailbox).unwrap().provision(Plan::sm2()).await;
        assert!(matches!(outcome, Err(aecm::Error::Provision(_))), "{outcome:?}");
        self.came.fetch_add(1, Ordering::SeqCst);
    }
}

#[test]
fn twenty_hostile_orders_while_alice_provisions() {
    run(async {
        for reuse in [true, false] {
            let stage = Stage::for_six(|options| options.acme.reuse_authorizations = reuse).await;
            let stranger = || stage.builder(memory()).mail(Arc::new(Nothing)).build().unwrap();
            let strangers = Arc::new(Strangers {
                each: (0..20).map(|_| stranger()).collect(),
                mailbox: "alice.1@example.test".to_owned(),
                came: AtomicUsize::new(0),
            });
            let play = scene(format!("strangers at each request, reuse {reuse}"))
                .six()
                .interlude(strangers.clone())
                .check(|seen| {
                    let finalized = seen.requests(Place::Finalize);
                    ensure(finalized == 6, || format!("{finalized} finalize requests"))
                });
            stage.play(vec![play]).await;
            assert_eq!(strangers.came.load(Ordering::SeqCst), 20);
            let alice: Mailbox = strangers.mailbox.parse().unwrap();
            let mails = stage.world.service.mail_source().mails(&alice, Time::from_unix(0)).await.unwrap();
            assert_eq!(mails.len(), 20 + if reuse { 1 } else { 6 });
            assert_eq!(stage.issued(&alice).await.len(), 6, "they got nothing");
        }
    });
}

// What the tables show with three certificates, with all six.
#[test]
fn six() {
    run(async {
        use crate::script::{Act, on};
        let stage = Stage::for_six(|_| {}).await;
        let scenes = vec![
            scene("nothing is wrong").six(),
            scene("the fifth finalize is lost, taken")
                .six()
                .rule(on(Place::Finalize).from(5).act(Act::LoseAnswer)),
            scene("the encrypting certificate is somebody else's")
                .six()
                .rule(on(Place::Certificate).from(5).edit_seeing(|response, seen| {
                    response.body.clone_from(&seen.first[&Place::Certificate].body);
                }))
                .ends(crate::stage::fails!(
                    aecm::acme::client::ClientError::Machine(aecm::acme::machine::Error::Certificate(_)),
                    "another key"
                )),
        ];
        stage.play(scenes).await;
    });
}
