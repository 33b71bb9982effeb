//! Ranked lists as they were when somebody last looked at them. `IMAGE2SONG_UPDATE_GOLDEN=1` writes them anew.
//!
//! Instruction sets round differently, so near ties may swap: the lists must share most songs, and scores nearly agree.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::encode::SCENES;
use super::program::{fixture_arg, has_model, run};

const N_SONGS: usize = 5;
const MIN_SHARED: usize = 4;
const MAX_SCORE_GAP: f64 = 0.03;

type Lists = Vec<(String, Vec<(String, f64)>)>;

fn lists() -> Lists {
    let list = |scene: &&str| {
        let answer = run(&["suggest", &fixture_arg(&format!("{scene}.jpg")), "--json"]).one();
        let entry =
            |s: &serde_json::Value| (s["song"]["id"].as_str().unwrap().to_owned(), s["score"].as_f64().unwrap());
        ((*scene).to_owned(), answer["suggestions"].as_array().unwrap().iter().map(entry).collect())
    };
    SCENES.iter().map(list).collect()
}

fn written(lists: &Lists) -> String {
    let mut text = String::new();
    for (scene, songs) in lists {
        writeln!(text, "{scene}").unwrap();
        for (id, score) in songs {
            writeln!(text, "  {score:.2} {id}").unwrap();
        }
    }
    text
}

fn read(text: &str) -> HashMap<&str, Vec<(&str, f64)>> {
    let mut lists: HashMap<&str, Vec<(&str, f64)>> = HashMap::new();
    let mut scene = "";
    for line in text.lines() {
        match line.strip_prefix("  ") {
            None => scene = line,
            Some(entry) => {
                let (score, id) = entry.split_once(' ').unwrap();
                lists.entry(scene).or_default().push((id, score.parse().unwrap()));
            }
        }
    }
    lists
}

#[test]
fn ranked_lists_are_as_last_reviewed() {
    if !has_model() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/suggest.txt");
    let lists = lists();
    if std::env::var_os("IMAGE2SONG_UPDATE_GOLDEN").is_some() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, written(&lists)).unwrap();
        return;
    }
    let text = fs::read_to_string(&path).expect("golden lists are made with IMAGE2SONG_UPDATE_GOLDEN=1");
    let golden = read(&text);
    for (scene, songs) in &lists {
        let known: HashMap<&str, f64> = golden.get(scene.as_str()).into_iter().flatten().copied().collect();
        let shared: Vec<f64> =
            songs.iter().filter_map(|(id, score)| Some((score - known.get(id.as_str())?).abs())).collect();
        let report = || format!("{scene} has changed; review it, then IMAGE2SONG_UPDATE_GOLDEN=1\n{}", written(&lists));
        assert!(shared.len() >= MIN_SHARED.min(known.len()) && songs.len() <= N_SONGS, "{}", report());
        assert!(shared.iter().all(|gap| *gap <= MAX_SCORE_GAP), "{}", report());
    }
}
