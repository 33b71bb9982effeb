//! Both fakes, the program between them, and the people before its doors.

use std::sync::Arc;
use std::time::{Duration, Instant};

use image2song_fakes::discord::world::Options;
use image2song_fakes::discord::{Discord, TOKEN};
use image2song_fakes::telegram::Telegram;

use crate::doors::Door;
use crate::figures::{Came, Figures};
use crate::photos::{Choice, Photos};
use crate::program::Program;

/// How long the last answers of a round are waited for.
const SETTLE: Duration = Duration::from_secs(30);

/// All of it.
pub struct World {
    pub telegram: Arc<Telegram>,
    pub discord: Arc<Discord>,
    pub program: Program,
    pub dir: tempfile::TempDir,
    variables: Vec<(String, String)>,
}

impl World {
    /// Starts everything; the program gets these variables besides.
    pub async fn start(extra: &[(&str, &str)]) -> World {
        let telegram = Arc::new(Telegram::start().await);
        let options = Options { identify_spacing: Duration::ZERO, ..Options::default() };
        let discord = Arc::new(Discord::start_with(options).await.expect("loopback has free ports"));
        let hosts = discord.file_hosts().map(|host| format!("http://{host}")).join(",");
        let (telegram_url, discord_url) = (telegram.url(), discord.api_url());
        let own = [
            ("TELEGRAM_TOKEN", telegram.token()),
            ("IMAGE2SONG_TELEGRAM__API_URL", &telegram_url),
            ("DISCORD_TOKEN", TOKEN),
            ("IMAGE2SONG_DISCORD__API_URL", &discord_url),
            ("IMAGE2SONG_DISCORD__DOWNLOAD_HOSTS", &hosts),
        ];
        let variables: Vec<(String, String)> =
            own.iter().chain(extra).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let dir = tempfile::tempdir().expect("there is room for a store");
        let program = Program::start(dir.path(), &variables).await;
        discord.wait_for_commands().await;
        World { telegram, discord, program, dir, variables }
    }

    /// Kills the program and starts it on the same store.
    pub async fn kill_and_start(&mut self) {
        let next = || Program::start(self.dir.path(), &self.variables);
        // The store is locked until the old one has ended.
        self.program.end();
        self.program = next().await;
        self.discord.wait_for_session().await;
    }

    /// What either platform would not have stood.
    pub fn violations(&self) -> Vec<String> {
        let mut all = self.telegram.violations();
        all.extend(self.discord.violations());
        all
    }
}

/// Asks at an even rate, whatever becomes of it. Gives how late the latest question was, in ms: a machine that is too
/// busy to ask is told of.
pub async fn drive(door: &mut dyn Door, photos: &mut Photos, choice: Choice, per_s: f64, time: Duration) -> f64 {
    let (began, mut n_asked, mut latest) = (Instant::now(), 0_u32, 0.0_f64);
    loop {
        let due = began + Duration::from_secs_f64(f64::from(n_asked) / per_s);
        if due >= began + time {
            return latest;
        }
        tokio::time::sleep_until(due.into()).await;
        latest = latest.max(due.elapsed().as_secs_f64() * 1000.0);
        door.ask(photos.next(choice));
        n_asked += 1;
    }
}

/// Waits until everybody has an answer, or for as long as it makes sense.
pub async fn settle(door: &dyn Door) -> Figures {
    let deadline = Instant::now() + SETTLE;
    loop {
        let figures = Figures(door.outcomes());
        if figures.n(Came::Nothing) == 0 || Instant::now() > deadline {
            return figures;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}
