use std::path::Path;
use std::sync::LazyLock;
use std::time::Instant;

use super::*;
use crate::matcher::adapter::LowRank;
use crate::matcher::explain::attention_weights;
use crate::matcher::suggest::{Filter, POOL_SIZE};
use crate::tagger::Tagging;

struct World {
    matcher: Matcher,
    catalogue: Catalogue,
    facts: Facts,
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base");
    let catalogue = Catalogue::load(&dir.join("catalog")).unwrap();
    let matcher = Matcher::load(&dir, &catalogue).unwrap();
    World { facts: Facts::of(&catalogue), matcher, catalogue }
});

fn tagging(seed: u64) -> Tagging {
    let n_tags = WORLD.matcher.ranker().network.weights.sizes.n_tags;
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut probs = vec![0.0; n_tags];
    (0..12).for_each(|_| probs[rng.usize(..n_tags)] = rng.f32());
    Tagging { probs, region_idx: vec![0; n_tags], embedding: Vec::new() }
}

/// An adapter in which every part says something.
fn adapter(seed: u64, size: f32) -> Adapter {
    let sizes = WORLD.matcher.ranker().network.weights.sizes;
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut some = |n: usize| (0..n).map(|_| (rng.f32() - 0.5) * size).collect::<Vec<f32>>();
    let mut low_rank =
        |n_in: usize, n_out: usize| LowRank { down: some(n_in * 2), up: some(2 * n_out), bias: some(n_out) };
    let n = sizes.n_joint;
    let (song, lyric, attention) = (low_rank(n, n), low_rank(n, n), low_rank(sizes.n_vector, sizes.n_keys));
    let adapter = Adapter {
        song,
        lyric,
        attention,
        worth: 0.5,
        importance: some(sizes.n_tags),
        facts: vec![("language:es".into(), 1.5), ("popularity".into(), 0.5)],
        artists: vec![("beachboys".into(), 2.0)],
    };
    adapter.rounded()
}

fn taste(adapter: Adapter) -> Taste {
    Taste::of([Arc::new(Layer::new(adapter, &WORLD.facts))])
}

#[test]
fn no_taste_changes_no_bit() {
    let World { matcher, catalogue, .. } = &*WORLD;
    for seed in 0..5 {
        let query = matcher.query(&tagging(seed), "");
        let plain = matcher.ranker().probe(&tagging(seed).probs);
        let (own, bent) = matcher.bent(&query, &Taste::default());
        assert_eq!(*own, query);
        assert_eq!((&bent.song, &bent.lyric, &bent.attention), (&plain.song, &plain.lyric, &plain.attention));
        let pool = matcher.pool(catalogue, &query, &Filter::default(), POOL_SIZE, &Taste::default());
        let suggested = matcher.suggest(catalogue, &query, &Filter::default(), 5);
        for (suggestion, (song, score)) in suggested.iter().zip(&pool) {
            assert_eq!((suggestion.song, suggestion.score.to_bits()), (*song, score.to_bits()));
        }
        // An adapter of zeros is no taste either.
        let zeros = taste(adapter(1, 1.0).scaled(0.0));
        assert_eq!(matcher.pool(catalogue, &query, &Filter::default(), POOL_SIZE, &zeros), pool);
    }
}

#[test]
fn a_fact_moves_its_songs_by_its_weight_and_no_other() {
    let World { matcher, catalogue, .. } = &*WORLD;
    let query = matcher.query(&tagging(3), "");
    let spanish = taste(Adapter { facts: vec![("language:es".into(), 1.5)], ..Adapter::default() });
    for song in catalogue.songs().step_by(997) {
        let (before, after) =
            (matcher.explain_song(&query, song, &Taste::default()).0, matcher.explain_song(&query, song, &spanish).0);
        let expected = if catalogue.language(song) == "es" { 1.5 } else { 0.0 };
        assert!((after - before - expected).abs() < 1e-4, "{before} {after}");
    }
}

#[test]
fn reasons_come_from_the_attention_that_scored() {
    let World { matcher, catalogue, .. } = &*WORLD;
    let ranker = matcher.ranker();
    let query = matcher.query(&tagging(7), "");
    let strong = taste(adapter(5, 1.0));
    let (_, probe) = matcher.bent(&query, &strong);
    let (_, plain) = matcher.bent(&query, &Taste::default());
    let mut n_moved = 0;
    for (song, score) in matcher.pool(catalogue, &query, &Filter::default(), 10, &strong) {
        assert!((matcher.explain_song(&query, song, &strong).0 - score).abs() < 1e-3);
        // The lyric term from the weights that the reasons show, with the kernel left out.
        let weights = attention_weights(ranker, &probe, song.0);
        n_moved += usize::from(weights != attention_weights(ranker, &plain, song.0));
        let states = ranker.network.states(&ranker.songs, &[song.0]);
        let d = states.values.len() / states.n_words;
        let mut attended = vec![0f32; d];
        for (state, weight) in states.values.chunks(d).zip(&weights) {
            attended.iter_mut().zip(state).for_each(|(sum, x)| *sum += weight * x);
        }
        let by_hand = ranker.network.lyric_vectors(&attended);
        let by_hand: f32 = by_hand.iter().zip(&probe.lyric).map(|(a, b)| a * b).sum();
        let by_hand = by_hand * ranker.network.weights.get("lyric.scale")[0];
        let scored = ranker.network.lyric_scores(&ranker.songs, &[song.0], &states, &probe)[0];
        assert!((by_hand - scored).abs() < 1e-3, "{by_hand} {scored}");
    }
    assert!(n_moved > 5, "the taste moves attention, or this test shows nothing");
}

#[test]
fn a_hint_keeps_its_say() {
    let World { matcher, .. } = &*WORLD;
    let strong = taste(adapter(5, 4.0));
    let hinted = matcher.query(&tagging(7), "rain");
    assert_eq!(*strong.query(&hinted), hinted);
    let plain = matcher.query(&tagging(7), "");
    let own = strong.query(&plain);
    assert_ne!(*own, plain);
    assert!((own.tags.iter().map(|t| t.1).sum::<f32>() - 1.0).abs() < 1e-5);
}

#[test]
fn files_come_back_and_strange_ones_are_refused() {
    let sizes = WORLD.matcher.ranker().network.weights.sizes;
    let adapter = adapter(2, 1.0);
    let bytes = adapter.to_bytes("abc").unwrap();
    assert_eq!(Adapter::from_bytes(&bytes, sizes, "abc").unwrap(), adapter);
    assert_eq!(bytes, adapter.to_bytes("abc").unwrap(), "equal adapters have equal bytes");
    assert!(bytes.len() < 10_000, "{} bytes", bytes.len());
    let error = Adapter::from_bytes(&bytes, sizes, "0123456789abcdef").unwrap_err().to_string();
    assert!(error.contains("on the matcher abc, the folder's matcher is 0123456789ab"), "{error}");
    for end in (0..bytes.len()).step_by(101) {
        assert!(Adapter::from_bytes(&bytes[..end], sizes, "abc").is_err(), "cut at {end}");
    }
    let other = Sizes { n_joint: sizes.n_joint + 1, ..sizes };
    assert!(Adapter::from_bytes(&bytes, other, "abc").unwrap_err().to_string().contains("sizes"));
    let endless = Adapter { worth: f32::INFINITY, ..adapter };
    let error = Adapter::from_bytes(&endless.to_bytes("abc").unwrap(), sizes, "abc").unwrap_err().to_string();
    assert!(error.contains("not finite"), "{error}");
}

fn folder(n_communities: usize) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join(FOLDER)).unwrap();
    for idx in 0..n_communities {
        let own = Adapter { facts: vec![("language:es".into(), idx as f32)], artists: Vec::new(), ..adapter(1, 1.0) };
        let bytes = own.to_bytes(WORLD.matcher.digest()).unwrap();
        std::fs::write(dir.path().join(FOLDER).join(format!("key{idx}.safetensors")), bytes).unwrap();
    }
    dir
}

#[test]
fn many_communities_share_little_memory() {
    let World { matcher, catalogue, .. } = &*WORLD;
    let n = if std::env::var_os("IMAGE2SONG_SLOW_TESTS").is_some() { 10_000 } else { 300 };
    let dir = folder(n);
    let spanish = catalogue.songs().find(|&song| catalogue.language(song) == "es").unwrap();
    let tastes = Tastes::with_room(dir.path(), matcher, catalogue, 32).unwrap();
    let begun = Instant::now();
    for idx in 0..n {
        let taste = tastes.of(Some(&format!("key{idx}")));
        let prior = taste.layers()[0].prior[spanish.0 as usize];
        assert!((prior - idx as f32).abs() <= 0.001 * idx as f32, "{prior} for {idx}");
        assert!(tastes.n_kept() <= 32);
    }
    eprintln!("read and made ready in {:?} each", begun.elapsed() / n as u32);
    let begun = Instant::now();
    (0..1000).for_each(|_| assert_eq!(tastes.of(Some(&format!("key{}", n - 1))).layers().len(), 1));
    eprintln!("had from memory in {:?} each", begun.elapsed() / 1000);
}

#[test]
fn what_is_missing_or_strange_falls_back_to_the_taste_of_all() {
    let World { matcher, catalogue, .. } = &*WORLD;
    let dir = folder(2);
    let write = |name: &str, base: &str| {
        std::fs::write(dir.path().join(name), adapter(9, 1.0).to_bytes(base).unwrap()).unwrap();
    };
    write(FILE_NAME, matcher.digest());
    write("communities/foreign.safetensors", "abc");
    write("outside.safetensors", matcher.digest());
    let tastes = Tastes::open(dir.path(), matcher, catalogue).unwrap();
    assert_eq!(tastes.of(Some("key1")).layers().len(), 2);
    for name in ["nobody", "foreign", "../outside", ""] {
        assert_eq!(tastes.of(Some(name)).layers().len(), 1, "{name}");
    }
    assert_eq!(tastes.of(None).layers()[0].adapter, adapter(9, 1.0));
    write(FILE_NAME, "abc");
    assert!(Tastes::open(dir.path(), matcher, catalogue).unwrap_err().to_string().contains("on the matcher abc"));
    let base = tempfile::tempdir().unwrap();
    assert!(Tastes::open(base.path(), matcher, catalogue).unwrap().of(Some("key1")).is_none());
}
