//! What the operator configures.

use std::fmt;
use std::time::Duration;

/// The bot's token. It is shown by nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// As the developer portal shows it; white space and a leading `Bot ` do no harm.
    pub fn new(text: &str) -> Token {
        let text = text.trim();
        Token(text.strip_prefix("Bot ").unwrap_or(text).to_owned())
    }

    /// With the prefix that requests carry.
    pub(crate) fn header(&self) -> String {
        format!("Bot {}", self.0)
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token(…)")
    }
}

/// How the adapter runs.
#[derive(Debug, Clone)]
pub struct Config {
    /// The bot's token.
    pub token: Token,
    /// Another server that speaks Discord's API (`http://127.0.0.1:8081`); `None` for Discord itself.
    pub api_url: Option<String>,
    /// Whether to ask for message content: needed only to answer photos that nobody asked about.
    pub reads_content: bool,
    /// Version to tell people.
    pub version: String,
    /// Bounds of a healthy connection.
    pub bounds: Bounds,
}

impl Config {
    /// For Discord itself, without message content.
    pub fn new(token: Token, version: &str) -> Config {
        let version = version.to_owned();
        Config { token, api_url: None, reads_content: false, version, bounds: Bounds::default() }
    }
}

/// When a connection counts as sick.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Longest time without a session before the connection is made anew.
    pub unready: Duration,
    /// Time between two looks at the connection.
    pub look: Duration,
    /// More fresh sessions a shard than this within [`Bounds::sessions_within`] are a loop, which eats the 1000 a day that
    /// Discord grants.
    pub max_sessions: usize,
    /// See [`Bounds::max_sessions`].
    pub sessions_within: Duration,
    /// Pause before another try after one that reached no session; grows by as much each time, five times at most.
    pub pause: Duration,
    /// How long running answers may take to end at a stop.
    pub grace: Duration,
}

impl Default for Bounds {
    fn default() -> Bounds {
        Bounds {
            unready: Duration::from_secs(60),
            look: Duration::from_secs(2),
            max_sessions: 5,
            sessions_within: Duration::from_secs(600),
            pause: Duration::from_secs(20),
            grace: Duration::from_secs(4),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_shown() {
        let config = Config::new(Token::new(" Bot abc.def.ghi\n"), "1");
        assert_eq!(config.token.header(), "Bot abc.def.ghi");
        assert!(!format!("{config:?}").contains("abc"));
    }
}
