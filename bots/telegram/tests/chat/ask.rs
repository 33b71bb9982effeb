//! Questions in a private chat.

use std::time::Duration;

use image2song_contract::answer::{PhotoFault, Refusal};
use image2song_fakes::telegram::fault::Fault;
use image2song_fakes::telegram::incoming::Incoming;
use image2song_fakes::telegram::people::User;

use crate::world::{QUIET, SOON, World, jpeg};

#[tokio::test]
async fn a_photo_is_answered_with_five_songs() {
    let world = World::start().await;
    world.core.delay(Duration::from_millis(300));
    let posted = world.telegram.photo(world.chat, &world.ada, &jpeg(1280, 960), "rainy, in French");
    let answer = world.message().await;
    assert_eq!((answer.chat, answer.reply_to), (world.chat, Some(posted.id)));
    assert!(answer.text.starts_with("I see beach, sea. These songs fit:"), "{}", answer.text);
    for number in 1..=5 {
        assert!(answer.text.contains(&format!("{number}. Song <{number}> & *Sand* @everyone · The Fakes, 1999")));
    }
    assert!(answer.text.contains("beach → surf, sand"), "{}", answer.text);
    assert_eq!((answer.links.len(), answer.links[0].as_str()), (20, "https://example.org/Spotify?q=%220%22"));
    let rows: Vec<usize> = answer.keyboard.iter().map(Vec::len).collect();
    assert_eq!(rows, [5, 5, 3]);
    world.wait_until_closed(1).await;
    {
        let seen = world.core.seen();
        assert_eq!(seen.asks, [(1, jpeg(1280, 960).len(), "rainy, in French".to_owned())]);
        assert_eq!(seen.posted.len(), 1);
    }
    let typing = &world.telegram.calls("sendChatAction")[0];
    assert!(typing.at < world.telegram.calls("sendMessage")[0].at);
    // The photo has copies of 90, 320, 800 and 1280 pixels; 800 × 600 is the smallest with 256 on its short side.
    assert_eq!(world.telegram.downloads().len(), 1);
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    for poll in world.telegram.calls("getUpdates") {
        assert_eq!(poll.params["allowed_updates"].as_array().unwrap().len(), 4);
    }
    world.check();
}

#[tokio::test]
async fn the_copy_is_chosen_by_area() {
    let world = World::start().await;
    let photo = Incoming::photo(&jpeg(1280, 960)).largest_first();
    world.telegram.post(world.chat, &world.ada, &photo);
    world.message().await;
    let fetched = &world.telegram.downloads()[0];
    // Files are numbered in the order of their size.
    assert!(fetched.raw_path.ends_with("file_3"), "{fetched:?}");
}

#[tokio::test]
async fn typing_is_kept_alive_and_ends_with_the_answer() {
    let world = World::start().await;
    world.core.delay(Duration::from_millis(4500));
    world.asked().await;
    let n_actions = world.telegram.calls("sendChatAction").len();
    assert!(n_actions >= 2, "{n_actions}");
    assert!(world.telegram.messages_within(Duration::from_secs(5)).await.is_empty());
    assert_eq!(world.telegram.calls("sendChatAction").len(), n_actions);
}

#[tokio::test]
async fn commands_may_be_captions_or_replies() {
    let world = World::start().await;
    world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "/songs calm");
    assert!(world.message().await.text.contains("5. Song"));
    let photo = world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.message().await;
    world.telegram.reply_with_command(world.chat, &world.ada, photo.id, "/songs@image2song_bot rainy");
    world.message().await;
    // In private the words alone are enough.
    world.telegram.reply_with_command(world.chat, &world.ada, photo.id, "in French");
    world.message().await;
    let hints: Vec<String> = world.core.seen().asks.iter().map(|(_, _, hint)| hint.clone()).collect();
    assert_eq!(hints, ["calm", "", "rainy", "in French"]);
    world.check();
}

#[tokio::test]
async fn photos_may_be_files_and_other_things_are_told_apart() {
    let world = World::start().await;
    let (telegram, world_ref) = (&world.telegram, &world);
    let said = |part: &'static str| async move {
        let message = world_ref.message().await;
        assert!(message.text.contains(part), "{}", message.text);
    };
    telegram.document(world.chat, &world.ada, "a.jpg", "image/jpeg", &jpeg(640, 480));
    said("1. Song").await;
    telegram.post(world.chat, &world.ada, &Incoming::document("a.HEIC", "x/y", b"\0\0\0 ftypheic").without_type());
    said("1. Song").await;
    let n_asks = world.core.seen().asks.len();
    telegram.post(world.chat, &world.ada, &Incoming::document("a.png", "image/png", b"x").of_size(21 << 20));
    said("too large").await;
    telegram.document(world.chat, &world.ada, "a.pdf", "application/pdf", b"x");
    said("no photo I can open").await;
    telegram.command(world.chat, &world.ada, "hello");
    said("Send me a photo").await;
    telegram.command(world.chat, &world.ada, "/songs");
    said("Send me a photo").await;
    assert_eq!(world.core.seen().asks.len(), n_asks);
    assert_eq!(world.telegram.calls("getFile").len(), 2);
    world.check();
}

#[tokio::test]
async fn the_words_of_the_bot_are_in_the_persons_language() {
    let world = World::start().await;
    let carl = User::with_language(43, "Carl", "de-AT");
    let chat = world.telegram.private(&carl);
    world.telegram.photo(chat, &carl, &jpeg(640, 480), "");
    let answer = world.message().await;
    assert!(answer.text.contains("beach"), "{}", answer.text);
    assert!(!answer.text.contains("I see"), "{}", answer.text);
    for (command, part) in [("/help", "/songs"), ("/start", "/songs"), ("/about", "1.2.3"), ("/nonsense", "/songs")] {
        world.telegram.command(chat, &carl, command);
        let message = world.message().await;
        assert!(message.text.contains(part), "{command}: {}", message.text);
    }
    world.check();
}

#[tokio::test]
async fn each_refusal_has_its_sentence() {
    let world = World::start().await;
    for (refusal, part) in [
        (Refusal::Busy { retry_after: Duration::from_secs(4) }, "in 4 seconds"),
        (Refusal::BadPhoto(PhotoFault::Damaged), "incomplete"),
        (Refusal::BadPhoto(PhotoFault::UnknownFormat), "JPEG"),
        (Refusal::NothingFits, "No song fits"),
        (Refusal::Internal { id: "a7".into() }, "(a7)"),
    ] {
        world.core.refuse(Some(refusal));
        let message = world.asked().await;
        assert!(message.text.contains(part), "{}", message.text);
    }
    world.wait_until_closed(5).await;
    world.check();
}

#[tokio::test]
async fn a_photo_under_a_cover_is_not_given_away() {
    let world = World::start().await;
    world.telegram.post(world.chat, &world.ada, &Incoming::photo(&jpeg(640, 480)).with_spoiler());
    let answer = world.message().await;
    assert!(answer.source.contains("<tg-spoiler>I see beach, sea."), "{}", answer.source);
    assert!(answer.source.contains("<tg-spoiler>beach → surf, sand</tg-spoiler>"), "{}", answer.source);
}

#[tokio::test]
async fn a_file_that_is_gone_or_a_server_that_fails_once_is_asked_again() {
    let world = World::start().await;
    world.telegram.fail("download", Fault::refuse(404, "Not Found"));
    assert!(world.asked().await.text.contains("1. Song"));
    world.telegram.fail("download", Fault::Cut);
    assert!(world.asked().await.text.contains("1. Song"));
    world.telegram.fail_times("download", 2, &Fault::BadGateway);
    assert!(world.asked().await.text.contains("could not download"));
    let lost = "Bad Request: wrong file_id or the file is temporarily unavailable";
    world.telegram.fail("getFile", Fault::refuse(400, lost));
    assert!(world.asked().await.text.contains("could not download"));
    world.telegram.wait_until_confirmed(SOON).await;
    world.check();
}
