//! Shapes on a pixel grid: the drawing primitives of the explanation.

use image::{RgbImage, RgbaImage};
use tiny_skia::{
    Color, FillRule, FilterQuality, Paint, Path, PathBuilder, Pattern, Pixmap, Rect, SpreadMode, Stroke, Transform,
};

/// A color with its opacity, not premultiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ink {
    pub red: u8,
    pub green: u8,
    pub blue: u8,
    pub alpha: u8,
}

impl Ink {
    pub const fn opaque(red: u8, green: u8, blue: u8) -> Self {
        Self { red, green, blue, alpha: 255 }
    }

    pub const fn with_alpha(self, alpha: u8) -> Self {
        Self { alpha, ..self }
    }

    fn color(self) -> Color {
        Color::from_rgba8(self.red, self.green, self.blue, self.alpha)
    }
}

/// A rectangle in pixels of the canvas.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Area {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

impl Area {
    pub fn right(self) -> f32 {
        self.x + self.width
    }

    pub fn bottom(self) -> f32 {
        self.y + self.height
    }

    /// The area with all edges moved inward.
    pub fn inset(self, by: f32) -> Self {
        Self { x: self.x + by, y: self.y + by, width: self.width - 2.0 * by, height: self.height - 2.0 * by }
    }

    pub fn overlaps(self, other: Self) -> bool {
        self.x < other.right() && other.x < self.right() && self.y < other.bottom() && other.y < self.bottom()
    }

    pub fn contains(self, other: Self) -> bool {
        other.x >= self.x && other.y >= self.y && other.right() <= self.right() && other.bottom() <= self.bottom()
    }
}

/// What is drawn on; opaque everywhere.
pub struct Canvas {
    pixmap: Pixmap,
}

impl Canvas {
    pub fn new(width: u32, height: u32, background: Ink) -> Self {
        let mut pixmap = Pixmap::new(width.max(1), height.max(1)).expect("a canvas has pixels and fits the memory");
        pixmap.fill(background.with_alpha(255).color());
        Self { pixmap }
    }

    /// The photo with softly rounded corners, its upper left corner at that of `place`.
    pub fn photo(&mut self, photo: &RgbImage, place: Area) {
        let mut source = Pixmap::new(photo.width(), photo.height()).expect("a photo has pixels");
        for (to, from) in source.data_mut().chunks_exact_mut(4).zip(photo.pixels()) {
            to.copy_from_slice(&[from.0[0], from.0[1], from.0[2], 255]);
        }
        let at = Transform::from_translate(place.x, place.y);
        let shader = Pattern::new(source.as_ref(), SpreadMode::Pad, FilterQuality::Nearest, 1.0, at);
        if let Some(path) = rounded(place, 10.0) {
            let paint = Paint { shader, anti_alias: true, ..Paint::default() };
            self.pixmap.fill_path(&path, &paint, FillRule::Winding, Transform::identity(), None);
        }
    }

    pub fn fill(&mut self, area: Area, radius: f32, ink: Ink) {
        if let Some(path) = rounded(area, radius) {
            self.pixmap.fill_path(&path, &paint(ink), FillRule::Winding, Transform::identity(), None);
        }
    }

    pub fn outline(&mut self, area: Area, radius: f32, thickness: f32, ink: Ink) {
        if let Some(path) = rounded(area, radius) {
            self.stroke(&path, thickness, ink);
        }
    }

    pub fn dot(&mut self, x: f32, y: f32, radius: f32, ink: Ink) {
        if let Some(path) = PathBuilder::from_circle(x, y, radius) {
            self.pixmap.fill_path(&path, &paint(ink), FillRule::Winding, Transform::identity(), None);
        }
    }

    /// An arrow to the right, `width` long, its shaft at height `y`.
    pub fn arrow(&mut self, x: f32, y: f32, width: f32, ink: Ink) {
        let mut builder = PathBuilder::new();
        builder.move_to(x, y);
        builder.line_to(x + width, y);
        builder.move_to(x + width - 4.5, y - 4.0);
        builder.line_to(x + width, y);
        builder.line_to(x + width - 4.5, y + 4.0);
        if let Some(path) = builder.finish() {
            self.stroke(&path, 1.5, ink);
        }
    }

    fn stroke(&mut self, path: &Path, thickness: f32, ink: Ink) {
        let stroke = Stroke { width: thickness, ..Stroke::default() };
        self.pixmap.stroke_path(path, &paint(ink), &stroke, Transform::identity(), None);
    }

    /// Lays a color over one pixel; `coverage` in `[0, 1]`. Outside the canvas nothing happens.
    pub fn blend(&mut self, x: i32, y: i32, ink: Ink, coverage: f32) {
        let (Ok(x), Ok(y)) = (usize::try_from(x), usize::try_from(y)) else { return };
        let (width, height) = (self.pixmap.width() as usize, self.pixmap.height() as usize);
        if x >= width || y >= height {
            return;
        }
        let share = coverage.clamp(0.0, 1.0) * f32::from(ink.alpha) / 255.0;
        let pixel = &mut self.pixmap.data_mut()[(y * width + x) * 4..][..3];
        for (value, over) in pixel.iter_mut().zip([ink.red, ink.green, ink.blue]) {
            *value = (f32::from(*value) + (f32::from(over) - f32::from(*value)) * share + 0.5) as u8;
        }
    }

    pub fn into_image(self) -> RgbaImage {
        let (width, height) = (self.pixmap.width(), self.pixmap.height());
        // The canvas is opaque, so premultiplied bytes are the bytes themselves.
        RgbaImage::from_raw(width, height, self.pixmap.take()).expect("a canvas has four bytes a pixel")
    }
}

fn paint(ink: Ink) -> Paint<'static> {
    let mut paint = Paint { anti_alias: true, ..Paint::default() };
    paint.set_color(ink.color());
    paint
}

/// A rectangle with rounded corners; `None` if it has no inside.
fn rounded(area: Area, radius: f32) -> Option<Path> {
    let rect = Rect::from_xywh(area.x, area.y, area.width, area.height)?;
    let radius = radius.min(area.width / 2.0).min(area.height / 2.0);
    // A cubic with this share of the radius as handle comes within 0.03 % of a quarter circle.
    let handle = radius * (1.0 - 0.552_284_8);
    let (left, top, right, bottom) = (rect.left(), rect.top(), rect.right(), rect.bottom());
    let mut builder = PathBuilder::new();
    builder.move_to(left + radius, top);
    builder.line_to(right - radius, top);
    builder.cubic_to(right - handle, top, right, top + handle, right, top + radius);
    builder.line_to(right, bottom - radius);
    builder.cubic_to(right, bottom - handle, right - handle, bottom, right - radius, bottom);
    builder.line_to(left + radius, bottom);
    builder.cubic_to(left + handle, bottom, left, bottom - handle, left, bottom - radius);
    builder.line_to(left, top + radius);
    builder.cubic_to(left, top + handle, left + handle, top, left + radius, top);
    builder.close();
    builder.finish()
}
