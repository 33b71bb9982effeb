//! What people write beside a photo: "rainy, in French" is a mood and a language of songs.

/// A hint taken apart.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Hint {
    /// The words without the language.
    pub(super) words: String,
    /// Codes of the languages that it asks for.
    pub(super) languages: Vec<String>,
}

/// Longest hint that is read, in characters.
const MAX_CHARS: usize = 200;

/// Words that lead to a language's name and go with it.
const LEADS: [&str; 9] = ["in", "auf", "en", "em", "in het", "songs", "only", "nur", "lieder"];

/// The languages of songs by how people of the eight locales call them, lower case.
const NAMES: [(&str, &[&str]); 10] = [
    ("en", &["english", "englisch", "englische", "anglais", "inglés", "ingles", "inglês", "英語", "英语", "영어"]),
    (
        "es",
        &["spanish", "spanisch", "espagnol", "español", "espanol", "espanhol", "スペイン語", "西班牙语", "스페인어"],
    ),
    (
        "pt",
        &[
            "portuguese",
            "portugiesisch",
            "portugais",
            "portugués",
            "português",
            "portugues",
            "brazilian",
            "ポルトガル語",
            "葡萄牙语",
            "포르투갈어",
        ],
    ),
    (
        "fr",
        &[
            "french",
            "französisch",
            "franzoesisch",
            "français",
            "francais",
            "francés",
            "francês",
            "フランス語",
            "法语",
            "프랑스어",
        ],
    ),
    ("de", &["german", "deutsch", "allemand", "alemán", "aleman", "alemão", "ドイツ語", "德语", "독일어"]),
    ("it", &["italian", "italienisch", "italien", "italiano", "イタリア語", "意大利语", "이탈리아어"]),
    ("nl", &["dutch", "niederländisch", "néerlandais", "neerlandés", "holandês", "オランダ語", "荷兰语", "네덜란드어"]),
    ("ja", &["japanese", "japanisch", "japonais", "japonés", "japonês", "日本語", "日语", "일본어"]),
    ("ko", &["korean", "koreanisch", "coréen", "coreano", "韓国語", "韩语", "한국어"]),
    ("zh", &["chinese", "chinesisch", "chinois", "chino", "chinês", "中国語", "中文", "중국어"]),
];

impl Hint {
    /// Takes a text apart; what is no language stays as words, in its order.
    pub(super) fn parse(text: &str) -> Self {
        let mut text: String = text.chars().filter(|c| !c.is_control()).take(MAX_CHARS).collect();
        let mut languages: Vec<String> = Vec::new();
        // Names without spaces around them, as Chinese and Japanese write.
        for (code, names) in NAMES {
            for name in names.iter().filter(|name| !name.chars().any(char::is_lowercase)) {
                if let Some(at) = text.find(name) {
                    let end = at + name.len();
                    let end = end + ["で", "の"].iter().find(|p| text[end..].starts_with(**p)).map_or(0, |p| p.len());
                    text.replace_range(at..end, " ");
                    languages.push(code.to_owned());
                }
            }
        }
        let mut kept: Vec<&str> = Vec::new();
        for word in text.split(|c: char| c.is_whitespace() || ",.;!".contains(c)).filter(|word| !word.is_empty()) {
            let folded = word.to_lowercase();
            match NAMES.iter().find(|(_, names)| names.contains(&folded.as_str())) {
                Some((code, _)) => {
                    languages.push((*code).to_owned());
                    while kept.last().is_some_and(|last| LEADS.contains(&last.to_lowercase().as_str())) {
                        kept.pop();
                    }
                }
                None => kept.push(word),
            }
        }
        languages.sort_unstable();
        languages.dedup();
        Self { words: kept.join(" "), languages }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_words_are_told_apart() {
        for (text, words, languages) in [
            ("rainy, in French", "rainy", &["fr"][..]),
            ("auf Deutsch", "", &["de"]),
            ("en español por favor", "por favor", &["es"]),
            ("雨の夜 フランス語で", "雨の夜", &["fr"]),
            ("비 오는 밤 한국어", "비 오는 밤", &["ko"]),
            ("English and Japanese, calm", "and calm", &["en", "ja"]),
            ("in the rain", "in the rain", &[]),
            ("", "", &[]),
        ] {
            let hint = Hint::parse(text);
            assert_eq!(
                (hint.words.as_str(), hint.languages.as_slice()),
                (words, &languages.iter().map(|l| l.to_string()).collect::<Vec<_>>()[..]),
                "{text}"
            );
        }
    }

    #[test]
    fn any_text_is_read() {
        for text in ["\0\n\t", "日本語日本語", &"x".repeat(5000), "で", "🎵🎵 in in in french"] {
            assert!(Hint::parse(text).words.chars().count() <= MAX_CHARS);
        }
    }
}
