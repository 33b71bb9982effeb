//! One gateway connection on a thread of its own, and the watch over it.
//!
//! serenity ends its client for three close codes only. For others it spins on a dead socket without ever yielding, and a
//! shutdown of such a one never returns. On its own thread and runtime that starves nobody, and letting the runtime go
//! ends it as soon as it yields.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use image2song_contract::supervise::{End, StopSignal, stopped};
use serenity::Client;
use serenity::client::ClientBuilder;
use serenity::gateway::{ConnectionStage, GatewayError, ShardManager};
use serenity::http::Http;
use serenity::model::gateway::GatewayIntents;
use tokio::runtime::{Builder, Handle};
use tokio::sync::oneshot;

use crate::adapter::Adapter;
use crate::config::Bounds;
use crate::events::Events;

/// How long a connection may take to close in good order.
const CLOSE_WITHIN: Duration = Duration::from_secs(3);

/// How a connection ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// For good or for another start.
    End(End),
    /// The application may not read message content.
    NoContent,
}

/// What the watchdog knows of sessions, over all connections of the process.
#[derive(Default)]
pub struct Watch {
    sessions: Mutex<VecDeque<Instant>>,
}

impl Watch {
    /// A fresh session began.
    pub fn began(&self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).push_back(Instant::now());
    }

    /// Sessions that began within this time.
    fn n_within(&self, time: Duration) -> usize {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        sessions.retain(|began| began.elapsed() <= time);
        sessions.len()
    }

    /// Forgets them: the next connection is judged by its own.
    fn clear(&self) {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// What a connection needs.
pub struct Connection {
    /// What handlers share.
    pub adapter: Arc<Adapter>,
    /// Sessions so far.
    pub watch: Arc<Watch>,
    /// Makes the client that serenity wants for itself.
    pub http: Http,
    /// Address of the gateway as it was asked for; another one would get the token.
    pub gateway: String,
    /// What to hear.
    pub intents: GatewayIntents,
}

impl Connection {
    /// Lives until it is told to stop, breaks, or is given up.
    pub async fn live(self, stop: &mut StopSignal) -> Ended {
        let (adapter, watch) = (self.adapter.clone(), self.watch.clone());
        let (started, manager) = oneshot::channel();
        let (hang_up, hung_up) = oneshot::channel::<bool>();
        let (tell, ended) = oneshot::channel();
        let runtime = Handle::current();
        let thread = std::thread::Builder::new().name("discord-gateway".to_owned());
        let spawned = thread.spawn(move || {
            let ended = match Builder::new_current_thread().enable_all().build() {
                Ok(own) => {
                    let ended = own.block_on(self.run(runtime, started, hung_up));
                    own.shutdown_background();
                    ended
                }
                Err(_) => broken("no runtime for the gateway"),
            };
            // Nobody waits any more when the connection was given up.
            let _ = tell.send(ended);
        });
        if spawned.is_err() {
            return broken("no thread for the gateway");
        }
        let mut ended = ended;
        let reason = tokio::select! {
            ended = &mut ended => return ended.unwrap_or_else(|_| broken("the gateway's thread panicked")),
            reason = guard(&adapter, &watch, manager) => reason,
            () = stopped(stop) => {
                let _ = hang_up.send(true);
                if tokio::time::timeout(CLOSE_WITHIN, ended).await.is_err() {
                    tracing::warn!("the gateway did not close in time");
                }
                return Ended::End(End::Stopped);
            }
        };
        let _ = hang_up.send(false);
        broken(&reason)
    }

    async fn run(
        self,
        runtime: Handle,
        started: oneshot::Sender<Arc<ShardManager>>,
        hung_up: oneshot::Receiver<bool>,
    ) -> Ended {
        let (adapter, watch) = (self.adapter.clone(), self.watch.clone());
        let events = || Events { adapter: adapter.clone(), watch: watch.clone(), runtime: runtime.clone() };
        let built: Result<Client, _> = ClientBuilder::new_with_http(self.http, self.intents)
            .event_handler(events())
            .raw_event_handler(events())
            .await;
        let Ok(mut client) = built else { return broken("the client was not built") };
        // When the question for the address fails, serenity takes Discord's own: a token for another server would go there.
        if *client.ws_url.lock().await != self.gateway {
            return broken("the gateway's address changed");
        }
        let manager = client.shard_manager.clone();
        let _ = started.send(manager.clone());
        tokio::select! {
            result = client.start_autosharded() => judge(result),
            is_orderly = hung_up => {
                if is_orderly == Ok(true) {
                    manager.shutdown_all().await;
                }
                Ended::End(End::Stopped)
            }
        }
    }
}

fn broken(reason: &str) -> Ended {
    Ended::End(End::Broken(reason.to_owned()))
}

fn judge(result: serenity::Result<()>) -> Ended {
    match result {
        Err(serenity::Error::Gateway(GatewayError::DisallowedGatewayIntents)) => Ended::NoContent,
        Err(serenity::Error::Gateway(GatewayError::InvalidAuthentication)) => Ended::End(End::Hopeless(
            "Discord refuses the token: make a new one in the developer portal (Bot → Reset Token)".to_owned(),
        )),
        Err(serenity::Error::Gateway(GatewayError::InvalidGatewayIntents)) => Ended::End(End::Hopeless(
            "Discord does not know the intents that this version asks for: update it".to_owned(),
        )),
        Err(_) => broken("the gateway connection failed"),
        Ok(()) => broken("the gateway connection ended"),
    }
}

/// Looks at the connection from outside; returns with a reason to give it up.
async fn guard(adapter: &Adapter, watch: &Watch, manager: oneshot::Receiver<Arc<ShardManager>>) -> String {
    let bounds: Bounds = adapter.config.bounds;
    let Ok(manager) = manager.await else { return std::future::pending().await };
    let mut ready_at = Instant::now();
    let mut last_latency = None;
    loop {
        tokio::time::sleep(bounds.look).await;
        // The runner holds this lock for moments only, but a spinning one could hold it for ever.
        let Ok(runners) = tokio::time::timeout(bounds.look, manager.runners.lock()).await else { continue };
        let is_ready = !runners.is_empty() && runners.values().all(|runner| runner.stage == ConnectionStage::Connected);
        let n_shards = runners.len().max(1);
        let latency = runners.values().map(|runner| runner.latency).max().flatten();
        drop(runners);
        if is_ready {
            ready_at = Instant::now();
        }
        // It changes with every heartbeat that is acknowledged: the one sign of life of a quiet gateway.
        if latency.is_some() && latency != last_latency {
            last_latency = latency;
            adapter.health.live();
        }
        if ready_at.elapsed() > bounds.unready {
            return format!("no session for {} s", bounds.unready.as_secs());
        }
        let n_sessions = watch.n_within(bounds.sessions_within);
        // Each shard has sessions of its own, and a first one at the start.
        if n_sessions > bounds.max_sessions * n_shards {
            watch.clear();
            return format!("{n_sessions} fresh sessions within {} s", bounds.sessions_within.as_secs());
        }
    }
}
