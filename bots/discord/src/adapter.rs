//! What all handlers share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use image2song_contract::answer::Refusal;
use image2song_contract::bot::SongBot;
use image2song_contract::fetch::Fetcher;
use image2song_contract::health::Health;
use image2song_contract::locale::Locale;
use image2song_contract::phrasing;
use image2song_contract::place::{ChannelId, CommunityId, Person, Place, Platform, UserId};
use serenity::model::id::{self, GuildId, RoleId};
use tokio::sync::watch;

use crate::api::Api;
use crate::config::Config;
use crate::inbox::Recent;
use crate::photos::Link;

/// How many updates are remembered against being handled twice.
const N_REMEMBERED: usize = 4096;
/// How many questions' links are remembered, for explanations asked later.
const N_LINKS: usize = 512;

/// What all handlers share.
pub struct Adapter {
    /// Discord.
    pub api: Arc<Api>,
    /// The core.
    pub bot: Arc<dyn SongBot>,
    /// Downloads.
    pub fetcher: Fetcher,
    /// How it goes.
    pub health: Arc<Health>,
    /// What is configured.
    pub config: Config,
    /// Updates that are being or have been handled.
    pub handled: Recent<()>,
    /// Links of questions, by the question's key.
    pub links: Recent<Vec<Link>>,
    /// Reactions as they stand, and how often each changed.
    pub reactions: Recent<(bool, u32)>,
    /// Whether content may be read, as granted.
    pub reads_content: AtomicBool,
    /// The bot's own id; 0 before READY.
    me: AtomicU64,
    roles: Mutex<HashMap<GuildId, Option<RoleId>>>,
    running: watch::Sender<usize>,
    is_stopping: AtomicBool,
}

impl Adapter {
    /// Of an adapter that starts.
    pub fn new(
        config: Config,
        api: Arc<Api>,
        bot: Arc<dyn SongBot>,
        fetcher: Fetcher,
        health: Arc<Health>,
    ) -> Arc<Adapter> {
        Arc::new(Adapter {
            api,
            bot,
            fetcher,
            health,
            handled: Recent::new(N_REMEMBERED),
            links: Recent::new(N_LINKS),
            reactions: Recent::new(N_REMEMBERED),
            reads_content: AtomicBool::new(config.reads_content),
            config,
            me: AtomicU64::new(0),
            roles: Mutex::default(),
            running: watch::Sender::new(0),
            is_stopping: AtomicBool::new(false),
        })
    }

    /// Sets the bot's own id; whether it was not known before, so that this is the process's first session.
    pub fn set_me(&self, me: id::UserId) -> bool {
        self.me.swap(me.get(), Ordering::Relaxed) == 0
    }

    /// Whether this is the bot itself.
    pub fn is_me(&self, user: id::UserId) -> bool {
        self.me.load(Ordering::Relaxed) == user.get()
    }

    /// Text in which the bot is mentioned: both forms that Discord writes.
    pub fn mentions(&self) -> [String; 2] {
        let me = self.me.load(Ordering::Relaxed);
        [format!("<@{me}>"), format!("<@!{me}>")]
    }

    /// The bot's own role in a server; asked once.
    pub async fn own_role(&self, guild: GuildId) -> Option<RoleId> {
        let known = self.roles.lock().unwrap_or_else(PoisonError::into_inner).get(&guild).copied();
        if let Some(role) = known {
            return role;
        }
        let me = id::UserId::new(self.me.load(Ordering::Relaxed).max(1));
        let role = self.api.own_role(guild, me).await.ok()?;
        self.roles.lock().unwrap_or_else(PoisonError::into_inner).insert(guild, role);
        role
    }

    /// Work begins; `None` when the adapter is stopping. It ends when the guard is dropped.
    pub fn begin(self: &Arc<Self>) -> Option<Working> {
        if self.is_stopping.load(Ordering::Relaxed) {
            return None;
        }
        self.running.send_modify(|n| *n += 1);
        Some(Working(self.clone()))
    }

    /// Takes work (again).
    pub fn resume(&self) {
        self.is_stopping.store(false, Ordering::Relaxed);
    }

    /// Takes no more work, and waits for what runs, at most this long.
    pub async fn drain(&self, grace: Duration) {
        self.is_stopping.store(true, Ordering::Relaxed);
        let mut running = self.running.subscribe();
        let done = running.wait_for(|n| *n == 0);
        if tokio::time::timeout(grace, done).await.is_err() {
            tracing::warn!(n = *self.running.borrow(), "answers were still being made at the stop");
        }
    }

    /// What a refusal says, in this language.
    pub fn say(&self, refusal: &Refusal, locale: Locale) -> String {
        phrasing::refusal(refusal, locale, self.bot.intake())
    }

    /// Our fault, with an id that stands in the log too.
    pub fn internal(&self, what: &'static str) -> Refusal {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| time.as_micros());
        let id = format!("d{:x}", now & 0xffff_ffff);
        tracing::error!(id, what, "a question was not answered");
        Refusal::Internal { id }
    }
}

/// A piece of work that a stop waits for.
pub struct Working(Arc<Adapter>);

impl Drop for Working {
    fn drop(&mut self) {
        self.0.running.send_modify(|n| *n -= 1);
    }
}

/// Where something was said.
pub fn place(guild: Option<GuildId>, channel: id::ChannelId, user: id::UserId, is_group: bool) -> Place {
    let community = match guild {
        Some(guild) => guild.to_string(),
        // Settings of a group without a server belong to the group.
        None if is_group => channel.to_string(),
        None => user.to_string(),
    };
    Place {
        platform: Platform::Discord,
        community: CommunityId(community),
        channel: ChannelId(channel.to_string()),
        is_private: guild.is_none() && !is_group,
    }
}

/// Who said it.
pub fn person(user: id::UserId, language: Option<&str>, is_manager: bool) -> Person {
    Person { user: UserId(user.to_string()), language: language.map(str::to_owned), is_manager }
}
