use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use candle_core::{Device, Tensor};

use super::error::FinetuneError;
use super::features::{Item, Reader};
use super::fit::{Material, Settings, fit};
use super::graph::{Depth, Graph, Ground};
use super::pairs::Weighing;
use super::run::{Base, Plan, Scope, run};
use crate::catalogue::load::Catalogue;
use crate::evaluation::checks::tagging;
use crate::evaluation::policy::cases::{Case, Cases, Draw, ShownSong};
use crate::evaluation::policy::examination::Examination;
use crate::feedback::ids::CommunityKey;
use crate::manifest::Manifest;
use crate::matcher::draw::{Policy, draw};
use crate::matcher::facts::Facts;
use crate::matcher::suggest::{Filter, Matcher};
use crate::matcher::taste::Taste;
use crate::matcher::tastes::Tastes;

struct World {
    dir: PathBuf,
    matcher: Matcher,
    catalogue: Catalogue,
    facts: Facts,
    /// Answers to a community that likes songs of the eighties, whatever the photo.
    cases: Cases,
}

const LIKED: &str = "decade:1980";

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base");
    let catalogue = Catalogue::load(&dir.join("catalog")).unwrap();
    let matcher = Matcher::load(&dir, &catalogue).unwrap();
    let facts = Facts::of(&catalogue);
    let liked = facts.names().iter().position(|name| name == LIKED).unwrap() as u16;
    let mut rng = fastrand::Rng::with_seed(3);
    let policy = Policy { temperature: 1.0, protects_first: true };
    let n_tags = matcher.ranker().network.weights.sizes.n_tags;
    let filter = Filter { allows_explicit: true, ..Filter::default() };
    let mut answer = |idx: usize| {
        let tags: Vec<(u16, f32)> =
            (0..4).map(|_| (rng.u16(..n_tags as u16), (0.2 + 0.8 * rng.f32()).min(1.0))).collect();
        let mut probs = vec![0.0; n_tags];
        tags.iter().for_each(|&(tag, prob)| probs[usize::from(tag)] = prob);
        let tags: Vec<(u16, f32)> = tags.iter().map(|&(tag, _)| (tag, probs[usize::from(tag)])).collect();
        let query = matcher.query(&tagging(probs), "");
        let pool = matcher.pool(&catalogue, &query, &filter, 24, &Taste::default());
        let scores: Vec<f32> = pool.iter().map(|song| song.1).collect();
        let person = rng.u32(..30);
        let songs = draw(&scores, 5, policy, &mut rng).into_iter().enumerate().map(|(place, drawn)| {
            let song = pool[drawn.idx].0.0;
            let rate = if facts.marks(song).contains(&liked) { 0.8 } else { 0.15 };
            let vote = match rng.f64() / 0.8f64.powi(place as i32) {
                luck if luck < rate => Some(1),
                luck if luck < rate + 0.1 => Some(-1),
                _ => None,
            };
            let votes = vote.map(|vote| vec![(person, vote)]).unwrap_or_default();
            let (place, in_pool) = (place as u8, drawn.idx as u8);
            ShownSong { song, place, in_pool, votes, is_followed: false }
        });
        let songs = songs.collect();
        let draw = Some(Draw { policy, pool: scores });
        Case { time_ms: 1_795_000_000_000 + idx as u64, community: 0, asker: person, tags, songs, draw }
    };
    let cases = (0..450).map(&mut answer).collect();
    let communities = vec![CommunityKey::from_bytes([7; 16])];
    let cases = Cases { cases, communities, n_people: 30, ..Cases::default() };
    World { dir, matcher, catalogue, facts, cases }
});

fn items(cases: &[Case]) -> Vec<Item> {
    let examination = Examination::prior();
    let all: Vec<&Case> = cases.iter().collect();
    let weighing = Weighing::of(&all, &examination);
    let paired: Vec<_> = cases.iter().map(|case| (case.clone(), weighing.pairs(case))).collect();
    let reader = Reader { matcher: &WORLD.matcher, taste: &Taste::default() };
    reader.answers(&paired.into_iter().filter(|(_, pairs)| !pairs.is_empty()).collect::<Vec<_>>())
}

fn ground() -> Ground<'static> {
    Ground { matcher: &WORLD.matcher, facts: &WORLD.facts, artists: HashMap::new(), device: Device::Cpu }
}

#[test]
fn the_graph_starts_where_the_model_stands() {
    let items = items(&WORLD.cases.cases[..12]);
    let ranker = WORLD.matcher.ranker();
    let n_tags = ranker.network.weights.sizes.n_tags;
    for depth in [Depth::Head, Depth::Attention] {
        let ground = ground();
        let graph = Graph::new(&ground, depth, 1).unwrap();
        let batch = graph.batch(&items.iter().collect::<Vec<_>>(), &ground).unwrap();
        let scores: Vec<f32> = graph.scores(&batch, &ground).unwrap().to_vec1().unwrap();
        let mut at = 0;
        for item in &items {
            let case =
                WORLD.cases.cases.iter().find(|c| c.songs.iter().map(|s| s.song).eq(item.songs.clone())).unwrap();
            let probe = ranker.probe(&case.probs(n_tags));
            for &song in &item.songs {
                let served = ranker.score(&probe, song);
                assert!((scores[at] - served).abs() < 0.02, "{depth:?}: {} {served}", scores[at]);
                at += 1;
            }
        }
    }
}

#[test]
fn gradients_are_those_of_the_loss() {
    let items = items(&WORLD.cases.cases[..8]);
    let ground = ground();
    let graph = Graph::new(&ground, Depth::Attention, 1).unwrap();
    let mut rng = fastrand::Rng::with_seed(8);
    for var in graph.vars.values() {
        let values: Vec<f32> = (0..var.elem_count()).map(|_| (rng.f32() - 0.5) * 0.2).collect();
        var.set(&Tensor::from_vec(values, var.shape(), &Device::Cpu).unwrap()).unwrap();
    }
    let batch = graph.batch(&items.iter().collect::<Vec<_>>(), &ground).unwrap();
    let loss = || graph.pair_loss(&batch, &ground).unwrap();
    let gradients = loss().backward().unwrap();
    for (name, var) in &graph.vars {
        let Some(gradient) = gradients.get(var) else { panic!("{name} has no gradient") };
        let gradient: Vec<f32> = gradient.flatten_all().unwrap().to_vec1().unwrap();
        let length = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let values: Vec<f32> = var.flatten_all().unwrap().to_vec1().unwrap();
        // Along the gradient the loss must rise by its length.
        let along = |step: f32| {
            let moved: Vec<f32> = values.iter().zip(&gradient).map(|(x, g)| x + step * g / length.max(1e-9)).collect();
            var.set(&Tensor::from_vec(moved, var.shape(), &Device::Cpu).unwrap()).unwrap();
            f64::from(loss().to_scalar::<f32>().unwrap())
        };
        let slope = (along(2e-2) - along(-2e-2)) / 4e-2;
        along(0.0);
        let allowed = 0.05 * f64::from(length) + 2e-3;
        assert!((slope - f64::from(length)).abs() < allowed, "{name}: {slope}, gradient {length}");
    }
}

#[test]
fn a_planted_taste_is_found_and_the_same_seed_gives_the_same_bytes() {
    let items = items(&WORLD.cases.cases);
    let (train, later) = items.split_at(items.len() * 4 / 5);
    let material = Material { train, later, anchors: &[] };
    let settings = Settings::default();
    let fitted = |resume: Option<(&Path, &str)>| fit(&ground(), &material, &settings, resume, &mut |_, _| {}).unwrap();
    let (adapter, line) = fitted(None);
    assert!(line.held_out.1 < line.held_out.0 - 0.02, "{line:?}");
    let of = |name: &str| adapter.facts.iter().find(|fact| fact.0 == name).map_or(0.0, |fact| fact.1);
    assert!(of(LIKED) > 0.3, "{:?}", adapter.facts);
    for other in ["decade:1990", "decade:2000", "decade:2010"] {
        assert!(of(other) < of(LIKED) - 0.3, "{other} {}: {:?}", of(other), adapter.facts);
    }
    // Written checkpoints change nothing, and a run that goes on from one ends alike.
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("all.checkpoint");
    assert_eq!(fitted(Some((&path, "a"))).0, adapter);
    assert_eq!(fitted(Some((&path, "a"))).0, adapter, "taken up at its end");
    assert_eq!(fitted(Some((&path, "b"))).0, adapter, "a checkpoint of another run is not taken up");
}

fn plan(scope: Scope) -> Plan {
    let settings = Settings::default();
    Plan { scope, settings, resumes: false, high_water_mark: 42, device: Device::Cpu }
}

#[test]
fn a_run_leaves_a_whole_model_and_few_likes_leave_nothing() {
    let tastes = Tastes::none();
    let World { dir, matcher, catalogue, cases, .. } = &*WORLD;
    let base = Base { dir, matcher, catalogue, tastes: &tastes, checks: None };
    let folder = tempfile::tempdir().unwrap();
    let few = Cases { cases: cases.cases[..20].to_vec(), ..cases.clone() };
    let out = folder.path().join("few");
    let error = run(&base, &few, &plan(Scope::All), &out, &mut |_, _, _| {}).unwrap_err();
    assert!(matches!(error, FinetuneError::TooLittle { needed: 200, .. }), "{error}");
    assert!(!out.exists(), "nothing is left behind");
    let digests = ["one", "two"].map(|name| {
        let out = folder.path().join(name);
        let outcome = run(&base, cases, &plan(Scope::Communities), &out, &mut |_, _, _| {}).unwrap();
        assert!(outcome.version.contains("+t2026"), "{}", outcome.version);
        assert!(outcome.fits[0].n_bytes < 20_000, "{:?}", outcome.fits);
        let manifest = Manifest::open(&out).unwrap();
        manifest.check_hashes(&out).unwrap();
        assert_eq!(outcome.judgement.digest, manifest.weights_digest());
        let key = cases.communities[0].to_text();
        assert_eq!(Tastes::open(&out, matcher, catalogue).unwrap().of(Some(&key)).layers().len(), 1);
        let origin: serde_json::Value =
            serde_json::from_slice(&std::fs::read(out.join("finetune.json")).unwrap()).unwrap();
        assert_eq!(origin["high_water_mark"], 42);
        manifest.weights_digest()
    });
    assert_eq!(digests[0], digests[1], "the same log and seed");
    let again = run(&base, cases, &plan(Scope::All), &folder.path().join("one"), &mut |_, _, _| {}).unwrap_err();
    assert!(again.to_string().contains("finished model"), "{again}");
    let itself = run(&base, cases, &plan(Scope::All), dir, &mut |_, _, _| {}).unwrap_err();
    assert!(itself.to_string().contains("is the base model"), "{itself}");
}
