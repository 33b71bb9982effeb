use std::fs;
use std::path::PathBuf;

use super::build::{Period, Report};
use super::kpi::Kpi;
use super::page::page;
use super::samples::{UNTIL_MS, archive, facets, world};
use crate::feedback::archive::Archive;
use crate::feedback::event::UnixMs;

const MONTH: Period = Period { n_days: Some(30), until: UnixMs(UNTIL_MS) };
const ALL: Period = Period { n_days: None, until: UnixMs(UNTIL_MS) };

fn json(report: &Report) -> serde_json::Value {
    serde_json::to_value(report).unwrap()
}

#[test]
fn shares_sum_to_one() {
    let dir = tempfile::tempdir().unwrap();
    for (seed, n_answers) in [(1, 30), (2, 300), (3, 3000)] {
        let report = Report::new(&archive(dir.path(), &world(seed, n_answers)), &facets(), MONTH);
        assert_eq!(report.bias.len(), 4);
        for bias in &report.bias {
            let sum = |share: &dyn Fn(&super::build::BiasRow) -> f64| bias.rows.iter().map(share).sum::<f64>();
            for sum in
                [sum(&|row| row.catalogue), sum(&|row| row.shown.unwrap().value), sum(&|row| row.likes.unwrap().value)]
            {
                assert!((sum - 1.0).abs() < 2e-3, "{} {sum}", bias.facet);
            }
        }
        for grouping in &report.groups {
            let sum: usize = grouping.groups.iter().map(|group| group.n_answers).sum();
            assert_eq!(sum, report.log.n_answers, "{}", grouping.by);
        }
        let in_steps: usize = report.trend.steps.iter().map(|step| step.n_answers).sum();
        assert_eq!((in_steps, report.trend.steps.len()), (report.log.n_answers, 30));
        assert_eq!(report.log.n_answers + report.log.n_previous, n_answers);
    }
}

#[test]
fn sources_may_come_in_any_order_and_twice() {
    let dir = tempfile::tempdir().unwrap();
    let (whole, other) = (archive(dir.path(), &world(1, 200)), archive(dir.path(), &world(2, 100)));
    assert_eq!((whole.len(), other.len()), (200, 100));
    let paths = ["world-1.jsonl", "world-2.jsonl", "world-1.jsonl"].map(|name| dir.path().join(name)).to_vec();
    let read = |paths: &[PathBuf]| json(&Report::new(&Archive::read(paths, None).unwrap(), &facets(), ALL));
    let mut backward = paths.clone();
    backward.reverse();
    let forward = read(&paths[..2]);
    assert_eq!(forward["log"]["n_answers"], 300);
    assert_eq!(read(&[paths[1].clone(), paths[0].clone()]), forward);
    let mut twice = read(&backward);
    twice["log"]["sources"] = forward["log"]["sources"].clone();
    assert_eq!(twice, forward);
}

#[test]
fn the_numbers_are_those_that_were_counted_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    let report = Report::new(&archive(dir.path(), &world(4, 2000)), &facets(), ALL);
    let text = fs::read_to_string(dir.path().join("world-4.jsonl")).unwrap();
    let n = |part: &str| text.matches(part).count() as f64;
    let close = |kpi: Kpi, expected: f64| {
        let found = report.kpis.get(kpi).unwrap();
        assert!((found.value - expected).abs() < 1e-9, "{kpi:?} {found:?} {expected}");
        assert!(found.low < found.value && found.value < found.high, "{kpi:?} {found:?}");
    };
    close(Kpi::Likes, (n("\"kind\":\"up\"") - n("\"kind\":\"retracted\"")) / 2000.0);
    close(Kpi::Dislikes, n("\"kind\":\"down\"") / 2000.0);
    close(Kpi::More, n("\"kind\":\"more\"") / 2000.0);
    close(Kpi::Deleted, n("\"kind\":\"delete\"") / 2000.0);
    close(Kpi::Unsure, n("\"is_sure\":false") / 2000.0);
    assert!(report.previous.is_none() && report.change.is_none());
    let liked: Vec<f64> = report.positions.iter().map(|place| place.liked.unwrap().value).collect();
    assert!(liked.windows(2).all(|pair| pair[0] > pair[1]), "{liked:?}");
}

#[test]
fn a_retracted_like_is_none() {
    let dir = tempfile::tempdir().unwrap();
    archive(dir.path(), &world(5, 300));
    let path = dir.path().join("world-5.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    let likes = |text: &str| {
        fs::write(&path, text).unwrap();
        let archive = Archive::read(std::slice::from_ref(&path), None).unwrap();
        Report::new(&archive, &facets(), ALL).kpis.get(Kpi::Likes).unwrap().value * 300.0
    };
    let before = likes(&text);
    let about = |line: &str| {
        let (_, rest) = line.split_once("\"impression\"").unwrap();
        rest.split_once("\"kind\"").unwrap().0.to_owned()
    };
    let of_kind = |kind: &str| text.lines().filter(move |line| line.contains(kind)).collect::<Vec<_>>();
    let taken_back: Vec<String> = of_kind("\"kind\":\"retracted\"").into_iter().map(about).collect();
    let like = of_kind("\"kind\":\"up\"").into_iter().find(|line| !taken_back.contains(&about(line))).unwrap();
    // The same person takes it back later: another event, one more line.
    let id = like.split('"').nth(5).unwrap();
    let back = like.replace(id, &format!("{}a", "b".repeat(25)));
    let back = back.replace("\"up\"", "\"retracted\"").replace("\"order\":0", "\"order\":9");
    let n_lines: usize = text.lines().count() - 1;
    let end = |n: usize| format!("{{\"end\":{{\"n_lines\":{n}}}}}");
    let after = text.replace(&end(n_lines), &format!("{back}\n{}", end(n_lines + 1)));
    assert!((before - likes(&after) - 1.0).abs() < 1e-6);
}

#[test]
fn the_better_model_is_seen_and_an_empty_log_says_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let report = Report::new(&archive(dir.path(), &world(6, 6000)), &facets(), MONTH);
    let models = &report.groups[0].groups;
    let likes = |label: &str| {
        models.iter().find(|group| group.label == label).and_then(|group| group.kpis.get(Kpi::Likes)).unwrap()
    };
    assert!(likes("0.2.0+t20261101").low > likes("0.2.0").high);
    assert_eq!(models.len(), 2);
    let nothing = Archive::read(&[], None).unwrap();
    let report = Report::new(&nothing, &facets(), MONTH);
    assert!(report.is_empty() && report.kpis.iter().count() == 0);
    assert!(page(&report).unwrap().contains("<b>0</b> answers"));
}

#[test]
fn the_page_needs_nothing_else_and_names_are_only_text() {
    let dir = tempfile::tempdir().unwrap();
    let report = Report::new(&archive(dir.path(), &world(7, 3000)), &facets(), MONTH);
    let page = page(&report).unwrap();
    if let Some(path) = std::env::var_os("IMAGE2SONG_WRITE_REPORT") {
        fs::write(path, &page).unwrap();
    }
    for foreign in ["<script", "src=", "href=", "url(", "@import", "<link", "Artist & <"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    let addresses = page.matches("http").count() - page.matches("http-equiv").count();
    assert_eq!(addresses, page.matches("xmlns=\"http://www.w3.org/2000/svg\"").count());
    assert!(page.contains("Artist &amp; &lt;"));
    assert!(page.contains("name=\"viewport\"") && page.contains("prefers-color-scheme: dark"));
    let n_charts = page.matches("<svg ").count();
    assert!(n_charts >= 12, "{n_charts}");
    assert_eq!(page.matches("<svg role=\"img\" aria-label=\"").count(), n_charts);
    assert_eq!(page.matches("<table>").count(), page.matches("class=\"scroll\"").count());
    for tag in ["section", "figure", "table", "div", "svg", "p", "li"] {
        let opened = page.matches(&format!("<{tag}>")).count() + page.matches(&format!("<{tag} ")).count();
        assert_eq!(opened, page.matches(&format!("</{tag}>")).count(), "{tag}");
    }
}
