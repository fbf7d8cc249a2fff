//! The ACME client over the parts of an [`Aecm`](crate::Aecm).

use std::sync::Arc;

use aecm_acme::client::{AgreedBeforehand, Client, ClientError, ConsentSource, Joints, Observer};
use aecm_acme::directory::HttpDirectory;
use aecm_acme::machine::{Config, IssuerAnchors};
use aecm_core::certificate::Certificate;
use aecm_core::path::Anchors;
use aecm_core::suite::Suite;
use aecm_core::time::Time;
use aecm_store::DeviceId;
use core::time::Duration;

use crate::error::Error;
use crate::mailbox::Mailbox;
use crate::provision::{KeyChoices, StoreKeys};

/// How long a single request to the service, its nonce and retries included, may take.
const REQUESTS: Duration = Duration::from_secs(180);

impl Mailbox {
    fn config(&self) -> Config {
        let parts = self.aecm().parts();
        let trust = &parts.trust;
        let anchors = IssuerAnchors {
            smime_classic: of_suite(&trust.smime, Suite::Classic),
            smime_sm2: of_suite(&trust.smime, Suite::Sm2),
            timestamp_classic: of_suite(&trust.mailbox_timestamp, Suite::Classic),
            timestamp_sm2: of_suite(&trust.mailbox_timestamp, Suite::Sm2),
        };
        let mut config = Config::new(&parts.directory_url, anchors);
        config.contact.clone_from(&parts.contact);
        config.external_account.clone_from(&parts.external_account);
        config.submission = parts.submission;
        config.limits = trust.policy.limits.clone();
        config
    }

    /// A client that orders certificates for keys as `choices` says.
    pub(crate) fn ordering_client(
        &self,
        device: Option<&DeviceId>,
        choices: KeyChoices,
        observer: Option<Arc<dyn Observer>>,
    ) -> Client {
        let parts = self.aecm().parts();
        let agreed = parts.consent.terms_of_service;
        let keys = StoreKeys::new(Arc::clone(&parts.store), Arc::clone(&parts.clock), choices);
        let joints = Joints {
            http: Arc::clone(&parts.http),
            clock: Arc::clone(&parts.clock),
            sleep: Arc::clone(&parts.sleep),
            rng: Arc::clone(&parts.rng),
            mail: Arc::clone(&parts.mail),
            authenticator: Arc::clone(&parts.authenticator),
            sender: parts.sender.clone(),
            keys: Arc::new(keys),
            consent: agreed.then(agreed_beforehand),
            observer,
        };
        let mut config = self.config();
        config.device = device.map(|device| device.as_str().to_owned());
        Client::new(config, joints)
    }

    /// A client for single requests.
    pub(crate) fn client(&self) -> Client {
        self.ordering_client(None, Vec::new(), None)
    }

    /// The list of certificates that the service keeps, where it keeps one.
    pub(crate) async fn service_directory(&self) -> Result<Option<HttpDirectory>, Error> {
        let parts = self.aecm().parts();
        let directory = self.client().directory(self.soon()).await?;
        let Some(prefix) = directory.meta.aecm.and_then(|meta| meta.certificates) else { return Ok(None) };
        let limits = parts.trust.policy.limits.clone();
        let list = HttpDirectory::new(&parts.directory_url, &prefix, Arc::clone(&parts.http), limits);
        Ok(Some(list.map_err(ClientError::Url)?))
    }

    /// When a single request made now has to be done.
    pub(crate) fn soon(&self) -> Time {
        self.aecm().clock().now().plus(REQUESTS)
    }
}

fn agreed_beforehand() -> Arc<dyn ConsentSource> {
    Arc::new(AgreedBeforehand)
}

/// The anchors of one suite.
pub(crate) fn of_suite(anchors: &Anchors, suite: Suite) -> Anchors {
    let fits = |anchor: &&Certificate| anchor.public_key().is_some_and(|key| key.suite() == suite);
    Anchors::new(anchors.certificates().iter().filter(fits).cloned().collect())
}
