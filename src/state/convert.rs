//! The contract's words for platforms and levels as those of the feedback log, which knows no bot.

use image2song_contract::place;
use image2song_contract::settings;

use crate::feedback::event;

impl From<place::Platform> for event::Platform {
    fn from(platform: place::Platform) -> Self {
        match platform {
            place::Platform::Discord => Self::Discord,
            place::Platform::Telegram => Self::Telegram,
            place::Platform::Web => Self::Web,
        }
    }
}

impl From<settings::Level> for event::Level {
    fn from(level: settings::Level) -> Self {
        match level {
            settings::Level::Off => Self::Off,
            settings::Level::Counts => Self::Counts,
            settings::Level::Training => Self::Training,
        }
    }
}

impl From<event::Level> for settings::Level {
    fn from(level: event::Level) -> Self {
        match level {
            event::Level::Off => Self::Off,
            event::Level::Counts => Self::Counts,
            event::Level::Training => Self::Training,
        }
    }
}
