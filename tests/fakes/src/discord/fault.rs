//! Troubles on order: refusals, rate limits, slowness. And whether the bot heeds the limits it was told.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use axum::http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::ids::unix_now;
use super::record::Call;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub enum Fault {
    /// 429 with this waiting time.
    Limited {
        /// Seconds to wait.
        after_s: f64,
        /// Discord's own code, which it sends for some limits only.
        code: Option<u32>,
        /// Whether all requests must wait.
        is_global: bool,
    },
    /// A refusal with status and code.
    Refused(u16, u32),
    /// A status with a page of HTML, and nothing done.
    Broken(u16),
    /// A status with a page of HTML, after all was done.
    BrokenAfterwards(u16),
    /// The answer comes late.
    Slow(Duration),
    /// The answer leads elsewhere.
    Redirected(String),
}

/// A fault that waits for its requests.
#[derive(Debug, Clone)]
pub struct Planned {
    /// Which requests; `None` for all.
    pub call: Option<Call>,
    /// How many.
    pub n_times: usize,
    /// What happens to them.
    pub fault: Fault,
}

/// Takes the next fault that is planned for a kind of request.
pub fn take(planned: &mut Vec<Planned>, call: Call) -> Option<Fault> {
    let idx = planned.iter().position(|plan| plan.call.is_none_or(|wanted| wanted == call))?;
    planned[idx].n_times -= 1;
    let fault = planned[idx].fault.clone();
    planned.retain(|plan| plan.n_times > 0);
    Some(fault)
}

/// Tolerance of the clock when a waiting time is checked.
const SLACK: Duration = Duration::from_millis(30);

/// Requests per second that are allowed in all.
const GLOBAL_PER_S: usize = 50;

/// An answer 429.
#[derive(Debug, Clone, PartialEq)]
pub struct Limited {
    /// Seconds to wait.
    pub after_s: f64,
    /// Discord's own code.
    pub code: Option<u32>,
    /// Whether all requests must wait.
    pub is_global: bool,
}

impl Limited {
    /// The body of the answer.
    pub fn body(&self) -> Value {
        let mut body = json!({
            "message": "You are being rate limited.", "retry_after": self.after_s, "global": self.is_global
        });
        if let Some(code) = self.code {
            body["code"] = json!(code);
        }
        body
    }

    /// Its headers.
    pub fn headers(&self, key: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if self.is_global {
            headers.insert("x-ratelimit-global", HeaderValue::from_static("true"));
            headers.insert("x-ratelimit-scope", HeaderValue::from_static("global"));
        } else {
            headers = bucket(key, 1, 0, self.after_s);
            headers.insert("x-ratelimit-scope", HeaderValue::from_static("user"));
        }
        // The header is in whole seconds, rounded up; the body is exact.
        headers.insert("retry-after", number(self.after_s.ceil()));
        headers
    }
}

/// Headers that tell a bucket's state.
pub fn bucket(key: &str, limit: usize, remaining: usize, reset_after_s: f64) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert("x-ratelimit-limit", number(limit as f64));
    headers.insert("x-ratelimit-remaining", number(remaining as f64));
    headers.insert("x-ratelimit-reset", number(unix_now() + reset_after_s));
    headers.insert("x-ratelimit-reset-after", number(reset_after_s));
    let hash =
        key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, b| (hash ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
    headers.insert("x-ratelimit-bucket", HeaderValue::from_str(&format!("{hash:016x}")).expect("hex is a header"));
    headers
}

fn number(value: f64) -> HeaderValue {
    HeaderValue::from_str(&format!("{value}")).expect("a number is a header")
}

/// A request that was on its way when its limit began is no breach of it.
const ON_ITS_WAY: Duration = Duration::from_millis(150);

/// A limit that was told.
#[derive(Clone, Copy)]
struct Running {
    since: Instant,
    until: Instant,
}

/// Limits that run now.
#[derive(Default)]
pub struct Limits {
    /// Until when a kind of request with its channel or token has to wait; the empty key is for all.
    until: HashMap<String, Running>,
    /// Requests of the last second.
    recent: Vec<Instant>,
    /// Posts by channel.
    posts: HashMap<String, Vec<Instant>>,
}

impl Limits {
    /// Begins a limit.
    pub fn begin(&mut self, key: &str, limited: &Limited) {
        let key = if limited.is_global { String::new() } else { key.to_owned() };
        let now = Instant::now();
        let running = self.until.entry(key).or_insert(Running { since: now, until: now });
        // A limit that is told again while it runs is the same one.
        if running.until <= now {
            running.since = now;
        }
        running.until = running.until.max(now + Duration::from_secs_f64(limited.after_s));
    }

    /// A limit that the request comes up against, with how much too early it came if it should have known.
    pub fn broken(&self, call: Call, key: &str) -> Option<(Limited, Option<Duration>)> {
        let now = Instant::now();
        let global = self.until.get("").filter(|_| !call.is_interaction());
        let running = [(self.until.get(key), false), (global, true)];
        running.into_iter().find_map(|(until, is_global)| {
            let running = until?;
            let left = running.until.checked_duration_since(now).filter(|left| *left > SLACK)?;
            let is_known = now.duration_since(running.since) > ON_ITS_WAY;
            Some((Limited { after_s: left.as_secs_f64(), code: None, is_global }, is_known.then_some(left)))
        })
    }

    /// Counts a request against the global limit and the channel's; the headers when it passes.
    ///
    /// # Errors
    /// The limit that is reached.
    pub fn count(&mut self, call: Call, key: &str, posts_per: (usize, Duration)) -> Result<HeaderMap, Limited> {
        let now = Instant::now();
        self.recent.retain(|at| now.duration_since(*at) < Duration::from_secs(1));
        if !call.is_interaction() {
            if self.recent.len() >= GLOBAL_PER_S {
                return Err(Limited { after_s: 1.0, code: None, is_global: true });
            }
            self.recent.push(now);
        }
        if call != Call::Post {
            return Ok(bucket(key, 50, 49, 1.0));
        }
        let (limit, window) = posts_per;
        let posts = self.posts.entry(key.to_owned()).or_default();
        posts.retain(|at| now.duration_since(*at) < window);
        let left_s = posts.first().map_or(window, |first| window - now.duration_since(*first)).as_secs_f64();
        if posts.len() >= limit {
            return Err(Limited { after_s: left_s, code: None, is_global: false });
        }
        posts.push(now);
        Ok(bucket(key, limit, limit - posts.len(), left_s))
    }
}
