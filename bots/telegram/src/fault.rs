//! One place that says what an error of the Bot API means for us.

use std::time::Duration;

use teloxide::RequestError;
use teloxide::types::ChatId;

/// What went wrong with a call, by what can be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Too many messages; wait so long.
    Flood(Duration),
    /// The group has a new id.
    Moved(ChatId),
    /// We may not write there at all: blocked, kicked, deactivated, never started.
    Dead,
    /// The tags of the text are wrong.
    Entities,
    /// Nothing to do: the message is as it should be, or has gone.
    Done,
    /// The press is too old to be answered.
    TooOld,
    /// The file is larger than Telegram gives to bots.
    TooLarge,
    /// The file is not to be had any more.
    NoFile,
    /// We may not write this there: closed topic, missing right, unknown chat.
    NotHere,
    /// Somebody else polls with the token.
    Conflict,
    /// Updates are pushed somewhere.
    Webhook,
    /// The token is wrong.
    Token,
    /// The server or the way to it failed; later it may work.
    Network,
    /// Anything else.
    Other,
}

/// Parts of the server's descriptions in lower case, with what they mean. The library compares whole strings, some of
/// which differ from the server's, so that it tells some of these as unknown.
const DESCRIPTIONS: [(&str, Fault); 30] = [
    ("can't parse entities", Fault::Entities),
    ("message is not modified", Fault::Done),
    ("message to edit not found", Fault::Done),
    ("message to delete not found", Fault::Done),
    ("message_id_invalid", Fault::Done),
    ("query is too old", Fault::TooOld),
    ("query id is invalid", Fault::TooOld),
    ("file is too big", Fault::TooLarge),
    ("temporarily unavailable", Fault::NoFile),
    ("invalid file_id", Fault::NoFile),
    ("file_reference_", Fault::NoFile),
    ("wrong remote file", Fault::NoFile),
    ("while webhook is active", Fault::Webhook),
    ("terminated by other", Fault::Conflict),
    ("terminated by setwebhook", Fault::Webhook),
    ("unauthorized", Fault::Token),
    ("invalid bot token", Fault::Token),
    ("bot was blocked", Fault::Dead),
    ("bot was kicked", Fault::Dead),
    ("user is deactivated", Fault::Dead),
    ("can't initiate conversation", Fault::Dead),
    ("bot is not a member", Fault::Dead),
    ("chat not found", Fault::NotHere),
    ("not enough rights", Fault::NotHere),
    ("have no rights", Fault::NotHere),
    ("thread not found", Fault::NotHere),
    ("topic_closed", Fault::NotHere),
    ("can't be deleted", Fault::NotHere),
    ("can't be edited", Fault::NotHere),
    ("forbidden", Fault::Dead),
];

impl Fault {
    /// What an error of the library means.
    pub fn of(error: &RequestError) -> Self {
        match error {
            RequestError::RetryAfter(wait) => Self::Flood(wait.duration()),
            RequestError::MigrateToChatId(id) => Self::Moved(*id),
            RequestError::Network(_) | RequestError::InvalidJson { .. } | RequestError::Io(_) => Self::Network,
            RequestError::Api(error) => Self::of_description(&error.to_string()),
        }
    }

    /// What a refusal means, by its description and what stands beside it.
    pub fn of_refusal(description: &str, retry_after_s: Option<u64>, moved_to: Option<ChatId>) -> Self {
        match (retry_after_s, moved_to) {
            (Some(seconds), _) => Self::Flood(Duration::from_secs(seconds)),
            (None, Some(id)) => Self::Moved(id),
            (None, None) => Self::of_description(description),
        }
    }

    fn of_description(description: &str) -> Self {
        let description = description.to_lowercase();
        let known = DESCRIPTIONS.iter().find(|(part, _)| description.contains(part));
        let is_not_found = description.trim_matches(['"', ' ']).ends_with("not found") && description.len() < 40;
        match known {
            Some((_, fault)) => *fault,
            // Of a token that is not even of the right form the server says no more than this.
            None if is_not_found && !description.contains("bad request") => Self::Token,
            None => Self::Other,
        }
    }

    /// Its name in metrics and logs.
    pub fn name(self) -> &'static str {
        match self {
            Self::Flood(_) => "429",
            Self::Moved(_) => "moved",
            Self::Dead => "403",
            Self::Entities => "entities",
            Self::Done => "done",
            Self::TooOld => "too-old",
            Self::TooLarge => "too-large",
            Self::NoFile => "no-file",
            Self::NotHere => "not-here",
            Self::Conflict => "conflict",
            Self::Webhook => "webhook",
            Self::Token => "token",
            Self::Network => "network",
            Self::Other => "other",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_servers_own_words_are_understood() {
        for (description, fault) in [
            ("Forbidden: bot was blocked by the user", Fault::Dead),
            ("Forbidden: bot was kicked from the supergroup chat", Fault::Dead),
            ("Forbidden: user is deactivated", Fault::Dead),
            ("Forbidden: bot can't initiate conversation with a user", Fault::Dead),
            ("Bad Request: can't parse entities: Unsupported start tag \"3\" at byte offset 2", Fault::Entities),
            (
                "Bad Request: message is not modified: specified new message content and reply markup are exactly the \
                 same as a current content and reply markup of the message",
                Fault::Done,
            ),
            ("Bad Request: query is too old and response timeout expired or query ID is invalid", Fault::TooOld),
            ("Bad Request: file is too big", Fault::TooLarge),
            ("Bad Request: wrong file_id or the file is temporarily unavailable", Fault::NoFile),
            ("Bad Request: message thread not found", Fault::NotHere),
            ("Bad Request: TOPIC_CLOSED", Fault::NotHere),
            ("Bad Request: not enough rights to send text messages to the chat", Fault::NotHere),
            ("Bad Request: chat not found", Fault::NotHere),
            ("Bad Request: message can't be deleted for everyone", Fault::NotHere),
            (
                "Conflict: terminated by other getUpdates request; make sure that only one bot instance is running",
                Fault::Conflict,
            ),
            (
                "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook \
                 first",
                Fault::Webhook,
            ),
            ("Unauthorized", Fault::Token),
            ("Not Found", Fault::Token),
            ("Unknown error: \"Not Found\"", Fault::Token),
            ("Bad Request: PHOTO_INVALID_DIMENSIONS", Fault::Other),
        ] {
            assert_eq!(Fault::of_description(description), fault, "{description}");
        }
    }
}
