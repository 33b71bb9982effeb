use super::*;
use crate::catalogue::build;
use crate::catalogue::load::Catalogue;
use crate::catalogue::source::{SongSource, SongWords};
use crate::lyric::lexicon::Lexicon;
use crate::lyric::tokenize::Tokenizer;
use crate::lyric::vectors::WordVectors;
use crate::lyric::word_space::WordSpace;
use crate::matcher::songs::Songs;
use crate::training::matcher_data::Photos;
use crate::training::pairs::Pairs;

const TAGS: [&str; 4] = ["beach", "snow", "city", "horse"];
const WORDS: [&str; 16] = [
    "beach", "sand", "wave", "surf", "snow", "winter", "cold", "ice", "city", "street", "neon", "taxi", "horse",
    "rider", "saddle", "prairie",
];

/// Songs each about one tag, photos of one tag each: small enough for a test, and easy to get right.
fn data() -> MatcherData {
    let mut rng = fastrand::Rng::with_seed(4);
    let vocabulary: Vec<String> = TAGS.iter().map(|&t| t.to_owned()).collect();
    let mut values = Vec::new();
    for word in 0..WORDS.len() {
        values.extend((0..8).map(|j| f32::from(u8::from(j == word / 4)) + 0.3 * (rng.f32() - 0.5)));
    }
    let lexicon = Lexicon::parse("", "beach\twave:0.9,surf:0.6\nsnow\twinter:0.9\n", &vocabulary).unwrap();
    let space = WordSpace::new(WordVectors::from_rows(WORDS, &values).unwrap(), lexicon);
    let mut lines = String::new();
    for song in 0..48 {
        let tag = song % 4;
        let words: Vec<&str> = (0..12)
            .map(|_| if rng.f32() < 0.7 { WORDS[tag * 4 + rng.usize(..4)] } else { WORDS[rng.usize(..16)] })
            .collect();
        let line = serde_json::json!({"title": words[0], "artist": format!("Artist {song}"), "language": "en",
            "popularity": rng.f32(), "words": words});
        lines.push_str(&format!("{line}\n"));
    }
    let tokenizer = Tokenizer::default();
    let (source, _) = SongSource::read_lines("test", lines.as_bytes(), &tokenizer).unwrap();
    let catalogue = Catalogue::from_bytes(&build::build(&source, &space, &tokenizer).unwrap()).unwrap();
    let mut songs = Songs::from_catalogue(&catalogue, &space);
    let sequences = source
        .songs
        .iter()
        .map(|song| match &song.words {
            SongWords::Lyric(words) => {
                words.iter().filter_map(|&w| songs.terms.add(&space, "en", source.words.get(w))).collect()
            }
            SongWords::Bag(_) => Vec::new(),
        })
        .collect();
    let n_photos = 60;
    let mut photos =
        Photos { tags: vec![20; n_photos * 4], n_tags: 4, splits: Vec::new(), stated: vec![Vec::new(); n_photos] };
    let (mut paired, mut grades) = (Vec::new(), Vec::new());
    for photo in 0..n_photos {
        let tag = photo % 4;
        photos.tags[photo * 4 + tag] = 240;
        photos.tags[photo * 4 + (tag + 1) % 4] = 60;
        photos.splits.push(Some(if photo % 5 == 4 { Split::Val } else { Split::Train }));
        let mut fitting: Vec<u32> = (0..48).filter(|s| s % 4 == tag as u32).collect();
        rng.shuffle(&mut fitting);
        paired.extend(&fitting[..6]);
        grades.extend([250, 220, 200, 180, 160, 140]);
    }
    let pairs = Pairs::from_rows(6, paired, grades);
    MatcherData { vocabulary, space, catalogue, songs, sequences, photos, pairs }
}

fn settings(out: &Path, pooling: Pooling) -> Settings {
    Settings {
        out: out.to_owned(),
        resumes: false,
        n_rounds: 2,
        n_steps: 6,
        seed: 3,
        pooling,
        held_out: 0.0,
        n_hidden: 12,
        lyric_share: 0.5,
        rate: 3e-3,
    }
}

#[test]
fn the_graph_and_what_is_served_give_the_same_scores() {
    let data = data();
    for pooling in [Pooling::Attention, Pooling::Woken, Pooling::Mean] {
        let dir = tempfile::tempdir().unwrap();
        let weights = train(&data, &settings(dir.path(), pooling), &Device::Cpu, &mut |_, _, _| {}).unwrap();
        let photos: Vec<usize> = (0..7).collect();
        let songs: Vec<u32> = (0..data.songs.len() as u32).collect();
        let rows = table_rows(&weights, &data.songs);
        let is_known = vec![true; songs.len()];
        let sampler = Sampler::new(&data, RECIPE, &rows, &photos, &is_known);
        let net = Net::new(&weights, &Device::Cpu).unwrap();
        let batch = sampler.served(&photos, &songs, &Device::Cpu).unwrap();
        let graph = net.scores(&batch).unwrap();
        let ranker = Ranker::new(weights, data.songs.clone());
        let probes: Vec<_> = photos.iter().map(|&p| ranker.probe(&data.photos.probs(p))).collect();
        let served = ranker.score_all(&probes, &songs);
        let (full, quick) = (graph.full.to_vec2::<f32>().unwrap(), graph.quick.to_vec2::<f32>().unwrap());
        for (p, probe) in probes.iter().enumerate() {
            let own = ranker.shortlist.scores(&ranker.network, &ranker.songs, probe);
            for s in 0..songs.len() {
                // Bytes instead of floats in the tag-free vectors: an error of some hundredths at a scale of 8.
                assert!((own[s] - quick[p][s]).abs() < 0.1, "{pooling:?} {p} {s}: {} {}", own[s], quick[p][s]);
                let (lyric, expected) = (served[s * probes.len() + p] - own[s], full[p][s] - quick[p][s]);
                assert!((lyric - expected).abs() < 2e-3, "{pooling:?} {p} {s}: {lyric} {expected}");
            }
        }
    }
}

#[test]
fn every_variable_gets_a_gradient() {
    let data = data();
    let photos = data.photos.of_split(Split::Train);
    let is_known = vec![true; data.songs.len()];
    let sizes = Sizes { n_vector: 8, n_hidden: 6, n_keys: 5, n_joint: 9, n_tags: 4 };
    let weights = Weights::initial(sizes, Pooling::Attention, start(&data, &photos, &is_known), 1);
    let rows = table_rows(&weights, &data.songs);
    let net = Net::new(&weights, &Device::Cpu).unwrap();
    let sampler = Sampler::new(&data, RECIPE, &rows, &photos, &is_known);
    let mut rng = fastrand::Rng::with_seed(1);
    // A lyric's words all weigh 1, so that only bags move the exponent of weights.
    for (form, unmoved) in [(Form::Bag, ""), (Form::Lyric, "woken.exponent")] {
        let batch = sampler.batch(&photos, &Hard::new(), form, &mut rng, &Device::Cpu).unwrap();
        let gradients = loss(&net.scores(&batch).unwrap(), &batch).unwrap().backward().unwrap();
        for (name, var) in net.vars.iter().filter(|(name, _)| *name != unmoved) {
            let gradient = gradients.get(var).unwrap_or_else(|| panic!("{name} has no gradient"));
            let largest = gradient.abs().unwrap().flatten_all().unwrap().max(0).unwrap().to_scalar::<f32>().unwrap();
            assert!(largest > 0.0 && largest.is_finite(), "{form:?} {name}: {largest}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_weights_and_a_resumed_run_too() {
    let data = data();
    let dirs: Vec<_> = (0..3).map(|_| tempfile::tempdir().unwrap()).collect();
    let run = |dir: &Path, n_rounds: usize, resumes: bool| {
        // The schedule depends on the number of rounds, so a cut-off run is one that stops early, not one planned shorter.
        let settings = Settings { n_rounds, resumes, ..settings(dir, Pooling::Attention) };
        train(&data, &settings, &Device::Cpu, &mut |_, _, _| {}).unwrap().arrays
    };
    let whole = run(dirs[0].path(), 2, false);
    assert_eq!(whole, run(dirs[1].path(), 2, false));
    let log = std::fs::read_to_string(dirs[0].path().join("matcher.log.jsonl")).unwrap();
    assert_eq!(log.lines().count(), 2);
    let weights = Weights::load(&dirs[0].path().join("matcher.safetensors")).unwrap();
    for (name, array) in &weights.arrays {
        for (stored, exact) in array.values.iter().zip(&whole[name].values) {
            assert!((stored - exact).abs() <= 1e-3 * exact.abs().max(0.1), "{name}: {stored} {exact}");
        }
    }
    std::fs::copy(dirs[0].path().join("matcher.checkpoint"), dirs[2].path().join("matcher.checkpoint")).unwrap();
    assert_eq!(run(dirs[2].path(), 2, true), whole, "nothing is left to do");
    assert_ne!(run(dirs[2].path(), 3, true), whole);
}

#[test]
fn training_finds_what_fits() {
    let data = data();
    let dir = tempfile::tempdir().unwrap();
    let settings = Settings { n_steps: 25, ..settings(dir.path(), Pooling::Attention) };
    let weights = train(&data, &settings, &Device::Cpu, &mut |_, _, _| {}).unwrap();
    let ranker = Ranker::new(weights, data.songs.clone());
    let is_fitting = |photo: &usize| {
        let ranked = ranker.rank(&ranker.probe(&data.photos.probs(*photo)), 10, |_| true);
        ranked[0].0 % 4 == *photo as u32 % 4
    };
    let n_fitting = data.photos.of_split(Split::Val).iter().filter(|photo| is_fitting(photo)).count();
    assert!(n_fitting >= 11, "{n_fitting} of 12");
}
