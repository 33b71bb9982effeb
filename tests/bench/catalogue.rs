//! How long the catalogue takes to load and to search, and the tokenizer to cut a text. With `IMAGE2SONG_DATA` the songs
//! of the data folder are measured, else as many made-up ones.

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use image2song::catalogue::build::build;
use image2song::catalogue::load::Catalogue;
use image2song::catalogue::source::SongSource;
use image2song::lyric::lexicon::Lexicon;
use image2song::lyric::tokenize::Tokenizer;
use image2song::lyric::vectors::WordVectors;
use image2song::lyric::word_files::WordFiles;
use image2song::lyric::word_space::WordSpace;

const N_SONGS: usize = 25_000;
const N_WORDS: usize = 40_000;
const DIM: usize = 100;

/// A word of `number`, different for each.
fn made_up_word(number: usize) -> String {
    const SYLLABLES: [&str; 16] =
        ["ba", "ke", "li", "mo", "nu", "ra", "se", "ti", "vo", "zu", "da", "fe", "gi", "ho", "ju", "pa"];
    let digits = [number >> 12, number >> 8, number >> 4, number];
    digits.map(|digit| SYLLABLES[digit & 15]).concat()
}

fn made_up_songs() -> String {
    let mut random = fastrand::Rng::with_seed(7);
    let mut lines = String::new();
    for number in 0..N_SONGS {
        let mut word = || made_up_word((N_WORDS as f64 * random.f64().powi(4)) as usize);
        let words: Vec<String> = (0..70).map(|_| format!("\"{}\"", word())).collect();
        let (title, artist) = (word() + " " + &word(), word());
        let words = words.join(",");
        lines +=
            &format!(r#"{{"id":"{number}","title":"{title}","artist":"{artist}","language":"en","words":[{words}]}}"#);
        lines.push('\n');
    }
    lines
}

/// The songs, and the words to read them by.
fn input() -> (SongSource, WordSpace, Tokenizer) {
    let data = std::env::var_os("IMAGE2SONG_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if let Ok(tags) = std::fs::read_to_string(data.join("photos/tags.txt")) {
        let tags: Vec<String> = tags.lines().map(str::to_owned).collect();
        let words = WordFiles::read_training(&data, &tags).expect("the data folder has word files");
        let songs = data.join("songs/songs.jsonl.gz");
        let source = SongSource::read(&songs, &words.tokenizer).expect("the data folder has songs");
        return (source, words.space, words.tokenizer);
    }
    let mut random = fastrand::Rng::with_seed(8);
    let words: Vec<String> = (0..N_WORDS).map(made_up_word).collect();
    let values: Vec<f32> = (0..N_WORDS * DIM).map(|_| random.f32() - 0.5).collect();
    let vectors = WordVectors::from_rows(words.iter().map(String::as_str), &values).expect("words differ");
    let space = WordSpace::new(vectors, Lexicon::default());
    let tokenizer = Tokenizer::default();
    let (source, _) =
        SongSource::read_lines("made up", made_up_songs().as_bytes(), &tokenizer).expect("the lines are good");
    (source, space, tokenizer)
}

fn catalogue(criterion: &mut Criterion) {
    let (source, space, tokenizer) = input();
    let file = build(&source, &space, &tokenizer).expect("the songs fit a catalogue");
    let words = space.vectors.to_bytes().expect("the words fit a file");
    eprintln!("{} songs: catalogue {} bytes, word vectors {} bytes", source.songs.len(), file.len(), words.len());
    let loaded = Catalogue::from_bytes(&file).expect("the catalogue was just built");

    let mut group = criterion.benchmark_group("catalogue");
    group.sample_size(20).measurement_time(Duration::from_secs(3)).warm_up_time(Duration::from_secs(1));
    group.bench_function("load", |bencher| bencher.iter(|| Catalogue::from_bytes(black_box(&file))));
    group.bench_function("load word vectors", |bencher| bencher.iter(|| WordVectors::from_bytes(black_box(&words))));
    group.bench_function("first search", |bencher| {
        bencher.iter_batched(
            || Catalogue::from_bytes(&file),
            |catalogue| catalogue.map(|catalogue| catalogue.search("yesterday", 5)),
            criterion::BatchSize::PerIteration,
        );
    });
    for query in ["yesterday", "beyonse halo", "i will allways love you whitney huston", "allstar", "夜空"] {
        group
            .bench_function(format!("search {query:?}"), |bencher| bencher.iter(|| loaded.search(black_box(query), 5)));
    }
    group.finish();
}

fn tokenizer(criterion: &mut Criterion) {
    let tokenizer = Tokenizer::from_stopwords("[en]\nthe and are a on over to of\n[fr]\nles sur la le de\n");
    let mut group = criterion.benchmark_group("tokenizer");
    for (language, text) in [
        ("en", "Two dogs are walkin' along the wet beach, and the sun's going down over the harbor. "),
        ("fr", "L’été s’en va, les bateaux dansent sur la mer jusqu’à l’aube et le vent d’automne. "),
        ("ja", "夜空の星がキラキラ光る。東京タワーの上で、君と僕は海へ行くラーメンとビール。"),
    ] {
        let text = text.repeat(20);
        group.throughput(Throughput::Bytes(text.len() as u64));
        group.bench_function(language, |bencher| bencher.iter(|| tokenizer.tokens(language, black_box(&text))));
    }
    group.finish();
}

criterion_group!(benches, catalogue, tokenizer);
criterion_main!(benches);
