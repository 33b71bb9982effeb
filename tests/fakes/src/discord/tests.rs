//! The gateway of the fake, against a plain client.

use std::time::Duration;

use serde_json::{Value, json};

use super::Discord;
use super::post::{Photo, Post};
use super::record::Act;
use super::session::{MESSAGE_CONTENT, REQUIRED};
use super::tests_client::identify;
use super::world::{GatewayMood, Options};

fn options() -> Options {
    Options { identify_spacing: Duration::ZERO, ..Options::default() }
}

async fn discord() -> Discord {
    Discord::start_with(options()).await.unwrap()
}

fn resume(session: &Value, seq: u64) -> Value {
    json!({ "op": 6, "d": { "token": super::TOKEN, "session_id": session, "seq": seq } })
}

#[tokio::test]
async fn a_session_begins_with_hello_and_ready() {
    let discord = discord().await;
    let (_socket, ready) = discord.ready().await;
    for key in ["v", "user", "guilds", "session_id", "resume_gateway_url", "application", "shard"] {
        assert!(!ready[key].is_null(), "{key}");
    }
    assert_eq!(discord.acts(), [Act::Identified { intents: REQUIRED }]);
    assert_eq!(discord.violations(), [""; 0]);
}

#[track_caller]
fn closes(code: u16) -> Value {
    json!({ "close": code })
}

#[tokio::test]
async fn wrong_openings_are_closed_with_their_codes() {
    let discord = discord().await;
    let mut foreign = identify(REQUIRED);
    foreign["d"]["token"] = json!("Bot other");
    let mut bare = identify(REQUIRED);
    bare["d"]["intents"] = Value::Null;
    let unknown = json!({ "op": 77 });
    let early = json!({ "op": 3, "d": {} });
    let content = identify(REQUIRED | MESSAGE_CONTENT);
    for (payload, code) in [(foreign, 4004), (bare, 4013), (content, 4014), (unknown, 4001), (early, 4003)] {
        let mut socket = discord.connect().await;
        socket.next().await;
        socket.send(payload).await;
        assert_eq!(socket.next().await, closes(code));
    }
    let (mut socket, _) = discord.ready().await;
    socket.send(identify(REQUIRED)).await;
    assert_eq!(socket.next().await, closes(4005));
}

#[tokio::test]
async fn identifying_again_at_once_is_refused() {
    let discord = Discord::start().await.unwrap();
    let (_first, _) = discord.ready().await;
    let mut second = discord.connect().await;
    second.next().await;
    second.send(identify(REQUIRED)).await;
    assert_eq!(second.next().await, json!({ "op": 9, "s": null, "t": null, "d": false }));
    assert_eq!(discord.n_acts(|act| *act == Act::IdentifiedTooSoon), 1);
}

#[tokio::test]
async fn too_few_intents_are_a_violation() {
    let discord = discord().await;
    discord.ready_with(1).await;
    assert_eq!(discord.violations().len(), 1);
}

#[tokio::test]
async fn content_is_emptied_unless_it_is_for_the_bot() {
    let discord = discord().await;
    let (mut socket, _) = discord.ready().await;
    let (channel, ann) = (discord.channel(), discord.person("ann"));
    let photo = || vec![Photo::jpeg("a.jpg", [1])];
    discord.say(channel, ann, "look", photo());
    let (name, message) = socket.event().await;
    assert_eq!(name, "MESSAGE_CREATE");
    assert_eq!((&message["content"], &message["attachments"]), (&json!(""), &json!([])));
    let mention = format!("look {}", discord.mention());
    discord.say(channel, ann, &mention, photo());
    let (_, message) = socket.event().await;
    assert_eq!(message["content"], json!(mention));
    assert_eq!(message["attachments"][0]["filename"], "a.jpg");
    assert_eq!(message["mentions"][0]["id"], json!(discord.bot()));
    assert!(message["guild_id"].is_string() && message["member"].is_object());
    discord.say(discord.direct(), ann, "hi", photo());
    let (_, message) = socket.event().await;
    assert_eq!((&message["content"], message.get("guild_id")), (&json!("hi"), None));
}

#[tokio::test]
async fn content_is_whole_with_the_intent() {
    let discord = Discord::start_with(Options { has_message_content: true, ..options() }).await.unwrap();
    let (mut socket, _) = discord.ready_with(REQUIRED | MESSAGE_CONTENT).await;
    let (channel, ann) = (discord.channel(), discord.person("ann"));
    let first = discord.say(channel, ann, "look", vec![]);
    assert_eq!(socket.event().await.1["content"], "look");
    discord.post(Post::new(channel, ann).text("this").reply_to(first));
    let (_, reply) = socket.event().await;
    assert_eq!((&reply["type"], &reply["referenced_message"]["content"]), (&json!(19), &json!("look")));
    discord.post(Post::new(channel, ann).forward(first));
    let (_, forward) = socket.event().await;
    assert_eq!((&forward["content"], &forward["flags"]), (&json!(""), &json!(1 << 14)));
    assert_eq!(forward["message_snapshots"][0]["message"]["content"], "look");
}

#[tokio::test]
async fn a_resume_replays_what_was_missed() {
    let discord = discord().await;
    let (mut socket, ready) = discord.ready().await;
    let (channel, ann) = (discord.direct(), discord.person("ann"));
    discord.say(channel, ann, "one", vec![]);
    assert_eq!(socket.event().await.1["content"], "one");
    discord.drop_sockets();
    assert_eq!(socket.next().await, Value::Null);
    discord.wait("end", |world| world.sessions.values().all(|it| it.outlet.is_none()).then_some(())).await;
    discord.say(channel, ann, "two", vec![]);
    let mut again = discord.connect().await;
    again.next().await;
    again.send(resume(&ready["session_id"], 2)).await;
    let missed = again.next().await;
    assert_eq!((&missed["s"], &missed["d"]["content"]), (&json!(3), &json!("two")));
    let resumed = again.next().await;
    assert_eq!((&resumed["t"], &resumed["s"]), (&json!("RESUMED"), &json!(4)));
}

#[tokio::test]
async fn a_wrong_resume_is_refused() {
    let discord = discord().await;
    let (_socket, ready) = discord.ready().await;
    let mut ahead = discord.connect().await;
    ahead.next().await;
    ahead.send(resume(&ready["session_id"], 9)).await;
    assert_eq!(ahead.next().await, closes(4007));
    let mut unknown = discord.connect().await;
    unknown.next().await;
    unknown.send(resume(&json!("no such session"), 1)).await;
    assert_eq!(unknown.next().await["op"], 9);
}

#[tokio::test]
async fn heartbeats_are_acknowledged_and_missed() {
    let discord = Discord::start_with(Options { heartbeat: Duration::from_millis(20), ..options() }).await.unwrap();
    let (mut socket, _) = discord.ready().await;
    socket.send(json!({ "op": 1, "d": 1 })).await;
    assert_eq!(socket.next().await["op"], 11);
    assert_eq!(socket.next().await, closes(4009));
    assert_eq!(discord.violations().len(), 1);
    discord.set_gateway(GatewayMood { ignores_heartbeats: true, ..GatewayMood::default() });
    let (mut socket, _) = discord.ready().await;
    socket.send(json!({ "op": 1, "d": 1 })).await;
    assert_eq!(socket.next().await, closes(4009));
}

#[tokio::test]
async fn orders_reach_the_client() {
    let discord = discord().await;
    let (mut socket, _) = discord.ready().await;
    discord.op7();
    assert_eq!(socket.next().await["op"], 7);
    discord.op9(true);
    assert_eq!(socket.next().await["d"], true);
    discord.close(None);
    assert_eq!(socket.next().await, json!({ "close": null }));
}

#[tokio::test]
async fn too_many_payloads_end_the_connection() {
    let discord = discord().await;
    let (mut socket, _) = discord.ready().await;
    for _ in 0..120 {
        socket.send(json!({ "op": 1, "d": null })).await;
    }
    loop {
        match socket.next().await {
            payload if payload["op"] == 11 => {}
            end => break assert_eq!(end, closes(4008)),
        }
    }
    assert_eq!(discord.violations().len(), 1);
}
