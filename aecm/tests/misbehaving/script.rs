//! An HTTP client between Alice and the service that does to requests and answers what a script says.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aecm::acme::jws;
use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse, Sleep};
use serde_json::{Value, json};

use crate::clock::{Jump, VirtualClock};

/// The resources of the service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Directory,
    Nonce,
    Account,
    NewOrder,
    Order,
    Authorization,
    Challenge,
    Finalize,
    Certificate,
    Elsewhere,
}

impl Place {
    pub fn of(url: &str) -> Self {
        let path = url.split_once("/acme/").map_or("", |(_, path)| path);
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["directory"] => Self::Directory,
            ["new-nonce"] => Self::Nonce,
            ["new-account"] => Self::Account,
            ["new-order"] => Self::NewOrder,
            ["order", _] => Self::Order,
            ["order", _, "finalize"] => Self::Finalize,
            ["authorization", _] => Self::Authorization,
            ["challenge", _, _] => Self::Challenge,
            ["certificate", _] => Self::Certificate,
            _ => Self::Elsewhere,
        }
    }
}

/// What went by.
#[derive(Default)]
pub struct Seen {
    /// The present request.
    pub url: String,
    /// The first genuine answer of each place.
    pub first: BTreeMap<Place, HttpResponse>,
    /// The request of the last finalize, DER.
    pub csr: Vec<u8>,
    /// Both parts of tokens and what they make together.
    pub tokens: Vec<String>,
    /// Requests that left the origin.
    pub strayed: Vec<String>,
    /// Requests by place.
    pub requests: BTreeMap<Place, usize>,
    /// What happens to the client's clock.
    pub jump: Jump,
}

impl Seen {
    fn note_request(&mut self, request: &HttpRequest, origin: &str) {
        self.url.clone_from(&request.url);
        *self.requests.entry(Place::of(&request.url)).or_default() += 1;
        if !request.url.starts_with(&format!("{origin}/")) {
            self.strayed.push(request.url.clone());
        }
        let Ok(body) = serde_json::from_slice::<Value>(&request.body) else { return };
        let payload = body["payload"].as_str().and_then(jws::decode).unwrap_or_default();
        let Ok(payload) = serde_json::from_slice::<Value>(&payload) else { return };
        self.tokens.extend(payload["token"].as_str().map(str::to_owned));
        if let Some(csr) = payload["csr"].as_str() {
            self.csr = jws::decode(csr).unwrap();
        }
    }

    fn note_answer(&mut self, place: Place, response: &HttpResponse) {
        self.first.entry(place).or_insert_with(|| response.clone());
        if let Ok(body) = serde_json::from_slice::<Value>(&response.body) {
            for challenge in body["challenges"].as_array().into_iter().flatten() {
                self.tokens.extend(challenge["token"].as_str().map(str::to_owned));
            }
        }
    }

    pub fn requests(&self, place: Place) -> usize {
        self.requests.get(&place).copied().unwrap_or(0)
    }
}

type Edit = Box<dyn Fn(&mut HttpResponse, &Seen) + Send + Sync>;
type Forge = Box<dyn Fn(&Seen) -> HttpResponse + Send + Sync>;
type Alter = Box<dyn Fn(&mut HttpRequest) + Send + Sync>;

pub enum Act {
    /// The answer is changed.
    Edit(Edit),
    /// The request does not reach the service; this is the answer.
    Forge(Forge),
    /// The request is changed.
    Alter(Alter),
    /// The connection breaks before the request was taken.
    LoseRequest,
    /// The service took the request, the answer is lost.
    LoseAnswer,
    /// No end: the request was not taken.
    Hang,
    /// No end: the request was taken.
    HangAfter,
    /// The answer takes so long.
    Slow(Duration),
    /// The request arrives twice; the second answer is handed on.
    Twice,
}

/// What is done at a place, from the n-th request there to the m-th.
pub struct Rule {
    places: Vec<Place>,
    from: usize,
    until: usize,
    count: AtomicUsize,
    act: Act,
}

/// Begins a rule: once, at the first request to `place`, unless said otherwise.
pub fn on(place: Place) -> When {
    When { places: vec![place], from: 1, until: 1 }
}

/// A rule for every POST.
pub fn on_posts() -> When {
    use Place::*;
    let places = vec![Account, NewOrder, Order, Authorization, Challenge, Finalize, Certificate];
    When { places, from: 1, until: 1 }
}

pub struct When {
    places: Vec<Place>,
    from: usize,
    until: usize,
}

impl When {
    pub fn and(mut self, place: Place) -> Self {
        self.places.push(place);
        self
    }

    /// From the n-th request on, for as many as before.
    pub fn from(mut self, from: usize) -> Self {
        let many = self.until.saturating_sub(self.from);
        self.from = from;
        self.until = from.saturating_add(many);
        self
    }

    pub fn times(mut self, times: usize) -> Self {
        self.until = self.from.saturating_add(times - 1);
        self
    }

    pub fn always(mut self) -> Self {
        self.until = usize::MAX;
        self
    }

    pub fn act(self, act: Act) -> Rule {
        let Self { places, from, until } = self;
        Rule { places, from, until, count: AtomicUsize::new(0), act }
    }

    pub fn edit(self, edit: impl Fn(&mut HttpResponse) + Send + Sync + 'static) -> Rule {
        self.act(Act::Edit(Box::new(move |response, _| edit(response))))
    }

    pub fn edit_seeing(self, edit: impl Fn(&mut HttpResponse, &Seen) + Send + Sync + 'static) -> Rule {
        self.act(Act::Edit(Box::new(edit)))
    }

    /// Changes the JSON of the answer.
    pub fn json(self, change: impl Fn(&mut Value) + Send + Sync + 'static) -> Rule {
        self.edit(move |response| {
            let mut value = serde_json::from_slice(&response.body).unwrap();
            change(&mut value);
            response.body = value.to_string().into_bytes();
        })
    }

    /// Sets a member, by its JSON pointer.
    pub fn set(self, pointer: &'static str, to: Value) -> Rule {
        self.json(move |value| *value.pointer_mut(pointer).unwrap() = to.clone())
    }

    /// Replaces a header field, or takes it away.
    pub fn header(self, name: &'static str, value: Option<&'static str>) -> Rule {
        self.edit(move |response| set_header(response, name, value))
    }

    pub fn body(self, body: impl Into<Vec<u8>>) -> Rule {
        let body = body.into();
        self.edit(move |response| response.body.clone_from(&body))
    }

    pub fn answer(self, status: u16, headers: &'static [(&'static str, &'static str)], body: &str) -> Rule {
        let body = body.as_bytes().to_vec();
        self.forge(move |_| HttpResponse {
            status,
            headers: headers.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect(),
            body: body.clone(),
        })
    }

    pub fn forge(self, forge: impl Fn(&Seen) -> HttpResponse + Send + Sync + 'static) -> Rule {
        self.act(Act::Forge(Box::new(forge)))
    }

    /// A problem document instead of an answer; the request does not reach the service.
    pub fn problem(self, status: u16, kind: &str) -> Rule {
        let document = problem(status, kind);
        self.forge(move |_| document.clone())
    }

    /// The service takes the request and a problem document comes back.
    pub fn problem_after(self, status: u16, kind: &str) -> Rule {
        let document = problem(status, kind);
        self.edit(move |response| {
            response.status = document.status;
            response.body.clone_from(&document.body);
        })
    }
}

pub const WHY: &str = "because it is Monday";

/// A problem document of that type: one of RFC 8555, or a URI of its own.
pub fn problem(status: u16, kind: &str) -> HttpResponse {
    let uri = if kind.contains(':') { kind.to_owned() } else { format!("urn:ietf:params:acme:error:{kind}") };
    document(status, &json!({ "type": uri, "detail": WHY, "status": status }))
}

pub fn document(status: u16, body: &Value) -> HttpResponse {
    HttpResponse {
        status,
        headers: vec![("content-type".into(), "application/problem+json".into())],
        body: body.to_string().into_bytes(),
    }
}

pub fn set_header(response: &mut HttpResponse, name: &str, value: Option<&str>) {
    response.headers.retain(|(field, _)| !field.eq_ignore_ascii_case(name));
    response.headers.extend(value.map(|value| (name.to_owned(), value.to_owned())));
}

/// Is called before each of the client's requests.
#[async_trait::async_trait]
pub trait Interlude: Send + Sync {
    async fn before(&self, number: usize);
}

pub struct Scripted {
    pub inner: Arc<dyn Http>,
    pub clock: Arc<VirtualClock>,
    pub origin: String,
    pub rules: Vec<Rule>,
    pub interlude: Option<Arc<dyn Interlude>>,
    pub seen: Arc<Mutex<Seen>>,
}

impl Scripted {
    /// The service's own answer; no time passes.
    async fn genuine(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let place = Place::of(&request.url);
        let _work = self.clock.work();
        let response = self.inner.send(request).await?;
        self.seen.lock().unwrap().note_answer(place, &response);
        Ok(response)
    }

    fn rule(&self, place: Place) -> Option<&Rule> {
        let mut chosen = None;
        for rule in self.rules.iter().filter(|rule| rule.places.contains(&place)) {
            let number = rule.count.fetch_add(1, Ordering::SeqCst) + 1;
            if chosen.is_none() && (rule.from..=rule.until).contains(&number) {
                chosen = Some(rule);
            }
        }
        chosen
    }
}

#[async_trait::async_trait]
impl Http for Scripted {
    async fn send(&self, mut request: HttpRequest) -> Result<HttpResponse, HttpError> {
        let (url, limit) = (request.url.clone(), request.max_body);
        let number = {
            let mut seen = self.seen.lock().unwrap();
            seen.note_request(&request, &self.origin);
            seen.requests.values().sum()
        };
        if let Some(interlude) = &self.interlude {
            let _work = self.clock.work();
            interlude.before(number).await;
        }
        let broken = || HttpError::Connection { url: url.clone(), detail: "connection reset".to_owned() };
        let Some(rule) = self.rule(Place::of(&url)) else { return self.genuine(request).await };
        let response = match &rule.act {
            Act::Edit(edit) => {
                let mut response = self.genuine(request).await?;
                edit(&mut response, &self.seen.lock().unwrap());
                response
            }
            Act::Forge(forge) => forge(&self.seen.lock().unwrap()),
            Act::Alter(alter) => {
                alter(&mut request);
                self.genuine(request).await?
            }
            Act::LoseRequest => return Err(broken()),
            Act::LoseAnswer => {
                let _lost = self.genuine(request).await;
                return Err(broken());
            }
            Act::Hang => core::future::pending().await,
            Act::HangAfter => {
                let _lost = self.genuine(request).await;
                core::future::pending().await
            }
            Act::Slow(time) => {
                self.clock.sleep(*time).await;
                self.genuine(request).await?
            }
            Act::Twice => {
                let _first = self.genuine(request.clone()).await?;
                self.genuine(request).await?
            }
        };
        // What a client of HTTP sees to.
        if response.body.len() > limit {
            return Err(HttpError::TooLarge { url, limit });
        }
        Ok(response)
    }
}
