//! Finalizing an order: the CSR, with the joined token beside it in the AECM way (RFC 8555 §7.4, STANDARDS A2).

use aecm_acme::csr::CertificateRequest;
use aecm_core::certificate::Certificate;
use aecm_core::public_key::{KeyKind, PublicKey};
use aecm_core::signature::Sm2Id;
use aecm_core::suite::{Purpose, Suite};
use aecm_core::time::Time;
use base64ct::{Base64UrlUnpadded, Encoding as _};
use serde_json::{Map, Value};

use super::events::Happened;
use super::order::own_order;
use super::problem::Problem;
use super::request::Signed;
use super::state::{AuthorizationState, EventKind, Issued, Order, Profile, State, key_name};
use super::weak::weakness;
use super::{AcmeServer, crl_name, object};
use crate::ca::{IssueError, Realm, SERIAL, Template, serial_number};
use crate::hex::hex;
use crate::net::Answer;
use crate::options::TokenSubmission;

impl AcmeServer {
    /// Takes `{"csr": …}` on a ready order, or `{"csr": …, "token": …}` on a pending one. The token is checked
    /// and committed before the CSR is looked at, so that a bad CSR leaves the order ready.
    pub(super) async fn finalize(&self, signed: &Signed, id: &str) -> Result<Answer, Problem> {
        let members = object(signed)?;
        let order = own_order(&self.state(), signed, id)?.clone();
        if let Some(token) = members.get("token").filter(|_| self.offers(TokenSubmission::WithCsr)) {
            let token = token.as_str().ok_or_else(|| Problem::malformed("token is not a string"))?;
            self.submit_token(&mut self.state(), &order.authorization, token)?;
        }
        require_ready(&self.state(), id, self.now())?;
        let request = self.read_request(&members, &order)?;
        let profile = profile_of(&order, &request)?;
        // One after the other: who comes second finds the first one's key (the shared encrypting key).
        let _alone = match profile.purpose {
            Purpose::Encrypt => Some(self.encrypting.lock().await),
            _ => None,
        };
        let under_way = self.begin(&order, profile, request.public_key())?;
        let chain = self.issue(&order, profile, request.public_key()).await?;
        let certificate = self.new_id(|id| self.state().certificates.get(id).is_some())?;
        let issued = Issued {
            id: certificate,
            number: 0,
            account: order.account,
            mailbox: order.mailbox,
            profile,
            chain,
            revoked: None,
            replaced_by: None,
            superseded: false,
            disowned: false,
            device: order.device,
        };
        let mailbox = issued.mailbox.clone();
        let (answer, kinds, device) = under_way.finish(issued)?;
        for kind in kinds {
            self.notify(kind, &mailbox, device.as_deref()).await;
        }
        Ok(answer)
    }

    /// Takes the order for this request alone: whoever comes while it issues finds it `processing`.
    fn begin(&self, order: &Order, profile: Profile, key: &PublicKey) -> Result<UnderWay<'_>, Problem> {
        let purpose = profile.purpose;
        let mut state = self.state();
        require_ready(&state, &order.id, self.now())?;
        refuse_account_keys(&state, key)?;
        if let Some(weakness) = weakness(key) {
            return Err(Problem::new(400, "badPublicKey", format!("this key is not certified: {weakness}")));
        }
        if state.compromised(key) {
            return Err(Problem::new(
                400,
                "badPublicKey",
                "a certificate of this key was revoked for keyCompromise: others may have the private key; make another",
            ));
        }
        if state.transfers.values().any(|transfer| transfer.fingerprint == key_name(key.spki_der())) {
            return Err(Problem::new(
                400,
                "badPublicKey",
                "this key is the transport key of a transfer; make one for each use",
            ));
        }
        if state.certified_otherwise(key, purpose, &order.mailbox) {
            return Err(Problem::new(
                400,
                "badPublicKey",
                "this key is certified for another purpose or another mailbox; make one for each",
            ));
        }
        self.admit_level(&state, &order.account, Some(profile))?;
        let replaced = order.replaces.as_ref().and_then(|id| state.certificates.get(id));
        if replaced.is_some_and(|replaced| replaced.replaced_by.is_some()) {
            return Err(Problem::new(
                409,
                "alreadyReplaced",
                "what this order replaces was replaced by another",
            ));
        }
        if purpose == Purpose::Encrypt {
            self.admit_encryption_key(&state, order, profile.suite, key)?;
        }
        let now = self.now();
        self.require_own_room(&state.standing_certificates(&order.account, now), "certificates that stand")?;
        state.room_for_certificates(self.options.capacity, now);
        self.require_room(state.certificates.len(), "certificates")?;
        let stored = state.orders.get_transient(&order.id).ok_or_else(Problem::not_found)?;
        stored.finalizing = Some((key.clone(), purpose));
        Ok(UnderWay { server: self, order: order.id.clone() })
    }

    fn read_request(
        &self,
        members: &Map<String, Value>,
        order: &Order,
    ) -> Result<CertificateRequest, Problem> {
        let bad = |detail: String| Problem::new(400, "badCSR", detail);
        let der = members
            .get("csr")
            .and_then(Value::as_str)
            .and_then(|text| Base64UrlUnpadded::decode_vec(text).ok())
            .ok_or_else(|| Problem::malformed("csr is not base64url of a certification request's DER"))?;
        let request =
            CertificateRequest::parse(&der, &self.limits).map_err(|error| bad(error.to_string()))?;
        request.verify(Sm2Id::Default).map_err(|error| bad(error.to_string()))?;
        if !matches!(request.mailboxes(), [one] if one.matches(&order.mailbox)) {
            return Err(bad(format!(
                "the request has to name exactly the order's mailbox {}",
                order.mailbox
            )));
        }
        if request.common_name().is_some_and(|name| name != order.mailbox.as_str()) {
            return Err(bad("the common name is neither absent nor the order's mailbox".to_owned()));
        }
        Ok(request)
    }

    async fn issue(
        &self,
        order: &Order,
        profile: Profile,
        key: &PublicKey,
    ) -> Result<Vec<Certificate>, Problem> {
        let internal = |error: IssueError| Problem::internal(error.to_string());
        let issuer = self.pki.issuer(Realm::of(profile.purpose), profile.suite).map_err(internal)?;
        let subject = self.subject_of(&self.state(), &order.account).cloned().unwrap_or_default();
        let Profile { suite, purpose, level } = profile;
        let name = crl_name(Realm::of(purpose), suite);
        let template = Template::validated(&order.mailbox, suite, purpose, level, &subject, key)
            .with_crl(&format!("{}/crl/{name}.crl", self.base));
        let serial = self.new_serial().map_err(internal)?;
        let leaf = issuer.issue_numbered(&template, key, &serial, self.now()).await.map_err(internal)?;
        let mut chain = vec![leaf];
        chain.extend(issuer.chain_below());
        Ok(chain)
    }
}

impl AcmeServer {
    /// A serial number that no certificate issued here has, whatever the random source gives.
    fn new_serial(&self) -> Result<[u8; SERIAL], IssueError> {
        loop {
            let serial = serial_number(self.rng.as_ref())?;
            let mut state = self.state();
            let issued = state
                .certificates
                .values()
                .any(|issued| issued.leaf().is_some_and(|leaf| leaf.serial() == serial));
            // Those under way have no certificate yet.
            if !issued && state.serials.insert(serial) {
                return Ok(serial);
            }
        }
    }
}

/// An order being finalized. When it is dropped, by an error or because the client went away, the order is
/// what it was before.
struct UnderWay<'a> {
    server: &'a AcmeServer,
    order: String,
}

impl UnderWay<'_> {
    /// Enters the certificate; the answer, and what the mailbox is to be told.
    fn finish(self, mut issued: Issued) -> Result<(Answer, Vec<EventKind>, Option<String>), Problem> {
        let server = self.server;
        let mut state = server.state();
        // Another device may have removed this one while the certificate was made.
        let order = state.orders.get(&self.order).ok_or_else(Problem::not_found)?;
        let proof = state.authorizations.get(&order.authorization);
        if proof.is_none_or(|proof| proof.state != AuthorizationState::Valid) {
            return Err(Problem::unauthorized(
                "the authorization of this order ended; prove the mailbox anew",
            ));
        }
        issued.number = state.next_number();
        issued.device = issued.device.or_else(|| state.device(&issued.account, &issued.mailbox));
        let device = issued.device.clone();
        let mut kinds = Vec::new();
        let all = state.certificates.values().filter(|other| other.mailbox.matches(&issued.mailbox));
        let (own, others): (Vec<_>, Vec<_>) = all.partition(|other| other.account == issued.account);
        // A device that was thrown out, or whose certificates are all over, comes back as a new one.
        let known = own
            .iter()
            .any(|other| other.revoked.is_none() && !other.disowned && !other.is_over(server.now()));
        if !known && !others.is_empty() {
            kinds.push(EventKind::DeviceAdded);
        }
        if AcmeServer::supersede(&mut state, &issued) {
            kinds.push(EventKind::Rekeyed);
        }
        for kind in &kinds {
            let happened = Happened {
                kind: *kind,
                mailbox: &issued.mailbox,
                device: device.as_deref(),
                account: &issued.account,
                certificate: issued.leaf().map(|leaf| hex(&leaf.sha256())),
            };
            server.happened(&mut state, happened);
        }
        let stored = state.orders.get_mut(&self.order).ok_or_else(Problem::not_found)?;
        stored.finalizing = None;
        stored.certificate = Some(issued.id.clone());
        stored.ready_at = server.options.processing.map(|delay| server.now().plus(delay));
        let order = stored.clone();
        if let Some(replaced) = order.replaces.as_ref().and_then(|id| state.certificates.get_mut(id)) {
            replaced.replaced_by = Some(issued.id.clone());
        }
        tracing::info!(
            profile = issued.profile.name(),
            account = issued.account,
            sha256 = issued.leaf().map(|leaf| hex(&leaf.sha256())),
            "issued"
        );
        // Known by its certificate from now on.
        if let Some(serial) = issued.leaf().and_then(|leaf| leaf.serial().try_into().ok()) {
            let _known = state.serials.remove::<[u8; SERIAL]>(&serial);
        }
        state.certificates.insert(issued.id.clone(), issued);
        Ok((server.order_answer(200, &state, &order), kinds, device))
    }
}

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        if let Some(order) = self.server.state().orders.get_transient(&self.order) {
            order.finalizing = None;
        }
    }
}

/// The order as it is stored has to be ready now.
fn require_ready(state: &State, id: &str, now: Time) -> Result<(), Problem> {
    let order = state.orders.get(id).ok_or_else(Problem::not_found)?;
    match state.order_status(order, now) {
        "ready" => Ok(()),
        status => Err(Problem::new(403, "orderNotReady", format!("the order is {status}, not ready"))),
    }
}

/// RFC 8555 §11.1: an account key certifies nothing.
fn refuse_account_keys(state: &State, key: &PublicKey) -> Result<(), Problem> {
    let Some(jwk) = aecm_acme::jws::Jwk::from_public_key(key) else { return Ok(()) };
    if state.account_by_thumbprint(&jwk.thumbprint()).is_some() {
        return Err(Problem::new(400, "badCSR", "the request's key is an account key"));
    }
    Ok(())
}

/// The profile ordered, or the one that the key and its asked usage mean (RFC 8823 §3.3); the key has to be of
/// the profile's suite and the usage must not contradict it.
fn profile_of(order: &Order, request: &CertificateRequest) -> Result<Profile, Problem> {
    let bad = |detail: String| Problem::new(400, "badCSR", detail);
    let suite = match request.public_key().kind() {
        KeyKind::Rsa { bits: 2048.. } | KeyKind::P256 | KeyKind::P384 => Suite::Classic,
        KeyKind::Sm2 => Suite::Sm2,
        other => return Err(bad(format!("keys of kind {other:?} are not certified here"))),
    };
    let asked = request.purpose();
    let profile = match (order.profile, asked) {
        (Some(profile), _) => profile,
        (None, Some(purpose)) => Profile::mailbox(suite, purpose),
        (None, None) => {
            return Err(bad(
                "without a profile the request has to ask for the key usage of one purpose; dual use is not certified here"
                    .to_owned(),
            ));
        }
    };
    if profile.suite != suite {
        return Err(bad(format!("the profile {} does not take a key of the {suite} suite", profile.name())));
    }
    // Signing and timestamping keys ask for the same usage.
    let fits = match asked {
        None => request.key_usage().is_none(),
        Some(Purpose::Encrypt) => profile.purpose == Purpose::Encrypt,
        Some(Purpose::Sign | Purpose::Timestamp) => profile.purpose != Purpose::Encrypt,
    };
    if !fits {
        return Err(bad(format!("the asked key usage contradicts the profile {}", profile.name())));
    }
    Ok(profile)
}
