//! Requests and certificates that are not for what was asked.

use aecm_acme::check::CheckError;
use aecm_acme::machine::{Error, Outcome};
use aecm_acme::plan::PlanItem;
use aecm_acme::wire::{ProblemType, TokenSubmission};
use aecm_core::embed::HttpError;
use aecm_core::software::KeySpec;
use aecm_core::suite::{Purpose, Suite};

use super::ca::Fault;
use super::flow::pair;
use super::mischief::{one, with_csr};
use super::server::{Server, problem};
use super::world::{NOW, Stop, World};

// N7: nothing that is not what was asked for is stored.
#[test]
fn wrong_certificates() {
    for fault in [
        Fault::OtherKey,
        Fault::AccountKey,
        Fault::OtherMailbox,
        Fault::TwoMailboxes,
        Fault::DualUsage,
        Fault::NoUsage,
        Fault::WrongExtendedUsage,
        Fault::Authority,
        Fault::Expired,
        Fault::NotYet,
        Fault::TooLong,
        Fault::ForeignIssuer,
        Fault::WrongRoot,
    ] {
        let mut server = Server::new(NOW);
        server.ca.fault = fault;
        let mut world = World::new(server, one());
        let Err(Error::Certificate(error)) = world.run(Stop::Never) else { panic!("{fault:?}") };
        let fits = match fault {
            Fault::None => false,
            Fault::OtherKey => error == CheckError::OtherKey,
            Fault::AccountKey => error == CheckError::AccountKey,
            Fault::OtherMailbox | Fault::TwoMailboxes => matches!(error, CheckError::Mailboxes { .. }),
            Fault::DualUsage | Fault::NoUsage => matches!(error, CheckError::KeyUsage { .. }),
            Fault::WrongExtendedUsage => error == CheckError::ExtendedKeyUsage,
            Fault::Authority => error == CheckError::CertificateAuthority,
            Fault::Expired | Fault::NotYet => matches!(error, CheckError::NotValidNow { .. }),
            Fault::TooLong => matches!(error, CheckError::TooLong { days: 4_000, .. }),
            Fault::ForeignIssuer | Fault::WrongRoot => matches!(error, CheckError::Path { .. }),
        };
        assert!(fits, "{fault:?}: {error}");
        assert!(world.installed.is_empty());
    }
}

// N4: the chain has caps of its own.
#[test]
fn wrong_chains() {
    let (pem, large) =
        ("-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", vec![b'\n'; 128 * 1024 + 1]);
    for body in
        [pem.repeat(11).into_bytes(), b"no certificate".to_vec(), Vec::new(), vec![0xff; 10], pem.into()]
    {
        let error = with_csr(move |request, response| {
            if request.url.contains("/cert/") {
                response.body.clone_from(&body);
            }
        });
        assert!(matches!(error, Error::Chain { .. }), "{error}");
    }
    let error = with_csr(move |request, response| {
        if request.url.contains("/cert/") {
            response.body.clone_from(&large);
        }
    });
    assert!(matches!(error, Error::Http { error: HttpError::TooLarge { .. }, .. }), "{error}");
}

// A2: badCSR leaves the order ready with the token taken; another CSR is made, three at most.
#[test]
fn refused_requests() {
    for submission in TokenSubmission::ALL {
        let mut server = Server::dialect(NOW, submission, true);
        server.refuse_csrs = 2;
        let mut world = World::new(server, one());
        world.run(Stop::Never).unwrap();
        assert_eq!((world.server.orders_opened, world.server.mails.len()), (1, 1));

        let mut server = Server::dialect(NOW, submission, true);
        server.refuse_csrs = 3;
        let error = World::new(server, one()).run(Stop::Never).unwrap_err();
        assert!(matches!(error, Error::Problem { problem, .. } if problem.kind == ProblemType::BadCsr));
    }
}

// N8: a CSR for something else does not leave.
#[test]
fn wrong_requests_of_the_embedder() {
    for (spec, purpose, mailbox, what) in [
        (KeySpec::Sm2, Purpose::Sign, "alice@example.com", "algorithm family"),
        (KeySpec::P256, Purpose::Timestamp, "alice@example.com", "purpose"),
        (KeySpec::P256, Purpose::Sign, "bob@example.com", "mailbox"),
    ] {
        let mut world = World::new(Server::new(NOW), one());
        world.wrong_csr = Some((spec, purpose, mailbox));
        assert_eq!(world.run(Stop::Never), Err(Error::CsrMismatch { what }));
        assert!(!world.server.requests.iter().any(|(_, url)| url.ends_with("/finalize")));
    }
}

// The one encrypting key of a mailbox: the server points to it, the other certificates are obtained.
#[test]
fn an_encrypting_key_that_exists() {
    let mut server = Server::new(NOW);
    let mut orders = 0;
    server.tamper = Some(Box::new(move |request, response| {
        if request.url.ends_with("/new-order") {
            orders += 1;
            if orders == 2 {
                *response = problem(409, "urn:aecm:error:encryptionKeyExists", "ask another device");
            }
        }
    }));
    let mut plan = pair();
    plan.items.push(PlanItem::new(Suite::Classic, Purpose::Timestamp));
    let mut world = World::new(server, plan);
    let report = world.run(Stop::Never).unwrap();
    assert_eq!(world.installed.len(), 2);
    let Outcome::EncryptionKeyExists(told) = &report.outcomes[1].1 else { panic!() };
    assert_eq!(told.problem.kind, ProblemType::EncryptionKeyExists);
    // For a signing certificate it makes no sense and is an error.
    let error = with_csr(|request, response| {
        if request.url.ends_with("/new-order") {
            *response = problem(409, "urn:aecm:error:encryptionKeyExists", "what?");
        }
    });
    assert!(matches!(error, Error::Problem { .. }), "{error}");
}
