//! Every way of asking.

use std::time::Duration;

use image2song_contract::bot::SongBot;
use image2song_contract::locale::Locale;
use image2song_contract::place::{ChannelId, CommunityId, Person, Place, Platform, UserId};
use image2song_contract::settings::Change;
use image2song_fakes::discord::ids::Channel;
use image2song_fakes::discord::post::{Photo, Post, Sender};
use image2song_fakes::discord::record::{Act, Call};
use image2song_fakes::discord::world::{Options, References};

use crate::chat::{Chat, check_songs, options, photo, songs};

#[tokio::test]
async fn a_slash_command_is_deferred_and_answered() {
    let chat = Chat::start().await;
    let ann = chat.discord.person("ann");
    let slash = songs().value("hint", "rainy").value("language", "fr").value("mood", "calm").locale("de");
    chat.discord.slash(chat.discord.channel(), ann, slash);
    let answer = chat.discord.next_message().await;
    check_songs(&answer);
    assert_eq!(answer.custom_id("Mehr"), answer.custom_id(&Locale::De.say("button-more")));
    assert!(!answer.is_ephemeral && answer.interaction.is_some());
    assert_eq!(chat.core.seen().asks[0], (1, 12, "rainy".to_owned()));
    chat.check_clean();
}

#[tokio::test]
async fn a_message_menu_sees_every_photo() {
    let chat = Chat::start().await;
    let (ann, bob) = (chat.discord.person("ann"), chat.discord.person("bob"));
    let message = chat.discord.say(chat.discord.channel(), ann, "my holiday", vec![photo("a.jpg"), photo("b.jpg")]);
    chat.discord.message_command("Suggest songs", bob, message, "en-US");
    let answer = chat.discord.next_message().await;
    check_songs(&answer);
    assert!(answer.all_text().contains("a.jpg: beach, sea"), "{}", answer.all_text());
    assert_eq!(chat.core.seen().asks[0].0, 2);
    chat.check_clean();
}

#[tokio::test]
async fn a_mention_beside_a_photo_is_answered_by_a_reply() {
    let chat = Chat::start().await;
    let (channel, ann) = (chat.discord.channel(), chat.discord.person("ann"));
    chat.core.delay(Duration::from_millis(300));
    let message = chat.mention(channel, ann, "rainy, in French");
    let answer = chat.discord.next_message().await;
    check_songs(&answer);
    assert_eq!((answer.reply_to, answer.channel), (Some(message), channel));
    assert_eq!(chat.core.seen().asks[0].2, "rainy, in French");
    assert_eq!(chat.discord.n_acts(|act| *act == Act::Typing(channel)), 1);
    // Told to the core after it stands in the channel.
    while chat.core.seen().posted.is_empty() {
        chat.discord.rest(Duration::from_millis(20)).await;
    }
    chat.check_clean();
}

#[tokio::test]
async fn the_bots_own_role_is_a_mention_too() {
    let chat =
        Chat::start_with(Options { has_message_content: true, ..options() }, |config| config.reads_content = true)
            .await;
    let text = chat.discord.role_mention();
    chat.discord.say(chat.discord.channel(), chat.discord.person("ann"), &text, vec![photo("a.jpg")]);
    check_songs(&chat.discord.next_message().await);
    assert_eq!(chat.core.seen().asks[0].2, "");
    chat.check_clean();
}

/// Asks by a reply to somebody's photo.
async fn reply(options: Options) -> (Chat, String) {
    let chat = Chat::start_with(options, |_| {}).await;
    let (channel, ann, bob) = (chat.discord.channel(), chat.discord.person("ann"), chat.discord.person("bob"));
    let first = chat.discord.say(channel, ann, "", vec![photo("a.jpg")]);
    chat.discord.post(Post::new(channel, bob).text(chat.discord.mention()).reply_to(first));
    let text = chat.discord.next_message().await.all_text();
    chat.check_clean();
    (chat, text)
}

#[tokio::test]
async fn a_mention_in_a_reply_takes_the_photo_that_is_answered() {
    let (chat, text) = reply(Options { references: References::Whole, ..options() }).await;
    assert!(text.contains("1. Song"), "{text}");
    assert!(chat.discord.calls(Call::Read).is_empty());
    let absent = Options { references: References::Absent, has_message_content: true, ..options() };
    let (chat, text) = reply(absent).await;
    assert!(text.contains("1. Song"), "{text}");
    assert_eq!(chat.discord.calls(Call::Read).len(), 1);
}

#[tokio::test]
async fn a_photo_that_is_hidden_from_the_bot_gets_a_hint() {
    let (chat, text) = reply(options()).await;
    assert_eq!(text, "I cannot see that photo from here. Use the message menu: Apps → Suggest songs.");
    assert!(chat.core.seen().asks.is_empty());
}

#[tokio::test]
async fn direct_messages_and_forwards_are_answered() {
    let chat = Chat::start().await;
    let (direct, ann) = (chat.discord.direct(), chat.discord.person("ann"));
    let first = chat.discord.say(direct, ann, "mellow", vec![photo("a.jpg")]);
    check_songs(&chat.discord.next_message().await);
    assert_eq!(chat.core.seen().asks[0].2, "mellow");
    chat.discord.post(Post::new(direct, ann).forward(first));
    check_songs(&chat.discord.next_message().await);
    chat.discord.say(direct, ann, "hello?", vec![]);
    let text = chat.discord.next_message().await.all_text();
    assert_eq!(text, Locale::En.say("no-photo"));
    chat.check_clean();
}

#[tokio::test]
async fn nobody_but_people_who_ask_is_answered() {
    let chat = Chat::start().await;
    let (channel, ann) = (chat.discord.channel(), chat.discord.person("ann"));
    let mention = || chat.discord.mention();
    let post = || Post::new(channel, ann).text(mention()).photo(photo("a.jpg"));
    chat.discord.say(channel, ann, "just a photo", vec![photo("a.jpg")]);
    chat.discord.post(post().sender(Sender::Webhook));
    chat.discord.post(post().sender(Sender::System));
    chat.discord.say(channel, ann, "@everyone", vec![photo("a.jpg")]);
    let asked = chat.mention(channel, ann, "");
    let answer = chat.discord.next_message().await;
    assert_eq!(answer.reply_to, Some(asked));
    // An edit is no new question, and thanks to the bot are no question at all.
    chat.discord.edit(asked, &format!("{} again", mention()));
    chat.discord.post(Post::new(channel, ann).text("thanks!").reply_to(answer.id));
    let last = chat.mention(channel, ann, "");
    assert_eq!(chat.discord.next_message().await.reply_to, Some(last));
    assert_eq!(chat.core.seen().asks.len(), 2);
    chat.check_clean();
}

#[tokio::test]
async fn several_photos_are_one_question_with_a_bound() {
    let chat = Chat::start().await;
    let photos = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg"].map(photo).to_vec();
    chat.discord.say(chat.discord.direct(), chat.discord.person("ann"), "", photos);
    let text = chat.discord.next_message().await.all_text();
    assert!(text.contains("c.jpg: beach, sea") && !text.contains("d.jpg"), "{text}");
    assert!(text.contains("2 more photos were left out; I take 3 at a time."), "{text}");
    assert_eq!(chat.core.seen().asks[0].0, 3);
}

#[tokio::test]
async fn what_cannot_be_used_gets_its_own_sentence() {
    let chat = Chat::start().await;
    let (direct, ann) = (chat.discord.direct(), chat.discord.person("ann"));
    let video = Photo::file("a.mp4", *b"video", "video/mp4", None);
    chat.discord.say(direct, ann, "", vec![video]);
    assert_eq!(chat.discord.next_message().await.text, Locale::En.say("not-a-photo"));
    chat.discord.say(direct, ann, "", vec![Photo { size: None, ..photo("big.jpg").told_as(2 << 20) }]);
    assert!(chat.discord.next_message().await.text.starts_with("This photo is too large"));
    let swollen = Photo::jpeg("swollen.jpg", vec![0; 2 << 20]).told_as(10);
    chat.discord.say(direct, ann, "", vec![swollen]);
    assert!(chat.discord.next_message().await.text.starts_with("This photo is too large"));
    assert!(chat.core.seen().asks.is_empty());
    chat.check_clean();
}

#[tokio::test]
async fn large_and_foreign_photos_come_through_the_media_proxy() {
    let chat = Chat::start().await;
    let (direct, ann) = (chat.discord.direct(), chat.discord.person("ann"));
    let heic = Photo::file("IMG.HEIC", *b"heic", "image/heic", Some((4000, 3000))).proxied_as(*b"\xff\xd8 jpeg");
    chat.discord.say(direct, ann, "", vec![heic]);
    check_songs(&chat.discord.next_message().await);
    assert_eq!(chat.core.seen().asks[0].1, 7);
    let line = chat.discord.calls(Call::Resized)[0].line.clone();
    assert!(line.ends_with("width=341&height=256&format=jpeg"), "{line}");
    // What the proxy cannot turn is taken as it is.
    chat.discord.say(direct, ann, "", vec![Photo::file("b.heic", *b"heic", "image/heic", None)]);
    check_songs(&chat.discord.next_message().await);
    assert_eq!(chat.core.seen().asks[1].1, 4);
    chat.check_clean();
}

#[tokio::test]
async fn a_hidden_photo_is_spoken_of_hidden() {
    let chat = Chat::start().await;
    chat.discord.say(chat.discord.direct(), chat.discord.person("ann"), "", vec![photo("SPOILER_end.jpg")]);
    let text = chat.discord.next_message().await.all_text();
    assert!(
        text.contains("||I see beach, sea. These songs fit:||") && text.contains("||beach → surf, sand||"),
        "{text}"
    );
}

fn automatic(channel: Channel, guild: &str) -> (Place, Person) {
    let place = Place {
        platform: Platform::Discord,
        community: CommunityId(guild.to_owned()),
        channel: ChannelId(channel.to_string()),
        is_private: false,
    };
    (place, Person { user: UserId("1".into()), language: None, is_manager: true })
}

#[tokio::test]
async fn chosen_channels_are_answered_unasked_with_the_content_intent() {
    let content = Options { has_message_content: true, ..options() };
    let chat = Chat::start_with(content, |config| config.reads_content = true).await;
    let (channel, other, ann) = (chat.discord.channel(), chat.discord.channel(), chat.discord.person("ann"));
    let guild = chat.discord.guild().to_string();
    let (place, person) = automatic(channel, &guild);
    chat.core.change(place, person, Change::Automatic(true)).await.unwrap();
    chat.discord.say(other, ann, "look", vec![photo("a.jpg")]);
    let message = chat.discord.say(channel, ann, "look", vec![photo("a.jpg")]);
    let answer = chat.discord.next_message().await;
    assert_eq!((answer.channel, answer.reply_to), (channel, Some(message)));
    assert_eq!(chat.core.seen().asks[0].2, "");
    chat.discord.rest(Duration::from_millis(200)).await;
    assert_eq!(chat.core.seen().asks.len(), 1);
    chat.check_clean();
}

#[tokio::test]
async fn a_muted_channel_is_silent_but_to_commands() {
    let chat = Chat::start().await;
    let (channel, ann) = (chat.discord.channel(), chat.discord.person("ann"));
    let (place, person) = automatic(channel, &chat.discord.guild().to_string());
    chat.core.change(place, person, Change::Muted(true)).await.unwrap();
    chat.mention(channel, ann, "");
    chat.discord.slash(channel, ann, songs());
    assert_eq!(chat.discord.next_message().await.text, Locale::En.say("switched-off"));
    assert_eq!(chat.discord.bot_messages().len(), 1);
    chat.check_clean();
}
