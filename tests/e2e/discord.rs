//! The Discord bot of the real program, against the strict stand-in for Discord.

use std::fs;

use image2song_fakes::discord::ids::{Channel, User};
use image2song_fakes::discord::post::{Photo, Slash};
use image2song_fakes::discord::record::{Act, Posted};
use image2song_fakes::discord::world::Options;
use image2song_fakes::discord::{Discord, TOKEN};

use crate::program::{fixture_path, has_model};
use crate::serving::Serving;

/// A program's world: a channel with one person.
pub struct World {
    pub discord: Discord,
    pub ada: User,
    pub channel: Channel,
    dir: tempfile::TempDir,
}

impl World {
    pub async fn new() -> World {
        let options = Options { identify_spacing: std::time::Duration::ZERO, ..Options::default() };
        let discord = Discord::start_with(options).await.unwrap();
        let (ada, channel) = (discord.person("Ada-Private-Name"), discord.channel());
        World { discord, ada, channel, dir: tempfile::tempdir().unwrap() }
    }

    pub async fn serve(&self) -> Serving {
        let hosts = self.discord.file_hosts().map(|host| format!("http://{host}")).join(",");
        let variables = [
            ("DISCORD_TOKEN", TOKEN),
            ("IMAGE2SONG_DISCORD__API_URL", &self.discord.api_url()),
            ("IMAGE2SONG_DISCORD__DOWNLOAD_HOSTS", &hosts),
        ];
        let serving = Serving::start(self.dir.path(), &variables);
        self.discord.wait_for_commands().await;
        serving
    }

    pub fn photo(name: &str) -> Photo {
        Photo::jpeg(name, fs::read(fixture_path(name)).unwrap())
    }

    async fn slash(&self, name: &str) -> Posted {
        let slash = Slash::new("songs").photo("photo", World::photo(name)).value("hint", "calm-private-hint");
        self.discord.slash(self.channel, self.ada, slash);
        self.discord.next_message().await
    }

    pub async fn press(&self, message: &Posted, button: &str) -> Posted {
        let id = message.custom_id(button).unwrap_or_else(|| panic!("no {button}: {:?}", message.buttons()));
        self.discord.press(message.id, self.ada, &id);
        self.discord.next_message().await
    }

    /// Waits until the program's connection has ended, so that nothing is told to a dead one.
    async fn disconnected(&self) {
        self.discord
            .wait("end of the connection", |world| {
                world.sessions.values().all(|session| session.outlet.is_none()).then_some(())
            })
            .await;
    }
}

/// Titles of an answer's songs.
fn titles(message: &Posted) -> Vec<String> {
    let fields = message.embeds.iter().filter_map(|embed| embed["fields"].as_array()).flatten();
    let names = fields.filter_map(|field| field["name"].as_str()?.split_once(". "));
    names.map(|(_, title)| title.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_photo_gets_songs_whose_buttons_outlive_a_restart() {
    if !has_model() {
        return;
    }
    let world = World::new().await;
    let serving = world.serve().await;
    let answer = world.slash("beach_sunset.jpg").await;
    assert_eq!(titles(&answer).len(), 5, "{}", answer.all_text());
    assert_ne!(world.press(&answer, "👍 1").await.text, "");
    let mention = format!("{} calm", world.discord.mention());
    let asked = world.discord.say(world.channel, world.ada, &mention, vec![World::photo("forest.jpg")]);
    assert_eq!(world.discord.next_message().await.reply_to, Some(asked));
    assert!(serving.stop().success());
    world.disconnected().await;

    let serving = world.serve().await;
    assert_eq!(world.press(&answer, "👍 1").await.text, "Taken back.");
    let more = world.press(&answer, "More").await;
    assert!(titles(&more).iter().all(|title| !titles(&answer).contains(title)), "{}", more.all_text());
    let target = world.discord.say(world.channel, world.ada, "", vec![World::photo("stage.jpg")]);
    world.discord.message_command("Suggest songs", world.ada, target, "de");
    let german = world.discord.next_message().await;
    let why = world.press(&german, "Warum?").await;
    assert!(why.files[0].bytes.starts_with(b"\x89PNG") && why.files[0].alt.is_some());
    world.discord.press(answer.id, world.ada, &answer.custom_id("Delete").unwrap());
    world.discord.next_act("delete", |_, act| (*act == Act::Deleted(answer.id)).then_some(())).await;
    world.discord.drop_sockets();
    assert_eq!(titles(&world.slash("portrait.jpg").await).len(), 5);
    assert_eq!(world.discord.n_acts(|act| matches!(act, Act::Commands(_))), 1);
    let log = serving.log();
    for secret in [TOKEN, "Ada-Private-Name", "calm-private-hint", "aW50ZXJhY3Rpb24", "/attachments/"] {
        assert!(!log.contains(secret), "{secret} is in the log");
    }
    assert!(serving.stop().success());
    assert_eq!(world.discord.violations(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_power_cut_loses_no_question() {
    if !has_model() {
        return;
    }
    let world = World::new().await;
    let mut serving = world.serve().await;
    for _ in 0..3 {
        let is_typing = |act: &Act| matches!(act, Act::Typing(_));
        let n_typing = world.discord.n_acts(is_typing);
        let mention = world.discord.mention();
        let asked = world.discord.say(world.channel, world.ada, &mention, vec![World::photo("stage.jpg")]);
        // Typing begins after the question was journaled; one that the gateway never delivered could not be answered.
        while world.discord.n_acts(is_typing) == n_typing {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
        }
        serving.kill();
        world.disconnected().await;
        serving = world.serve().await;
        // A cut between an answer and the note that it was given may repeat it; none may be missing.
        world
            .discord
            .wait("answer", |world| {
                let answers = world.messages.values().filter(|it| it.author == world.bot);
                answers.into_iter().any(|it| it.reply_to.is_some_and(|(to, _)| to == asked)).then_some(())
            })
            .await;
    }
    assert!(serving.stop().success());
}
