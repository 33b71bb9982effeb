//! Latin letters for scripts that the drawing fonts lack. Kana and hangul are spelled by rule; accents that do not exist
//! as one letter are dropped; what has no rule (han characters, emoji) is left out, never a question mark or a box.

use unicode_normalization::UnicodeNormalization;

const INITIALS: [&str; 19] =
    ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"];
const VOWELS: [&str; 21] = [
    "a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "eu",
    "ui", "i",
];
const FINALS: [&str; 28] = [
    "", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng", "t",
    "t", "k", "t", "p", "t",
];

/// Katakana from U+30A1 on, Hepburn; `~` stands for a small letter that changes the one before it.
const KANA: [&str; 84] = [
    "~a", "a", "~i", "i", "~u", "u", "~e", "e", "~o", "o", "ka", "ga", "ki", "gi", "ku", "gu", "ke", "ge", "ko", "go",
    "sa", "za", "shi", "ji", "su", "zu", "se", "ze", "so", "zo", "ta", "da", "chi", "ji", "~", "tsu", "zu", "te", "de",
    "to", "do", "na", "ni", "nu", "ne", "no", "ha", "ba", "pa", "hi", "bi", "pi", "fu", "bu", "pu", "he", "be", "pe",
    "ho", "bo", "po", "ma", "mi", "mu", "me", "mo", "~ya", "ya", "~yu", "yu", "~yo", "yo", "ra", "ri", "ru", "re",
    "ro", "~wa", "wa", "wi", "we", "wo", "n", "vu",
];

/// A text in letters that can be drawn.
pub struct Spelled {
    /// The text.
    pub text: String,
    /// Letters and digits that had to be left out.
    pub n_lost: usize,
}

/// The text spelled in letters of which `has` says that a font has them.
pub fn spell(text: &str, has: &dyn Fn(char) -> bool) -> Spelled {
    let mut out: Vec<String> = Vec::new();
    let mut n_lost = 0;
    let mut is_doubled = false;
    for letter in text.nfc() {
        if letter.is_whitespace() {
            out.push(" ".to_owned());
        } else if let Some(idx) = kana_idx(letter) {
            push_kana(&mut out, KANA[idx], &mut is_doubled);
        } else if letter == 'ー' {
            let vowel = out.last().and_then(|part| part.chars().last()).filter(|last| "aeiou".contains(*last));
            out.extend(vowel.map(String::from));
        } else if let Some(syllable) = hangul(letter) {
            out.push(syllable);
        } else if has(letter) && !letter.is_control() {
            out.push(letter.to_string());
        } else {
            // Full-width forms and accents that no font has: their plain letters.
            let plain: String = letter.to_string().nfkd().filter(|part| has(*part) && part.is_ascii()).collect();
            n_lost += usize::from(plain.is_empty() && letter.is_alphanumeric());
            out.push(plain);
        }
    }
    Spelled { text: out.concat(), n_lost }
}

/// Place of a hiragana or katakana letter in [`KANA`].
fn kana_idx(letter: char) -> Option<usize> {
    let code = u32::from(letter);
    let katakana = if (0x3041..=0x3094).contains(&code) { code + 0x60 } else { code };
    let idx = katakana.checked_sub(0x30a1)? as usize;
    (idx < KANA.len()).then_some(idx)
}

/// Adds a kana, joining small letters to the one before (`ki` + `~ya` = `kya`) and doubling after a small tsu.
fn push_kana(out: &mut Vec<String>, kana: &str, is_doubled: &mut bool) {
    let Some(small) = kana.strip_prefix('~') else {
        let mut part = kana.to_owned();
        if std::mem::take(is_doubled) && !kana.starts_with(['a', 'i', 'u', 'e', 'o', 'n']) {
            part.insert_str(0, if kana.starts_with("ch") { "t" } else { &kana[..1] });
        }
        out.push(part);
        return;
    };
    if small.is_empty() {
        *is_doubled = true;
        return;
    }
    match out.last_mut() {
        Some(last) if last.len() > 1 && last.ends_with(['i', 'u', 'e', 'o']) => {
            last.pop();
            let needs_no_glide = last.ends_with("sh") || last.ends_with("ch") || last.ends_with('j');
            last.push_str(if needs_no_glide { small.trim_start_matches('y') } else { small });
        }
        _ => out.push(small.to_owned()),
    }
}

/// A hangul syllable in the Revised Romanization, letter by letter without the changes between syllables.
fn hangul(letter: char) -> Option<String> {
    let idx = u32::from(letter).checked_sub(0xac00)? as usize;
    (idx < 19 * 21 * 28).then(|| [INITIALS[idx / (21 * 28)], VOWELS[idx / 28 % 21], FINALS[idx % 28]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let is_latin = |letter: char| (letter as u32) < 0x250;
        assert_eq!(spell(text, &is_latin).text, expected);
    }

    #[test]
    fn scripts_with_rules_are_spelled() {
        check("さくら", "sakura");
        check("きょう", "kyou");
        check("しゃしん", "shashin");
        check("ロック", "rokku");
        check("マッチ", "matchi");
        check("ビーチ", "biichi");
        check("ファイト", "faito");
        check("서울", "seoul");
        check("사랑", "sarang");
        check("밤바다", "bambada");
    }

    #[test]
    fn others_are_left_out() {
        check("夜に駆ける", "nikeru");
        check("Ｌｏｖｅ 🌊", "Love ");
        check("e\u{301}té ạ", "été a");
        check("ーっ", "");
    }
}
