//! Requests to Discord: one place that waits for rate limits, repeats what may be repeated, and never shows an address.
//!
//! serenity's rate limiter sends to Discord only, whatever address is set. So with another server it is off, and the
//! limits are read from the headers here; with Discord itself the limiter does it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use image2song_contract::health::Health;
use serenity::http::{Http, HttpError, LightMethod, Multipart, Request, Route};
use serenity::json::{self, Value};

/// Tries of one request.
const MAX_TRIES: u32 = 4;
/// First pause after a fault of the server; doubles.
const PAUSE: Duration = Duration::from_millis(300);

/// What a request carries.
#[derive(Debug, Clone)]
pub enum Content {
    /// Nothing.
    None,
    /// JSON.
    Json(Value),
    /// JSON and files.
    Form(Box<Multipart>),
}

/// Whether a request may be sent again when nobody knows whether it was carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Repeat {
    /// A second time changes nothing.
    Safe,
    /// A second time would show.
    Unsafe,
}

/// A request that failed. It shows neither address nor content, for both hold secrets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RestError {
    /// Discord refused, with HTTP status and its own code (-1 where it told none).
    #[error("refused with status {status}, code {code}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// Discord's code.
        code: i64,
    },
    /// It would have taken too long.
    #[error("no answer in time")]
    TimedOut,
    /// Nobody answered, or not in JSON.
    #[error("no connection or no sense in the answer")]
    Network,
}

impl RestError {
    /// Discord's code, if it told one.
    pub fn code(self) -> Option<i64> {
        match self {
            Self::Refused { code, .. } if code > 0 => Some(code),
            _ => None,
        }
    }

    /// Its name in metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Refused { status: 429, .. } => "429",
            Self::Refused { status: 500.., .. } => "5xx",
            Self::Refused { status: 401, .. } => "401",
            Self::Refused { status: 403, .. } => "403",
            Self::Refused { status: 404, .. } => "404",
            Self::Refused { .. } => "4xx",
            Self::TimedOut => "timeout",
            Self::Network => "network",
        }
    }
}

/// Sends requests.
pub struct Rest {
    http: Arc<Http>,
    direct: Option<Direct>,
    health: Arc<Health>,
}

/// The way to a server that is not Discord itself.
struct Direct {
    client: reqwest::Client,
    base: String,
    limits: Limits,
}

/// One try: done, failed, or to be repeated after a pause.
enum Tried {
    Done(Value),
    Failed(RestError),
    Again(RestError, Duration),
}

impl Rest {
    /// To Discord through `http`, or to the server at `base`.
    pub fn new(http: Arc<Http>, base: Option<&str>, health: Arc<Health>) -> Rest {
        let direct = base.map(|base| {
            let client = reqwest::Client::new();
            Direct { client, base: base.trim_end_matches('/').to_owned(), limits: Limits::default() }
        });
        Rest { http, direct, health }
    }

    /// Sends a request until it succeeds, is refused or `within` is over; the answer's JSON, null if it has none.
    ///
    /// # Errors
    /// The last fault.
    pub async fn send(
        &self,
        (method, route): (LightMethod, Route<'_>),
        content: Content,
        repeat: Repeat,
        within: Duration,
    ) -> Result<Value, RestError> {
        let deadline = tokio::time::Instant::now() + within;
        let mut request = Request::new(route, method);
        request = match content {
            Content::None => request,
            Content::Json(value) => request.body(Some(value.to_string().into_bytes())),
            Content::Form(form) => request.multipart(Some(*form)),
        };
        let mut failed = RestError::TimedOut;
        for idx in 0..MAX_TRIES {
            let left = deadline.saturating_duration_since(tokio::time::Instant::now());
            let tried = match &self.direct {
                Some(direct) => {
                    direct.send(request.clone(), &method_name(method), route, self.http.token(), repeat, left).await
                }
                None => self.limited(request.clone(), repeat, left).await,
            };
            let pause = match tried {
                Tried::Done(value) => return Ok(value),
                Tried::Failed(error) => {
                    self.health.count("error", error.name());
                    return Err(error);
                }
                Tried::Again(error, pause) => {
                    self.health.count("error", error.name());
                    failed = error;
                    if pause.is_zero() { PAUSE * 2u32.pow(idx) } else { pause }
                }
            };
            if tokio::time::Instant::now() + pause >= deadline {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        Err(failed)
    }

    /// Through serenity's limiter, which waits and repeats for ever, so it is bounded here.
    async fn limited(&self, request: Request<'_>, repeat: Repeat, left: Duration) -> Tried {
        let Ok(sent) = tokio::time::timeout(left, self.http.request(request)).await else {
            return Tried::Failed(RestError::TimedOut);
        };
        let error = match sent {
            Ok(answer) => {
                return match answer.bytes().await {
                    Ok(bytes) => Tried::Done(json::from_slice(&bytes).unwrap_or(json::NULL)),
                    Err(_) => Tried::Failed(RestError::Network),
                };
            }
            Err(serenity::Error::Http(HttpError::UnsuccessfulRequest(answer))) => {
                RestError::Refused { status: answer.status_code.as_u16(), code: answer.error.code as i64 }
            }
            Err(_) => RestError::Network,
        };
        judge(error, repeat)
    }
}

/// Whether to try once more after a fault that is no rate limit.
fn judge(error: RestError, repeat: Repeat) -> Tried {
    match error {
        RestError::Refused { status: 500.., .. } | RestError::Network if repeat == Repeat::Safe => {
            Tried::Again(error, Duration::ZERO)
        }
        _ => Tried::Failed(error),
    }
}

impl Direct {
    async fn send(
        &self,
        request: Request<'_>,
        method: &str,
        route: Route<'_>,
        token: &str,
        repeat: Repeat,
        left: Duration,
    ) -> Tried {
        let key = bucket(method, &route.path());
        let deadline = tokio::time::Instant::now() + left;
        // Asked again after each wait: meanwhile another request may have been told of a further limit.
        loop {
            let wait = self.limits.wait(&key);
            if wait.is_zero() {
                break;
            }
            if tokio::time::Instant::now() + wait >= deadline {
                return Tried::Failed(RestError::TimedOut);
            }
            tokio::time::sleep(wait).await;
        }
        let left = deadline.saturating_duration_since(tokio::time::Instant::now());
        let Ok(built) = request.build(&self.client, token, Some(&self.base)) else {
            return Tried::Failed(RestError::Network);
        };
        let answer = match built.timeout(left).send().await {
            Ok(answer) => answer,
            Err(error) if error.is_timeout() => return Tried::Failed(RestError::TimedOut),
            // Nothing was sent, so nothing can have been done.
            Err(error) if error.is_connect() => return Tried::Again(RestError::Network, Duration::ZERO),
            Err(_) => return judge(RestError::Network, repeat),
        };
        let status = answer.status().as_u16();
        let header = |name: &str| answer.headers().get(name)?.to_str().ok()?.parse::<f64>().ok();
        let (after, remaining) = (header("retry-after"), header("x-ratelimit-remaining"));
        let reset_after = header("x-ratelimit-reset-after");
        let is_global = answer.headers().contains_key("x-ratelimit-global");
        let body: Value = match answer.bytes().await {
            Ok(bytes) => json::from_slice(&bytes).unwrap_or(json::NULL),
            Err(_) => return judge(RestError::Network, repeat),
        };
        let code = body["code"].as_i64().unwrap_or(-1);
        if status == 429 {
            let seconds = body["retry_after"].as_f64().or(after).unwrap_or(1.0).clamp(0.0, 3600.0);
            let wait = Duration::from_secs_f64(seconds);
            self.limits.begin(if is_global { "" } else { &key }, wait);
            // The limit itself is waited for above, where all requests of the bucket do.
            return Tried::Again(RestError::Refused { status, code }, Duration::from_millis(1));
        }
        if let (Some(0.0), Some(seconds)) = (remaining, reset_after) {
            self.limits.begin(&key, Duration::from_secs_f64(seconds.clamp(0.0, 3600.0)));
        }
        match status {
            200..300 => Tried::Done(body),
            _ => judge(RestError::Refused { status, code }, repeat),
        }
    }
}

/// How far apart requests go out that waited for the same limit: all at once would run into the next one.
const PACE: Duration = Duration::from_millis(25);

/// A limit, and when the next of those who wait for it may go.
struct Running {
    end: Instant,
    next: Instant,
}

/// Limits that run, by bucket; the empty one is for all but interactions.
#[derive(Default)]
struct Limits(Mutex<HashMap<String, Running>>);

impl Limits {
    fn begin(&self, key: &str, wait: Duration) {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        limits.retain(|_, limit| limit.end > now);
        let limit = limits.entry(key.to_owned()).or_insert(Running { end: now, next: now });
        limit.end = limit.end.max(now + wait);
    }

    /// How long a request has to wait now, each that waits a little longer than the one before.
    fn wait(&self, key: &str) -> Duration {
        let mut limits = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let now = Instant::now();
        let is_exempt = key.contains("/interactions/") || key.contains("/webhooks/");
        let names = [key, if is_exempt { key } else { "" }];
        let end_of = |name: &&str| limits.get(*name).map(|limit| limit.end).filter(|end| *end > now);
        let latest = names.into_iter().filter(|name| end_of(name).is_some()).max_by_key(end_of);
        let Some(limit) = latest.and_then(|name| limits.get_mut(name)) else { return Duration::ZERO };
        let turn = limit.next.max(limit.end);
        limit.next = turn + PACE;
        turn - now
    }
}

/// The rate limit's key: method and path, in which of all ids only the first (channel, server, interaction) counts.
fn bucket(method: &str, path: &str) -> String {
    let mut key = method.to_owned();
    let path = path.trim_start_matches("https://discord.com");
    for (idx, part) in path.split('/').skip(1).enumerate() {
        let is_minor_id = idx > 3 && part.len() > 10 && part.bytes().all(|b| b.is_ascii_digit());
        key.push('/');
        key.push_str(if is_minor_id { "*" } else { part });
    }
    key
}

fn method_name(method: LightMethod) -> String {
    format!("{method:?}").to_ascii_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_of_one_channel_share_a_limit() {
        let path = |message| format!("https://discord.com/api/v10/channels/12345678901/messages/{message}");
        assert_eq!(bucket("PATCH", &path("22345678901")), bucket("PATCH", &path("32345678901")));
        assert_ne!(bucket("PATCH", &path("22345678901")), bucket("DELETE", &path("22345678901")));
        let other = "https://discord.com/api/v10/channels/99945678901/messages/22345678901";
        assert_ne!(bucket("PATCH", &path("22345678901")), bucket("PATCH", other));
    }

    #[test]
    fn those_who_wait_go_one_after_another() {
        let limits = Limits::default();
        limits.begin("", Duration::from_secs(60));
        let waits = [(); 3].map(|()| limits.wait("POST/api/v10/channels/1/messages"));
        assert!(waits[2] > waits[0] + PACE, "{waits:?}");
    }

    #[test]
    fn a_global_limit_holds_all_but_interactions() {
        let limits = Limits::default();
        limits.begin("", Duration::from_secs(60));
        assert!(limits.wait("POST/api/v10/channels/1/messages") > Duration::from_secs(50));
        assert_eq!(limits.wait("POST/api/v10/interactions/1/t/callback"), Duration::ZERO);
        limits.begin("POST/api/v10/interactions/1/t/callback", Duration::from_secs(60));
        assert!(limits.wait("POST/api/v10/interactions/1/t/callback") > Duration::from_secs(50));
    }

    #[test]
    fn errors_show_no_address() {
        let error = RestError::Refused { status: 404, code: 10_062 };
        assert_eq!(error.to_string(), "refused with status 404, code 10062");
        assert_eq!((error.code(), RestError::Network.code()), (Some(10_062), None));
    }
}
