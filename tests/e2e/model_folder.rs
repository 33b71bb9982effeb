//! Where the model is found, and what happens with one that is not whole.

use std::fs;
use std::path::Path;

use super::program::{fixture_arg, has_model, run, run_with};

/// Most bytes of the bundled model, and of its tagger.
const MAX_MODEL_BYTES: u64 = 28 << 20;
const MAX_TAGGER_BYTES: u64 = 10 << 20;

/// Copies a folder with all that is in it.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() { copy(&path, &target) } else { fs::copy(&path, &target).map(|_| ()).unwrap() }
    }
}

#[test]
fn a_folder_that_is_no_model_is_named_with_the_remedy() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path().to_str().unwrap();
    let photo = fixture_arg("beach_sunset.jpg");
    for answer in
        [run(&["suggest", &photo, "--model", dir]), run_with(&["tags", &photo], b"", &[("IMAGE2SONG_MODEL", dir)])]
    {
        assert_eq!((answer.code, answer.stdout.as_str()), (2, ""));
        assert!(answer.stderr.contains(dir) && answer.stderr.contains("MANIFEST.toml"), "{}", answer.stderr);
        assert_eq!(answer.stderr.lines().count(), 1, "printed once: {}", answer.stderr);
    }
}

#[test]
fn the_bundled_model_is_whole_and_small() {
    if !has_model() {
        return;
    }
    let manifest = run(&["model", "check", "--json"]).expect_code(0).one();
    let bytes = |file: &serde_json::Value| file["bytes"].as_u64().unwrap();
    let files = manifest["file"].as_array().unwrap();
    assert!(files.iter().map(bytes).sum::<u64>() <= MAX_MODEL_BYTES, "{manifest}");
    let tagger = files.iter().find(|file| file["path"] == "tagger.safetensors").unwrap();
    assert!(bytes(tagger) <= MAX_TAGGER_BYTES, "{tagger}");
    for name in ["tags.txt", "matcher.safetensors", "MODEL_CARD.md", "lexicon/tags.tsv"] {
        assert!(files.iter().any(|file| file["path"] == name), "{name} is missing in {manifest}");
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base");
    let on_disk = run(&["model", "seal", copy_of(&root).path().join("m").to_str().unwrap()]).expect_code(0).stdout;
    assert!(on_disk.contains(&format!("{} files", files.len())), "files that the manifest does not list: {on_disk}");
}

fn copy_of(root: &Path) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    copy(root, &dir.path().join("m"));
    dir
}

#[test]
fn a_damaged_model_says_which_file_and_what_to_do() {
    if !has_model() {
        return;
    }
    let copied = copy_of(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base"));
    let dir = copied.path().join("m");
    let arguments = ["tags", &fixture_arg("beach_sunset.jpg"), "--model", dir.to_str().unwrap()];
    run(&arguments).expect_code(0);
    let tagger = dir.join("tagger.safetensors");
    let whole = fs::read(&tagger).unwrap();
    let mut changed = whole.clone();
    let middle = changed.len() / 2;
    changed[middle] ^= 1;
    fs::write(&tagger, &changed).unwrap();
    let stderr = run(&arguments).expect_code(2).stderr;
    assert!(stderr.contains("tagger.safetensors has sha256") && stderr.contains("expects"), "{stderr}");
    fs::write(&tagger, &whole[..middle]).unwrap();
    let stderr = run(&arguments).expect_code(2).stderr;
    assert!(stderr.contains(&format!("has {middle} bytes")) && stderr.contains("model seal"), "{stderr}");
    fs::remove_file(&tagger).unwrap();
    let stderr = run(&arguments).expect_code(2).stderr;
    assert!(stderr.contains("tagger.safetensors cannot be read"), "{stderr}");
}

#[test]
fn a_device_that_is_not_there_is_said() {
    if !has_model() {
        return;
    }
    let answer = run(&["tags", &fixture_arg("blank.jpg"), "--device", "cuda:99"]).expect_code(2);
    assert!(answer.stderr.contains("cuda:99") && answer.stderr.contains("--device cpu"), "{}", answer.stderr);
}
