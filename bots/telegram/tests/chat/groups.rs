//! Groups: what is for the bot, topics, people who hide, and groups that change.

use image2song_contract::place::CommunityId;
use image2song_fakes::telegram::incoming::Incoming;
use image2song_fakes::telegram::people::User;

use crate::world::{QUIET, World, jpeg};

#[tokio::test]
async fn in_groups_the_bot_answers_who_asks() {
    let world = World::start().await;
    let telegram = &world.telegram;
    let group = telegram.supergroup("Friends");
    let photo = jpeg(640, 480);
    let plain = telegram.photo(group, &world.ada, &photo, "");
    assert!(!plain.is_delivered);
    let captioned = telegram.photo(group, &world.ada, &photo, "/songs@image2song_bot calm");
    assert_eq!(world.message().await.reply_to, Some(captioned.id));
    // The bot never saw this photo; it comes with the reply.
    let reply = telegram.reply_with_command(group, &world.ada, plain.id, "/songs");
    let answer = world.message().await;
    assert_eq!(answer.reply_to, Some(reply.id));
    let to_answer = telegram.post(group, &world.ada, &Incoming::photo(&photo).reply_to(answer.id));
    assert_eq!(world.message().await.reply_to, Some(to_answer.id));
    telegram.photo(group, &world.ada, &photo, "/songs@other_bot");
    telegram.command(group, &world.ada, "thanks");
    telegram.reply_with_command(group, &world.ada, answer.id, "thanks");
    assert!(telegram.messages_within(QUIET).await.is_empty());
    telegram.command(group, &world.ada, "/songs");
    assert!(world.message().await.text.contains("Send me a photo"));
    telegram.command(group, &world.ada, "/help");
    assert!(world.message().await.text.contains("In groups I only see commands"));
    world.check();
}

#[tokio::test]
async fn mentions_count_where_they_arrive() {
    let world = World::start().await;
    world.telegram.let_bot_read_all();
    let group = world.telegram.supergroup("Friends");
    let photo = jpeg(640, 480);
    world.telegram.photo(group, &world.ada, &photo, "@Image2Song_Bot calm");
    world.message().await;
    let plain = world.telegram.photo(group, &world.ada, &photo, "no question");
    world.telegram.reply_with_command(group, &world.ada, plain.id, "what about this @image2song_bot");
    world.message().await;
    world.telegram.command(group, &world.ada, "hello all");
    assert!(world.telegram.messages_within(QUIET).await.is_empty());
    let hints: Vec<String> = world.core.seen().asks.iter().map(|(_, _, hint)| hint.clone()).collect();
    assert_eq!(hints, ["calm", "what about this"]);
    world.check();
}

#[tokio::test]
async fn nobody_else_is_answered() {
    let world = World::start().await;
    let telegram = &world.telegram;
    telegram.let_bot_read_all();
    let group = telegram.supergroup("Friends");
    let (channel, bot) = (telegram.channel("News"), User::bot(77, "gallery_bot"));
    let photo = Incoming::photo(&jpeg(640, 480)).caption("/songs@image2song_bot");
    telegram.post(group, &world.ada, &photo.clone().via_bot(&bot));
    telegram.post(group, &world.ada, &photo.clone().forwarded_by_channel());
    telegram.channel_post(channel, &photo);
    let sent = telegram.post(group, &bot, &photo);
    assert!(!sent.is_delivered);
    let edited = telegram.photo(group, &world.ada, &jpeg(640, 480), "");
    telegram.edited(group, edited.id, "/songs@image2song_bot");
    assert!(telegram.messages_within(QUIET).await.is_empty());
    assert!(world.core.seen().asks.is_empty());
    // Somebody may ask about a photo of another bot.
    telegram.reply_with_command(group, &world.ada, sent.id, "/songs@image2song_bot");
    world.message().await;
    world.check();
}

#[tokio::test]
async fn topics_are_answered_in_their_topic() {
    let world = World::start().await;
    let forum = world.telegram.forum("Forum", &[17, 18]);
    let photo = Incoming::photo(&jpeg(640, 480)).caption("/songs@image2song_bot");
    let posted = world.telegram.post(forum, &world.ada, &photo.clone().topic(17));
    let answer = world.message().await;
    assert_eq!((answer.reply_to, answer.topic), (Some(posted.id), Some(17)));
    // The general topic has no number that may be named.
    world.telegram.post(forum, &world.ada, &photo);
    assert_eq!(world.message().await.topic, None);
    world.telegram.close_topic(forum, 18);
    world.telegram.post(forum, &world.ada, &photo.topic(18));
    world.wait_until_closed(3).await;
    world.press(&world.ada, &answer, "More").await;
    assert_eq!(world.message().await.topic, Some(17));
    world.check();
}

#[tokio::test]
async fn a_message_that_has_gone_is_answered_all_the_same() {
    let world = World::start().await;
    world.core.delay(std::time::Duration::from_millis(600));
    let posted = world.telegram.photo(world.chat, &world.ada, &jpeg(640, 480), "");
    world.telegram.delete(world.chat, posted.id);
    assert_eq!(world.message().await.reply_to, None);
}

#[tokio::test]
async fn a_group_that_moves_takes_its_settings_along() {
    let world = World::start().await;
    let old = world.telegram.group("Friends");
    let new = world.telegram.migrate(old);
    let expected = (CommunityId(old.0.to_string()), CommunityId(new.0.to_string()));
    world.wait_until_closed(1).await;
    assert_eq!(world.core.seen().moved, [expected]);
}

#[tokio::test]
async fn an_answer_follows_the_group_to_its_new_place() {
    let world = World::start().await;
    let old = world.telegram.group("Friends");
    world.core.delay(std::time::Duration::from_millis(800));
    world.telegram.photo(old, &world.ada, &jpeg(640, 480), "/songs@image2song_bot");
    world.telegram.wait_for("question", crate::world::SOON, |t| t.downloads().first().cloned()).await;
    let new = world.telegram.migrate(old);
    let answer = world.message().await;
    assert_eq!((answer.chat, answer.reply_to), (new, None));
    // The question, and the move that was told as well.
    world.wait_until_closed(2).await;
    assert!(world.core.seen().posted.keys().all(|message| message.0 == format!("{}:{}", new.0, answer.id)));
}

#[tokio::test]
async fn the_bot_says_how_to_ask_when_it_is_added_and_forgets_when_it_is_removed() {
    let world = World::start().await;
    let group = world.telegram.supergroup("Friends");
    world.telegram.add_bot(group, &world.ada);
    assert!(world.message().await.text.contains("In groups I only see commands"));
    world.telegram.kick_bot(group, &world.ada);
    world.wait_until_closed(2).await;
    assert_eq!(world.core.seen().left, [CommunityId(group.0.to_string())]);
}
