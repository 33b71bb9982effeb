//! All that the server remembers, behind one lock, and the signal that something changed.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::{Mutex, MutexGuard};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::telegram::fault::{Fault, Refusal};
use crate::telegram::people::{Chat, User};
use crate::telegram::record::{BotMessage, Call, Download, Query};

/// Kinds of updates that arrive only when they were asked for.
const NOT_BY_DEFAULT: [&str; 3] = ["chat_member", "message_reaction", "message_reaction_count"];

/// A 429 may cross a call that was already on its way; later calls ignored it.
const CROSSING: Duration = Duration::from_millis(250);

/// The state and who waits for it to change.
pub(super) struct Shared {
    state: Mutex<State>,
    changed: watch::Sender<u64>,
    pub token: String,
}

impl Shared {
    pub fn new(token: &str, state: State) -> Shared {
        Shared { state: Mutex::new(state), changed: watch::Sender::new(0), token: token.to_owned() }
    }

    /// The state, until the guard is dropped. A test that panicked under the lock must not hide its own message.
    pub fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Wakes all who wait.
    pub fn notify(&self) {
        self.changed.send_modify(|version| *version += 1);
    }

    /// Sees each later change.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }
}

/// A file on the server.
pub(super) struct StoredFile {
    pub unique_id: String,
    pub path: String,
    /// The size that the server states, which may be more than the bytes that are kept.
    pub n_bytes: u64,
    pub bytes: Bytes,
    pub at: Instant,
}

/// Where updates are pushed to.
#[derive(Clone)]
pub(super) struct Webhook {
    pub url: String,
    pub secret: Option<String>,
}

pub(super) struct State {
    pub bot: User,
    pub reads_all: bool,
    pub chats: HashMap<i64, Chat>,
    /// All messages by chat and id, as the Bot API writes them.
    pub messages: BTreeMap<(i64, i64), Value>,
    pub sent: Vec<BotMessage>,
    pub n_taken: usize,
    pub queries: BTreeMap<String, Query>,
    /// Reactions by chat, message and user, in the Bot API's form.
    pub reactions: HashMap<(i64, i64, i64), Vec<Value>>,
    pub commands: BTreeMap<String, Value>,
    pub files: HashMap<String, StoredFile>,
    pub downloads: Vec<Download>,
    pub calls: Vec<Call>,
    pub violations: Vec<String>,
    pub faults: Vec<(&'static str, VecDeque<Fault>)>,
    pub updates: VecDeque<Value>,
    pub next_update_id: i64,
    /// The kinds that were asked for; `None` is the default.
    pub allowed: Option<HashSet<String>>,
    pub webhook: Option<Webhook>,
    pub webhook_answers: Vec<u16>,
    pub poll: u64,
    pub last_poll: Option<(i64, Instant)>,
    pub last_conflict: Option<Instant>,
    pub n_ids: u64,
}

impl State {
    pub fn new(bot: User) -> State {
        State {
            bot,
            reads_all: false,
            chats: HashMap::new(),
            messages: BTreeMap::new(),
            sent: Vec::new(),
            n_taken: 0,
            queries: BTreeMap::new(),
            reactions: HashMap::new(),
            commands: BTreeMap::new(),
            files: HashMap::new(),
            downloads: Vec::new(),
            calls: Vec::new(),
            violations: Vec::new(),
            faults: Vec::new(),
            updates: VecDeque::new(),
            next_update_id: 837_120_001,
            allowed: None,
            webhook: None,
            webhook_answers: Vec::new(),
            poll: 0,
            last_poll: None,
            last_conflict: None,
            n_ids: 0,
        }
    }

    /// A number that was not given before.
    pub fn next_id(&mut self) -> u64 {
        self.n_ids += 1;
        self.n_ids
    }

    /// Notes that the bot broke a rule.
    pub fn violate(&mut self, what: String) {
        self.violations.push(what);
    }

    /// Queues an update unless the bot didn't ask for its kind. Tells whether it was queued.
    pub fn push_update(&mut self, kind: &str, content: Value) -> bool {
        let is_wanted = match &self.allowed {
            Some(allowed) => allowed.contains(kind),
            None => !NOT_BY_DEFAULT.contains(&kind),
        };
        if is_wanted {
            self.push_raw_update(json!({ kind: content }));
        }
        is_wanted
    }

    /// Queues an update of any shape; the id is added.
    pub fn push_raw_update(&mut self, mut update: Value) {
        update["update_id"] = json!(self.next_update_id);
        self.next_update_id += 1;
        self.updates.push_back(update);
    }

    /// The fault that the next call of a method meets.
    pub fn take_fault(&mut self, method: &str) -> Option<Fault> {
        let (_, faults) = self.faults.iter_mut().find(|(name, faults)| *name == method && !faults.is_empty())?;
        faults.pop_front()
    }

    /// A chat that the bot may act in.
    pub fn chat(&mut self, id: i64) -> Result<&mut Chat, Refusal> {
        let chat = self.chats.get_mut(&id).ok_or_else(|| Refusal::bad_request("chat not found"))?;
        match (chat.migrated_to, &chat.refusal) {
            (Some(to), _) => Err(Refusal::migrated(to)),
            (None, Some((code, description))) => Err(Refusal::new(*code, description)),
            (None, None) => Ok(chat),
        }
    }

    /// Refuses what is sent to a chat before the wait of a 429 is over.
    pub fn check_flood(&mut self, id: i64, method: &str) -> Result<(), Refusal> {
        let Some((since, until)) = self.chats.get(&id).and_then(|chat| chat.flood) else { return Ok(()) };
        let now = Instant::now();
        if now >= until {
            return Ok(());
        }
        if now > since + CROSSING {
            self.violate(format!("{method} to chat {id} before its retry_after was over"));
        }
        Err(Refusal::flood((until - now).as_secs() + 1))
    }
}

/// Now, in seconds since 1970.
pub(super) fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
