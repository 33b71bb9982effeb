//! The languages of the sentences, and the sentences themselves (Fluent files in `config/locales`, compiled in).

use std::fmt;
use std::sync::LazyLock;

use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use serde::{Deserialize, Serialize};
use unic_langid::LanguageIdentifier;

/// A language that the bot speaks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Locale {
    /// English.
    #[default]
    En,
    /// Japanese.
    Ja,
    /// German.
    De,
    /// French.
    Fr,
    /// Spanish.
    Es,
    /// Portuguese.
    Pt,
    /// Chinese.
    Zh,
    /// Korean.
    Ko,
}

impl Locale {
    /// All of them.
    pub const ALL: [Self; 8] = [Self::En, Self::Ja, Self::De, Self::Fr, Self::Es, Self::Pt, Self::Zh, Self::Ko];

    /// Its two-letter code.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Ja => "ja",
            Self::De => "de",
            Self::Fr => "fr",
            Self::Es => "es",
            Self::Pt => "pt",
            Self::Zh => "zh",
            Self::Ko => "ko",
        }
    }

    /// The language of a tag such as `pt-BR`, `zh_CN` or `de`, if the bot speaks it.
    pub fn of_tag(tag: &str) -> Option<Self> {
        let language = tag.split(['-', '_']).next().unwrap_or_default().to_ascii_lowercase();
        Self::ALL.into_iter().find(|locale| locale.code() == language)
    }

    fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("../../../config/locales/en.ftl"),
            Self::Ja => include_str!("../../../config/locales/ja.ftl"),
            Self::De => include_str!("../../../config/locales/de.ftl"),
            Self::Fr => include_str!("../../../config/locales/fr.ftl"),
            Self::Es => include_str!("../../../config/locales/es.ftl"),
            Self::Pt => include_str!("../../../config/locales/pt.ftl"),
            Self::Zh => include_str!("../../../config/locales/zh.ftl"),
            Self::Ko => include_str!("../../../config/locales/ko.ftl"),
        }
    }

    /// A sentence without values.
    pub fn say(self, message: &str) -> String {
        self.tell(message, &[])
    }

    /// A sentence with values. One that the language lacks comes in English, and one that nobody knows as its name.
    pub fn tell(self, message: &str, values: &[(&str, Value<'_>)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, value.fluent());
        }
        let found = [self, Self::En].into_iter().find_map(|locale| {
            let bundle = &BUNDLES[locale as usize];
            let pattern = bundle.get_message(message)?.value()?;
            Some(bundle.format_pattern(pattern, Some(&args), &mut Vec::new()).into_owned())
        });
        found.unwrap_or_else(|| message.to_owned())
    }

    /// Names of all messages of the language's file, in its order.
    pub fn messages(self) -> Vec<String> {
        let is_name = |line: &&str| line.starts_with(|c: char| c.is_ascii_lowercase());
        self.source()
            .lines()
            .filter(is_name)
            .filter_map(|line| line.split_once('=').map(|(name, _)| name.trim().to_owned()))
            .collect()
    }
}

impl fmt::Display for Locale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A value within a sentence.
#[derive(Debug, Clone, Copy)]
pub enum Value<'a> {
    /// Text, plain.
    Text(&'a str),
    /// A number, which may choose a plural.
    Number(u64),
}

impl Value<'_> {
    fn fluent(self) -> FluentValue<'static> {
        match self {
            Self::Text(text) => FluentValue::from(text.to_owned()),
            // Counts stay far below 2^53.
            Self::Number(number) => FluentValue::from(number as f64),
        }
    }
}

static BUNDLES: LazyLock<Vec<FluentBundle<FluentResource>>> = LazyLock::new(|| Locale::ALL.map(bundle).into());

fn bundle(locale: Locale) -> FluentBundle<FluentResource> {
    // What a file has wrong is left out by the parser and comes in English; a test keeps the files whole.
    let resource = FluentResource::try_new(locale.source().to_owned()).unwrap_or_else(|(resource, _)| resource);
    let id: LanguageIdentifier = locale.code().parse().unwrap_or_default();
    let mut bundle = FluentBundle::new_concurrent(vec![id]);
    // Isolating marks around values would stand in links and in text that people copy.
    bundle.set_use_isolating(false);
    bundle.add_resource_overriding(resource);
    bundle
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The values that a message uses.
    fn values(locale: Locale, message: &str) -> BTreeSet<String> {
        let source = locale.source();
        let lines: Vec<&str> = source.lines().collect();
        let start = lines.iter().position(|line| line.starts_with(&format!("{message} ="))).expect("the message");
        let rest = lines[start + 1..].iter().take_while(|line| line.starts_with([' ', '}']));
        let text = std::iter::once(&lines[start]).chain(rest).copied().collect::<Vec<_>>().join("\n");
        let name = |part: &str| part.chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
        text.split('$').skip(1).map(name).collect()
    }

    #[test]
    fn every_language_has_every_message_with_the_same_values() {
        let english: BTreeSet<String> = Locale::En.messages().into_iter().collect();
        for locale in Locale::ALL {
            let parsed = FluentResource::try_new(locale.source().to_owned());
            assert!(parsed.is_ok(), "{locale}: {:?}", parsed.err().map(|(_, faults)| faults));
            let own = locale.messages();
            let set: BTreeSet<String> = own.iter().cloned().collect();
            assert_eq!(set.len(), own.len(), "{locale}: a message stands twice");
            let missing: Vec<_> = english.difference(&set).collect();
            let foreign: Vec<_> = set.difference(&english).collect();
            assert!(missing.is_empty() && foreign.is_empty(), "{locale}: missing {missing:?}, unknown {foreign:?}");
            for message in &english {
                assert_eq!(values(locale, message), values(Locale::En, message), "{locale}: {message}");
            }
        }
    }

    #[test]
    fn every_message_can_be_said() {
        for locale in Locale::ALL {
            for message in locale.messages() {
                let mut args = FluentArgs::new();
                for value in values(locale, &message) {
                    args.set(value, FluentValue::from(3.0));
                }
                let bundle = &BUNDLES[locale as usize];
                let mut faults = Vec::new();
                let pattern = bundle.get_message(&message).and_then(|m| m.value()).expect("a value");
                let text = bundle.format_pattern(pattern, Some(&args), &mut faults);
                assert!(faults.is_empty() && !text.trim().is_empty(), "{locale} {message}: {faults:?}");
            }
        }
    }

    #[test]
    fn no_language_is_left_in_english() {
        let letters = |text: &str| text.chars().filter(|c| c.is_alphabetic()).count();
        for locale in Locale::ALL.into_iter().filter(|locale| *locale != Locale::En) {
            for message in locale.messages() {
                let filled: Vec<String> = values(locale, &message).into_iter().collect();
                let args: Vec<(&str, Value<'_>)> =
                    filled.iter().map(|name| (name.as_str(), Value::Number(7))).collect();
                let (own, english) = (locale.tell(&message, &args), Locale::En.tell(&message, &args));
                // A lone word such as "Photo" may be the same in two languages.
                let is_sentence = english.contains(' ') && letters(&english) > 3;
                assert!(!is_sentence || own != english, "{locale}: {message} is {own:?}");
            }
        }
    }

    #[test]
    fn plurals_and_fallbacks() {
        let busy = |n| Locale::En.tell("busy", &[("seconds", Value::Number(n))]);
        assert!(busy(1).ends_with("in a second."), "{}", busy(1));
        assert!(busy(4).ends_with("in 4 seconds."), "{}", busy(4));
        assert_eq!(Locale::De.say("no-such-message"), "no-such-message");
    }

    #[test]
    fn language_tags_of_the_platforms_are_understood() {
        for (tag, locale) in [
            ("pt-br", Some(Locale::Pt)),
            ("zh-CN", Some(Locale::Zh)),
            ("en-US", Some(Locale::En)),
            ("de", Some(Locale::De)),
            ("tlh", None),
            ("", None),
        ] {
            assert_eq!(Locale::of_tag(tag), locale, "{tag}");
        }
    }
}
