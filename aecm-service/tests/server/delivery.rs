//! Where mail goes: a Maildir, a mail server, both.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use aecm_core::embed::{Clock as _, OsRng, Rng, SystemClock};
use aecm_core::oid;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::tlv::{Tag, write};
use aecm_service::mail::Outbox;
use aecm_service::{MailDelivery, Service, SmtpDelivery, SmtpSecurity};

use crate::client::{Client, field, key, start_with};
use crate::smtp::{Act, SmtpServer};
use crate::state::{Scratch, World};

fn mails_in(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut mails: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
        })
        .collect();
    mails.sort();
    mails
}

#[tokio::test]
async fn mail_goes_into_one_maildir_for_everybody() {
    let scratch = Scratch::new();
    let way = MailDelivery::Maildir(scratch.0.clone());
    let service = start_with(|options| options.mail = vec![way]).await;
    for part in ["tmp", "new", "cur"] {
        assert!(scratch.0.join(part).is_dir(), "{part}");
    }
    let mut client = Client::registered(&service).await;
    let mailboxes = ["alice@example.test", "bob@example.org", "王@example.test"];
    for mailbox in mailboxes {
        client.order(&mailbox.parse().unwrap(), None).await;
    }
    let mails = mails_in(&scratch.0.join("new"));
    assert_eq!(mails.len(), 3);
    assert_eq!(service.post_office().delivered(), 3);
    assert!(mails_in(&scratch.0.join("tmp")).is_empty());
    let mut to: Vec<String> = mails.iter().map(|(_, raw)| field(raw, "To").unwrap()).collect();
    to.sort();
    assert_eq!(to, mailboxes);
    for (name, raw) in &mails {
        assert!(!name.contains([':', '/']) && !name.starts_with('.'), "{name}");
        assert!(field(raw, "DKIM-Signature").is_some());
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let metadata = std::fs::metadata(scratch.0.join("new").join(name)).unwrap();
            assert_eq!(metadata.permissions().mode() & 0o777, 0o600);
        }
    }
    // Nothing in memory, as asked.
    let alice = "alice@example.test".parse().unwrap();
    service.post_office().open(&alice);
    client.order(&alice, None).await;
    assert!(client.mails(&alice).await.is_empty());
}

#[tokio::test]
async fn names_in_a_maildir_are_never_taken_twice() {
    let scratch = Scratch::new();
    let mut names = std::collections::BTreeSet::new();
    for _ in 0..2 {
        // Two services at once, the same process and the same second.
        let way = || MailDelivery::Maildir(scratch.0.clone());
        let one = start_with(|options| options.mail = vec![way()]).await;
        let two = start_with(|options| options.mail = vec![way()]).await;
        for service in [&one, &two] {
            let mut client = Client::registered(service).await;
            for _ in 0..5 {
                client.order(&"alice@example.test".parse().unwrap(), None).await;
            }
        }
        names.extend(mails_in(&scratch.0.join("new")).into_iter().map(|(name, _)| name));
    }
    assert_eq!(names.len(), 20);
}

// An answer that says the mail is out is only given when it is: no order is left behind.
#[tokio::test]
async fn a_maildir_that_cannot_be_written_is_an_error() {
    let scratch = Scratch::new();
    let way = MailDelivery::Maildir(scratch.0.clone());
    let service = start_with(|options| options.mail = vec![way]).await;
    let mut client = Client::registered(&service).await;
    std::fs::remove_dir_all(scratch.0.join("tmp")).unwrap();
    let alice = "alice@example.test".parse().unwrap();
    client.order_reply(&alice, None).await.refused(500, "serverInternal");
    let orders = format!("{}/orders", client.kid);
    assert_eq!(client.read(&orders).await.expect(200).json()["orders"], serde_json::json!([]));

    let file = scratch.0.join("file");
    std::fs::write(&file, b"").unwrap();
    let mut options = aecm_service::ServiceOptions::default();
    options.mail = vec![MailDelivery::Maildir(file)];
    assert!(matches!(Service::start(options).await, Err(aecm_service::Error::Mail(_))));
}

// The token that lies in the Maildir is good after a restart.
#[tokio::test]
async fn a_challenge_in_a_maildir_outlives_the_process() {
    let inbox = Scratch::new();
    let path = inbox.0.clone();
    let mut world = World::new(move |options| options.mail = vec![MailDelivery::Maildir(path.clone())]).await;
    let mut client = Client::registered(world.service()).await;
    let alice = "alice@example.test".parse().unwrap();
    let order = client.order(&alice, Some("sm2-sign-mv")).await;
    client = world.again(&client).await;
    let mails = mails_in(&inbox.0.join("new"));
    let part1 = field(&mails[0].1, "Subject").unwrap().replace("ACME: ", "");
    let part2 = client.challenge(&order, "email-token-00").await["token"].as_str().unwrap().to_owned();
    let request = crate::client::csr(&alice, Purpose::Sign, &key(KeySpec::Sm2)).await;
    client.finalize(&order, &request, Some(&format!("{part1}{part2}"))).await.expect(200);
}

fn through(server: &SmtpServer, attempts: u32) -> MailDelivery {
    let mut smtp = SmtpDelivery::new("127.0.0.1", server.port);
    smtp.attempts = attempts;
    smtp.pause = Duration::from_millis(10);
    smtp.timeout = Duration::from_millis(500);
    MailDelivery::Smtp(smtp)
}

/// Waits until nothing is under way any more.
async fn settled(service: &Service) -> Outbox {
    let begun = Instant::now();
    loop {
        let outbox = service.post_office().outbox();
        if outbox.waiting == 0 {
            return outbox;
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "{outbox:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn mail_goes_to_a_server_and_to_the_other_places_too() {
    let server = SmtpServer::start(&[]).await;
    let ways = vec![through(&server, 3), MailDelivery::Memory];
    let service = start_with(|options| options.mail = ways).await;
    let mut client = Client::registered(&service).await;
    let alice = crate::client::open(&service, "alice@example.test");
    client.issue(&alice, Suite::Sm2, Purpose::Sign, &key(KeySpec::Sm2)).await;
    let outbox = settled(&service).await;
    assert_eq!((outbox.sent, outbox.given_up), (1, 0));
    let taken = server.taken();
    assert!(taken[0].to.starts_with("RCPT TO:<alice@example.test>"), "{}", taken[0].to);
    assert!(taken[0].from.starts_with("MAIL FROM:<acme+"), "{}", taken[0].from);
    assert!(server.seen.lock().unwrap().hello.ends_with("ca.example.test"));
    // Octet for octet: the DKIM signature would not hold otherwise.
    let wanted = &client.mails(&alice).await[0].raw;
    assert!(taken[0].raw == *wanted, "{:?}", String::from_utf8_lossy(&taken[0].raw));
}

#[tokio::test]
async fn what_may_pass_is_tried_again() {
    let script = [
        Act::Greet("421 too busy"),
        Act::Recipient("450 greylisted"),
        Act::Data("451 disk full"),
        Act::Hang,
        Act::HangInData,
        Act::Silent,
        Act::Take,
    ];
    let server = SmtpServer::start(&script).await;
    let way = through(&server, 10);
    let service = start_with(|options| options.mail = vec![way]).await;
    let mut client = Client::registered(&service).await;
    // The answer does not wait for the server.
    let begun = Instant::now();
    client.order(&"alice@example.test".parse().unwrap(), None).await;
    assert!(begun.elapsed() < Duration::from_secs(2));
    let outbox = settled(&service).await;
    assert_eq!((outbox.sent, outbox.given_up), (1, 0));
    assert_eq!((server.connections(), server.taken().len()), (7, 1));
}

#[tokio::test]
async fn what_is_refused_for_good_is_not() {
    for act in [Act::Greet("554 no"), Act::Recipient("550 nobody"), Act::Data("554 spam")] {
        let server = SmtpServer::start(&[act; 5]).await;
        let way = through(&server, 5);
        let service = start_with(|options| options.mail = vec![way]).await;
        let mut client = Client::registered(&service).await;
        client.order(&"alice@example.test".parse().unwrap(), None).await;
        let outbox = settled(&service).await;
        assert_eq!((outbox.sent, outbox.given_up), (0, 1), "{act:?}");
        assert_eq!(server.connections(), 1, "{act:?}");
    }
}

#[tokio::test]
async fn attempts_have_an_end() {
    let server = SmtpServer::start(&[Act::Data("450 later"); 20]).await;
    let way = through(&server, 3);
    let service = start_with(|options| options.mail = vec![way]).await;
    let mut client = Client::registered(&service).await;
    let order = client.order(&"alice@example.test".parse().unwrap(), None).await;
    let outbox = settled(&service).await;
    assert_eq!((outbox.sent, outbox.given_up, server.connections()), (0, 1, 3));
    // The order waits for its mail as for any.
    assert_eq!(client.read(&order.url).await.expect(200).json()["status"], "pending");

    // Nobody listens there.
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut smtp = SmtpDelivery::new("127.0.0.1", port);
    (smtp.attempts, smtp.pause) = (2, Duration::from_millis(10));
    let service = start_with(|options| options.mail = vec![MailDelivery::Smtp(smtp)]).await;
    let mut client = Client::registered(&service).await;
    client.order(&"alice@example.test".parse().unwrap(), None).await;
    let outbox = settled(&service).await;
    assert_eq!((outbox.sent, outbox.given_up), (0, 1));
}

/// The roots, and a server with a certificate under them for these names.
async fn with_tls(names: &[&str]) -> (String, tokio_rustls::TlsAcceptor) {
    let rng: Arc<dyn Rng> = Arc::new(OsRng);
    let now = SystemClock.now();
    let root = aecm_service::ca::Authority::root("Mail Root", KeySpec::P256, &rng, now).await.unwrap();
    let server = key(KeySpec::P256);
    let general = names.iter().map(|name| match name.parse::<std::net::Ipv4Addr>() {
        Ok(address) => write::tlv(Tag::context_primitive(7), &address.octets()),
        Err(_) => write::tlv(Tag::context_primitive(2), name.as_bytes()),
    });
    let general: Vec<u8> = general.collect::<Vec<_>>().concat();
    let extension = write::sequence(&[
        &write::oid(&oid::SUBJECT_ALT_NAME),
        &write::octet_string(&write::tlv(Tag::SEQUENCE, &general)),
    ]);
    let template = aecm_service::ca::Template {
        common_name: Some("mx".to_owned()),
        attributes: Vec::new(),
        lifetime: Duration::from_secs(86_400),
        extensions: vec![extension],
    };
    let certificate = root.issue(&template, server.public_key(), &OsRng, now).await.unwrap();
    let config =
        rustls::ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(
                vec![certificate.as_der().to_vec().into()],
                rustls::pki_types::PrivatePkcs8KeyDer::from(server.to_pkcs8_der().to_vec()).into(),
            )
            .unwrap();
    (root.certificate().to_pem(), tokio_rustls::TlsAcceptor::from(Arc::new(config)))
}

// RFC 3207: encrypted where it can be, always where it has to be, and then to nobody else.
#[tokio::test]
async fn mail_goes_encrypted_where_the_server_can_and_the_options_want_it() {
    let (roots, acceptor) = with_tls(&["127.0.0.1"]).await;
    let (other_roots, _) = with_tls(&["127.0.0.1"]).await;
    let (elsewhere, misnamed) = with_tls(&["mx.example.test"]).await;
    let required = |roots: &String| SmtpSecurity::Required { roots_pem: Some(roots.clone()) };
    for (what, security, acceptor, taken, encrypted) in [
        ("offered", SmtpSecurity::Offered, Some(&acceptor), true, true),
        ("offered by anybody", SmtpSecurity::Offered, Some(&misnamed), true, true),
        ("not offered", SmtpSecurity::Offered, None, true, false),
        ("not wanted", SmtpSecurity::Plain, Some(&acceptor), true, false),
        ("required", required(&roots), Some(&acceptor), true, true),
        ("required, not offered", required(&roots), None, false, false),
        ("required, under another root", required(&other_roots), Some(&acceptor), false, false),
        (
            "required, the system's roots",
            SmtpSecurity::Required { roots_pem: None },
            Some(&acceptor),
            false,
            false,
        ),
        ("required, of another name", required(&elsewhere), Some(&misnamed), false, false),
    ] {
        let server = SmtpServer::start_with(&[], acceptor.cloned()).await;
        let mut way = SmtpDelivery::new("127.0.0.1", server.port);
        (way.attempts, way.pause, way.security) = (2, Duration::from_millis(10), security);
        let service = start_with(|options| options.mail = vec![MailDelivery::Smtp(way)]).await;
        let mut client = Client::registered(&service).await;
        client.order(&"alice@example.test".parse().unwrap(), None).await;
        let outbox = settled(&service).await;
        assert_eq!((outbox.sent, outbox.given_up), if taken { (1, 0) } else { (0, 1) }, "{what}");
        assert_eq!(
            (server.taken().len() == 1, server.seen.lock().unwrap().encrypted == 1),
            (taken, encrypted),
            "{what}"
        );
    }
}

#[tokio::test]
async fn roots_that_cannot_be_read_are_refused_at_the_start() {
    for roots in ["", "no certificate", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
        let mut way = SmtpDelivery::new("127.0.0.1", 25);
        way.security = SmtpSecurity::Required { roots_pem: Some(roots.to_owned()) };
        let mut options = aecm_service::ServiceOptions::default();
        options.mail = vec![MailDelivery::Smtp(way)];
        let refused = Service::start(options).await.unwrap_err();
        assert!(
            matches!(&refused, aecm_service::Error::Mail(detail) if detail.contains("root")),
            "{refused}"
        );
    }
}
