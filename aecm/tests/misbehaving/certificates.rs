//! N4, N7: certificates and chains that are not what was asked for. The authority that made them is trusted.

use aecm::acme::check::CheckError as C;
use aecm::acme::client::ClientError::Machine;
use aecm::acme::machine::Error as E;
use aecm::core::certificate::Certificate;
use aecm::core::embed::HttpError;

use crate::forge::Fault;
use crate::script::{Act, Place, Rule, on};
use crate::stage::{Expect, Stage, fails, scene};
use crate::world::run;

/// The number of the certificate, what is wrong with it, and how that ends.
type Row = (usize, Fault, fn() -> Expect);

/// The n-th certificate has that fault.
fn certificate(stage: &Stage, number: usize, fault: Fault) -> Rule {
    let forger = stage.forger.clone();
    on(Place::Certificate)
        .from(number)
        .edit_seeing(move |response, seen| response.body = forger.pem(&seen.csr, fault).into_bytes())
}

#[test]
fn wrong_certificates() {
    run(async {
        let stage = Stage::new().await;
        let mailboxes = || fails!(Machine(E::Certificate(C::Mailboxes { .. })), "name the mailbox alone");
        let usage = || fails!(Machine(E::Certificate(C::KeyUsage { .. })), "keyUsage");
        let extended = || fails!(Machine(E::Certificate(C::ExtendedKeyUsage)), "extKeyUsage");
        let time = || fails!(Machine(E::Certificate(C::NotValidNow { .. })), "not now");
        let path = || fails!(Machine(E::Certificate(C::Path { .. })), "issuer is not trusted");
        let key = || fails!(Machine(E::Certificate(C::OtherKey)), "another key");
        let ca = || fails!(Machine(E::Certificate(C::CertificateAuthority)), "CA certificate");
        let long = || fails!(Machine(E::Certificate(C::TooLong { .. })), "4000 days");
        // In this order the plan asks for a signing, an encrypting and a timestamping certificate.
        let faults: Vec<Row> = vec![
            (1, Fault::OtherKey, key),
            (2, Fault::OtherKey, key),
            (1, Fault::OtherMailbox, mailboxes),
            (2, Fault::OtherMailbox, mailboxes),
            (1, Fault::TwoMailboxes, mailboxes),
            (2, Fault::NoMailbox, mailboxes),
            (1, Fault::OtherUsage, usage),
            (2, Fault::OtherUsage, usage),
            (2, Fault::BothUsages, usage),
            (1, Fault::BothUsages, usage),
            (1, Fault::CertifyingUsage, usage),
            (1, Fault::StampingUsage, extended),
            (2, Fault::AnyUsage, extended),
            (3, Fault::AnyUsage, extended),
            (1, Fault::Authority, ca),
            (3, Fault::Authority, ca),
            (2, Fault::Expired, time),
            (1, Fault::NotYet, time),
            (3, Fault::TooLong, long),
            (1, Fault::OtherSuite, key),
            (1, Fault::ForeignIssuer, path),
            (2, Fault::ForeignIssuer, path),
            (1, Fault::OtherRealm, path),
            (3, Fault::NoIssuer, path),
        ];
        let mut scenes = vec![
            // The same way without a fault: what fails below fails by its fault.
            scene("a certificate of the second authority").rule(certificate(&stage, 1, Fault::None)),
        ];
        for (number, fault, expect) in faults {
            scenes.push(
                scene(format!("certificate {number}: {fault:?}"))
                    .rule(certificate(&stage, number, fault))
                    .ends(expect()),
            );
        }
        stage.play(scenes).await;
    });
}

#[test]
fn wrong_chains() {
    run(async {
        let stage = Stage::new().await;
        let mut scenes = Vec::new();
        let chain = || fails!(Machine(E::Chain { .. }), "certificate chain");
        let mut row = |name: &str, change: fn(&mut Vec<u8>), expect: Expect| {
            scenes.push(
                scene(name)
                    .rule(on(Place::Certificate).edit(move |response| change(&mut response.body)))
                    .ends(expect),
            );
        };
        row(
            "text around the certificates",
            |body| {
                let rest = body.split_off(0);
                body.extend(b"Subject: Alice\r\n\r\n");
                body.extend(rest);
            },
            Expect::Success,
        );
        row("an empty body", |body| body.clear(), chain());
        row("white space", |body| *body = b"\r\n \r\n".to_vec(), chain());
        row("HTML", |body| *body = b"<html></html>".to_vec(), chain());
        row("no text", |body| *body = vec![0xff; 300], chain());
        row(
            "junk in base64 behind",
            |body| {
                body.extend(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
            },
            chain(),
        );
        row("a certificate that does not end", |body| body.truncate(body.len() - 40), chain());
        row(
            "a key behind",
            |body| {
                body.extend(b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n");
            },
            chain(),
        );
        row("eleven certificates", |body| *body = body.repeat(6), chain());
        row(
            "DER instead of PEM",
            |body| {
                let text = String::from_utf8(body.clone()).unwrap();
                *body = Certificate::all_from_pem(&text).unwrap()[0].as_der().to_vec();
            },
            chain(),
        );
        row(
            "the issuer first",
            |body| {
                let text = String::from_utf8(body.clone()).unwrap();
                let reversed: String =
                    Certificate::all_from_pem(&text).unwrap().iter().rev().map(Certificate::to_pem).collect();
                *body = reversed.into_bytes();
            },
            fails!(Machine(E::Certificate(C::OtherKey)), "another key"),
        );
        row(
            "the certificate alone",
            |body| {
                let text = String::from_utf8(body.clone()).unwrap();
                *body = Certificate::all_from_pem(&text).unwrap()[0].to_pem().into_bytes();
            },
            fails!(Machine(E::Certificate(C::Path { .. })), "not trusted"),
        );
        row(
            "the certificate five times",
            |body| {
                let text = String::from_utf8(body.clone()).unwrap();
                let chain = Certificate::all_from_pem(&text).unwrap();
                body.extend(chain[0].to_pem().repeat(4).into_bytes());
            },
            Expect::Success,
        );
        row(
            "more than 128 KiB",
            |body| body.resize(128 * 1_024 + 1, b'\n'),
            fails!(Machine(E::Http { error: HttpError::TooLarge { .. }, .. }), "131072 octets"),
        );
        scenes.push(
            scene("the certificate before, once more")
                .rule(on(Place::Certificate).from(2).edit_seeing(|response, seen| {
                    response.body.clone_from(&seen.first[&Place::Certificate].body);
                }))
                .ends(fails!(Machine(E::Certificate(C::OtherKey)), "another key")),
        );
        scenes.push(
            scene("another content type")
                .rule(on(Place::Certificate).header("content-type", Some("text/plain"))),
        );
        scenes.push(
            scene("a certificate that is not found")
                .rule(on(Place::Certificate).problem(404, "malformed"))
                .ends(fails!(Machine(E::Problem { .. }), "fetching the certificate", "malformed")),
        );
        scenes.push(
            scene("a certificate that is lost on the way eight times")
                .rule(on(Place::Certificate).times(8).act(Act::LoseAnswer))
                .within(400),
        );
        stage.play(scenes).await;
    });
}
