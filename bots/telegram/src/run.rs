//! The adapter from start to stop, started anew when it fails.

use std::sync::Arc;
use std::time::Duration;

use image2song_contract::bot::SongBot;
use image2song_contract::health::Health;
use image2song_contract::supervise::{self, End, StopSignal, stopped};
use teloxide::prelude::Requester;
use teloxide::types::Me;

use crate::adapter::Adapter;
use crate::api::Api;
use crate::commands;
use crate::config::{Config, Mode};
use crate::fault::Fault;
use crate::files::Files;
use crate::words::Name;
use crate::{poll, webhook};

/// How long work at hand may take after the signal to stop; the supervisor waits 10 s in all.
const GRACE: Duration = Duration::from_secs(4);
const RETRY_PAUSE: Duration = Duration::from_secs(2);

/// Runs the adapter until it is told to stop, or until only a person can help. What panics, ends or falls silent is
/// started anew.
pub async fn run(config: Config, core: Arc<dyn SongBot>, health: Arc<Health>, stop: StopSignal) -> End {
    let policy = config.policy;
    let for_start = Arc::clone(&health);
    let start = move |stop| start(config.clone(), Arc::clone(&core), Arc::clone(&for_start), stop);
    supervise::supervise(health, policy, stop, start).await
}

/// Gives up all work when the run that owns it is dropped.
struct Owned(Arc<Adapter>);

impl Drop for Owned {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn start(config: Config, core: Arc<dyn SongBot>, health: Arc<Health>, mut stop: StopSignal) -> End {
    let settings = config.check().and_then(|()| Ok((config.bot()?, config.host()?)));
    let (bot, host) = match settings {
        Ok(settings) => settings,
        Err(error) => return End::Hopeless(error.to_string()),
    };
    let files = match Files::new(&config, host, core.intake().max_bytes) {
        Ok(files) => Arc::new(files),
        Err(error) => return End::Broken(error.to_string()),
    };
    let api = Arc::new(Api::new(bot, Arc::clone(&core), Arc::clone(&health)));
    let me = tokio::select! {
        me = who_am_i(&api) => me,
        () = stopped(&mut stop) => return End::Stopped,
    };
    let me = match me {
        Ok(me) => me,
        Err(end) => return end,
    };
    health.live();
    tracing::info!(reads_all_messages = me.can_read_all_group_messages, "Telegram answers");
    if !me.can_read_all_group_messages {
        tracing::info!("privacy mode is on: in groups only commands and replies arrive");
    }
    let name = Name { id: me.id, username: me.username.clone().unwrap_or_default() };
    let adapter = Adapter::new(Arc::clone(&api), Arc::clone(&core), files, health, name, config.version.clone());
    let owned = Owned(Arc::clone(&adapter));
    let registering = tokio::spawn(async move { commands::register(&api, &*core, me.id.0).await });
    adapter.resume().await;
    let end = match &config.mode {
        Mode::Poll => poll::run(&owned.0, stop, GRACE).await,
        Mode::Webhook { listen, url, secret } => webhook::run(&owned.0, (*listen, url, secret), stop, GRACE).await,
    };
    registering.abort();
    end
}

/// The bot's own account; asks until Telegram answers.
async fn who_am_i(api: &Api) -> Result<Me, End> {
    loop {
        let fault = match api.call(api.bot().get_me()).await {
            Ok(me) => return Ok(me),
            Err(fault) => fault,
        };
        api.note("getMe", fault);
        match fault {
            Fault::Token => {
                return Err(End::Hopeless("Telegram refuses the token; copy it anew from @BotFather".into()));
            }
            Fault::Flood(wait) => tokio::time::sleep(wait + Duration::from_secs(1)).await,
            _ => {
                tracing::warn!(fault = fault.name(), "Telegram does not answer");
                tokio::time::sleep(RETRY_PAUSE).await;
            }
        }
    }
}
