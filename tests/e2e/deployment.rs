//! `promote` and `rollback` with the real program: hot, refused, on trial, and over a restart.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use image2song::manifest::Manifest;
use image2song_fakes::telegram::Telegram;
use image2song_fakes::telegram::people::User;
use serde_json::{Value, json};

use crate::model_folder::copy;
use crate::program::{Answer, fixture_path, has_model, run};
use crate::serving::Serving;

/// Loading the model takes its time on a machine that does other things.
const SOON: Duration = Duration::from_secs(120);

/// A model like the bundled one, under another name.
fn model(dir: &Path, version: &str) -> PathBuf {
    let folder = dir.join(format!("ours-{version}"));
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base"), &folder);
    run(&["model", "seal", folder.to_str().unwrap(), "--name", "ours", "--version", version]).expect_code(0);
    folder
}

/// Puts a judgement into a model folder.
fn judge(folder: &Path, passes: bool, digest: &str) {
    let text = json!({ "passes": passes, "reasons": ["nDCG fell by 0.03"], "digest": digest }).to_string();
    fs::write(folder.join("judgement.json"), text).unwrap();
    run(&["model", "seal", folder.to_str().unwrap()]).expect_code(0);
}

fn on(dir: &Path, arguments: &[&str]) -> Answer {
    let store = dir.join("store");
    run(&[arguments, &["--store", store.to_str().unwrap()]].concat())
}

fn status(dir: &Path) -> Value {
    on(dir, &["promote", "--status", "--json"]).expect_code(0).one()
}

/// Address of the page of a running `serve`.
fn address(serving: &Serving) -> String {
    let deadline = Instant::now() + SOON;
    loop {
        let log = serving.log();
        // The last one: earlier runs wrote into the same log.
        let found = log.lines().rev().find_map(|line| line.strip_prefix("image2song is at http://"));
        if let Some(address) = found.filter(|address| TcpStream::connect(address).is_ok()) {
            return address.to_owned();
        }
        assert!(Instant::now() < deadline, "serve does not start:\n{log}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Status code and body of the response to a request.
fn ask(address: &str, method: &str, path: &str, body: &[u8]) -> (u16, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: image/jpeg\r\n\
         Content-Length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(&[head.as_bytes(), body].concat()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
}

/// The models that a running `serve` says it answers with: current and on trial.
fn serves(address: &str) -> (Value, Value) {
    let parts: Value = serde_json::from_str(&ask(address, "GET", "/readyz", b"").1).unwrap();
    (parts["parts"]["model"].clone(), parts["parts"]["trial"].clone())
}

/// Sets a flag when it goes.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

const WEB: (&str, &str) = ("IMAGE2SONG_WEB__LISTEN", "127.0.0.1:0");

#[test]
fn models_change_while_requests_run_and_none_is_lost() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let (first, second) = (model(dir.path(), "1"), model(dir.path(), "2"));
    // Longer than any machine needs: what is told here is that nothing is lost, not how long it takes.
    let serving = Serving::start(dir.path(), &[WEB, ("IMAGE2SONG_ENGINE__DEADLINE_S", "60.0")]);
    let address = address(&serving);
    let bundled = serves(&address).0;
    let photos = ["beach_sunset.jpg", "forest.jpg", "stage.jpg"].map(|name| fs::read(fixture_path(name)).unwrap());
    let (is_over, n_answered) = (AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        // Also when a check fails: the askers would ask for ever.
        let _over = AtEnd(&is_over);
        for photo in &photos {
            let (address, is_over, n_answered) = (&address, &is_over, &n_answered);
            scope.spawn(move || {
                while !is_over.load(Ordering::Relaxed) {
                    let (code, body) = ask(address, "POST", "/v1/suggest", photo);
                    assert_eq!(code, 200, "{body}");
                    assert_eq!(
                        serde_json::from_str::<Value>(&body).unwrap()["suggestions"].as_array().unwrap().len(),
                        5
                    );
                    n_answered.fetch_add(1, Ordering::Relaxed);
                    std::thread::sleep(Duration::from_millis(50));
                }
            });
        }
        let change = |arguments: &[&str], model: Value| {
            let before = n_answered.load(Ordering::Relaxed);
            on(dir.path(), arguments).expect_code(0);
            // Told when it is done: the very next question is answered by the new model.
            assert_eq!(serves(&address).0, model);
            while n_answered.load(Ordering::Relaxed) < before + 10 {
                std::thread::sleep(Duration::from_millis(10));
            }
        };
        change(&["promote", first.to_str().unwrap(), "--force", "a test"], json!("ours 1"));
        change(&["promote", second.to_str().unwrap(), "--force", "a test"], json!("ours 2"));
        // The folder that it came from is not needed.
        fs::remove_dir_all(&first).unwrap();
        change(&["rollback"], json!("ours 1"));
        change(&["rollback"], bundled);
    });
    let metrics = ask(&address, "GET", "/metrics", b"").1;
    assert!(metrics.contains("image2song_model_changes_total{kind=\"loaded\"} 4"), "{metrics}");
    assert!(serving.stop().success());
}

#[test]
fn what_was_promoted_holds_from_the_next_start_and_needs_a_judgement() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ours = model(dir.path(), "1");
    let path = ours.to_str().unwrap();
    let digest = Manifest::open(&ours).unwrap().weights_digest();
    let refused = |part: &str| {
        let answer = on(dir.path(), &["promote", path]).expect_code(1);
        assert!(answer.stderr.contains("ours 1 is not promoted") && answer.stderr.contains(part), "{}", answer.stderr);
        assert_eq!(status(dir.path())["plan"]["revision"], 0);
    };
    refused("never judged");
    judge(&ours, false, &digest);
    refused("nDCG fell by 0.03");
    judge(&ours, true, "another");
    refused("other weights");
    on(dir.path(), &["promote", path, "--force", " "]).expect_code(2);
    on(dir.path(), &["promote", path, "--share", "100%"]).expect_code(2);
    judge(&ours, true, &digest);
    let told = on(dir.path(), &["promote", path]).expect_code(0).stdout;
    assert!(told.contains("from the next start"), "{told}");
    on(dir.path(), &["promote", path]).expect_code(1);
    fs::remove_dir_all(&ours).unwrap();
    let serving = Serving::start(dir.path(), &[WEB]);
    assert_eq!(serves(&address(&serving)), (json!("ours 1"), Value::Null));
    assert!(serving.stop().success());
    let history = status(dir.path())["plan"]["history"].clone();
    assert_eq!((history[0]["action"].as_str(), history[0]["is_forced"].as_bool()), (Some("promoted"), Some(false)));
}

#[test]
fn a_broken_model_is_refused_and_the_old_one_goes_on() {
    if !has_model() {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let ours = model(dir.path(), "1");
    let serving = Serving::start(dir.path(), &[WEB]);
    let address = address(&serving);
    let bundled = serves(&address).0;
    // One that the command itself sees.
    let weights = ours.join("matcher.safetensors");
    let whole = fs::read(&weights).unwrap();
    fs::write(&weights, &whole[..whole.len() / 2]).unwrap();
    let answer = on(dir.path(), &["promote", ours.to_str().unwrap(), "--force", "a test"]);
    assert!(answer.code != 0 && answer.stderr.contains("matcher.safetensors"), "{}", answer.stderr);
    // One that is whole by its list and loads nowhere, which the running serve is told of.
    run(&["model", "seal", ours.to_str().unwrap()]).expect_code(0);
    let store = dir.path().join("store");
    copy(&ours, &store.join("models/0123456789abcdef"));
    let placed = json!({ "model": "ours 1", "digest": "0123456789abcdef" });
    let step =
        json!({ "at": 1, "action": "promoted", "model": placed, "share": 1.0, "reason": "", "is_forced": false });
    let plan = json!({
        "version": 1, "revision": 7, "current": placed, "trial": null, "previous": [null], "since": 1, "history": [step]
    });
    let tell = || fs::write(store.join("deployment.json"), plan.to_string()).unwrap();
    tell();
    let deadline = Instant::now() + SOON;
    let refused = loop {
        let status = status(dir.path());
        if status["plan"]["revision"] == 8 && status["status"]["fault"].is_string() {
            break status;
        }
        assert!(Instant::now() < deadline, "{status}\n{}", serving.log());
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(refused["plan"]["current"], Value::Null);
    assert_eq!(refused["plan"]["history"][1]["action"], "refused");
    assert_eq!(serves(&address).0, bundled);
    let photo = fs::read(fixture_path("forest.jpg")).unwrap();
    assert_eq!(ask(&address, "POST", "/v1/suggest", &photo).0, 200);
    let metrics = ask(&address, "GET", "/metrics", b"").1;
    assert!(metrics.contains("image2song_model_changes_total{kind=\"refused\"} 1"), "{metrics}");
    assert!(serving.stop().success());
    // At a start it is the same.
    tell();
    copy(&ours, &store.join("models/0123456789abcdef"));
    let serving = Serving::start(dir.path(), &[WEB]);
    assert_eq!(serves(&self::address(&serving)).0, bundled);
    assert!(serving.stop().success());
}

/// Versions that answered each asker, by the store's export.
fn versions(dir: &Path, key: &str) -> (BTreeMap<String, BTreeSet<String>>, Vec<Value>) {
    let out = dir.join("export.jsonl");
    let (store, out) = (dir.join("store/feedback"), out.to_str().unwrap().to_owned());
    let arguments = ["feedback", "export", "--store", store.to_str().unwrap(), "--format", "jsonl", "--out", &out];
    crate::program::run_with(&arguments, b"", &[("IMAGE2SONG_USER_KEY", key)]).expect_code(0);
    let lines: Vec<Value> =
        fs::read_to_string(&out).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let impressions: Vec<Value> =
        lines.into_iter().map(|line| line["impression"].clone()).filter(Value::is_object).collect();
    let mut versions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for one in &impressions {
        let version = one["model_version"].as_str().unwrap().to_owned();
        versions.entry(one["user"].as_str().unwrap().to_owned()).or_default().insert(version);
    }
    (versions, impressions)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_stay_with_their_arm_over_a_restart_and_draws_are_logged() {
    if !has_model() {
        return;
    }
    const KEY: &str = "a key for tests";
    const N_PEOPLE: i64 = 16;
    let dir = tempfile::tempdir().unwrap();
    let ours = model(dir.path(), "1");
    let telegram = Telegram::start().await;
    let url = telegram.url();
    let variables = [
        ("TELEGRAM_TOKEN", telegram.token()),
        ("IMAGE2SONG_TELEGRAM__API_URL", url.as_str()),
        ("IMAGE2SONG_USER_KEY", KEY),
        ("IMAGE2SONG_DEFAULTS__LEVEL", "training"),
        ("IMAGE2SONG_DEFAULTS__EXPLORATION", "0.5"),
        ("IMAGE2SONG_EXPERIMENT__SETTLE_MINUTES", "0.0"),
    ];
    on(dir.path(), &["promote", ours.to_str().unwrap(), "--share", "50%", "--force", "a test"]).expect_code(0);
    let jpeg = fs::read(fixture_path("beach_sunset.jpg")).unwrap();
    let people = (1..=N_PEOPLE).map(|id| User::with_language(id, "somebody", "en"));
    // A chat is made once: made anew it would number its messages anew, and a number that was answered is not again.
    let chats: Vec<_> = people.map(|person| (telegram.private(&person), person)).collect();
    for _ in 0..2 {
        let serving = Serving::start(dir.path(), &variables);
        for (chat, person) in &chats {
            telegram.photo(*chat, person, &jpeg, "");
            telegram.wait_for_message(SOON).await;
        }
        assert!(serving.stop().success());
    }
    let (versions, impressions) = versions(dir.path(), KEY);
    assert_eq!((versions.len(), impressions.len()), (N_PEOPLE as usize, 2 * N_PEOPLE as usize));
    assert!(versions.values().all(|own| own.len() == 1), "{versions:?}");
    let all: BTreeSet<&String> = versions.values().flatten().collect();
    assert!(all.len() == 2 && all.iter().any(|version| *version == "ours 1"), "{versions:?}");
    for one in &impressions {
        assert_eq!(
            (one["lottery"]["temperature"].as_f64(), one["lottery"]["protects_first"].as_bool()),
            (Some(0.5), Some(true))
        );
        assert_eq!(one["lottery"]["pool"].as_array().unwrap().len(), 24);
        let propensities: Vec<f64> =
            one["slate"].as_array().unwrap().iter().map(|shown| shown["propensity"].as_f64().unwrap()).collect();
        assert_eq!(propensities[0], 1.0);
        assert!(propensities[1..].iter().all(|p| *p > 0.0 && *p < 1.0), "{propensities:?}");
    }
    let slates: BTreeSet<String> = impressions.iter().map(|one| one["lottery"]["places"].to_string()).collect();
    assert!(slates.len() > 2, "nothing was drawn: {slates:?}");
}
