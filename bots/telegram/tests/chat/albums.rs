//! Photos sent together are one question.

use std::time::Duration;

use image2song_fakes::telegram::incoming::Incoming;

use crate::world::{QUIET, World, jpeg};

#[tokio::test]
async fn an_album_is_answered_once() {
    let world = World::start().await;
    let photo = jpeg(640, 480);
    let posted = world.telegram.album(world.chat, &world.ada, &[&photo, &photo, &photo, &photo], "calm");
    let answer = world.message().await;
    assert_eq!(answer.reply_to, Some(posted[0].id));
    assert!(answer.text.contains("your 3 photos together"), "{}", answer.text);
    assert!(answer.text.contains("One more photo was left out; I take 3 at a time."), "{}", answer.text);
    // Four members and the album itself.
    world.wait_until_closed(5).await;
    assert_eq!(world.core.seen().asks, [(3, 3 * photo.len(), "calm".to_owned())]);
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    world.check();
}

#[tokio::test]
async fn stragglers_are_not_answered_again_even_after_a_restart() {
    let mut world = World::start().await;
    let member = Incoming::photo(&jpeg(640, 480)).album("777");
    world.telegram.post(world.chat, &world.ada, &member);
    world.message().await;
    world.telegram.post(world.chat, &world.ada, &member);
    world.wait_until_closed(3).await;
    world.stop().await;
    world.run();
    world.telegram.post(world.chat, &world.ada, &member);
    world.wait_until_closed(4).await;
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    assert_eq!(world.core.seen().asks.len(), 1);
}

#[tokio::test]
async fn an_album_survives_a_crash() {
    let mut world = World::start().await;
    let photo = jpeg(640, 480);
    world.core.delay(Duration::from_secs(60));
    world.telegram.album(world.chat, &world.ada, &[&photo, &photo], "");
    // The crash comes while the core works on the album.
    world
        .telegram
        .wait_for("album", crate::world::SOON, |_| (world.core.seen().receipts.len() == 3).then_some(()))
        .await;
    world.crash();
    world.core.delay(Duration::ZERO);
    world.run();
    assert!(world.message().await.text.contains("2 photos together"));
    world.wait_until_closed(3).await;
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
}

#[tokio::test]
async fn photos_that_cannot_be_fetched_are_named() {
    let world = World::start().await;
    let (good, bad) = (jpeg(640, 480), jpeg(641, 481));
    let large = Incoming::document("large.png", "image/png", &bad).of_size(30 << 20).album("9");
    world.telegram.post(world.chat, &world.ada, &large);
    world.telegram.post(world.chat, &world.ada, &Incoming::document("good.png", "image/png", &good).album("9"));
    let answer = world.message().await;
    assert!(answer.text.contains("large.png: This photo is too large"), "{}", answer.text);
    assert!(answer.text.contains("good.png: beach, sea"), "{}", answer.text);
}
