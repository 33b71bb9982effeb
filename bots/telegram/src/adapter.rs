//! The running adapter: takes updates into the journal, works on each in a task of its own, and closes it.

use std::collections::{HashMap, HashSet};
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use image2song_contract::answer::{PhotoFault, Refusal};
use image2song_contract::ask::{Reaction, Receipt};
use image2song_contract::bot::{Received, SongBot};
use image2song_contract::health::Health;
use image2song_contract::locale::{Locale, Value as Filled};
use image2song_contract::payload::{Payload, Verb};
use image2song_contract::phrasing;
use image2song_contract::place::{CommunityId, Platform};
use image2song_contract::supervise::caught;
use serde_json::Value;
use teloxide::types::{Update, UpdateKind};
use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::{Semaphore, oneshot};
use tokio::task::JoinSet;

use crate::album::{self, Albums};
use crate::api::Api;
use crate::fault::Fault;
use crate::files::Files;
use crate::press::Below;
use crate::recognize;
use crate::styled::Styled;
use crate::task::{Command, Spot, Task, message_id, time};
use crate::words::Name;

/// Most updates that are worked on at once; further ones stay at Telegram.
const MAX_TASKS: usize = 256;

/// All that work on an update needs.
pub struct Adapter {
    pub api: Arc<Api>,
    pub core: Arc<dyn SongBot>,
    pub files: Arc<Files>,
    pub health: Arc<Health>,
    pub me: Name,
    pub version: String,
    albums: Albums,
    /// Albums that an earlier run had begun to answer.
    resumed: Mutex<HashSet<String>>,
    tasks: Mutex<JoinSet<()>>,
    bound: Arc<Semaphore>,
    /// The end of everybody's last vote that was begun.
    votes: Mutex<HashMap<String, oneshot::Receiver<()>>>,
}

impl Adapter {
    /// An adapter without work.
    pub fn new(
        api: Arc<Api>,
        core: Arc<dyn SongBot>,
        files: Arc<Files>,
        health: Arc<Health>,
        me: Name,
        version: String,
    ) -> Arc<Self> {
        Arc::new(Self {
            api,
            core,
            files,
            health,
            me,
            version,
            albums: Albums::default(),
            resumed: Mutex::default(),
            tasks: Mutex::new(JoinSet::new()),
            bound: Arc::new(Semaphore::new(MAX_TASKS)),
            votes: Mutex::default(),
        })
    }

    /// Journals an update that is for the bot and starts to work on it. `false` says that it could not be journaled:
    /// Telegram must not forget it yet.
    pub async fn take(self: &Arc<Self>, update: &Value) -> bool {
        let Some(task) = self.read(update) else { return true };
        self.api.revive(task.chat());
        let Ok(note) = serde_json::to_string(&task) else { return true };
        let key = task.key();
        match self.core.receive(Receipt { platform: Platform::Telegram, key: key.clone(), note }).await {
            Ok(Received::New) => {
                self.health.count("request", task.name());
                // The order of somebody's reactions counts, and they need no call of the Bot API.
                match task {
                    Task::React { .. } => Arc::clone(self).work(key, task).await,
                    task => self.start(key, task).await,
                }
                true
            }
            Ok(Received::Again) => true,
            Err(_) => {
                self.health.count("telegram-error", "journal");
                false
            }
        }
    }

    /// What an update asks for. An update that the library can't read, or stumbles over, is counted and left alone: it
    /// may be of a kind that is newer than the library.
    fn read(&self, update: &Value) -> Option<Task> {
        // The library reads kinds of updates from text only.
        let text = update.to_string();
        let intake = self.core.intake();
        let read = || match serde_json::from_str::<Update>(&text) {
            Err(_) | Ok(Update { kind: UpdateKind::Error(_), .. }) => None,
            Ok(update) => Some(recognize::task(&update, &self.me, intake)),
        };
        match std::panic::catch_unwind(AssertUnwindSafe(read)) {
            Ok(Some(task)) => task,
            Ok(None) | Err(_) => {
                self.health.count("telegram-error", "unreadable");
                None
            }
        }
    }

    /// Goes on with what an earlier run left open.
    pub async fn resume(self: &Arc<Self>) {
        let left = self.core.left_open(Platform::Telegram).await;
        let (albums, left): (Vec<Receipt>, Vec<Receipt>) =
            left.into_iter().partition(|receipt| receipt.key.starts_with(album::PREFIX));
        let begun: HashSet<String> = albums.into_iter().map(|receipt| receipt.key).collect();
        self.resumed.lock().unwrap_or_else(PoisonError::into_inner).extend(begun);
        for receipt in left {
            match serde_json::from_str(&receipt.note) {
                Ok(task) => {
                    self.health.count("request", "resumed");
                    self.start(receipt.key, task).await;
                }
                // Written by another version.
                Err(_) => self.core.close(Platform::Telegram, &receipt.key).await,
            }
        }
    }

    async fn start(self: &Arc<Self>, key: String, task: Task) {
        // The semaphore is never closed; if it were, work would only be unbounded.
        let permit = Arc::clone(&self.bound).acquire_owned().await.ok();
        let (adapter, turn) = (Arc::clone(self), self.turn(&task));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        while tasks.try_join_next().is_some() {}
        tasks.spawn(async move {
            let ended = match turn {
                Some((before, ended)) => {
                    if let Some(before) = before {
                        // It ends with an error, for nothing is ever sent: the other end goes with its task.
                        let _ = before.await;
                    }
                    Some(ended)
                }
                None => None,
            };
            adapter.work(key, task).await;
            drop((ended, permit));
        });
    }

    /// The place of a vote after the same person's votes before it, which is what to wait for and what to drop at the
    /// end; `None` of what needs no order.
    fn turn(&self, task: &Task) -> Option<(Option<oneshot::Receiver<()>>, oneshot::Sender<()>)> {
        let Task::Press { spot, data, .. } = task else { return None };
        let verb = data.parse::<Payload>().ok()?.verb;
        if !matches!(verb, Verb::Up | Verb::Down) {
            return None;
        }
        let (ended, end) = oneshot::channel();
        let mut votes = self.votes.lock().unwrap_or_else(PoisonError::into_inner);
        if votes.len() >= MAX_TASKS {
            votes.retain(|_, end| end.try_recv() == Err(TryRecvError::Empty));
        }
        Some((votes.insert(format!("{}:{}", spot.chat, spot.person.user.0), end), ended))
    }

    /// Waits for the work at hand, then gives up what is left: it stays in the journal.
    pub async fn finish(&self, grace: Duration) {
        let mut tasks = std::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        let all = async { while tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(grace, all).await.is_err() {
            tracing::warn!("work on updates is cut short; it goes on with the next start");
        }
    }

    /// Gives up all work at once.
    pub fn abort(&self) {
        self.tasks.lock().unwrap_or_else(PoisonError::into_inner).abort_all();
    }

    /// Works on a task and closes its receipt; a member of an album waits for the others.
    async fn work(self: Arc<Self>, key: String, task: Task) {
        let Some((keys, task)) = self.gather(key, task).await else { return };
        match caught(self.handle(task.clone())).await {
            // Telegram can't be reached. The receipt stays open for the next start.
            Some(Err(Fault::Network)) => return,
            Some(Ok(()) | Err(_)) => {}
            None => {
                self.health.panicked();
                self.apologize(&task).await;
            }
        }
        for key in keys {
            self.core.close(Platform::Telegram, &key).await;
        }
    }

    /// The task with the receipts to close after it: an album is one task. `None` if another one takes care of it.
    async fn gather(&self, key: String, task: Task) -> Option<(Vec<String>, Task)> {
        let Task::Ask(question) = task else { return Some((vec![key], task)) };
        let Some(album) = album::key(&question) else { return Some((vec![key], Task::Ask(question))) };
        let mut whole = self.albums.collect(&album, key, question).await?;
        let receipt = Receipt { platform: Platform::Telegram, key: album.clone(), note: String::new() };
        let is_begun = self.resumed.lock().unwrap_or_else(PoisonError::into_inner).remove(&album);
        if self.core.receive(receipt).await == Ok(Received::Again) && !is_begun {
            // Members that come after the answer are not answered again.
            for key in &whole.keys {
                self.core.close(Platform::Telegram, key).await;
            }
            return None;
        }
        whole.keys.push(album);
        Some((whole.keys, Task::Ask(whole.question)))
    }

    async fn handle(&self, task: Task) -> Result<(), Fault> {
        match task {
            Task::Ask(question) => self.ask(question).await,
            Task::NoPhoto(spot) => {
                let locale = self.locale(&spot).await;
                self.say(&spot, &locale.say("no-photo")).await
            }
            Task::NotAPhoto(spot) => {
                let locale = self.locale(&spot).await;
                self.say(&spot, &self.why_not(locale, &Refusal::BadPhoto(PhotoFault::NotAPhoto))).await
            }
            Task::Command(spot, command) => self.command(&spot, command).await,
            Task::Press { spot, query, data, has_spoiler, reasons } => {
                self.press(Below { spot: &spot, has_spoiler, reasons: &reasons }, &query, &data).await
            }
            Task::React { spot, changes, at_s, update } => {
                for (idx, (sign, is_added)) in changes.into_iter().enumerate() {
                    let message = message_id(spot.chat, spot.message);
                    let (person, key, at) = (spot.person.clone(), format!("r:{update}:{idx}"), time(at_s));
                    let reaction = Reaction { place: spot.place(), person, message, sign, is_added, key, at };
                    // There is nobody to tell that a reaction was refused.
                    let _ = self.core.react(reaction).await;
                }
                Ok(())
            }
            Task::Added { spot, .. } => {
                let locale = self.locale(&spot).await;
                self.say(&spot, &locale.say("help-group")).await
            }
            Task::Left { chat, .. } => {
                self.core.left(Platform::Telegram, CommunityId(chat.to_string())).await;
                Ok(())
            }
            Task::Moved { from, to } => {
                self.api.moved(from, to).await;
                Ok(())
            }
        }
    }

    async fn command(&self, spot: &Spot, command: Command) -> Result<(), Fault> {
        let locale = self.locale(spot).await;
        match command {
            Command::Help if spot.is_private => self.say(spot, &locale.say("help")).await,
            Command::Help => self.say(spot, &format!("{}\n{}", locale.say("help"), locale.say("help-group"))).await,
            Command::About => self.say(spot, &locale.tell("about", &[("version", Filled::Text(&self.version))])).await,
            Command::Privacy => self.show_privacy(spot).await,
            Command::Settings => self.show_settings(spot).await,
        }
    }

    /// Tells that our side failed.
    async fn apologize(&self, task: &Task) {
        let (spot, query) = match task {
            Task::Ask(question) => (&question.spot, None),
            Task::NoPhoto(spot) | Task::NotAPhoto(spot) | Task::Command(spot, _) => (spot, None),
            Task::Press { spot, query, .. } => (spot, Some(query)),
            Task::React { .. } | Task::Added { .. } | Task::Left { .. } | Task::Moved { .. } => return,
        };
        let id = format!("telegram-{}", self.health.n_panics());
        tracing::error!(id, task = task.name(), "a handler panicked");
        let words = self.why_not(self.locale(spot).await, &Refusal::Internal { id });
        match query {
            Some(query) => self.api.answer_press(query, &words, true).await,
            // If even this can't be said, it was tried.
            None => drop(self.say(spot, &words).await),
        }
    }

    /// Language of the sentences at a place.
    pub async fn locale(&self, spot: &Spot) -> Locale {
        self.core.locale(&spot.place(), &spot.person).await
    }

    /// The sentence of a refusal.
    pub fn why_not(&self, locale: Locale, refusal: &Refusal) -> String {
        phrasing::refusal(refusal, locale, self.core.intake())
    }

    /// Answers with plain words.
    pub async fn say(&self, spot: &Spot, words: &str) -> Result<(), Fault> {
        self.api.reply(spot, &Styled::of(words), None).await.map(drop)
    }
}
