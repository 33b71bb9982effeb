//! Words that say nothing about a song, per language.

use std::collections::{HashMap, HashSet};

/// Stop words in blocks: what holds everywhere (`[xx]` and `[en]`) and what holds for one language.
#[derive(Debug, Clone, Default)]
pub struct StopWords {
    common: HashSet<Box<str>>,
    by_language: HashMap<Box<str>, HashSet<Box<str>>>,
}

/// The stop words that hold for one language.
#[derive(Debug, Clone, Copy)]
pub struct StopSet<'a> {
    common: &'a HashSet<Box<str>>,
    own: Option<&'a HashSet<Box<str>>>,
}

impl StopWords {
    /// Reads a stop word list: lines that start with `#` are comments, `[xx]` opens the block of a language, words
    /// are separated by blanks. `[xx]` and `[en]` hold for every language, since songs of any language hold English;
    /// so do words before the first block. Any text is a list: never fails.
    pub fn parse(text: &str) -> Self {
        let mut stop_words = Self::default();
        let mut language = "xx";
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with('#')) {
            if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                language = name.trim();
                continue;
            }
            let block = match language {
                "xx" | "en" => &mut stop_words.common,
                other => stop_words.by_language.entry(other.into()).or_default(),
            };
            block.extend(line.split_whitespace().map(Box::from));
        }
        stop_words
    }

    /// The words that say nothing in a song of this language (ISO 639-1); an unknown language has the common ones.
    pub fn of(&self, language: &str) -> StopSet<'_> {
        StopSet { common: &self.common, own: self.by_language.get(language) }
    }
}

impl StopSet<'_> {
    /// Whether the word says nothing.
    pub fn contains(&self, word: &str) -> bool {
        self.common.contains(word) || self.own.is_some_and(|own| own.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_hold_for_their_language() {
        let stop_words = StopWords::parse("# words\n[xx]\nla oh\n[en]\nthe\n\n[fr]\nles  des\nune\n[de]\n");
        for (language, word, says_nothing) in [
            ("en", "the", true),
            ("fr", "the", true),
            ("fr", "une", true),
            ("en", "une", false),
            ("xx", "la", true),
            ("ja", "oh", true),
            ("ja", "des", false),
            ("de", "des", false),
        ] {
            assert_eq!(stop_words.of(language).contains(word), says_nothing, "{language} {word}");
        }
    }
}
