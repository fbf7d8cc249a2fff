//! An ACME server in one struct, without sockets: it verifies what it gets with the crate's server side, keeps
//! every rule of RFC 8555 that the client could break, and misbehaves on script.

use std::collections::{BTreeMap, BTreeSet};

use aecm_acme::csr::CertificateRequest;
use aecm_acme::email::authz_hint;
use aecm_acme::jws::{self, Jwk, KeyReference, Unverified};
use aecm_acme::token::{TokenJoin, TokenPart1, TokenPart2};
use aecm_acme::wire::{ChallengeResponse, Finalize, NewAccount, NewOrder, Revoke, TokenSubmission};
use aecm_core::embed::{HttpRequest, HttpResponse, Method};
use aecm_core::limits::Limits;
use aecm_core::public_key::PublicKey;
use aecm_core::signature::Sm2Id;
use aecm_core::time::Time;
use serde_json::{Value, json};

use super::ca::Ca;

pub const BASE: &str = "https://ca.example/acme";
pub const TERMS: &str = "https://ca.example/terms/1";

/// A challenge mail that was sent.
#[derive(Clone)]
pub struct SentMail {
    pub id: String,
    pub part1: String,
    pub hint: Option<String>,
}

struct Account {
    key: PublicKey,
    thumbprint: String,
}

struct Authorization {
    status: &'static str,
    part1: String,
    part2: String,
    wrong: u32,
    account: usize,
}

struct Order {
    status: &'static str,
    authorization: usize,
    account: usize,
    profile: Option<String>,
    polls: u32,
    chain: Option<String>,
}

type Tamper = Box<dyn FnMut(&HttpRequest, &mut HttpResponse) + Send>;

pub struct Server {
    pub ca: Ca,
    /// `meta.aecm.tokenSubmission`; none leaves `meta.aecm` out.
    pub advertise: Option<Vec<&'static str>>,
    pub challenge_types: Vec<&'static str>,
    pub reuse: bool,
    /// Finalize answers `processing` first.
    pub slow: bool,
    /// Mails carry `authz=`.
    pub hints: bool,
    pub terms: bool,
    pub meta_more: Value,
    pub mails: Vec<SentMail>,
    pub replies: Vec<String>,
    pub orders_opened: usize,
    pub profiles_seen: Vec<Option<String>>,
    pub devices_seen: Vec<Option<String>>,
    pub requests: Vec<(Method, String)>,
    /// Changes answers after they were made.
    pub tamper: Option<Tamper>,
    /// Mails carry another token than the challenge wants.
    pub wrong_mails: bool,
    /// Hints in mails name authorizations that nobody has.
    pub strange_hints: bool,
    /// Wrong tokens after which an authorization is dead.
    pub tries: u32,
    /// Bodies of CSRs that are refused with badCSR.
    pub refuse_csrs: u32,
    /// `expires` of orders and authorizations.
    pub expires: &'static str,
    /// The profile that orders name, where it is not the one that was asked for.
    pub names_profile: Option<&'static str>,
    revoked: BTreeSet<String>,
    nonces: BTreeSet<String>,
    counter: u64,
    accounts: Vec<Account>,
    authorizations: Vec<Authorization>,
    orders: BTreeMap<usize, Order>,
}

fn respond(status: u16, body: &Value) -> HttpResponse {
    let kind = if status >= 400 { "application/problem+json" } else { "application/json" };
    HttpResponse {
        status,
        headers: vec![("Content-Type".into(), kind.into())],
        body: body.to_string().into_bytes(),
    }
}

pub fn problem(status: u16, kind: &str, detail: &str) -> HttpResponse {
    let prefix = if kind.contains(':') { "" } else { "urn:ietf:params:acme:error:" };
    respond(status, &json!({ "type": format!("{prefix}{kind}"), "detail": detail }))
}

impl Server {
    pub fn new(now: Time) -> Self {
        Self {
            ca: Ca::new(now),
            advertise: Some(vec!["with-csr"]),
            challenge_types: vec!["email-token-00", "email-reply-00"],
            reuse: true,
            slow: false,
            hints: true,
            terms: true,
            meta_more: json!({}),
            mails: Vec::new(),
            replies: Vec::new(),
            orders_opened: 0,
            profiles_seen: Vec::new(),
            devices_seen: Vec::new(),
            requests: Vec::new(),
            tamper: None,
            refuse_csrs: 0,
            expires: "2027-01-01T00:00:00Z",
            names_profile: None,
            wrong_mails: false,
            strange_hints: false,
            tries: 5,
            revoked: BTreeSet::new(),
            nonces: BTreeSet::new(),
            counter: 0,
            accounts: Vec::new(),
            authorizations: Vec::new(),
            orders: BTreeMap::new(),
        }
    }

    pub fn dialect(now: Time, submission: TokenSubmission, reuse: bool) -> Self {
        Self { advertise: Some(vec![submission.word()]), reuse, ..Self::new(now) }
    }

    fn count(&mut self) -> u64 {
        self.counter += 1;
        self.counter
    }

    fn token(&mut self) -> String {
        let count = self.count();
        jws::encode(&[&[7; 16][..], &count.to_be_bytes()].concat())
    }

    pub fn handle(&mut self, request: &HttpRequest, now: Time) -> HttpResponse {
        assert!(request.url.starts_with("https://ca.example/"), "N2: asked {}", request.url);
        self.requests.push((request.method, request.url.clone()));
        let mut response = self.answer(request, now);
        let nonce = format!("nonce-{}", self.count());
        self.nonces.insert(nonce.clone());
        if request.method != Method::Get {
            response.headers.push(("replay-nonce".into(), nonce));
        }
        if let Some(tamper) = &mut self.tamper {
            tamper(request, &mut response);
        }
        response
    }

    fn answer(&mut self, request: &HttpRequest, now: Time) -> HttpResponse {
        let path = request.url.strip_prefix(BASE).unwrap_or_default().to_owned();
        match (request.method, path.as_str()) {
            (Method::Get, "/directory") => respond(200, &self.directory()),
            (Method::Head, "/new-nonce") => HttpResponse { status: 200, headers: vec![], body: vec![] },
            (Method::Post, _) => match self.post(&path, request, now) {
                Ok(response) | Err(response) => response,
            },
            _ => problem(404, "malformed", "no such resource"),
        }
    }

    fn directory(&self) -> Value {
        let profile = |suite: &str, purpose: &str| (format!("{suite}-{purpose}-mv"), json!("a profile"));
        let profiles: serde_json::Map<String, Value> = ["sm2", "classic"]
            .iter()
            .flat_map(|suite| ["sign", "encrypt", "timestamp"].map(|purpose| profile(suite, purpose)))
            .collect();
        let mut meta = json!({ "profiles": profiles });
        if self.terms {
            meta["termsOfService"] = json!(TERMS);
        }
        if let Some(submissions) = &self.advertise {
            meta["aecm"] = json!({ "version": 1, "tokenSubmission": submissions });
        }
        for (name, value) in self.meta_more.as_object().unwrap() {
            meta[name] = value.clone();
        }
        json!({
            "newNonce": format!("{BASE}/new-nonce"),
            "newAccount": format!("{BASE}/new-account"),
            "newOrder": format!("{BASE}/new-order"),
            "revokeCert": format!("{BASE}/revoke"),
            "meta": meta,
        })
    }

    fn post(&mut self, path: &str, request: &HttpRequest, now: Time) -> Result<HttpResponse, HttpResponse> {
        let malformed = |detail: &str| problem(400, "malformed", detail);
        assert_eq!(request.headers[0], ("Content-Type".to_owned(), "application/jose+json".to_owned()));
        let jws =
            Unverified::parse(&request.body, &Limits::default()).map_err(|e| malformed(&e.to_string()))?;
        let header = jws.header().clone();
        if header.url != request.url {
            return Err(malformed("url"));
        }
        if !self.nonces.remove(header.nonce.as_deref().unwrap_or_default()) {
            return Err(problem(400, "badNonce", "that nonce is not mine"));
        }
        if path == "/new-account" {
            let (key, payload) = jws.verify_own().map_err(|e| malformed(&e.to_string()))?;
            return self.new_account(key, &payload);
        }
        let KeyReference::Kid(kid) = &header.key else { return Err(malformed("kid")) };
        let account = kid
            .strip_prefix(&format!("{BASE}/acct/"))
            .and_then(|id| id.parse::<usize>().ok())
            .filter(|id| *id < self.accounts.len())
            .ok_or_else(|| problem(400, "accountDoesNotExist", "who?"))?;
        let payload = jws.verify(&self.accounts[account].key).map_err(|e| malformed(&e.to_string()))?;
        let parts: Vec<&str> = path.split('/').skip(1).collect();
        let number = |text: &str| text.parse::<usize>().map_err(|_| malformed("path"));
        match parts.as_slice() {
            ["new-order"] => self.new_order(account, &payload, now),
            ["order", id] => self.read_order(number(id)?, account),
            ["order", id, "finalize"] => self.finalize(number(id)?, account, &payload, now),
            ["authz", id] => {
                let asked: Value = serde_json::from_slice(&payload).unwrap_or_default();
                if asked["status"] == "deactivated" {
                    self.authorizations[number(id)?].status = "deactivated";
                }
                Ok(self.authorization(number(id)?))
            }
            ["chall", id, kind] => self.respond_challenge(number(id)?, kind, &payload),
            ["revoke"] => {
                let asked: Revoke = serde_json::from_slice(&payload).unwrap();
                if self.revoked.insert(asked.certificate) {
                    Ok(HttpResponse { status: 200, headers: vec![], body: vec![] })
                } else {
                    Err(problem(400, "alreadyRevoked", "long ago"))
                }
            }
            ["acct", _] => Ok(respond(200, &json!({ "status": "deactivated" }))),
            ["cert", id] => {
                let chain = self.orders[&number(id)?].chain.clone().unwrap();
                let kind = "application/pem-certificate-chain".to_owned();
                Ok(HttpResponse {
                    status: 200,
                    headers: vec![("Content-Type".into(), kind)],
                    body: chain.into_bytes(),
                })
            }
            _ => Err(problem(404, "malformed", "no such resource")),
        }
    }

    fn new_account(&mut self, key: PublicKey, payload: &[u8]) -> Result<HttpResponse, HttpResponse> {
        let asked: NewAccount = serde_json::from_slice(payload).unwrap();
        if self.terms && asked.terms_of_service_agreed != Some(true) {
            return Err(problem(403, "userActionRequired", "agree first"));
        }
        let known = self.accounts.iter().position(|account| account.key == key);
        let status = if known.is_some() { 200 } else { 201 };
        let id = known.unwrap_or_else(|| {
            let thumbprint = Jwk::from_public_key(&key).unwrap().thumbprint();
            self.accounts.push(Account { key, thumbprint });
            self.accounts.len() - 1
        });
        let mut response =
            respond(status, &json!({ "status": "valid", "orders": format!("{BASE}/orders/{id}") }));
        response.headers.push(("Location".into(), format!("{BASE}/acct/{id}")));
        Ok(response)
    }

    fn new_order(
        &mut self,
        account: usize,
        payload: &[u8],
        _now: Time,
    ) -> Result<HttpResponse, HttpResponse> {
        let asked: NewOrder = serde_json::from_slice(payload).unwrap();
        assert_eq!(asked.identifiers.len(), 1);
        self.orders_opened += 1;
        self.profiles_seen.push(asked.profile.clone());
        self.devices_seen.push(asked.aecm.and_then(|aecm| aecm.device));
        let valid =
            self.authorizations.iter().position(|authz| authz.status == "valid" && authz.account == account);
        let (authorization, status) = match valid.filter(|_| self.reuse) {
            Some(id) => (id, "ready"),
            None => (self.new_authorization(account), "pending"),
        };
        let id = self.orders.len() + 1;
        self.orders.insert(
            id,
            Order { status, authorization, account, profile: asked.profile, polls: 0, chain: None },
        );
        let mut response = respond(201, &self.order_json(id));
        response.headers.push(("Location".into(), format!("{BASE}/order/{id}")));
        Ok(response)
    }

    fn new_authorization(&mut self, account: usize) -> usize {
        let (part1, part2) = (self.token(), self.token());
        let id = self.authorizations.len();
        // The hint is that of the challenge the client will choose; both types have one URL each.
        let kind = self.challenge_types.first().copied().unwrap_or_default();
        let reply_only = self.advertise.as_deref() == Some(&["reply-mail"])
            || (self.advertise.is_none() && !self.challenge_types.contains(&"email-token-00"));
        let kind = if reply_only { "email-reply-00" } else { kind };
        let hint = self.hints.then(|| {
            authz_hint(&format!("{BASE}/chall/{}/{kind}", if self.strange_hints { id + 1_000 } else { id }))
        });
        let sent = if self.wrong_mails { part1.chars().rev().collect() } else { part1.clone() };
        self.mails.push(SentMail { id: format!("mail-{id}"), part1: sent, hint });
        self.authorizations.push(Authorization { status: "pending", part1, part2, wrong: 0, account });
        id
    }

    fn order_json(&self, id: usize) -> Value {
        let order = &self.orders[&id];
        let mut value = json!({
            "status": order.status,
            "expires": self.expires,
            "identifiers": [{ "type": "email", "value": "alice@example.com" }],
            "authorizations": [format!("{BASE}/authz/{}", order.authorization)],
            "finalize": format!("{BASE}/order/{id}/finalize"),
        });
        if let Some(profile) = self.names_profile.or(order.profile.as_deref()) {
            value["profile"] = json!(profile);
        }
        if order.status == "valid" {
            value["certificate"] = json!(format!("{BASE}/cert/{id}"));
        }
        value
    }

    fn read_order(&mut self, id: usize, account: usize) -> Result<HttpResponse, HttpResponse> {
        let Some(order) = self.orders.get_mut(&id) else {
            return Err(problem(404, "malformed", "no such order"));
        };
        assert_eq!(order.account, account);
        let authz = self.authorizations[order.authorization].status;
        match (order.status, authz) {
            ("pending", "valid") => order.status = "ready",
            ("pending", "invalid") => order.status = "invalid",
            ("processing", _) => {
                order.polls += 1;
                if order.polls > 2 {
                    order.status = "valid";
                }
            }
            _ => {}
        }
        let mut response = respond(200, &self.order_json(id));
        response.headers.push(("Retry-After".into(), "3".into()));
        Ok(response)
    }

    fn authorization(&self, id: usize) -> HttpResponse {
        let authz = &self.authorizations[id];
        let challenges: Vec<Value> =
            self.challenge_types.iter().map(|kind| self.challenge_json(id, kind)).collect();
        respond(
            200,
            &json!({
                "identifier": { "type": "email", "value": "alice@example.com" },
                "status": authz.status,
                "expires": self.expires,
                "challenges": challenges,
            }),
        )
    }

    fn challenge_json(&self, id: usize, kind: &str) -> Value {
        let authz = &self.authorizations[id];
        json!({
            "type": kind,
            "url": format!("{BASE}/chall/{id}/{kind}"),
            "status": authz.status,
            "token": authz.part2,
            "from": format!("acme+{id}@ca.example"),
        })
    }

    /// Checks a token or digest; five wrong ones end the authorization.
    fn try_token(
        &mut self,
        id: usize,
        token: Option<&str>,
        digest: Option<&str>,
    ) -> Result<(), HttpResponse> {
        let authz = &self.authorizations[id];
        let part1 = TokenPart1::parse(&authz.part1).unwrap();
        let right = part1.join(&TokenPart2::parse(&authz.part2).unwrap(), TokenJoin::default()).unwrap();
        let thumbprint = &self.accounts[authz.account].thumbprint;
        let fits = token == Some(right.expose())
            || digest == Some(right.key_authorization_digest(thumbprint).as_str());
        let authz = &mut self.authorizations[id];
        if authz.status != "pending" {
            return Err(problem(400, "malformed", "the authorization is decided"));
        }
        if fits {
            authz.status = "valid";
            return Ok(());
        }
        authz.wrong += 1;
        if authz.wrong >= self.tries {
            authz.status = "invalid";
        }
        if authz.wrong >= 5 {
            return Err(problem(403, "urn:aecm:error:tooManyTokens", "five wrong tokens"));
        }
        Err(problem(403, "incorrectResponse", "that is not the token"))
    }

    fn respond_challenge(
        &mut self,
        id: usize,
        kind: &str,
        payload: &[u8],
    ) -> Result<HttpResponse, HttpResponse> {
        let response: ChallengeResponse = serde_json::from_slice(payload).unwrap();
        if response.token.is_some() || response.key_authorization_digest.is_some() {
            self.try_token(
                id,
                response.token.as_ref().map(|token| token.as_str()),
                response.key_authorization_digest.as_deref(),
            )?;
        } else {
            assert_eq!(kind, "email-reply-00");
            let reply = self.replies.last().cloned();
            if self.authorizations[id].status == "pending" {
                self.try_token(id, None, reply.as_deref())?;
            }
        }
        Ok(respond(200, &self.challenge_json(id, kind)))
    }

    fn finalize(
        &mut self,
        id: usize,
        account: usize,
        payload: &[u8],
        now: Time,
    ) -> Result<HttpResponse, HttpResponse> {
        let asked: Finalize = serde_json::from_slice(payload).unwrap();
        let order = self.orders.get(&id).unwrap();
        let (authorization, status) = (order.authorization, order.status);
        match status {
            "pending" if asked.token.is_some() || asked.key_authorization_digest.is_some() => {
                self.try_token(
                    authorization,
                    asked.token.as_ref().map(|token| token.as_str()),
                    asked.key_authorization_digest.as_deref(),
                )?;
                self.orders.get_mut(&id).unwrap().status = "ready";
            }
            "ready" => assert!(asked.token.is_none(), "the token is submitted once"),
            _ => return Err(problem(403, "orderNotReady", status)),
        }
        if self.refuse_csrs > 0 {
            self.refuse_csrs -= 1;
            return Err(problem(400, "badCSR", "not to my taste"));
        }
        let csr = CertificateRequest::parse(&jws::decode(&asked.csr).unwrap(), &Limits::default()).unwrap();
        csr.verify(Sm2Id::Default).unwrap();
        let chain = self.ca.issue(&csr, &self.accounts[account].key, now);
        let order = self.orders.get_mut(&id).unwrap();
        order.chain = Some(chain);
        order.status = if self.slow { "processing" } else { "valid" };
        Ok(respond(200, &self.order_json(id)))
    }
}
