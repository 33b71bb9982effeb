//! Lines of text: which fonts have a letter, how wide a line is, where it must be cut, and its pixels.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, GlyphId, Point, ScaleFont};

use super::canvas::{Canvas, Ink};
use super::transliterate;

/// Fonts in the order in which a letter is looked for; the second has more symbols.
static FONTS: LazyLock<[FontRef<'static>; 2]> = LazyLock::new(|| {
    [epaint_default_fonts::UBUNTU_LIGHT, epaint_default_fonts::HACK_REGULAR]
        .map(|bytes| FontRef::try_from_slice(bytes).expect("the fonts that are compiled in are sound"))
});

const ELLIPSIS: char = '…';

/// How a line looks: height of a line in pixels, color, and how bold.
#[derive(Debug, Clone, Copy)]
pub struct Style {
    pub size: f32,
    pub ink: Ink,
    /// Pixels by which strokes are widened: the only font at hand is a light one.
    pub boldness: f32,
}

impl Style {
    pub const fn new(size: f32, ink: Ink) -> Self {
        Self { size, ink, boldness: 0.0 }
    }

    pub const fn bold(size: f32, ink: Ink) -> Self {
        Self { size, ink, boldness: 0.55 }
    }
}

/// The text as far as it can be drawn: one line, letters that no font has romanized or left out. `None` if no letter or
/// digit is left, or if only scraps of a word in another script would be.
pub fn drawable(text: &str) -> Option<String> {
    let has = |letter: char| font_of(letter).is_some();
    let spelled = transliterate::spell(text, &has);
    if spelled.n_lost > 0 && !text.chars().any(|letter| letter.is_alphanumeric() && has(letter)) {
        return None;
    }
    let words: Vec<&str> = spelled.text.split_whitespace().collect();
    let line = words.join(" ");
    line.chars().any(char::is_alphanumeric).then_some(line)
}

/// The text shortened with an ellipsis so that it is at most `max_width` pixels wide; empty if not even that fits.
pub fn fitted(text: &str, style: Style, max_width: f32) -> String {
    if width(text, style) <= max_width {
        return text.to_owned();
    }
    let mut kept: Vec<char> = text.chars().collect();
    while kept.pop().is_some() {
        while kept.last().is_some_and(|last| last.is_whitespace() || matches!(last, ',' | '(' | '-')) {
            kept.pop();
        }
        let shortened: String = kept.iter().chain([&ELLIPSIS]).collect();
        if width(&shortened, style) <= max_width {
            return shortened;
        }
    }
    String::new()
}

/// Width of a line in pixels.
pub fn width(text: &str, style: Style) -> f32 {
    let end = glyphs(text, style.size).last().map_or(0.0, |glyph| glyph.end);
    if end > 0.0 { end + style.boldness } else { 0.0 }
}

/// Draws a line whose upper left corner is at `x`, `y`; returns its width.
pub fn draw(canvas: &mut Canvas, text: &str, x: f32, y: f32, style: Style) -> f32 {
    let baseline = (y + FONTS[0].as_scaled(style.size).ascent()).round();
    for glyph in glyphs(text, style.size) {
        let font = &FONTS[glyph.font_idx];
        let at = Point { x: x + glyph.start, y: baseline };
        let Some(outline) = font.outline_glyph(glyph.id.with_scale_and_position(style.size, at)) else { continue };
        let bounds = outline.px_bounds();
        let (left, top) = (bounds.min.x as i32, bounds.min.y as i32);
        let (columns, rows) = (bounds.width().ceil() as usize, bounds.height().ceil() as usize);
        let mut coverage = vec![0.0f32; (columns + 1) * rows];
        outline.draw(|column, row, share| {
            let at = row as usize * (columns + 1) + column as usize;
            if let Some(value) = coverage.get_mut(at) {
                *value = share;
            }
        });
        for row in coverage.chunks_exact(columns + 1).enumerate() {
            for column in 0..=columns {
                // Bolder: each pixel takes a share of its left neighbor.
                let before = if column > 0 { row.1[column - 1] } else { 0.0 };
                let share = (row.1[column] + before * style.boldness).min(1.0);
                if share > 0.0 {
                    canvas.blend(left + column as i32, top + row.0 as i32, style.ink, share);
                }
            }
        }
    }
    width(text, style)
}

struct Placed {
    font_idx: usize,
    id: GlyphId,
    start: f32,
    end: f32,
}

fn font_of(letter: char) -> Option<usize> {
    FONTS.iter().position(|font| font.glyph_id(letter).0 != 0)
}

/// The letters of a line with their places; letters that no font has are left out.
fn glyphs(text: &str, size: f32) -> Vec<Placed> {
    let mut placed: Vec<Placed> = Vec::new();
    let mut at = 0.0;
    for letter in text.chars().filter(|letter| !letter.is_control()) {
        let Some(font_idx) = font_of(letter) else { continue };
        let font = FONTS[font_idx].as_scaled(size);
        let id = font.glyph_id(letter);
        if let Some(last) = placed.last().filter(|last| last.font_idx == font_idx) {
            at += font.kern(last.id, id);
        }
        let end = at + font.h_advance(id);
        placed.push(Placed { font_idx, id, start: at, end });
        at = end;
    }
    placed
}
