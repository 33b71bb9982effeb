//! Buttons and reactions.

use image2song_contract::answer::Vote;
use image2song_contract::ask::Sign;
use image2song_contract::locale::Locale;
use image2song_contract::place::MessageId;
use image2song_fakes::discord::post::{MANAGE_GUILD, MEMBER};
use image2song_fakes::discord::record::{Act, Call};

use crate::chat::{Chat, check_songs, songs};

#[tokio::test]
async fn votes_count_and_are_thanked_for_in_private() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let thanks = chat.press(&answer, ann, "👍 2").await;
    assert_eq!((thanks.text, thanks.is_ephemeral), (Locale::En.say("voted-off"), true));
    assert_eq!(chat.core.seen().votes.values().collect::<Vec<_>>(), [&Vote::Up]);
    let taken_back = chat.press(&answer, ann, "👍 2").await;
    assert_eq!(taken_back.text, Locale::En.say("voted-none"));
    chat.press(&answer, ann, "👎 5").await;
    let votes: Vec<(u8, Vote)> = chat.core.seen().votes.iter().map(|((_, _, rank), vote)| (*rank, *vote)).collect();
    assert_eq!(votes, [(2, Vote::None), (5, Vote::Down)]);
    chat.check_clean();
}

#[tokio::test]
async fn more_shows_other_songs() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let more = chat.press(&answer, ann, "More").await;
    let text = more.all_text();
    assert!(text.starts_with(&Locale::En.say("more-heading")) && text.contains("6") && more.id != answer.id, "{text}");
    chat.check_clean();
}

#[tokio::test]
async fn why_shows_a_picture_with_its_text() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let why = chat.press(&answer, ann, "Why?").await;
    assert!(why.is_ephemeral && why.text == "Why these songs");
    assert!(why.files[0].bytes.starts_with(b"\x89PNG") && why.files[0].name == "why.png");
    assert_eq!(why.files[0].alt.as_deref(), Some("beach → surf"));
    chat.check_clean();
}

#[tokio::test]
async fn a_forgotten_photo_is_fetched_once_more() {
    let chat = Chat::start().await;
    chat.core.forget_photos(true);
    let (channel, ann) = (chat.discord.channel(), chat.discord.person("ann"));
    chat.mention(channel, ann, "");
    let answer = chat.discord.next_message().await;
    chat.discord.expire_links();
    assert_eq!(chat.press(&answer, ann, "Why?").await.files.len(), 1);
    let chat = chat.restart().await;
    assert_eq!(chat.press(&answer, ann, "Why?").await.files.len(), 1);
    // Of a slash command's photo no message is left, so it is told in words.
    let (answer, ann) = chat.answered().await;
    let chat = chat.restart().await;
    let why = chat.press(&answer, ann, "Why?").await;
    assert!(why.text.contains("in words: beach → surf, sand"), "{}", why.text);
    chat.check_clean();
}

#[tokio::test]
async fn only_who_asked_or_manages_deletes() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let bob = chat.discord.person("bob");
    let refused = chat.press(&answer, bob, "Delete").await;
    assert_eq!((refused.text, refused.is_ephemeral), (Locale::En.say("not-yours"), true));
    chat.discord.press(answer.id, ann, &answer.custom_id("Delete").unwrap());
    chat.discord.next_act("delete", |_, act| (*act == Act::Deleted(answer.id)).then_some(())).await;
    let (answer, _) = chat.answered().await;
    chat.discord.press_as(answer.id, bob, &answer.custom_id("Delete").unwrap(), "en-US", MEMBER | MANAGE_GUILD);
    chat.discord.next_act("delete", |_, act| (*act == Act::Deleted(answer.id)).then_some(())).await;
    chat.check_clean();
}

#[tokio::test]
async fn buttons_work_after_a_restart_and_old_ones_are_kind() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let chat = chat.restart().await;
    assert_eq!(chat.press(&answer, ann, "👍 1").await.text, Locale::En.say("voted-off"));
    for foreign in ["v1:up:aaaaaaaaaaaaaaaaaaaaaaaaaa:1", "v0:old", "v1:up:x:99"] {
        chat.discord.press_as(answer.id, ann, foreign, "fr", MEMBER);
        assert_eq!(chat.discord.next_message().await.text, Locale::Fr.say("too-old"), "{foreign}");
    }
    chat.check_clean();
}

#[tokio::test]
async fn reactions_count_in_every_guise() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let id = answer.id;
    for emoji in ["2\u{fe0f}\u{20e3}", "❤️", "👎🏽", "🤔"] {
        chat.discord.react(id, ann, emoji);
    }
    chat.discord.unreact(id, ann, "❤️");
    chat.discord.react(id, ann, "❤️");
    // Told twice, as after a resume.
    chat.discord.react(id, ann, "❤️");
    let n = |chat: &Chat| chat.core.seen().reactions.len();
    while n(&chat) < 5 {
        chat.discord.rest(std::time::Duration::from_millis(20)).await;
    }
    chat.press(&answer, ann, "👍 1").await;
    let mut seen = chat.core.seen().reactions.clone();
    seen.sort_by_key(|(_, sign, is_added)| (*sign, *is_added));
    let message = MessageId(id.to_string());
    let wanted = [(Sign::Up, false), (Sign::Up, true), (Sign::Up, true), (Sign::Down, true), (Sign::Song(2), true)];
    assert_eq!(seen, wanted.map(|(sign, is_added)| (message.clone(), sign, is_added)));
    chat.check_clean();
}

#[tokio::test]
async fn reactions_that_a_manager_clears_are_taken_back() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let bob = chat.discord.person("bob");
    let (one, two) = ("1\u{fe0f}\u{20e3}", "2\u{fe0f}\u{20e3}");
    let n = |chat: &Chat| chat.core.seen().reactions.len();
    for (idx, (user, emoji)) in [(ann, one), (bob, one), (bob, two)].into_iter().enumerate() {
        chat.discord.react(answer.id, user, emoji);
        while n(&chat) <= idx {
            chat.discord.rest(std::time::Duration::from_millis(20)).await;
        }
    }
    chat.discord.clear_reactions(answer.id, Some(one));
    while n(&chat) < 5 {
        chat.discord.rest(std::time::Duration::from_millis(20)).await;
    }
    chat.discord.clear_reactions(answer.id, None);
    while n(&chat) < 6 {
        chat.discord.rest(std::time::Duration::from_millis(20)).await;
    }
    let seen: Vec<(Sign, bool)> =
        chat.core.seen().reactions.iter().map(|(_, sign, is_added)| (*sign, *is_added)).collect();
    let (first, second) = (Sign::Song(1), Sign::Song(2));
    assert_eq!(seen[3..], [(first, false), (first, false), (second, false)]);
    chat.check_clean();
}

#[tokio::test]
async fn two_presses_at_once_are_each_answered() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    let id = answer.custom_id("👍 3").unwrap();
    chat.discord.press(answer.id, ann, &id);
    chat.discord.press(answer.id, ann, &id);
    let texts = [chat.discord.next_message().await.text, chat.discord.next_message().await.text];
    assert!(texts.contains(&Locale::En.say("voted-off")) && texts.contains(&Locale::En.say("voted-none")), "{texts:?}");
    chat.check_clean();
}

#[tokio::test]
async fn where_the_bot_is_no_member_it_answers_through_the_interaction_alone() {
    let chat = Chat::start().await;
    let (channel, ann) = (chat.discord.foreign_channel(), chat.discord.person("ann"));
    chat.discord.slash(channel, ann, songs());
    let answer = chat.discord.next_message().await;
    check_songs(&answer);
    for label in ["👍 1", "👎 2", "Why?", "More", "👍 3", "👍 4", "👍 5"] {
        chat.press(&answer, ann, label).await;
    }
    assert!(chat.discord.calls(Call::Post).is_empty() && chat.discord.calls(Call::Typing).is_empty());
    chat.check_clean();
}
