//! Help, version, wrong usage.

use super::program::run;

const COMMANDS: [&[&str]; 22] = [
    &["suggest"],
    &["tags"],
    &["tags", "add"],
    &["tags", "remove"],
    &["tags", "background"],
    &["photos"],
    &["catalog", "build"],
    &["catalog", "info"],
    &["catalog", "search"],
    &["train", "tagger"],
    &["train", "matcher"],
    &["eval", "tagger"],
    &["eval", "matcher"],
    &["model", "check"],
    &["model", "seal"],
    &["feedback", "stats"],
    &["feedback", "export"],
    &["feedback", "import"],
    &["feedback", "verify"],
    &["promote"],
    &["rollback"],
    &["report"],
];

#[test]
fn every_command_has_help_with_two_examples() {
    for command in COMMANDS {
        let words: Vec<&str> = command.iter().copied().chain(["--help"]).collect();
        let help = run(&words).expect_code(0).stdout;
        let call = format!("  image2song {}", command.join(" "));
        assert!(help.matches(&call).count() >= 2, "{command:?} lacks two examples:\n{help}");
        assert!(help.lines().all(|line| line.chars().count() <= 160), "{command:?} has long lines:\n{help}");
    }
}

#[test]
fn the_top_level_shows_examples_and_every_command() {
    let help = run(&["--help"]).expect_code(0).stdout;
    for command in COMMANDS {
        assert!(help.contains(&format!("  {}", command[0])), "{help}");
    }
    assert!(help.contains("Examples:\n  image2song suggest "), "{help}");
    assert!(run::<&str>(&[]).expect_code(2).stderr.contains("Usage: image2song"));
}

#[test]
fn the_version_is_that_of_the_package() {
    let version = run(&["--version"]).expect_code(0).stdout;
    assert_eq!(version, format!("image2song {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_is_code_2_with_a_hint() {
    let cases: [(&[&str], &str); 8] = [
        (&["sugest", "a.jpg"], "suggest"),
        (&["suggest"], "<PHOTO>"),
        (&["suggest", "a.jpg", "--top", "0"], "1..=100"),
        (&["suggest", "a.jpg", "--devise", "cpu"], "--device"),
        (&["suggest", "a.jpg", "--device", "gpu"], "cuda:0"),
        (&["suggest", "-", "-"], "named twice"),
        (&["tags", "a.jpg", "--lang", "xx"], "possible values"),
        (&["photos", "Hello"], "--in"),
    ];
    for (words, hint) in cases {
        let answer = run(words).expect_code(2);
        assert!(answer.stderr.contains(hint), "{words:?}: {}", answer.stderr);
        assert_eq!(answer.stdout, "");
    }
}

#[test]
fn a_log_filter_that_cannot_be_read_is_said() {
    let answer = super::program::run_with(&["tags", "a.jpg"], b"", &[("IMAGE2SONG_LOG", "=/=")]).expect_code(2);
    assert!(answer.stderr.contains("IMAGE2SONG_LOG"), "{}", answer.stderr);
}
