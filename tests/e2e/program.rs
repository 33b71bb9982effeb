//! Runs the real program and reads its answers.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::Value;

/// What a run of the program left.
pub struct Answer {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Answer {
    /// The answer's lines as JSON.
    #[track_caller]
    pub fn json(&self) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        self.stdout.lines().map(parse).collect()
    }

    /// The answer's only line as JSON.
    #[track_caller]
    pub fn one(&self) -> Value {
        let mut all = self.json();
        assert_eq!(all.len(), 1, "one line expected: {}{}", self.stdout, self.stderr);
        all.remove(0)
    }

    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }
}

/// The program with a clean environment: English, no colors, the bundled model.
pub fn program() -> std::process::Command {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_image2song"));
    for (name, _) in std::env::vars() {
        let is_setting = name.starts_with("IMAGE2SONG_") || name.starts_with("LC_");
        if is_setting || ["LANG", "COLUMNS", "FORCE_HYPERLINK", "CLICOLOR_FORCE"].contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command.env("NO_COLOR", "1").env("LANG", "C.UTF-8").current_dir(env!("CARGO_MANIFEST_DIR"));
    command
}

/// Runs the program with arguments and nothing on standard input.
#[track_caller]
pub fn run<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Answer {
    run_with(arguments, &[], &[])
}

/// Runs the program with arguments, bytes on standard input and variables in its environment.
#[track_caller]
pub fn run_with<S: AsRef<std::ffi::OsStr>>(arguments: &[S], stdin: &[u8], variables: &[(&str, &str)]) -> Answer {
    let mut command = program();
    command.args(arguments).envs(variables.iter().copied()).stdin(Stdio::piped());
    let output = assert_cmd::Command::from_std(command).write_stdin(stdin).output().unwrap();
    Answer {
        code: output.status.code().expect("the program ends by itself"),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

/// False, with a message, if no model is bundled; a test that needs one ends there. A model that is there must work.
pub fn has_model() -> bool {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("models/base");
    if !dir.exists() {
        eprintln!("skipped: there is no {}", dir.display());
    }
    dir.exists()
}

/// Path of a committed fixture.
pub fn fixture_path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

/// Path of a committed fixture as an argument.
pub fn fixture_arg(name: &str) -> String {
    fixture_path(name).to_str().unwrap().to_owned()
}

/// The data folder, if there is one; otherwise says that the test skips.
pub fn data_dir() -> Option<PathBuf> {
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let dir = std::env::var_os("IMAGE2SONG_DATA").map_or_else(beside, PathBuf::from);
    if !dir.join("photos").is_dir() {
        eprintln!("skipped: there is no data in {}; IMAGE2SONG_DATA names another place", dir.display());
        return None;
    }
    Some(dir)
}
