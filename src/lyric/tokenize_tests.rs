use proptest::prelude::*;

use super::*;
use crate::test_data::data_dir;

/// A short list of our own, enough for the table below.
const STOP_WORDS: &str = "\
[xx]\nla na oh yeah whoa di\n[en]\na and are as at back come don't for has i i'm in is \
it me my not of on our she that the they this through to under was we when where while with you\n[fr]\nau aux ce des du \
elle en est et il je le les mais on qui sous sur un une\n[es]\nal como con de del el en los mi muy que se te una y\n[pt]\n\
com da de do em meu na no o os que um\n[de]\nauf dem der die ein eine ist mit und wir\n[it]\nche come di e il mi nel si \
un\n[ja]\n君 僕 コト 私\n[nl]\nde een het in op\n";

/// Language, text, tokens.
const CASES: &[(&str, &str, &[&str])] = &[
    ("en", "Three lanterns on the frozen pond", &["three", "lanterns", "frozen", "pond"]),
    ("en", "THEY DON'T SWIM, they surf", &["swim", "surf"]),
    ("en", "We\u{2019}re sailin\u{2019} past the lighthouse", &["sailing", "past", "lighthouse"]),
    ("en", "sailin\u{B4} and rowin`", &["sailing", "rowing"]),
    ("en", "'dustin' sat here", &["dustin", "sat", "here"]),
    ("en", "pin' and spin'", &["pin", "spin"]),
    ("en", "the harbor's gulls, the gulls' harbor", &["harbor", "gulls", "gulls", "harbor"]),
    ("en", "snow-covered_roofs.and/chimneys", &["snow", "covered", "roofs", "chimneys"]),
    ("en", "looooong waaay dooown", &["long", "way", "down"]),
    ("en", "a moon, balloons and committees", &["moon", "balloons", "committees"]),
    ("en", "7 boats, 42nd street, mp3", &["boats", "42nd", "street", "mp3"]),
    ("en", "pepper'n'salt", &["peppernsalt"]),
    ("en", "she'd say they'll know we've won", &["say", "know", "won"]),
    ("en", "ca\u{AD}noe ri\u{200B}ver", &["canoe", "river"]),
    ("en", "\u{FB02}ute and \u{FF27}\u{FF35}\u{FF29}\u{FF34}\u{FF21}\u{FF32}", &["flute", "guitar"]),
    ("en", "cafe\u{301} au lait", &["café", "au", "lait"]),
    ("en", "abcdefghijklmnopqrstuvwx abcdefghijklmnopqrstuvwxy", &["abcdefghijklmnopqrstuvwx"]),
    ("en", "' '' ''' .. \u{1F3D6} -", &[]),
    ("en", "", &[]),
    ("en", "x y z 10", &[]),
    ("en", "l\u{43E}v\u{435} is bl\u{456}nd", &["love", "blind"]),
    ("en", "th\u{435} \u{422}rain", &["train"]),
    ("fr", "L'orage gronde sur l'île", &["orage", "gronde", "île"]),
    ("fr", "Jusqu\u{2019}aux étoiles", &["étoiles"]),
    ("fr", "quelqu'un rit, qu'il chante", &["rit", "chante"]),
    ("fr", "le porte-avions d'acier", &["porte", "avions", "acier"]),
    ("es", "¡El corazón, la montaña!", &["corazón", "montaña"]),
    ("es", "pa' la fiesta", &["pa", "fiesta"]),
    ("pt", "No céu d'água, o violão", &["céu", "água", "violão"]),
    ("de", "Der STRASSENBAHN-Fahrer grüßt", &["strassenbahn", "fahrer", "grüßt"]),
    ("it", "Nell'alba un'onda dell'oceano", &["alba", "onda", "oceano"]),
    ("nl", "'s nachts foto's van een meer", &["nachts", "foto", "van", "meer"]),
    ("ja", "冬の海とギターの歌", &["冬", "海", "ギター", "歌"]),
    ("ja", "君は飛行機コト", &["飛行", "行機"]),
    ("ja", "\u{FF77}\u{FF9E}\u{FF80}\u{FF70} ア", &["ギター"]),
    ("ja", "夏blue空", &["夏", "blue", "空"]),
    ("ja", "さよなら", &[]),
    ("zh", "雨后彩虹", &["雨后", "后彩", "彩虹"]),
    ("ko", "겨울 바다 눈", &["겨울", "바다"]),
    ("ru", "Белый СНЕГ и лес", &["белый", "снег", "лес"]),
    ("el", "ΝΗΣΟΣ", &["νησος"]),
    ("tr", "Işık", &["işık"]),
    ("hi", "नदी का पानी", &["नदी", "पानी"]),
    ("xx", "yeah LA boat", &["boat"]),
];

fn check(tokenizer: &Tokenizer, language: &str, text: &str, expected: &[impl AsRef<str>]) {
    let tokens = tokenizer.tokens(language, text);
    let expected: Vec<&str> = expected.iter().map(AsRef::as_ref).collect();
    assert_eq!(tokens, expected, "{language}: {text:?}");
}

#[test]
fn our_cases() {
    let tokenizer = Tokenizer::from_stopwords(STOP_WORDS);
    for (language, text, expected) in CASES {
        check(&tokenizer, language, text, expected);
    }
}

#[test]
fn cases_of_the_data_folder() {
    let Some(songs) = data_dir("songs") else { return };
    let tokenizer = Tokenizer::from_stopwords(&std::fs::read_to_string(songs.join("stopwords.txt")).unwrap());
    let cases = std::fs::read_to_string(songs.join("tokenizer_cases.jsonl")).unwrap();
    let mut n_cases = 0;
    for line in cases.lines() {
        let case: serde_json::Value = serde_json::from_str(line).unwrap();
        let expected: Vec<&str> = case["tokens"].as_array().unwrap().iter().map(|t| t.as_str().unwrap()).collect();
        check(&tokenizer, case["language"].as_str().unwrap(), case["text"].as_str().unwrap(), &expected);
        n_cases += 1;
    }
    assert_eq!(n_cases, 200);
}

/// Texts that meet the rules: letters of several scripts, look-alikes, apostrophes, marks, blanks.
fn texts() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "a",
        "in",
        "love",
        "n't",
        "'",
        "\u{2019}",
        "`",
        "o",
        "ooo",
        " ",
        "-",
        "\u{301}",
        "\u{435}",
        "\u{43E}",
        "ж",
        "Σ",
        "İ",
        "東",
        "京",
        "タ",
        "ー",
        "の",
        "바",
        "7",
        "\u{200B}",
        "l'",
        "'s",
        "ß",
        "\u{FB01}",
        "\u{1F3D6}",
    ]);
    prop_oneof![any::<String>(), prop::collection::vec(pieces, 0..30).prop_map(|pieces| pieces.concat())]
}

proptest! {
    #[test]
    fn tokens_obey_the_limits(text in texts()) {
        let tokenizer = Tokenizer::from_stopwords(STOP_WORDS);
        for token in tokenizer.tokens("ja", &text) {
            prop_assert!(!token.is_empty() && token.chars().count() <= MAX_CHARS);
            prop_assert!(!token.contains('\'') && !token.contains(char::is_whitespace));
            prop_assert!(!tokenizer.is_stop_word("ja", &token));
        }
    }

    /// The rules promise it for tokens that hold no run of three equal characters (which taking an apostrophe out can
    /// make) and are in normal form (which lower-casing can undo).
    #[test]
    fn a_token_is_its_own_token(text in texts()) {
        let tokenizer = Tokenizer::from_stopwords(STOP_WORDS);
        for token in tokenizer.tokens("fr", &text) {
            let is_settled = normalize(&token) == token && collapse_repeats(&token) == token;
            if is_settled {
                prop_assert_eq!(tokenizer.tokens("fr", &token), vec![token.clone()]);
            }
        }
    }

    #[test]
    fn any_stop_word_list_can_be_read(list in any::<String>(), text in any::<String>()) {
        Tokenizer::from_stopwords(&list).tokens("en", &text);
    }
}
