//! A running adapter between a stand-in for Telegram and a fake core.

use std::io::Write;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};
use std::time::Duration;

use image2song_contract::fake::FakeBot;
use image2song_contract::health::Health;
use image2song_contract::place::Platform;
use image2song_contract::supervise::{End, Policy};
use image2song_fakes::telegram::Telegram;
use image2song_fakes::telegram::people::{ChatId, User};
use image2song_fakes::telegram::record::BotMessage;
use image2song_telegram::config::{Config, Secret};
use image2song_telegram::run;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// Long enough for a machine that does other things.
pub const SOON: Duration = Duration::from_secs(30);
/// Long enough for a second answer that must not come.
pub const QUIET: Duration = Duration::from_millis(700);

/// All that was logged by all tests of this program, at the finest level.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap_or_else(PoisonError::into_inner)).into_owned()
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

pub static LOG: LazyLock<Log> = LazyLock::new(|| {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt().with_max_level(tracing::Level::TRACE).with_ansi(false);
    subscriber.with_writer(move || writer.clone()).try_init().unwrap();
    log
});

pub struct World {
    pub telegram: Telegram,
    pub core: Arc<FakeBot>,
    pub health: Arc<Health>,
    pub ada: User,
    /// Ada's private chat.
    pub chat: ChatId,
    pub config: Config,
    stop: watch::Sender<bool>,
    running: Option<(Runtime, JoinHandle<End>)>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((runtime, _)) = self.running.take() {
            runtime.shutdown_background();
        }
    }
}

impl World {
    /// Everything runs.
    pub async fn start() -> World {
        let mut world = World::prepare().await;
        world.run();
        world
    }

    /// Everything but the adapter runs.
    pub async fn prepare() -> World {
        LazyLock::force(&LOG);
        let telegram = Telegram::start().await;
        let ada = User::with_language(42, "Ada-Private-Name", "en");
        let chat = telegram.private(&ada);
        let mut config = Config::polling(Secret::new(telegram.token()), "1.2.3");
        config.api_url = telegram.url();
        config.policy = Policy { first_pause: Duration::from_millis(50), ..Policy::default() };
        let health = Health::new(Platform::Telegram);
        let core = Arc::new(FakeBot::default());
        World { telegram, core, health, ada, chat, config, stop: watch::Sender::new(false), running: None }
    }

    /// Starts the adapter, in a runtime of its own as in a process of its own.
    pub fn run(&mut self) {
        self.stop.send_replace(false);
        let (config, health, stop) = (self.config.clone(), Arc::clone(&self.health), self.stop.subscribe());
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let running = runtime.spawn(run::run(config, self.core.clone(), health, stop));
        self.running = Some((runtime, running));
    }

    /// Stops the adapter as a signal does.
    pub async fn stop(&mut self) -> End {
        self.stop.send_replace(true);
        self.end().await
    }

    /// Waits until the adapter ends by itself.
    pub async fn end(&mut self) -> End {
        let (runtime, running) = self.running.take().expect("it runs");
        let end = running.await.expect("it does not panic");
        runtime.shutdown_background();
        end
    }

    /// Ends the adapter at once, as a crash does: nothing is finished, nothing confirmed.
    pub fn crash(&mut self) {
        let (runtime, _) = self.running.take().expect("it runs");
        runtime.shutdown_background();
    }

    pub async fn message(&self) -> BotMessage {
        self.telegram.wait_for_message(SOON).await
    }

    /// Asks with a photo in private and gives the answer.
    pub async fn asked(&self) -> BotMessage {
        self.telegram.photo(self.chat, &self.ada, &jpeg(640, 480), "");
        self.message().await
    }

    /// Presses a button and gives the words that pop up.
    pub async fn press(&self, from: &User, message: &BotMessage, button: &str) -> String {
        let data = message.button(button).data.clone().expect("a button that can be pressed");
        let query = self.telegram.press(message.chat, from, message.id, &data);
        self.telegram.wait_for_answer(&query, SOON).await.answer.unwrap_or_default()
    }

    /// Waits until all receipts are closed.
    pub async fn wait_until_closed(&self, n: usize) {
        self.telegram
            .wait_for("closed receipts", SOON, |_| {
                let seen = self.core.seen();
                let n_closed = seen.receipts.values().filter(|(_, is_closed)| *is_closed).count();
                (n_closed == n && seen.receipts.len() == n).then_some(())
            })
            .await;
    }

    /// No rule was broken.
    #[track_caller]
    pub fn check(&self) {
        assert_eq!(self.telegram.violations(), [""; 0]);
    }
}

/// The smallest file that says of itself that it is a JPEG of this size.
pub fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let [h1, h0] = height.to_be_bytes();
    let [w1, w0] = width.to_be_bytes();
    [&[0xFF, 0xD8, 0xFF, 0xC0, 0, 17, 8, h1, h0, w1, w0][..], &[0; 12], &[0xFF, 0xD9]].concat()
}
