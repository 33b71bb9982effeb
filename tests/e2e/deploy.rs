//! The operations files: what they name exists, and what they promise of the container holds.

use std::collections::BTreeSet;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;

fn read(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Names of metrics in a text.
fn metrics(text: &str) -> BTreeSet<String> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let names = text.match_indices("image2song_").filter(|(at, _)| !text[..*at].ends_with(is_name));
    names.map(|(at, _)| text[at..].chars().take_while(|c| is_name(*c)).collect()).collect()
}

#[test]
fn every_metric_of_dashboard_and_alerts_is_measured() {
    let source = read("src/telemetry/metrics.rs") + &read("src/telemetry/arms.rs");
    let dashboard: serde_json::Value = serde_json::from_str(&read("deploy/grafana.json")).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let targets = panels.iter().filter_map(|panel| panel["targets"].as_array()).flatten();
    let shown: String = targets.map(|target| target["expr"].as_str().unwrap().to_owned() + "\n").collect();
    let alerts = read("deploy/alerts.yml");
    let watched: String = alerts.lines().filter(|line| line.trim_start().starts_with("expr:")).collect();
    let (shown, watched) = (metrics(&shown), metrics(&watched));
    assert!(shown.len() > 8 && watched.len() > 4, "{shown:?} {watched:?}");
    for name in shown.union(&watched) {
        let base = ["_bucket", "_total", "_seconds"].iter().fold(name.as_str(), |name, end| name.trim_end_matches(end));
        let base = base.trim_start_matches("image2song_");
        let is_known = source.contains(&format!("(\"{base}\",")) || source.contains(&format!("\"image2song_{base}"));
        assert!(is_known, "nothing measures {name}");
    }
}

#[test]
fn both_images_run_without_root_and_ask_for_their_health() {
    let text = read("Dockerfile");
    let stages: Vec<&str> = text.split("\nFROM ").collect();
    let finals: Vec<&&str> = stages.iter().filter(|stage| stage.contains("ENTRYPOINT")).collect();
    assert_eq!(finals.len(), 2);
    assert!(finals[0].lines().next().unwrap().ends_with("AS cuda"));
    assert!(stages.last().unwrap().lines().next().unwrap().ends_with("AS cpu"), "a plain build gives the CPU image");
    for stage in finals {
        for line in ["USER 65532:65532", "VOLUME /data", "HEALTHCHECK ", "STOPSIGNAL SIGTERM"] {
            assert!(stage.contains(line), "{line} in {stage}");
        }
        let after_user = stage.split_once("USER ").unwrap().1;
        assert!(!after_user.contains("\nRUN ") && !after_user.contains("\nCOPY "), "nothing is changed as that user");
    }
    assert_eq!(
        text.matches("RUN deploy/stage.sh /stage").count(),
        2,
        "both are built by the script that needs no engine"
    );
    let compose = read("deploy/compose.yaml");
    for line in ["read_only: true", "cap_drop: [ALL]", "no-new-privileges:true", "\"127.0.0.1:8080:8080\""] {
        assert!(compose.contains(line), "{line}");
    }
}

#[test]
fn secrets_come_from_files() {
    for path in ["deploy/compose.yaml", "deploy/image2song.service"] {
        let text = read(path);
        for secret in
            ["DISCORD_TOKEN", "TELEGRAM_TOKEN", "IMAGE2SONG_API_KEY", "IMAGE2SONG_USER_KEY", "IMAGE2SONG_STORE_KEY"]
        {
            let n_files = text.matches(&format!("{secret}_FILE")).count();
            assert!(n_files > 0 && text.matches(secret).count() == n_files, "{path}: {secret}");
        }
    }
}

#[test]
fn settings_in_the_environment_exist() {
    let known = read("config/default.toml");
    for path in ["Dockerfile", "deploy/compose.yaml", "deploy/image2song.service"] {
        let text = read(path);
        let is_name = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
        let names = text.match_indices("IMAGE2SONG_").map(|(at, _)| text[at..].split(|c| !is_name(c)).next().unwrap());
        let settings: Vec<(&str, &str)> =
            names.filter_map(|name| name.strip_prefix("IMAGE2SONG_")?.split_once("__")).collect();
        assert!(!settings.is_empty(), "{path}");
        for (section, key) in settings {
            let (section, key) = (format!("[{}]", section.to_lowercase()), format!("\n{} = ", key.to_lowercase()));
            let rest = known.split_once(&section).unwrap_or_else(|| panic!("{path}: {section}")).1;
            let own = rest.split("\n[").next().unwrap();
            assert!(own.contains(&key), "{path}: {section} has no {key}");
        }
    }
}

/// Runs the health check against a server that answers once with these bytes, or hangs up.
fn check(answer: Option<&'static str>) -> bool {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let server = answer.map(|answer| {
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = Vec::new();
            let mut part = [0; 512];
            while !request.ends_with(b"\r\n\r\n") {
                let n = stream.read(&mut part).unwrap();
                assert!(n > 0, "the request ended early");
                request.extend_from_slice(&part[..n]);
            }
            stream.write_all(answer.as_bytes()).unwrap();
            String::from_utf8(request).unwrap()
        })
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/healthcheck.sh");
    let run = Command::new(script).env("IMAGE2SONG_HEALTH", &address).output().unwrap();
    if let Some(server) = server {
        assert!(server.join().unwrap().starts_with("GET /healthz HTTP/1.1\r\n"));
    }
    run.status.success()
}

#[cfg(unix)]
#[test]
fn the_health_check_tells_a_server_that_answers_from_one_that_does_not() {
    assert!(check(Some("HTTP/1.1 200 OK\r\n\r\nok\n")));
    assert!(!check(Some("HTTP/1.1 503 Service Unavailable\r\n\r\n")));
    assert!(!check(Some("")));
    assert!(!check(None));
}
