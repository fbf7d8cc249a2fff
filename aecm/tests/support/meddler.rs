//! Stands between a client and the service, and answers some requests itself.

use std::sync::{Arc, Mutex};

use aecm::acme::jws;
use aecm::core::embed::{Http, HttpError, HttpRequest, HttpResponse};
use serde_json::{Value, json};

type Answer = Box<dyn FnMut(&HttpRequest, &Value) -> Option<HttpResponse> + Send>;
type Edit = Box<dyn FnMut(&str, &mut HttpResponse) + Send>;

/// Its script can be changed at any time.
pub struct Meddler {
    inner: Arc<dyn Http>,
    answer: Mutex<Option<Answer>>,
    edit: Mutex<Option<Edit>>,
    pub gone: Mutex<bool>,
}

impl Meddler {
    pub fn new(inner: Arc<dyn Http>) -> Arc<Self> {
        Arc::new(Self { inner, answer: Mutex::default(), edit: Mutex::default(), gone: Mutex::new(false) })
    }

    /// What `answer` gives for a request and the payload of its JWS is answered in the service's place.
    pub fn answer(&self, answer: impl FnMut(&HttpRequest, &Value) -> Option<HttpResponse> + Send + 'static) {
        *self.answer.lock().unwrap() = Some(Box::new(answer));
    }

    /// Changes what the service answers at a URL.
    pub fn edit(&self, edit: impl FnMut(&str, &mut HttpResponse) + Send + 'static) {
        *self.edit.lock().unwrap() = Some(Box::new(edit));
    }

    pub fn leave(&self) {
        *self.answer.lock().unwrap() = None;
        *self.edit.lock().unwrap() = None;
    }

    /// From now on nobody answers, or somebody does again.
    pub fn vanish(&self, gone: bool) {
        *self.gone.lock().unwrap() = gone;
    }
}

#[async_trait::async_trait]
impl Http for Meddler {
    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, HttpError> {
        if *self.gone.lock().unwrap() {
            return Err(HttpError::Connection { url: request.url, detail: "refused".to_owned() });
        }
        let payload = payload(&request);
        let own = self.answer.lock().unwrap().as_mut().and_then(|answer| answer(&request, &payload));
        if let Some(own) = own {
            return Ok(own);
        }
        let url = request.url.clone();
        let mut response = self.inner.send(request).await?;
        if let Some(edit) = self.edit.lock().unwrap().as_mut() {
            edit(&url, &mut response);
        }
        Ok(response)
    }
}

/// What a JWS carries; null where it is none.
pub fn payload(request: &HttpRequest) -> Value {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let payload = body["payload"].as_str().and_then(jws::decode);
    payload.and_then(|payload| serde_json::from_slice(&payload).ok()).unwrap_or_default()
}

pub fn problem(status: u16, kind: &str, detail: &str) -> HttpResponse {
    let kind =
        if kind.contains(':') { kind.to_owned() } else { format!("urn:ietf:params:acme:error:{kind}") };
    answered(status, &json!({ "type": kind, "detail": detail, "status": status }))
}

pub fn answered(status: u16, body: &Value) -> HttpResponse {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    HttpResponse { status, headers, body: body.to_string().into_bytes() }
}

/// A newOrder for that profile?
pub fn orders(request: &HttpRequest, payload: &Value, profile: &str) -> bool {
    request.url.ends_with("/new-order") && payload["profile"] == profile
}
