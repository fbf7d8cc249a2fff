//! Whether the service can be reached at all. The machine tries again, with growing pauses; a call does not go on
//! doing that for half an hour against a service that is not there.

use core::time::Duration;

use aecm_core::embed::{HttpError, HttpResponse};
use aecm_core::time::Time;

use super::ClientError;

/// How long connections may fail in a row.
const PATIENCE: Duration = Duration::from_secs(60);
/// How many requests in a row may be taken and not answered; each has its minute.
const MAX_TIMEOUTS: u32 = 2;

/// The failures since the last answer of any kind.
#[derive(Debug, Default)]
pub(super) struct Reach {
    first: Option<Time>,
    failures: u32,
    timeouts: u32,
    last: Option<HttpError>,
}

impl Reach {
    /// Notes what came of a request.
    pub(super) fn note(&mut self, answer: &Result<HttpResponse, HttpError>, now: Time) {
        match answer {
            Err(error) if is_silence(error) => {
                self.first.get_or_insert(now);
                self.failures += 1;
                self.timeouts += u32::from(matches!(error, HttpError::Timeout { .. }));
                self.last = Some(error.clone());
            }
            _ => *self = Self::default(),
        }
    }

    /// What happened last, while there is no answer.
    pub(super) fn trouble(&self) -> Option<HttpError> {
        self.last.clone()
    }

    /// Why it is not worth waiting `until` the next try.
    pub(super) fn lost(&self, until: Time) -> Option<HttpError> {
        // One lost answer among others that came says little, however long the pause after it is.
        let over = self.failures > 1 && self.first.is_some_and(|first| until > first.plus(PATIENCE));
        self.last.clone().filter(|_| over || self.timeouts >= MAX_TIMEOUTS)
    }
}

/// Whether nothing at all was heard.
const fn is_silence(error: &HttpError) -> bool {
    matches!(error, HttpError::Connection { .. } | HttpError::Timeout { .. })
}

/// The error of a single request, which is not tried again.
pub(super) fn unanswered(error: HttpError) -> ClientError {
    if is_silence(&error) { ClientError::ServiceUnreachable { error } } else { ClientError::Http(error) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Time = Time::from_unix(1_795_420_800);

    fn at(seconds: u64) -> Time {
        NOW.plus(Duration::from_secs(seconds))
    }

    fn refused() -> Result<HttpResponse, HttpError> {
        Err(HttpError::Connection { url: "https://ca.example/".to_owned(), detail: "refused".to_owned() })
    }

    fn timeout() -> Result<HttpResponse, HttpError> {
        Err(HttpError::Timeout { url: "https://ca.example/".to_owned() })
    }

    #[test]
    fn a_minute_without_connection_is_enough_and_any_answer_begins_anew() {
        let mut reach = Reach::default();
        assert_eq!((reach.lost(at(9_000)), reach.trouble()), (None, None));
        reach.note(&refused(), NOW);
        assert_eq!(reach.lost(at(75)), None);
        assert!(reach.trouble().is_some());
        reach.note(&refused(), at(55));
        assert!(reach.lost(at(61)).is_some());
        reach.note(&Ok(HttpResponse { status: 503, headers: vec![], body: vec![] }), at(56));
        assert_eq!(reach.lost(at(9_000)), None);
    }

    #[test]
    fn two_requests_without_an_answer_are_enough() {
        let mut reach = Reach::default();
        reach.note(&timeout(), at(60));
        assert_eq!(reach.lost(at(62)), None);
        reach.note(&timeout(), at(122));
        assert!(matches!(reach.lost(at(123)), Some(HttpError::Timeout { .. })));
    }

    // What is wrong with the request itself is no matter of reach.
    #[test]
    fn other_failures_say_what_they_are() {
        let large = HttpError::TooLarge { url: "https://ca.example/".to_owned(), limit: 1 };
        let mut reach = Reach::default();
        reach.note(&Err(large.clone()), NOW);
        assert_eq!(reach.lost(at(9_000)), None);
        assert_eq!(unanswered(large.clone()), ClientError::Http(large));
        let Err(silent) = timeout() else { panic!() };
        assert_eq!(unanswered(silent.clone()), ClientError::ServiceUnreachable { error: silent });
    }
}
