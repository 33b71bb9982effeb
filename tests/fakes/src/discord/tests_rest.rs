//! REST, CDN and interactions of the fake, against a plain client.

use std::time::Duration;

use serde_json::{Value, json};

use super::fault::Fault;
use super::post::{Photo, Slash};
use super::record::{Act, Call};
use super::tests_client::{Reply, send};
use super::world::{BOT_RIGHTS, HISTORY, Options, SEND};
use super::{Discord, TOKEN};

fn plain(text: &str) -> Value {
    json!({ "content": text, "allowed_mentions": { "parse": [] } })
}

async fn discord() -> Discord {
    let options =
        Options { identify_spacing: Duration::ZERO, posts_per: (30, Duration::from_secs(5)), ..Options::default() };
    Discord::start_with(options).await.unwrap()
}

#[track_caller]
fn check(reply: &Reply, status: u16, code: u64) {
    assert_eq!((reply.status, reply.json()["code"].as_u64().unwrap_or_default()), (status, code), "{}", reply.json());
}

fn commands() -> Value {
    json!([
        { "name": "songs", "description": "x", "options": [
            { "name": "photo", "description": "x", "type": 11, "required": true },
            { "name": "hint", "description": "x", "type": 3 }
        ]},
        { "name": "Suggest songs", "type": 3 }
    ])
}

/// Sends an interaction and gives the path of its first answer and of its token.
async fn interaction(discord: &Discord) -> (String, String) {
    if discord.commands().is_empty() {
        let app = discord.bot();
        check(&discord.call("PUT", &format!("/applications/{app}/commands"), commands()).await, 200, 0);
    }
    let slash = Slash::new("songs").photo("photo", Photo::jpeg("a.jpg", [1]));
    let id = discord.slash(discord.channel(), discord.person("ann"), slash);
    let token = discord.wait("interaction", |world| Some(world.interactions[&id].token.clone())).await;
    (format!("/interactions/{id}/{token}/callback"), format!("/webhooks/{}/{token}", discord.bot()))
}

#[tokio::test]
async fn strangers_are_refused() {
    let discord = discord().await;
    let host = discord.api_url().replace("http://", "");
    let reply = send(&host, "GET", "/api/v10/gateway", &[("authorization", "Bot other")], b"").await;
    assert_eq!((reply.status, reply.json()), (401, json!({ "message": "401: Unauthorized", "code": 0 })));
    assert!(discord.call("GET", "/gateway", Value::Null).await.json()["url"].is_string());
    check(&discord.call("GET", "/nothing", Value::Null).await, 404, 0);
    assert_eq!(discord.violations().len(), 1);
}

#[tokio::test]
async fn wrong_messages_are_refused() {
    let discord = discord().await;
    let path = format!("/channels/{}/messages", discord.channel());
    check(&discord.call("POST", &path, plain(&"x".repeat(2000))).await, 200, 0);
    check(&discord.call("POST", &path, plain(&"x".repeat(2001))).await, 400, 50_035);
    check(&discord.call("POST", &path, plain("")).await, 400, 50_006);
    let embed = json!({ "description": "x".repeat(4000) });
    let mut body = plain("");
    body["embeds"] = json!([embed, embed]);
    check(&discord.call("POST", &path, body).await, 400, 50_035);
    let mut body = plain("x");
    body["flags"] = json!(64);
    check(&discord.call("POST", &path, body).await, 400, 50_035);
    let mut body = plain("x");
    body["message_reference"] = json!({ "message_id": "1", "fail_if_not_exists": true });
    check(&discord.call("POST", &path, body).await, 400, 50_035);
}

#[tokio::test]
async fn bad_habits_are_written_down() {
    let discord = discord().await;
    let path = format!("/channels/{}/messages", discord.channel());
    discord.call("POST", &path, json!({ "content": "x" })).await;
    discord.call("POST", &path, json!({ "content": "x", "allowed_mentions": { "parse": ["everyone"] } })).await;
    let mut body = plain("x");
    body["message_reference"] = json!({ "message_id": "1" });
    discord.call("POST", &path, body).await;
    let mut body = plain("x");
    body["contents"] = json!("y");
    discord.call("POST", &path, body).await;
    assert_eq!(discord.violations().len(), 4, "{:#?}", discord.violations());
}

#[tokio::test]
async fn rights_count() {
    let discord = discord().await;
    let channel = discord.channel();
    let path = format!("/channels/{channel}/messages");
    let mut reply = plain("x");
    let asked = discord.say(channel, discord.person("ann"), "hi", vec![]);
    reply["message_reference"] = json!({ "message_id": asked, "fail_if_not_exists": false });
    check(&discord.call("POST", &path, reply.clone()).await, 200, 0);
    discord.set_rights(channel, BOT_RIGHTS & !HISTORY);
    check(&discord.call("POST", &path, reply.clone()).await, 400, 160_002);
    discord.set_rights(channel, BOT_RIGHTS & !SEND);
    check(&discord.call("POST", &path, reply.clone()).await, 403, 50_013);
    discord.set_rights(channel, 0);
    check(&discord.call("POST", &path, reply).await, 403, 50_001);
    let foreign = format!("/channels/{}/messages", discord.foreign_channel());
    check(&discord.call("POST", &foreign, plain("x")).await, 403, 50_001);
    let direct = discord.direct();
    discord.close_direct(direct);
    check(&discord.call("POST", &format!("/channels/{direct}/messages"), plain("x")).await, 403, 50_007);
}

#[tokio::test]
async fn a_repeated_nonce_is_one_message() {
    let discord = discord().await;
    let path = format!("/channels/{}/messages", discord.channel());
    let mut body = plain("x");
    body["nonce"] = json!("abc");
    body["enforce_nonce"] = json!(true);
    discord.fail(Call::Post, 1, Fault::BrokenAfterwards(502));
    assert_eq!(discord.call("POST", &path, body.clone()).await.status, 502);
    check(&discord.call("POST", &path, body).await, 200, 0);
    assert_eq!(discord.bot_messages().len(), 1);
}

#[tokio::test]
async fn limits_are_told_and_must_be_heeded() {
    let options = Options { posts_per: (1, Duration::from_secs(5)), ..Options::default() };
    let discord = Discord::start_with(options).await.unwrap();
    let path = format!("/channels/{}/messages", discord.channel());
    let first = discord.call("POST", &path, plain("x")).await;
    assert_eq!((first.status, first.header("x-ratelimit-remaining")), (200, Some("0")));
    let second = discord.call("POST", &path, plain("x")).await;
    assert_eq!((second.status, second.header("x-ratelimit-scope")), (429, Some("user")));
    assert!(second.json()["retry_after"].as_f64().unwrap() > 4.0 && second.json().get("code").is_none());
    assert_eq!(discord.call("POST", &path, plain("x")).await.status, 429);
    assert_eq!(discord.violations(), [""; 0]);
    // Who has had the time to learn of the limit must heed it.
    discord.rest(Duration::from_millis(200)).await;
    assert_eq!(discord.call("POST", &path, plain("x")).await.status, 429);
    assert_eq!(discord.violations().len(), 1);
    discord.fail(Call::About, 1, Fault::Limited { after_s: 60.0, code: Some(40_333), is_global: true });
    let global = discord.call("GET", "/users/@me", Value::Null).await;
    assert_eq!((global.header("x-ratelimit-global"), global.header("x-ratelimit-bucket")), (Some("true"), None));
    assert_eq!(discord.call("GET", "/gateway", Value::Null).await.status, 429);
}

#[tokio::test]
async fn interactions_are_answered_once_and_in_time() {
    let discord = discord().await;
    let (callback, webhook) = interaction(&discord).await;
    let original = format!("{webhook}/messages/@original");
    check(&discord.call("PATCH", &original, plain("x")).await, 404, 10_015);
    assert_eq!(discord.call("POST", &callback, json!({ "type": 5 })).await.status, 204);
    check(&discord.call("POST", &callback, json!({ "type": 5 })).await, 400, 40_060);
    check(&discord.call("PATCH", &original, plain("five songs")).await, 200, 0);
    assert_eq!(discord.next_message().await.text, "five songs");
    check(&discord.call("POST", &webhook, plain("and more")).await, 200, 0);
    assert_eq!(discord.next_message().await.text, "and more");
    assert_eq!(discord.call("DELETE", &original, Value::Null).await.status, 204);
    assert_eq!(discord.n_acts(|act| matches!(act, Act::Acknowledged { kind: 5, .. })), 1);
    check(&discord.call("POST", "/interactions/1/x/callback", json!({ "type": 5 })).await, 404, 10_062);
    assert_eq!(discord.violations().len(), 3, "{:#?}", discord.violations());
}

#[tokio::test]
async fn late_acknowledgements_and_old_tokens_are_refused() {
    let (acknowledge_within, token_life) = (Duration::ZERO, Duration::ZERO);
    let discord = Discord::start_with(Options { acknowledge_within, token_life, ..Options::default() }).await.unwrap();
    let (callback, webhook) = interaction(&discord).await;
    check(&discord.call("POST", &callback, json!({ "type": 5 })).await, 404, 10_062);
    check(&discord.call("POST", &webhook, plain("x")).await, 401, 50_027);
    assert_eq!(discord.violations().len(), 1);
}

#[tokio::test]
async fn a_user_installed_application_has_five_follow_ups() {
    let discord = discord().await;
    interaction(&discord).await;
    let slash = Slash::new("songs").photo("photo", Photo::jpeg("a.jpg", [1]));
    let id = discord.slash(discord.foreign_channel(), discord.person("bob"), slash);
    let token = discord.wait("interaction", |world| Some(world.interactions[&id].token.clone())).await;
    discord
        .call("POST", &format!("/interactions/{id}/{token}/callback"), json!({ "type": 4, "data": plain("x") }))
        .await;
    let path = format!("/webhooks/{}/{token}", discord.bot());
    for _ in 0..5 {
        check(&discord.call("POST", &path, plain("more")).await, 200, 0);
    }
    check(&discord.call("POST", &path, plain("more")).await, 400, 40_094);
}

#[tokio::test]
async fn files_of_a_form_become_attachments() {
    let discord = discord().await;
    let channel = discord.channel();
    let json = json!({ "content": "x", "allowed_mentions": { "parse": [] },
        "attachments": [{ "id": 0, "filename": "why.png", "description": "a dog on a beach" }] });
    let form = format!(
        "--b\r\ncontent-disposition: form-data; name=\"files[0]\"; filename=\"why.png\"\r\n\r\npixels\r\n\
         --b\r\ncontent-disposition: form-data; name=\"payload_json\"\r\n\r\n{json}\r\n--b--\r\n"
    );
    let token = format!("Bot {TOKEN}");
    let headers = [
        ("authorization", token.as_str()),
        ("user-agent", "DiscordBot (test, 1)"),
        ("content-type", "multipart/form-data; boundary=b"),
    ];
    let (host, path) = (discord.api_url().replace("http://", ""), format!("/api/v10/channels/{channel}/messages"));
    check(&send(&host, "POST", &path, &headers, form.as_bytes()).await, 200, 0);
    let sent = discord.next_message().await.files.remove(0);
    assert_eq!((sent.name.as_str(), sent.bytes.as_slice()), ("why.png", b"pixels".as_slice()));
    assert_eq!(sent.alt.as_deref(), Some("a dog on a beach"));
}

#[tokio::test]
async fn links_expire_and_are_fresh_when_read_again() {
    let discord = Discord::start_with(Options { has_message_content: true, ..Options::default() }).await.unwrap();
    let (channel, photo) = (discord.channel(), Photo::jpeg("a.jpg", *b"pixels"));
    let message = discord.say(channel, discord.person("ann"), "look", vec![photo]);
    let path = format!("/channels/{channel}/messages/{message}");
    let host = discord.api_url().replace("http://", "");
    let link = |json: Value| {
        let url = json["attachments"][0]["url"].as_str().unwrap().to_owned();
        url.strip_prefix(&discord.api_url()).unwrap().to_owned()
    };
    let old = link(discord.call("GET", &path, Value::Null).await.json());
    assert_eq!(send(&host, "GET", &old, &[], b"").await.body, b"pixels");
    discord.expire_links();
    let gone = send(&host, "GET", &old, &[], b"").await;
    assert_eq!((gone.status, gone.body.as_slice()), (404, b"This content is no longer available.".as_slice()));
    let fresh = link(discord.call("GET", &path, Value::Null).await.json());
    assert_eq!(send(&host, "GET", &fresh, &[], b"").await.body, b"pixels");
    let resized = fresh.clone() + "width=640&height=480&format=jpeg";
    let media = discord.file_hosts()[1].clone();
    assert_eq!(send(&media, "GET", &resized, &[], b"").await.status, 200);
    assert_eq!(send(&media, "GET", &(fresh + "size=9"), &[], b"").await.status, 400);
    assert_eq!(discord.violations().len(), 1);
}

#[tokio::test]
async fn commands_are_checked() {
    let discord = discord().await;
    let path = format!("/applications/{}/commands", discord.bot());
    let reply = discord.call("PUT", &path, commands()).await;
    let first = reply.json()[0].clone();
    assert!(first["id"].is_string() && first["version"].is_string());
    assert_eq!(first["type"], 1);
    let upper = json!([{ "name": "Songs", "description": "x" }]);
    let empty = json!([{ "name": "songs", "description": "" }]);
    let told = json!([{ "name": "songs", "type": 3, "description": "x" }]);
    let locale = json!([{ "name": "songs", "description": "x", "name_localizations": { "en": "songs" } }]);
    let order = json!([{ "name": "songs", "description": "x", "options": [
        { "name": "a", "description": "x", "type": 3 }, { "name": "b", "description": "x", "type": 3, "required": true }
    ]}]);
    let twice = json!([{ "name": "a", "description": "x" }, { "name": "a", "description": "y" }]);
    for wrong in [upper, empty, told, locale, order, twice] {
        check(&discord.call("PUT", &path, wrong).await, 400, 50_035);
    }
}
