//! What the bot did, as the server saw it.

use std::time::Instant;

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::telegram::keyboard::Button;
use crate::telegram::people::ChatId;

/// A call that arrived.
#[derive(Clone, Debug)]
pub struct Call {
    /// The method, spelled as in the documentation.
    pub method: &'static str,
    /// The parameters as they came; files are not among them.
    pub params: Map<String, Value>,
    /// When it arrived.
    pub at: Instant,
    /// The refusal it got.
    pub refusal: Option<String>,
}

/// A message of the bot as it stands now.
#[derive(Clone, Debug)]
pub struct BotMessage {
    /// Where it stands.
    pub chat: ChatId,
    /// Its number in the chat.
    pub id: i64,
    /// Text or caption as it arrived, with its tags.
    pub source: String,
    /// Text or caption as a person reads it.
    pub text: String,
    /// How `source` was written.
    pub parse_mode: Option<String>,
    /// Targets of the links in the text.
    pub links: Vec<String>,
    /// The picture of a photo message.
    pub photo: Option<Bytes>,
    /// Name and bytes of a file.
    pub document: Option<(String, Bytes)>,
    /// Rows of buttons.
    pub keyboard: Vec<Vec<Button>>,
    /// The message it answers.
    pub reply_to: Option<i64>,
    /// The topic it stands in.
    pub topic: Option<i64>,
    /// How often it was edited.
    pub n_edits: u32,
    /// Whether it was deleted.
    pub is_deleted: bool,
    /// When it was sent.
    pub at: Instant,
}

impl BotMessage {
    /// The buttons of all rows, in reading order.
    pub fn buttons(&self) -> impl Iterator<Item = &Button> {
        self.keyboard.iter().flatten()
    }

    /// The first button whose text contains a part.
    ///
    /// # Panics
    ///
    /// If there is none; the message lists those that are there.
    #[track_caller]
    pub fn button(&self, part: &str) -> &Button {
        let found = self.buttons().find(|button| button.text.contains(part));
        let texts: Vec<&str> = self.buttons().map(|button| button.text.as_str()).collect();
        found.unwrap_or_else(|| panic!("no button with {part:?} among {texts:?}"))
    }
}

/// A press of a button, and what became of it.
#[derive(Clone, Debug, Default)]
pub struct Query {
    /// The text the bot answered with, once it answered.
    pub answer: Option<String>,
    /// Whether the answer is a window that a person has to close.
    pub is_alert: bool,
    /// Whether it can't be answered any more.
    pub is_expired: bool,
}

/// A file that the bot fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Download {
    /// Which file.
    pub file_id: String,
    /// The path as it arrived, before decoding.
    pub raw_path: String,
}
