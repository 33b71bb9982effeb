//! Start, stop, crash, and updates that come twice.

use std::time::Duration;

use image2song_contract::ask::Receipt;
use image2song_contract::place::Platform;
use image2song_contract::supervise::End;
use image2song_fakes::telegram::fault::Fault;

use crate::world::{QUIET, SOON, World, jpeg};

#[tokio::test]
async fn a_graceful_stop_finishes_and_confirms() {
    let mut world = World::start().await;
    world.core.delay(Duration::from_millis(800));
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.telegram.wait_for("question", SOON, |telegram| telegram.downloads().first().cloned()).await;
    assert_eq!(world.stop().await, End::Stopped);
    assert_eq!(world.telegram.messages().len(), 1);
    assert_eq!(world.telegram.n_pending_updates(), 0);
    world.wait_until_closed(1).await;
    world.check();
}

#[tokio::test]
async fn a_crash_loses_nothing_and_doubles_nothing() {
    let mut world = World::start().await;
    world.core.delay(Duration::from_secs(60));
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "calm");
    world.telegram.wait_for("question", SOON, |telegram| telegram.downloads().first().cloned()).await;
    world.crash();
    assert!(world.telegram.messages().is_empty());
    world.core.delay(Duration::ZERO);
    world.run();
    assert!(world.message().await.text.contains("1. Song"));
    world.wait_until_closed(1).await;
    // A crash after the answer, before anything else: the update may come again, the answer not.
    world.crash();
    world.run();
    world.telegram.wait_until_confirmed(SOON).await;
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    assert_eq!(world.core.seen().asks.last().unwrap().2, "calm");
}

#[tokio::test]
async fn an_update_that_comes_twice_is_answered_once() {
    let world = World::start().await;
    world.telegram.fail("getUpdates", Fault::LoseAnswer);
    assert!(world.asked().await.text.contains("1. Song"));
    world.telegram.wait_until_confirmed(SOON).await;
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    assert_eq!(world.core.seen().asks.len(), 1);
}

#[tokio::test]
async fn receipts_of_another_version_are_closed() {
    let mut world = World::prepare().await;
    let note = "{\"Unknown\":1}".to_owned();
    world.core.leave_open(Receipt { platform: Platform::Telegram, key: "m:1:1".into(), note });
    world.run();
    world.wait_until_closed(1).await;
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
}

#[tokio::test]
async fn commands_are_set_once_and_in_every_language() {
    let mut world = World::start().await;
    let set = |telegram: &image2song_fakes::telegram::Telegram| telegram.commands("default", "ko");
    let korean = world.telegram.wait_for("commands", SOON, set).await;
    assert_eq!(korean.as_array().unwrap().len(), 5);
    assert_ne!(Some(korean), world.telegram.commands("default", ""));
    world.asked().await;
    let n_calls = world.telegram.calls("setMyCommands").len();
    assert_eq!(n_calls, 9);
    world.stop().await;
    world.run();
    world.asked().await;
    assert_eq!(world.telegram.calls("setMyCommands").len(), n_calls);
    world.check();
}

#[tokio::test]
async fn fifty_people_at_once_are_all_answered_once() {
    let world = World::start().await;
    world.core.delay(Duration::from_millis(50));
    let people: Vec<_> = (100..150).map(|id| image2song_fakes::telegram::people::User::new(id, "P")).collect();
    for person in &people {
        let chat = world.telegram.private(person);
        world.telegram.photo(chat, person, &jpeg(640, 480), "");
    }
    let mut chats: Vec<i64> = Vec::new();
    for _ in &people {
        chats.push(world.message().await.chat.0);
    }
    chats.sort_unstable();
    assert_eq!(chats, (100..150).collect::<Vec<i64>>());
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    world.check();
}
