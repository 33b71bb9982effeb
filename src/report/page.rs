//! A report as one HTML file that needs nothing else: no script, no font, no address. Made for a phone first.

use std::fmt::Write;

use super::build::{Bias, BiasRow, Grouping, Position, Report};
use super::chart::{self, BLUE, ChartError, GREEN, Line, ORANGE, PURPLE};
use super::kpi::{Kpi, Unit};
use super::wording;
use crate::evaluation::bootstrap::Estimate;

/// Columns of a group's table.
const GROUP_KPIS: [Kpi; 7] =
    [Kpi::Likes, Kpi::Dislikes, Kpi::Followed, Kpi::More, Kpi::Deleted, Kpi::Unsure, Kpi::SlowTime];
/// Rows of a bias chart; the table has all.
const MAX_CHART_ROWS: usize = 8;

/// The page.
///
/// # Errors
/// A chart cannot be drawn.
pub fn page(report: &Report) -> Result<String, ChartError> {
    let mut out = String::new();
    let title = format!("Feedback, {} to {}", report.period.from, report.period.to);
    let style = include_str!("page.css");
    put(
        &mut out,
        format_args!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"color-scheme\" content=\"light dark\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n\
         <title>{}</title>\n<style>\n{style}</style>\n</head>\n<body>\n<main>\n",
            escaped(&title)
        ),
    );
    head(&mut out, report);
    glance(&mut out, report);
    over_time(&mut out, report)?;
    for grouping in &report.groups {
        group_section(&mut out, grouping)?;
    }
    places(&mut out, &report.positions)?;
    exposure(&mut out, report)?;
    foot(&mut out, report);
    out.push_str("</main>\n</body>\n</html>\n");
    Ok(out)
}

/// Text as HTML and its attributes take it.
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c if c.is_control() => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

fn put(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("a string takes all text");
}

fn head(out: &mut String, report: &Report) {
    let log = &report.log;
    put(
        out,
        format_args!(
            "<header>\n<h1>Do the songs work?</h1>\n<p class=\"lead\">{} to {} ({} days, UTC): <b>{}</b> answers to <b>{}</b> \
         people, {} songs shown.</p>\n",
            report.period.from,
            report.period.to,
            report.period.n_days,
            wording::whole(log.n_answers as u64),
            wording::whole(log.n_people as u64),
            wording::whole(log.n_shown as u64),
        ),
    );
    out.push_str(
        "<p>Below each number stands its 95 % interval: where it would lie for nearly every other draw of people like \
         these. A change is called better or worse only if its whole interval says so.</p>\n</header>\n",
    );
}

fn glance(out: &mut String, report: &Report) {
    out.push_str("<section>\n<h2>At a glance</h2>\n<div class=\"cards\">\n");
    for (kpi, estimate) in report.kpis.iter() {
        let unit = kpi.unit();
        put(
            out,
            format_args!(
                "<div class=\"card\"><h3>{}</h3><p class=\"value\">{}</p><p class=\"range\">{}</p>",
                title_of(kpi),
                wording::value(unit, estimate.value),
                wording::interval(unit, estimate),
            ),
        );
        if let Some(change) = report.change.as_ref().and_then(|change| change.get(kpi)) {
            let (class, word) = match wording::is_better(kpi, change) {
                Some(true) => ("better", "better"),
                Some(false) => ("worse", "worse"),
                None => ("same", "against the period before"),
            };
            put(
                out,
                format_args!(
                    "<p class=\"{class}\">{} {word} <span class=\"range\">({} to {})</span></p>",
                    wording::signed(unit, change.value),
                    wording::signed(unit, change.low),
                    wording::signed(unit, change.high),
                ),
            );
        }
        put(out, format_args!("<p class=\"why\">{}</p></div>\n", kpi.sentence()));
    }
    out.push_str("</div>\n");
    if report.previous.is_none() {
        out.push_str(
            "<p>There are no answers in the equally long period before, so nothing is said about changes.</p>\n",
        );
    }
    out.push_str("</section>\n");
}

/// The title of a KPI as it begins a sentence.
fn title_of(kpi: Kpi) -> String {
    let title = kpi.title();
    title.chars().next().map(|first| first.to_uppercase().chain(title.chars().skip(1)).collect()).unwrap_or_default()
}

fn over_time(out: &mut String, report: &Report) -> Result<(), ChartError> {
    let trend = &report.trend;
    let span = match trend.n_days {
        1 => "day".to_owned(),
        7 => "week".to_owned(),
        n_days => format!("{n_days} days"),
    };
    put(out, format_args!("<section>\n<h2>Over time, by {span}</h2>\n<div class=\"charts\">\n"));
    let steps: Vec<String> = trend.steps.iter().map(|step| step.from[5..].to_owned()).collect();
    let n_answers: Vec<f64> = trend.steps.iter().map(|step| step.n_answers as f64).collect();
    let bars = chart::bars(&format!("Answers by {span}"), &steps, &n_answers)?;
    figure(out, &bars, "Answers", &[], "How many answers were given: where there are few, all else is unsure.");
    type Lines<'a> = &'a [(Kpi, plotters::style::RGBColor)];
    let charts: [(&str, &str, Lines<'_>); 3] = [
        ("Likes and dislikes per answer", "The band is the interval.", &[(Kpi::Likes, BLUE), (Kpi::Dislikes, ORANGE)]),
        (
            "What people did",
            "Share of the answers.",
            &[(Kpi::Followed, GREEN), (Kpi::More, BLUE), (Kpi::Deleted, ORANGE), (Kpi::Unsure, PURPLE)],
        ),
        (
            "Time to answer",
            "From question to answer: half of them, and all but one in twenty.",
            &[(Kpi::MedianTime, BLUE), (Kpi::SlowTime, ORANGE)],
        ),
    ];
    for (title, sentence, kpis) in charts {
        let line = |(kpi, color): &(Kpi, plotters::style::RGBColor)| Line {
            color: *color,
            points: trend.steps.iter().map(|step| step.kpis.get(*kpi)).collect(),
        };
        let lines: Vec<Line> = kpis.iter().map(line).collect();
        let number: fn(f64) -> String = match kpis[0].0.unit() {
            Unit::PerAnswer => |value| format!("{value:.1}"),
            Unit::Share => |value| format!("{:.0} %", value * 100.0),
            Unit::Ms => wording::milliseconds,
        };
        let alt = format!("{title} by {span}, {} to {}", report.period.from, report.period.to);
        let svg = chart::lines(&alt, &steps, &lines, number)?;
        let legend: Vec<(String, plotters::style::RGBColor)> =
            kpis.iter().map(|(kpi, color)| (kpi.title().to_owned(), *color)).collect();
        figure(out, &svg, title, &legend, sentence);
    }
    out.push_str("</div>\n</section>\n");
    Ok(())
}

fn figure(out: &mut String, svg: &str, title: &str, legend: &[(String, plotters::style::RGBColor)], sentence: &str) {
    put(out, format_args!("<figure>\n<figcaption><b>{}</b>", escaped(title)));
    for (name, color) in legend {
        let class = color_class(*color);
        put(out, format_args!(" <span class=\"key\"><i class=\"{class}\"></i>{}</span>", escaped(name)));
    }
    put(out, format_args!("<span class=\"says\">{}</span></figcaption>\n{svg}</figure>\n", escaped(sentence)));
}

fn color_class(color: plotters::style::RGBColor) -> &'static str {
    match color {
        BLUE => "blue",
        ORANGE => "orange",
        GREEN => "green",
        _ => "purple",
    }
}

fn group_section(out: &mut String, grouping: &Grouping) -> Result<(), ChartError> {
    let name = wording::grouping(grouping.by);
    put(out, format_args!("<section>\n<h2>By {name}</h2>\n"));
    if grouping.by == "community" {
        out.push_str("<p>A community is named by the first characters of its keyed hash; nobody can tell from it which one it is.</p>\n");
    }
    if grouping.groups.len() > 1 {
        let row = |kpi: Kpi, color| {
            grouping
                .groups
                .iter()
                .filter_map(move |group| Some((group.label.clone(), vec![(color, group.kpis.get(kpi)?)])))
        };
        let rows: Vec<_> = row(Kpi::Likes, BLUE).collect();
        let svg = chart::rows(&format!("Likes per answer by {name}"), &rows, |value| format!("{value:.2}"))?;
        out.push_str("<div class=\"charts\">\n");
        figure(out, &svg, "Likes per answer", &[], "Two whose lines are far apart really differ.");
        out.push_str("</div>\n");
    }
    let titles: Vec<String> = GROUP_KPIS.iter().map(|kpi| title_of(*kpi)).collect();
    begin_table(out, &title_case(name), &[&["Answers".to_owned(), "People".to_owned()], titles.as_slice()].concat());
    for group in &grouping.groups {
        let mut cells = vec![wording::whole(group.n_answers as u64), wording::whole(group.n_people as u64)];
        cells.extend(GROUP_KPIS.iter().map(|kpi| cell(kpi.unit(), group.kpis.get(*kpi))));
        table_row(out, &group.label, &cells);
    }
    end_table(out);
    out.push_str("</section>\n");
    Ok(())
}

fn title_case(text: &str) -> String {
    text.chars().next().map(|first| first.to_uppercase().chain(text.chars().skip(1)).collect()).unwrap_or_default()
}

/// A value with its interval below it.
fn cell(unit: Unit, estimate: Option<Estimate>) -> String {
    match estimate {
        Some(estimate) => format!(
            "{}<br><span class=\"range\">{}</span>",
            wording::value(unit, estimate.value),
            wording::interval(unit, estimate)
        ),
        None => "–".to_owned(),
    }
}

fn begin_table(out: &mut String, first: &str, columns: &[String]) {
    put(
        out,
        format_args!("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"Table by {first}\"><table>\n"),
    );
    put(out, format_args!("<thead><tr><th scope=\"col\">{}</th>", escaped(first)));
    for column in columns {
        put(out, format_args!("<th scope=\"col\">{}</th>", escaped(column)));
    }
    out.push_str("</tr></thead>\n<tbody>\n");
}

/// A row; the cells are HTML.
fn table_row(out: &mut String, label: &str, cells: &[String]) {
    put(out, format_args!("<tr><th scope=\"row\">{}</th>", escaped(label)));
    for cell in cells {
        put(out, format_args!("<td>{cell}</td>"));
    }
    out.push_str("</tr>\n");
}

fn end_table(out: &mut String) {
    out.push_str("</tbody></table></div>\n");
}

fn places(out: &mut String, positions: &[Position]) -> Result<(), ChartError> {
    if positions.is_empty() {
        return Ok(());
    }
    out.push_str(
        "<section>\n<h2>By place in the answer</h2>\n<p>Songs further down are liked less, in part because they fit less \
         and in part because they are looked at less.</p>\n<div class=\"charts\">\n",
    );
    let row = |place: &Position| {
        let marks = [(BLUE, place.liked), (ORANGE, place.disliked), (GREEN, place.followed)];
        let marks = marks.into_iter().filter_map(|(color, estimate)| Some((color, estimate?))).collect();
        (format!("place {}", place.position), marks)
    };
    let rows: Vec<_> = positions.iter().map(row).collect();
    let svg = chart::rows("Songs liked, disliked and listened to by place", &rows, wording::percent)?;
    let legend = [("liked".to_owned(), BLUE), ("disliked".to_owned(), ORANGE), ("link followed".to_owned(), GREEN)];
    figure(out, &svg, "What happens at each place", &legend, "Share of the songs shown there.");
    out.push_str("</div>\n");
    let columns = ["Shown", "Liked", "Disliked", "Link followed"].map(str::to_owned);
    begin_table(out, "Place", &columns);
    for place in positions {
        let share = |estimate| cell(Unit::Share, estimate);
        let cells =
            [wording::whole(place.n_shown as u64), share(place.liked), share(place.disliked), share(place.followed)];
        table_row(out, &place.position.to_string(), &cells);
    }
    end_table(out);
    out.push_str("</section>\n");
    Ok(())
}

fn exposure(out: &mut String, report: &Report) -> Result<(), ChartError> {
    let spread = &report.spread;
    put(
        out,
        format_args!(
            "<section>\n<h2>What is shown, and is it what is liked?</h2>\n<p>Of {} songs in the catalogue {} were shown. The \
         Gini coefficient of how often is {:.2} over all songs (0: all alike, 1: one song only)",
            wording::whole(spread.n_songs as u64),
            report.kpis.get(Kpi::Coverage).map_or_else(|| "none".to_owned(), |share| wording::percent(share.value)),
            spread.gini,
        ),
    );
    if let Some(share) = spread.top_artists {
        put(out, format_args!("; the ten artists shown most have {} of all places", wording::percent(share)));
    }
    out.push_str(
        ".</p>\n<p>Where the share of what is shown is far from the share of the catalogue, something is preferred or held \
         back; where the share of the likes is larger than the share of what is shown, people want more of it.</p>\n",
    );
    for bias in &report.bias {
        bias_part(out, bias)?;
    }
    out.push_str("</section>\n");
    Ok(())
}

fn bias_part(out: &mut String, bias: &Bias) -> Result<(), ChartError> {
    put(out, format_args!("<h3>By {}</h3>\n<div class=\"charts\">\n", bias.facet));
    let certain = |value: f64| Estimate { value, low: value, high: value };
    let row = |row: &BiasRow| {
        let marks = [(ORANGE, Some(certain(row.catalogue))), (BLUE, row.shown), (GREEN, row.likes)];
        let marks = marks.into_iter().filter_map(|(color, estimate)| Some((color, estimate?))).collect();
        (row.label.clone(), marks)
    };
    let is_named = |row: &&BiasRow| row.label != super::bias::OTHERS;
    let rows: Vec<_> = bias.rows.iter().filter(is_named).take(MAX_CHART_ROWS).map(row).collect();
    let svg = chart::rows(&format!("Shares by {}", bias.facet), &rows, wording::percent)?;
    let legend = [("catalogue".to_owned(), ORANGE), ("shown".to_owned(), BLUE), ("likes".to_owned(), GREEN)];
    figure(out, &svg, "Shares", &legend, "Of the songs in the catalogue, of the songs shown, of the likes.");
    out.push_str("</div>\n");
    let columns = ["Of catalogue", "Of shown", "Of likes", "Likes per time shown"].map(str::to_owned);
    begin_table(out, &title_case(bias.facet), &columns);
    for row in &bias.rows {
        let cells = [
            wording::percent(row.catalogue),
            cell(Unit::Share, row.shown),
            cell(Unit::Share, row.likes),
            cell(Unit::PerAnswer, row.likes_per_shown),
        ];
        table_row(out, &row.label, &cells);
    }
    end_table(out);
    Ok(())
}

fn foot(out: &mut String, report: &Report) {
    let (log, counted) = (&report.log, &report.counted);
    out.push_str("<section>\n<h2>What this is made from</h2>\n<ul>\n");
    for source in &log.sources {
        put(
            out,
            format_args!(
                "<li>{}, up to record {}</li>\n",
                escaped(&source.path),
                wording::whole(source.high_water_mark)
            ),
        );
    }
    put(out, format_args!("<li>{} answers of all times are kept.</li>\n", wording::whole(log.n_all_answers as u64)));
    if counted != &super::build::Counted::default() {
        put(
            out,
            format_args!(
                "<li>Beside all of the above, {} likes and {} dislikes of {} songs are counted without person, answer and \
             time, because their communities or people allow no more, or because they are older than what is kept. They \
             can be in no number above.</li>\n",
                wording::whole(counted.n_likes),
                wording::whole(counted.n_dislikes),
                wording::whole(counted.n_songs as u64),
            ),
        );
    }
    for (n, text) in [
        (log.n_unknown_songs as u64, "songs shown are not in this catalogue; they are in no table of shares."),
        (log.n_orphans as u64, "presses belong to answers that are not kept."),
        (log.n_damaged, "places of the journal are damaged and passed over; `image2song feedback verify` tells more."),
    ] {
        if n > 0 {
            put(out, format_args!("<li>{} {text}</li>\n", wording::whole(n)));
        }
    }
    out.push_str(
        "<li>Intervals are of 95 %. People, not answers, are what is drawn at random, since answers to one person resemble \
         each other: shares have Wilson's interval with the design effect of people, means the bootstrap over people, \
         times the interval between order statistics.</li>\n</ul>\n</section>\n",
    );
}
