//! Presses of the buttons below an answer. Each is journaled once it is acknowledged, so that one which a crash cut off is
//! taken by the next run; the core takes none twice.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use image2song_contract::answer::{Answer, Pressed, Refusal, Why};
use image2song_contract::ask::{Press, Receipt};
use image2song_contract::locale::{Locale, Value as Filled};
use image2song_contract::payload::{Payload, Verb};
use image2song_contract::phrasing;
use image2song_contract::place::Platform;
use serenity::builder::CreateAttachment;
use serenity::json::{self, Value, json};
use serenity::model::application::ComponentInteraction;
use serenity::model::channel::Message;
use serenity::model::id::InteractionId;

use crate::adapter::Adapter;
use crate::answer;
use crate::api::Show;
use crate::interactions::Caller;

/// Most characters of a text message.
const MAX_TEXT: usize = 2000;
/// Most characters of an alternative text.
const MAX_ALT: usize = 1024;

/// A press, with all that is needed of the message it was made below.
pub struct Pressing {
    caller: Caller,
    payload: Payload,
    id: InteractionId,
    /// Whether the answer hides what the photo shows.
    is_hidden: bool,
    /// The answer's reasons in words.
    reasons: String,
}

impl Pressing {
    /// A press as it comes.
    pub fn new(component: &ComponentInteraction, caller: Caller, payload: Payload) -> Self {
        let message = &component.message;
        Self { caller, payload, id: component.id, is_hidden: is_hidden(message), reasons: reasons(message) }
    }

    fn key(&self) -> String {
        format!("i:{}", self.id)
    }

    /// What the next run needs of it.
    fn note(&self) -> String {
        let Caller { place, person, locale, token } = &self.caller;
        json!({
            "place": place, "person": person, "locale": locale, "token": token, "button": self.payload.to_string(),
            "id": self.id, "is_hidden": self.is_hidden, "reasons": self.reasons,
        })
        .to_string()
    }

    /// A press from an earlier run's note; `None` if it is of another version.
    pub fn from_note(note: &str) -> Option<Self> {
        let mut note: Value = json::from_str(note).ok()?;
        let payload = note["button"].as_str()?.parse().ok()?;
        let token = note["token"].as_str()?.to_owned();
        let (is_hidden, reasons) = (note["is_hidden"].as_bool()?, note["reasons"].as_str()?.to_owned());
        let caller = Caller {
            place: json::from_value(note["place"].take()).ok()?,
            person: json::from_value(note["person"].take()).ok()?,
            locale: json::from_value(note["locale"].take()).ok()?,
            token,
        };
        Some(Self { caller, payload, id: json::from_value(note["id"].take()).ok()?, is_hidden, reasons })
    }

    /// Journals the press, does what it asks for, and closes it.
    pub async fn take(self, adapter: &Adapter) {
        adapter.health.count("request", "button");
        let (platform, key) = (Platform::Discord, self.key());
        // Interactions are told once to each process, so it is new; what matters is that it is closed below.
        drop(adapter.bot.receive(Receipt { platform, key: key.clone(), note: self.note() }).await);
        self.answer(adapter).await;
        adapter.bot.close(platform, &key).await;
    }

    /// Does what the press asks for, also when an earlier run may have begun with it.
    pub async fn answer(self, adapter: &Adapter) {
        let Self { caller, payload, .. } = &self;
        let born = u64::try_from(self.id.created_at().unix_timestamp()).unwrap_or_default();
        let pressed = adapter.bot.press(Press {
            place: caller.place.clone(),
            person: caller.person.clone(),
            payload: *payload,
            key: self.key(),
            at: UNIX_EPOCH.checked_add(Duration::from_secs(born)).unwrap_or_else(SystemTime::now),
        });
        match pressed.await {
            Ok(Pressed::Voted { vote, level }) => {
                caller.answer(adapter, Show::text(phrasing::voted(caller.locale, vote, level))).await;
            }
            Ok(Pressed::More(answer)) => show_answer(adapter, caller, &answer, self.is_hidden, true).await,
            Ok(Pressed::Why) => self.explain(adapter).await,
            Ok(Pressed::Delete) => {
                if let Err(error) = adapter.api.take_back(&caller.token).await {
                    tracing::warn!(kind = error.name(), code = error.code(), "an answer was not taken away");
                }
            }
            Err(refusal) => {
                let text = phrasing::press_refusal(&refusal, payload.verb, caller.locale, adapter.bot.intake());
                // The button's own message stays; what is said stands beside it.
                if payload.verb == Verb::Delete {
                    caller.whisper(adapter, Show::text(text)).await;
                } else {
                    caller.answer(adapter, Show::text(text)).await;
                }
            }
        }
    }

    /// The explanation picture, to the asker alone; in words where the photo cannot be had any more.
    async fn explain(&self, adapter: &Adapter) {
        let (caller, slate) = (&self.caller, self.payload.slate);
        let first = adapter.bot.why(slate, Vec::new()).await;
        let explained = match first {
            Ok(Why::PhotoNeeded { origin }) => {
                let photos = adapter.load_again(&origin).await;
                if photos.is_empty() { Ok(Why::PhotoNeeded { origin }) } else { adapter.bot.why(slate, photos).await }
            }
            explained => explained,
        };
        match explained {
            Ok(Why::Picture { png, alt_text }) => {
                let alt = phrasing::cut(&alt_text, MAX_ALT);
                let file = CreateAttachment::bytes(png.to_vec(), "why.png").description(alt);
                let text = caller.locale.say("why-text");
                caller.answer(adapter, Show { file: Some(file), ..Show::text(text) }).await;
            }
            Ok(Why::PhotoNeeded { .. }) => {
                caller.answer(adapter, Show::text(in_words(caller.locale, &self.reasons))).await;
            }
            Err(refusal) => refuse(adapter, caller, &refusal).await,
        }
    }
}

/// Shows an answer, and tells the core where it stands.
pub async fn show_answer(adapter: &Adapter, caller: &Caller, answer: &Answer, is_spoiler: bool, is_more: bool) {
    let shown = answer::show(answer, adapter.bot.intake(), is_spoiler, is_more);
    if let Some(id) = caller.answer(adapter, shown).await {
        adapter.bot.posted(Platform::Discord, answer.slate, id).await;
    }
}

/// Tells why there is no answer.
pub async fn refuse(adapter: &Adapter, caller: &Caller, refusal: &Refusal) {
    caller.answer(adapter, Show::text(adapter.say(refusal, caller.locale))).await;
}

fn in_words(locale: Locale, reasons: &str) -> String {
    phrasing::cut(&locale.tell("why-gone", &[("reasons", Filled::Text(reasons))]), MAX_TEXT)
}

/// Whether an answer hides what the photo shows.
fn is_hidden(message: &Message) -> bool {
    message.embeds.first().and_then(|embed| embed.description.as_deref()).is_some_and(|text| text.starts_with("||"))
}

/// The reasons as they stand in an answer: the second line of each song, which is escaped already.
fn reasons(message: &Message) -> String {
    let fields = message.embeds.iter().flat_map(|embed| &embed.fields);
    let lines = fields.filter_map(|field| field.value.lines().nth(1).filter(|line| line.contains('→')));
    lines.collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use image2song_contract::payload::SlateId;
    use serenity::model::id::{ChannelId, UserId};

    use super::*;
    use crate::adapter;

    #[test]
    fn notes_bring_presses_back() {
        let place = adapter::place(None, ChannelId::new(5), UserId::new(6), false);
        let person = adapter::person(UserId::new(6), Some("de"), true);
        let caller = Caller { place, person, locale: Locale::De, token: "t\"1".to_owned() };
        let payload = Payload { verb: Verb::More, slate: SlateId([7; 16]), rank: 0 };
        let pressing =
            Pressing { caller, payload, id: InteractionId::new(9), is_hidden: true, reasons: "a → b".to_owned() };
        let again = Pressing::from_note(&pressing.note()).unwrap();
        assert_eq!((again.note(), again.key()), (pressing.note(), "i:9".to_owned()));
        assert!(Pressing::from_note("{}").is_none() && Pressing::from_note("t").is_none());
    }
}
