//! Presses under load, compared with what the log holds after the end.

use std::collections::HashSet;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use image2song::feedback::event::Platform;
use image2song::feedback::ids::KeyHasher;
use image2song_fakes::telegram::Telegram;
use image2song_fakes::telegram::people::{ChatId, User};
use secrecy::SecretString;
use serde_json::Value;

use crate::program::USER_KEY;

/// Somebody who presses 👍 and 👎 under the newest answers.
pub struct Presser {
    telegram: Arc<Telegram>,
    pressed: Vec<String>,
    acknowledged: HashSet<String>,
    n_seen: usize,
}

/// What became of all presses.
pub struct Kept {
    pub n_pressed: usize,
    pub n_acknowledged: usize,
    /// Acknowledged, but not in the log.
    pub n_lost: usize,
    /// More than once in the log.
    pub n_doubled: usize,
    /// Events of presses in the log.
    pub n_logged: usize,
}

impl Presser {
    pub fn new(telegram: Arc<Telegram>) -> Presser {
        Presser { telegram, pressed: Vec::new(), acknowledged: HashSet::new(), n_seen: 0 }
    }

    /// Presses one button of the newest answer of somebody.
    pub fn press(&mut self, people: &[(User, ChatId)]) {
        self.n_seen += 1;
        let (person, chat) = &people[self.n_seen % people.len()];
        let messages = self.telegram.messages();
        let newest = messages.iter().rev().find(|message| message.chat == *chat && !message.keyboard.is_empty());
        let Some(message) = newest else { return };
        let vote = if self.n_seen.is_multiple_of(3) { "👎" } else { "👍" };
        let wanted = format!("{vote} {}", self.n_seen % 5 + 1);
        let data =
            message.buttons().find(|button| button.text.contains(&wanted)).and_then(|button| button.data.clone());
        if let Some(data) = data {
            self.pressed.push(self.telegram.press(*chat, person, message.id, &data));
        }
    }

    /// Notes which presses were answered with thanks.
    pub fn look(&mut self) {
        for query in &self.pressed {
            let is_thanked =
                |query: &str| self.telegram.query(query).is_some_and(|query| query.answer.is_some() && !query.is_alert);
            if !self.acknowledged.contains(query) && is_thanked(query) {
                self.acknowledged.insert(query.clone());
            }
        }
    }

    /// Waits until all presses are answered, or for as long as it makes sense.
    pub async fn settle(&mut self) {
        for _ in 0..150 {
            self.look();
            if self.acknowledged.len() == self.pressed.len() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }

    /// Compares with the log of a store that is not in use.
    pub fn compare(&self, store: &Path) -> Kept {
        let out = store.join("export.jsonl");
        let log = store.join("feedback");
        let status = Command::new(env!("CARGO_BIN_EXE_image2song"))
            .args(["feedback", "export", "--format", "jsonl", "--store"])
            .arg(log)
            .arg("--out")
            .arg(&out)
            .env("IMAGE2SONG_USER_KEY", USER_KEY)
            .status()
            .expect("the program can be started");
        assert!(status.success(), "the export failed");
        let text = fs::read_to_string(out).expect("the export was written");
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a line of an export is JSON"));
        let is_press = |event: &Value| matches!(event["kind"].as_str(), Some("up" | "down" | "retracted"));
        let ids: Vec<String> = lines
            .filter_map(|line| line.get("event").filter(|event| is_press(event))?["id"].as_str().map(str::to_owned))
            .collect();
        let logged: HashSet<&String> = ids.iter().collect();
        let hasher = KeyHasher::new(&SecretString::from(USER_KEY.to_owned()));
        let is_lost = |query: &&String| !logged.contains(&hasher.event(Platform::Telegram, query).to_text());
        Kept {
            n_pressed: self.pressed.len(),
            n_acknowledged: self.acknowledged.len(),
            n_lost: self.acknowledged.iter().filter(is_lost).count(),
            n_doubled: ids.len() - logged.len(),
            n_logged: logged.len(),
        }
    }
}

impl Kept {
    /// Prints it.
    pub fn print(&self) {
        println!(
            "    presses {}, acknowledged {}, in the log {}; acknowledged and lost {}, doubled {}",
            self.n_pressed, self.n_acknowledged, self.n_logged, self.n_lost, self.n_doubled
        );
    }
}
