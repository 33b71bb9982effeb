//! `catalog build`, `info` and `search` on a made-up data folder.

use std::fs;
use std::path::Path;

use super::program::{Answer, run};

const SONGS: &str = r#"{"title":"Sea of Sand","artist":"Ana","year":1999,"language":"en","genres":["pop"],"popularity":0.7,"words":["sand","sea","waves","unheard","sea"]}
{"title":"Plage d'été","artist":"Bô","language":"fr","explicit":true,"words":["plage","sand"]}
"#;

/// A data folder that is enough for a catalogue: four words with vectors, two tags.
fn write_data(dir: &Path) {
    let cells = ["x | x", "x | x", "plage | plage"].into_iter().chain(["x | x"; 6]).collect::<Vec<_>>().join("\t");
    let vectors: Vec<u8> =
        [0x3C00_u16, 0, 0, 0x3C00, 0x3C00, 0x3C00, 0, 0xBC00].iter().flat_map(|v| v.to_le_bytes()).collect();
    for (name, bytes) in [
        ("photos/tags.txt", "beach\nsnow\n".as_bytes()),
        ("songs/songs.jsonl", SONGS.as_bytes()),
        ("songs/stopwords.txt", b"[en]\nof the\n[fr]\nd\n"),
        ("songs/vectors.vocab.txt", b"sea\nsand\nwaves\nbeach\n"),
        ("songs/vectors.f16", &vectors),
        ("lexicon/tags.tsv", format!("beach\t{cells}\n").as_bytes()),
        ("lexicon/evokes.tsv", b"beach\tsand:0.9\n"),
    ] {
        let path = dir.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn path(dir: &tempfile::TempDir, name: &str) -> String {
    dir.path().join(name).to_str().unwrap().to_owned()
}

/// A folder with `data` and, built from it, `model`.
fn built() -> (tempfile::TempDir, Answer) {
    let dir = tempfile::tempdir().unwrap();
    write_data(&dir.path().join("data"));
    let answer = run(&["catalog", "build", "--data", &path(&dir, "data"), "--out", &path(&dir, "model"), "--json"])
        .expect_code(0);
    (dir, answer)
}

#[test]
fn a_data_folder_becomes_a_catalogue() {
    let (dir, answer) = built();
    let info = answer.one();
    assert_eq!((info["songs"].as_u64(), info["explicit"].as_u64()), (Some(2), Some(1)));
    assert_eq!((info["languages"]["fr"].as_u64(), info["decades"]["1990"].as_u64()), (Some(1), Some(1)));
    let model = path(&dir, "model");
    assert_eq!(run(&["catalog", "info", "--model", &model, "--json"]).expect_code(0).one(), info);
    let shown = run(&["catalog", "info", "--model", &model]).expect_code(0).stdout;
    assert!(shown.starts_with("2 songs in ") && shown.contains("languages   en 1   fr 1\n"), "{shown}");
    for name in ["words.bin", "stopwords.txt", "tags.txt", "lexicon/tags.tsv", "catalog/catalogue.bin"] {
        assert!(dir.path().join("model").join(name).exists(), "{name}");
    }
}

#[test]
fn songs_are_found_with_typing_errors() {
    let (dir, _) = built();
    let model = path(&dir, "model");
    let found = run(&["catalog", "search", "plage", "d'ete", "--model", &model, "--json"]).expect_code(0).one();
    assert_eq!((found["id"].as_str(), found["explicit"].as_bool()), (Some("bô-plage-d-été"), Some(true)));
    let words: Vec<&str> = found["keywords"].as_array().unwrap().iter().filter_map(|k| k["word"].as_str()).collect();
    assert_eq!(words, ["plage", "sand"]);
    let shown = run(&["catalog", "search", "SEA of snad", "--model", &model]).expect_code(0).stdout;
    assert!(shown.starts_with("  1  Sea of Sand — Ana, 1999  en · pop · ana-sea-of-sand\n"), "{shown}");
    let answer = run(&["catalog", "search", "xyzzy", "--model", &model]).expect_code(1);
    assert!(answer.stdout.is_empty() && answer.stderr.contains("no song like \"xyzzy\""), "{}", answer.stderr);
}

#[test]
fn a_team_builds_its_own_songs_with_the_words_of_a_model() {
    let (dir, _) = built();
    let songs = path(&dir, "mine.jsonl");
    let good = r#"{"title":"Low Tide","artist":"The Gulls","language":"en","keywords":[["waves",0.5],["sea",1.0]]}"#;
    fs::write(&songs, format!("{good}\n{{\"title\":\"No more\"}}\n")).unwrap();
    let (model, mine) = (path(&dir, "model"), path(&dir, "mine"));
    let arguments = ["catalog", "build", "--songs", &songs, "--model", &model, "--out", &mine];
    let answer = run(&arguments).expect_code(1);
    assert!(answer.stderr.contains("line 2: missing: artist, language, words (or keywords)"), "{}", answer.stderr);
    assert!(answer.stderr.contains("--skip-faulty") && !dir.path().join("mine").exists(), "{}", answer.stderr);
    let answer = run(&[&arguments[..], &["--skip-faulty"]].concat()).expect_code(0);
    assert!(answer.stderr.contains("lines left out: 1"), "{}", answer.stderr);
    let found = run(&["catalog", "search", "tide", "--model", &mine, "--json"]).expect_code(0).one();
    assert_eq!(
        (found["id"].as_str(), found["keywords"][0]["word"].as_str()),
        (Some("the-gulls-low-tide"), Some("sea"))
    );
}

#[test]
fn a_word_that_songs_are_about_is_no_typing_error() {
    let (dir, _) = built();
    let songs = path(&dir, "mine.jsonl");
    let place =
        r#"{"title":"My Place","artist":"The Gulls","language":"en","popularity":0.9,"keywords":[["sea",1.0]]}"#;
    let plage = r#"{"title":"Sous le vent","artist":"Bô","language":"fr","keywords":[["sand",1.0],["plage",0.4]]}"#;
    fs::write(&songs, format!("{place}\n{plage}\n")).unwrap();
    let (model, mine) = (path(&dir, "model"), path(&dir, "mine"));
    run(&["catalog", "build", "--songs", &songs, "--model", &model, "--out", &mine]).expect_code(0);
    let titles = |text: &str| -> Vec<String> {
        let found = run(&["catalog", "search", text, "--model", &mine, "--json"]).expect_code(0).json();
        found.iter().map(|song| song["title"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(titles("plage"), ["Sous le vent"]);
    assert_eq!(titles("plaze"), ["My Place"]);
}

#[test]
fn a_cut_catalogue_says_which_file_and_what_to_do() {
    let (dir, _) = built();
    let file = dir.path().join("model/catalog/catalogue.bin");
    let whole = fs::read(&file).unwrap();
    fs::write(&file, &whole[..whole.len() / 2]).unwrap();
    let answer = run(&["catalog", "info", "--model", &path(&dir, "model")]).expect_code(2);
    let message = &answer.stderr;
    assert!(message.contains("catalogue.bin") && message.contains("image2song catalog build"), "{message}");
}
