//! Updates that Telegram sends instead of being asked.

use image2song_contract::supervise::End;
use image2song_telegram::config::{Mode, Secret};
use serde_json::json;

use crate::world::{QUIET, SOON, World, jpeg};

async fn world() -> World {
    let mut world = World::prepare().await;
    // The port is free now and taken a moment later; loopback has many.
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let listen = listener.local_addr().unwrap();
    drop(listener);
    let (url, secret) = (format!("http://{listen}/telegram/hook"), Secret::new("s3cret_-A"));
    world.config.mode = Mode::Webhook { listen, url, secret };
    world.run();
    world.telegram.wait_for("webhook", SOON, |telegram| telegram.webhook_url()).await;
    world
}

#[tokio::test]
async fn pushed_updates_are_answered() {
    let mut world = world().await;
    assert!(world.asked().await.text.contains("1. Song"));
    world.telegram.wait_until_confirmed(SOON).await;
    assert_eq!(world.telegram.webhook_answers(), [200]);
    assert!(world.telegram.allowed_updates().unwrap().contains("message_reaction"));
    assert_eq!(world.stop().await, End::Stopped);
    // What comes while the adapter is away is sent when it is back.
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.run();
    assert!(world.message().await.text.contains("1. Song"));
    world.check();
}

#[tokio::test]
async fn only_who_knows_the_secret_is_heard() {
    let world = world().await;
    let update = json!({ "update_id": 1, "message": {
        "message_id": 1, "date": 1, "text": "/help", "chat": { "id": 42, "type": "private" },
        "from": { "id": 42, "is_bot": false, "first_name": "Ada" },
    } });
    for secret in [None, Some(""), Some("s3cret_-B"), Some("s3cret_-AA")] {
        assert_eq!(world.telegram.forge_webhook(secret, &update).await, 401);
    }
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    assert_eq!(world.telegram.forge_webhook(Some("s3cret_-A"), &json!("nonsense")).await, 200);
    let counts = world.health.counts();
    assert!(counts.contains(&(("telegram-error", "webhook-secret"), 4)), "{counts:?}");
}

#[tokio::test]
async fn polling_takes_a_webhook_away() {
    let mut world = world().await;
    world.stop().await;
    world.config.mode = Mode::Poll;
    world.run();
    assert!(world.asked().await.text.contains("1. Song"));
    assert_eq!(world.telegram.webhook_url(), None);
}
