//! A report for the terminal, in tables that fit 80 columns.

use std::fmt::Write;

use anstyle::{AnsiColor, Color, Style};
use console::{measure_text_width, truncate_str};

use crate::evaluation::bootstrap::Estimate;
use crate::report::build::{Bias, Counted, Grouping, Report};
use crate::report::kpi::{Kpi, Unit};
use crate::report::wording::{self, percent, whole};

use super::terminal::Terminal;

const TITLE: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const BETTER: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Green)));
const WORSE: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));

/// Columns of the first cell of each row.
const LABEL_WIDTH: usize = 20;
/// Steps that are shown; the page and JSON have all.
const MAX_STEPS: usize = 14;
/// Rows of a bias table that are shown.
const MAX_BIAS_ROWS: usize = 8;

/// Writes reports for a terminal.
pub struct ReportTable {
    is_styled: bool,
    out: String,
}

impl ReportTable {
    /// For a terminal with these abilities.
    pub fn new(terminal: Terminal) -> Self {
        Self { is_styled: terminal.is_styled, out: String::new() }
    }

    /// The report as text.
    pub fn text(mut self, report: &Report) -> String {
        self.head(report);
        if !report.is_empty() {
            self.glance(report);
            self.trend(report);
            report.groups.iter().for_each(|grouping| self.grouping(grouping));
            self.positions(report);
            report.bias.iter().for_each(|bias| self.bias(bias));
            self.spread(report);
        }
        self.notes(report);
        self.out
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text.trim_end());
        self.out.push('\n');
    }

    fn title(&mut self, text: &str) {
        let styled = self.styled(TITLE, text);
        self.line("");
        self.line(&styled);
    }

    fn head(&mut self, report: &Report) {
        let (period, log) = (&report.period, &report.log);
        let title = format!("Feedback, {} to {} ({} days, UTC)", period.from, period.to, period.n_days);
        let styled = self.styled(TITLE, &title);
        self.line(&styled);
        if report.is_empty() {
            self.line(match (log.n_all_answers, report.counted == Counted::default()) {
                (0, true) => {
                    "Nothing is in this log yet. `image2song serve` fills it once a community\nturns feedback on; come back then."
                }
                (0, false) => "This log holds counts only, so there is little to tell yet.",
                _ => "There is no answer in this period; --since all shows everything.",
            });
            return;
        }
        let (n_answers, n_people) = (log.n_answers as u64, log.n_people as u64);
        self.line(&format!(
            "{} answers to {} people, {} songs shown.",
            whole(n_answers),
            whole(n_people),
            whole(log.n_shown as u64)
        ));
    }

    fn glance(&mut self, report: &Report) {
        let head = if report.change.is_some() { "change to the period before" } else { "" };
        self.title(&format!("{:<LABEL_WIDTH$} {:>7}  {:<19} {head}", "", "value", "95 % interval"));
        for (kpi, estimate) in report.kpis.iter() {
            let unit = kpi.unit();
            let change = report.change.as_ref().and_then(|change| change.get(kpi));
            let change = change.map_or_else(String::new, |change| {
                let [value, low, high] = [change.value, change.low, change.high].map(|x| wording::signed(unit, x));
                let text = format!("{value} ({low} to {high})");
                match wording::is_better(kpi, change) {
                    Some(true) => self.styled(BETTER, &text),
                    Some(false) => self.styled(WORSE, &text),
                    None => text,
                }
            });
            self.line(&format!(
                "{:<LABEL_WIDTH$} {:>7}  {:<19} {change}",
                kpi.title(),
                wording::value(unit, estimate.value),
                wording::interval(unit, estimate),
            ));
        }
    }

    fn trend(&mut self, report: &Report) {
        let trend = &report.trend;
        let n_left_out = trend.steps.len().saturating_sub(MAX_STEPS);
        let span = match trend.n_days {
            1 => "day".to_owned(),
            7 => "week".to_owned(),
            n_days => format!("{n_days} days"),
        };
        let last = if n_left_out > 0 { format!(", the last {MAX_STEPS}") } else { String::new() };
        self.columns(&format!("by {span}{last}"));
        for step in &trend.steps[n_left_out..] {
            self.kpi_row(&step.from, step.n_answers, |kpi| step.kpis.get(kpi));
        }
    }

    fn grouping(&mut self, grouping: &Grouping) {
        self.columns(&format!("by {}", wording::grouping(grouping.by)));
        for group in &grouping.groups {
            self.kpi_row(&group.label, group.n_answers, |kpi| group.kpis.get(kpi));
        }
    }

    fn columns(&mut self, title: &str) {
        self.title(&format!(
            "{:<LABEL_WIDTH$} {:>8}  {:<19} {:>6} {:>6} {:>6} {:>7}",
            title, "answers", "likes per answer", "links", "more", "unsure", "95 % in"
        ));
    }

    fn kpi_row(&mut self, label: &str, n_answers: usize, get: impl Fn(Kpi) -> Option<Estimate>) {
        let short = |kpi: Kpi| get(kpi).map_or_else(|| "–".to_owned(), |found| wording::value(kpi.unit(), found.value));
        let likes = get(Kpi::Likes).map_or_else(
            || "–".to_owned(),
            |found| format!("{:.2} ({:.2} to {:.2})", found.value, found.low, found.high),
        );
        self.line(&format!(
            "{} {:>8}  {:<19} {:>6} {:>6} {:>6} {:>7}",
            cut(label),
            whole(n_answers as u64),
            likes,
            short(Kpi::Followed),
            short(Kpi::More),
            short(Kpi::Unsure),
            short(Kpi::SlowTime),
        ));
    }

    fn positions(&mut self, report: &Report) {
        let title =
            format!("{:<LABEL_WIDTH$} {:>8}  {:<23} {:>8} {:>8}", "by place", "shown", "liked", "disliked", "links");
        self.title(&title);
        for place in &report.positions {
            let short = |found: Option<Estimate>| found.map_or_else(|| "–".to_owned(), |found| percent(found.value));
            self.line(&format!(
                "{:<LABEL_WIDTH$} {:>8}  {:<23} {:>8} {:>8}",
                place.position,
                whole(place.n_shown as u64),
                shares(place.liked),
                short(place.disliked),
                short(place.followed),
            ));
        }
    }

    fn bias(&mut self, bias: &Bias) {
        let title = format!(
            "{:<LABEL_WIDTH$} {:>9}  {:<22} {:<22}",
            format!("by {}", bias.facet),
            "catalogue",
            "shown",
            "likes"
        );
        self.title(&title);
        for row in bias.rows.iter().take(MAX_BIAS_ROWS) {
            self.line(&format!(
                "{} {:>9}  {:<22} {:<22}",
                cut(&row.label),
                percent(row.catalogue),
                shares(row.shown),
                shares(row.likes)
            ));
        }
        let n_left_out = bias.n_labels.saturating_sub(MAX_BIAS_ROWS);
        if n_left_out > 0 {
            let text = format!("and {} more", whole(n_left_out as u64));
            let styled = self.styled(QUIET, &text);
            self.line(&styled);
        }
    }

    fn spread(&mut self, report: &Report) {
        let spread = &report.spread;
        self.line("");
        self.line(&format!(
            "The Gini coefficient of how often the {} songs are shown is {:.2} (0: all",
            whole(spread.n_songs as u64),
            spread.gini
        ));
        self.line(&match spread.top_artists {
            Some(share) => format!("alike); the ten artists shown most have {} of all places.", percent(share)),
            None => "alike).".to_owned(),
        });
    }

    fn notes(&mut self, report: &Report) {
        let (log, counted) = (&report.log, &report.counted);
        let mut notes = Vec::new();
        if *counted != Counted::default() {
            notes.push(format!(
                "Counted apart, without person, answer and time: {} likes and {} dislikes\nof {} songs. They can be in no number above.",
                whole(counted.n_likes),
                whole(counted.n_dislikes),
                whole(counted.n_songs as u64)
            ));
        }
        if log.n_unknown_songs > 0 {
            let n = whole(log.n_unknown_songs as u64);
            notes.push(format!("{n} songs shown are not in this catalogue, and in no table of shares."));
        }
        if log.n_orphans > 0 {
            notes.push(format!("{} presses belong to answers that are not kept.", whole(log.n_orphans as u64)));
        }
        if log.n_damaged > 0 {
            let n = whole(log.n_damaged);
            notes.push(format!("{n} places of the journal are damaged; see `feedback verify`."));
        }
        if !notes.is_empty() {
            self.line("");
            notes.iter().for_each(|note| self.line(note));
        }
    }

    fn styled(&self, style: Style, text: &str) -> String {
        let mut out = String::new();
        match self.is_styled && !text.is_empty() {
            true => write!(out, "{style}{text}{style:#}").expect("a string takes all text"),
            false => out.push_str(text),
        }
        out
    }
}

fn shares(found: Option<Estimate>) -> String {
    let bare = |value: f64| percent(value).trim_end_matches(" %").to_owned();
    found.map_or_else(
        || "–".to_owned(),
        |found| format!("{} ({} to {})", wording::value(Unit::Share, found.value), bare(found.low), bare(found.high)),
    )
}

/// A label in just its columns, without what could steer the terminal.
fn cut(label: &str) -> String {
    let printable: String = label.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let short = truncate_str(&printable, LABEL_WIDTH, "…").into_owned();
    let gap = LABEL_WIDTH.saturating_sub(measure_text_width(&short));
    short + &" ".repeat(gap)
}
