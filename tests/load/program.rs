//! The real program under load, and what the system says of it.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::http;

/// Key of people's hashes, so that acknowledged presses can be found in the log by their names.
pub const USER_KEY: &str = "the key of the load test";
/// Ticks per second of the times in /proc.
const TICKS_PER_S: f64 = 100.0;
const PAGE_BYTES: u64 = 4096;
const START_TIME: Duration = Duration::from_secs(180);
const STOP_TIME: Duration = Duration::from_secs(60);

/// What the system says of a process at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    pub at: Instant,
    pub rss_mb: f64,
    pub n_files: usize,
    pub n_threads: usize,
}

/// Processor time so far: of the program, of this process with its fakes, of all, and what there was.
#[derive(Debug, Clone, Copy)]
pub struct Cpu {
    pub at: Instant,
    pub program_s: f64,
    pub own_s: f64,
    pub busy_s: f64,
    pub all_s: f64,
}

/// A running `serve`; killed when dropped.
pub struct Program {
    child: Child,
    pub address: String,
    log: PathBuf,
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Program {
    /// Starts it with a store in `dir` and waits until it answers.
    pub async fn start(dir: &Path, variables: &[(String, String)]) -> Program {
        let log = dir.join("log");
        let n_before = fs::metadata(&log).map_or(0, |log| log.len()) as usize;
        let file = File::options().create(true).append(true).open(&log).expect("the folder can be written");
        let mut command = Command::new(env!("CARGO_BIN_EXE_image2song"));
        command.current_dir(env!("CARGO_MANIFEST_DIR")).arg("serve").args(["--log-format", "json"]);
        let store = dir.join("store").display().to_string();
        for (name, value) in [
            ("IMAGE2SONG_STORE__DIR", store.as_str()),
            ("IMAGE2SONG_WEB__LISTEN", "127.0.0.1:0"),
            ("IMAGE2SONG_DEFAULTS__LEVEL", "training"),
            ("IMAGE2SONG_DEFAULTS__PERSON_COOLDOWN_S", "0.0"),
            ("IMAGE2SONG_STORE__HAS_DISCORD_PERMISSION", "true"),
            ("IMAGE2SONG_USER_KEY", USER_KEY),
        ] {
            command.env(name, value);
        }
        command.envs(variables.iter().cloned()).stdin(Stdio::null());
        command.stdout(file.try_clone().expect("a file can be shared")).stderr(file);
        let mut child = command.spawn().expect("the program can be started");
        let deadline = Instant::now() + START_TIME;
        let address = loop {
            let text = fs::read_to_string(&log).unwrap_or_default();
            let new = text.get(n_before..).unwrap_or_default();
            if let Some((_, rest)) = new.split_once("image2song is at http://") {
                break rest.split_whitespace().next().unwrap_or_default().to_owned();
            }
            assert!(child.try_wait().expect("a child can be asked").is_none(), "the program ended: {new}");
            assert!(Instant::now() < deadline, "the program does not start: {new}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        };
        let program = Program { child, address, log };
        while http::get(&program.address, "/readyz").await.is_none_or(|answer| answer.status != 200) {
            assert!(Instant::now() < deadline, "the program is not ready: {}", program.log());
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        program
    }

    /// All that it wrote.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// Ends it at once.
    pub fn end(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }

    /// Stops it in good order; how long that took.
    pub async fn stop(mut self) -> Duration {
        let began = Instant::now();
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status();
        assert!(asked.is_ok_and(|status| status.success()), "the signal was not sent");
        while self.child.try_wait().expect("a child can be asked").is_none() {
            assert!(began.elapsed() < STOP_TIME, "the program does not end: {}", self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        began.elapsed()
    }

    /// What the system says of it now.
    pub fn sample(&self) -> Sample {
        let proc = PathBuf::from(format!("/proc/{}", self.child.id()));
        let statm = fs::read_to_string(proc.join("statm")).unwrap_or_default();
        let pages: u64 = statm.split_whitespace().nth(1).and_then(|pages| pages.parse().ok()).unwrap_or_default();
        let count = |folder: &str| fs::read_dir(proc.join(folder)).map_or(0, Iterator::count);
        let rss_mb = (pages * PAGE_BYTES) as f64 / 1e6;
        Sample { at: Instant::now(), rss_mb, n_files: count("fd"), n_threads: count("task") }
    }

    /// Most memory it ever held, in MB.
    pub fn peak_mb(&self) -> f64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok()).unwrap_or_default();
        kib * 1024.0 / 1e6
    }

    /// Begins to measure the most memory anew, where the system lets us.
    pub fn forget_peak(&self) {
        let _ = fs::write(format!("/proc/{}/clear_refs", self.child.id()), "5");
    }

    /// Processor times so far.
    pub fn cpu(&self) -> Cpu {
        let of = |pid: String| {
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            let fields: Vec<f64> = stat
                .rsplit(')')
                .next()
                .unwrap_or_default()
                .split_whitespace()
                .map(|field| field.parse().unwrap_or(0.0))
                .collect();
            fields.get(11..13).map_or(0.0, |times| times.iter().sum::<f64>()) / TICKS_PER_S
        };
        let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
        let first = stat.lines().next().unwrap_or_default();
        let all: Vec<f64> = first.split_whitespace().skip(1).filter_map(|field| field.parse().ok()).collect();
        // user nice system idle iowait irq softirq steal
        let all_s = all.iter().take(8).sum::<f64>() / TICKS_PER_S;
        let idle_s = all.get(3..5).map_or(0.0, |idle| idle.iter().sum::<f64>()) / TICKS_PER_S;
        Cpu {
            at: Instant::now(),
            program_s: of(self.child.id().to_string()),
            own_s: of("self".to_owned()),
            busy_s: all_s - idle_s,
            all_s,
        }
    }

    /// Its metrics by name with labels.
    pub async fn metrics(&self) -> Metrics {
        let text = http::get(&self.address, "/metrics").await.map(|answer| answer.body).unwrap_or_default();
        let text = String::from_utf8_lossy(&text).into_owned();
        let value = |line: &str| {
            let (name, value) = line.rsplit_once(' ')?;
            Some((name.to_owned(), value.parse().ok()?))
        };
        Metrics(text.lines().filter(|line| !line.starts_with('#')).filter_map(value).collect())
    }
}

/// Metrics of one moment.
pub struct Metrics(BTreeMap<String, f64>);

impl Metrics {
    /// Sum of all whose name with labels holds all of these parts.
    pub fn sum(&self, parts: &[&str]) -> f64 {
        self.0.iter().filter(|(name, _)| parts.iter().all(|part| name.contains(part))).map(|(_, value)| value).sum()
    }

    /// Mean time of a step since an earlier moment, in ms.
    pub fn step_ms(&self, earlier: &Metrics, step: &str) -> f64 {
        let label = format!("step=\"{step}\"");
        let of = |metrics: &Metrics, what: &str| metrics.sum(&[&format!("step_seconds_{what}"), &label]);
        let n = of(self, "count") - of(earlier, "count");
        1000.0 * (of(self, "sum") - of(earlier, "sum")) / n.max(1.0)
    }
}

/// Load average of the last minute.
pub fn load_average() -> f64 {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or_default()
}
