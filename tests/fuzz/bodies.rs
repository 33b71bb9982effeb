//! What each fuzz target does with its bytes: whatever they are, nothing panics and what is read keeps its promises.
//! The ordinary tests run the same bodies over a short corpus of their own.

use std::path::Path;

use image2song::catalogue::format::KIND;
use image2song::catalogue::load::Catalogue;
use image2song::catalogue::source::SongSource;
use image2song::lyric::tokenize::Tokenizer;
use image2song::photo::{Decoded, Limits};
use image2song::training::labels::Labels;
use image2song::training::pairs::Pairs;

/// Photo intake: the limits are kept.
pub fn photo(data: &[u8]) {
    let limits = Limits { max_bytes: 1 << 20, max_side: 512, max_pixels: 1 << 17 };
    if let Ok(decoded) = Decoded::from_bytes(data, &limits) {
        let (width, height) = (decoded.width(), decoded.height());
        assert!(width.max(height) <= limits.max_side && u64::from(width) * u64::from(height) <= limits.max_pixels);
        assert_eq!(decoded.square(32).rgb.len(), 32 * 32 * 3);
        assert!(decoded.fit(64).width() <= 64);
    }
}

/// A catalogue file: what it holds can be asked for.
pub fn catalogue_file(data: &[u8]) {
    let Ok(catalogue) = Catalogue::from_bytes(data) else { return };
    for song in catalogue.songs().take(50) {
        let shown = catalogue.song(song);
        assert!(catalogue.by_id(shown.id).is_some());
        for keyword in catalogue.keywords(song) {
            catalogue.rarity(shown.language, catalogue.word(keyword.word));
        }
        catalogue.title_words(song).iter().for_each(|&word| drop(catalogue.word(word).to_owned()));
    }
    catalogue.search("a b", 3);
}

/// The same for what no checksum stops: bytes that are packed as a payload.
pub fn catalogue_payload(data: &[u8]) {
    catalogue_file(&KIND.pack(data).expect("a short payload can be packed"));
}

/// A songs file, as `catalog build` and training read it.
pub fn songs(data: &[u8]) {
    let tokenizer = Tokenizer::from_stopwords("[en]\nthe\n");
    if let Ok((source, faults)) = SongSource::read_lines("songs.jsonl", data, &tokenizer) {
        assert!(!source.songs.is_empty());
        assert!(source.songs.len() + faults.n_lines <= data.split(|&byte| byte == b'\n').count());
    }
}

/// A photo folder of which one file is hostile; the first byte says which.
pub fn labels(data: &[u8]) {
    let Some((which, content)) = data.split_first() else { return };
    let folder = tempfile::tempdir().expect("the system has room for a temporary folder");
    let record = r#"{"id":"a-1","split":"train","source":"a","tags":["sea"],"unsure":[]}"#;
    let soft = r#"{"soft":{"file":"soft.zst","shape":[1,2]},"feat64":null}"#;
    let packed = zstd::encode_all(&[1, 2][..], 1).expect("memory can be compressed into memory");
    let files: [(&str, &[u8]); 5] = [
        ("tags.txt", b"sea\nsand\n"),
        ("photos.jsonl", record.as_bytes()),
        ("sources.json", br#"{"a":{"knows":["sea"]}}"#),
        ("soft/soft.json", soft.as_bytes()),
        ("soft/soft.zst", &packed),
    ];
    write_folder(folder.path(), &files, usize::from(*which), content);
    if let Ok(labels) = Labels::read(folder.path()) {
        let n_tags = labels.vocabulary.len();
        for record in &labels.records {
            assert!(record.tags.iter().chain(&record.unsure).all(|tag| usize::from(tag.0) < n_tags));
        }
    }
}

/// A pairs folder of which one file is hostile; the first byte says which.
pub fn pairs(data: &[u8]) {
    let Some((which, content)) = data.split_first() else { return };
    let folder = tempfile::tempdir().expect("the system has room for a temporary folder");
    let header = br#"{"version":2,"file":"pairs.bin.zst","photos":1,"songs":2,"per_photo":2}"#;
    let packed = zstd::encode_all(&[1, 0, 0, 0, 0, 0, 0, 0, 255, 9][..], 1).expect("memory can be compressed");
    let files: [(&str, &[u8]); 2] = [("pairs.json", header), ("pairs.bin.zst", &packed)];
    write_folder(folder.path(), &files, usize::from(*which), content);
    if let Ok(pairs) = Pairs::read(folder.path(), 1, 2) {
        assert!(pairs.of(0).all(|(song, gain)| song.0 < 2 && (0.0..=1.0).contains(&gain)));
    }
}

/// Writes files of which number `hostile` (in a circle) has other content.
fn write_folder(folder: &Path, files: &[(&str, &[u8])], hostile: usize, content: &[u8]) {
    for (idx, (name, sound)) in files.iter().enumerate() {
        let path = folder.join(name);
        let parent = path.parent().unwrap_or(folder);
        let content = if idx == hostile % files.len() { content } else { sound };
        std::fs::create_dir_all(parent).and_then(|()| std::fs::write(&path, content)).expect("the folder is writable");
    }
}
