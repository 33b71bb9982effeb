//! What a bot asks and is answered.
//!
//! Adapters (Discord, Telegram, HTTP) know this crate only: plain types, the ports [`bot::SongBot`] and [`api::Api`] that
//! the program implements, the sentences in the languages of the locale files, the bounded download of photos, and the
//! watch over running adapters. It does not know the model, the store, or any platform.

pub mod answer;
pub mod api;
pub mod ask;
pub mod bot;
pub mod doctor;
pub mod fake;
pub mod fetch;
pub mod health;
pub mod html;
pub mod locale;
pub mod payload;
pub mod phrasing;
pub mod place;
pub mod settings;
pub mod supervise;
