//! A core without a model: answers by what it is told, and remembers what it was asked.

use std::sync::Mutex;
use std::time::Duration;

use axum::body::Bytes;
use image2song_contract::api::{Api, ApiAnswer, ApiOptions, Readiness};
use image2song_contract::bot::Pending;

/// Most bytes of a photo.
pub const MAX_BYTES: u64 = 1 << 20;
/// The only token that leads anywhere, and one that leads where no browser should go.
pub const TOKEN: &str = "abc-DEF_0.9";
pub const BAD_TOKEN: &str = "script";
pub const TARGET: &str = "https://open.spotify.com/search/a%20b";

/// What the core does with the next questions.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Mood {
    #[default]
    Well,
    Refuses(&'static str),
    Busy(u64),
    Broken,
    Panics,
    Sleeps(Duration),
}

#[derive(Debug, Default)]
pub struct State {
    pub mood: Mood,
    pub is_unready: bool,
    pub n_follows: usize,
    /// Kind, name, bytes, options.
    pub asked: Vec<(&'static str, String, Bytes, ApiOptions)>,
    /// Songs of the next answer; the built-in ones if empty.
    pub answer: String,
}

#[derive(Debug, Default)]
pub struct FakeApi {
    pub state: Mutex<State>,
}

impl FakeApi {
    pub fn set(&self, mood: Mood) {
        self.state.lock().unwrap().mood = mood;
    }

    fn ask(&self, kind: &'static str, name: String, photo: Bytes, options: ApiOptions) -> Pending<'_, ApiAnswer> {
        Box::pin(async move {
            let (mood, mut answer) = {
                let mut state = self.state.lock().unwrap();
                state.asked.push((kind, name.clone(), photo.clone(), options));
                (state.mood.clone(), state.answer.clone())
            };
            match mood {
                Mood::Panics => panic!("asked to"),
                Mood::Sleeps(time) => tokio::time::sleep(time).await,
                Mood::Busy(seconds) => return ApiAnswer::Busy(seconds),
                Mood::Broken => return ApiAnswer::Internal("e-42".into()),
                Mood::Refuses(kind) => return refused(kind),
                Mood::Well => {}
            }
            if photo.starts_with(b"broken") {
                return refused("corrupt");
            }
            if answer.is_empty() {
                answer = include_str!("answer.json").replace('\n', "");
            }
            let name = serde_json::to_string(&name).unwrap();
            ApiAnswer::Json(answer.replacen("\"PHOTO\"", &name, 1))
        })
    }
}

fn refused(kind: &str) -> ApiAnswer {
    ApiAnswer::Refused(format!("{{\"error\":{{\"kind\":\"{kind}\",\"message\":\"it is <{kind}>\"}}}}"))
}

impl Api for FakeApi {
    fn max_bytes(&self) -> u64 {
        MAX_BYTES
    }

    fn suggest(&self, name: String, photo: Bytes, options: ApiOptions) -> Pending<'_, ApiAnswer> {
        self.ask("suggest", name, photo, options)
    }

    fn tags(&self, name: String, photo: Bytes, options: ApiOptions) -> Pending<'_, ApiAnswer> {
        self.ask("tags", name, photo, options)
    }

    fn songs(&self, text: String, n: u8) -> Pending<'_, ApiAnswer> {
        let options = ApiOptions { n: Some(n), ..ApiOptions::default() };
        self.ask("songs", text, Bytes::new(), options)
    }

    fn metrics(&self) -> String {
        "# EOF\n".into()
    }

    fn readiness(&self) -> Readiness {
        let is_ready = !self.state.lock().unwrap().is_unready;
        Readiness { is_ready, parts: "{\"model\":\"loaded\"}".into() }
    }

    fn follow<'a>(&'a self, token: &'a str) -> Pending<'a, Option<String>> {
        Box::pin(async move {
            self.state.lock().unwrap().n_follows += 1;
            match token {
                TOKEN => Some(TARGET.to_owned()),
                BAD_TOKEN => Some("javascript:alert(1)".to_owned()),
                _ => None,
            }
        })
    }
}
