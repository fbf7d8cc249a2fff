//! Asking a service what it offers, and its list of certificates over HTTP.

use std::sync::Arc;

use aecm::acme::directory::{FetchError, HttpDirectory};
use aecm::core::directory::CertificateDirectory;
use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse};
use aecm::core::limits::Limits;
use aecm::core::suite::Suite;
use aecm::{Error, Plan, discover};

use crate::world::{Offline, World, letter, memory, run};

/// Answers one URL with something else.
struct Instead {
    inner: Arc<dyn Http>,
    ends_with: &'static str,
    change: fn(String) -> String,
}

#[async_trait::async_trait]
impl Http for Instead {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let meant = request.url.ends_with(self.ends_with);
        let mut response = self.inner.send(request).await?;
        if meant {
            response.body = (self.change)(String::from_utf8(response.body).unwrap()).into_bytes();
        }
        Ok(response)
    }
}

#[test]
fn a_service_says_what_is_needed_to_use_it() {
    run(async {
        let world = World::new().await;
        let http = world.http();
        let found = discover(&world.service.directory_url(), http.clone()).await.unwrap();
        let trust = found.trust.clone().unwrap();
        assert_eq!(trust.smime.certificates().len(), 2);
        for (given, known) in [
            (&trust.smime, &world.trust.smime),
            (&trust.tsa, &world.trust.tsa),
            (&trust.mailbox_timestamp, &world.trust.mailbox_timestamp),
        ] {
            assert!(given.certificates().iter().all(|one| known.certificates().contains(one)));
        }
        for suite in Suite::ALL {
            assert!(
                found.timestamp.contains(&(suite, world.service.tsa_url(suite))),
                "{:?}",
                found.timestamp
            );
        }
        assert!(found.terms_url.is_some());
        // With nothing else a mailbox is set up and writes to somebody it finds there.
        let bob = world.person("bob", Plan::sm2()).await;
        let address = world.address("discovered");
        let aecm = world
            .builder(http, memory())
            .trust(trust)
            .directory(found.directory.clone().unwrap())
            .build()
            .unwrap();
        let mailbox = aecm.mailbox(address.as_str()).unwrap();
        mailbox.provision(Plan::sm2()).await.unwrap();
        let to = bob.address().to_string();
        let sent = mailbox.compose(&letter(address.as_str(), &to)).to([to]).protect().await.unwrap();
        assert_eq!(bob.open(&sent.mail).await.unwrap().verdict.word(), "valid");
        // Who is not there has none.
        let nobody = "nobody@example.test".parse().unwrap();
        assert!(found.directory.unwrap().certificates(&nobody).await.unwrap().is_empty());
    });
}

#[test]
fn what_cannot_be_read_is_an_error() {
    run(async {
        let world = World::new().await;
        let url = world.service.directory_url();
        let http = world.http();
        let with = |ends_with, change| Arc::new(Instead { inner: http.clone(), ends_with, change });
        let error = discover(&url, Arc::new(Offline)).await.unwrap_err();
        assert!(matches!(error, Error::Discovery(FetchError::Http(_))), "{error:?}");
        let error = discover(&url.replace("https:", "http:"), http.clone()).await.unwrap_err();
        assert!(matches!(error, Error::Discovery(FetchError::Url(_))), "{error:?}");
        let error = discover(&format!("{url}/nothing"), http.clone()).await.unwrap_err();
        assert!(matches!(error, Error::Discovery(FetchError::Status { .. })), "{error:?}");
        let garbled = with("/directory", |_| "{}".to_owned());
        let error = discover(&url, garbled).await.unwrap_err();
        assert!(matches!(error, Error::Discovery(FetchError::Json { .. })), "{error:?}");
        let no_anchors = with("/anchors", |text| text.replace("CERTIFICATE", "NONSENSE"));
        let error = discover(&url, no_anchors).await.unwrap_err();
        assert!(matches!(error, Error::Anchors { .. }), "{error:?}");
        // N2: no other origin.
        let elsewhere =
            with("/directory", |text| text.replace("/aecm/anchors", "@evil.example/aecm/anchors"));
        let error = discover(&url, elsewhere).await.unwrap_err();
        assert!(matches!(error, Error::Discovery(FetchError::Url(_))), "{error:?}");
        // A plain server offers less, and that is no error.
        let plain = with("/directory", |text| text.replace("\"aecm\"", "\"other\""));
        let found = discover(&url, plain).await.unwrap();
        assert!(
            found.trust.is_none()
                && found.directory.is_none()
                && found.timestamp.is_empty()
                && !found.transfers
        );
    });
}

#[test]
fn a_list_of_certificates_is_bounded_and_read_whole() {
    run(async {
        let world = World::new().await;
        let bob = world.person("listed", Plan::sm2()).await;
        let url = world.service.directory_url();
        let prefix = discover(&url, world.http()).await.unwrap();
        drop(prefix);
        let base = url.split("/acme/").next().unwrap_or(&url).trim_end_matches("/directory").to_owned();
        let prefix = format!("{base}/aecm/certificates/");
        let list = |http: Arc<dyn Http>| HttpDirectory::new(&url, &prefix, http, Limits::default()).unwrap();
        let found = list(world.http()).certificates(bob.address()).await.unwrap();
        assert_eq!(found.len(), 2, "to encrypt to, and what it signs with");
        assert!(found.iter().all(|one| !one.chain.is_empty()));
        // K9: what is no certificate, and more than anybody has, is an error and never an empty list.
        let changes: [fn(String) -> String; 5] = [
            |text| text.replacen("MII", "AAA", 1),
            |_| "{\"certificates\":[[]]}".to_owned(),
            |_| format!("{{\"certificates\":[{}[\"AA\"]]}}", "[\"AA\"],".repeat(100)),
            |_| "[]".to_owned(),
            |_| "x".repeat(2 << 20),
        ];
        for change in changes {
            let ends_with = "example.test";
            let broken = Arc::new(Instead { inner: world.http(), ends_with, change });
            assert!(list(broken).certificates(bob.address()).await.is_err());
        }
        assert!(list(Arc::new(Offline)).certificates(bob.address()).await.is_err());
        let foreign = HttpDirectory::new(&url, "https://other.example/", world.http(), Limits::default());
        assert!(foreign.is_err());
    });
}
