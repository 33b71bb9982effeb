//! What goes wrong at Telegram, on the way, and in the core.

use std::time::Duration;

use image2song_contract::doctor::Finding;
use image2song_contract::health::State;
use image2song_contract::supervise::End;
use image2song_fakes::telegram::fault::Fault;
use image2song_fakes::telegram::people::User;
use image2song_telegram::config::Secret;
use image2song_telegram::doctor;
use serde_json::json;

use crate::world::{QUIET, SOON, World, jpeg};

#[tokio::test]
async fn a_flooded_chat_waits_and_the_others_do_not() {
    let world = World::start().await;
    let bo = User::new(43, "Bo");
    let other = world.telegram.private(&bo);
    world.core.delay(Duration::from_millis(300));
    world.telegram.fail("sendMessage", Fault::TooManyRequests { retry_after: 3 });
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.telegram.wait_for("flood", SOON, |telegram| telegram.calls("sendMessage").first().cloned()).await;
    // Both the waiting answer and a later one of that chat keep still; "typing" as well.
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.telegram.photo(other, &bo, &jpeg(640, 480), "");
    assert_eq!(world.message().await.chat, other);
    assert_eq!(world.message().await.chat, world.chat);
    assert_eq!(world.message().await.chat, world.chat);
    world.wait_until_closed(3).await;
    world.check();
}

#[tokio::test]
async fn who_blocked_the_bot_is_left_alone_until_they_return() {
    let world = World::start().await;
    world.telegram.refuse_in(world.chat, 403, "Forbidden: bot was blocked by the user");
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.wait_until_closed(1).await;
    assert_eq!(world.telegram.calls("sendMessage").len(), 1);
    world.telegram.accept_in(world.chat);
    assert!(world.asked().await.text.contains("1. Song"));
}

#[tokio::test]
async fn tags_that_telegram_cannot_read_are_left_out() {
    let world = World::start().await;
    let fault = "Bad Request: can't parse entities: Unsupported start tag \"3\" at byte offset 2";
    world.telegram.fail("sendMessage", Fault::refuse(400, fault));
    let answer = world.asked().await;
    assert_eq!((answer.parse_mode, answer.keyboard.len()), (None, 3));
    assert!(answer.source.contains("Song <1> & *Sand*"), "{}", answer.source);
}

#[tokio::test]
async fn broken_connections_and_slow_servers_are_survived() {
    let world = World::start().await;
    world.telegram.fail("sendMessage", Fault::Cut);
    assert!(world.asked().await.text.contains("1. Song"));
    world.telegram.fail("sendChatAction", Fault::Cut);
    world.telegram.fail("getFile", Fault::Cut);
    world.telegram.fail("getUpdates", Fault::Cut);
    world.telegram.fail("download", Fault::Slow(Duration::from_millis(500)));
    assert!(world.asked().await.text.contains("1. Song"));
    assert_eq!(world.telegram.messages().len(), 2);
    world.check();
}

#[tokio::test]
async fn a_gateway_that_fails_is_outlived() {
    let world = World::start().await;
    world.telegram.fail("sendMessage", Fault::BadGateway);
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    let answer = world.message().await;
    assert!(answer.text.contains("1. Song"));
    assert_eq!(world.telegram.calls("sendMessage").len(), 2);
}

#[tokio::test]
async fn kinds_of_updates_are_asked_for_again_after_a_failed_first_poll() {
    let mut world = World::prepare().await;
    world.telegram.fail("getUpdates", Fault::refuse(500, "Internal Server Error: try again"));
    world.telegram.fail("getUpdates", Fault::Cut);
    world.run();
    let asked = |telegram: &image2song_fakes::telegram::Telegram| telegram.allowed_updates();
    let kinds = world.telegram.wait_for("kinds", SOON, asked).await;
    assert!(kinds.contains("message_reaction"), "{kinds:?}");
}

#[tokio::test]
async fn a_panic_stops_nobody_else() {
    let world = World::start().await;
    world.core.panic_once();
    let apology = world.asked().await;
    assert!(apology.text.contains("Something went wrong on my side"), "{}", apology.text);
    assert!(world.asked().await.text.contains("1. Song"));
    world.wait_until_closed(2).await;
    assert_eq!((world.health.n_panics(), world.health.n_restarts()), (1, 0));
    assert_eq!(world.health.state(), State::Up);
}

#[tokio::test]
async fn updates_that_nobody_can_read_are_passed_over() {
    let world = World::start().await;
    let chat = json!({ "id": 42, "type": "private" });
    world.telegram.raw_update(json!({ "brand_new_kind": { "secret": 1 } }));
    world.telegram.raw_update(json!({ "message": { "message_id": "seven" } }));
    // The library panics at a reaction of nobody.
    world.telegram.raw_update(json!({ "message_reaction": {
        "chat": chat, "message_id": 1, "date": 1, "old_reaction": [], "new_reaction": [],
    } }));
    assert!(world.asked().await.text.contains("1. Song"));
    world.telegram.wait_until_confirmed(SOON).await;
    let counts = world.health.counts();
    assert!(counts.contains(&(("telegram-error", "unreadable"), 3)), "{counts:?}");
    assert_eq!(world.health.n_restarts(), 0);
}

#[tokio::test]
async fn a_second_instance_makes_the_first_give_up_with_advice() {
    let mut world = World::start().await;
    world.telegram.fail_times("getUpdates", 5, &Fault::conflict());
    let End::Hopeless(advice) = world.end().await else { panic!("it must end") };
    assert!(advice.contains("another program polls"), "{advice}");
    assert_eq!(world.health.state(), State::Stopped);
}

#[tokio::test]
async fn a_wrong_token_ends_with_advice() {
    let mut world = World::prepare().await;
    world.config.token = Secret::new("110201543:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    world.run();
    let End::Hopeless(advice) = world.end().await else { panic!("it must end") };
    assert!(advice.contains("refuses the token"), "{advice}");
    world.config.token = Secret::new("nonsense");
    world.run();
    let End::Hopeless(advice) = world.end().await else { panic!("it must end") };
    assert!(advice.contains("not of the form"), "{advice}");
}

#[tokio::test]
async fn an_unknown_place_or_a_missing_right_is_not_tried_again() {
    let world = World::start().await;
    let right = "Bad Request: not enough rights to send text messages to the chat";
    world.telegram.refuse_in(world.chat, 400, right);
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.wait_until_closed(1).await;
    assert_eq!(world.telegram.calls("sendMessage").len(), 1);
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
}

#[tokio::test]
async fn the_doctor_says_what_to_mend() {
    let mut world = World::prepare().await;
    let findings = doctor::examine(&world.config).await;
    assert_eq!(findings[0], Finding::Good("Telegram knows the bot as @image2song_bot".into()));
    assert!(matches!(&findings[1], Finding::Advice(advice) if advice.contains("/setprivacy")), "{findings:?}");
    world.config.token = Secret::new("110201543:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let findings = doctor::examine(&world.config).await;
    assert!(matches!(&findings[..], [Finding::Bad(advice)] if advice.contains("token")), "{findings:?}");
}
