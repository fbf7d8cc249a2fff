//! The default HTTP client against a server on loopback: names, roots, redirects, sizes, times.
#![cfg(feature = "hyper")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, missing_docs)]

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use aecm_acme::hyper::{HyperError, HyperHttp};
use aecm_core::certificate::{Certificate, KeyUsage};
use aecm_core::embed::{Clock, Http, HttpError, HttpRequest, HttpResponse, Method, OsRng, SystemClock};
use aecm_core::key::Signer;
use aecm_core::oid;
use aecm_core::software::{KeySpec, SoftwareKey, SoftwareSigner};
use aecm_core::tlv::{Tag, write};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

fn run<F: Future>(future: F) -> F::Output {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

fn request(url: &str) -> HttpRequest {
    HttpRequest { method: Method::Get, url: url.into(), headers: vec![], body: vec![], max_body: 1_000 }
}

fn get(http: &HyperHttp, url: &str) -> Result<HttpResponse, HttpError> {
    run(http.send(request(url)))
}

fn name(common_name: &str) -> Vec<u8> {
    let attribute = write::sequence(&[&write::oid(&oid::COMMON_NAME), &write::utf8(common_name)]);
    write::sequence(&[&write::set_of(vec![attribute])])
}

fn certificate(subject: &str, spki: &[u8], extensions: &[&[u8]], signer: &SoftwareSigner) -> Certificate {
    let now = SystemClock.now();
    let (from, until) = (now.minus(Duration::from_secs(3_600)), now.plus(Duration::from_secs(86_400)));
    let algorithm = signer.algorithm().identifier_der();
    let tbs = write::sequence(&[
        &write::explicit(0, &write::small(2)),
        &write::small(7),
        &algorithm,
        &name("root"),
        &write::sequence(&[&write::time(from), &write::time(until)]),
        &name(subject),
        spki,
        &write::explicit(3, &write::sequence(extensions)),
    ]);
    let signature = run(signer.sign(signer.algorithm(), &tbs)).unwrap();
    Certificate::from_der(&write::sequence(&[&tbs, &algorithm, &write::bit_string(&signature)])).unwrap()
}

fn extension(oid: &oid::ObjectIdentifier, value: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(oid), &write::boolean(true), &write::octet_string(value)])
}

/// A root in PEM, and a server certificate with its key for that DNS name.
fn pki(dns: &str) -> (String, CertificateDer<'static>, PrivateKeyDer<'static>) {
    let signer = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap().into_signer(Arc::new(OsRng));
    let ca = extension(&oid::BASIC_CONSTRAINTS, &write::sequence(&[&write::boolean(true)]));
    let usage = extension(&oid::KEY_USAGE, &KeyUsage::KEY_CERT_SIGN.to_der());
    let root = certificate("root", signer.public_key().spki_der(), &[&ca, &usage], &signer);
    let key = SoftwareKey::generate(KeySpec::P256, &OsRng).unwrap();
    let names = write::sequence(&[&write::tlv(Tag::context_primitive(2), dns.as_bytes())]);
    let san = extension(&oid::SUBJECT_ALT_NAME, &names);
    let leaf = certificate("server", key.public_key().spki_der(), &[&san], &signer);
    let pkcs8 = key.to_pkcs8_der().to_vec();
    (root.to_pem(), leaf.as_der().to_vec().into(), PrivateKeyDer::Pkcs8(pkcs8.into()))
}

fn answer(stream: &mut (impl Read + Write), response: &[u8]) {
    let mut seen = Vec::new();
    let mut octet = [0];
    while !seen.ends_with(b"\r\n\r\n") && stream.read(&mut octet).is_ok_and(|read| read == 1) {
        seen.push(octet[0]);
    }
    let _ = stream.write_all(response);
    let _ = stream.flush();
}

/// Serves `response` to every connection over TLS; gives the port.
fn tls_server(certificate: CertificateDer<'static>, key: PrivateKeyDer<'static>, response: Vec<u8>) -> u16 {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    let config = Arc::new(config);
    serve(move |tcp| {
        let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
        let mut stream = StreamOwned::new(connection, tcp);
        answer(&mut stream, &response);
        stream.conn.send_close_notify();
        let _ = stream.flush();
    })
}

fn serve(each: impl Fn(TcpStream) + Send + 'static) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || listener.incoming().flatten().for_each(each));
    port
}

fn plain_server(response: impl Into<Vec<u8>>) -> String {
    let response = response.into();
    let port = serve(move |mut tcp| answer(&mut tcp, &response));
    format!("http://127.0.0.1:{port}/")
}

fn any_client() -> HyperHttp {
    HyperHttp::new(&pki("localhost").0).unwrap()
}

const OK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nReplay-Nonce: abc\r\nConnection: close\r\n\r\nhi";

// N13: the right name and root are taken, a wrong name or another root never.
#[test]
fn names_and_roots_are_checked() {
    let (roots, leaf, key) = pki("localhost");
    let port = tls_server(leaf, key, OK.to_vec());
    let url = format!("https://localhost:{port}/directory");
    let response = get(&HyperHttp::new(&roots).unwrap(), &url).unwrap();
    assert_eq!((response.status, response.body.as_slice()), (200, b"hi".as_slice()));
    assert_eq!(response.header("Replay-Nonce"), Some("abc"));

    let by_address = format!("https://127.0.0.1:{port}/directory");
    let error = get(&HyperHttp::new(&roots).unwrap(), &by_address).unwrap_err();
    assert!(matches!(error, HttpError::Connection { .. }), "{error}");

    let error = get(&any_client(), &url).unwrap_err();
    assert!(matches!(error, HttpError::Connection { .. }), "another root: {error}");

    let (roots, leaf, key) = pki("other.example");
    let port = tls_server(leaf, key, OK.to_vec());
    let error = get(&HyperHttp::new(&roots).unwrap(), &format!("https://localhost:{port}/")).unwrap_err();
    assert!(error.to_string().to_lowercase().contains("not valid for name"), "{error}");
}

// N2: a redirect is an answer, not a direction.
#[test]
fn redirects_are_not_followed() {
    let target = plain_server(OK);
    let redirect = format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\nContent-Length: 0\r\n\r\n");
    let response = get(&any_client(), &plain_server(redirect)).unwrap();
    assert_eq!(response.status, 302);
    assert!(response.body.is_empty());
}

// N4: bodies, header counts and times.
#[test]
fn large_answers_are_cut_off() {
    for head in ["Content-Length: 1001\r\n", ""] {
        let response = format!("HTTP/1.1 200 OK\r\n{head}Connection: close\r\n\r\n{}", "a".repeat(1_001));
        let error = get(&any_client(), &plain_server(response)).unwrap_err();
        assert!(matches!(error, HttpError::TooLarge { limit: 1_000, .. }), "{error}");
    }
    let just = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{}", "a".repeat(1_000));
    assert_eq!(get(&any_client(), &plain_server(just)).unwrap().body.len(), 1_000);
    let many = format!("HTTP/1.1 200 OK\r\n{}Content-Length: 0\r\n\r\n", "X: y\r\n".repeat(100));
    assert!(matches!(get(&any_client(), &plain_server(many)), Err(HttpError::Connection { .. })));
}

#[test]
fn slow_answers_are_cut_off() {
    let port = serve(|mut tcp| {
        // Slow drip: an octet now and then, for ever.
        answer(&mut tcp, b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n");
        while tcp.write_all(b"a").is_ok() {
            thread::sleep(Duration::from_millis(50));
        }
    });
    let client = any_client().request_time(Duration::from_millis(400));
    let start = Instant::now();
    let error = get(&client, &format!("http://127.0.0.1:{port}/")).unwrap_err();
    assert!(matches!(error, HttpError::Timeout { .. }), "{error}");
    assert!(start.elapsed() < Duration::from_secs(5));
}

#[test]
fn unusable_requests_and_roots_are_refused() {
    let client = any_client();
    for url in ["", "not a url", "http://[::1"] {
        assert!(matches!(get(&client, url), Err(HttpError::Url { .. })), "{url}");
    }
    let mut injected = request("http://127.0.0.1:1/");
    injected.headers.push(("X".into(), "a\r\nHost: evil".into()));
    assert!(matches!(run(client.send(injected)), Err(HttpError::Url { .. })));
    assert!(matches!(get(&client, "http://127.0.0.1:1/"), Err(HttpError::Connection { .. })));
    for roots in ["", "no PEM", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n"] {
        assert!(matches!(HyperHttp::new(roots), Err(HyperError::Roots { .. })), "{roots:?}");
    }
}
