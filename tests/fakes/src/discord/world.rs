//! What the fake knows: people, channels, messages, sessions, planned faults, and all the bot did.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tokio::sync::watch;

use super::fault::{Limits, Planned};
use super::ids::{Channel, Ids, InteractionId, MessageId, User};
use super::interaction::Interaction;
use super::message::Stored;
use super::post::Photo;
use super::record::{Act, Seen};
use super::session::Session;

/// Rights a bot has in a channel unless a script takes them away: see, write, embed, attach, read back, react.
pub const BOT_RIGHTS: u64 = VIEW | SEND | EMBED | ATTACH | HISTORY | REACT;
/// To see a channel.
pub const VIEW: u64 = 1 << 10;
/// To write into it.
pub const SEND: u64 = 1 << 11;
/// To show embeds.
pub const EMBED: u64 = 1 << 14;
/// To attach files.
pub const ATTACH: u64 = 1 << 15;
/// To read what was written before, and so to reply.
pub const HISTORY: u64 = 1 << 16;
/// To add reactions.
pub const REACT: u64 = 1 << 6;

/// How messages that are answered reach a bot that may not read them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum References {
    /// Emptied like any other message.
    Blank,
    /// Left out.
    Absent,
    /// Whole.
    Whole,
}

/// How this Discord is set up.
#[derive(Debug, Clone)]
pub struct Options {
    /// Whether the application may read message content.
    pub has_message_content: bool,
    /// Time between heartbeats that clients are told.
    pub heartbeat: Duration,
    /// Time within which an interaction must be acknowledged.
    pub acknowledge_within: Duration,
    /// How long an interaction's token is good.
    pub token_life: Duration,
    /// Least time between two IDENTIFYs.
    pub identify_spacing: Duration,
    /// Whether payloads are compressed for clients that ask for it.
    pub compresses: bool,
    /// Posts to one channel per time.
    pub posts_per: (usize, Duration),
    /// How long a link to a file is good.
    pub link_life: Duration,
    /// How answered messages are shown without the content intent.
    pub references: References,
    /// Language of the server.
    pub guild_locale: String,
    /// How many connections the server is to be spread over.
    pub n_shards: u64,
}

impl Default for Options {
    /// As the real one is, with a fast heartbeat.
    fn default() -> Options {
        Options {
            has_message_content: false,
            heartbeat: Duration::from_millis(500),
            acknowledge_within: Duration::from_secs(3),
            token_life: Duration::from_secs(15 * 60),
            identify_spacing: Duration::from_secs(5),
            compresses: true,
            posts_per: (5, Duration::from_secs(5)),
            link_life: Duration::from_secs(24 * 3600),
            references: References::Blank,
            guild_locale: "en-US".to_owned(),
            n_shards: 1,
        }
    }
}

/// Somebody.
#[derive(Debug, Clone)]
pub struct Person {
    /// Name.
    pub name: String,
    /// Whether it is a bot.
    pub is_bot: bool,
}

/// Where people write.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The server; `None` for direct messages.
    pub guild: Option<u64>,
    /// Whether the bot is a member there; else it works only as a user's own application.
    pub has_bot: bool,
    /// The bot's rights.
    pub rights: u64,
    /// Whether the person takes no direct messages.
    pub is_closed: bool,
}

/// Addresses of the parts.
#[derive(Debug, Clone, Default)]
pub struct Urls {
    /// REST and CDN, without a slash at the end.
    pub rest: String,
    /// Media proxy.
    pub media: String,
    /// Gateway.
    pub gateway: String,
}

/// All state.
pub struct World {
    /// Set-up.
    pub options: Options,
    /// Addresses.
    pub urls: Urls,
    /// Ids to come.
    pub ids: Ids,
    /// The bot.
    pub bot: User,
    /// Its application.
    pub application: u64,
    /// The one server it is a member of.
    pub guild: u64,
    /// Its own role there.
    pub role: u64,
    /// People by id.
    pub people: HashMap<User, Person>,
    /// Channels by id.
    pub places: HashMap<Channel, Place>,
    /// Messages by id.
    pub messages: BTreeMap<MessageId, Stored>,
    /// Files by the path of their link.
    pub files: HashMap<String, Photo>,
    /// Links of an earlier generation are dead.
    pub link_generation: u64,
    /// Interactions by id.
    pub interactions: HashMap<InteractionId, Interaction>,
    /// Gateway sessions by id.
    pub sessions: HashMap<String, Session>,
    /// When somebody identified last.
    pub last_identify: Option<Instant>,
    /// How the gateway behaves.
    pub gateway: GatewayMood,
    /// Registered commands.
    pub commands: Vec<Value>,
    /// Faults to come.
    pub faults: Vec<Planned>,
    /// Running rate limits.
    pub limits: Limits,
    /// What the bot did.
    pub acts: Vec<(Instant, Act)>,
    /// How many acts a test has already taken.
    pub n_taken: usize,
    /// Requests.
    pub calls: Vec<Seen>,
    /// What the real Discord, or this project, would not stand.
    pub violations: Vec<String>,
}

/// How the gateway behaves; `Default` is well.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GatewayMood {
    /// Heartbeats are not acknowledged.
    pub ignores_heartbeats: bool,
    /// Connections are dropped at once.
    pub is_down: bool,
    /// Nothing is said after the connection is made.
    pub is_mute: bool,
    /// IDENTIFY is answered by closing with this code.
    pub identify_code: Option<u16>,
}

impl World {
    /// A server with the bot in it and nobody else.
    pub fn new(options: Options) -> World {
        let mut ids = Ids::default();
        let bot = User(ids.next_id());
        let (application, guild, role) = (bot.0, ids.next_id(), ids.next_id());
        let people = HashMap::from([(bot, Person { name: "image2song".to_owned(), is_bot: true })]);
        World {
            options,
            urls: Urls::default(),
            ids,
            bot,
            application,
            guild,
            role,
            people,
            places: HashMap::new(),
            messages: BTreeMap::new(),
            files: HashMap::new(),
            link_generation: 1,
            interactions: HashMap::new(),
            sessions: HashMap::new(),
            last_identify: None,
            gateway: GatewayMood::default(),
            commands: Vec::new(),
            faults: Vec::new(),
            limits: Limits::default(),
            acts: Vec::new(),
            n_taken: 0,
            calls: Vec::new(),
            violations: Vec::new(),
        }
    }

    /// Writes down what the bot did.
    pub fn note(&mut self, act: Act) {
        self.acts.push((Instant::now(), act));
    }

    /// The channel; one that no script made is not there for anybody.
    pub fn place(&self, channel: Channel) -> Option<Place> {
        self.places.get(&channel).copied()
    }
}

/// The state behind its lock, and a bell that rings whenever it changed.
pub struct Shared {
    world: Mutex<World>,
    changed: watch::Sender<u64>,
}

impl Shared {
    /// Around a world.
    pub fn new(world: World) -> Shared {
        Shared { world: Mutex::new(world), changed: watch::Sender::new(0) }
    }

    /// Changes the world and wakes whoever waits.
    pub fn change<T>(&self, work: impl FnOnce(&mut World) -> T) -> T {
        let result = work(&mut self.lock());
        self.changed.send_modify(|n| *n += 1);
        result
    }

    /// Looks at the world.
    pub fn look<T>(&self, work: impl FnOnce(&World) -> T) -> T {
        work(&self.lock())
    }

    /// Waits until `ready` gives something; `None` after `timeout`.
    pub async fn wait<T>(&self, timeout: Duration, mut ready: impl FnMut(&mut World) -> Option<T>) -> Option<T> {
        let mut changes = self.changed.subscribe();
        let deadline = tokio::time::Instant::now() + timeout;
        loop {
            changes.borrow_and_update();
            if let Some(found) = ready(&mut self.lock()) {
                return Some(found);
            }
            tokio::time::timeout_at(deadline, changes.changed()).await.ok()?.ok()?;
        }
    }

    /// A test that failed while it held the lock has left nothing half done that another could trip over.
    fn lock(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
