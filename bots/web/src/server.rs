//! The loop that takes connections: bounded in number, in the time that a request's head may take, and in age; ends
//! when told to, after what was begun.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use image2song_contract::api::Api;
use image2song_contract::health::Health;
use image2song_contract::supervise::{StopSignal, stopped};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::app::App;
use crate::options::Options;
use crate::routes;

/// Most bytes of a request's head.
const MAX_HEAD: usize = 32 * 1024;
/// Most headers of a request.
const MAX_HEADERS: usize = 64;
/// How often the loop shows that it lives.
const LIFE: Duration = Duration::from_secs(5);
/// Pause after a failed accept: without free file descriptors the next try fails at once, too.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Answers requests until it is told to stop, then lets those that were begun end within [`Options::drain`].
///
/// It shows its life to `health` and counts there: `request` by route, `status` by class.
///
/// # Errors
/// The listener is not of this machine alone and there is no key, or its address cannot be told.
pub async fn serve(
    listener: TcpListener,
    api: Arc<dyn Api>,
    health: Arc<Health>,
    options: Options,
    mut stop: StopSignal,
) -> io::Result<()> {
    let address = listener.local_addr()?;
    if options.key.is_none() && !address.ip().is_loopback() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{address} is open to other machines, so an API key is needed; set one, or listen on 127.0.0.1"),
        ));
    }
    tracing::info!(%address, key = options.key.is_some(), "HTTP is open");
    let connections = Arc::new(Semaphore::new(options.max_connections));
    let (head_timeout, max_age, drain) = (options.head_timeout, options.max_connection_age, options.drain);
    let router = routes::router(App::new(api, health.clone(), options));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(head_timeout).max_headers(MAX_HEADERS).max_buf_size(MAX_HEAD);
    let mut tasks = JoinSet::new();
    let mut life = tokio::time::interval(LIFE);
    health.live();
    loop {
        let place = tokio::select! {
            () = stopped(&mut stop) => break,
            _ = life.tick() => {
                health.live();
                continue;
            }
            Some(_) = tasks.join_next() => continue,
            Ok(place) = connections.clone().acquire_owned() => place,
        };
        let taken = tokio::select! {
            () = stopped(&mut stop) => break,
            _ = life.tick() => {
                health.live();
                continue;
            }
            taken = listener.accept() => taken,
        };
        let Ok((stream, _)) = taken else {
            health.count("error", "accept");
            tokio::time::sleep(ACCEPT_PAUSE).await;
            continue;
        };
        let connection = connection(stream, builder.clone(), router.clone(), stop.clone(), max_age);
        tasks.spawn(async move {
            connection.await;
            drop(place);
        });
    }
    drop(listener);
    let all_ended = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(drain, all_ended).await.is_err() {
        tracing::warn!("requests that did not end in time were cut off");
        tasks.shutdown().await;
    }
    Ok(())
}

/// Answers the requests of one connection.
async fn connection(
    stream: TcpStream,
    builder: http1::Builder,
    router: Router,
    mut stop: StopSignal,
    max_age: Duration,
) {
    // Answers are small and written at once.
    let _ = stream.set_nodelay(true);
    let mut serving = pin!(builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router)));
    let to_the_end = async {
        tokio::select! {
            _ = serving.as_mut() => return,
            () = stopped(&mut stop) => serving.as_mut().graceful_shutdown(),
        }
        // A client that breaks its connection is its own affair; the log would fill with it.
        let _ = serving.as_mut().await;
    };
    let _ = tokio::time::timeout(max_age, to_the_end).await;
}
