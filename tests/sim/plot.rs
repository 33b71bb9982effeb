//! The picture of the document: gains by log size, likes over rounds.

use std::fmt::Write;
use std::fs;
use std::path::Path;

const WIDTH: f64 = 420.0;
const HEIGHT: f64 = 240.0;
const MARGIN: f64 = 48.0;

/// What is drawn.
#[derive(Default)]
pub struct Drawing {
    /// Likes in the log, then least, mean and largest gain.
    pub sizes: Vec<(f64, f64, f64, f64)>,
    /// Round, likes an answer with the loop off and on.
    pub rounds: Vec<(f64, f64, f64)>,
}

/// A panel with its scales.
struct Panel {
    left: f64,
    x: (f64, f64),
    y: (f64, f64),
}

impl Panel {
    fn at(&self, x: f64, y: f64) -> (f64, f64) {
        let part = |value: f64, (low, high): (f64, f64)| (value - low) / (high - low);
        (self.left + MARGIN + part(x, self.x) * WIDTH, MARGIN + (1.0 - part(y, self.y)) * HEIGHT)
    }

    fn line(&self, points: impl Iterator<Item = (f64, f64)>, color: &str, svg: &mut String) {
        let text: Vec<String> = points.map(|(x, y)| self.at(x, y)).map(|(x, y)| format!("{x:.1},{y:.1}")).collect();
        let _ =
            writeln!(svg, r#"<polyline points="{}" fill="none" stroke="{color}" stroke-width="2"/>"#, text.join(" "));
    }

    fn label(&self, (x, y): (f64, f64), text: &str, svg: &mut String) {
        let _ = writeln!(svg, r#"<text x="{x:.1}" y="{y:.1}" text-anchor="middle">{text}</text>"#);
    }

    fn frame(&self, title: &str, svg: &mut String) {
        let (x, y) = (self.left + MARGIN, MARGIN);
        let _ =
            writeln!(svg, r##"<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>"##);
        self.label((x + WIDTH / 2.0, MARGIN - 12.0), title, svg);
    }
}

impl Drawing {
    /// Writes `docs/simulation.svg`.
    pub fn write(&self) {
        let mut svg = format!(
            r#"<svg xmlns="http://www.w3.org/2000/svg" width="{}" height="{}" font-family="sans-serif" font-size="12">"#,
            2.0 * (WIDTH + 2.0 * MARGIN),
            HEIGHT + 2.0 * MARGIN
        );
        svg.push('\n');
        let _ = writeln!(svg, r#"<rect width="100%" height="100%" fill="white"/>"#);
        self.draw_sizes(&mut svg);
        self.draw_rounds(&mut svg);
        svg.push_str("</svg>\n");
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/simulation.svg");
        fs::write(&path, svg).expect("the documents' folder can be written");
        println!("\nwritten to {}", path.display());
    }

    fn draw_sizes(&self, svg: &mut String) {
        let top = self.sizes.iter().map(|size| size.3).fold(0.3, f64::max);
        let ends = (self.sizes[0].0.ln(), self.sizes[self.sizes.len() - 1].0.ln());
        let panel = Panel { left: 0.0, x: ends, y: (-0.05, top) };
        panel.frame("gain in likes by likes in the log (least, mean, largest)", svg);
        for level in [0.0, 0.25] {
            panel.line([(ends.0, level), (ends.1, level)].into_iter(), "#ccc", svg);
            let (_, y) = panel.at(0.0, level);
            panel.label((MARGIN - 20.0, y + 4.0), &format!("{:+.0} %", 100.0 * level), svg);
        }
        panel.line(self.sizes.iter().map(|size| (size.0.ln(), size.1)), "#9ecae1", svg);
        panel.line(self.sizes.iter().map(|size| (size.0.ln(), size.3)), "#9ecae1", svg);
        panel.line(self.sizes.iter().map(|size| (size.0.ln(), size.2)), "#08519c", svg);
        for (n, ..) in &self.sizes {
            let (x, _) = panel.at(n.ln(), 0.0);
            panel.label((x, MARGIN + HEIGHT + 16.0), &format!("{n}"), svg);
        }
    }

    fn draw_rounds(&self, svg: &mut String) {
        let top = self.rounds.iter().map(|round| round.1.max(round.2)).fold(0.0, f64::max) * 1.1;
        let panel = Panel { left: WIDTH + 2.0 * MARGIN, x: (0.0, (self.rounds.len() - 1) as f64), y: (0.0, top) };
        panel.frame("likes an answer by round (loop on: dark, off: gray)", svg);
        panel.line(self.rounds.iter().map(|round| (round.0, round.1)), "#888", svg);
        panel.line(self.rounds.iter().map(|round| (round.0, round.2)), "#08519c", svg);
        for (round, ..) in &self.rounds {
            let (x, _) = panel.at(*round, 0.0);
            panel.label((x, MARGIN + HEIGHT + 16.0), &format!("{round}"), svg);
        }
        for level in [0.0, top / 2.0, top] {
            let (x, y) = panel.at(0.0, level);
            panel.label((x - 22.0, y + 4.0), &format!("{level:.2}"), svg);
        }
    }
}
