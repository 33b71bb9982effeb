//! What a community or a person has chosen.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::locale::Locale;
use crate::place::ChannelId;

/// What is kept of presses; a lower level keeps less.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// Nothing: a press acts on the next songs of its answer only.
    #[default]
    Off,
    /// Likes per song, without anybody's id.
    Counts,
    /// Presses with a keyed hash of the person, and tags of the photo, for training.
    Training,
}

impl Level {
    /// All levels, lowest first.
    pub const ALL: [Self; 3] = [Self::Off, Self::Counts, Self::Training];

    /// Its name in settings and locale files.
    pub fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Counts => "counts",
            Self::Training => "training",
        }
    }
}

/// How much chance has a part in the songs: a temperature in hundredths. The higher, the more often a song that fits less
/// well is shown in place of one that fits better; likes then tell what the scores alone cannot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Exploration(u16);

impl Exploration {
    /// What can be chosen, least first. Scores of the 24 best songs lie about 2 to 3 apart from best to last: at 0.1 the
    /// next few songs change places, at 0.5 most of the 24 are seen now and then.
    pub const CHOICES: [(&str, Self); 4] =
        [("off", Self(0)), ("little", Self(10)), ("some", Self(25)), ("much", Self(50))];
    /// The highest temperature that can be set.
    pub const MAX_TEMPERATURE: f32 = 5.0;

    /// With this temperature, to a hundredth; brought into 0 to [`Self::MAX_TEMPERATURE`].
    pub fn of_temperature(temperature: f32) -> Self {
        // A cast of what is no number gives 0.
        Self((temperature.clamp(0.0, Self::MAX_TEMPERATURE) * 100.0).round() as u16)
    }

    /// The temperature; 0 where chance has no part.
    pub fn temperature(self) -> f32 {
        f32::from(self.0.min(500)) / 100.0
    }

    /// The choice of this name.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::CHOICES.into_iter().find(|(known, _)| *known == name).map(|(_, choice)| choice)
    }

    /// Name of the choice that is nearest, in settings and locale files.
    pub fn name(self) -> &'static str {
        let nearest = Self::CHOICES.into_iter().min_by_key(|(_, choice)| choice.0.abs_diff(self.0));
        nearest.map_or("off", |(name, _)| name)
    }
}

/// Settings of a community.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Language of the sentences; that of each person if not set.
    pub locale: Option<Locale>,
    /// Languages of the songs; all if empty.
    pub song_languages: Vec<String>,
    /// Songs per answer, 1 to 5.
    pub n_songs: u8,
    /// Whether explicit songs are suggested.
    pub allows_explicit: bool,
    /// Channels in which the bot does not answer.
    pub muted: BTreeSet<ChannelId>,
    /// Channels in which it answers every photo by itself.
    pub automatic: BTreeSet<ChannelId>,
    /// Least time between two questions of a person.
    pub person_cooldown: Duration,
    /// Least time between two answers in a channel.
    pub channel_cooldown: Duration,
    /// Who may change the settings.
    pub changers: Changers,
    /// What is kept of presses.
    pub level: Level,
    /// How much chance has a part in the songs.
    pub exploration: Exploration,
}

/// Who may change settings.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Changers {
    /// Who manages the community.
    #[default]
    Managers,
    /// Everybody in it.
    Everybody,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            locale: None,
            song_languages: Vec::new(),
            n_songs: 5,
            allows_explicit: false,
            muted: BTreeSet::new(),
            automatic: BTreeSet::new(),
            person_cooldown: Duration::from_secs(3),
            channel_cooldown: Duration::ZERO,
            changers: Changers::Managers,
            level: Level::Off,
            exploration: Exploration::default(),
        }
    }
}

/// One change of settings; values out of range are brought into it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Language of the sentences.
    Locale(Option<Locale>),
    /// Languages of the songs, codes; all if empty.
    SongLanguages(Vec<String>),
    /// Songs per answer.
    NSongs(u8),
    /// Whether explicit songs are suggested.
    AllowsExplicit(bool),
    /// Whether the bot answers in the channel of the change.
    Muted(bool),
    /// Whether it answers every photo of the channel of the change.
    Automatic(bool),
    /// Least time between two questions of a person.
    PersonCooldown(Duration),
    /// Least time between two answers in a channel.
    ChannelCooldown(Duration),
    /// Who may change the settings.
    Changers(Changers),
    /// What is kept of presses.
    Level(Level),
    /// How much chance has a part in the songs.
    Exploration(Exploration),
}

impl Settings {
    /// Longest cooldown that can be set.
    pub const MAX_COOLDOWN: Duration = Duration::from_secs(3600);

    /// Applies a change that was made in `channel`.
    pub fn apply(&mut self, change: Change, channel: &ChannelId) {
        let put = |set: &mut BTreeSet<ChannelId>, is_in: bool| {
            if is_in {
                set.insert(channel.clone());
            } else {
                set.remove(channel);
            }
        };
        match change {
            Change::Locale(locale) => self.locale = locale,
            Change::SongLanguages(languages) => self.song_languages = languages,
            Change::NSongs(n) => self.n_songs = n.clamp(1, 5),
            Change::AllowsExplicit(allows) => self.allows_explicit = allows,
            Change::Muted(is_muted) => put(&mut self.muted, is_muted),
            Change::Automatic(is_automatic) => put(&mut self.automatic, is_automatic),
            Change::PersonCooldown(time) => self.person_cooldown = time.min(Self::MAX_COOLDOWN),
            Change::ChannelCooldown(time) => self.channel_cooldown = time.min(Self::MAX_COOLDOWN),
            Change::Changers(changers) => self.changers = changers,
            Change::Level(level) => self.level = level,
            Change::Exploration(exploration) => self.exploration = exploration,
        }
    }
}

/// What `/privacy` shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Privacy {
    /// What the person allows; `None` if the person has not chosen, which leaves it to the community.
    pub chosen: Option<Level>,
    /// What the community allows.
    pub community: Level,
    /// What counts: the lower of both.
    pub effective: Level,
    /// Stored records with the person's keyed hash.
    pub n_records: usize,
    /// Days after which records go.
    pub retention_days: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_stay_in_their_ranges() {
        let (mut settings, here) = (Settings::default(), ChannelId("c".into()));
        settings.apply(Change::NSongs(0), &here);
        assert_eq!(settings.n_songs, 1);
        settings.apply(Change::PersonCooldown(Duration::MAX), &here);
        assert_eq!(settings.person_cooldown, Settings::MAX_COOLDOWN);
        settings.apply(Change::Muted(true), &here);
        assert!(settings.muted.contains(&here));
        settings.apply(Change::Muted(false), &here);
        assert!(settings.muted.is_empty());
    }

    #[test]
    fn temperatures_are_kept_to_a_hundredth() {
        for (given, kept) in [(0.0, 0.0), (0.254, 0.25), (-1.0, 0.0), (99.0, 5.0), (f32::NAN, 0.0)] {
            assert_eq!(Exploration::of_temperature(given).temperature(), kept, "{given}");
        }
        for (name, choice) in Exploration::CHOICES {
            assert_eq!((Exploration::of_name(name), choice.name()), (Some(choice), name));
        }
        assert_eq!(Exploration::of_temperature(0.3).name(), "some");
        assert_eq!(Exploration::of_name("all"), None);
    }

    #[test]
    fn lower_levels_keep_less() {
        assert!(Level::Off < Level::Counts && Level::Counts < Level::Training);
    }
}
