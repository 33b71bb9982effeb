//! The adapter's life: started, watched, started anew, stopped.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use image2song_contract::bot::SongBot;
use image2song_contract::fetch::Fetcher;
use image2song_contract::health::{Health, State};
use image2song_contract::supervise::{End, Policy, StopSignal, stopped, supervise};
use serenity::http::{Http, HttpBuilder};
use serenity::model::gateway::GatewayIntents;

use crate::adapter::Adapter;
use crate::api::Api;
use crate::config::Config;
use crate::connection::{Connection, Ended, Watch};
use crate::rest::{Rest, RestError};

/// What is heard without any privilege: servers, messages and reactions there and in direct messages.
const INTENTS: GatewayIntents = GatewayIntents::GUILDS
    .union(GatewayIntents::GUILD_MESSAGES)
    .union(GatewayIntents::GUILD_MESSAGE_REACTIONS)
    .union(GatewayIntents::DIRECT_MESSAGES)
    .union(GatewayIntents::DIRECT_MESSAGE_REACTIONS);

/// Runs until `stop` says so, or until only a person can help; mends all else by starting anew.
pub async fn run(
    config: Config,
    bot: Arc<dyn SongBot>,
    fetcher: Fetcher,
    health: Arc<Health>,
    policy: Policy,
    stop: StopSignal,
) -> End {
    if let Some(url) = &config.api_url {
        tracing::info!(url, "requests go to another server; the rate limits are read from its answers");
    }
    let rest = Rest::new(Arc::new(http(&config)), config.api_url.as_deref(), health.clone());
    let adapter = Adapter::new(config, Api::new(rest), bot, fetcher, health.clone());
    let life = Arc::new(Life { adapter, watch: Arc::default(), n_failed: AtomicU32::new(0) });
    supervise(health, policy, stop, move |stop| {
        let life = life.clone();
        async move { life.live(stop).await }
    })
    .await
}

/// serenity's client: with its rate limiter to Discord itself, without it to another server, for the limiter would send
/// to Discord all the same.
fn http(config: &Config) -> Http {
    let builder = HttpBuilder::new(config.token.header());
    match &config.api_url {
        Some(url) => builder.proxy(url.trim_end_matches('/')).ratelimiter_disabled(true).build(),
        None => builder.build(),
    }
}

/// What outlives a connection.
struct Life {
    adapter: Arc<Adapter>,
    watch: Arc<Watch>,
    /// Connections in a row that had to be given up.
    n_failed: AtomicU32,
}

impl Life {
    async fn live(&self, mut stop: StopSignal) -> End {
        let adapter = &self.adapter;
        let bounds = adapter.config.bounds;
        adapter.resume();
        // Discord grants a thousand sessions a day; one that is refused again and again must not use them up.
        let pause = bounds.pause * self.n_failed.load(Ordering::Relaxed).min(5);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = stopped(&mut stop) => return End::Stopped,
        }
        let gateway = tokio::select! {
            gateway = adapter.api.gateway() => gateway,
            () = stopped(&mut stop) => return End::Stopped,
        };
        let gateway = match gateway {
            Ok(gateway) => gateway,
            Err(RestError::Refused { status: 401, .. }) => {
                let advice = "Discord refuses the token: make a new one in the developer portal (Bot → Reset Token)";
                return End::Hopeless(advice.to_owned());
            }
            Err(error) => return End::Broken(format!("the first request failed: {error}")),
        };
        let end = self.connect(&gateway, &mut stop).await;
        match &end {
            End::Broken(_) => drop(self.n_failed.fetch_add(1, Ordering::Relaxed)),
            _ => adapter.drain(bounds.grace).await,
        }
        end
    }

    /// Connects; once more without message content, where that is not granted.
    async fn connect(&self, gateway: &str, stop: &mut StopSignal) -> End {
        let adapter = &self.adapter;
        loop {
            let reads_content = adapter.reads_content.load(Ordering::Relaxed);
            let content = if reads_content { GatewayIntents::MESSAGE_CONTENT } else { GatewayIntents::empty() };
            let connection = Connection {
                adapter: adapter.clone(),
                watch: self.watch.clone(),
                http: http(&adapter.config),
                gateway: gateway.to_owned(),
                intents: INTENTS | content,
            };
            match connection.live(stop).await {
                Ended::End(end) => return end,
                Ended::NoContent if reads_content => {
                    let advice = "Discord does not grant message content, so photos that nobody asks about are not seen: \
                                  switch on Message Content Intent in the developer portal (Bot), or reads_content off";
                    tracing::warn!(advice, "running without message content");
                    adapter.health.set(State::Starting, Some(advice.to_owned()));
                    adapter.reads_content.store(false, Ordering::Relaxed);
                }
                Ended::NoContent => {
                    return End::Hopeless(
                        "Discord refuses the intents of this bot: check the developer portal (Bot)".to_owned(),
                    );
                }
            }
        }
    }
}
