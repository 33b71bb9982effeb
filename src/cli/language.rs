//! The language in which tags are shown.

use std::env;

use clap::ValueEnum;

/// A language that tags have names in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[allow(missing_docs, reason = "the variants are ISO 639-1 codes")]
pub enum Language {
    En,
    Es,
    Pt,
    Fr,
    De,
    It,
    Nl,
    Ja,
    Ko,
    Zh,
}

impl Language {
    /// Its ISO 639-1 code.
    pub fn code(self) -> &'static str {
        match self {
            Self::En => "en",
            Self::Es => "es",
            Self::Pt => "pt",
            Self::Fr => "fr",
            Self::De => "de",
            Self::It => "it",
            Self::Nl => "nl",
            Self::Ja => "ja",
            Self::Ko => "ko",
            Self::Zh => "zh",
        }
    }

    /// The user's language by the usual variables of the environment, first set first; English where they name none.
    pub fn of_environment() -> Self {
        let locale = ["LC_ALL", "LC_MESSAGES", "LANG"]
            .iter()
            .find_map(|name| env::var(name).ok().filter(|value| !value.is_empty()));
        locale.as_deref().map_or(Self::En, Self::of_locale)
    }

    /// The language of a locale name such as `pt_BR.UTF-8`; English for names it does not know.
    fn of_locale(locale: &str) -> Self {
        let code = locale.split(['_', '-', '.', '@']).next().unwrap_or_default();
        Self::value_variants().iter().copied().find(|language| language.code() == code).unwrap_or(Self::En)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_name_languages() {
        let cases = [
            ("pt_BR.UTF-8", Language::Pt),
            ("de", Language::De),
            ("ja_JP@x", Language::Ja),
            ("zh-Hans", Language::Zh),
            ("C.UTF-8", Language::En),
            ("POSIX", Language::En),
            ("xx_YY", Language::En),
            ("", Language::En),
        ];
        for (locale, language) in cases {
            assert_eq!(Language::of_locale(locale), language, "{locale:?}");
        }
    }
}
