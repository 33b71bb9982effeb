//! `tags`.

use std::fs;

use super::encode::{SCENES, exif, fixture, formats, jpeg, stored_as, with_exif};
use super::program::{fixture_arg, has_model, run, run_with};

/// Names of the first `n` tags of an answer.
fn names(answer: &serde_json::Value, n: usize) -> Vec<String> {
    let tags = answer["tags"].as_array().unwrap();
    tags.iter().take(n).map(|tag| tag["tag"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn tags_have_probabilities_and_regions() {
    if !has_model() {
        return;
    }
    for scene in SCENES {
        let photo = fixture_arg(&format!("{scene}.jpg"));
        let answer = run(&["tags", &photo, "--top", "12", "--json"]).expect_code(0).one();
        assert_eq!(answer["photo"], photo);
        let tags = answer["tags"].as_array().unwrap();
        assert_eq!(tags.len(), 12);
        let probs: Vec<f64> = tags.iter().map(|tag| tag["prob"].as_f64().unwrap()).collect();
        assert!(probs.is_sorted_by(|a, b| a >= b) && probs.iter().all(|p| (0.0..=1.0).contains(p)), "{probs:?}");
        for tag in tags {
            let region: Vec<f64> =
                tag["region"].as_array().unwrap().iter().map(|edge| edge.as_f64().unwrap()).collect();
            assert!(region.len() == 4 && region[0] < region[2] && region[1] < region[3], "{tag}");
            assert!(region.iter().all(|edge| (0.0..=1.0).contains(edge)), "{tag}");
        }
        let ms = &answer["ms"];
        let time = |name: &str| ms[name].as_f64().unwrap();
        assert!(time("decode") > 0.0 && time("tag") > 0.0, "{ms}");
        assert!(time("total") >= time("decode") + time("tag") - 0.02, "{ms}");
    }
}

#[test]
fn painted_scenes_are_recognized() {
    if !has_model() {
        return;
    }
    let cases: [(&str, &[&str]); 4] = [
        ("beach_sunset.jpg", &["beach", "sea", "sunset", "sunrise", "sky", "coast"]),
        ("snowy_mountain.jpg", &["mountain", "snow", "winter", "glacier", "ski"]),
        ("night_city.jpg", &["night", "city", "skyscraper", "street", "building"]),
        ("forest.jpg", &["forest", "tree", "woods", "nature", "bamboo"]),
    ];
    let n_recognized = cases.iter().filter(|(photo, any)| {
        let answer = run(&["tags", &fixture_arg(photo), "--top", "5", "--json"]).expect_code(0).one();
        names(&answer, 5).iter().any(|name| any.contains(&name.as_str()))
    });
    assert!(n_recognized.count() >= 3);
}

#[test]
fn orientation_by_exif_does_not_change_the_tags() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let upright = image::load_from_memory(&fixture("snowy_mountain.jpg")).unwrap().into_rgb8();
    for orientation in 1..=8 {
        let bytes = with_exif(&jpeg(stored_as(&upright, orientation), 95), &exif(orientation, orientation % 2 == 0));
        fs::write(dir.path().join(format!("{orientation}.jpg")), bytes).unwrap();
    }
    let answers = run(&["tags", dir.path().to_str().unwrap(), "--json"]).expect_code(0).json();
    assert_eq!(answers.len(), 8);
    for answer in &answers[1..] {
        assert_eq!(names(answer, 3), names(&answers[0], 3), "{}", answer["photo"]);
        let prob = |answer: &serde_json::Value| answer["tags"][0]["prob"].as_f64().unwrap();
        assert!((prob(answer) - prob(&answers[0])).abs() < 0.05, "{answer}");
    }
}

#[test]
fn the_format_is_told_by_content_not_by_name() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    for (name, bytes) in formats() {
        fs::write(dir.path().join(format!("{name}.txt")), bytes).unwrap();
    }
    let answers = run(&["tags", dir.path().to_str().unwrap(), "--json"]).expect_code(0).json();
    assert_eq!(answers.len(), formats().len());
    let best: Vec<String> = answers.iter().map(|answer| names(answer, 1).remove(0)).collect();
    let n_agreeing = best.iter().filter(|name| **name == best[0]).count();
    assert!(n_agreeing >= best.len() - 1, "the same beach in every format: {best:?}");
}

#[test]
fn people_see_tags_in_their_language() {
    if !has_model() {
        return;
    }
    let photo = fixture_arg("beach_sunset.jpg");
    let english = run(&["tags", &photo]).expect_code(0).stdout;
    let by_flag = run(&["tags", &photo, "--lang", "de"]).expect_code(0).stdout;
    let by_locale = run_with(&["tags", &photo], b"", &[("LANG", "de_AT.UTF-8")]).expect_code(0).stdout;
    let by_variable = run_with(&["tags", &photo], b"", &[("IMAGE2SONG_LANG", "de")]).expect_code(0).stdout;
    assert_ne!(english, by_flag);
    assert_eq!((by_flag.as_str(), by_flag.as_str()), (by_locale.as_str(), by_variable.as_str()));
    assert!(english.contains('%') && !english.contains('\x1b'), "{english}");
    let json = |lang: &str| run(&["tags", &photo, "--json", "--lang", lang]).expect_code(0).one();
    assert_eq!(json("de")["tags"], json("en")["tags"], "names in JSON are those of the vocabulary");
}
