//! Buttons and reactions below an answer.

use image2song_contract::answer::Vote;
use image2song_contract::ask::Sign;
use image2song_contract::place::UserId;
use image2song_fakes::telegram::people::User;
use image2song_fakes::telegram::record::BotMessage;

use crate::world::{QUIET, SOON, World, jpeg};

fn votes(world: &World) -> Vec<(String, u8, Vote)> {
    world.core.seen().votes.iter().map(|((user, _, rank), vote)| (user.0.clone(), *rank, *vote)).collect()
}

#[tokio::test]
async fn votes_belong_to_who_presses() {
    let world = World::start().await;
    let group = world.telegram.supergroup("Friends");
    let bo = User::new(43, "Bo");
    world.telegram.photo(group, &world.ada, &jpeg(640, 480), "/songs@image2song_bot");
    let answer = world.message().await;
    assert!(world.press(&world.ada, &answer, "👍 2").await.starts_with("Thanks!"));
    assert!(world.press(&bo, &answer, "👎 2").await.starts_with("Thanks!"));
    assert_eq!(world.press(&bo, &answer, "👎 2").await, "Taken back.");
    assert_eq!(votes(&world), [("42".into(), 2, Vote::Up), ("43".into(), 2, Vote::None)]);
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    world.check();
}

#[tokio::test]
async fn more_songs_come_as_an_answer_of_their_own() {
    let world = World::start().await;
    let answer = world.asked().await;
    assert_eq!(world.press(&world.ada, &answer, "More").await, "");
    let more = world.message().await;
    assert_eq!(more.reply_to, Some(answer.id));
    assert!(more.text.starts_with("More songs for this photo:"), "{}", more.text);
    assert!(more.text.contains("Song <6>") && more.keyboard.len() == 3, "{}", more.text);
    world.wait_until_closed(2).await;
    assert_eq!(world.core.seen().posted.len(), 2);
    world.check();
}

#[tokio::test]
async fn the_explanation_is_a_picture_with_its_words() {
    let world = World::start().await;
    let answer = world.asked().await;
    world.press(&world.ada, &answer, "Why?").await;
    let why = world.message().await;
    assert_eq!((why.text.as_str(), why.reply_to), ("Why these songs\nbeach → surf", Some(answer.id)));
    assert!(why.photo.unwrap().starts_with(b"\x89PNG"));
    // The core may have forgotten the photo; then it is fetched once more.
    world.core.forget_photos(true);
    let n_before = world.telegram.downloads().len();
    world.press(&world.ada, &answer, "Why?").await;
    assert!(world.message().await.photo.is_some());
    assert_eq!(world.telegram.downloads().len(), n_before + 1);
    world.check();
}

#[tokio::test]
async fn a_photo_that_is_gone_is_explained_in_words() {
    use image2song_fakes::telegram::fault::Fault;
    let world = World::start().await;
    let answer = world.asked().await;
    world.core.forget_photos(true);
    world.telegram.fail_times(
        "getFile",
        2,
        &Fault::refuse(400, "Bad Request: wrong file_id or the file is temporarily unavailable"),
    );
    world.press(&world.ada, &answer, "Why?").await;
    let why = world.message().await;
    assert!(why.text.contains("in words: beach → surf, sand; "), "{}", why.text);
    world.check();
}

#[tokio::test]
async fn quick_votes_of_one_person_count_in_their_order() {
    let world = World::start().await;
    let answer = world.asked().await;
    for _ in 0..8 {
        let press = |button: &str| {
            let data = answer.button(button).data.clone().unwrap();
            world.telegram.press(answer.chat, &world.ada, answer.id, &data)
        };
        let queries = [press("👍 1"), press("👎 1")];
        for query in &queries {
            world.telegram.wait_for_answer(query, SOON).await;
        }
        assert_eq!(votes(&world), [("42".into(), 1, Vote::Down)]);
    }
    world.check();
}

#[tokio::test]
async fn where_pictures_are_forbidden_the_words_are_said() {
    use image2song_fakes::telegram::fault::Fault;
    let world = World::start().await;
    let answer = world.asked().await;
    world.telegram.fail("sendPhoto", Fault::refuse(400, "Bad Request: not enough rights to send photos to the chat"));
    world.press(&world.ada, &answer, "Why?").await;
    let why = world.message().await;
    assert_eq!((why.text.as_str(), why.photo), ("Why these songs\nbeach → surf", None));
}

#[tokio::test]
async fn who_asked_and_managers_may_delete() {
    let world = World::start().await;
    let group = world.telegram.supergroup("Friends");
    let (bo, chief) = (User::new(43, "Bo"), User::new(44, "Cy"));
    world.telegram.join(group, &bo, "member");
    world.telegram.join(group, &chief, "creator");
    let ask = || async {
        world.telegram.photo(group, &world.ada, &jpeg(640, 480), "/songs@image2song_bot");
        world.message().await
    };
    let is_deleted = |message: &BotMessage| world.telegram.message(group, message.id).unwrap().is_deleted;
    let answer = ask().await;
    assert_eq!(world.press(&bo, &answer, "Delete").await, "Only the person who asked may delete this.");
    assert!(!is_deleted(&answer));
    assert_eq!(world.press(&world.ada, &answer, "Delete").await, "Gone.");
    world.telegram.wait_for("deletion", SOON, |_| is_deleted(&answer).then_some(())).await;
    let answer = ask().await;
    world.press(&chief, &answer, "Delete").await;
    world.telegram.wait_for("deletion", SOON, |_| is_deleted(&answer).then_some(())).await;
    world.check();
}

#[tokio::test]
async fn an_answer_that_is_too_old_to_be_deleted_is_emptied() {
    use image2song_fakes::telegram::fault::Fault;
    let world = World::start().await;
    let answer = world.asked().await;
    let fault = Fault::refuse(400, "Bad Request: message can't be deleted for everyone");
    world.telegram.fail("deleteMessage", fault);
    world.press(&world.ada, &answer, "Delete").await;
    let emptied = |message: BotMessage| (message.n_edits == 1).then_some(message);
    let message = world
        .telegram
        .wait_for("edit", SOON, |telegram| telegram.message(world.chat, answer.id).and_then(emptied))
        .await;
    assert_eq!((message.text.as_str(), message.keyboard.len()), ("Gone.", 0));
}

#[tokio::test]
async fn old_and_forged_presses_do_no_harm() {
    let world = World::start().await;
    let answer = world.asked().await;
    let data = answer.button("👍 1").data.clone().unwrap();
    // Too late for a pop-up, not for the vote.
    world.telegram.press_long_ago(world.chat, &world.ada, answer.id, &data);
    world.telegram.wait_for("vote", SOON, |_| (votes(&world).len() == 1).then_some(())).await;
    let inaccessible = world.telegram.press_inaccessible(world.chat, &world.ada, answer.id, &data);
    let query = world.telegram.wait_for_answer(&inaccessible, SOON).await;
    assert_eq!(query.answer.as_deref(), Some("Taken back."));
    for forged in ["", "v1:up:aaaa:1", "v9:x", "set:songs:99", "prv:everything", "💥"] {
        let query = world.telegram.press(world.chat, &world.ada, answer.id, forged);
        let query = world.telegram.wait_for_answer(&query, SOON).await;
        assert!(query.answer.as_deref().unwrap().contains("too long ago") && query.is_alert, "{forged}: {query:?}");
    }
    assert_eq!(votes(&world).len(), 1);
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
}

#[tokio::test]
async fn buttons_work_after_a_restart() {
    let mut world = World::start().await;
    let answer = world.asked().await;
    world.stop().await;
    world.run();
    world.press(&world.ada, &answer, "👍 5").await;
    assert_eq!(votes(&world), [("42".into(), 5, Vote::Up)]);
}

#[tokio::test]
async fn reactions_count_as_they_come_and_go() {
    let world = World::start().await;
    let group = world.telegram.supergroup("Friends");
    world.telegram.photo(group, &world.ada, &jpeg(640, 480), "/songs@image2song_bot");
    let answer = world.message().await;
    // The core counts reactions below answers it knows of.
    world.wait_until_closed(1).await;
    assert!(!world.telegram.react(group, &world.ada, answer.id, &["👍"]), "the bot is no administrator yet");
    world.telegram.make_bot_admin(group);
    assert!(world.telegram.react(group, &world.ada, answer.id, &["❤"]));
    assert!(world.telegram.react(group, &world.ada, answer.id, &["👎🏿", "🤔"]));
    assert!(world.telegram.react(group, &world.ada, answer.id, &[]));
    world.wait_until_closed(3).await;
    let reactions: Vec<(Sign, bool)> =
        world.core.seen().reactions.iter().map(|(_, sign, is_added)| (*sign, *is_added)).collect();
    // A thumb became a heart, which says the same: nothing to count.
    assert_eq!(reactions, [(Sign::Up, false), (Sign::Down, true), (Sign::Down, false)]);
    assert!(!world.telegram.count_reactions(group, answer.id, "👍", 3), "counts were not asked for");
    world.check();
}

#[tokio::test]
async fn privacy_is_shown_changed_exported_and_erased() {
    let world = World::start().await;
    let answer = world.asked().await;
    world.press(&world.ada, &answer, "👍 1").await;
    world.telegram.command(world.chat, &world.ada, "/privacy");
    let privacy = world.message().await;
    assert!(privacy.text.contains("One record is stored"), "{}", privacy.text);
    assert_eq!(world.press(&world.ada, &privacy, "Keep nothing").await, "Saved.");
    let shows = |part: &'static str| {
        let telegram = &world.telegram;
        let (chat, id) = (world.chat, privacy.id);
        telegram.wait_for("edit", SOON, move |telegram| {
            telegram.message(chat, id).filter(|message| message.text.contains(part))
        })
    };
    shows("You allow: nothing").await;
    // Once more changes nothing, which is no error.
    assert_eq!(world.press(&world.ada, &privacy, "Keep nothing").await, "Saved.");
    assert_eq!(world.press(&world.ada, &privacy, "As this place allows").await, "Saved.");
    shows("You allow: whatever this place allows").await;
    assert_eq!(world.press(&world.ada, &privacy, "Show my data").await, "Here is all that is stored about you.");
    let (name, json) = world.message().await.document.unwrap();
    assert_eq!((name.as_str(), &json[..]), ("image2song.json", &b"{\"events\":[]}"[..]));
    assert!(world.press(&world.ada, &privacy, "Delete my data").await.starts_with("One record deleted"));
    shows("Nothing is stored").await;
    assert_eq!(world.core.seen().erased, [UserId("42".into())]);
    world.check();
}

#[tokio::test]
async fn in_groups_nothing_about_a_person_is_shown() {
    let world = World::start().await;
    let group = world.telegram.supergroup("Friends");
    world.telegram.command(group, &world.ada, "/privacy@image2song_bot");
    let privacy = world.message().await;
    assert!(!privacy.text.contains("stored about you"), "{}", privacy.text);
    let link = privacy.button("Your privacy").url.clone();
    assert_eq!(link.as_deref(), Some("https://t.me/image2song_bot?start=privacy"));
    assert_eq!(world.press(&User::new(43, "Bo"), &privacy, "Only counts").await, "Saved.");
    world.telegram.command(world.chat, &world.ada, "/start privacy");
    assert!(world.message().await.text.contains("Nothing is stored about you"));
    world.check();
}
