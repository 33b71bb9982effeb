//! `suggest`: the main job.

use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;

use serde_json::Value;

use super::encode::{SCENES, fixture};
use super::program::{fixture_arg, fixture_path, has_model, program, run, run_with};

const BEACH: &str = "beach_sunset.jpg";

fn ids(answer: &Value) -> Vec<String> {
    let suggestions = answer["suggestions"].as_array().unwrap();
    suggestions.iter().map(|s| s["song"]["id"].as_str().unwrap().to_owned()).collect()
}

/// The answer without the times, which differ from run to run.
fn timeless(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("ms");
    answer
}

#[test]
fn a_photo_gives_five_songs_with_reasons_and_links() {
    if !has_model() {
        return;
    }
    let answer = run(&["suggest", &fixture_arg(BEACH), "--json"]).expect_code(0).one();
    assert!(answer["sure"].is_boolean());
    let suggestions = answer["suggestions"].as_array().unwrap();
    assert_eq!(suggestions.len(), 5);
    for (idx, suggestion) in suggestions.iter().enumerate() {
        assert_eq!(suggestion["rank"], idx + 1);
        assert!(suggestion["score"].is_f64());
        let song = &suggestion["song"];
        assert!(["id", "title", "artist", "language"].iter().all(|name| song[name].is_string()), "{song}");
        assert!(song["year"].is_null() || song["year"].is_u64(), "{song}");
        assert!(song["genres"].is_array() && song["explicit"].is_boolean(), "{song}");
        for evidence in suggestion["evidence"].as_array().unwrap() {
            assert!(evidence["tag"].is_string() && evidence["word"].is_string(), "{evidence}");
            assert!((0.0..=1.0).contains(&evidence["weight"].as_f64().unwrap()), "{evidence}");
        }
        for service in ["spotify", "youtube", "apple", "deezer"] {
            let link = suggestion["links"][service].as_str().unwrap();
            assert!(link.starts_with("https://") && !link.contains(' '), "{link}");
        }
    }
    let n_reasons = suggestions.iter().filter(|s| !s["evidence"].as_array().unwrap().is_empty()).count();
    assert!(n_reasons >= 3, "{answer}");
    let artists: std::collections::HashSet<&str> =
        suggestions.iter().map(|s| s["song"]["artist"].as_str().unwrap()).collect();
    assert_eq!(artists.len(), 5, "no artist twice in five");
}

#[test]
fn fields_stand_in_the_documented_order() {
    if !has_model() {
        return;
    }
    let line = run(&["suggest", &fixture_arg(BEACH), "--json", "--top", "1"]).expect_code(0).stdout;
    let fields = [
        "photo",
        "sure",
        "tags",
        "tag",
        "prob",
        "region",
        "suggestions",
        "rank",
        "song",
        "id",
        "title",
        "artist",
        "year",
        "language",
        "genres",
        "explicit",
        "score",
        "evidence",
        "links",
        "spotify",
        "youtube",
        "apple",
        "deezer",
        "ms",
        "decode",
        "tag",
        "match",
        "total",
    ];
    let mut rest = line.as_str();
    for field in fields {
        let at = rest.find(&format!("\"{field}\":")).unwrap_or_else(|| panic!("{field} out of order in {line}"));
        rest = &rest[at + 1..];
    }
}

#[test]
fn file_folder_and_standard_input_give_the_same_answer() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("inner")).unwrap();
    fs::copy(fixture_path(BEACH), dir.path().join("inner/b.jpg")).unwrap();
    let answers = [
        run(&["suggest", &fixture_arg(BEACH), "--json"]),
        run(&["suggest", dir.path().to_str().unwrap(), "--json"]),
        run_with(&["suggest", "-", "--json"], &fixture(BEACH), &[]),
    ]
    .map(|answer| timeless(answer.expect_code(0).one()));
    assert_eq!(answers[2]["photo"], "-");
    assert!(answers[1]["photo"].as_str().unwrap().ends_with("b.jpg"));
    for answer in &answers[1..] {
        assert_eq!((&answer["tags"], &answer["suggestions"]), (&answers[0]["tags"], &answers[0]["suggestions"]));
    }
}

#[test]
fn many_photos_are_answered_in_their_order() {
    if !has_model() {
        return;
    }
    let photos: Vec<String> = SCENES.iter().rev().map(|scene| fixture_arg(&format!("{scene}.jpg"))).collect();
    let arguments: Vec<&str> = ["suggest", "--json"].into_iter().chain(photos.iter().map(String::as_str)).collect();
    let together: Vec<Value> = run(&arguments).expect_code(0).json().into_iter().map(timeless).collect();
    let names: Vec<&str> = together.iter().map(|answer| answer["photo"].as_str().unwrap()).collect();
    assert_eq!(names, photos);
    for (photo, answer) in photos.iter().zip(&together).take(3) {
        assert_eq!(&timeless(run(&["suggest", "--json", photo]).expect_code(0).one()), answer, "alone as in company");
    }
}

#[test]
fn languages_filter_and_unknown_ones_are_listed() {
    if !has_model() {
        return;
    }
    let photo = fixture_arg(BEACH);
    let answer = run(&["suggest", &photo, "--json", "--language", "fr, ES"]).expect_code(0).one();
    for suggestion in answer["suggestions"].as_array().unwrap() {
        assert!(["fr", "es"].contains(&suggestion["song"]["language"].as_str().unwrap()), "{suggestion}");
    }
    for language in ["es", "pt", "fr", "ja"] {
        let answer = run(&["suggest", &photo, "--json", "--language", language]).expect_code(0).one();
        assert_eq!(ids(&answer).len(), 5, "{language}");
    }
    let refused = run(&["suggest", &photo, "--language", "en,xx"]).expect_code(2);
    assert!(refused.stderr.contains("\"xx\"") && refused.stderr.contains("fr, "), "{}", refused.stderr);
    assert_eq!(refused.stdout, "");
}

#[test]
fn explicit_songs_can_be_left_out() {
    if !has_model() {
        return;
    }
    let is_explicit = |arguments: &[&str]| {
        let answers = run(arguments).expect_code(0).json();
        let songs = answers.iter().flat_map(|answer| answer["suggestions"].as_array().unwrap().clone());
        songs.filter(|suggestion| suggestion["song"]["explicit"] == true).count()
    };
    let (stage, city) = (fixture_arg("stage.jpg"), fixture_arg("night_city.jpg"));
    assert!(is_explicit(&["suggest", &stage, &city, "--json", "--top", "50"]) > 0);
    assert_eq!(is_explicit(&["suggest", &stage, &city, "--json", "--top", "50", "--no-explicit"]), 0);
}

#[test]
fn a_hint_joins_the_photo() {
    if !has_model() {
        return;
    }
    let photo = fixture_arg("forest.jpg");
    let plain = run(&["suggest", &photo, "--json"]).expect_code(0).one();
    let hinted = run(&["suggest", &photo, "--json", "--hint", "rainy night"]).expect_code(0).one();
    assert_ne!(ids(&plain), ids(&hinted));
    let words = ["hint", "rain", "night"];
    let suggestions = hinted["suggestions"].as_array().unwrap();
    let evidence = suggestions.iter().flat_map(|s| s["evidence"].as_array().unwrap());
    assert!(evidence.clone().any(|e| words.contains(&e["tag"].as_str().unwrap())), "{hinted}");
    let empty = run(&["suggest", &photo, "--json", "--hint", "   "]).expect_code(0).one();
    assert_eq!(ids(&plain), ids(&empty));
}

#[test]
fn explain_draws_a_picture_for_each_photo() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("why.png");
    let explain = path.to_str().unwrap();
    run(&["suggest", &fixture_arg(BEACH), "--explain", explain]).expect_code(0);
    let picture = image::open(&path).unwrap();
    assert!(picture.width() > 600 && picture.height() > 300, "{} x {}", picture.width(), picture.height());
    run(&["suggest", &fixture_arg(BEACH), &fixture_arg("forest.jpg"), "--explain", explain]).expect_code(0);
    for name in ["why-1.png", "why-2.png"] {
        assert!(image::open(dir.path().join(name)).is_ok(), "{name}");
    }
    let nowhere = dir.path().join("no/such/why.png");
    let answer = run(&["suggest", &fixture_arg(BEACH), "--explain", nowhere.to_str().unwrap()]).expect_code(1);
    assert!(answer.stderr.contains("why.png cannot be written"), "{}", answer.stderr);
    assert!(answer.stdout.contains("→"), "the answer comes all the same: {}", answer.stdout);
}

#[test]
fn people_get_a_short_plain_answer_when_it_is_no_terminal() {
    if !has_model() {
        return;
    }
    let text = run(&["suggest", &fixture_arg(BEACH)]).expect_code(0).stdout;
    assert!(!text.contains('\x1b'), "{text}");
    assert!(text.contains("→") && text.contains("https://open.spotify.com/search/"), "{text}");
    assert!(text.lines().count() <= 45, "{text}");
    let variables = [("CLICOLOR_FORCE", "1"), ("FORCE_HYPERLINK", "1"), ("COLUMNS", "60")];
    let mut command = program();
    command.env_remove("NO_COLOR").envs(variables).args(["suggest", &fixture_arg(BEACH)]);
    let styled = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(styled.contains("\x1b[3m") && styled.contains("\x1b]8;;https://"), "{styled}");
    for line in styled.lines() {
        assert!(console::measure_text_width(line) <= 60, "{line}");
    }
}

#[test]
fn a_photo_of_nothing_is_answered_with_doubt() {
    if !has_model() {
        return;
    }
    for nothing in ["blank.jpg", "noise.jpg"] {
        let answer = run(&["suggest", &fixture_arg(nothing), "--json"]).one();
        assert_eq!(answer["sure"], false, "{answer}");
    }
}

#[test]
fn a_reader_that_goes_away_is_no_fault() {
    if !has_model() {
        return;
    }
    let photos = vec![fixture_arg(BEACH); 60];
    let mut command = program();
    let mut child = command
        .args(["suggest", "--json", "--top", "50"])
        .args(&photos)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    assert!(line.starts_with("{\"photo\""), "{line}");
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), String::from_utf8_lossy(&output.stderr).as_ref()), (Some(0), ""));
}
