//! `serve` as programs and people on the network see it: the real program, the bundled model, loopback only.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use data_encoding::BASE64;
use serde_json::Value;

use crate::chromium::Browser;
use crate::program::{program, run, run_with};

const PHOTO: &str = "tests/fixtures/beach_sunset.jpg";
/// Longest wait for the model to be loaded or the program to end on a busy machine.
const PATIENCE: Duration = Duration::from_secs(120);

/// A running `image2song serve`.
struct Server {
    child: Child,
    address: String,
    /// Everything on standard error.
    log: JoinHandle<String>,
    _store: tempfile::TempDir,
}

/// A response.
struct Response {
    status: u16,
    head: String,
    body: String,
}

impl Server {
    fn start(variables: &[(&str, &str)]) -> Self {
        let store = tempfile::tempdir().unwrap();
        let mut command = program();
        for (name, _) in
            std::env::vars().filter(|(name, _)| name.starts_with("DISCORD_") || name.starts_with("TELEGRAM_"))
        {
            command.env_remove(name);
        }
        let mut child = command
            .args(["serve", "--log-format", "json"])
            .env("IMAGE2SONG_WEB__LISTEN", "127.0.0.1:0")
            .env("IMAGE2SONG_LOG__LEVEL", "debug")
            .env("IMAGE2SONG_STORE__DIR", store.path())
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (found, wait) = mpsc::channel();
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            for line in stderr.lines().map_while(Result::ok) {
                if let Some(address) = line.strip_prefix("image2song is at http://") {
                    let _ = found.send(address.to_owned());
                }
                log += &line;
                log.push('\n');
            }
            log
        });
        let Ok(address) = wait.recv_timeout(PATIENCE) else {
            let _ = child.kill();
            panic!("serve did not start: {}", log.join().unwrap());
        };
        Self { child, address, log, _store: store }
    }

    /// Sends a request and reads the whole response.
    fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", self.address);
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += &format!("Content-Length: {}\r\n\r\n", body.len());
        stream.write_all(head.as_bytes()).unwrap();
        stream.write_all(body).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8(answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Response { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
    }

    fn get(&self, path: &str) -> Response {
        self.ask("GET", path, &[], &[])
    }

    fn post(&self, path: &str, photo: &[u8]) -> Response {
        self.ask("POST", path, &[("Content-Type", "image/jpeg")], photo)
    }

    /// Ends it as a service manager does: exit code and log.
    fn stop(mut self) -> (Option<i32>, String) {
        let killed = Command::new("kill").arg(self.child.id().to_string()).status().unwrap();
        assert!(killed.success());
        let status = self.child.wait().unwrap();
        (status.code(), self.log.join().unwrap())
    }
}

fn photo(path: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

/// An answer without what differs from run to run.
fn timeless(mut answer: Value) -> Value {
    let fields = answer.as_object_mut().unwrap();
    fields.remove("ms").unwrap();
    fields.remove("photo").unwrap();
    answer
}

#[cfg(unix)]
#[test]
fn the_answers_are_those_of_the_command_line() {
    let server = Server::start(&[]);
    let bytes = photo(PHOTO);
    let response = server.post("/v1/suggest?n=3&hint=rain&language=en,fr&clean=true&name=beach.jpg", &bytes);
    assert_eq!(response.status, 200, "{}", response.body);
    let own = json(&response.body);
    assert_eq!(own["photo"], "beach.jpg");
    let arguments =
        ["suggest", PHOTO, "--json", "--top", "3", "--hint", "rain", "--language", "en,fr", "--no-explicit"];
    assert_eq!(timeless(own), timeless(run(&arguments).expect_code(0).one()));

    let tags = json(&server.post("/v1/tags?n=4", &bytes).body);
    assert_eq!(timeless(tags), timeless(run(&["tags", PHOTO, "--json", "--top", "4"]).expect_code(0).one()));

    let songs = json(&server.get("/v1/songs?q=beach&n=3").body);
    let found = run(&["catalog", "search", "beach", "--top", "3", "--json"]).expect_code(0).json();
    let ids = |songs: &[Value]| songs.iter().map(|song| song["id"].clone()).collect::<Vec<_>>();
    assert_eq!(ids(songs["songs"].as_array().unwrap()), ids(&found));

    for (name, bytes) in [("cut.jpg", &bytes[..900]), ("text.jpg", b"no photo at all"), ("empty.jpg", b"")] {
        let response = server.post(&format!("/v1/suggest?name={name}"), bytes);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let expected = run(&["suggest", path.to_str().unwrap(), "--json"]).expect_code(1).one();
        let own = json(&response.body);
        assert_eq!(own["error"]["kind"], expected["error"]["kind"], "{name}");
        assert_eq!(own["photo"], name);
        assert!((400..423).contains(&response.status), "{name}: {}", response.status);
    }
    let unknown = server.post("/v1/suggest?language=xx", &bytes);
    assert_eq!((unknown.status, json(&unknown.body)["error"]["kind"].as_str()), (400, Some("unknown_language")));
    assert_eq!(server.stop().0, Some(0));
}

#[cfg(unix)]
#[test]
fn a_person_gets_a_page_and_an_operator_health_and_metrics() {
    let server = Server::start(&[]);
    assert_eq!(server.get("/healthz").body, "ok\n");
    let ready = server.get("/readyz");
    assert_eq!((ready.status, json(&ready.body)["ready"].as_bool()), (200, Some(true)), "{}", ready.body);
    let mut form = b"--b\r\nContent-Disposition: form-data; name=\"photo\"; filename=\"a.jpg\"\r\n\r\n".to_vec();
    form.extend(photo(PHOTO));
    form.extend(b"\r\n--b\r\nContent-Disposition: form-data; name=\"hint\"\r\n\r\nconfidential-words\r\n--b--\r\n");
    let page = server.ask("POST", "/", &[("Content-Type", "multipart/form-data; boundary=b")], &form);
    assert_eq!((page.status, page.body.matches("<li>\n<h3").count()), (200, 5), "{}", page.body);
    assert!(page.head.contains("content-security-policy: default-src 'none'"));
    assert_eq!(server.get("/go/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa").status, 404);
    let metrics = server.get("/metrics").body;
    for line in [
        "image2song_adapter_up{platform=\"web\"} 1",
        "image2song_requests_total{platform=\"web\",kind=\"suggest\",outcome=\"answered\"} 1",
        "image2song_adapter_events{platform=\"web\",what=\"request\",kind=\"/go/{token}\"} 1",
    ] {
        assert!(metrics.contains(line), "{line} in {metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"));
    let check = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/healthcheck.sh");
    let is_well =
        |address: &str| Command::new(&check).env("IMAGE2SONG_HEALTH", address).output().unwrap().status.success();
    let address = server.address.clone();
    assert!(is_well(&address));
    let (code, log) = server.stop();
    assert_eq!(code, Some(0), "{log}");
    assert!(!is_well(&address));
    assert!(log.contains("\"/v1/suggest\"") || log.contains("\"route\":\"/\""), "{log}");
    for secret in ["confidential", "aaaaaaaa"] {
        assert!(!log.contains(secret), "{secret} in {log}");
    }
}

#[cfg(unix)]
#[test]
fn a_photo_dropped_on_the_page_brings_songs_regions_and_words() {
    let Some(mut browser) = Browser::start() else { return };
    let server = Server::start(&[]);
    browser.screen(390, 844, "light");
    browser.open(&format!("http://{}/", server.address));
    // What a hand does with the mouse, as the page hears it.
    let drop = format!(
        "(() => {{ const bytes = Uint8Array.from(atob('{}'), c => c.charCodeAt(0)); const data = new DataTransfer(); \
         data.items.add(new File([bytes], 'beach.jpg', {{type: 'image/jpeg'}})); \
         document.body.dispatchEvent(new DragEvent('drop', {{bubbles: true, cancelable: true, dataTransfer: data}})); }})()",
        BASE64.encode(&photo(PHOTO))
    );
    browser.value(&drop);
    browser.wait_for("document.querySelectorAll('.songs > li').length === 5");
    browser.wait_for("document.getElementById('shown').naturalWidth > 0");
    browser.look("real-phone");
    let titles = browser.value("[...document.querySelectorAll('.songs h3')].map(title => title.textContent)");
    let own = run(&["suggest", PHOTO, "--json"]).expect_code(0).one();
    let expected = own["suggestions"].as_array().unwrap().iter().map(|one| one["song"]["title"].clone());
    assert_eq!(titles, Value::Array(expected.collect()));
    let seen = browser.value(
        "({regions: document.querySelectorAll('.regions > li').length, links: document.querySelectorAll('.links a').length, \
          frames: document.querySelectorAll('.frame rect').length, why: document.querySelector('.why').textContent})",
    );
    assert!(seen["regions"].as_u64() > Some(0) && seen["frames"].as_u64() > Some(0), "{seen}");
    assert_eq!((seen["links"].as_u64(), seen["why"].as_str().unwrap().contains('→')), (Some(20), true), "{seen}");

    let text = tempfile::NamedTempFile::with_suffix(".jpg").unwrap();
    std::fs::write(text.path(), "no photo at all").unwrap();
    browser.choose(text.path());
    browser.wait_for("!!document.querySelector('.fault')");
    let fault = browser.value("document.querySelector('.fault').textContent");
    assert!(fault.as_str().unwrap().contains("no photo I can open"), "{fault}");
    // The browser notes the refused photo's status; a breach of the policy would be a fault of another kind.
    browser.faults.retain(|fault| !fault.contains("the server responded with a status of 4"));
    assert_eq!(browser.faults, [""; 0]);
    assert_eq!(server.stop().0, Some(0));
}

#[cfg(unix)]
#[test]
fn the_key_is_asked_for_and_never_shown() {
    let server = Server::start(&[("IMAGE2SONG_API_KEY", "sesame-42")]);
    let bytes = photo(PHOTO);
    assert_eq!(server.post("/v1/suggest", &bytes).status, 401);
    assert_eq!(server.get("/metrics").status, 401);
    let headers = [("Content-Type", "image/jpeg"), ("Authorization", "Bearer sesame-42")];
    assert_eq!(server.ask("POST", "/v1/suggest", &headers, &bytes).status, 200);
    let (_, log) = server.stop();
    assert!(!log.contains("sesame"), "{log}");
}

#[test]
fn an_address_that_others_can_reach_needs_a_key() {
    let answer = run_with(&["serve", "--check"], &[], &[("IMAGE2SONG_WEB__LISTEN", "0.0.0.0:8080")]).expect_code(2);
    assert!(answer.stderr.contains("web.listen") && answer.stderr.contains("IMAGE2SONG_API_KEY"), "{}", answer.stderr);
}
