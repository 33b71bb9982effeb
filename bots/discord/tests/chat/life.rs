//! Connections: made, lost, resumed, given up, stopped.

use std::sync::Arc;
use std::time::Duration;

use image2song_contract::answer::Vote;
use image2song_contract::ask::Receipt;
use image2song_contract::health::State;
use image2song_contract::locale::Locale;
use image2song_contract::place::Platform;
use image2song_contract::supervise::End;
use image2song_fakes::discord::Discord;
use image2song_fakes::discord::fault::Fault;
use image2song_fakes::discord::record::{Act, Call};
use image2song_fakes::discord::session::{MESSAGE_CONTENT, REQUIRED};
use image2song_fakes::discord::world::{GatewayMood, Options};
use serenity::json::json;

use crate::chat::{Chat, check_songs, options, photo, songs};

fn is_session(act: &Act) -> bool {
    matches!(act, Act::Identified { .. })
}

async fn ask(chat: &Chat) {
    chat.mention(chat.discord.channel(), chat.discord.person("ann"), "");
    check_songs(&chat.discord.next_message().await);
}

#[tokio::test]
async fn nothing_but_the_needed_intents_is_asked_for() {
    let chat = Chat::start().await;
    assert_eq!(chat.discord.acts().into_iter().find(is_session), Some(Act::Identified { intents: REQUIRED }));
    assert_eq!(chat.health.state(), State::Up);
    chat.check_clean();
}

#[tokio::test]
async fn what_was_missed_is_answered_after_a_resume_and_nothing_twice() {
    let chat = Chat::start().await;
    ask(&chat).await;
    for n in 0..5 {
        match n {
            0 => chat.discord.drop_sockets(),
            1 => chat.discord.close(Some(4000)),
            2 => chat.discord.op7(),
            3 => chat.discord.op9(true),
            _ => chat.discord.close(Some(1000)),
        }
        ask(&chat).await;
        let is_resume = |act: &Act| matches!(act, Act::Resumed { .. });
        chat.discord
            .wait("resume", |world| {
                (world.acts.iter().filter(|(_, act)| is_resume(act)).count() == n + 1).then_some(())
            })
            .await;
    }
    assert_eq!(chat.discord.n_acts(is_session), 1);
    assert_eq!(chat.core.seen().asks.len(), 6);
    chat.check_clean();
}

#[tokio::test]
async fn a_resume_that_tells_all_again_changes_nothing() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    chat.press(&answer, ann, "👍 1").await;
    ask(&chat).await;
    let n_before = chat.discord.bot_messages().len();
    chat.discord.replay();
    ask(&chat).await;
    assert_eq!((chat.core.seen().asks.len(), chat.discord.bot_messages().len()), (3, n_before + 1));
    chat.check_clean();
}

#[tokio::test]
async fn commands_are_registered_once_over_sessions_and_restarts() {
    let chat = Chat::start().await;
    for n_sessions in 2..4 {
        chat.discord.op9(false);
        chat.discord
            .wait("session", |world| {
                let sessions = world.acts.iter().filter(|(_, act)| is_session(act)).count();
                (sessions == n_sessions).then_some(())
            })
            .await;
        ask(&chat).await;
    }
    let chat = chat.restart().await;
    ask(&chat).await;
    assert_eq!(chat.discord.calls(Call::Commands).len(), 1);
    chat.check_clean();
}

#[tokio::test]
async fn a_gateway_without_acknowledgements_is_left() {
    let chat = Chat::start().await;
    chat.discord.set_gateway(GatewayMood { ignores_heartbeats: true, ..GatewayMood::default() });
    chat.discord
        .next_act("second session", |world, _| {
            (world.acts.iter().filter(|(_, act)| is_session(act)).count() == 2).then_some(())
        })
        .await;
    chat.discord.set_gateway(GatewayMood::default());
    ask(&chat).await;
}

#[tokio::test]
async fn a_gateway_that_is_down_or_mute_is_tried_again() {
    for mood in [
        GatewayMood { is_down: true, ..GatewayMood::default() },
        GatewayMood { is_mute: true, ..GatewayMood::default() },
    ] {
        let discord = Arc::new(Discord::start_with(options()).await.unwrap());
        discord.set_gateway(mood);
        let chat = Chat::begin(discord, Arc::default(), |config| config.bounds.unready = Duration::from_millis(800));
        while chat.health.n_restarts() < 1 {
            chat.discord.rest(Duration::from_millis(50)).await;
        }
        chat.discord.set_gateway(GatewayMood::default());
        chat.discord.wait_for_commands().await;
        ask(&chat).await;
    }
}

#[tokio::test]
async fn a_loop_of_refused_sessions_is_given_up_and_mended() {
    let discord = Arc::new(Discord::start_with(options()).await.unwrap());
    discord.set_gateway(GatewayMood { identify_code: Some(4011), ..GatewayMood::default() });
    let chat = Chat::begin(discord, Arc::default(), |config| config.bounds.unready = Duration::from_millis(600));
    while chat.health.n_restarts() < 2 {
        chat.discord.rest(Duration::from_millis(50)).await;
    }
    chat.discord.set_gateway(GatewayMood::default());
    chat.discord.wait_for_commands().await;
    ask(&chat).await;
    assert_eq!(chat.stop().await, End::Stopped);
}

#[tokio::test]
async fn a_wrong_token_is_hopeless() {
    let discord = Arc::new(Discord::start_with(options()).await.unwrap());
    discord.set_gateway(GatewayMood { identify_code: Some(4004), ..GatewayMood::default() });
    let chat = Chat::begin(discord, Arc::default(), |_| {});
    assert!(matches!(chat.ended().await, End::Hopeless(advice) if advice.contains("token")));
    let discord = Arc::new(Discord::start_with(options()).await.unwrap());
    let chat = Chat::begin(discord, Arc::default(), |config| {
        config.token = image2song_discord::config::Token::new("wrong");
    });
    let health = chat.health.clone();
    assert!(matches!(chat.ended().await, End::Hopeless(advice) if advice.contains("token")));
    assert_eq!(health.state(), State::Stopped);
}

#[tokio::test]
async fn without_the_content_intent_it_runs_and_says_so() {
    let chat = Chat::start_with(options(), |config| config.reads_content = true).await;
    ask(&chat).await;
    let intents: Vec<Act> = chat.discord.acts().into_iter().filter(is_session).collect();
    assert_eq!(intents, [Act::Identified { intents: REQUIRED }]);
    assert!(chat.health.advice().is_some_and(|advice| advice.contains("Message Content Intent")));
    let granted = Options { has_message_content: true, ..options() };
    let chat = Chat::start_with(granted, |config| config.reads_content = true).await;
    let wanted = Act::Identified { intents: REQUIRED | MESSAGE_CONTENT };
    assert_eq!(chat.discord.acts().into_iter().find(is_session), Some(wanted));
    assert_eq!(chat.health.advice(), None);
    chat.check_clean();
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_noticed() {
    let chat = Chat::start().await;
    chat.discord.raw_event("MESSAGE_CREATE", &json!({ "id": "1", "content": "half a message" }));
    chat.discord.raw_event("SOMETHING_NEW", &json!({ "x": 1 }));
    ask(&chat).await;
    let counts = chat.health.counts();
    assert!(counts.contains(&(("unreadable-event", "MESSAGE_CREATE"), 1)), "{counts:?}");
}

#[tokio::test]
async fn a_server_that_is_left_is_told_to_the_core() {
    let chat = Chat::start().await;
    chat.discord.leave_guild();
    while chat.core.seen().left.is_empty() {
        chat.discord.rest(Duration::from_millis(20)).await;
    }
    assert_eq!(chat.core.seen().left[0].0, chat.discord.guild().to_string());
}

#[tokio::test]
async fn what_an_earlier_run_left_open_is_answered_or_apologised_for_once() {
    let discord = Arc::new(Discord::start_with(options()).await.unwrap());
    let core = Arc::new(image2song_contract::fake::FakeBot::default());
    let (channel, ann) = (discord.channel(), discord.person("ann"));
    let text = discord.mention();
    let asked = discord.say(channel, ann, &text, vec![photo("a.jpg")]);
    let gone = discord.say(channel, ann, &text, vec![photo("b.jpg")]);
    discord.delete(gone);
    let receipt = |key: &str, note: String| Receipt { platform: Platform::Discord, key: key.to_owned(), note };
    for (key, message) in [("m:1", asked), ("m:2", gone)] {
        core.leave_open(receipt(key, format!("m {channel} {message} {} {ann}", discord.guild())));
    }
    core.leave_open(receipt("i:3", "i no-such-token de".to_owned()));
    let chat = Chat::begin(discord, core, |_| {});
    let answer = chat.discord.next_message().await;
    check_songs(&answer);
    assert_eq!(answer.reply_to, Some(asked));
    assert_eq!(chat.discord.next_message().await.text, Locale::En.say("apology"));
    chat.all_closed().await;
    let chat = chat.restart().await;
    ask(&chat).await;
    assert_eq!(chat.discord.bot_messages().len(), 3);
}

#[tokio::test]
async fn presses_that_a_crash_cut_off_are_taken_once() {
    let chat = Chat::start().await;
    let (answer, ann) = chat.answered().await;
    chat.press(&answer, ann, "👍 2").await;
    chat.press(&answer, ann, "More").await;
    let n_filled = chat.discord.calls(Call::EditAnswer).len();
    let (discord, core) = (chat.discord.clone(), chat.core.clone());
    chat.all_closed().await;
    // As a crash leaves them that comes before they are closed: the first after the vote was kept, both unanswered.
    let reopened: Vec<Receipt> = core.seen().receipts.values().map(|(receipt, _)| receipt.clone()).collect();
    for receipt in reopened.into_iter().filter(|receipt| receipt.note.starts_with('{')) {
        core.leave_open(receipt);
    }
    let chat = chat.restart().await;
    chat.all_closed().await;
    assert_eq!(core.seen().votes.values().collect::<Vec<_>>(), [&Vote::Up]);
    assert_eq!(discord.bot_messages().len(), 3, "each answer takes its own place");
    assert_eq!(discord.calls(Call::EditAnswer).len(), n_filled + 2);
    chat.check_clean();
}

#[tokio::test]
async fn two_shards_are_one_bot() {
    let options = Options { n_shards: 2, ..options() };
    let chat = Chat::start_with(options, |config| config.bounds.max_sessions = 1).await;
    chat.discord.wait("a session of each shard", |world| (world.sessions.len() == 2).then_some(())).await;
    ask(&chat).await;
    chat.discord.rest(Duration::from_millis(500)).await;
    assert_eq!(chat.health.n_restarts(), 0);
    assert_eq!(chat.discord.n_acts(|act| matches!(act, Act::Commands(_))), 1);
    assert_eq!(chat.discord.bot_messages().len(), 1);
    chat.check_clean();
}

#[tokio::test]
async fn a_stop_lets_answers_finish_and_closes_in_order() {
    let chat = Chat::start().await;
    chat.core.delay(Duration::from_millis(600));
    let discord = chat.discord.clone();
    discord.slash(discord.channel(), discord.person("ann"), songs());
    discord.next_act("acknowledgement", |_, act| matches!(act, Act::Acknowledged { .. }).then_some(())).await;
    assert_eq!(chat.stop().await, End::Stopped);
    check_songs(&discord.next_message().await);
    assert_eq!(discord.n_acts(|act| *act == Act::Closed { code: Some(1000) }), 1);
    assert_eq!(discord.violations(), [""; 0]);
}

#[tokio::test]
async fn a_first_request_that_fails_does_not_lead_to_another_gateway() {
    let discord = Arc::new(Discord::start_with(options()).await.unwrap());
    discord.fail(Call::Gateway, 6, Fault::Broken(503));
    let chat = Chat::begin(discord, Arc::default(), |_| {});
    chat.discord.wait_for_commands().await;
    ask(&chat).await;
    assert!(chat.health.n_restarts() > 0);
}
