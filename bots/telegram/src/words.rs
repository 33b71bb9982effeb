//! What the words of a message say to the bot: a command, a mention, and what is left as a hint.

use teloxide::types::{Message, MessageEntityKind, MessageEntityRef, UserId};

/// Who the bot is, as messages address it.
#[derive(Clone)]
pub struct Name {
    /// Its id.
    pub id: UserId,
    /// Its name after the `@`.
    pub username: String,
}

/// The words of a message, sorted.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Words {
    /// The first command that is for the bot, in lower case and without its slash.
    pub command: Option<String>,
    /// Whether there is a command for another bot.
    pub is_for_another: bool,
    /// Whether the bot is mentioned.
    pub is_mentioned: bool,
    /// All other words.
    pub hint: String,
}

impl Words {
    /// Sorts the text or the caption of a message.
    pub fn of(message: &Message, me: &Name) -> Self {
        let text = message.text().or(message.caption()).unwrap_or_default();
        let entities = message.parse_entities().or_else(|| message.parse_caption_entities()).unwrap_or_default();
        let mut words = Self::default();
        let mut rest = String::new();
        let mut end = 0;
        for entity in &entities {
            if words.take(entity, me) && entity.start() >= end {
                rest.push_str(&text[end..entity.start()]);
                end = entity.end();
            }
        }
        rest.push_str(&text[end..]);
        words.hint = rest.split_whitespace().collect::<Vec<_>>().join(" ");
        words
    }

    /// Notes a command or mention; tells whether it is spent by that and not part of the hint.
    fn take(&mut self, entity: &MessageEntityRef<'_>, me: &Name) -> bool {
        match entity.kind() {
            MessageEntityKind::BotCommand => {
                let command = entity.text().trim_start_matches('/');
                let (command, addressee) = command.split_once('@').map_or((command, None), |(c, a)| (c, Some(a)));
                if addressee.is_some_and(|name| !name.eq_ignore_ascii_case(&me.username)) {
                    self.is_for_another = true;
                } else if self.command.is_none() {
                    self.command = Some(command.to_ascii_lowercase());
                } else {
                    return false;
                }
                true
            }
            MessageEntityKind::Mention => {
                let is_me = entity.text().trim_start_matches('@').eq_ignore_ascii_case(&me.username);
                self.is_mentioned |= is_me;
                is_me
            }
            MessageEntityKind::TextMention { user } => {
                let is_me = user.id == me.id;
                self.is_mentioned |= is_me;
                is_me
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Reads a caption whose entities are given by their texts.
    #[track_caller]
    fn check(caption: &str, entities: &[(&str, &str)], expected: (Option<&str>, bool, bool, &str)) {
        let entity = |(kind, text): &(&str, &str)| {
            let at = caption.find(text).expect("the entity's text");
            let offset = caption[..at].encode_utf16().count();
            json!({ "type": kind, "offset": offset, "length": text.encode_utf16().count() })
        };
        let message = serde_json::from_value(json!({
            "message_id": 1, "date": 1, "chat": { "id": 1, "type": "private" },
            "photo": [], "caption": caption, "caption_entities": entities.iter().map(entity).collect::<Vec<_>>(),
        }));
        let me = Name { id: UserId(1), username: "Song_Bot".to_owned() };
        let words = Words::of(&message.unwrap(), &me);
        let found = (words.command.as_deref(), words.is_for_another, words.is_mentioned, words.hint.as_str());
        assert_eq!(found, expected);
    }

    #[test]
    fn commands_and_mentions_are_taken_out_of_the_hint() {
        check("rainy,  in French", &[], (None, false, false, "rainy, in French"));
        check("/songs rainy", &[("bot_command", "/songs")], (Some("songs"), false, false, "rainy"));
        let command = ("bot_command", "/Songs@song_bot");
        check("🌧️ é /Songs@song_bot calm", &[command], (Some("songs"), false, false, "🌧️ é calm"));
        check("/songs@other x", &[("bot_command", "/songs@other")], (None, true, false, "x"));
        check("hey @SONG_bot calm", &[("mention", "@SONG_bot")], (None, false, true, "hey calm"));
        check("hey @ada calm", &[("mention", "@ada")], (None, false, false, "hey @ada calm"));
    }
}
