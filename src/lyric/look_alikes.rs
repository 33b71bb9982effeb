//! Cyrillic letters that stand in for Latin ones, as some lyric pages write them (`lovе` with U+0435).

use std::borrow::Cow;

/// The Latin letter that a lower-case Cyrillic letter looks like, in either case: `в` is here because `В` looks
/// like `B`, and words are compared in lower case.
fn latin_twin(letter: char) -> Option<char> {
    Some(match letter {
        'а' => 'a',
        'в' => 'b',
        'с' => 'c',
        'ԁ' => 'd',
        'е' => 'e',
        'ё' => 'ë',
        'н' | 'һ' => 'h',
        'і' => 'i',
        'ї' => 'ï',
        'ј' => 'j',
        'к' => 'k',
        'м' => 'm',
        'о' => 'o',
        'р' => 'p',
        'ԛ' => 'q',
        'ѕ' => 's',
        'т' => 't',
        'ԝ' => 'w',
        'х' => 'x',
        'у' => 'y',
        _ => return None,
    })
}

/// Whether the letter belongs to a Latin block (Basic Latin to Latin Extended-B, and Additional).
fn is_latin(letter: char) -> bool {
    letter.is_ascii_lowercase() || (matches!(letter, 'ß'..='ɏ' | 'Ḁ'..='ỿ') && letter.is_alphabetic())
}

/// The word with its Cyrillic letters turned into the Latin ones they look like, if it is Latin otherwise: at least as
/// many Latin letters as Cyrillic ones, and no Cyrillic letter without a twin. Any other word comes back as it is, so
/// that `не` stays Russian and `цe` stays odd. Letters in a row that are the same count once, apostrophes or not between
/// them: what the tokenizer shortens and takes out later must not change the verdict. Takes lower case.
pub fn fold_look_alikes(word: &str) -> Cow<'_, str> {
    if word.is_ascii() {
        return Cow::Borrowed(word);
    }
    let (mut n_latin, mut n_cyrillic) = (0_usize, 0_usize);
    let mut before = None;
    for letter in word.chars().filter(|&letter| letter != '\'') {
        if before.replace(letter) == Some(letter) {
            continue;
        }
        if is_latin(letter) {
            n_latin += 1;
        } else if latin_twin(letter).is_some() {
            n_cyrillic += 1;
        } else if matches!(letter, '\u{400}'..='\u{52F}') {
            return Cow::Borrowed(word);
        }
    }
    if n_cyrillic == 0 || n_latin < n_cyrillic {
        return Cow::Borrowed(word);
    }
    Cow::Owned(word.chars().map(|letter| latin_twin(letter).unwrap_or(letter)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_latin_words_are_folded() {
        for (word, folded) in [
            ("lov\u{435}", "love"),
            ("\u{455}o", "so"),
            ("h\u{435}\u{430}rt", "heart"),
            ("ni\u{458}e", "nije"),
            ("que", "que"),
            ("d'\u{430}mour", "d'amour"),
            ("не", "не"),
            ("море", "море"),
            ("же\u{6e}", "же\u{6e}"),
            ("\u{43d}\u{435}e", "\u{43d}\u{435}e"),
            ("été", "été"),
            ("東京", "東京"),
            ("a\u{43e}\u{43e}\u{43e}", "aooo"),
            ("a\u{43e}'\u{43e}", "ao'o"),
        ] {
            assert_eq!(fold_look_alikes(word), folded, "{word}");
        }
    }
}
