use std::io::Write;

use super::*;
use crate::test_data::data_dir;

const PHOTOS: &str = r#"{"id":"walk-1","split":"train","source":"walk","tags":["beach","dog"],"unsure":["sea"],"captions":["a dog"],"more":1}

{"id":"walk-2","split":"val","source":"walk","tags":[]}
"#;

/// A photo folder with soft tags and features, and no photo in it.
fn folder(photos: &str, sources: &str, soft: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| std::fs::write(dir.path().join(name), bytes).unwrap();
    write("tags.txt", b"beach\ndog\nsea\n");
    write("photos.jsonl", photos.as_bytes());
    write("sources.json", sources.as_bytes());
    if !soft.is_empty() {
        std::fs::create_dir(dir.path().join("soft")).unwrap();
        write("soft/soft.json", soft.as_bytes());
        write("soft/soft.zst", &zstd::encode_all(&[0_u8, 51, 102, 153, 204, 255][..], 3).unwrap());
        write("soft/feat.zst", &zstd::encode_all(&[1_u8, 255, 3, 254][..], 3).unwrap());
    }
    dir
}

const SOURCES: &str = r#"{"walk":{"knows":["sea","dog"],"title":"walks"},"other":{}}"#;
const SOFT: &str =
    r#"{"soft":{"file":"soft.zst","shape":[2,3]},"feat64":{"file":"feat.zst","shape":[2,2],"scale":[1.0,2.0]}}"#;

fn ids(tags: &[TagId]) -> Vec<u16> {
    tags.iter().map(|tag| tag.0).collect()
}

#[test]
fn a_photo_folder_is_read() {
    let labels = Labels::read(folder(PHOTOS, SOURCES, SOFT).path()).unwrap();
    let first = &labels.records[0];
    assert_eq!((first.id.as_str(), first.split.as_str(), first.source.as_str()), ("walk-1", "train", "walk"));
    assert_eq!((ids(&first.tags), ids(&first.unsure), first.captions.len()), (vec![0, 1], vec![2], 1));
    assert_eq!((labels.records.len(), ids(labels.known_to("walk"))), (2, vec![2, 1]));
    assert!(labels.known_to("other").is_empty() && labels.known_to("unheard").is_empty());
    assert_eq!(labels.soft.as_deref(), Some(&[0, 51, 102, 153, 204, 255][..]));
    let features = labels.features.unwrap();
    let rows: Vec<f32> = features.row(0).chain(features.row(1)).collect();
    let mean_square = rows.iter().map(|value| value * value).sum::<f32>() / 4.0;
    assert!((mean_square - 1.0).abs() < 1e-5 && rows[1] < 0.0 && (rows[0] / rows[2] - 1.0 / 3.0).abs() < 1e-6);
}

#[test]
fn soft_tags_are_optional_and_gzip_may_come_in_parts() {
    let dir = folder(PHOTOS, SOURCES, "");
    std::fs::remove_file(dir.path().join("photos.jsonl")).unwrap();
    let parts = PHOTOS.split_inclusive('\n').flat_map(|line| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(line.as_bytes()).unwrap();
        encoder.finish().unwrap()
    });
    std::fs::write(dir.path().join("photos.jsonl.gz"), parts.collect::<Vec<u8>>()).unwrap();
    let labels = Labels::read(dir.path()).unwrap();
    assert_eq!(labels.records.len(), 2);
    assert!(labels.soft.is_none() && labels.features.is_none());
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    for (photos, sources, soft, message) in [
        (PHOTOS.replace("\"dog\"", "\"cat\""), SOURCES, SOFT, "photos.jsonl line 1: tag \"cat\" is not in tags.txt"),
        (PHOTOS.replace("walk-2", "walk-1"), SOURCES, SOFT, "photos.jsonl line 3: id \"walk-1\" stands on line 1 too"),
        (PHOTOS.replace("\"split\":\"val\",", ""), SOURCES, SOFT, "photos.jsonl line 3: missing field `split`"),
        (PHOTOS.replace("[]}", "[]"), SOURCES, SOFT, "photos.jsonl line 3: EOF"),
        (PHOTOS.to_owned(), r#"{"walk":{"knows":["cat"]}}"#, SOFT, "sources.json: tag \"cat\" is not in tags.txt"),
        (PHOTOS.to_owned(), SOURCES, &SOFT.replace("[2,3]", "[2,4]"), "soft tags have the shape [2, 4]"),
        (PHOTOS.to_owned(), SOURCES, &SOFT.replace("[1.0,", "["), "features have the shape [2, 2] and 1 scales"),
        (PHOTOS.to_owned(), SOURCES, &SOFT.replace("feat.zst", "soft.zst"), "soft.zst: holds 5 bytes or more"),
        (PHOTOS.to_owned(), SOURCES, &SOFT.replace("feat.zst", "none.zst"), "none.zst; a data folder needs it"),
    ] {
        let Err(error) = Labels::read(folder(&photos, sources, soft).path()) else { panic!("read: {message}") };
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn the_data_folder_is_read() {
    let Some(dir) = data_dir("photos") else { return };
    let labels = Labels::read(&dir).unwrap();
    assert_eq!((labels.records.len(), labels.vocabulary.len()), (39_902, 363));
    assert!(labels.records.iter().all(|record| !labels.known_to(&record.source).is_empty()));
}
