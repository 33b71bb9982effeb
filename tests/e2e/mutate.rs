//! The fuzz targets' bodies over a short corpus that is the same every time: valid files, changed by a seeded generator
//! in the ways in which files break. `IMAGE2SONG_SLOW_TESTS=1` runs a hundred times as many.

#[path = "../fuzz/bodies.rs"]
mod bodies;

use std::panic::{AssertUnwindSafe, catch_unwind};

use image2song::catalogue::build::build;
use image2song::catalogue::format::KIND;
use image2song::catalogue::source::SongSource;
use image2song::lyric::lexicon::Lexicon;
use image2song::lyric::tokenize::Tokenizer;
use image2song::lyric::vectors::WordVectors;
use image2song::lyric::word_space::WordSpace;

use crate::encode::{animated_gif, exif, fixture, formats, with_exif};

/// How many mutants of each seed file are tried.
fn n_mutants() -> u64 {
    let is_slow = std::env::var_os("IMAGE2SONG_SLOW_TESTS").is_some_and(|value| value == "1");
    if is_slow { 6000 } else { 60 }
}

/// A file with one to eight faults: bytes changed, cut out, repeated, zeroed, boundary numbers written, the end lost.
fn mutant(seed: &[u8], random: &mut fastrand::Rng) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for _ in 0..random.usize(1..=8) {
        if bytes.is_empty() {
            return bytes;
        }
        // Headers are at the front, and most faults that matter are in them.
        let reach = if random.bool() { bytes.len().min(64) } else { bytes.len() };
        let at = random.usize(..reach);
        let end = (at + random.usize(1..=32)).min(bytes.len());
        match random.u8(..7) {
            0 => bytes[at] = random.u8(..),
            1 => bytes[at] ^= 1 << random.u8(..8),
            2 => drop(bytes.drain(at..end)),
            3 => {
                let repeated = bytes[at..end].to_vec();
                bytes.splice(at..at, repeated);
            }
            4 => bytes[at..end].fill(0),
            5 => bytes[at..end.min(at + 4)].fill(*random.choice([0xff, 0x7f, 0x80].iter()).unwrap_or(&0xff)),
            _ => bytes.truncate(at),
        }
    }
    bytes
}

/// Runs a body over mutants of the seeds; a failure names the seed file and the number of the mutant.
#[track_caller]
fn run(seeds: &[(&str, Vec<u8>)], body: fn(&[u8])) {
    for (seed_idx, (name, seed)) in seeds.iter().enumerate() {
        body(seed);
        for number in 0..n_mutants() {
            let mut random = fastrand::Rng::with_seed((seed_idx as u64) << 32 | number);
            let bytes = mutant(seed, &mut random);
            let result = catch_unwind(AssertUnwindSafe(|| body(&bytes)));
            assert!(result.is_ok(), "mutant {number} of {name} panics");
        }
    }
}

#[test]
fn broken_photos() {
    let mut seeds = formats();
    seeds.push(("animated.gif", animated_gif()));
    seeds.push(("cmyk.jpg", fixture("cmyk.jpg")));
    seeds.push(("turned.jpg", with_exif(&fixture("cmyk.jpg"), &exif(7, true))));
    run(&seeds, bodies::photo);
}

const SONGS: &str = r#"{"id":"one","title":"Sand","artist":"Ana","year":1999,"language":"en","genres":["pop"],"popularity":0.75,"words":["sand","sea","stone"]}
{"id":"two","title":"Plage","artist":"B","language":"fr","explicit":true,"words":["stone","plage"]}
{"title":"Stone","artist":"Ana","language":"en","keywords":["stone",["sea",0.5]]}
"#;

/// The payload of a sound catalogue of three songs.
fn catalogue_payload() -> Vec<u8> {
    let vectors = WordVectors::from_rows(["sea", "sand", "stone"], &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]).unwrap();
    let cells = "x | x\tx | x\tplage | plage\t".to_owned() + &["x | x"; 6].join("\t");
    let lexicon = Lexicon::parse(&format!("beach\t{cells}\n"), "", &["beach".to_owned()]).unwrap();
    let tokenizer = Tokenizer::default();
    let (source, _) = SongSource::read_lines("songs.jsonl", SONGS.as_bytes(), &tokenizer).unwrap();
    KIND.unpack(&build(&source, &WordSpace::new(vectors, lexicon), &tokenizer).unwrap()).unwrap()
}

#[test]
fn broken_catalogues() {
    let payload = catalogue_payload();
    run(&[("a catalogue file", KIND.pack(&payload).unwrap())], bodies::catalogue_file);
    run(&[("a catalogue's payload", payload)], bodies::catalogue_payload);
}

#[test]
fn broken_songs_files() {
    run(&[("songs.jsonl", SONGS.as_bytes().to_vec())], bodies::songs);
}

#[test]
fn broken_data_folders() {
    run(
        &[
            ("tags.txt", b"\x00sea\nsand\n".to_vec()),
            (
                "photos.jsonl",
                b"\x01{\"id\":\"a\",\"split\":\"val\",\"source\":\"a\",\"tags\":[\"sea\"],\"unsure\":[]}".to_vec(),
            ),
            ("sources.json", b"\x02{\"a\":{\"knows\":[\"sea\"]}}".to_vec()),
            ("soft.json", b"\x03{\"soft\":{\"file\":\"soft.zst\",\"shape\":[1,2]},\"feat64\":null}".to_vec()),
            ("soft.zst", [b"\x04", &zstd::encode_all(&[1, 2][..], 1).unwrap()[..]].concat()),
        ],
        bodies::labels,
    );
    let pairs = zstd::encode_all(&[1, 0, 0, 0, 0, 0, 0, 0, 255, 9][..], 1).unwrap();
    let header = br#"{"version":2,"file":"pairs.bin.zst","photos":1,"songs":2,"per_photo":2}"#;
    run(
        &[("pairs.json", [&b"\0"[..], header].concat()), ("pairs.bin.zst", [&b"\x01"[..], &pairs].concat())],
        bodies::pairs,
    );
}
