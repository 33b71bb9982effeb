//! Nothing secret and nothing of a person in any log, at the finest level, on good paths and bad ones.

use image2song_contract::answer::Refusal;
use image2song_fakes::telegram::fault::Fault;
use image2song_telegram::config::Secret;
use serde_json::json;

use crate::world::{LOG, SOON, World, jpeg};

#[tokio::test]
async fn logs_tell_nothing_of_tokens_and_people() {
    let mut world = World::start().await;
    let caption = "a-very-private-caption";
    let ask = |world: &World| world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), caption);
    for method in ["sendMessage", "getFile", "download", "getUpdates", "answerCallbackQuery", "sendChatAction"] {
        for fault in [Fault::Cut, Fault::LoseAnswer, Fault::refuse(400, "Bad Request: PHOTO_INVALID")] {
            world.telegram.fail(method, fault);
        }
    }
    for _ in 0..4 {
        ask(&world);
    }
    world.telegram.raw_update(json!({ "message": { "text": caption } }));
    world.core.refuse(Some(Refusal::Internal { id: "a1".into() }));
    ask(&world);
    world.telegram.wait_until_confirmed(SOON).await;
    world.core.refuse(None);
    world.core.panic_once();
    ask(&world);
    world.telegram.wait_for("panic", SOON, |_| (world.health.n_panics() > 0).then_some(())).await;
    let answered = |telegram: &image2song_fakes::telegram::Telegram| {
        telegram.messages().into_iter().find(|message| !message.keyboard.is_empty())
    };
    ask(&world);
    let answer = world.telegram.wait_for("answer", SOON, answered).await;
    let data = answer.button("👍 1").data.clone().unwrap();
    world.telegram.press(world.chat, &world.ada, answer.id, &data);
    world.telegram.wait_for("vote", SOON, |_| (!world.core.seen().votes.is_empty()).then_some(())).await;
    world.stop().await;
    world.config.api_url = "http://127.0.0.1:1".to_owned();
    world.run();
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    world.stop().await;
    world.config.token = Secret::new("110201543:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    world.config.api_url = world.telegram.url();
    world.run();
    world.end().await;
    let log = LOG.text();
    assert!(log.contains("Telegram answers") && log.contains("a handler panicked"), "the log is kept");
    let key = world.telegram.token().split_once(':').unwrap().1;
    let file = &world.telegram.downloads()[0].file_id;
    for secret in [key, "AAAAAAAAAAAAAAAAAA", caption, "Ada-Private-Name", file.as_str(), "bot110201543"] {
        let found = log.lines().find(|line| line.contains(secret));
        assert_eq!(found, None, "{secret}");
    }
}
