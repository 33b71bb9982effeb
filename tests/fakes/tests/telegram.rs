//! The stand-in for Telegram behaves as the real server does towards a client that is not ours.

use std::time::Duration;

use image2song_fakes::telegram::Telegram;
use image2song_fakes::telegram::fault::Fault;
use image2song_fakes::telegram::incoming::Incoming;
use image2song_fakes::telegram::people::{ChatId, User};
use teloxide::net::Download;
use teloxide::payloads::setters::*;
use teloxide::prelude::{Bot, Requester};
use teloxide::types::{
    AllowedUpdate, CallbackQueryId, ChatId as Id, FileId, InputFile, MessageId, ParseMode, ReplyParameters, Update,
    UpdateKind,
};
use teloxide::{ApiError, RequestError};

const SOON: Duration = Duration::from_secs(5);

/// The smallest file that says of itself that it is a JPEG of 640 × 480.
fn jpeg() -> Vec<u8> {
    [&[0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, 1, 0xE0, 2, 0x80][..], &[0; 12], &[0xFF, 0xD9]].concat()
}

async fn start() -> (Telegram, Bot, User, ChatId) {
    let telegram = Telegram::start().await;
    let bot = Bot::new(telegram.token()).set_api_url(telegram.url().parse().unwrap());
    let user = User::with_language(42, "Ada", "de");
    let chat = telegram.private(&user);
    (telegram, bot, user, chat)
}

async fn poll(bot: &Bot, offset: i32) -> Vec<Update> {
    bot.get_updates().offset(offset).timeout(1).await.unwrap()
}

#[tokio::test]
async fn updates_stay_until_an_offset_confirms_them() {
    let (telegram, bot, user, chat) = start().await;
    for text in ["a", "b", "c"] {
        telegram.command(chat, &user, text);
    }
    let first = poll(&bot, 0).await;
    assert_eq!(first.len(), 3);
    assert_eq!(telegram.n_pending_updates(), 3);
    let last = first[2].id.0 as i32;
    assert_eq!(poll(&bot, last).await.len(), 1);
    assert_eq!(telegram.n_pending_updates(), 1);
    assert_eq!(bot.get_updates().offset(last + 1).limit(1).timeout(0).await.unwrap().len(), 0);
    assert_eq!(telegram.n_pending_updates(), 0);
    for text in ["d", "e"] {
        telegram.command(chat, &user, text);
    }
    assert_eq!(bot.get_updates().offset(-1).await.unwrap().len(), 1);
    assert_eq!(telegram.n_pending_updates(), 1);
}

#[tokio::test]
async fn a_long_poll_returns_with_the_message() {
    let (telegram, bot, user, chat) = start().await;
    let polling = tokio::spawn(async move { bot.get_updates().timeout(10).await.unwrap() });
    telegram.wait_for("poll", SOON, |telegram| telegram.calls("getUpdates").first().cloned()).await;
    telegram.photo(chat, &user, &jpeg(), "look");
    let updates = polling.await.unwrap();
    let UpdateKind::Message(message) = &updates[0].kind else { panic!("{updates:?}") };
    let sizes: Vec<(u32, u32)> = message.photo().unwrap().iter().map(|size| (size.width, size.height)).collect();
    assert_eq!(sizes, [(90, 67), (320, 240), (640, 480)]);
    assert_eq!(message.caption(), Some("look"));
    assert_eq!(message.from.as_ref().unwrap().language_code.as_deref(), Some("de"));
}

#[tokio::test]
async fn the_second_poll_throws_out_the_first() {
    let (telegram, bot, ..) = start().await;
    let first = tokio::spawn(async move { bot.get_updates().timeout(10).await });
    telegram.wait_for("poll", SOON, |telegram| telegram.calls("getUpdates").first().cloned()).await;
    let other = Bot::new(telegram.token()).set_api_url(telegram.url().parse().unwrap());
    assert!(other.get_updates().timeout(0).await.unwrap().is_empty());
    let error = first.await.unwrap().unwrap_err();
    assert!(matches!(error, RequestError::Api(ApiError::TerminatedByOtherGetUpdates)), "{error}");
    assert_eq!(telegram.violations(), ["two getUpdates at once"]);
}

#[tokio::test]
async fn the_kinds_asked_for_are_remembered() {
    let (telegram, bot, user, chat) = start().await;
    let sent = bot.send_message(Id(chat.0), "hello").await.unwrap();
    let id = i64::from(sent.id.0);
    assert!(!telegram.react(chat, &user, id, &["👍"]));
    let kinds = [AllowedUpdate::Message, AllowedUpdate::MessageReaction];
    bot.get_updates().limit(1).timeout(0).allowed_updates(kinds).await.unwrap();
    bot.get_updates().limit(1).timeout(0).await.unwrap();
    assert!(telegram.react(chat, &user, id, &["👎", "🔥"]));
    let updates = bot.get_updates().timeout(1).await.unwrap();
    let UpdateKind::MessageReaction(reaction) = &updates[0].kind else { panic!("{updates:?}") };
    assert_eq!((reaction.old_reaction.len(), reaction.new_reaction.len()), (1, 2));
    bot.get_updates().limit(1).timeout(0).allowed_updates([]).await.unwrap();
    assert_eq!(telegram.allowed_updates(), None);
}

#[tokio::test]
async fn refusals_have_the_real_words() {
    let (telegram, bot, user, chat) = start().await;
    let id = Id(chat.0);
    let text = |error: RequestError| error.to_string();
    let long = bot.send_message(id, "x".repeat(4097)).await.unwrap_err();
    assert!(matches!(long, RequestError::Api(ApiError::MessageIsTooLong)), "{long}");
    let entities = bot.send_message(id, "a <3 b").parse_mode(ParseMode::Html).await.unwrap_err();
    assert!(matches!(entities, RequestError::Api(ApiError::CantParseEntities(_))), "{entities}");
    let chat_error = bot.send_message(Id(7), "x").await.unwrap_err();
    assert!(matches!(chat_error, RequestError::Api(ApiError::ChatNotFound)), "{chat_error}");
    let reply = bot.send_message(id, "x").reply_parameters(ReplyParameters::new(MessageId(999))).await.unwrap_err();
    assert!(matches!(reply, RequestError::Api(ApiError::MessageToReplyNotFound)), "{reply}");
    let lenient = ReplyParameters::new(MessageId(999)).allow_sending_without_reply();
    bot.send_message(id, "x").reply_parameters(lenient).await.unwrap();
    let sent = telegram.wait_for_message(SOON).await;
    let same = bot.edit_message_text(id, MessageId(sent.id as i32), "x").await.unwrap_err();
    assert!(matches!(same, RequestError::Api(ApiError::MessageNotModified)), "{same}");
    let query = telegram.press_long_ago(chat, &user, sent.id, "v1");
    let old = text(bot.answer_callback_query(CallbackQueryId(query)).await.unwrap_err());
    assert!(old.contains("query is too old and response timeout expired or query ID is invalid"), "{old}");
    telegram.refuse_in(chat, 403, "Forbidden: bot was blocked by the user");
    let blocked = bot.send_message(id, "x").await.unwrap_err();
    assert!(matches!(blocked, RequestError::Api(ApiError::BotBlocked)), "{blocked}");
    let foreign =
        Bot::new("110201543:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA").set_api_url(telegram.url().parse().unwrap());
    let unauthorized = foreign.get_me().await.unwrap_err();
    assert!(matches!(unauthorized, RequestError::Api(ApiError::InvalidToken)), "{unauthorized}");
    assert_eq!(telegram.violations(), [""; 0]);
}

#[tokio::test]
async fn a_flooded_chat_stays_closed() {
    let (telegram, bot, user, chat) = start().await;
    let other = telegram.private(&User::new(43, "Bo"));
    telegram.fail("sendMessage", Fault::TooManyRequests { retry_after: 2 });
    let flooded = bot.send_message(Id(chat.0), "x").await.unwrap_err();
    assert!(matches!(flooded, RequestError::RetryAfter(seconds) if seconds.seconds() == 2), "{flooded}");
    bot.send_message(Id(other.0), "x").await.unwrap();
    tokio::time::sleep(Duration::from_millis(400)).await;
    assert!(bot.send_message(Id(chat.0), "x").await.is_err());
    assert_eq!(telegram.violations().len(), 1, "{user:?}");
    tokio::time::sleep(Duration::from_millis(1700)).await;
    bot.send_message(Id(chat.0), "x").await.unwrap();
}

#[tokio::test]
async fn files_are_fetched_by_paths_with_encoded_slashes() {
    let (telegram, bot, user, chat) = start().await;
    telegram.document(chat, &user, "a.jpg", "image/jpeg", &jpeg());
    telegram.post(chat, &user, &Incoming::document("b.jpg", "image/jpeg", b"x").of_size((20 << 20) + 1));
    let updates = poll(&bot, 0).await;
    let file_id = |idx: usize| -> FileId {
        let UpdateKind::Message(message) = &updates[idx].kind else { panic!("{updates:?}") };
        message.document().unwrap().file.id.clone()
    };
    let file = bot.get_file(file_id(0)).await.unwrap();
    let mut bytes = Vec::new();
    bot.download_file(&file.path, &mut bytes).await.unwrap();
    assert_eq!(bytes, jpeg());
    assert!(telegram.downloads()[0].raw_path.starts_with("documents%2F"));
    let large = bot.get_file(file_id(1)).await.unwrap_err().to_string();
    assert!(large.contains("file is too big"), "{large}");
    let unknown = bot.get_file(FileId("nothing".to_owned())).await.unwrap_err().to_string();
    assert!(unknown.contains("wrong file_id or the file is temporarily unavailable"), "{unknown}");
}

#[tokio::test]
async fn privacy_mode_keeps_back_what_is_not_for_the_bot() {
    let (telegram, bot, user, _) = start().await;
    let group = telegram.supergroup("Friends");
    let is_delivered = |incoming: &Incoming| telegram.post(group, &user, incoming).is_delivered;
    assert!(!is_delivered(&Incoming::text("hello")));
    assert!(!is_delivered(&Incoming::text("@image2song_bot hello")));
    assert!(!is_delivered(&Incoming::photo(&jpeg()).caption("@image2song_bot")));
    assert!(is_delivered(&Incoming::photo(&jpeg()).caption("/songs@image2song_bot")));
    assert!(is_delivered(&Incoming::text("héé 🎵 /songs")));
    assert!(!is_delivered(&Incoming::text("/songs@other_bot")));
    telegram.post(group, &User::bot(5, "other_bot"), &Incoming::text("beep"));
    assert!(!is_delivered(&Incoming::text("/songs")));
    let sent = bot.send_message(Id(group.0), "x").await.unwrap();
    assert!(is_delivered(&Incoming::text("thanks").reply_to(sent.id.0.into())));
    telegram.let_bot_read_all();
    assert!(is_delivered(&Incoming::text("hello")));
    assert!(bot.get_me().await.unwrap().can_read_all_group_messages);
}

#[tokio::test]
async fn a_migrated_group_names_its_successor() {
    let (telegram, bot, user, _) = start().await;
    let old = telegram.group("Friends");
    telegram.join(old, &user, "creator");
    let new = telegram.migrate(old);
    let error = bot.send_message(Id(old.0), "x").await.unwrap_err();
    assert!(matches!(error, RequestError::MigrateToChatId(id) if id == Id(new.0)), "{error}");
    let member = bot.get_chat_member(Id(new.0), teloxide::types::UserId(42)).await.unwrap();
    assert!(member.is_owner());
    let updates = poll(&bot, 0).await;
    let UpdateKind::Message(message) = &updates[0].kind else { panic!("{updates:?}") };
    assert_eq!(message.migrate_to_chat_id(), Some(&Id(new.0)));
}

#[tokio::test]
async fn topics_are_checked() {
    let (telegram, bot, user, _) = start().await;
    let forum = telegram.forum("Forum", &[17]);
    let thread = |id: i32| teloxide::types::ThreadId(MessageId(id));
    let general = bot.send_message(Id(forum.0), "x").message_thread_id(thread(1)).await.unwrap_err().to_string();
    assert!(general.contains("message thread not found"), "{general}");
    bot.send_message(Id(forum.0), "x").message_thread_id(thread(17)).await.unwrap();
    let posted = telegram.post(forum, &user, &Incoming::text("/songs").topic(17));
    bot.send_message(Id(forum.0), "y")
        .reply_parameters(ReplyParameters::new(MessageId(posted.id as i32)))
        .await
        .unwrap();
    assert_eq!(telegram.messages()[1].topic, Some(17));
    telegram.close_topic(forum, 17);
    let closed = bot.send_message(Id(forum.0), "x").message_thread_id(thread(17)).await.unwrap_err().to_string();
    assert!(closed.contains("TOPIC_CLOSED"), "{closed}");
}

#[tokio::test]
async fn photos_come_as_forms() {
    let (telegram, bot, _, chat) = start().await;
    let photo = |bytes: Vec<u8>| bot.send_photo(Id(chat.0), InputFile::memory(bytes).file_name("why.jpg"));
    photo(jpeg()).caption("<b>why</b>").parse_mode(ParseMode::Html).await.unwrap();
    let sent = telegram.wait_for_message(SOON).await;
    assert_eq!((sent.text.as_str(), sent.photo.as_deref()), ("why", Some(jpeg().as_slice())));
    let nonsense = photo(b"nonsense".to_vec()).await.unwrap_err().to_string();
    assert!(nonsense.contains("IMAGE_PROCESS_FAILED"), "{nonsense}");
    let long = photo(jpeg()).caption("x".repeat(1025)).await.unwrap_err().to_string();
    assert!(long.contains("caption is too long"), "{long}");
}

#[tokio::test]
async fn connections_break_and_gateways_fail() {
    let (telegram, bot, _, chat) = start().await;
    telegram.fail("sendMessage", Fault::Cut);
    assert!(matches!(bot.send_message(Id(chat.0), "x").await, Err(RequestError::Network(_))));
    assert!(telegram.messages().is_empty());
    telegram.fail("sendMessage", Fault::LoseAnswer);
    assert!(matches!(bot.send_message(Id(chat.0), "x").await, Err(RequestError::Network(_))));
    assert_eq!(telegram.messages().len(), 1);
    telegram.fail("getMe", Fault::BadGateway);
    // The client waits ten seconds before it tells of such a failure, so it is asked directly.
    let url = format!("{}/bot{}/GetMe", telegram.url(), telegram.token());
    let answer = bot.client().get(url).send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 502);
    assert!(answer.text().await.unwrap().starts_with("<html>"));
}

#[tokio::test]
async fn what_the_server_takes_silently_is_noted() {
    let (telegram, bot, user, chat) = start().await;
    let url = format!("{}/bot{}/sendMessage", telegram.url(), telegram.token());
    let body = format!(r#"{{"chat_id":{},"text":"x","disable_web_page_preview":true}}"#, chat.0);
    let post = bot.client().post(url).header("content-type", "application/json").body(body);
    assert_eq!(post.send().await.unwrap().status().as_u16(), 200);
    let link = "<a href=\"https://e.org\">x</a>";
    bot.send_message(Id(chat.0), link).parse_mode(ParseMode::Html).await.unwrap();
    let query = telegram.press(chat, &user, 1, "v1");
    bot.answer_callback_query(CallbackQueryId(query.clone())).await.unwrap();
    assert!(bot.answer_callback_query(CallbackQueryId(query.clone())).await.is_err());
    assert_eq!(
        telegram.violations(),
        [
            "sendMessage has no parameter disable_web_page_preview".to_owned(),
            "a text with links and without link_preview_options.is_disabled".to_owned(),
            format!("query {query} was answered twice"),
        ]
    );
}

#[tokio::test]
async fn updates_are_pushed_to_a_webhook() {
    let (telegram, bot, user, chat) = start().await;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, mut seen) = tokio::sync::mpsc::unbounded_channel();
    let receive = move |headers: axum::http::HeaderMap, body: String| {
        let _ = sender.send((headers.get("x-telegram-bot-api-secret-token").cloned(), body));
        async {}
    };
    let router = axum::Router::new().route("/hook", axum::routing::post(receive));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let insecure = bot.set_webhook("http://example.org/hook".parse().unwrap()).await.unwrap_err();
    assert!(insecure.to_string().contains("HTTPS"), "{insecure}");
    let url = format!("http://{address}/hook").parse().unwrap();
    bot.set_webhook(url).secret_token("s-1").await.unwrap();
    telegram.command(chat, &user, "hello");
    telegram.wait_until_confirmed(SOON).await;
    let (secret, body) = seen.recv().await.unwrap();
    assert_eq!(secret.unwrap(), "s-1");
    assert!(body.contains("\"hello\""));
    let conflict = bot.get_updates().await.unwrap_err().to_string();
    assert!(conflict.contains("while webhook is active"), "{conflict}");
    bot.delete_webhook().await.unwrap();
    assert!(bot.get_updates().timeout(0).await.unwrap().is_empty());
}
