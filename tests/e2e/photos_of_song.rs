//! `photos`: song2image.

use serde_json::Value;

use super::encode::SCENES;
use super::program::{fixture_arg, has_model, run};

fn fixtures() -> String {
    fixture_arg("")
}

/// The first song suggested for a scene.
fn best_song(scene: &str) -> Value {
    let answer = run(&["suggest", &fixture_arg(&format!("{scene}.jpg")), "--json", "--top", "1"]).expect_code(0).one();
    answer["suggestions"][0]["song"].clone()
}

#[test]
fn photos_are_ranked_by_how_well_they_fit() {
    if !has_model() {
        return;
    }
    let song = best_song("snowy_mountain");
    let id = song["id"].as_str().unwrap();
    let answers = run(&["photos", id, "--in", &fixtures(), "--json", "--top", "20"]).expect_code(0).json();
    assert!(answers.len() >= SCENES.len());
    let scores: Vec<f64> = answers.iter().map(|answer| answer["score"].as_f64().unwrap()).collect();
    assert!(scores.is_sorted_by(|a, b| a >= b), "{scores:?}");
    for (idx, answer) in answers.iter().enumerate() {
        assert_eq!(answer["rank"], idx + 1);
        assert_eq!(answer["song"], song);
        assert!(answer["tags"].is_array() && answer["evidence"].is_array());
    }
    let place = answers.iter().position(|answer| answer["photo"].as_str().unwrap().ends_with("snowy_mountain.jpg"));
    assert!(place.unwrap() < 3, "the photo that the song was suggested for is among the best");
    let top = run(&["photos", id, "--in", &fixtures(), "--json", "--top", "2"]).expect_code(0).json();
    assert_eq!(top.len(), 2);
    let text = run(&["photos", id, "--in", &fixtures()]).expect_code(0).stdout;
    assert!(text.contains(song["title"].as_str().unwrap()) && text.contains("score"), "{text}");
}

#[test]
fn a_title_that_means_several_songs_lists_them() {
    if !has_model() {
        return;
    }
    let answer = run(&["photos", "Hello", "--in", &fixtures(), "--json"]).expect_code(1).one();
    assert_eq!(answer["error"]["kind"], "ambiguous_song", "{answer}");
    let candidates = answer["candidates"].as_array().unwrap();
    assert!(candidates.len() >= 2, "{answer}");
    let one = &candidates[1];
    let name = format!("{} - {}", one["title"].as_str().unwrap(), one["artist"].as_str().unwrap());
    let answers = run(&["photos", &name, "--in", &fixtures(), "--json", "--top", "1"]).expect_code(0).json();
    assert_eq!(answers[0]["song"], *one);
    let text = run(&["photos", "Hello", "--in", &fixtures()]).expect_code(1);
    assert!(text.stdout.is_empty() && text.stderr.contains(&name), "{}", text.stderr);
}

#[test]
fn a_title_that_means_no_song_is_said() {
    if !has_model() {
        return;
    }
    let answer = run(&["photos", "zzzzqqqq xxyyzz", "--in", &fixtures(), "--json"]).expect_code(1).one();
    assert_eq!(answer["error"]["kind"], "no_such_song");
}
