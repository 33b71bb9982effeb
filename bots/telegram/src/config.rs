//! What the operator decides: token, server, and how updates arrive.

use std::net::SocketAddr;
use std::path::PathBuf;

use image2song_contract::fetch::AllowedHost;
use image2song_contract::supervise::Policy;
use teloxide::Bot;

/// Telegram's own server.
pub const API_URL: &str = "https://api.telegram.org";

/// Something that no log may show; it has neither `Debug` nor `Display`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the one place that sends it.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

/// How updates arrive.
#[derive(Clone)]
pub enum Mode {
    /// The adapter asks for them; needs no public address.
    Poll,
    /// Telegram sends them.
    Webhook {
        /// Where the adapter listens.
        listen: SocketAddr,
        /// The public address that leads there; its path is the one that is served.
        url: String,
        /// What Telegram must send along: 1 to 256 of `A-Za-z0-9_-`.
        secret: Secret,
    },
}

/// Settings of the adapter.
#[derive(Clone)]
pub struct Config {
    /// From @BotFather.
    pub token: Secret,
    /// [`API_URL`], or another server that speaks the same API.
    pub api_url: String,
    /// Folder of a Bot API server that runs on this machine with `--local` and names files by their paths; `None` for
    /// servers that are asked for files.
    pub local_files: Option<PathBuf>,
    /// How updates arrive.
    pub mode: Mode,
    /// The program's version, for `/about`.
    pub version: String,
    /// When a silent adapter is started anew.
    pub policy: Policy,
}

/// A setting that can't be used; the message names it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The token is not of Telegram's form. It is not shown.
    #[error("the Telegram token is not of the form 123456789:AA…; copy it from @BotFather")]
    Token,
    /// The server's address.
    #[error("telegram.api_url {0:?} is no http or https address without a query")]
    ApiUrl(String),
    /// The public address of the webhook.
    #[error("telegram.webhook_url {0:?} is no http or https address")]
    WebhookUrl(String),
    /// The secret of the webhook. It is not shown.
    #[error("the secret of the webhook must be 1 to 256 letters, digits, _ or -")]
    WebhookSecret,
}

impl Config {
    /// Long polling at Telegram's own server.
    pub fn polling(token: Secret, version: impl Into<String>) -> Self {
        let (api_url, version) = (API_URL.to_owned(), version.into());
        Self { token, api_url, local_files: None, mode: Mode::Poll, version, policy: Policy::default() }
    }

    /// Checks all settings without using the network.
    ///
    /// # Errors
    /// The first setting that can't be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        let is_token = self.token.expose().split_once(':').is_some_and(|(id, key)| {
            let is_key = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            !id.is_empty() && id.chars().all(|c| c.is_ascii_digit()) && key.len() >= 30 && key.chars().all(is_key)
        });
        if !is_token {
            return Err(ConfigError::Token);
        }
        self.bot().map(drop)?;
        if let Mode::Webhook { url, secret, .. } = &self.mode {
            origin(url).ok_or_else(|| ConfigError::WebhookUrl(url.clone()))?;
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
            let secret = secret.expose();
            if !(1..=256).contains(&secret.len()) || !secret.chars().all(is_allowed) {
                return Err(ConfigError::WebhookSecret);
            }
        }
        Ok(())
    }

    /// The server's address without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        self.api_url.trim_end_matches('/')
    }

    /// The client of the Bot API.
    pub(crate) fn bot(&self) -> Result<Bot, ConfigError> {
        let error = || ConfigError::ApiUrl(self.api_url.clone());
        origin(self.base()).ok_or_else(error)?;
        if self.base().contains(['?', '#']) {
            return Err(error());
        }
        Ok(Bot::new(self.token.expose()).set_api_url(self.base().parse().map_err(|_| error())?))
    }

    /// The host that files come from.
    pub(crate) fn host(&self) -> Result<AllowedHost, ConfigError> {
        let error = || ConfigError::ApiUrl(self.api_url.clone());
        AllowedHost::parse(&origin(self.base()).ok_or_else(error)?).map_err(|_| error())
    }
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://").filter(|(scheme, _)| matches!(*scheme, "http" | "https"))?;
    let host = rest.split('/').next().filter(|host| !host.is_empty() && !host.contains('@'))?;
    Some(format!("{scheme}://{host}"))
}

/// The path of an address, with its slash.
pub(crate) fn path(url: &str) -> String {
    let after_host = url.split_once("://").map_or(url, |(_, rest)| rest).split_once('/').map_or("", |(_, path)| path);
    format!("/{}", after_host.split(['?', '#']).next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config() -> Config {
        Config::polling(Secret::new("110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"), "0.1.0")
    }

    #[test]
    fn faults_name_the_setting_and_hide_secrets() {
        assert_eq!(config().check(), Ok(()));
        for token in ["", "abc", "12:short", "x1:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw1"] {
            let config = Config { token: Secret::new(token), ..config() };
            assert_eq!(config.check(), Err(ConfigError::Token), "{token}");
        }
        for url in ["", "api.telegram.org", "ftp://a", "https://", "https://a/?b", "http://u@a", "data:x"] {
            let config = Config { api_url: url.to_owned(), ..config() };
            assert_eq!(config.check(), Err(ConfigError::ApiUrl(url.to_owned())));
        }
        let webhook = |url: &str, secret: &str| {
            let listen = "127.0.0.1:0".parse().unwrap();
            let mode = Mode::Webhook { listen, url: url.to_owned(), secret: Secret::new(secret) };
            Config { mode, ..config() }.check()
        };
        assert_eq!(webhook("https://example.org/hook", "a-B_9"), Ok(()));
        assert_eq!(webhook("example.org", "a"), Err(ConfigError::WebhookUrl("example.org".to_owned())));
        assert_eq!(webhook("https://example.org", "ä"), Err(ConfigError::WebhookSecret));
        assert_eq!(webhook("https://example.org", ""), Err(ConfigError::WebhookSecret));
    }

    #[test]
    fn addresses_are_taken_apart() {
        assert_eq!(origin("http://127.0.0.1:81/prefix").as_deref(), Some("http://127.0.0.1:81"));
        assert_eq!(path("https://example.org/a/b?c"), "/a/b");
        assert_eq!(path("https://example.org"), "/");
    }
}
