//! Refusals, limits, slowness, dead links, panics.

use std::time::Duration;

use image2song_contract::answer::Refusal;
use image2song_contract::locale::Locale;
use image2song_fakes::discord::fault::Fault;
use image2song_fakes::discord::record::{Act, Call};
use image2song_fakes::discord::world::{BOT_RIGHTS, HISTORY, SEND};

use crate::chat::{Chat, check_songs, songs};

#[tokio::test]
async fn a_slow_core_is_acknowledged_in_time() {
    let chat = Chat::start().await;
    chat.core.delay(Duration::from_secs(4));
    let (answer, _) = chat.answered().await;
    check_songs(&answer);
    chat.check_clean();
}

#[tokio::test]
async fn typing_is_kept_alive() {
    let chat = Chat::start().await;
    chat.core.delay(Duration::from_secs(9));
    let channel = chat.discord.channel();
    chat.mention(channel, chat.discord.person("ann"), "");
    check_songs(&chat.discord.next_message().await);
    assert_eq!(chat.discord.n_acts(|act| *act == Act::Typing(channel)), 2);
}

#[tokio::test]
async fn limits_are_waited_for() {
    let chat = Chat::start().await;
    for (call, code, is_global) in
        [(Call::Post, None, false), (Call::Post, Some(20_028), false), (Call::Typing, None, true)]
    {
        chat.discord.fail(call, 1, Fault::Limited { after_s: 0.4, code, is_global });
        chat.mention(chat.discord.channel(), chat.discord.person("ann"), "");
        check_songs(&chat.discord.next_message().await);
    }
    chat.discord.fail(Call::EditAnswer, 2, Fault::Limited { after_s: 0.3, code: None, is_global: false });
    check_songs(&chat.answered().await.0);
    // Six answers to one channel, of which Discord takes five in five seconds.
    let (channel, ann) = (chat.discord.channel(), chat.discord.person("ann"));
    for _ in 0..6 {
        chat.mention(channel, ann, "");
    }
    for _ in 0..6 {
        check_songs(&chat.discord.next_message().await);
    }
    chat.check_clean();
}

#[tokio::test]
async fn broken_servers_are_asked_again_and_nothing_is_said_twice() {
    let chat = Chat::start().await;
    chat.discord.fail(Call::Post, 2, Fault::Broken(502));
    chat.discord.fail(Call::Typing, 1, Fault::Broken(500));
    let ann = chat.discord.person("ann");
    chat.mention(chat.discord.channel(), ann, "");
    check_songs(&chat.discord.next_message().await);
    chat.discord.fail(Call::Post, 1, Fault::BrokenAfterwards(503));
    chat.mention(chat.discord.channel(), ann, "");
    check_songs(&chat.discord.next_message().await);
    chat.discord.fail(Call::Callback, 1, Fault::BrokenAfterwards(502));
    chat.discord.slash(chat.discord.channel(), ann, songs());
    check_songs(&chat.discord.next_message().await);
    chat.discord.rest(Duration::from_millis(700)).await;
    assert_eq!(chat.discord.bot_messages().len(), 3);
    // The repeated acknowledgement of a lost answer is the one thing Discord complains of, rightly.
    assert_eq!(chat.discord.violations(), ["a second first answer to an interaction"]);
}

#[tokio::test]
async fn missing_rights_are_borne() {
    let chat = Chat::start().await;
    let (channel, ann) = (chat.discord.channel(), chat.discord.person("ann"));
    chat.discord.set_rights(channel, BOT_RIGHTS & !HISTORY);
    chat.mention(channel, ann, "");
    let plain = chat.discord.next_message().await;
    check_songs(&plain);
    assert_eq!(plain.reply_to, None);
    chat.discord.set_rights(channel, BOT_RIGHTS & !SEND);
    chat.mention(channel, ann, "");
    let closed = chat.discord.direct();
    chat.discord.close_direct(closed);
    chat.mention(closed, ann, "");
    chat.mention(chat.discord.channel(), ann, "");
    check_songs(&chat.discord.next_message().await);
    chat.discord
        .wait("two refused posts", |world| {
            let refused = world.calls.iter().filter(|seen| seen.call == Call::Post && seen.status == 403);
            (refused.count() == 2).then_some(())
        })
        .await;
    chat.check_clean();
}

#[tokio::test]
async fn a_dead_link_is_asked_for_again_once() {
    let chat = Chat::start().await;
    chat.discord.fail(Call::Download, 1, Fault::Refused(404, 0));
    chat.mention(chat.discord.channel(), chat.discord.person("ann"), "");
    check_songs(&chat.discord.next_message().await);
    assert_eq!((chat.discord.calls(Call::Download).len(), chat.discord.calls(Call::Read).len()), (2, 1));
    chat.discord.fail(Call::Download, 2, Fault::Refused(404, 0));
    chat.mention(chat.discord.channel(), chat.discord.person("ann"), "");
    assert_eq!(chat.discord.next_message().await.text, Locale::En.say("unreachable"));
    chat.check_clean();
}

#[tokio::test]
async fn redirects_and_foreign_hosts_are_not_followed() {
    let chat = Chat::start().await;
    chat.discord.fail(Call::Download, 1, Fault::Redirected("http://169.254.169.254/secret".to_owned()));
    chat.mention(chat.discord.channel(), chat.discord.person("ann"), "");
    assert_eq!(chat.discord.next_message().await.text, Locale::En.say("unreachable"));
    assert!(chat.core.seen().asks.is_empty());
}

#[tokio::test]
async fn refusals_are_told_kindly() {
    let chat = Chat::start().await;
    let seconds = Duration::from_secs(4);
    let refusals =
        [Refusal::Busy { retry_after: seconds }, Refusal::NothingFits, Refusal::Internal { id: "x1".into() }];
    for refusal in refusals {
        chat.core.refuse(Some(refusal.clone()));
        chat.mention(chat.discord.channel(), chat.discord.person("ann"), "");
        let by_message = chat.discord.next_message().await.text;
        assert_eq!(chat.answered().await.0.text, by_message, "{refusal:?}");
        assert!(by_message.ends_with('.') || by_message.ends_with('?'), "{by_message}");
    }
    chat.check_clean();
}

#[tokio::test]
async fn a_panic_costs_one_question() {
    let chat = Chat::start().await;
    chat.core.panic_once();
    let ann = chat.discord.person("ann");
    chat.mention(chat.discord.channel(), ann, "");
    assert!(chat.discord.next_message().await.text.starts_with("Something went wrong on my side"));
    chat.mention(chat.discord.channel(), ann, "");
    check_songs(&chat.discord.next_message().await);
    assert_eq!(chat.health.n_panics(), 1);
    chat.check_clean();
}

#[tokio::test]
async fn fifty_people_at_once_are_all_answered() {
    let chat = Chat::start().await;
    for n in 0..50 {
        let user = chat.discord.person(&format!("user {n}"));
        chat.discord.slash(chat.discord.channel(), user, songs());
    }
    for _ in 0..50 {
        check_songs(&chat.discord.next_message().await);
    }
    assert_eq!(chat.discord.bot_messages().len(), 50);
    chat.check_clean();
}
