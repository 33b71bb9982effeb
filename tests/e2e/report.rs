//! `report` from the outside: a made-up log, the table, JSON, the page, and the page in a browser.

use std::fs::{self, File};
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::process::Command;

use image2song::catalogue::load::Catalogue;
use image2song::feedback::log::{FeedbackLog, LogOptions};

use super::program::{Answer, has_model, run};

#[path = "../fixtures/community.rs"]
mod community;

/// 2026-11-24, midnight.
const UNTIL_MS: u64 = 1_795_478_400_000;
const BROWSERS: [&str; 5] = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "headless_shell"];

/// An export of 3,000 answers with songs of the bundled catalogue.
fn export(dir: &Path) -> String {
    let catalogue = Catalogue::load(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base/catalog")).unwrap();
    let songs = catalogue.songs().take(500).map(|song| catalogue.song(song).id.to_owned()).collect();
    let world = community::World { seed: 3, n_answers: 3000, n_people: 200, n_days: 60, until_ms: UNTIL_MS, songs };
    let path = dir.join("export.jsonl");
    world.write(&mut BufWriter::new(File::create(&path).unwrap())).unwrap();
    path.to_str().unwrap().to_owned()
}

#[track_caller]
fn report(words: &[&str], code: i32) -> Answer {
    run(&[&["report"], words, &["--until", "2026-11-23"]].concat()).expect_code(code)
}

#[test]
fn the_table_fits_80_columns_and_json_says_the_same() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let exported = export(dir.path());
    let table = report(&["--feedback", &exported], 0).stdout;
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    assert!(table.starts_with("Feedback, 2026-10-25 to 2026-11-23 (30 days, UTC)\n"), "{table}");
    let json = report(&["--feedback", &exported, "--json"], 0).one();
    let likes = json["kpis"]["likes_per_answer"]["value"].as_f64().unwrap();
    let line = table.lines().find(|line| line.starts_with("likes per answer ")).unwrap();
    assert!(line.contains(&format!(" {likes:.2} ")), "{line}");
    assert_eq!(json["trend"]["steps"].as_array().unwrap().len(), 30);
    assert_eq!(json["log"]["n_unknown_songs"], 0);
    let all = report(&["--feedback", &exported, "--since", "all", "--json"], 0).one();
    assert_eq!((&all["log"]["n_answers"], &all["change"]), (&3000.into(), &serde_json::Value::Null));
}

#[test]
fn an_empty_store_is_told_kindly_and_what_is_none_is_wrong_usage() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    // Held open meanwhile, as by `serve`.
    let _log = FeedbackLog::open(dir.path(), LogOptions::default()).unwrap();
    let answer = report(&["--store", dir.path().to_str().unwrap()], 1);
    assert!(answer.stdout.contains("Nothing is in this log yet."), "{}", answer.stdout);
    let missing = report(&["--store", dir.path().join("none").to_str().unwrap()], 2);
    assert!(missing.stderr.contains("holds no feedback store"), "{}", missing.stderr);
    assert!(report(&[], 2).stderr.contains("--store"));
    assert!(report(&["--store", "x", "--since", "yesterday"], 2).stderr.contains("30d, 12w"));
}

/// The page in frames of these widths, with a script that tells how wide each would have to be. A window cannot be made
/// as narrow as a phone.
fn framed(page: &str, widths: [u32; 2]) -> String {
    let start = page.find("<meta http-equiv").unwrap();
    let end = start + page[start..].find('>').unwrap() + 1;
    let script =
        "<script>parent.document.body.dataset['at' + innerWidth] = document.documentElement.scrollWidth</script>";
    let page = format!("{}{}", &page[..start], &page[end..]).replace("</body>", &format!("{script}</body>"));
    let page = page.replace('&', "&amp;").replace('"', "&quot;");
    let frame = |width| format!("<iframe width=\"{width}\" height=\"844\" srcdoc=\"{page}\"></iframe>");
    format!("<!doctype html><meta charset=\"utf-8\"><body>{}{}</body>", frame(widths[0]), frame(widths[1]))
}

#[test]
fn the_page_is_no_wider_than_a_phone() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("report.html");
    report(&["--feedback", &export(dir.path()), "--html", page.to_str().unwrap()], 0);
    let folders = std::env::var_os("PATH").unwrap_or_default();
    let browser = std::env::split_paths(&folders)
        .flat_map(|folder| BROWSERS.map(|name| folder.join(name)))
        .find(|path: &PathBuf| path.is_file());
    let Some(browser) = browser else {
        eprintln!("SKIPPED: there is no Chromium ({}) in PATH", BROWSERS.join(", "));
        return;
    };
    fs::write(&page, framed(&fs::read_to_string(&page).unwrap(), [390, 1200])).unwrap();
    let dump = Command::new(&browser)
        .args(["--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--hide-scrollbars", "--dump-dom"])
        .arg(format!("--user-data-dir={}", dir.path().join("profile").display()))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let dump = String::from_utf8(dump.stdout).unwrap();
    let body = &dump[dump.find("<body").unwrap()..][..200];
    assert!(body.contains("data-at390=\"390\"") && body.contains("data-at1200=\"1200\""), "{body}");
}
