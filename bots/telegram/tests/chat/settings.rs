//! `/settings` in groups.

use image2song_fakes::telegram::incoming::Incoming;
use image2song_fakes::telegram::people::{ChatId, User};
use image2song_fakes::telegram::record::BotMessage;

use crate::world::{QUIET, SOON, World, jpeg};

async fn group(world: &World) -> (ChatId, User, User) {
    let group = world.telegram.supergroup("Friends");
    let (chief, bo) = (User::new(44, "Cy"), User::new(43, "Bo"));
    world.telegram.join(group, &chief, "administrator");
    world.telegram.join(group, &bo, "member");
    (group, chief, bo)
}

/// Waits until a message has a button with a text.
async fn with_button(world: &World, message: &BotMessage, part: &str) -> BotMessage {
    let has = |message: &BotMessage| message.buttons().any(|button| button.text.contains(part));
    world.telegram.wait_for(part, SOON, |telegram| telegram.message(message.chat, message.id).filter(has)).await
}

#[tokio::test]
async fn managers_change_settings_and_others_do_not() {
    let world = World::start().await;
    let (group, chief, bo) = group(&world).await;
    world.telegram.command(group, &bo, "/settings@image2song_bot");
    assert_eq!(world.message().await.text, "Only people who manage this place may do that.");
    world.telegram.command(group, &chief, "/settings@image2song_bot");
    let menu = world.message().await;
    assert!(menu.button("Songs per answer: 5").data.is_some());
    assert_eq!(world.press(&bo, &menu, "Songs").await, "Only people who manage this place may do that.");
    assert_eq!(world.press(&chief, &menu, "Songs").await, "");
    let menu = with_button(&world, &menu, "←").await;
    assert_eq!(world.press(&chief, &menu, "3").await, "Saved.");
    let menu = with_button(&world, &menu, "Songs per answer: 3").await;
    world.press(&chief, &menu, "Language").await;
    let menu = with_button(&world, &menu, "Deutsch").await;
    world.press(&chief, &menu, "Deutsch").await;
    let menu = with_button(&world, &menu, ": Deutsch").await;
    assert_eq!(menu.buttons().count(), 11);
    // Everybody may change it from now on.
    let is_changers = |data: &&String| data.starts_with("set:changers:");
    let changers = menu.buttons().filter_map(|button| button.data.as_ref()).find(is_changers).unwrap().clone();
    let query = world.telegram.press(group, &chief, menu.id, &changers);
    world.telegram.wait_for_answer(&query, SOON).await;
    let query = world.telegram.press(group, &bo, menu.id, "set:songs:1");
    world.telegram.wait_for_answer(&query, SOON).await;
    with_button(&world, &menu, ": 1").await;
    world.check();
}

#[tokio::test]
async fn songs_may_be_of_some_languages_only() {
    let world = World::start().await;
    world.telegram.command(world.chat, &world.ada, "/settings");
    let menu = world.message().await;
    world.press(&world.ada, &menu, "Language of the songs: any").await;
    let menu = with_button(&world, &menu, "Français").await;
    assert_eq!(world.press(&world.ada, &menu, "Français").await, "Saved.");
    let menu = with_button(&world, &menu, "✓ Français").await;
    assert_eq!(world.press(&world.ada, &menu, "Deutsch").await, "Saved.");
    let menu = with_button(&world, &menu, "✓ Deutsch").await;
    assert_eq!(world.press(&world.ada, &menu, "✓ Français").await, "Saved.");
    world.press(&world.ada, &menu, "←").await;
    with_button(&world, &menu, "Language of the songs: de").await;
    world.check();
}

#[tokio::test]
async fn an_administrator_who_hides_may_change_settings() {
    let world = World::start().await;
    let (group, chief, _) = group(&world).await;
    world.telegram.post(group, &chief, &Incoming::text("/settings@image2song_bot").anonymously());
    let menu = world.message().await;
    // A press shows who it is.
    assert_eq!(world.press(&chief, &menu, "Explicit songs: off").await, "Saved.");
    with_button(&world, &menu, "Explicit songs: on").await;
    world.check();
}

#[tokio::test]
async fn a_channel_can_be_quiet_or_answer_every_photo() {
    let world = World::start().await;
    let (group, chief, bo) = group(&world).await;
    world.telegram.let_bot_read_all();
    let forum = world.telegram.forum("Forum", &[17]);
    world.telegram.join(forum, &chief, "creator");
    world.telegram.post(forum, &chief, &Incoming::text("/settings@image2song_bot").topic(17));
    let menu = world.message().await;
    assert_eq!(world.press(&chief, &menu, "Answer every photo here: off").await, "Saved.");
    let photo = Incoming::photo(&jpeg(640, 480));
    let posted = world.telegram.post(forum, &bo, &photo.clone().topic(17));
    assert_eq!(world.message().await.reply_to, Some(posted.id));
    world.telegram.post(forum, &bo, &photo);
    world.telegram.photo(group, &bo, &jpeg(640, 480), "");
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    let menu = world.telegram.message(forum, menu.id).unwrap();
    assert_eq!(world.press(&chief, &menu, "In this channel: I answer").await, "Saved.");
    world.telegram.post(forum, &bo, &photo.clone().topic(17));
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    // Who asks is told.
    world.telegram.post(forum, &bo, &photo.caption("/songs@image2song_bot").topic(17));
    assert!(world.message().await.text.contains("switched off"));
    world.check();
}

#[tokio::test]
async fn in_private_only_settings_that_mean_something_are_shown() {
    let world = World::start().await;
    world.telegram.command(world.chat, &world.ada, "/settings");
    let menu = world.message().await;
    assert_eq!(menu.buttons().count(), 6);
    world.press(&world.ada, &menu, "What is kept").await;
    let menu = with_button(&world, &menu, "for training").await;
    assert_eq!(world.press(&world.ada, &menu, "for training").await, "Saved.");
    world.check();
}
