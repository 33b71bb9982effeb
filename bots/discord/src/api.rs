//! What the adapter asks of Discord, in its own terms.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serenity::builder::{CreateActionRow, CreateAttachment, CreateCommand, CreateEmbed};
use serenity::http::{LightMethod, Multipart, MultipartUpload, Route};
use serenity::json::{self, Value, json};
use serenity::model::channel::Message;
use serenity::model::id::{ApplicationId, ChannelId, GuildId, InteractionId, MessageId, RoleId, UserId};

use crate::rest::{Content, Repeat, Rest, RestError};

/// Longest time for what somebody waits for.
const WITHIN: Duration = Duration::from_secs(25);
/// Discord gives three seconds to acknowledge an interaction.
const ACKNOWLEDGE_WITHIN: Duration = Duration::from_millis(2800);
/// The answer was acknowledged before, by an earlier try whose answer was lost.
const ALREADY_ACKNOWLEDGED: i64 = 40_060;
/// A reply needs the right to read what was written before.
const NEEDS_HISTORY: i64 = 160_002;

/// For the asker's eyes only.
const EPHEMERAL: u64 = 1 << 6;

/// A message to be shown: in a channel, or as the answer to an interaction.
#[derive(Debug, Clone, Default)]
pub struct Show {
    /// Text.
    pub text: String,
    /// Embed.
    pub embed: Option<CreateEmbed>,
    /// Buttons and menus.
    pub rows: Vec<CreateActionRow>,
    /// A file.
    pub file: Option<CreateAttachment>,
    /// Whether only the asker sees it; counts for follow-ups alone.
    pub is_ephemeral: bool,
}

impl Show {
    /// Text alone.
    pub fn text(text: impl Into<String>) -> Show {
        Show { text: text.into(), ..Show::default() }
    }

    fn json(&self) -> Value {
        // Nothing that stands in a message may ring anybody's bell, neither may a reply.
        json!({
            "content": self.text,
            "embeds": self.embed.iter().collect::<Vec<_>>(),
            "components": self.rows,
            "allowed_mentions": { "parse": [], "replied_user": false },
        })
    }

    /// JSON, or a form with the file beside it.
    fn content(self, mut json: Value) -> Content {
        let Some(file) = self.file else { return Content::Json(json) };
        json["attachments"] = json!([{ "id": 0, "filename": file.filename, "description": file.description }]);
        let upload = MultipartUpload::Attachments(vec![file]);
        Content::Form(Box::new(Multipart { upload, fields: Vec::new(), payload_json: Some(json.to_string()) }))
    }
}

/// How an interaction is acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Defer {
    /// An answer for all follows.
    Public,
    /// An answer for the asker alone follows.
    Ephemeral,
    /// The message of the button changes, or goes.
    Update,
}

/// Discord, as far as the adapter needs it.
pub struct Api {
    rest: Rest,
    application: AtomicU64,
}

impl Api {
    /// Through `rest`; the application is known from READY on.
    pub fn new(rest: Rest) -> Arc<Api> {
        Arc::new(Api { rest, application: AtomicU64::new(0) })
    }

    /// Sets the application, as READY tells it.
    pub fn set_application(&self, id: ApplicationId) {
        self.application.store(id.get(), Ordering::Relaxed);
    }

    /// The application. Before READY nobody asks.
    fn application(&self) -> ApplicationId {
        ApplicationId::new(self.application.load(Ordering::Relaxed).max(1))
    }

    /// Where the gateway is: the first request, which shows whether address and token are right.
    ///
    /// # Errors
    /// As all requests.
    pub async fn gateway(&self) -> Result<String, RestError> {
        let answer = self.get(Route::Gateway).await?;
        answer["url"].as_str().map(str::to_owned).ok_or(RestError::Network)
    }

    /// Shows that the bot writes. One try: the next comes soon.
    ///
    /// # Errors
    /// As all requests.
    pub async fn typing(&self, channel_id: ChannelId) -> Result<(), RestError> {
        let to = (LightMethod::Post, Route::ChannelTyping { channel_id });
        self.rest.send(to, Content::None, Repeat::Unsafe, WITHIN).await.map(drop)
    }

    /// Answers a message; its channel, if the reply itself is not allowed or the message is gone.
    ///
    /// # Errors
    /// As all requests.
    pub async fn reply(&self, channel_id: ChannelId, to: MessageId, show: Show) -> Result<MessageId, RestError> {
        let mut json = show.json();
        // The same mark on a repeated request makes Discord take it once.
        json["nonce"] = json!(to.to_string());
        json["enforce_nonce"] = json!(true);
        let plain = json.clone();
        json["message_reference"] = json!({
            "type": 0, "message_id": to.to_string(), "channel_id": channel_id.to_string(), "fail_if_not_exists": false
        });
        let route = (LightMethod::Post, Route::ChannelMessages { channel_id });
        let sent = self.rest.send(route, show.clone().content(json), Repeat::Safe, WITHIN).await;
        let sent = match sent {
            Err(error) if error.code() == Some(NEEDS_HISTORY) => {
                self.rest.send(route, show.content(plain), Repeat::Safe, WITHIN).await
            }
            sent => sent,
        };
        message_id(&sent?)
    }

    /// A message once more, with fresh links to its files.
    ///
    /// # Errors
    /// As all requests.
    pub async fn read(&self, channel_id: ChannelId, message_id: MessageId) -> Result<Message, RestError> {
        let answer = self.get(Route::ChannelMessage { channel_id, message_id }).await?;
        json::from_value(answer).map_err(|_| RestError::Network)
    }

    /// The bot's own role in a server, if it has one.
    ///
    /// # Errors
    /// As all requests.
    pub async fn own_role(&self, guild_id: GuildId, bot: UserId) -> Result<Option<RoleId>, RestError> {
        let roles = self.get(Route::GuildRoles { guild_id }).await?;
        let bot = bot.to_string();
        let own = roles.as_array().into_iter().flatten().find(|role| role["tags"]["bot_id"].as_str() == Some(&bot));
        Ok(own.and_then(|role| role["id"].as_str()?.parse().ok()).map(RoleId::new))
    }

    /// Replaces all commands.
    ///
    /// # Errors
    /// As all requests.
    pub async fn register(&self, commands: &[CreateCommand]) -> Result<(), RestError> {
        let route = Route::Commands { application_id: self.application() };
        self.rest.send((LightMethod::Put, route), Content::Json(json!(commands)), Repeat::Safe, WITHIN).await.map(drop)
    }

    /// Acknowledges an interaction. Done before counts as done.
    ///
    /// # Errors
    /// As all requests.
    pub async fn defer(&self, interaction_id: InteractionId, token: &str, defer: Defer) -> Result<(), RestError> {
        let body = match defer {
            Defer::Public => json!({ "type": 5 }),
            Defer::Ephemeral => json!({ "type": 5, "data": { "flags": EPHEMERAL } }),
            Defer::Update => json!({ "type": 6 }),
        };
        let route = Route::InteractionResponse { interaction_id, token };
        let sent =
            self.rest.send((LightMethod::Post, route), Content::Json(body), Repeat::Safe, ACKNOWLEDGE_WITHIN).await;
        match sent {
            Err(error) if error.code() == Some(ALREADY_ACKNOWLEDGED) => Ok(()),
            sent => sent.map(drop),
        }
    }

    /// Fills or changes the first answer to an interaction.
    ///
    /// # Errors
    /// As all requests.
    pub async fn answer(&self, token: &str, show: Show) -> Result<MessageId, RestError> {
        let route = Route::WebhookOriginalInteractionResponse { application_id: self.application(), token };
        let json = show.json();
        let sent = self.rest.send((LightMethod::Patch, route), show.content(json), Repeat::Safe, WITHIN).await;
        message_id(&sent?)
    }

    /// A further answer to an interaction. Where the bot is not a member there are five; one a press is enough here.
    ///
    /// # Errors
    /// As all requests.
    pub async fn follow_up(&self, token: &str, show: Show) -> Result<MessageId, RestError> {
        let route = Route::WebhookFollowupMessages { application_id: self.application(), token };
        let mut json = show.json();
        json["flags"] = json!(if show.is_ephemeral { EPHEMERAL } else { 0 });
        let sent = self.rest.send((LightMethod::Post, route), show.content(json), Repeat::Unsafe, WITHIN).await;
        message_id(&sent?)
    }

    /// Takes away the first answer to an interaction; to a button, the button's message.
    ///
    /// # Errors
    /// As all requests.
    pub async fn take_back(&self, token: &str) -> Result<(), RestError> {
        let route = Route::WebhookOriginalInteractionResponse { application_id: self.application(), token };
        self.rest.send((LightMethod::Delete, route), Content::None, Repeat::Safe, WITHIN).await.map(drop)
    }

    async fn get(&self, route: Route<'_>) -> Result<Value, RestError> {
        self.rest.send((LightMethod::Get, route), Content::None, Repeat::Safe, WITHIN).await
    }
}

fn message_id(message: &Value) -> Result<MessageId, RestError> {
    let id = message["id"].as_str().and_then(|id| id.parse().ok()).filter(|id| *id > 0);
    id.map(MessageId::new).ok_or(RestError::Network)
}
