//! `/settings`: one message whose buttons lead through the settings of the chat; its state is in the buttons.

use std::time::Duration;

use image2song_contract::answer::Refusal;
use image2song_contract::locale::{Locale, Value};
use image2song_contract::place::{Person, Place};
use image2song_contract::settings::{Change, Changers, Level, Settings};
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use crate::adapter::Adapter;
use crate::fault::Fault;
use crate::styled::Styled;
use crate::task::Spot;

/// What the buttons carry first.
pub const PREFIX: &str = "set:";
/// Pauses to choose from, in seconds.
const PAUSES_S: [u64; 6] = [0, 3, 10, 30, 60, 600];
const MAX_SONGS: u8 = 5;

/// What a button does.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    /// Shows all settings.
    All,
    /// Shows the values of one setting.
    Values(&'static str),
    /// Changes a setting.
    Change(Change),
    /// Adds a language to those of the songs, or takes it away.
    Tongue(Locale, bool),
}

/// Settings whose values are shown on a page of their own.
const WITH_VALUES: [&str; 6] = ["locale", "songs", "tongues", "person", "channel", "level"];

impl Step {
    /// Reads what a button carries; it can be forged, so only values that buttons have are read.
    fn read(step: &str) -> Option<Self> {
        let (name, value) = step.split_once(':').unwrap_or((step, ""));
        if value.is_empty() {
            return match WITH_VALUES.into_iter().find(|known| *known == name) {
                Some(name) => Some(Self::Values(name)),
                None => (name == "all").then_some(Self::All),
            };
        }
        let is_on = match value {
            "on" => Some(true),
            "off" => Some(false),
            _ => None,
        };
        let pause = || value.parse().ok().filter(|pause| PAUSES_S.contains(pause)).map(Duration::from_secs);
        let locale = || Locale::ALL.into_iter().find(|locale| locale.code() == value);
        if name == "tongues"
            && let Some((code, is_added)) =
                value.strip_prefix('+').map(|code| (code, true)).or_else(|| Some((value.strip_prefix('-')?, false)))
        {
            return Some(Self::Tongue(Locale::ALL.into_iter().find(|locale| locale.code() == code)?, is_added));
        }
        let change = match name {
            "locale" if value == "auto" => Change::Locale(None),
            "locale" => Change::Locale(Some(locale()?)),
            "tongues" if value == "any" => Change::SongLanguages(Vec::new()),
            "songs" => Change::NSongs(value.parse().ok().filter(|n| (1..=MAX_SONGS).contains(n))?),
            "explicit" => Change::AllowsExplicit(is_on?),
            "here" => Change::Muted(!is_on?),
            "automatic" => Change::Automatic(is_on?),
            "person" => Change::PersonCooldown(pause()?),
            "channel" => Change::ChannelCooldown(pause()?),
            "changers" if value == "managers" => Change::Changers(Changers::Managers),
            "changers" if value == "everybody" => Change::Changers(Changers::Everybody),
            "level" => Change::Level(Level::ALL.into_iter().find(|level| level.name() == value)?),
            _ => return None,
        };
        Some(Self::Change(change))
    }
}

impl Adapter {
    /// Answers `/settings`.
    pub async fn show_settings(&self, spot: &Spot) -> Result<(), Fault> {
        let locale = self.locale(spot).await;
        let (settings, person) = self.settings_and_person(spot).await;
        if !may_change(&settings, &person, spot) {
            return self.say(spot, &self.why_not(locale, &Refusal::NotAllowed)).await;
        }
        let buttons = all(locale, &settings, &spot.place());
        self.api.reply(spot, &title(locale), Some(buttons)).await.map(drop)
    }

    /// Takes a press of one of the buttons.
    pub async fn press_settings(&self, spot: &Spot, query: &str, step: &str) -> Result<(), Fault> {
        let locale = self.locale(spot).await;
        let (settings, person) = self.settings_and_person(spot).await;
        let step = Step::read(step).filter(|_| spot.message != 0);
        let refusal = match &step {
            None => Some(Refusal::TooOld),
            Some(_) => (!may_change(&settings, &person, spot)).then_some(Refusal::NotAllowed),
        };
        if let Some(refusal) = refusal {
            self.api.answer_press(query, &self.why_not(locale, &refusal), true).await;
            return Ok(());
        }
        let place = spot.place();
        let (text, buttons) = match step {
            Some(Step::Values(name)) => {
                self.api.answer_press(query, "", false).await;
                (title(locale), values(locale, &settings, name))
            }
            Some(Step::Tongue(tongue, is_added)) => {
                let change = with_tongue(&settings, tongue, is_added);
                match self.core.change(place, person, change).await {
                    Ok(settings) => {
                        self.api.answer_press(query, &locale.say("saved"), false).await;
                        (title(locale), values(locale, &settings, "tongues"))
                    }
                    Err(refusal) => {
                        self.api.answer_press(query, &self.why_not(locale, &refusal), true).await;
                        return Ok(());
                    }
                }
            }
            Some(Step::Change(change)) => match self.core.change(place.clone(), person, change).await {
                Ok(settings) => {
                    let locale = self.locale(spot).await;
                    self.api.answer_press(query, &locale.say("saved"), false).await;
                    (title(locale), all(locale, &settings, &place))
                }
                Err(refusal) => {
                    self.api.answer_press(query, &self.why_not(locale, &refusal), true).await;
                    return Ok(());
                }
            },
            Some(Step::All) | None => {
                self.api.answer_press(query, "", false).await;
                (title(locale), all(locale, &settings, &place))
            }
        };
        self.api.edit(spot, &text, Some(buttons)).await
    }

    /// The settings of a chat, and the person with the rights that Telegram says it has.
    async fn settings_and_person(&self, spot: &Spot) -> (Settings, Person) {
        let settings = self.core.settings(&spot.place()).await;
        let mut person = spot.person.clone();
        if !person.is_manager && settings.changers == Changers::Managers {
            person.is_manager = self.api.is_manager(spot.chat, &person.user.0).await;
        }
        (settings, person)
    }
}

fn may_change(settings: &Settings, person: &Person, spot: &Spot) -> bool {
    spot.is_private || person.is_manager || settings.changers == Changers::Everybody
}

/// The languages of the songs with one more, or one less.
fn with_tongue(settings: &Settings, tongue: Locale, is_added: bool) -> Change {
    let mut codes = settings.song_languages.clone();
    codes.retain(|code| code != tongue.code());
    if is_added {
        codes.push(tongue.code().to_owned());
    }
    Change::SongLanguages(codes)
}

fn title(locale: Locale) -> Styled {
    let mut text = Styled::default();
    text.bold(&locale.say("settings-title"));
    text
}

fn button(text: String, step: &str) -> InlineKeyboardButton {
    InlineKeyboardButton::callback(text, format!("{PREFIX}{step}"))
}

/// A row per setting with its value; a press flips it, or leads to its values.
fn all(locale: Locale, settings: &Settings, place: &Place) -> InlineKeyboardMarkup {
    let on_off = |is_on: bool| locale.say(if is_on { "on" } else { "off" });
    let flip = |is_on: bool| if is_on { "off" } else { "on" };
    let line = |name: &str, value: String, step: String| vec![button(format!("{}: {value}", locale.say(name)), &step)];
    let language = settings.locale.map_or_else(|| locale.say("settings-language-auto"), |own| own.say("language-name"));
    let is_muted = settings.muted.contains(&place.channel);
    let is_automatic = settings.automatic.contains(&place.channel);
    let here = locale.say(if is_muted { "settings-here-off" } else { "settings-here-on" });
    let mut rows = vec![
        line("settings-language", language, "locale".to_owned()),
        line("settings-songs", settings.n_songs.to_string(), "songs".to_owned()),
        line(
            "settings-explicit",
            on_off(settings.allows_explicit),
            format!("explicit:{}", flip(settings.allows_explicit)),
        ),
    ];
    let tongues = match settings.song_languages.as_slice() {
        [] => locale.say("web-any"),
        codes => codes.join(", "),
    };
    rows.push(line("command-songs-language", tongues, "tongues".to_owned()));
    if !place.is_private {
        let (changers, other) = match settings.changers {
            Changers::Managers => ("settings-changers-managers", "everybody"),
            Changers::Everybody => ("settings-changers-everybody", "managers"),
        };
        rows.extend([
            line("settings-here", here, format!("here:{}", flip(!is_muted))),
            line("settings-automatic", on_off(is_automatic), format!("automatic:{}", flip(is_automatic))),
            line("settings-person-cooldown", pause(locale, settings.person_cooldown), "person".to_owned()),
            line("settings-channel-cooldown", pause(locale, settings.channel_cooldown), "channel".to_owned()),
            line("settings-changers", locale.say(changers), format!("changers:{other}")),
        ]);
    }
    let level = locale.say(&format!("level-{}", settings.level.name()));
    rows.push(line("settings-level", level, "level".to_owned()));
    InlineKeyboardMarkup::new(rows)
}

/// The values of one setting, and the way back.
fn values(locale: Locale, settings: &Settings, name: &str) -> InlineKeyboardMarkup {
    let value = |text: String, value: &str| button(text, &format!("{name}:{value}"));
    let mut buttons: Vec<InlineKeyboardButton> = match name {
        "locale" => {
            let all = Locale::ALL.map(|own| value(own.say("language-name"), own.code()));
            all.into_iter().chain([value(locale.say("settings-language-auto"), "auto")]).collect()
        }
        // What a press makes of it stands in the button, so that a press twice is a press once.
        "tongues" => {
            let tongue = |own: Locale| {
                let is_on = settings.song_languages.iter().any(|code| code == own.code());
                let (mark, sign) = if is_on { ("✓ ", '-') } else { ("", '+') };
                value(format!("{mark}{}", own.say("language-name")), &format!("{sign}{}", own.code()))
            };
            Locale::ALL.map(tongue).into_iter().chain([value(locale.say("web-any"), "any")]).collect()
        }
        "songs" => (1..=MAX_SONGS).map(|n| value(n.to_string(), &n.to_string())).collect(),
        "level" => Level::ALL.map(|level| value(locale.say(&format!("level-{}", level.name())), level.name())).into(),
        _ => PAUSES_S.map(|pause_s| value(pause(locale, Duration::from_secs(pause_s)), &pause_s.to_string())).into(),
    };
    let n_columns = if name == "level" { 1 } else { 3 };
    buttons.push(button("←".to_owned(), "all"));
    InlineKeyboardMarkup::new(buttons.chunks(n_columns).map(<[InlineKeyboardButton]>::to_vec))
}

fn pause(locale: Locale, time: Duration) -> String {
    locale.tell("seconds", &[("n", Value::Number(time.as_secs()))])
}

#[cfg(test)]
mod tests {
    use image2song_contract::place::{ChannelId, CommunityId, Platform};
    use teloxide::types::InlineKeyboardButtonKind;

    use super::*;

    fn place(is_private: bool) -> Place {
        let (community, channel) = (CommunityId("1".into()), ChannelId("1".into()));
        Place { platform: Platform::Telegram, community, channel, is_private }
    }

    #[test]
    fn every_button_can_be_read_and_fits() {
        let mut keyboards = vec![
            all(Locale::De, &Settings::default(), &place(false)),
            all(Locale::Ja, &Settings::default(), &place(true)),
        ];
        keyboards.extend(WITH_VALUES.map(|name| values(Locale::En, &Settings::default(), name)));
        for button in keyboards.iter().flat_map(|keyboard| keyboard.inline_keyboard.iter().flatten()) {
            let InlineKeyboardButtonKind::CallbackData(data) = &button.kind else { panic!("{button:?}") };
            assert!(data.len() <= 64, "{data}");
            assert!(Step::read(data.strip_prefix(PREFIX).unwrap()).is_some(), "{data}");
        }
    }

    #[test]
    fn forged_steps_are_refused() {
        for step in [
            "",
            "locale:xx",
            "songs:9",
            "songs:0",
            "person:7",
            "explicit:maybe",
            "x:on",
            "level:all",
            "here",
            "tongues:+xx",
            "tongues:fr",
        ] {
            assert_eq!(Step::read(step), None, "{step}");
        }
        assert_eq!(Step::read("here:off"), Some(Step::Change(Change::Muted(true))));
        assert_eq!(Step::read("tongues:-fr"), Some(Step::Tongue(Locale::Fr, false)));
    }

    #[test]
    fn languages_of_songs_join_and_leave() {
        let mut settings = Settings::default();
        let here = ChannelId("1".into());
        for (tongue, is_added, codes) in [
            (Locale::Fr, true, "fr"),
            (Locale::Ja, true, "fr,ja"),
            (Locale::Fr, true, "ja,fr"),
            (Locale::Ja, false, "fr"),
        ] {
            settings.apply(with_tongue(&settings, tongue, is_added), &here);
            assert_eq!(settings.song_languages.join(","), codes);
        }
    }
}
