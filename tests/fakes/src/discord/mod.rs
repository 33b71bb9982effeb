//! A Discord on loopback: REST, gateway, CDN and media proxy, as strict as the real one, driven by scripts.
//!
//! ```no_run
//! # async fn script() -> std::io::Result<()> {
//! use image2song_fakes::discord::Discord;
//! use image2song_fakes::discord::post::{Photo, Slash};
//!
//! let discord = Discord::start().await?;
//! // … start the bot with `discord.api_url()` and `discord::TOKEN` …
//! discord.wait_for_commands().await;
//! let (channel, ann) = (discord.channel(), discord.person("ann"));
//! discord.slash(channel, ann, Slash::new("songs").photo("photo", Photo::jpeg("sea.jpg", [0xff, 0xd8])));
//! let answer = discord.next_message().await;
//! assert_eq!(discord.violations(), [""; 0]);
//! # Ok(())
//! # }
//! ```

mod answers;
/// Limits of message bodies.
pub mod body;
mod commands;
mod components;
/// Troubles on order.
pub mod fault;
mod files;
mod forget;
mod gateway;
/// Ids.
pub mod ids;
/// Interactions.
pub mod interaction;
/// Messages as they are kept.
pub mod message;
/// What scripts let people do.
pub mod post;
mod posts;
/// What the bot did.
pub mod record;
/// How Discord says no.
pub mod refusal;
mod rest;
mod scripts;
/// Gateway sessions.
pub mod session;
#[cfg(test)]
mod tests;
#[cfg(test)]
mod tests_client;
#[cfg(test)]
mod tests_rest;
/// All state.
pub mod world;

use std::io;
use std::sync::Arc;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use world::{Options, Shared, Urls, World};

/// The one token that is right; it has the shape of a real one and opens nothing.
pub const TOKEN: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GaBcDe.abcdefghijklmnopqrstuvwxyz0123456789-_";

/// A running fake; it ends when this is dropped.
pub struct Discord {
    shared: Arc<Shared>,
    servers: Vec<JoinHandle<()>>,
}

impl Drop for Discord {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

impl Discord {
    /// Starts as the real one is set up for an application without the content intent.
    ///
    /// # Errors
    /// When no port of loopback is free.
    pub async fn start() -> io::Result<Discord> {
        Discord::start_with(Options::default()).await
    }

    /// Starts with a set-up.
    ///
    /// # Errors
    /// When no port of loopback is free.
    pub async fn start_with(options: Options) -> io::Result<Discord> {
        let bind = || TcpListener::bind("127.0.0.1:0");
        let (rest, media, gateway) = (bind().await?, bind().await?, bind().await?);
        let url =
            |listener: &TcpListener, scheme: &str| Ok::<_, io::Error>(format!("{scheme}://{}", listener.local_addr()?));
        let mut world = World::new(options);
        world.urls = Urls { rest: url(&rest, "http")?, media: url(&media, "http")?, gateway: url(&gateway, "ws")? };
        let shared = Arc::new(Shared::new(world));
        let routes = files::cdn(shared.clone()).merge(rest::router(shared.clone()));
        let servers = vec![
            serve_http(rest, routes),
            serve_http(media, files::media(shared.clone())),
            tokio::spawn(gateway::serve(gateway, shared.clone())),
        ];
        Ok(Discord { shared, servers })
    }

    /// Address of REST, without a slash at the end.
    pub fn api_url(&self) -> String {
        self.shared.look(|world| world.urls.rest.clone())
    }

    /// Host and port of the CDN and of the media proxy.
    pub fn file_hosts(&self) -> [String; 2] {
        let host = |url: &str| url.trim_start_matches("http://").to_owned();
        self.shared.look(|world| [host(&world.urls.rest), host(&world.urls.media)])
    }
}

fn serve_http(listener: TcpListener, routes: Router) -> JoinHandle<()> {
    tokio::spawn(async move {
        // Accepting on loopback fails only when the process is out of files, and then the test fails by its silence.
        let _ = axum::serve(listener, routes).await;
    })
}
