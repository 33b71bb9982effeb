//! The walls between the modules and the habits of the code base, checked by reading the source as text. Each breach is
//! reported with its file, line, rule and remedy.

use std::fs;
use std::path::{Path, PathBuf};

/// Which modules of this crate each module may import.
const IMPORTS: [(&str, &[&str]); 22] = [
    ("photo", &[]),
    ("kernels", &[]),
    ("calendar", &[]),
    ("manifest", &[]),
    ("feedback", &["catalogue"]),
    ("config", &[]),
    ("addon", &["tagger", "lyric", "manifest"]),
    ("engine", &["photo", "tagger", "catalogue", "matcher", "answer"]),
    ("report", &["feedback", "catalogue", "evaluation", "calendar"]),
    ("state", &["feedback"]),
    ("deployment", &["manifest", "feedback"]),
    ("telemetry", &["engine", "feedback", "deployment"]),
    (
        "bot",
        &[
            "photo",
            "tagger",
            "catalogue",
            "matcher",
            "answer",
            "engine",
            "state",
            "feedback",
            "telemetry",
            "deployment",
        ],
    ),
    ("tagger", &["photo", "kernels"]),
    ("explain", &["photo", "tagger"]),
    ("answer", &["photo", "tagger", "lyric", "catalogue", "matcher", "explain"]),
    ("lyric", &["kernels"]),
    ("catalogue", &["lyric"]),
    ("matcher", &["tagger", "lyric", "catalogue", "kernels"]),
    ("evaluation", &["photo", "tagger", "lyric", "catalogue", "matcher", "kernels", "feedback"]),
    (
        "training",
        &["photo", "tagger", "lyric", "catalogue", "matcher", "kernels", "evaluation", "manifest", "calendar"],
    ),
    (
        "cli",
        &[
            "photo",
            "calendar",
            "tagger",
            "addon",
            "explain",
            "answer",
            "lyric",
            "catalogue",
            "matcher",
            "kernels",
            "training",
            "evaluation",
            "manifest",
            "feedback",
            "report",
            "config",
            "engine",
            "state",
            "telemetry",
            "bot",
            "deployment",
        ],
    ),
];

/// Which modules may name each of the larger dependencies.
const OWNERS: [(&str, &[&str]); 18] = [
    ("image::", &["photo", "explain"]),
    ("fast_image_resize::", &["photo"]),
    ("tiny_skia::", &["explain"]),
    ("candle_core::", &["kernels", "tagger", "lyric", "matcher", "training", "evaluation", "cli"]),
    ("candle_nn::", &["tagger", "lyric", "matcher", "training"]),
    ("sled::", &["feedback", "state"]),
    ("hmac::", &["feedback", "bot"]),
    ("chacha20poly1305::", &["feedback"]),
    ("parquet::", &["feedback"]),
    ("plotters::", &["report"]),
    ("prometheus_client::", &["telemetry"]),
    ("tokio::", &["engine", "bot", "cli"]),
    ("clap::", &["cli"]),
    ("anyhow::", &["cli"]),
    ("indicatif::", &["cli"]),
    ("console::", &["cli"]),
    ("core::arch::", &["kernels"]),
    ("std::arch::", &["kernels"]),
];

/// What the program must not be able to do or depend on, wherever it is named in `src`.
const NETWORK: [&str; 6] = ["reqwest", "tokio::net", "hyper::", "ureq", "std::net", "TcpStream"];

/// Where it may all the same: settings name addresses, and `serve` opens the port that it hands to the HTTP adapter.
const NETWORK_MODULES: [&str; 2] = ["config", "cli"];

const MAX_LINES: usize = 500;
const GOOD_LINES: usize = 400;

/// A source file: its path from the package folder, its lines, and whether it is compiled for tests only.
struct Source {
    path: String,
    lines: Vec<String>,
    is_test: bool,
}

impl Source {
    /// The module of the crate that the file is part of; empty for `lib.rs` and `main.rs`.
    fn module(&self) -> &str {
        let inside = self.path.strip_prefix("src/").unwrap_or_default();
        match inside.split_once('/') {
            Some((module, _)) => module,
            None => inside.strip_suffix(".rs").filter(|name| !["lib", "main"].contains(name)).unwrap_or_default(),
        }
    }

    /// Line number and text of all that is neither a comment nor in the tests at the end of the file.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_inline = |pair: &[String]| pair[0] == "#[cfg(test)]" && pair[1].ends_with('{');
        let n_lines = match self.lines.windows(2).position(is_inline) {
            _ if self.is_test => 0,
            Some(first) => first,
            None => self.lines.len(),
        };
        let numbered = self.lines[..n_lines].iter().enumerate().map(|(idx, line)| (idx + 1, line.trim()));
        numbered.filter(|(_, line)| !line.starts_with("//"))
    }
}

fn package() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sources(folders: &[&str]) -> Vec<Source> {
    let mut paths = Vec::new();
    for folder in folders {
        walk(&package().join(folder), &mut paths);
    }
    paths.sort();
    let read = |path: &PathBuf| {
        let relative = path.strip_prefix(package()).unwrap().to_str().unwrap().replace('\\', "/");
        let lines: Vec<String> = fs::read_to_string(path).unwrap().lines().map(str::to_owned).collect();
        let is_test = relative.ends_with("tests.rs") || !relative.starts_with("src/");
        Source { path: relative, lines, is_test }
    };
    let mut sources: Vec<Source> = paths.iter().map(read).collect();
    let test_modules: Vec<String> = sources.iter().flat_map(test_modules).collect();
    for source in &mut sources {
        source.is_test |= test_modules.contains(&source.path);
    }
    sources
}

/// Paths of the modules that a file declares for tests only, in files of their own.
fn test_modules(source: &Source) -> Vec<String> {
    let folder = match source.path.strip_suffix("/mod.rs").or(source.path.strip_suffix("/lib.rs")) {
        Some(folder) => folder,
        None => source.path.trim_end_matches(".rs"),
    };
    let declared = source.lines.windows(2).filter(|pair| pair[0] == "#[cfg(test)]");
    let names = declared.filter_map(|pair| pair[1].trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'));
    names.map(|name| format!("{folder}/{name}.rs")).collect()
}

fn walk(folder: &Path, paths: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries {
        let path = entry.unwrap().path();
        if path.is_dir() && path.file_name().is_none_or(|name| name != "target") {
            walk(&path, paths);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            paths.push(path);
        }
    }
}

/// Fails with all breaches, one a line.
#[track_caller]
fn check(breaches: &[String]) {
    assert!(breaches.is_empty(), "{} breaches:\n{}", breaches.len(), breaches.join("\n"));
}

/// Names after `crate::` on a line, also in `crate::{a::b, c}`.
fn crate_imports(line: &str) -> Vec<&str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let name = |text: &'_ str| text.split(|c| !is_name(c)).next().unwrap_or_default().len();
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            None => names.push(&rest[..name(rest)]),
            Some(group) => {
                let mut depth = 0;
                let mut starts_part = true;
                for (idx, c) in group.char_indices() {
                    if starts_part && is_name(c) {
                        names.push(&group[idx..idx + name(&group[idx..])]);
                        starts_part = false;
                    }
                    match c {
                        '{' => depth += 1,
                        '}' if depth == 0 => break,
                        '}' => depth -= 1,
                        ',' if depth == 0 => starts_part = true,
                        _ => {}
                    }
                }
            }
        }
    }
    names
}

#[test]
fn imports_are_read_from_text() {
    assert_eq!(crate_imports("use crate::photo::{self, Decoded};"), ["photo"]);
    assert_eq!(
        crate_imports("use crate::{catalogue::{load::Catalogue, song::SongIdx}, photo};"),
        ["catalogue", "photo"]
    );
    assert_eq!(crate_imports("let x = crate::kernels::isa() + crate::lyric::y;"), ["kernels", "lyric"]);
}

#[test]
fn modules_import_only_what_they_may() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]) {
        let module = source.module();
        let Some((_, allowed)) = IMPORTS.iter().find(|(name, _)| *name == module) else {
            if !["", "test_data", "bin"].contains(&module) {
                breaches.push(format!(
                    "{}:1: module {module} is unknown to the import rule; add it to IMPORTS in tests/architecture.rs",
                    source.path
                ));
            }
            continue;
        };
        for (line, text) in source.code() {
            for import in crate_imports(text) {
                if import != module && !allowed.contains(&import) {
                    breaches.push(format!(
                        "{}:{line}: {module} imports {import}, but may import only [{}]; move the code to the module \
                         that may know both, or pass the value in",
                        source.path,
                        allowed.join(", ")
                    ));
                }
            }
        }
    }
    check(&breaches);
}

#[test]
fn each_large_dependency_stays_with_its_owners() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]) {
        for (line, text) in source.code() {
            for (dependency, owners) in OWNERS {
                let is_named = text.match_indices(dependency).any(|(at, _)| {
                    !text[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_') && !text[..at].ends_with("::")
                });
                if is_named && !owners.contains(&source.module()) && !source.module().is_empty() {
                    breaches.push(format!(
                        "{}:{line}: {dependency} belongs to [{}]; let one of them offer what is needed",
                        source.path,
                        owners.join(", ")
                    ));
                }
            }
        }
    }
    check(&breaches);
}

#[test]
fn nothing_names_a_network() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| !NETWORK_MODULES.contains(&source.module())) {
        for (line, text) in source.code() {
            for name in NETWORK.iter().filter(|name| text.contains(**name)) {
                breaches.push(format!(
                    "{}:{line}: {name} is a network name; the program works without one, so take files instead",
                    source.path
                ));
            }
        }
    }
    check(&breaches);
}

#[test]
fn adapters_know_the_contract_only() {
    let mut breaches = Vec::new();
    for adapter in ["discord", "telegram", "web"] {
        let path = format!("bots/{adapter}/Cargo.toml");
        let manifest: toml::Table =
            fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(&path)).unwrap().parse().unwrap();
        let dependencies = manifest["dependencies"].as_table().unwrap();
        assert!(dependencies.contains_key("image2song-contract"), "{path} lacks the contract");
        for name in dependencies.keys().filter(|name| *name != "image2song-contract") {
            if name.starts_with("image2song") || name.starts_with("candle") || name == "sled" {
                breaches.push(format!("{path}: {name} is not for an adapter; ask through the contract's traits"));
            }
        }
    }
    check(&breaches);
}

#[test]
fn only_the_command_line_prints() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]).iter().filter(|source| !["cli", "bin"].contains(&source.module())) {
        for (line, text) in source.code() {
            if ["println!(", "print!(", "eprint!(", "dbg!("].iter().any(|name| text.contains(name)) {
                breaches.push(format!(
                    "{}:{line}: prints outside src/cli; return the value, report it to an observer, or use tracing",
                    source.path
                ));
            }
        }
    }
    check(&breaches);
}

#[test]
fn there_is_one_path_to_each_item() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]) {
        for (line, text) in source.code() {
            if text.starts_with("pub use ") || text.starts_with("pub(crate) use ") {
                breaches.push(format!("{}:{line}: re-exports; name the item by the path where it lives", source.path));
            }
        }
    }
    check(&breaches);
}

#[test]
fn errors_are_handled_not_unwrapped() {
    let mut breaches = Vec::new();
    for source in sources(&["src"]) {
        for (line, text) in source.code() {
            if text.contains(".unwrap()") {
                breaches.push(format!(
                    "{}:{line}: unwraps; return an error, or use expect with the invariant that holds",
                    source.path
                ));
            }
        }
    }
    check(&breaches);
}

#[test]
fn unsafe_lives_in_kernels_and_says_why_it_is_sound() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "tests"]) {
        if source.path == "tests/architecture.rs" {
            continue;
        }
        for (idx, line) in source.lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            let opens = ["unsafe {", "unsafe fn", "unsafe impl", "unsafe extern", "unsafe("];
            if !opens.iter().any(|open| code.contains(open)) {
                continue;
            }
            if !source.path.starts_with("src/kernels/") {
                breaches.push(format!("{}:{}: unsafe outside src/kernels; move it there", source.path, idx + 1));
            }
            // The reason stands above the statement, which may have begun on a line before.
            let above = source.lines[..idx].iter().rev().map(|line| line.trim());
            let above = above.skip_while(|line| line.ends_with(['=', '(', ',', '|']));
            let mut reasons = above.take_while(|line| line.starts_with("//") || line.starts_with("#["));
            if !line.contains("// SAFETY:")
                && !reasons.any(|line| line.contains("SAFETY:") || line.contains("# Safety"))
            {
                breaches.push(format!(
                    "{}:{}: unsafe without a reason; put `// SAFETY:` with the condition and who guarantees it above it",
                    source.path,
                    idx + 1
                ));
            }
        }
    }
    check(&breaches);
}

#[test]
fn files_stay_readable() {
    let mut breaches = Vec::new();
    for source in sources(&["src", "tests", "examples"]) {
        let n_lines = source.lines.len();
        if n_lines > MAX_LINES {
            breaches.push(format!(
                "{}:{n_lines}: more than {MAX_LINES} lines; split it by idea, with {GOOD_LINES} as the aim",
                source.path
            ));
        } else if n_lines > GOOD_LINES {
            eprintln!("{} has {n_lines} lines, more than {GOOD_LINES}", source.path);
        }
        let name = source.path.rsplit('/').next().unwrap_or_default();
        if ["utils.rs", "util.rs", "helpers.rs", "common.rs", "misc.rs"].contains(&name) {
            breaches.push(format!("{}:1: the name says nothing; call the file by its one idea", source.path));
        }
        if source.path.starts_with("src/")
            && !source.is_test
            && !source.lines.first().is_some_and(|line| line.starts_with("//!"))
        {
            breaches.push(format!("{}:1: opens without `//!`; say first what the file is for", source.path));
        }
    }
    check(&breaches);
}
