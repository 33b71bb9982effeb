//! `/songs-settings`, `/privacy`, `/about`.

use std::time::Duration;

use image2song_contract::locale::Locale;
use image2song_fakes::discord::ids::MessageId;
use image2song_fakes::discord::post::{MANAGE_GUILD, MEMBER, Slash};
use image2song_fakes::discord::record::{Act, Posted};

use crate::chat::Chat;

/// Ids of all menus and buttons of a panel.
fn menus(panel: &Posted) -> Vec<String> {
    let rows = panel.components.iter().filter_map(|row| row["components"].as_array()).flatten();
    rows.filter(|item| item["type"] == 3).filter_map(|menu| menu["custom_id"].as_str()).map(str::to_owned).collect()
}

fn chosen(panel: &Posted, menu: &str) -> Option<String> {
    let rows = panel.components.iter().filter_map(|row| row["components"].as_array()).flatten();
    let menu = rows.into_iter().find(|item| item["custom_id"] == menu)?;
    let option = menu["options"].as_array()?.iter().find(|option| option["default"] == true)?;
    option["value"].as_str().map(str::to_owned)
}

async fn edited(chat: &Chat, id: MessageId) -> Posted {
    chat.discord.next_act("change", |_, act| (*act == Act::Edited(id)).then_some(())).await;
    chat.discord.message(id)
}

#[tokio::test]
async fn managers_change_settings_in_place() {
    let chat = Chat::start().await;
    let ann = chat.discord.person("ann");
    let slash = Slash::new("songs-settings").permissions(MANAGE_GUILD);
    let slash = slash.value("song-languages", "en, FR").value("channel-pause", 30);
    chat.discord.slash(chat.discord.channel(), ann, slash);
    let panel = chat.discord.next_message().await;
    assert!(panel.is_ephemeral && panel.text.contains("en, fr") && panel.text.contains("30 s"), "{}", panel.text);
    assert_eq!(menus(&panel), ["s1:locale", "s1:songs", "s1:level", "s1:pause"]);
    let rights = MEMBER | MANAGE_GUILD;
    chat.discord.choose(panel.id, ann, "s1:songs", &["3"], rights);
    assert_eq!(chosen(&edited(&chat, panel.id).await, "s1:songs").as_deref(), Some("3"));
    chat.discord.choose(panel.id, ann, "s1:pause", &["60"], rights);
    assert_eq!(chosen(&edited(&chat, panel.id).await, "s1:pause").as_deref(), Some("60"));
    let explicit = panel.custom_id("Explicit songs: off").unwrap();
    chat.discord.press_as(panel.id, ann, &explicit, "en-US", rights);
    assert!(edited(&chat, panel.id).await.custom_id("Explicit songs: on").is_some());
    chat.discord.choose(panel.id, ann, "s1:locale", &["de"], rights);
    assert!(edited(&chat, panel.id).await.text.starts_with(&Locale::De.say("settings-title")));
    chat.check_clean();
}

#[tokio::test]
async fn others_may_not_change_settings() {
    let chat = Chat::start().await;
    let (channel, ann, bob) = (chat.discord.channel(), chat.discord.person("ann"), chat.discord.person("bob"));
    chat.discord.slash(channel, bob, Slash::new("songs-settings"));
    assert_eq!(chat.discord.next_message().await.text, Locale::En.say("not-allowed"));
    chat.discord.slash(channel, ann, Slash::new("songs-settings").permissions(MANAGE_GUILD));
    let panel = chat.discord.next_message().await;
    for (id, text) in [("s1:explicit:1", "not-allowed"), ("s1:explicit:x", "too-old"), ("s1:x:1", "too-old")] {
        chat.discord.press(panel.id, bob, id);
        let said = chat.discord.next_message().await;
        assert_eq!((said.text, said.is_ephemeral), (Locale::En.say(text), true), "{id}");
    }
    chat.check_clean();
}

#[tokio::test]
async fn privacy_is_shown_chosen_exported_and_erased() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    chat.press(&answer, ann, "👍 1").await;
    chat.discord.slash(answer.channel, ann, Slash::new("privacy"));
    let panel = chat.discord.next_message().await;
    assert!(panel.is_ephemeral && panel.text.contains("One record is stored"), "{}", panel.text);
    chat.discord.press(panel.id, ann, "p1:off");
    assert!(edited(&chat, panel.id).await.text.contains("You allow: nothing"));
    chat.discord.press(panel.id, ann, "p1:unset");
    assert!(edited(&chat, panel.id).await.text.contains("You allow: whatever this place allows"));
    chat.discord.press(panel.id, ann, "p1:export");
    let export = chat.discord.next_message().await;
    assert_eq!((export.is_ephemeral, export.files[0].bytes.as_slice()), (true, b"{\"events\":[]}".as_slice()));
    chat.discord.press(panel.id, ann, "p1:erase");
    assert!(edited(&chat, panel.id).await.text.contains("One record deleted"));
    assert_eq!(chat.core.seen().erased.len(), 1);
    chat.check_clean();
}

#[tokio::test]
async fn about_tells_the_version() {
    let chat = Chat::start().await;
    chat.discord.slash(chat.discord.direct(), chat.discord.person("ann"), Slash::new("about").locale("ja"));
    let about = chat.discord.next_message().await;
    assert!(about.is_ephemeral && about.text.contains("1.2.3"), "{}", about.text);
    chat.discord.rest(Duration::from_millis(50)).await;
    chat.check_clean();
}
