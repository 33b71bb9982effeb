//! Settings of `serve`: built-in defaults, a TOML file over them, the environment over both, checked as a whole before
//! anything is opened. Takes texts, gives a [`Config`] whose values are in range; opens nothing and keeps no secret.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use image2song_contract::fetch::AllowedHost;
use image2song_contract::locale::Locale;
use image2song_contract::settings::{Level, Settings};
use serde::Deserialize;
use toml::{Table, Value};

/// The built-in settings.
pub const DEFAULT: &str = include_str!("../config/default.toml");

/// Begin of the environment variables that are settings.
const PREFIX: &str = "IMAGE2SONG_";

/// A setting that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file is no TOML.
    #[error("{origin} is no TOML: {fault}")]
    Syntax {
        /// Where it stands.
        origin: String,
        /// What and where.
        fault: String,
    },
    /// There is no such setting.
    #[error("{origin}: there is no setting {key}{}", nearest.as_ref().map_or(String::new(), |n| format!("; do you mean {n}?")))]
    Unknown {
        /// Where it stands.
        origin: String,
        /// Its name.
        key: String,
        /// The known name that is most like it.
        nearest: Option<String>,
    },
    /// A value of the wrong kind or out of range.
    #[error("{origin}: {key} is {found}; {allowed}")]
    Value {
        /// Where it stands.
        origin: String,
        /// Its name.
        key: String,
        /// What was found.
        found: String,
        /// What is allowed.
        allowed: String,
    },
}

/// Settings of the engine.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "config/example.toml explains every setting")]
pub struct EngineSection {
    pub capacity: usize,
    pub deadline_s: f64,
    pub max_megapixels: f64,
    pub max_mib: u64,
    pub max_photos: usize,
}

/// Settings of what is stored.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[allow(missing_docs, reason = "config/example.toml explains every setting")]
pub struct StoreSection {
    pub dir: PathBuf,
    pub slate_days: u32,
    pub retention_days: u32,
    pub keeps_embeddings: bool,
    pub has_discord_permission: bool,
}

/// Settings of communities that chose none.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct DefaultsSection {
    language: String,
    song_languages: Vec<String>,
    n_songs: u8,
    allows_explicit: bool,
    person_cooldown_s: f64,
    channel_cooldown_s: f64,
    level: Level,
}

/// Settings of the HTTP interface.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct WebSection {
    listen: String,
    public_url: String,
}

/// Settings of Discord.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct DiscordSection {
    api_url: String,
    reads_content: bool,
    download_hosts: Vec<String>,
}

/// Settings of Telegram.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct TelegramSection {
    api_url: String,
    local_files: PathBuf,
    mode: String,
    webhook_listen: String,
    webhook_url: String,
}

/// Settings of the log.
#[derive(Debug, Clone, PartialEq, Deserialize)]
struct LogSection {
    level: String,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Raw {
    engine: EngineSection,
    store: StoreSection,
    defaults: DefaultsSection,
    web: WebSection,
    discord: DiscordSection,
    telegram: TelegramSection,
    log: LogSection,
}

/// How updates of Telegram arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TelegramMode {
    /// The program asks for them.
    Poll,
    /// Telegram sends them.
    Webhook {
        /// Where the program listens.
        listen: SocketAddr,
        /// The public address that leads there.
        url: String,
    },
}

/// Checked settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The engine.
    pub engine: EngineSection,
    /// What is stored.
    pub store: StoreSection,
    /// For communities that chose nothing.
    pub defaults: Settings,
    /// Where the HTTP interface listens, if it does.
    pub web_listen: Option<SocketAddr>,
    /// Where this program can be reached from outside.
    pub public_url: Option<String>,
    /// Another server that speaks Discord's API.
    pub discord_api_url: Option<String>,
    /// Whether message content is asked for.
    pub discord_reads_content: bool,
    /// Where photos of Discord come from.
    pub discord_hosts: Vec<AllowedHost>,
    /// The server of the Bot API.
    pub telegram_api_url: String,
    /// Where a server of the Bot API on this machine keeps files, if it names them by their paths.
    pub telegram_local_files: Option<PathBuf>,
    /// How updates of Telegram arrive.
    pub telegram_mode: TelegramMode,
    /// Level of the log.
    pub log_level: String,
    /// All settings and where each comes from, for `serve --check`.
    pub origins: Vec<(String, String, String)>,
}

impl Config {
    /// Reads the settings: `file` is the name and text of a TOML file, `environment` all variables.
    ///
    /// # Errors
    /// The first setting that cannot be used, with its name, where it stands and what is allowed.
    pub fn read(
        file: Option<(&str, &str)>,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ConfigError> {
        let mut settings = flat("the built-in settings", DEFAULT)?;
        if let Some((name, text)) = file {
            for (key, (value, origin)) in flat(name, text)? {
                put(&mut settings, key, value, origin)?;
            }
        }
        let mut variables: Vec<(String, String)> =
            environment.into_iter().filter(|(name, _)| name.starts_with(PREFIX) && name.contains("__")).collect();
        variables.sort();
        for (name, text) in variables {
            let key = name[PREFIX.len()..].to_lowercase().replace("__", ".");
            let value = typed(settings.get(&key).map(|(value, _)| value), &text);
            put(&mut settings, key, value, name)?;
        }
        checked(settings)
    }

    /// A short hash of all settings, so that answers made under different ones can be told apart.
    pub fn version(&self) -> String {
        use sha2::{Digest, Sha256};
        let mut digest = Sha256::new();
        for (key, value, _) in &self.origins {
            digest.update(format!("{key}={value}\n"));
        }
        digest.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }
}

type Flat = BTreeMap<String, (Value, String)>;

/// The settings of a TOML text by their dotted names.
fn flat(origin: &str, text: &str) -> Result<Flat, ConfigError> {
    let table: Table = text.parse().map_err(|fault: toml::de::Error| ConfigError::Syntax {
        origin: origin.to_owned(),
        fault: fault.to_string().trim().replace('\n', " "),
    })?;
    let mut settings = Flat::new();
    for (section, value) in table {
        match value {
            Value::Table(values) => {
                for (key, value) in values {
                    settings.insert(format!("{section}.{key}"), (value, origin.to_owned()));
                }
            }
            other => {
                settings.insert(section, (other, origin.to_owned()));
            }
        }
    }
    Ok(settings)
}

fn put(settings: &mut Flat, key: String, value: Value, origin: String) -> Result<(), ConfigError> {
    let Some((known, _)) = settings.get(&key) else {
        let nearest = settings.keys().map(|known| (distance(known, &key), known)).min();
        let nearest = nearest.filter(|(n, _)| *n <= 4).map(|(_, known)| known.clone());
        return Err(ConfigError::Unknown { origin, key, nearest });
    };
    let value = match (known, value) {
        // 5 is as good as 5.0.
        (Value::Float(_), Value::Integer(n)) => Value::Float(n as f64),
        (_, value) => value,
    };
    if !value.same_type(known) {
        let allowed = format!("a {} is allowed, such as {known}", known.type_str());
        return Err(ConfigError::Value { origin, key, found: value.to_string(), allowed });
    }
    settings.insert(key, (value, origin));
    Ok(())
}

/// A text of the environment in the type of the setting that it is for.
fn typed(known: Option<&Value>, text: &str) -> Value {
    let parsed = match known {
        Some(Value::Boolean(_)) => text.parse().ok().map(Value::Boolean),
        Some(Value::Integer(_)) => text.parse().ok().map(Value::Integer),
        Some(Value::Float(_)) => text.parse().ok().map(Value::Float),
        Some(Value::Array(_)) => {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            Some(Value::Array(parts.map(|part| Value::String(part.to_owned())).collect()))
        }
        _ => None,
    };
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

fn checked(settings: Flat) -> Result<Config, ConfigError> {
    let mut table = Table::new();
    for (key, (value, _)) in &settings {
        if let Some((section, name)) = key.split_once('.') {
            let section = table.entry(section).or_insert_with(|| Value::Table(Table::new()));
            if let Value::Table(section) = section {
                section.insert(name.to_owned(), value.clone());
            }
        }
    }
    let wrong = |key: &str, allowed: &str| {
        let (value, origin) = settings.get(key).cloned().unwrap_or((Value::String(String::new()), String::new()));
        ConfigError::Value { origin, key: key.to_owned(), found: value.to_string(), allowed: allowed.to_owned() }
    };
    // A number below zero or a level that is none: which one, the message of the parser says last.
    let raw: Raw = table.try_into().map_err(|fault: toml::de::Error| {
        let message = fault.message().to_owned();
        let key = settings.iter().find(|(_, (value, _))| match value {
            Value::Integer(n) => *n < 0 || *n > i64::from(u32::MAX),
            _ => false,
        });
        let key = key.map_or("defaults.level", |(key, _)| key);
        wrong(key, &message)
    })?;
    let range = |key: &str, value: f64, low: f64, high: f64| {
        if (low..=high).contains(&value) { Ok(()) } else { Err(wrong(key, &format!("{low} to {high} is allowed"))) }
    };
    range("engine.capacity", raw.engine.capacity as f64, 1.0, 10_000.0)?;
    range("engine.deadline_s", raw.engine.deadline_s, 0.1, 60.0)?;
    range("engine.max_megapixels", raw.engine.max_megapixels, 0.1, 200.0)?;
    range("engine.max_mib", raw.engine.max_mib as f64, 1.0, 100.0)?;
    range("engine.max_photos", raw.engine.max_photos as f64, 1.0, 10.0)?;
    range("store.slate_days", raw.store.slate_days.into(), 1.0, 365.0)?;
    range("store.retention_days", raw.store.retention_days.into(), 1.0, 3650.0)?;
    range("defaults.n_songs", raw.defaults.n_songs.into(), 1.0, 5.0)?;
    let longest = Settings::MAX_COOLDOWN.as_secs_f64();
    range("defaults.person_cooldown_s", raw.defaults.person_cooldown_s, 0.0, longest)?;
    range("defaults.channel_cooldown_s", raw.defaults.channel_cooldown_s, 0.0, longest)?;
    if raw.store.dir.as_os_str().is_empty() {
        return Err(wrong("store.dir", "the path of a folder is allowed"));
    }
    let address = |key: &str, text: &str| {
        text.parse::<SocketAddr>().map_err(|_| wrong(key, "an address with a port is allowed, such as 127.0.0.1:8080"))
    };
    let http = |key: &str, text: &str| match text.trim_end_matches('/') {
        url if url.is_empty() || url.starts_with("https://") || url.starts_with("http://") => Ok(url.to_owned()),
        _ => Err(wrong(key, "an https:// or http:// address is allowed, or nothing")),
    };
    let optional = |text: String| (!text.is_empty()).then_some(text);
    let locale = match raw.defaults.language.as_str() {
        "" => None,
        code => Some(Locale::of_tag(code).ok_or_else(|| {
            let codes = Locale::ALL.map(Locale::code).join(" ");
            wrong("defaults.language", &format!("{codes}, or nothing is allowed"))
        })?),
    };
    let hosts = raw.discord.download_hosts.iter().map(|host| AllowedHost::parse(host));
    let discord_hosts =
        hosts.collect::<Result<Vec<_>, _>>().map_err(|fault| wrong("discord.download_hosts", &fault.to_string()))?;
    let telegram_mode = match raw.telegram.mode.as_str() {
        "poll" => TelegramMode::Poll,
        "webhook" => TelegramMode::Webhook {
            listen: address("telegram.webhook_listen", &raw.telegram.webhook_listen)?,
            url: optional(http("telegram.webhook_url", &raw.telegram.webhook_url)?)
                .ok_or_else(|| wrong("telegram.webhook_url", "mode webhook needs an https:// address"))?,
        },
        _ => return Err(wrong("telegram.mode", "poll or webhook is allowed")),
    };
    if !["error", "warn", "info", "debug"].contains(&raw.log.level.as_str()) {
        return Err(wrong("log.level", "error, warn, info or debug is allowed"));
    }
    let web_listen = optional(raw.web.listen).map(|text| address("web.listen", &text)).transpose()?;
    let telegram_api_url = http("telegram.api_url", &raw.telegram.api_url)?;
    if telegram_api_url.is_empty() {
        return Err(wrong("telegram.api_url", "an https:// or http:// address is allowed"));
    }
    let local = raw.telegram.local_files;
    let telegram_local_files = (!local.as_os_str().is_empty()).then_some(local);
    if telegram_local_files.as_ref().is_some_and(|folder| !folder.is_absolute()) {
        return Err(wrong("telegram.local_files", "the whole path of a folder is allowed, or nothing"));
    }
    Ok(Config {
        defaults: Settings {
            locale,
            song_languages: raw.defaults.song_languages,
            n_songs: raw.defaults.n_songs,
            allows_explicit: raw.defaults.allows_explicit,
            person_cooldown: Duration::from_secs_f64(raw.defaults.person_cooldown_s),
            channel_cooldown: Duration::from_secs_f64(raw.defaults.channel_cooldown_s),
            level: raw.defaults.level,
            ..Settings::default()
        },
        web_listen,
        public_url: optional(http("web.public_url", &raw.web.public_url)?),
        discord_api_url: optional(http("discord.api_url", &raw.discord.api_url)?),
        discord_reads_content: raw.discord.reads_content,
        discord_hosts,
        telegram_api_url,
        telegram_local_files,
        telegram_mode,
        log_level: raw.log.level,
        engine: raw.engine,
        store: raw.store,
        origins: settings.into_iter().map(|(key, (value, origin))| (key, value.to_string(), origin)).collect(),
    })
}

/// Edits that turn one name into another.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, variables: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Config::read(Some(("our.toml", text)), variables)
    }

    #[test]
    fn the_example_has_all_settings_with_their_built_in_values() {
        let example = include_str!("../config/example.toml");
        let values =
            |text| flat("", text).unwrap().into_iter().map(|(key, (value, _))| (key, value)).collect::<Vec<_>>();
        assert_eq!(values(example), values(DEFAULT));
        assert!(read(example, &[]).is_ok());
    }

    #[test]
    fn the_environment_wins_over_the_file_and_the_file_over_what_is_built_in() {
        let config = read("[engine]\ncapacity = 7\ndeadline_s = 2\n", &[("IMAGE2SONG_ENGINE__CAPACITY", "9")]).unwrap();
        assert_eq!((config.engine.capacity, config.engine.deadline_s, config.engine.max_photos), (9, 2.0, 3));
        let origin = |name: &str| config.origins.iter().find(|(key, ..)| key == name).unwrap().2.clone();
        assert_eq!(origin("engine.capacity"), "IMAGE2SONG_ENGINE__CAPACITY");
        assert_eq!(origin("engine.deadline_s"), "our.toml");
        let hosts = read("", &[("IMAGE2SONG_DISCORD__DOWNLOAD_HOSTS", "http://127.0.0.1:1, cdn.example.org")]).unwrap();
        assert_eq!(hosts.discord_hosts.len(), 2);
        assert_ne!(config.version(), hosts.version());
    }

    #[test]
    fn what_is_wrong_is_named_with_its_place_and_what_is_allowed() {
        for (text, parts) in [
            ("[engine]\ncapacty = 1", &["our.toml", "engine.capacty", "engine.capacity"][..]),
            ("nonsense", &["our.toml", "TOML"]),
            ("[engine]\ncapacity = 0", &["engine.capacity", "0", "1 to 10000"]),
            ("[engine]\ncapacity = -4", &["engine.capacity"]),
            ("[engine]\ncapacity = \"many\"", &["engine.capacity", "integer"]),
            ("[defaults]\nlanguage = \"tlh\"", &["defaults.language", "en ja de"]),
            ("[defaults]\nlevel = \"all\"", &["defaults.level", "training"]),
            ("[web]\nlisten = \"8080\"", &["web.listen", "127.0.0.1:8080"]),
            ("[telegram]\nmode = \"webhook\"", &["telegram.webhook_url"]),
            ("[telegram]\nmode = \"push\"", &["telegram.mode", "poll or webhook"]),
            ("[discord]\ndownload_hosts = [\"ftp://x\"]", &["discord.download_hosts"]),
            ("[log]\nlevel = \"loud\"", &["log.level"]),
            ("secret = 1", &["secret"]),
        ] {
            let message = read(text, &[]).unwrap_err().to_string();
            for part in parts {
                assert!(message.contains(part), "{text}: {message} lacks {part}");
            }
        }
        let message = read("", &[("IMAGE2SONG_ENGINE__CAPACITY", "x")]).unwrap_err().to_string();
        assert!(message.contains("IMAGE2SONG_ENGINE__CAPACITY"), "{message}");
    }
}
