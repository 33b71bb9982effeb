//! Command lines in the documents: each command and flag exists.

use std::fs;
use std::path::Path;

use super::program::run;

/// Lines of the fenced blocks of a document that call the program, without prompt and comment.
fn commands(document: &str) -> Vec<(usize, String)> {
    let mut commands = Vec::new();
    let mut is_fenced = false;
    for (idx, line) in document.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            is_fenced = !is_fenced;
            continue;
        }
        let line = line.trim().trim_start_matches("$ ");
        let line = line.split("  #").next().unwrap_or_default().split(" | ").next().unwrap_or_default();
        let call = line.strip_prefix("image2song ").or_else(|| {
            line.strip_prefix("cargo run --release").and_then(|rest| rest.split_once(" -- ")).map(|(_, call)| call)
        });
        if let (true, Some(call)) = (is_fenced, call) {
            commands.push((idx + 1, call.to_owned()));
        }
    }
    commands
}

/// Output of `image2song WORDS... --help`, or nothing if it is refused.
fn help_of(words: &[&str]) -> Option<String> {
    let answer = run(&words.iter().copied().chain(["--help"]).collect::<Vec<_>>());
    (answer.code == 0).then_some(answer.stdout)
}

#[test]
fn documented_commands_exist() {
    let mut breaches = Vec::new();
    let mut n_commands = 0;
    let documents = [
        "README.md",
        "docs/data-format.md",
        "docs/json.md",
        "docs/OPERATIONS.md",
        "docs/PRIVACY.md",
        "docs/TAGS.md",
        "docs/REPORT.md",
        "models/base/MODEL_CARD.md",
    ];
    for path in documents {
        let Ok(document) = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)) else { continue };
        for (line, call) in commands(&document) {
            n_commands += 1;
            let words: Vec<&str> = call.split_whitespace().collect();
            let is_tags_part =
                words[0] == "tags" && ["add", "remove", "background"].contains(words.get(1).unwrap_or(&""));
            let has_part = is_tags_part || ["catalog", "train", "eval", "model", "feedback"].contains(&words[0]);
            let command = &words[..if has_part { 2.min(words.len()) } else { 1 }];
            let Some(help) = help_of(command) else {
                breaches.push(format!("{path}:{line}: there is no command {command:?}; mend the document"));
                continue;
            };
            let flags = words.iter().filter(|word| word.starts_with("--")).map(|word| word.split('=').next().unwrap());
            for flag in flags.filter(|flag| !help.contains(*flag)) {
                let command = command.join(" ");
                breaches.push(format!("{path}:{line}: {command} has no flag {flag}; mend the document"));
            }
        }
    }
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
    assert!(n_commands >= 2, "README.md shows at least two commands, found {n_commands}");
}

/// Calls whose text is shown to people in a chat.
const SHOWN: [&str; 9] = [
    "Show::text(",
    "Styled::of(",
    ".label(",
    ".placeholder(",
    ".text(",
    ".bold(",
    ".italic(",
    ".answer_press(query, ",
    ".say(spot, ",
];

#[test]
fn what_people_in_chats_read_stands_in_the_locale_files() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut n_calls = 0;
    for folder in ["bots/discord/src", "bots/telegram/src"] {
        for entry in fs::read_dir(root.join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let text = fs::read_to_string(&path).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap();
            for (at, call) in SHOWN.iter().flat_map(|call| code.match_indices(call)) {
                n_calls += 1;
                let argument = code[at + call.len()..].trim_start().trim_start_matches("&format!(");
                let literal = argument.strip_prefix('"').map(|rest| rest.split('"').next().unwrap().replace("\\n", ""));
                let is_raw = literal.as_ref().is_some_and(|text| {
                    // What stands in braces is filled in.
                    text.split(['{', '}']).step_by(2).any(|part| part.chars().any(char::is_alphabetic))
                });
                assert!(!is_raw, "{}: {call}{literal:?}", path.display());
            }
        }
    }
    assert!(n_calls > 30, "{n_calls} calls found");
}
