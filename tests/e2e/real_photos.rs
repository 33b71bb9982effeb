//! Real photos of the data folder, where there is one.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::read::GzDecoder;
use serde_json::Value;

use super::program::{data_dir, has_model, run};

const N_PHOTOS: usize = 20;
const MIN_TRUE: usize = 14;

/// Id and true tags of photos of the validation split, evenly spread over the file and thus over the sources.
fn chosen(photos: &Path) -> HashMap<String, Vec<String>> {
    let lines = BufReader::new(GzDecoder::new(File::open(photos.join("photos.jsonl.gz")).unwrap())).lines();
    let photos: Vec<Value> = lines
        .map(|line| serde_json::from_str::<Value>(&line.unwrap()).unwrap())
        .filter(|photo| photo["split"] == "val" && !photo["tags"].as_array().unwrap().is_empty())
        .collect();
    let stated = |photo: &Value| {
        let tags = photo["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned());
        (photo["id"].as_str().unwrap().to_owned(), tags.collect())
    };
    (0..N_PHOTOS).map(|i| stated(&photos[i * photos.len() / N_PHOTOS])).collect()
}

/// Writes the chosen photos out of the shards into a folder.
fn unpack(photos: &Path, chosen: &HashMap<String, Vec<String>>, folder: &Path) {
    for shard in fs::read_dir(photos).unwrap().map(|entry| entry.unwrap().path()) {
        let name = shard.file_name().unwrap().to_str().unwrap();
        if !(name.starts_with("val-") && name.ends_with(".tar")) {
            continue;
        }
        for entry in tar::Archive::new(File::open(&shard).unwrap()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let id = entry.path().unwrap().file_stem().unwrap().to_str().unwrap().to_owned();
            if chosen.contains_key(&id) {
                let mut bytes = Vec::new();
                entry.read_to_end(&mut bytes).unwrap();
                fs::write(folder.join(format!("{id}.jpg")), bytes).unwrap();
            }
        }
    }
}

#[test]
fn real_photos_get_a_true_tag_among_the_first_three() {
    let Some(data) = data_dir() else { return };
    if !has_model() {
        return;
    }
    let chosen = chosen(&data.join("photos"));
    let folder = tempfile::tempdir().unwrap();
    unpack(&data.join("photos"), &chosen, folder.path());
    let answers = run(&["suggest", folder.path().to_str().unwrap(), "--json"]).expect_code(0).json();
    assert_eq!(answers.len(), N_PHOTOS);
    let mut report = Vec::new();
    let n_true = answers.iter().filter(|answer| {
        let id = Path::new(answer["photo"].as_str().unwrap()).file_stem().unwrap().to_str().unwrap();
        let tags = answer["tags"].as_array().unwrap().iter().take(3);
        let seen: Vec<&str> = tags.map(|tag| tag["tag"].as_str().unwrap()).collect();
        assert_eq!(answer["suggestions"].as_array().unwrap().len(), 5, "{id}");
        report.push(format!("{id}: stated {:?}, seen {seen:?}", chosen[id]));
        seen.iter().any(|tag| chosen[id].iter().any(|stated| stated == tag))
    });
    let n_true = n_true.count();
    assert!(n_true >= MIN_TRUE, "{n_true} of {N_PHOTOS}\n{}", report.join("\n"));
}
