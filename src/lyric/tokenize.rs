//! From text to content words: normal form, runs of letters, East Asian parts, apostrophes, stop words.
//!
//! The rules are those by which the song words and the word vectors were made, so they are not to be improved on: a
//! token that is cut in another way finds no vector. One departure, which those rules ask for: Cyrillic letters in an
//! otherwise Latin word become the Latin letters that they look like.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, GeneralCategoryGroup, UnicodeGeneralCategory};

use super::look_alikes::fold_look_alikes;
use super::stop_words::{StopSet, StopWords};

/// Longest token in characters; what is longer is a defect of the text.
const MAX_CHARS: usize = 24;

/// What stands before an apostrophe and is no part of the word (French, Italian, Catalan, Albanian).
const ELISIONS: [&str; 24] = [
    "l", "d", "j", "qu", "c", "n", "m", "t", "s", "jusqu", "lorsqu", "puisqu", "quelqu", "presqu", "dell", "all",
    "nell", "dall", "sull", "un", "quest", "quell", "bell", "sant",
];

/// What stands behind an apostrophe and is no part of the word (English).
const CLITICS: [&str; 9] = ["s", "m", "re", "ll", "ve", "d", "em", "n", "t"];

/// Turns texts into content words.
#[derive(Debug, Clone, Default)]
pub struct Tokenizer {
    stop_words: StopWords,
}

/// What a character is to the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Letters, marks and digits of words that are written with blanks, and the apostrophe.
    Plain,
    Han,
    Katakana,
    Hiragana,
    Separator,
}

impl Tokenizer {
    /// A tokenizer with the stop words of this list (see [`StopWords::parse`]). Never fails.
    pub fn from_stopwords(text: &str) -> Self {
        Self { stop_words: StopWords::parse(text) }
    }

    /// The content words of a text, in order, repeats included. `language` is ISO 639-1; captions, tags and hints are
    /// `en`. A token has at most 24 characters, at least two letters, and is lower case. Never panics.
    pub fn tokens(&self, language: &str, text: &str) -> Vec<String> {
        let text = normalize(text);
        let stop_set = self.stop_words.of(language);
        let mut tokens = Vec::new();
        let (mut start, mut class) = (0, Class::Separator);
        for (position, character) in text.char_indices() {
            let next = class_of(character);
            if next != class {
                push_part(class, &text[start..position], &stop_set, &mut tokens);
                (start, class) = (position, next);
            }
        }
        push_part(class, &text[start..], &stop_set, &mut tokens);
        tokens
    }

    /// Whether a token says nothing in a song of this language.
    pub fn is_stop_word(&self, language: &str, word: &str) -> bool {
        self.stop_words.of(language).contains(word)
    }
}

/// One kind of apostrophe, no invisible characters, NFKC, lower case. The first two come before NFKC, which would turn
/// U+00B4 into a blank and an accent.
fn normalize(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase().replace('`', "'");
    }
    let kept = text.chars().filter_map(|character| match character {
        '\u{2019}' | '\u{2018}' | '\u{2BC}' | '`' | '\u{B4}' | '\u{2032}' | '\u{FF07}' | '\u{201B}' => Some('\''),
        '\u{200B}' | '\u{200C}' | '\u{200D}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}' => None,
        other => Some(other),
    });
    kept.nfkc().collect::<String>().to_lowercase()
}

fn class_of(character: char) -> Class {
    if character.is_ascii() {
        let is_plain = character.is_ascii_alphanumeric() || character == '\'';
        return if is_plain { Class::Plain } else { Class::Separator };
    }
    let is_of_a_run = match character.general_category_group() {
        GeneralCategoryGroup::Letter | GeneralCategoryGroup::Mark => true,
        _ => character.general_category() == GeneralCategory::DecimalNumber,
    };
    match character {
        _ if !is_of_a_run => Class::Separator,
        '\u{3005}' | '\u{3400}'..='\u{4DBF}' | '\u{4E00}'..='\u{9FFF}' | '\u{F900}'..='\u{FAFF}' => Class::Han,
        '\u{30A1}'..='\u{30FA}' | '\u{30FC}'..='\u{30FF}' => Class::Katakana,
        '\u{3041}'..='\u{309F}' => Class::Hiragana,
        _ => Class::Plain,
    }
}

fn push_part(class: Class, part: &str, stop_set: &StopSet<'_>, tokens: &mut Vec<String>) {
    match class {
        Class::Plain => tokens.extend(plain_token(part, stop_set)),
        Class::Han => push_han(part, stop_set, tokens),
        Class::Katakana if part.chars().nth(1).is_some() && !stop_set.contains(part) => tokens.push(part.to_owned()),
        Class::Katakana | Class::Hiragana | Class::Separator => {}
    }
}

/// One or two characters are a word; more are cut into overlapping pairs, since nothing says where words end.
fn push_han(part: &str, stop_set: &StopSet<'_>, tokens: &mut Vec<String>) {
    let starts: Vec<usize> = part.char_indices().map(|(position, _)| position).chain([part.len()]).collect();
    let n_chars = starts.len() - 1;
    let width = n_chars.min(2);
    for first in 0..=n_chars - width {
        let token = &part[starts[first]..starts[first + width]];
        if !stop_set.contains(token) {
            tokens.push(token.to_owned());
        }
    }
}

/// The token of a run without East Asian parts, if something is left of it.
fn plain_token(run: &str, stop_set: &StopSet<'_>) -> Option<String> {
    let run = fold_look_alikes(run);
    let is_opened = run.starts_with('\'');
    let is_closed = run.ends_with('\'');
    let bare = run.trim_matches('\'');
    let whole = if is_closed && !is_opened && bare.ends_with("in") && bare.chars().count() >= 5 {
        Cow::Owned(format!("{bare}g"))
    } else {
        Cow::Borrowed(bare)
    };
    let whole = collapse_repeats(&whole);
    if stop_set.contains(&whole) || whole.ends_with("n't") {
        return None;
    }
    let token = without_apostrophes(&whole);
    let n_letters =
        token.chars().filter(|letter| letter.general_category_group() == GeneralCategoryGroup::Letter).take(2).count();
    let is_kept = n_letters == 2 && token.chars().count() <= MAX_CHARS && !stop_set.contains(&token);
    is_kept.then(|| token.into_owned())
}

/// Three or more of the same character in a row become one; two stay.
fn collapse_repeats(word: &str) -> Cow<'_, str> {
    let letters: Vec<char> = word.chars().collect();
    if !letters.windows(3).any(|three| three[0] == three[1] && three[1] == three[2]) {
        return Cow::Borrowed(word);
    }
    let same = letters.chunk_by(|a, b| a == b);
    Cow::Owned(same.flat_map(|equal| if equal.len() > 2 { &equal[..1] } else { equal }).collect())
}

/// The word without elided article in front, clitic behind, and any other apostrophe.
fn without_apostrophes(word: &str) -> Cow<'_, str> {
    let mut rest = word;
    if let Some((before, after)) = rest.split_once('\'') {
        let is_elision = ELISIONS.contains(&before);
        if is_elision && !after.is_empty() {
            rest = after;
        }
    }
    if let Some((before, after)) = rest.rsplit_once('\'')
        && !before.is_empty()
        && CLITICS.contains(&after)
    {
        rest = before;
    }
    if rest.contains('\'') { Cow::Owned(rest.replace('\'', "")) } else { Cow::Borrowed(rest) }
}

#[cfg(test)]
#[path = "tokenize_tests.rs"]
mod tests;
