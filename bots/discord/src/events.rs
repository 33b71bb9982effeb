//! What the gateway tells. Handlers run on the adapter's own runtime, so that no answer keeps a heartbeat waiting, and a
//! panic in one loses that one only.

use std::future::Future;
use std::sync::Arc;

use image2song_contract::place::{CommunityId, Platform};
use image2song_contract::supervise::caught;
use serenity::client::{Context, EventHandler, RawEventHandler};
use serenity::json;
use serenity::model::application::Interaction;
use serenity::model::channel::{Message, Reaction, ReactionType};
use serenity::model::event::{Event, ReactionRemoveAllEvent};
use serenity::model::gateway::Ready;
use serenity::model::guild::{Guild, UnavailableGuild};
use tokio::runtime::Handle;

use crate::adapter::Adapter;
use crate::connection::Watch;
use crate::reactions::Under;
use crate::{commands, interactions, question, reactions};

/// Events that are handled here: one of these that serenity cannot read is a loss that nobody else would notice.
const HANDLED: [&str; 8] = [
    "READY",
    "MESSAGE_CREATE",
    "INTERACTION_CREATE",
    "MESSAGE_REACTION_ADD",
    "MESSAGE_REACTION_REMOVE",
    "MESSAGE_REACTION_REMOVE_ALL",
    "MESSAGE_REACTION_REMOVE_EMOJI",
    "GUILD_DELETE",
];

/// Hands events on.
pub struct Events {
    /// What handlers share.
    pub adapter: Arc<Adapter>,
    /// What the watchdog looks at.
    pub watch: Arc<Watch>,
    /// The adapter's runtime.
    pub runtime: Handle,
}

impl Events {
    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) {
        let health = self.adapter.health.clone();
        self.runtime.spawn(async move {
            if caught(work).await.is_none() {
                health.panicked();
                tracing::error!("a handler panicked");
            }
        });
    }
}

impl Events {
    fn cleared(&self, gone: &ReactionRemoveAllEvent, emoji: Option<ReactionType>) {
        let under = Under { guild: gone.guild_id, channel: gone.channel_id, message: gone.message_id };
        self.spawn(reactions::on_cleared(self.adapter.clone(), under, emoji));
    }
}

#[serenity::async_trait]
impl EventHandler for Events {
    async fn ready(&self, _: Context, ready: Ready) {
        let application = ready.application.id;
        self.adapter.api.set_application(application);
        let is_first = self.adapter.set_me(ready.user.id);
        tracing::info!(n_servers = ready.guilds.len(), "connected to Discord");
        let adapter = self.adapter.clone();
        self.spawn(async move {
            if let Err(error) = commands::register(&adapter, application.get()).await {
                tracing::error!(kind = error.name(), code = error.code(), "the commands were not registered");
            }
            if is_first {
                question::answer_left_open(adapter).await;
            }
        });
    }

    async fn message(&self, _: Context, message: Message) {
        self.spawn(question::on_message(self.adapter.clone(), message));
    }

    async fn interaction_create(&self, _: Context, interaction: Interaction) {
        self.spawn(interactions::on_interaction(self.adapter.clone(), interaction));
    }

    async fn reaction_add(&self, _: Context, reaction: Reaction) {
        self.spawn(reactions::on_reaction(self.adapter.clone(), reaction, true));
    }

    async fn reaction_remove(&self, _: Context, reaction: Reaction) {
        self.spawn(reactions::on_reaction(self.adapter.clone(), reaction, false));
    }

    async fn guild_delete(&self, _: Context, incomplete: UnavailableGuild, _: Option<Guild>) {
        // An outage looks the same but for this mark.
        if !incomplete.unavailable {
            let adapter = self.adapter.clone();
            self.spawn(async move {
                adapter.bot.left(Platform::Discord, CommunityId(incomplete.id.to_string())).await;
            });
        }
    }
}

#[serenity::async_trait]
impl RawEventHandler for Events {
    async fn raw_event(&self, _: Context, event: Event) {
        self.adapter.health.live();
        match event {
            Event::Ready(_) => self.watch.began(),
            // The other kind of handler is not told the server of this.
            Event::ReactionRemoveAll(gone) => self.cleared(&gone, None),
            Event::Resumed(_) => self.adapter.health.count("gateway", "resumed"),
            Event::Unknown(mut unknown) => {
                // serenity wants fields of this event that Discord never sends, so it is read here.
                if unknown.kind == "MESSAGE_REACTION_REMOVE_EMOJI" {
                    let emoji = json::from_value(unknown.value["emoji"].take());
                    if let (Ok(emoji), Ok(gone)) = (emoji, json::from_value(unknown.value)) {
                        return self.cleared(&gone, Some(emoji));
                    }
                }
                // Its content is somebody's, so only its kind is told.
                if let Some(kind) = HANDLED.into_iter().find(|kind| *kind == unknown.kind) {
                    self.adapter.health.count("unreadable-event", kind);
                    tracing::error!(kind, "an event could not be read and is lost");
                }
            }
            _ => {}
        }
    }
}
