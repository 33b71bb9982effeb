//! `tags add`, `tags remove`, and add-ons wherever photos are answered.

use std::fs;
use std::path::{Path, PathBuf};

use image::{Rgb, RgbImage};
use serde_json::Value;

use super::encode::{fixture, jpeg};
use super::program::{fixture_arg, has_model, run, run_with};

/// Scenes that examples are made of, and scenes that only judge.
const KNOWN: [&str; 4] = ["beach_sunset", "snowy_mountain", "forest", "stage"];
const NEW: [&str; 2] = ["night_city", "portrait"];

/// A scene with a chequered flag in its left or right half.
fn flagged(scene: &str, is_left: bool) -> RgbImage {
    let mut picture = plain(scene);
    let (width, height) = picture.dimensions();
    let (side, left) = (height * 2 / 5, if is_left { width / 20 } else { width * 19 / 20 - height * 2 / 5 });
    for y in 0..side {
        for x in 0..side {
            let is_light = (x * 5 / side + y * 5 / side).is_multiple_of(2);
            let color = if is_light { [250, 250, 245] } else { [190, 15, 25] };
            picture.put_pixel(left + x, height / 4 + y, Rgb(color));
        }
    }
    picture
}

fn plain(scene: &str) -> RgbImage {
    image::load_from_memory(&fixture(&format!("{scene}.jpg"))).unwrap().into_rgb8()
}

/// A folder with a list of a tag `banner`, its examples and counterexamples, an add-on of it, and what `add` said.
fn banner() -> (tempfile::TempDir, PathBuf, Value) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::create_dir_all(root.join("banner")).unwrap();
    fs::create_dir_all(root.join("plain")).unwrap();
    for scene in KNOWN {
        for is_left in [true, false] {
            fs::write(root.join(format!("banner/{scene}-{is_left}.jpg")), jpeg(flagged(scene, is_left), 90)).unwrap();
        }
        fs::write(root.join(format!("plain/{scene}.jpg")), jpeg(plain(scene), 90)).unwrap();
    }
    let list = "[[tag]]\nname = \"banner\"\nnames = { de = \"Banner\" }\nwords = [\"flag\", [\"parade\", 0.5]]\n\
                photos = [\"banner\"]\nnot = [\"plain\"]\n";
    fs::write(root.join("ours.toml"), list).unwrap();
    let addon = root.join("addons/ours");
    let list = root.join("ours.toml");
    let arguments = ["tags", "add", "--from", arg(&list), "--addon", arg(&addon), "--json"];
    let said = run(&arguments).expect_code(0).one();
    (dir, addon, said)
}

fn arg(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Entry of a tag in an answer.
fn entry<'a>(answer: &'a Value, tag: &str) -> Option<&'a Value> {
    answer["tags"].as_array().unwrap().iter().find(|entry| entry["tag"] == tag)
}

/// An answer without its times.
fn timeless(mut answer: Value) -> Value {
    answer.as_object_mut().unwrap().remove("ms");
    answer
}

#[test]
fn a_tag_of_a_few_photos_is_seen_where_it_is_and_wakes_its_words() {
    if !has_model() {
        return;
    }
    let (dir, addon, said) = banner();
    let tag = &said["tags"][0];
    assert_eq!((&tag["tag"], &tag["examples"], &tag["counterexamples"]), (&"banner".into(), &8.into(), &4.into()));
    assert!(tag["average_precision"].as_f64().unwrap() > 0.8 && tag["found"].as_u64().unwrap() >= 6, "{said}");
    assert!(tag["few"] == true && tag["wrong"].as_u64().unwrap() <= 4, "{said}");
    for scene in NEW {
        let of = |picture: RgbImage, name: &str| {
            let path = dir.path().join(name);
            fs::write(&path, jpeg(picture, 90)).unwrap();
            run(&["tags", arg(&path), "--top", "4096", "--json", "--addon", arg(&addon)]).expect_code(0).one()
        };
        let without = of(plain(scene), "without.jpg");
        let without = entry(&without, "banner").unwrap()["prob"].as_f64().unwrap();
        for is_left in [true, false] {
            let answer = of(flagged(scene, is_left), "with.jpg");
            let seen = entry(&answer, "banner").unwrap();
            let prob = seen["prob"].as_f64().unwrap();
            assert!(prob > 0.3 && prob > 4.0 * without, "{scene}: {prob} with a banner, {without} without");
            let edge = |at: usize| seen["region"][at].as_f64().unwrap();
            let middle = 0.5 * (edge(0) + edge(2));
            assert!(if is_left { middle <= 0.5 } else { middle >= 0.5 }, "{scene} {is_left}: {seen}");
        }
    }
    // Songs: the tag counts, and evidence names the words that it woke.
    let photo = dir.path().join("banner/forest-true.jpg");
    let variables = [("IMAGE2SONG_ADDON", arg(&addon))];
    let answer = run_with(&["suggest", arg(&photo), "--top", "20", "--json"], b"", &variables).expect_code(0).one();
    assert!(entry(&answer, "banner").is_some(), "{answer}");
    let evidence = answer["suggestions"].as_array().unwrap().iter().flat_map(|s| s["evidence"].as_array().unwrap());
    let words: Vec<&str> =
        evidence.filter(|one| one["tag"] == "banner").map(|one| one["word"].as_str().unwrap()).collect();
    assert!(words.iter().any(|word| ["flag", "flags", "banner", "banners", "parade"].contains(word)), "{words:?}");
    let png = dir.path().join("why.png");
    let text = run_with(&["suggest", arg(&photo), "--explain", arg(&png), "--lang", "de"], b"", &variables);
    assert!(text.expect_code(0).stdout.contains("Banner") && png.metadata().unwrap().len() > 10_000);
    let song = "Sunrise, Sunburn, Sunset - Luke Bryan";
    let folder = dir.path().join("banner");
    let fits = run_with(&["photos", song, "--in", arg(&folder), "--json"], b"", &variables).expect_code(0).json();
    assert!(fits.iter().any(|fit| entry(fit, "banner").is_some()), "{fits:?}");
}

#[test]
fn without_an_add_on_and_beside_one_the_model_says_what_it_said() {
    if !has_model() {
        return;
    }
    let photos = ["blank.jpg", "beach_sunset.jpg", "stage.jpg"].map(fixture_arg);
    let suggested = |more: &[&str]| {
        let words: Vec<&str> = ["suggest", "--json"]
            .into_iter()
            .chain(photos.iter().map(String::as_str))
            .chain(more.iter().copied())
            .collect();
        run(&words).expect_code(0).json().into_iter().map(timeless).collect::<Vec<Value>>()
    };
    let before = suggested(&[]);
    let (_dir, addon, _) = banner();
    assert_eq!(suggested(&[]), before, "making an add-on changes nothing");
    run(&["model", "check"]).expect_code(0);
    // Where the own tag does not count, the songs are the same to the last digit.
    let beside = suggested(&["--addon", arg(&addon)]);
    let mut n_same = 0;
    for (beside, before) in beside.iter().zip(&before) {
        if entry(beside, "banner").is_none() {
            assert_eq!(beside, before);
            n_same += 1;
        }
    }
    assert!(n_same >= 2, "{beside:?}");
    let all = |more: &[&str]| {
        let words: Vec<&str> =
            ["tags", &photos[1], "--top", "4096", "--json"].into_iter().chain(more.iter().copied()).collect();
        run(&words).expect_code(0).one()
    };
    let (own, wide) = (all(&[]), all(&["--addon", arg(&addon)]));
    let others = |answer: &Value| {
        let tags = answer["tags"].as_array().unwrap().iter();
        tags.filter(|entry| entry["tag"] != "banner").cloned().collect::<Vec<Value>>()
    };
    assert_eq!(others(&own), others(&wide));
    assert_eq!(wide["tags"].as_array().unwrap().len(), own["tags"].as_array().unwrap().len() + 1);
}

#[test]
fn tags_join_an_add_on_and_leave_it_again() {
    if !has_model() {
        return;
    }
    let (dir, addon, _) = banner();
    let more = dir.path().join("more.jsonl");
    fs::write(&more, "{\"name\":\"dune\",\"photos\":[\"plain\"],\"not\":[\"banner\"]}\n").unwrap();
    let call = ["tags", "add", "--from", arg(&more), "--addon", arg(&addon)];
    let text = run(&call).expect_code(0).stdout;
    assert!(text.contains("banner  (learned before") && text.contains("dune") && text.contains("2 tags in"), "{text}");
    // Each photo is kept once, as numbers; no name of a file is.
    let kept = fs::read_to_string(addon.join("addon.toml")).unwrap();
    assert!(kept.matches("[[example]]").count() == 12 && !kept.contains("forest"), "{kept}");
    let answer = run(&["tags", "remove", "banner", "--addon", arg(&addon), "--json"]).expect_code(0).one();
    assert_eq!((&answer["removed"][0], &answer["left"][0]), (&"banner".into(), &"dune".into()));
    let photo = fixture_arg("forest.jpg");
    let seen = run(&["tags", &photo, "--top", "4096", "--json", "--addon", arg(&addon)]).expect_code(0).one();
    assert!(entry(&seen, "banner").is_none() && entry(&seen, "dune").is_some());
    let fault = run(&["tags", "remove", "banner", "--addon", arg(&addon)]).expect_code(2).stderr;
    assert!(fault.contains("no tag \"banner\"") && fault.contains("it has dune"), "{fault}");
    run(&["tags", "remove", "dune", "--addon", arg(&addon)]).expect_code(0);
    assert!(!addon.exists());
    let fault = run(&["tags", &photo, "--addon", arg(&addon)]).expect_code(2).stderr;
    assert!(fault.contains("there is no add-on") && fault.contains("tags add --from"), "{fault}");
}

#[test]
fn what_cannot_be_learned_is_refused_and_nothing_changes() {
    if !has_model() {
        return;
    }
    let (dir, addon, _) = banner();
    let before = fs::read(addon.join("addon.toml")).unwrap();
    let list = dir.path().join("wrong.toml");
    for (text, parts) in [
        ("[[tag]]\nname = \"Beach\"\nphotos = [\"banner\"]", &["has a tag \"beach\" already", "another name"][..]),
        ("[[tag]]\nname = \"xqzzt\"\nphotos = [\"banner\"]", &["\"xqzzt\"", "words = ["]),
        ("[[tag]]\nname = \"xqzzt\"\nwords = [\"qqxv\"]\nphotos = [\"banner\"]", &["qqxv", "allowed"]),
        (
            "[[tag]]\nname = \"lantern\"\nphotos = [\"gone.jpg\", \"plain/forest.jpg\"]",
            &["1 usable", "gone.jpg", "3 are needed"],
        ),
        ("[[tag]]\nname = \"lantern\"\nphotos = [\"plain\"]\nnot = [\"plain/forest.jpg\"]", &["photos and under not"]),
        ("[[tag]]\nname = \"lantern\"\n", &["photos", "docs/TAGS.md"]),
    ] {
        fs::write(&list, text).unwrap();
        let answer = run(&["tags", "add", "--from", arg(&list), "--addon", arg(&addon)]).expect_code(2);
        assert!(parts.iter().all(|part| answer.stderr.contains(part)), "{text}: {}", answer.stderr);
        assert_eq!(answer.stdout, "");
    }
    assert_eq!(fs::read(addon.join("addon.toml")).unwrap(), before);
    // A broken photo among good ones is left out and told, and the rest is done.
    fs::write(dir.path().join("plain/broken.jpg"), b"\xff\xd8\xff\xe0cut").unwrap();
    let answer = run(&["tags", "add", "--from", arg(&dir.path().join("ours.toml")), "--addon", arg(&addon), "--json"]);
    let said = answer.expect_code(1).one();
    assert!(said["failed"][0]["photo"].as_str().unwrap().ends_with("broken.jpg"), "{said}");
    assert_eq!(said["tags"][0]["examples"], 8);
    // An add-on of another tagger.
    let text = fs::read_to_string(addon.join("addon.toml")).unwrap();
    let digest = text.split("tagger = \"").nth(1).unwrap().split('"').next().unwrap();
    fs::write(addon.join("addon.toml"), text.replace(digest, &"0".repeat(64))).unwrap();
    let fault = run(&["tags", &fixture_arg("forest.jpg"), "--addon", arg(&addon)]).expect_code(2).stderr;
    assert!(fault.contains("is not whole"), "{fault}");
    run(&["model", "seal", arg(&addon)]).expect_code(0);
    let fault = run(&["tags", &fixture_arg("forest.jpg"), "--addon", arg(&addon)]).expect_code(2).stderr;
    assert!(fault.contains("made for a tagger with sha256 000000000000") && fault.contains("make it anew"), "{fault}");
}
