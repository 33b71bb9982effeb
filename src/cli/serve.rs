//! `serve`: one model, its bots and its HTTP interface, from the first check to the last flush.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use clap::Args;
use image2song_contract::api::Api;
use image2song_contract::bot::SongBot;
use image2song_contract::fetch::{AllowedHost, FetchLimits, Fetcher};
use image2song_contract::health::{Health, State as HealthState};
use image2song_contract::place::Platform;
use image2song_contract::supervise::{End, Policy, StopSignal};
use secrecy::{ExposeSecret, SecretString};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::Outcome;
use super::args::GlobalArgs;
use super::deploying::{self, Deployer};
use super::device::DeviceChoice;
use super::fault::SetupFault;
use super::secrets;
use crate::bot::core::{Core, CoreOptions, Parts};
use crate::bot::redirect::Signer;
use crate::config::{Config, TelegramMode};
use crate::deployment::plan::Plan;
use crate::deployment::status::Presence;
use crate::deployment::tally::Rules;
use crate::engine::handle::{Engine, EngineOptions};
use crate::feedback::event::UnixMs;
use crate::feedback::ids::KeyHasher;
use crate::feedback::log::{FeedbackLog, LogOptions};
use crate::feedback::seal::Seal;
use crate::photo::Limits;
use crate::state::store::State;
use crate::telemetry::metrics::Metrics;

/// Longest wait for adapters at the end; each has its own, shorter one.
const STOP_TIME: Duration = Duration::from_secs(15);
/// Time for the download of a photo.
const FETCH_TIME: Duration = Duration::from_secs(10);
/// How often old things are forgotten.
const SWEEP_EVERY: Duration = Duration::from_secs(24 * 3600);

/// Arguments of `serve`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song serve                                     the page and the API on http://127.0.0.1:8080
  TELEGRAM_TOKEN_FILE=/run/secrets/telegram image2song serve --config ours.toml
  image2song serve --check --config ours.toml          only checks the settings and shows where each comes from

Tokens come from the environment: DISCORD_TOKEN, TELEGRAM_TOKEN, or *_FILE with the path of a file. config/example.toml
explains every setting.")]
pub struct ServeArgs {
    /// File with settings
    #[arg(long, value_name = "FILE.toml", env = "IMAGE2SONG_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// Check the settings, show them, and end
    #[arg(long = "check")]
    pub is_check: bool,
    /// Where to compute: cpu, or cuda:N in a build with CUDA
    #[arg(long, env = "IMAGE2SONG_DEVICE", hide_env_values = true, value_name = "DEVICE", default_value = "cpu")]
    pub device: DeviceChoice,
}

/// The secrets of a run.
pub(super) struct Secrets {
    pub(super) discord: Option<SecretString>,
    pub(super) telegram: Option<SecretString>,
    pub(super) webhook: Option<SecretString>,
    pub(super) store: Option<SecretString>,
    pub(super) api: Option<SecretString>,
}

/// Serves until it is told to stop.
///
/// # Errors
/// Settings, secrets, model or store cannot be used, or no port can be opened.
pub fn run(global: &GlobalArgs, args: &ServeArgs) -> anyhow::Result<Outcome> {
    let config = config(args.config.as_deref())?;
    let secrets = Secrets::read()?;
    check_together(&config, &secrets)?;
    if args.is_check {
        show(&config, &secrets)?;
        return Ok(Outcome::Done);
    }
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    let runtime = builder.worker_threads(2).max_blocking_threads(MAX_BLOCKING_THREADS).enable_all().build()?;
    let outcome = runtime.block_on(serve(global, args, config, secrets));
    // What still blocks (a decoder, a flush) has had its time.
    runtime.shutdown_timeout(Duration::from_secs(2));
    outcome
}

/// Threads that wait for the disk or decode. Under overload tokio's 512 would all be started, each with a heap of its own:
/// 830 MB instead of what the same work takes on these.
const MAX_BLOCKING_THREADS: usize = 24;

/// What the log of `serve` shows: our own parts by the settings' level. Libraries are quiet, since at lower levels some
/// of them write whole messages of people.
pub(super) fn log_filter(args: &ServeArgs) -> Result<String, SetupFault> {
    let level = config(args.config.as_deref())?.log_level;
    let own = ["image2song", "image2song_contract", "image2song_discord", "image2song_telegram", "image2song_web"];
    let own: Vec<String> = own.iter().map(|name| format!("{name}={level}")).collect();
    Ok(format!("error,serenity=off,teloxide=off,tungstenite=off,hyper=off,reqwest=off,sled=warn,{}", own.join(",")))
}

/// Reads and checks the settings.
pub(super) fn config(file: Option<&std::path::Path>) -> Result<Config, SetupFault> {
    let text = file
        .map(|path| {
            let fault = |fault| SetupFault::new(format!("the settings in {} cannot be read: {fault}", path.display()));
            Ok((path.display().to_string(), fs::read_to_string(path).map_err(fault)?))
        })
        .transpose()?;
    let file = text.as_ref().map(|(name, text)| (name.as_str(), text.as_str()));
    Config::read(
        file,
        std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))),
    )
    .map_err(SetupFault::from_error)
}

impl Secrets {
    pub(super) fn read() -> Result<Self, SetupFault> {
        Ok(Self {
            discord: secrets::secret("DISCORD_TOKEN")?,
            telegram: secrets::secret("TELEGRAM_TOKEN")?,
            webhook: secrets::secret("TELEGRAM_WEBHOOK_SECRET")?,
            store: secrets::secret("IMAGE2SONG_STORE_KEY")?,
            api: secrets::secret("IMAGE2SONG_API_KEY")?,
        })
    }
}

/// What settings and secrets need of each other.
fn check_together(config: &Config, secrets: &Secrets) -> Result<(), SetupFault> {
    if let Some(address) = config.web_listen
        && !address.ip().is_loopback()
        && secrets.api.is_none()
    {
        return Err(SetupFault::new(format!(
            "web.listen is {address}, which others can reach, so the API needs a key; set IMAGE2SONG_API_KEY or listen \
             on 127.0.0.1"
        )));
    }
    if secrets.telegram.is_some() {
        telegram_config(config, secrets)?;
    }
    if config.web_listen.is_none() && secrets.discord.is_none() && secrets.telegram.is_none() {
        return Err(SetupFault::new(
            "there is nothing to serve: web.listen is empty and neither DISCORD_TOKEN nor TELEGRAM_TOKEN is set",
        ));
    }
    Ok(())
}

pub(super) fn telegram_config(
    config: &Config,
    secrets: &Secrets,
) -> Result<image2song_telegram::config::Config, SetupFault> {
    use image2song_telegram::config::{Config as Telegram, Mode, Secret};
    let expose = |secret: &Option<SecretString>| {
        secret.as_ref().map(|secret| secret.expose_secret().to_owned()).unwrap_or_default()
    };
    let mut telegram = Telegram::polling(Secret::new(expose(&secrets.telegram)), env!("CARGO_PKG_VERSION"));
    telegram.api_url.clone_from(&config.telegram_api_url);
    telegram.local_files.clone_from(&config.telegram_local_files);
    if let TelegramMode::Webhook { listen, url } = &config.telegram_mode {
        if secrets.webhook.is_none() {
            return Err(SetupFault::new(
                "telegram.mode is webhook, so TELEGRAM_WEBHOOK_SECRET is needed: any 1 to 256 letters, digits, _ or -",
            ));
        }
        telegram.mode =
            Mode::Webhook { listen: *listen, url: url.clone(), secret: Secret::new(expose(&secrets.webhook)) };
    }
    telegram.check().map_err(SetupFault::from_error)?;
    Ok(telegram)
}

pub(super) fn discord_config(config: &Config, token: &SecretString) -> image2song_discord::config::Config {
    use image2song_discord::config::{Config as Discord, Token};
    let mut discord = Discord::new(Token::new(token.expose_secret()), env!("CARGO_PKG_VERSION"));
    discord.api_url.clone_from(&config.discord_api_url);
    discord.reads_content = config.discord_reads_content;
    discord
}

/// The download of photos from these hosts.
pub(super) fn fetcher(config: &Config, hosts: Vec<AllowedHost>) -> Result<Fetcher, SetupFault> {
    let limits = FetchLimits { max_bytes: config.engine.max_mib << 20, deadline: FETCH_TIME };
    Fetcher::new(hosts, limits).map_err(SetupFault::from_error)
}

fn show(config: &Config, secrets: &Secrets) -> anyhow::Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let width = config.origins.iter().map(|(key, value, _)| key.len() + value.len()).max().unwrap_or_default() + 3;
    for (key, value, origin) in &config.origins {
        writeln!(out, "{:width$}  # {origin}", format!("{key} = {value}"))?;
    }
    let state = |secret: &Option<SecretString>| if secret.is_some() { "set" } else { "not set" };
    for (name, secret) in [
        ("DISCORD_TOKEN", &secrets.discord),
        ("TELEGRAM_TOKEN", &secrets.telegram),
        ("TELEGRAM_WEBHOOK_SECRET", &secrets.webhook),
        ("IMAGE2SONG_STORE_KEY", &secrets.store),
        ("IMAGE2SONG_API_KEY", &secrets.api),
    ] {
        writeln!(out, "{name}: {}", state(secret))?;
    }
    Ok(())
}

async fn serve(global: &GlobalArgs, args: &ServeArgs, config: Config, secrets: Secrets) -> anyhow::Result<Outcome> {
    // From here on a signal waits for the orderly end, also while the model is loaded.
    let signals = Signals::listen()?;
    let listener = match config.web_listen {
        Some(address) => {
            let listener = TcpListener::bind(address).await.with_context(|| {
                format!("the HTTP interface cannot listen on {address}; set another [web] listen or stop who has it")
            })?;
            Some(listener)
        }
        None => None,
    };
    let healths = Healths::of(&secrets, listener.is_some());
    let deployer =
        Arc::new(Deployer::new(&config.store.dir, global.model.clone(), config.engine.addon.clone(), args.device));
    let (core, plan) = core(&deployer, &config, &secrets, healths.all())?;
    let (core, _presence) = (Arc::new(core), Presence::hold(&config.store.dir).map_err(SetupFault::from_error)?);
    let (stop, stopping) = watch::channel(false);
    let mut adapters = JoinSet::new();
    start_bots(&mut adapters, &config, &secrets, &core, &healths, &stopping)?;
    let web = match (listener, healths.web) {
        (Some(listener), Some(health)) => {
            // Told on standard error like the log, but always: it is where a person goes next.
            anstream::eprintln!("image2song is at http://{}", listener.local_addr()?);
            Some(start_web(listener, core.clone(), health, secrets.api))
        }
        _ => None,
    };
    let sweeper = tokio::spawn(sweep_daily(core.clone()));
    let follower = tokio::spawn(deploying::follow(deployer, core.clone(), plan));
    let hopeless = wait(&mut adapters, web.is_some(), signals).await?;
    tracing::info!("stopping: no new questions, answers at hand are given, then all is written down");
    let _ = stop.send(true);
    let all_ended = async { while adapters.join_next().await.is_some() {} };
    if tokio::time::timeout(STOP_TIME, all_ended).await.is_err() {
        tracing::warn!("adapters that did not end in time were cut off");
        adapters.shutdown().await;
    }
    if let Some((stop_web, web)) = web {
        // Last of all, so that health and metrics can be asked to the end.
        let _ = stop_web.send(true);
        if tokio::time::timeout(STOP_TIME, web).await.is_err() {
            tracing::warn!("HTTP requests that did not end in time were cut off");
        }
    }
    sweeper.abort();
    follower.abort();
    tokio::task::spawn_blocking(move || core.shut()).await?;
    tracing::info!("stopped");
    Ok(if hopeless { Outcome::Failed } else { Outcome::Done })
}

/// The health of each part that runs.
struct Healths {
    discord: Option<Arc<Health>>,
    telegram: Option<Arc<Health>>,
    web: Option<Arc<Health>>,
}

impl Healths {
    fn of(secrets: &Secrets, has_web: bool) -> Self {
        let health = |is_on: bool, platform| is_on.then(|| Health::new(platform));
        Self {
            discord: health(secrets.discord.is_some(), Platform::Discord),
            telegram: health(secrets.telegram.is_some(), Platform::Telegram),
            web: health(has_web, Platform::Web),
        }
    }

    fn all(&self) -> Vec<Arc<Health>> {
        [&self.discord, &self.telegram, &self.web].into_iter().flatten().cloned().collect()
    }
}

/// Opens the store, loads the models, and shows that they work.
fn core(
    deployer: &Deployer,
    config: &Config,
    secrets: &Secrets,
    healths: Vec<Arc<Health>>,
) -> anyhow::Result<(Core, Plan)> {
    let dir = &config.store.dir;
    let user_key = secrets::user_key(&dir.join("keys/user.key"))?;
    let hasher = KeyHasher::new(&user_key);
    let state = State::open(&dir.join("state"), Seal::new(secrets.store.as_ref()), hasher.clone())
        .map_err(SetupFault::from_error)?;
    let feedback = FeedbackLog::open(
        &dir.join("feedback"),
        LogOptions {
            user_key: Some(user_key.clone()),
            store_key: secrets.store.clone(),
            keeps_embeddings: config.store.keeps_embeddings,
            has_discord_permission: config.store.has_discord_permission,
            retention_days: config.store.retention_days,
            ..LogOptions::default()
        },
    )
    .map_err(SetupFault::from_error)?;
    if config.store.has_discord_permission {
        tracing::warn!("store.has_discord_permission is on: what comes from Discord may be used for training");
    }
    let (lineup, plan) = deployer.first()?;
    let version = lineup.current.version.clone();
    let engine = Engine::start(lineup.clone(), engine_options(config));
    let engine = engine.context("the engine's thread cannot be started")?;
    let options = CoreOptions {
        defaults: config.defaults.clone(),
        protects_first: config.protects_first,
        splits_by_community: config.experiment.unit == "community",
        config_version: config.version(),
        public_url: config.public_url.clone(),
        slate_days: config.store.slate_days,
        retention_days: config.store.retention_days,
        keeps_embeddings: config.store.keeps_embeddings,
        max_photos: config.engine.max_photos,
    };
    tracing::info!(version = env!("CARGO_PKG_VERSION"), model = version, "image2song serves");
    let signer = Signer::new(&user_key);
    let metrics = Arc::new(Metrics::default());
    let parts = Parts { engine, state, feedback, hasher, metrics, healths, signer, rules: rules(config) };
    let core = Core::new(parts, options).map_err(SetupFault::from_error)?;
    if plan.revision > 0 {
        core.set_lineup(lineup, plan.since);
        core.recount();
    } else {
        core.set_lineup(lineup, UnixMs::now());
    }
    Ok((core, plan))
}

fn rules(config: &Config) -> Rules {
    let experiment = &config.experiment;
    Rules {
        alpha: experiment.alpha,
        tolerance: experiment.tolerance,
        stops_harm: experiment.stops_harm,
        settle_ms: (experiment.settle_minutes * 60_000.0) as u64,
    }
}

fn engine_options(config: &Config) -> EngineOptions {
    EngineOptions {
        capacity: config.engine.capacity,
        deadline: Duration::from_secs_f64(config.engine.deadline_s),
        limits: Limits {
            max_bytes: config.engine.max_mib << 20,
            max_pixels: (config.engine.max_megapixels * 1e6) as u64,
            ..Limits::default()
        },
        ..EngineOptions::default()
    }
}

fn start_bots(
    adapters: &mut JoinSet<(Platform, End)>,
    config: &Config,
    secrets: &Secrets,
    core: &Arc<Core>,
    healths: &Healths,
    stop: &StopSignal,
) -> Result<(), SetupFault> {
    if let (Some(token), Some(health)) = (&secrets.discord, &healths.discord) {
        let discord = discord_config(config, token);
        let fetcher = fetcher(config, config.discord_hosts.clone())?;
        let (bot, health, stop): (Arc<dyn SongBot>, _, _) = (core.clone(), health.clone(), stop.clone());
        adapters.spawn(async move {
            let end = image2song_discord::run::run(discord, bot, fetcher, health, Policy::default(), stop).await;
            (Platform::Discord, end)
        });
    }
    if let Some(health) = &healths.telegram {
        let telegram = telegram_config(config, secrets)?;
        let (bot, health, stop): (Arc<dyn SongBot>, _, _) = (core.clone(), health.clone(), stop.clone());
        adapters.spawn(async move {
            (Platform::Telegram, image2song_telegram::run::run(telegram, bot, health, stop).await)
        });
    }
    Ok(())
}

type Web = (watch::Sender<bool>, tokio::task::JoinHandle<()>);

fn start_web(listener: TcpListener, api: Arc<dyn Api>, health: Arc<Health>, key: Option<SecretString>) -> Web {
    let (stop, stopping) = watch::channel(false);
    let options = image2song_web::options::Options { key, ..Default::default() };
    let web = tokio::spawn(async move {
        if let Err(error) = image2song_web::server::serve(listener, api, health.clone(), options, stopping).await {
            tracing::error!(%error, "the HTTP interface ended");
            health.set(HealthState::Stopped, Some(error.to_string()));
        }
    });
    (stop, web)
}

/// Waits for a signal, or for the last adapter to give up where nothing else is served. True if an adapter gave up.
async fn wait(adapters: &mut JoinSet<(Platform, End)>, has_web: bool, mut signals: Signals) -> anyhow::Result<bool> {
    let mut is_hopeless = false;
    loop {
        tokio::select! {
            () = signals.next() => return Ok(is_hopeless),
            Some(ended) = adapters.join_next() => {
                if let Ok((platform, End::Hopeless(advice))) = &ended {
                    is_hopeless = true;
                    anstream::eprintln!("{} cannot run: {advice}", platform.name());
                }
                if adapters.is_empty() && !has_web {
                    return Ok(is_hopeless);
                }
            }
        }
    }
}

/// Ctrl-C, and what a container or service manager sends.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

/// Ctrl-C.
#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

async fn sweep_daily(core: Arc<Core>) {
    let mut daily = tokio::time::interval(SWEEP_EVERY);
    loop {
        daily.tick().await;
        let core = core.clone();
        if tokio::task::spawn_blocking(move || core.sweep()).await.is_err() {
            tracing::error!("forgetting old things failed");
        }
    }
}
