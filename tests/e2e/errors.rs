//! Photos that cannot be answered, alone and beside good ones.

use std::fs;
use std::path::Path;

use super::encode::{fixture, png};
use super::program::{fixture_arg, has_model, run, run_with};

/// A header that claims a huge photo, with a checksum that is right.
fn bomb(width: u32, height: u32) -> Vec<u8> {
    png((width, height), 8, 2, &[], &[0; 64])
}

/// Name, content and expected kind of photos that fail.
fn hostile() -> Vec<(&'static str, Vec<u8>, &'static str)> {
    let beach = fixture("beach_sunset.jpg");
    let heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec();
    let avif = b"\0\0\0\x18ftypavif\0\0\0\0avifmif1".to_vec();
    vec![
        ("empty.jpg", Vec::new(), "empty"),
        ("text.jpg", b"Dear diary, today the sea was calm.\n".to_vec(), "unsupported_format"),
        ("page.png", b"<!DOCTYPE html><html></html>".to_vec(), "unsupported_format"),
        ("phone.heic", heic, "unsupported_format"),
        ("new.avif", avif, "unsupported_format"),
        ("cut.jpg", beach[..beach.len() / 2].to_vec(), "truncated"),
        ("wide.png", bomb(100_000, 10), "side_too_long"),
        ("huge.png", bomb(16_000, 16_000), "too_many_pixels"),
    ]
}

fn write_hostile(dir: &Path) -> Vec<String> {
    let write = |(name, bytes, _): (&str, Vec<u8>, &str)| {
        let path = dir.join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    };
    hostile().into_iter().map(write).collect()
}

#[test]
fn each_bad_photo_has_its_kind_and_the_good_ones_are_answered() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let bad = write_hostile(dir.path());
    let good = fixture_arg("forest.jpg");
    for command in ["tags", "suggest"] {
        let mut arguments = vec![command, "--json"];
        for photo in &bad {
            arguments.extend([photo.as_str(), good.as_str()]);
        }
        let gone = dir.path().join("gone.jpg");
        arguments.push(gone.to_str().unwrap());
        let answers = run(&arguments).expect_code(1).json();
        assert_eq!(answers.len(), 2 * bad.len() + 1);
        for (pair, (name, _, kind)) in answers.chunks(2).zip(hostile()) {
            assert_eq!(pair[0]["error"]["kind"], kind, "{name}: {}", pair[0]);
            assert!(!pair[0]["error"]["message"].as_str().unwrap().is_empty());
            assert_eq!(pair[0].as_object().unwrap().len(), 2, "photo and error, nothing else: {}", pair[0]);
            assert!(pair[1]["tags"].as_array().is_some_and(|tags| !tags.is_empty()), "{}", pair[1]);
        }
        assert_eq!(answers.last().unwrap()["error"]["kind"], "not_found");
    }
}

#[test]
fn messages_say_what_was_found_and_what_is_allowed() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    write_hostile(dir.path());
    let text = run(&["tags", dir.path().to_str().unwrap()]).expect_code(1).stdout;
    for part in ["HEIC", "AVIF", "JPEG, PNG, WebP, GIF or BMP", "50.0 megapixels", "16384", "cut off after"] {
        assert!(text.replace("\n  ", " ").contains(part), "{part} in {text}");
    }
    assert_eq!(text.matches("no answer:").count(), hostile().len());
}

#[test]
fn every_cut_of_a_photo_is_an_error_not_a_crash() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let whole = fixture("night_city.jpg");
    for sixteenth in 0..16 {
        fs::write(dir.path().join(format!("{sixteenth:02}.jpg")), &whole[..whole.len() * sixteenth / 16]).unwrap();
    }
    let answers = run(&["tags", dir.path().to_str().unwrap(), "--json"]).expect_code(1).json();
    assert_eq!(answers.len(), 16);
    for answer in answers {
        let kind = answer["error"]["kind"].as_str().unwrap_or_else(|| panic!("{answer}"));
        assert!(["empty", "truncated", "corrupt"].contains(&kind), "{answer}");
    }
}

#[test]
fn standard_input_and_folders_fail_by_name() {
    if !has_model() {
        return;
    }
    let answer = run_with(&["tags", "-", "--json"], b"", &[]).expect_code(1).one();
    assert_eq!((answer["photo"].as_str(), answer["error"]["kind"].as_str()), (Some("-"), Some("empty")));
    let answer = run_with(&["tags", "-", "--json"], &vec![0xff; 21 << 20], &[]).expect_code(1).one();
    assert_eq!(answer["error"]["kind"], "too_many_bytes");
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "milk").unwrap();
    let answer = run(&["tags", dir.path().to_str().unwrap(), "--json"]).expect_code(1).one();
    assert_eq!(answer["error"]["kind"], "no_photos", "{answer}");
}

#[test]
fn what_is_no_photo_in_a_folder_is_left_out_and_counted() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("notes.txt"), "milk").unwrap();
    fs::write(dir.path().join("a.jpg"), fixture("forest.jpg")).unwrap();
    let answer = run(&["tags", dir.path().to_str().unwrap(), "--json"]).expect_code(0);
    assert!(answer.one()["error"].is_null());
    assert!(answer.stderr.contains("1 file is no photo"), "{}", answer.stderr);
    let quiet = run(&["tags", dir.path().to_str().unwrap(), "--json", "--quiet"]).expect_code(0);
    assert_eq!(quiet.stderr, "");
    let logged = run(&["tags", dir.path().to_str().unwrap(), "--json", "--log-format", "json"]).expect_code(0);
    let entry: serde_json::Value = serde_json::from_str(logged.stderr.lines().next().unwrap()).unwrap();
    assert_eq!(entry["level"], "WARN");
}
