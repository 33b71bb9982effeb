//! The Telegram bot of the real program, against the strict stand-in for Telegram.

use std::fs;
use std::path::Path;
use std::time::Duration;

use image2song_fakes::telegram::Telegram;
use image2song_fakes::telegram::people::{ChatId, User};
use image2song_fakes::telegram::record::BotMessage;

use crate::program::{fixture_path, has_model};
use crate::serving::Serving;

/// Loading the model takes its time on a machine that does other things.
const SOON: Duration = Duration::from_secs(120);

/// A program's world: a private chat with one person.
pub struct World {
    telegram: Telegram,
    ada: User,
    chat: ChatId,
    dir: tempfile::TempDir,
}

impl World {
    pub async fn new() -> World {
        let telegram = Telegram::start().await;
        let ada = User::with_language(42, "Ada-Private-Name", "en");
        let chat = telegram.private(&ada);
        World { telegram, ada, chat, dir: tempfile::tempdir().unwrap() }
    }

    pub fn serve(&self) -> Serving {
        let url = self.telegram.url();
        Serving::start(
            self.dir.path(),
            &[("TELEGRAM_TOKEN", self.telegram.token()), ("IMAGE2SONG_TELEGRAM__API_URL", &url)],
        )
    }

    pub fn photo(&self, name: &str, caption: &str) -> i64 {
        let jpeg = fs::read(fixture_path(name)).unwrap();
        self.telegram.photo(self.chat, &self.ada, &jpeg, caption).id
    }

    pub async fn message(&self) -> BotMessage {
        self.telegram.wait_for_message(SOON).await
    }

    async fn press(&self, message: &BotMessage, button: &str) -> String {
        let data = message.button(button).data.clone().unwrap();
        let query = self.telegram.press(message.chat, &self.ada, message.id, &data);
        self.telegram.wait_for_answer(&query, SOON).await.answer.unwrap_or_default()
    }
}

/// Titles of an answer's songs: the lines that start with their rank.
fn titles(message: &BotMessage) -> Vec<String> {
    let title = |line: &str| Some(line.split_once(". ")?.1.split(" · ").next()?.to_owned());
    let is_song = |line: &&str| line.starts_with(|c: char| c.is_ascii_digit());
    message.text.lines().filter(is_song).filter_map(title).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_gets_songs_whose_buttons_outlive_a_restart() {
    if !has_model() {
        return;
    }
    let world = World::new().await;
    let serving = world.serve();
    let asked = world.photo("beach_sunset.jpg", "calm");
    let answer = world.message().await;
    assert_eq!(answer.reply_to, Some(asked));
    assert_eq!(titles(&answer).len(), 5, "{}", answer.text);
    assert!(answer.links.iter().all(|link| link.starts_with("https://")) && answer.links.len() >= 15);
    assert_ne!(world.press(&answer, "👍 1").await, "");
    assert!(serving.stop().success());
    assert_eq!(world.telegram.n_pending_updates(), 0);

    let serving = world.serve();
    assert_eq!(world.press(&answer, "👍 1").await, "Taken back.");
    world.press(&answer, "More").await;
    let more = world.message().await;
    assert!(titles(&more).iter().all(|title| !titles(&answer).contains(title)), "{}", more.text);
    world.press(&answer, "Why?").await;
    let why = world.message().await;
    assert!(why.photo.is_some() && why.text.starts_with("Why these songs"), "{}", why.text);
    assert_eq!(world.press(&answer, "Delete").await, "Gone.");
    let gone = |telegram: &Telegram| telegram.message(world.chat, answer.id).filter(|message| message.is_deleted);
    world.telegram.wait_for("deletion", SOON, gone).await;
    let log = serving.log();
    let key = world.telegram.token().split_once(':').unwrap().1;
    for secret in [key, "Ada-Private-Name", "calm", "AgAC"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(serving.stop().success());
    assert_eq!(world.telegram.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_no_question() {
    if !has_model() {
        return;
    }
    let world = World::new().await;
    let mut serving = world.serve();
    world.photo("forest.jpg", "");
    world.message().await;
    for n_ms in [0, 30, 120] {
        let n_downloads = world.telegram.downloads().len();
        let asked = world.photo("stage.jpg", "");
        world
            .telegram
            .wait_for("download", SOON, |telegram| (telegram.downloads().len() > n_downloads).then_some(()))
            .await;
        tokio::time::sleep(Duration::from_millis(n_ms)).await;
        serving.kill();
        serving = world.serve();
        // A cut between an answer and the note that it was given may double it; none may be missing.
        while world.message().await.reply_to != Some(asked) {}
    }
    // The answer may be from before the last cut; only a new one shows that the program is up to be stopped.
    let asked = world.photo("forest.jpg", "");
    while world.message().await.reply_to != Some(asked) {}
    assert!(serving.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn hostile_files_get_a_sentence_each() {
    if !has_model() {
        return;
    }
    let world = World::new().await;
    let serving = world.serve();
    let jpeg = fs::read(fixture_path("forest.jpg")).unwrap();
    for (name, bytes, part) in [
        ("cut.jpg", &jpeg[..jpeg.len() / 3], "incomplete"),
        ("text.jpg", &b"this is no photo at all"[..], "no photo I can open"),
        ("phone.heic", &b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"[..], "HEIC"),
    ] {
        world.telegram.document(world.chat, &world.ada, name, "image/jpeg", bytes);
        let message = world.message().await;
        assert!(message.text.contains(part), "{name}: {}", message.text);
    }
    world.photo("night_city.jpg", "");
    assert_eq!(titles(&world.message().await).len(), 5);
    assert!(serving.stop().success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refused_token_ends_the_program_with_advice() {
    if !has_model() {
        return;
    }
    let world = World::new().await;
    let url = world.telegram.url();
    let token = "110201543:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let variables = [("TELEGRAM_TOKEN", token), ("IMAGE2SONG_TELEGRAM__API_URL", url.as_str())];
    let mut serving = Serving::start(Path::new(world.dir.path()), &variables);
    assert_eq!(serving.wait().code(), Some(1));
    assert!(serving.log().contains("Telegram refuses the token"), "{}", serving.log());
    assert!(!serving.log().contains("AAAAAAAA"));
}
