//! Runs `image2song serve` beside a test, stops it, kills it, and keeps what it logged.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::program::program;

/// A running `serve`. It is killed when it is dropped.
pub struct Serving {
    child: Child,
    log: PathBuf,
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Serving {
    /// Starts the program with a store in `dir`, without HTTP, logging all that its settings let it log.
    pub fn start(dir: &Path, variables: &[(&str, &str)]) -> Serving {
        let log = dir.join("log");
        let file = File::options().create(true).append(true).open(&log).unwrap();
        let mut command = program();
        command.arg("serve").args(["--log-format", "json"]);
        for (name, value) in [
            ("IMAGE2SONG_STORE__DIR", dir.join("store").to_str().unwrap()),
            ("IMAGE2SONG_WEB__LISTEN", ""),
            ("IMAGE2SONG_LOG__LEVEL", "debug"),
            ("IMAGE2SONG_DEFAULTS__PERSON_COOLDOWN_S", "0.0"),
        ] {
            command.env(name, value);
        }
        command.envs(variables.iter().copied()).stdin(Stdio::null());
        command.stdout(file.try_clone().unwrap()).stderr(file);
        Serving { child: command.spawn().unwrap(), log }
    }

    /// Ends it at once, as a power cut does.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to stop, as a service manager does, and waits for its end.
    pub fn stop(mut self) -> ExitStatus {
        let asked = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        assert!(asked.success());
        self.wait()
    }

    /// Waits for its end.
    pub fn wait(&mut self) -> ExitStatus {
        let deadline = Instant::now() + Duration::from_secs(60);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.log());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// All that it and earlier runs of the same folder logged.
    pub fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap()
    }
}
