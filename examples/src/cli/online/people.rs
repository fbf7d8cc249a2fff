//! Certificates of other people: those given as files, else what the service lists.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use aecm::acme::jws;
use aecm::acme::wire;
use aecm::core::certificate::Certificate;
use aecm::core::directory::{CertificateDirectory, DirectoryError, Found};
use aecm::core::embed::{Http, HttpRequest, Method};
use aecm::core::limits::Limits;
use aecm::core::mailbox::Mailbox;
use async_trait::async_trait;
use serde::Deserialize;

use super::settings::Settings;
use super::stop::{Done, Stop};
use crate::cli::sniff::{Form, sniff};
use crate::cli::{Io, input};

/// The certificates of a file, the leaf first.
pub(in crate::cli) fn certificates(path: &Path, io: &mut Io) -> Done<Vec<Certificate>> {
    let limits = Limits::default();
    let octets = input::read(path, &limits, io)?;
    let wrong = |why: &str| Stop::error("malformed", format!("{}: {why}", path.display()));
    let ders = match sniff(&octets, &limits) {
        Form::Pem(blocks) => blocks,
        Form::Asn1(der) => vec![("CERTIFICATE".to_owned(), der)],
        Form::Mail | Form::Unknown => return Err(wrong("it is no certificate, PEM or DER")),
    };
    let ders = ders.iter().filter(|(label, _)| label == "CERTIFICATE");
    let read: Result<Vec<Certificate>, _> = ders.map(|(_, der)| Certificate::from_der(der)).collect();
    let read = read.map_err(|error| wrong(&error.to_string()))?;
    if read.is_empty() { Err(wrong("there is no certificate in it")) } else { Ok(read) }
}

/// Files first, then the service.
pub(in crate::cli) struct People {
    given: Vec<Found>,
    service: Option<(Arc<dyn Http>, String)>,
}

impl People {
    /// Those of `files` (a leaf and its issuers each), and whom the service of `settings` knows.
    pub(in crate::cli) fn new(
        files: &[PathBuf],
        settings: &Settings,
        http: &Arc<dyn Http>,
        io: &mut Io,
    ) -> Done<Self> {
        let mut given = Vec::new();
        for file in files {
            let mut chain = certificates(file, io)?;
            let certificate = chain.remove(0);
            if certificate.mailboxes().is_empty() {
                let message = format!("{}: the first certificate names no mailbox", file.display());
                return Err(Stop::error("malformed", message));
            }
            given.push(Found { certificate, chain });
        }
        let service = settings.certificates.clone().map(|prefix| (Arc::clone(http), prefix));
        Ok(Self { given, service })
    }

    /// Whether the certificate to `mailbox` came from a file.
    pub(in crate::cli) fn is_given(&self, certificate: &Certificate) -> bool {
        self.given.iter().any(|found| found.certificate == *certificate)
    }
}

#[derive(Deserialize)]
struct Page {
    certificates: Vec<Vec<String>>,
}

#[async_trait]
impl CertificateDirectory for People {
    async fn certificates(&self, mailbox: &Mailbox) -> Result<Vec<Found>, DirectoryError> {
        let names = |found: &&Found| found.certificate.mailboxes().iter().any(|named| named.matches(mailbox));
        let given: Vec<Found> = self.given.iter().filter(names).cloned().collect();
        if !given.is_empty() {
            return Ok(given);
        }
        let Some((http, prefix)) = &self.service else { return Ok(Vec::new()) };
        let wrong = |detail: String| DirectoryError { detail };
        let limits = Limits::default();
        let url = format!("{prefix}{}", encoded(mailbox));
        let request = HttpRequest {
            method: Method::Get,
            url: url.clone(),
            headers: vec![("accept".to_owned(), "application/json".to_owned())],
            body: Vec::new(),
            max_body: limits.acme_json_bytes,
        };
        let answer = http.send(request).await.map_err(|error| wrong(error.to_string()))?;
        match answer.status {
            200 => {}
            404 => return Ok(Vec::new()),
            status => return Err(wrong(format!("{url}: the server answers with status {status}"))),
        }
        let page: Page =
            wire::parse(&answer.body, &limits).map_err(|error| wrong(format!("{url}: {error}")))?;
        let chains = page.certificates.iter().map(|chain| found(chain));
        chains.collect::<Option<_>>().ok_or_else(|| wrong(format!("{url}: a certificate cannot be read")))
    }
}

fn found(chain: &[String]) -> Option<Found> {
    let read = |text: &String| Certificate::from_der(&jws::decode(text)?).ok();
    let mut chain: Vec<Certificate> = chain.iter().map(read).collect::<Option<_>>()?;
    (!chain.is_empty()).then(|| Found { certificate: chain.remove(0), chain })
}

/// Everything but what RFC 3986 §2.3 leaves as it is, in percent signs.
fn encoded(mailbox: &Mailbox) -> String {
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'.' | b'_' | b'~');
    let text = format!("{}@{}", mailbox.local(), mailbox.ascii_domain());
    let letter =
        |octet: u8| if plain(octet) { char::from(octet).to_string() } else { format!("%{octet:02X}") };
    text.bytes().map(letter).collect()
}
