//! A running adapter between a fake Discord and a fake core.

use std::sync::Arc;
use std::time::Duration;

use image2song_contract::fake::FakeBot;
use image2song_contract::fetch::{AllowedHost, FetchLimits, Fetcher};
use image2song_contract::health::Health;
use image2song_contract::place::Platform;
use image2song_contract::supervise::{End, Policy};
use image2song_discord::config::{Bounds, Config, Token};
use image2song_discord::run;
use image2song_fakes::discord::ids::{Channel, MessageId, User};
use image2song_fakes::discord::post::{Photo, Slash};
use image2song_fakes::discord::record::Posted;
use image2song_fakes::discord::world::Options;
use image2song_fakes::discord::{Discord, TOKEN};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// All that takes part.
pub struct Chat {
    pub discord: Arc<Discord>,
    pub core: Arc<FakeBot>,
    pub health: Arc<Health>,
    stop: watch::Sender<bool>,
    running: JoinHandle<End>,
}

/// As the real one, but that sessions may follow each other at once.
pub fn options() -> Options {
    Options { identify_spacing: Duration::ZERO, ..Options::default() }
}

/// Bounds that a test need not wait for.
fn bounds() -> Bounds {
    let ms = Duration::from_millis;
    Bounds {
        unready: ms(4000),
        look: ms(100),
        max_sessions: 5,
        sessions_within: Duration::from_secs(600),
        pause: ms(10),
        grace: ms(2000),
    }
}

pub fn config(discord: &Discord) -> Config {
    let mut config = Config::new(Token::new(TOKEN), "1.2.3");
    config.api_url = Some(discord.api_url());
    config.bounds = bounds();
    config
}

impl Chat {
    /// Connected, with commands registered.
    pub async fn start() -> Chat {
        Chat::start_with(options(), |_| {}).await
    }

    pub async fn start_with(options: Options, set: impl FnOnce(&mut Config)) -> Chat {
        let chat = Chat::begin(Arc::new(Discord::start_with(options).await.unwrap()), Arc::default(), set);
        chat.discord.wait_for_commands().await;
        chat
    }

    /// Started, but not yet connected.
    pub fn begin(discord: Arc<Discord>, core: Arc<FakeBot>, set: impl FnOnce(&mut Config)) -> Chat {
        let hosts = discord.file_hosts().map(|host| AllowedHost::parse(&format!("http://{host}")).unwrap());
        let limits = FetchLimits { max_bytes: 1 << 20, deadline: Duration::from_secs(10) };
        let fetcher = Fetcher::new(hosts.into(), limits).unwrap();
        let health = Health::new(Platform::Discord);
        let (stop, stopping) = watch::channel(false);
        let policy = Policy {
            max_silence: Duration::from_secs(10),
            first_pause: Duration::from_millis(50),
            max_pause: Duration::from_millis(200),
        };
        let mut config = config(&discord);
        set(&mut config);
        let running = tokio::spawn(run::run(config, core.clone(), fetcher, health.clone(), policy, stopping));
        Chat { discord, core, health, stop, running }
    }

    /// Stops the adapter; how it ended.
    pub async fn stop(self) -> End {
        self.stop.send(true).unwrap();
        self.ended().await
    }

    /// Waits until it ends by itself.
    pub async fn ended(self) -> End {
        tokio::time::timeout(Duration::from_secs(20), self.running).await.expect("it ends in time").unwrap()
    }

    /// Stops the adapter and starts another with the same core, as a restart of the program does.
    pub async fn restart(self) -> Chat {
        let (discord, core) = (self.discord.clone(), self.core.clone());
        assert_eq!(self.stop().await, End::Stopped);
        discord
            .wait("end of the connection", |world| {
                world.sessions.values().all(|session| session.outlet.is_none()).then_some(())
            })
            .await;
        let chat = Chat::begin(discord, core, |_| {});
        chat.discord.wait_for_session().await;
        chat
    }

    /// Waits until nothing is left open.
    pub async fn all_closed(&self) {
        while !self.core.seen().receipts.values().all(|(_, is_closed)| *is_closed) {
            self.discord.rest(Duration::from_millis(20)).await;
        }
    }

    /// Nothing was done that Discord would not stand.
    #[track_caller]
    pub fn check_clean(&self) {
        assert_eq!(self.discord.violations(), [""; 0]);
    }

    /// Somebody mentions the bot beside a photo.
    pub fn mention(&self, channel: Channel, user: User, text: &str) -> MessageId {
        let text = format!("{} {text}", self.discord.mention());
        self.discord.say(channel, user, &text, vec![photo("sea.jpg")])
    }

    /// An answer to a slash command by a new person in a new channel.
    pub async fn answered(&self) -> (Posted, User) {
        let user = self.discord.person("ann");
        self.discord.slash(self.discord.channel(), user, songs());
        (self.discord.next_message().await, user)
    }

    /// Presses the button whose label holds `label`; what is shown then.
    pub async fn press(&self, answer: &Posted, user: User, label: &str) -> Posted {
        let id = answer.custom_id(label).unwrap_or_else(|| panic!("no button {label}: {:?}", answer.buttons()));
        self.discord.press(answer.id, user, &id);
        self.discord.next_message_or_edit().await
    }
}

pub fn photo(name: &str) -> Photo {
    Photo::jpeg(name, *b"\xff\xd8\xff\xe0 a photo")
}

pub fn songs() -> Slash {
    Slash::new("songs").photo("photo", photo("sea.jpg"))
}

/// That a message is an answer of the fake core.
#[track_caller]
pub fn check_songs(message: &Posted) {
    let text = message.all_text();
    for part in ["1. Song", "5. Song", "The Fakes, 1999", "beach → surf, sand", "[Spotify](https://example.org/Spotify"]
    {
        assert!(text.contains(part), "{part} is missing in {text}");
    }
    let labels: Vec<String> = message.buttons().into_iter().map(|button| button.label).collect();
    let thumbs = ["👍 1", "👍 2", "👍 3", "👍 4", "👍 5", "👎 1", "👎 2", "👎 3", "👎 4", "👎 5"];
    assert_eq!(labels[..10], thumbs);
    assert_eq!(labels.len(), 13);
}
