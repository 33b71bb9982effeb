//! The three doors through which photos come: Telegram, Discord, HTTP. Each asks and later tells what came of it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use image2song_fakes::discord::Discord;
use image2song_fakes::discord::ids::{Channel, InteractionId, MessageId, User};
use image2song_fakes::discord::post::{Photo, Slash};
use image2song_fakes::discord::record::Act;
use image2song_fakes::telegram::Telegram;
use image2song_fakes::telegram::people::{ChatId, User as Person};

use crate::figures::{Came, Outcome};
use crate::http;

const N_PEOPLE: usize = 200;
const N_CHANNELS: usize = 40;
/// Of so many questions on Discord one is a message that mentions the bot; the others are commands.
const MENTION_EVERY: usize = 4;
const BUSY: &str = "Many photos at once";

/// Where photos are shown.
pub trait Door {
    /// Its name in tables.
    fn name(&self) -> &'static str;
    /// Somebody asks.
    fn ask(&mut self, photo: Vec<u8>);
    /// What came of all questions since the last [`Door::begin`], in their order.
    fn outcomes(&self) -> Vec<Outcome>;
    /// Forgets the questions so far.
    fn begin(&mut self);
}

fn came(has_songs: bool, text: &str) -> Came {
    match (has_songs, text.contains(BUSY)) {
        (true, _) => Came::Songs,
        (false, true) => Came::Busy,
        (false, false) => Came::Sentence,
    }
}

/// The first of an answer's times and what it was.
fn first(asked: Instant, answers: &[(Instant, Came)]) -> Outcome {
    match answers.first() {
        Some((at, came)) => Outcome { came: *came, took: *at - asked, n_answers: answers.len() },
        None => Outcome::NOTHING,
    }
}

/// Private chats with the bot.
pub struct TelegramDoor {
    telegram: Arc<Telegram>,
    pub people: Vec<(Person, ChatId)>,
    asked: Vec<(Instant, ChatId, i64)>,
    n_asked: usize,
}

impl TelegramDoor {
    pub fn new(telegram: Arc<Telegram>) -> TelegramDoor {
        let people = (0..N_PEOPLE as i64).map(|idx| {
            let person = Person::with_language(5000 + idx, "Somebody", "en");
            let chat = telegram.private(&person);
            (person, chat)
        });
        TelegramDoor { people: people.collect(), telegram, asked: Vec::new(), n_asked: 0 }
    }
}

impl Door for TelegramDoor {
    fn name(&self) -> &'static str {
        "Telegram"
    }

    fn ask(&mut self, photo: Vec<u8>) {
        let (person, chat) = &self.people[self.n_asked % N_PEOPLE];
        self.n_asked += 1;
        let at = Instant::now();
        self.asked.push((at, *chat, self.telegram.photo(*chat, person, &photo, "").id));
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let mut answers: HashMap<(ChatId, i64), Vec<(Instant, Came)>> = HashMap::new();
        for message in self.telegram.messages() {
            let Some(to) = message.reply_to else { continue };
            let came = came(!message.keyboard.is_empty(), &message.text);
            answers.entry((message.chat, to)).or_default().push((message.at, came));
        }
        let none = Vec::new();
        self.asked.iter().map(|(at, chat, id)| first(*at, answers.get(&(*chat, *id)).unwrap_or(&none))).collect()
    }

    fn begin(&mut self) {
        self.asked.clear();
    }
}

/// Commands, and messages that mention the bot.
pub struct DiscordDoor {
    discord: Arc<Discord>,
    people: Vec<User>,
    channels: Vec<Channel>,
    /// Whether all questions are commands: messages are bounded by Discord's limit of 50 requests a second.
    is_commands_only: bool,
    asked: Vec<(Instant, Asked)>,
    n_asked: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Asked {
    Command(InteractionId),
    Message(MessageId),
}

impl DiscordDoor {
    /// Only commands.
    pub fn of_commands(discord: Arc<Discord>) -> DiscordDoor {
        let mut door = DiscordDoor::new(discord);
        door.is_commands_only = true;
        door
    }

    /// Commands and messages.
    pub fn new(discord: Arc<Discord>) -> DiscordDoor {
        let people = (0..N_PEOPLE).map(|_| discord.person("Somebody")).collect();
        let channels = (0..N_CHANNELS).map(|_| discord.channel()).collect();
        DiscordDoor { discord, people, channels, is_commands_only: false, asked: Vec::new(), n_asked: 0 }
    }
}

impl Door for DiscordDoor {
    fn name(&self) -> &'static str {
        "Discord"
    }

    fn ask(&mut self, photo: Vec<u8>) {
        let (channel, person) = (self.channels[self.n_asked % N_CHANNELS], self.people[self.n_asked % N_PEOPLE]);
        self.n_asked += 1;
        let photo = Photo::jpeg("photo.jpg", photo);
        let at = Instant::now();
        let asked = if self.is_commands_only || !self.n_asked.is_multiple_of(MENTION_EVERY) {
            Asked::Command(self.discord.slash(channel, person, Slash::new("songs").photo("photo", photo)))
        } else {
            Asked::Message(self.discord.say(channel, person, &self.discord.mention(), vec![photo]))
        };
        self.asked.push((at, asked));
    }

    fn outcomes(&self) -> Vec<Outcome> {
        let mut answers: HashMap<Asked, Vec<(Instant, Came)>> = HashMap::new();
        self.discord.look(|world| {
            for (at, act) in &world.acts {
                let Act::Posted(id) = act else { continue };
                let Some(message) = world.messages.get(id) else { continue };
                let asked = match (message.interaction, message.reply_to) {
                    (Some(interaction), _) => Asked::Command(interaction),
                    (None, Some((to, _))) => Asked::Message(to),
                    (None, None) => continue,
                };
                answers.entry(asked).or_default().push((*at, came(!message.components.is_empty(), &message.text)));
            }
        });
        let none = Vec::new();
        self.asked.iter().map(|(at, asked)| first(*at, answers.get(asked).unwrap_or(&none))).collect()
    }

    fn begin(&mut self) {
        self.asked.clear();
    }
}

/// `POST /v1/suggest`.
pub struct WebDoor {
    address: String,
    outcomes: Arc<Mutex<Vec<Outcome>>>,
}

impl WebDoor {
    pub fn new(address: &str) -> WebDoor {
        WebDoor { address: address.to_owned(), outcomes: Arc::default() }
    }
}

impl Door for WebDoor {
    fn name(&self) -> &'static str {
        "HTTP"
    }

    fn ask(&mut self, photo: Vec<u8>) {
        let (address, outcomes, asked) = (self.address.clone(), self.outcomes.clone(), Instant::now());
        let idx = {
            let mut outcomes = outcomes.lock().unwrap_or_else(PoisonError::into_inner);
            outcomes.push(Outcome::NOTHING);
            outcomes.len() - 1
        };
        tokio::spawn(async move {
            let came = match http::post_photo(&address, "/v1/suggest", &photo).await.map(|reply| reply.status) {
                Some(200) => Came::Songs,
                Some(503) => Came::Busy,
                Some(400..500) => Came::Sentence,
                _ => return,
            };
            let outcome = Outcome { came, took: asked.elapsed(), n_answers: 1 };
            // A late one must not land among the questions of a later round.
            if let Some(slot) = outcomes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(idx) {
                *slot = outcome;
            }
        });
    }

    fn outcomes(&self) -> Vec<Outcome> {
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn begin(&mut self) {
        self.outcomes = Arc::default();
    }
}
