//! Charts as SVG, drawn for a width that a phone has: they are stretched on wider screens. Colors are plain in the file and
//! named by the page's style, so that one drawing fits light and dark.

use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::evaluation::bootstrap::Estimate;

/// Colors; the page changes them where the screen is dark.
pub(super) const TEXT: RGBColor = RGBColor(0x33, 0x33, 0x40);
pub(super) const GRID: RGBColor = RGBColor(0xD8, 0xD8, 0xE2);
pub(super) const BLUE: RGBColor = RGBColor(0x0B, 0x66, 0xA8);
pub(super) const ORANGE: RGBColor = RGBColor(0xB8, 0x4A, 0x0C);
pub(super) const GREEN: RGBColor = RGBColor(0x2F, 0x73, 0x2F);
pub(super) const PURPLE: RGBColor = RGBColor(0x7A, 0x35, 0xB0);

const WIDTH: u32 = 400;
const HEIGHT: u32 = 220;
const FONT: i32 = 16;
/// Room for the numbers at the left and for the dates below.
const LEFT: u32 = 52;
const BELOW: u32 = 24;
/// Height of a row and room for its label in a chart of rows.
const ROW: u32 = 26;
const LABEL: u32 = 132;
const MAX_LABEL_CHARS: usize = 17;

type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Fault = DrawingAreaErrorKind<std::io::Error>;

/// A chart could not be drawn.
#[derive(Debug, thiserror::Error)]
#[error("a chart cannot be drawn: {0}")]
pub struct ChartError(String);

impl From<Fault> for ChartError {
    fn from(fault: Fault) -> Self {
        Self(fault.to_string())
    }
}

/// A line over time; gaps where there is nothing.
pub(super) struct Line {
    pub(super) color: RGBColor,
    pub(super) points: Vec<Option<Estimate>>,
}

/// Lines over steps with these names; one or two have their intervals as bands, more would hide one another.
///
/// # Errors
/// The drawing library fails.
pub(super) fn lines(
    alt: &str,
    steps: &[String],
    lines: &[Line],
    number: fn(f64) -> String,
) -> Result<String, ChartError> {
    let highest =
        lines.iter().flat_map(|line| line.points.iter().flatten()).map(|point| point.high.min(point.value * 3.0));
    let highest = highest.fold(0.0, f64::max);
    drawn(alt, HEIGHT, |area| {
        over_steps(area, steps, highest, number, |chart| {
            for Line { color, points } in lines {
                for (first, run) in runs(points) {
                    let at = |idx: usize, y: f64| ((first + idx) as f64 + 0.5, y.min(highest * 1.05));
                    let upper = run.iter().enumerate().map(|(idx, point)| at(idx, point.high));
                    let lower = run.iter().enumerate().rev().map(|(idx, point)| at(idx, point.low));
                    let band: Vec<(f64, f64)> = upper.chain(lower).collect();
                    if lines.len() <= 2 {
                        chart.draw_series([Polygon::new(band, color.mix(0.16))])?;
                    }
                    let middle: Vec<(f64, f64)> =
                        run.iter().enumerate().map(|(idx, point)| at(idx, point.value)).collect();
                    if let [only] = middle[..] {
                        chart.draw_series([Circle::new(only, 3, color.filled())])?;
                    }
                    chart.draw_series([PathElement::new(middle, color.stroke_width(2))])?;
                }
            }
            Ok(())
        })
    })
}

/// A bar for each step.
///
/// # Errors
/// The drawing library fails.
pub(super) fn bars(alt: &str, steps: &[String], values: &[f64]) -> Result<String, ChartError> {
    let highest = values.iter().copied().fold(0.0, f64::max);
    drawn(alt, HEIGHT, |area| {
        over_steps(area, steps, highest, count, |chart| {
            let bar = |(idx, value): (usize, &f64)| {
                Rectangle::new([(idx as f64 + 0.12, 0.0), (idx as f64 + 0.88, *value)], BLUE.filled())
            };
            chart.draw_series(values.iter().enumerate().map(bar))?;
            Ok(())
        })
    })
}

/// Rows with one or more marked values each, from 0 to the largest.
///
/// # Errors
/// The drawing library fails.
pub(super) fn rows(
    alt: &str,
    rows: &[(String, Vec<(RGBColor, Estimate)>)],
    number: fn(f64) -> String,
) -> Result<String, ChartError> {
    let marks = || rows.iter().flat_map(|(_, marks)| marks);
    let largest = marks().map(|(_, mark)| mark.value).fold(0.0, f64::max);
    let reach = marks().map(|(_, mark)| mark.high.min(largest * 1.6)).fold(0.0, f64::max);
    let end = if reach > 0.0 { reach * 1.04 } else { 1.0 };
    drawn(alt, ROW * rows.len() as u32 + BELOW + 6, |area| {
        let mut chart = ChartBuilder::on(area)
            .margin_right(16)
            .margin_top(4)
            .x_label_area_size(BELOW)
            .y_label_area_size(LABEL)
            .build_cartesian_2d(0.0..end, 0.0..rows.len() as f64)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .y_labels(0)
            .x_labels(4)
            .x_label_formatter(&|value| number(*value))
            .light_line_style(TRANSPARENT)
            .bold_line_style(GRID)
            .axis_style(GRID)
            .x_label_style(label())
            .draw()?;
        let height = f64::from(ROW);
        for (idx, (name, marks)) in rows.iter().enumerate() {
            let middle = rows.len() as f64 - idx as f64 - 0.5;
            let style = label().pos(Pos::new(HPos::Right, VPos::Center));
            let y = 4 + (height * (idx as f64 + 0.5)) as i32;
            area.draw(&Text::new(shortened(name), (LABEL as i32 - 6, y), style))?;
            let n_marks = marks.len() as f64;
            for (mark_idx, (color, mark)) in marks.iter().enumerate() {
                let y = middle + (n_marks - 1.0 - 2.0 * mark_idx as f64) * 0.13;
                let (low, high) = (mark.low.min(end), mark.high.min(end));
                chart.draw_series([PathElement::new(vec![(low, y), (high, y)], color.mix(0.55).stroke_width(2))])?;
                chart.draw_series([Circle::new((mark.value, y), 4, color.filled())])?;
            }
        }
        Ok(())
    })
}

/// A number of things.
pub(super) fn count(value: f64) -> String {
    if value >= 10_000.0 { format!("{:.0}k", value / 1000.0) } else { format!("{value:.0}") }
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn over_steps<'b>(
    area: &Area<'b>,
    steps: &[String],
    highest: f64,
    number: fn(f64) -> String,
    draw: impl FnOnce(&mut Chart<'_, 'b>) -> Result<(), Fault>,
) -> Result<(), Fault> {
    let top = if highest > 0.0 { highest * 1.05 } else { 1.0 };
    let mut chart = ChartBuilder::on(area)
        .margin_right(10)
        .margin_top(10)
        .x_label_area_size(BELOW)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(0.0..steps.len().max(1) as f64, 0.0..top)?;
    chart
        .configure_mesh()
        .disable_x_mesh()
        .x_labels(0)
        .y_labels(4)
        .y_label_formatter(&|value| number(*value))
        .light_line_style(TRANSPARENT)
        .bold_line_style(GRID)
        .axis_style(GRID)
        .y_label_style(label())
        .draw()?;
    draw(&mut chart)?;
    // The first step, the last and one between: more names do not fit a phone.
    let (width, y) = (f64::from(WIDTH - LEFT - 10), (HEIGHT - BELOW + 12) as i32);
    let shown = [(0, HPos::Left), (steps.len() / 2, HPos::Center), (steps.len().saturating_sub(1), HPos::Right)];
    let n_shown = steps.len().min(3);
    for (idx, at) in if n_shown == 2 { [shown[0], shown[2], shown[2]] } else { shown }.into_iter().take(n_shown) {
        let place = match at {
            HPos::Left => 0.0,
            HPos::Right => 1.0,
            HPos::Center => (idx as f64 + 0.5) / steps.len() as f64,
        };
        let x = LEFT as i32 + (width * place) as i32;
        area.draw(&Text::new(steps[idx].clone(), (x, y), label().pos(Pos::new(at, VPos::Center))))?;
    }
    Ok(())
}

/// Stretches without a gap, with where each begins.
fn runs(points: &[Option<Estimate>]) -> Vec<(usize, Vec<Estimate>)> {
    let mut runs: Vec<(usize, Vec<Estimate>)> = Vec::new();
    let mut is_open = false;
    for (idx, point) in points.iter().enumerate() {
        match (point, runs.last_mut()) {
            (Some(point), Some((_, run))) if is_open => run.push(*point),
            (Some(point), _) => runs.push((idx, vec![*point])),
            (None, _) => {}
        }
        is_open = point.is_some();
    }
    runs
}

fn label() -> TextStyle<'static> {
    TextStyle::from(("sans-serif", FONT).into_font()).color(&TEXT)
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= MAX_LABEL_CHARS {
        return text.to_owned();
    }
    text.chars().take(MAX_LABEL_CHARS - 1).chain(['…']).collect()
}

/// An SVG element that says what it shows to those who cannot see it.
fn drawn(alt: &str, height: u32, draw: impl FnOnce(&Area<'_>) -> Result<(), Fault>) -> Result<String, ChartError> {
    let mut svg = String::new();
    {
        let area = SVGBackend::with_string(&mut svg, (WIDTH, height)).into_drawing_area();
        draw(&area)?;
        area.present()?;
    }
    let described = format!("<svg role=\"img\" aria-label=\"{}\" ", super::page::escaped(alt));
    Ok(svg.replacen("<svg ", &described, 1))
}
