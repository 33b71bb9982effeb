//! Why these songs, as a picture: the photo with the regions that spoke, their tags, and beside it each song with the
//! tags and the words they woke in it. Takes a photo and plain words and numbers; knows no model and no catalogue.

mod canvas;
mod labels;
mod panel;
mod text;
mod transliterate;

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, RgbImage, RgbaImage};

use crate::photo::resize;
use crate::tagger::regions::Region;
use canvas::{Area, Canvas, Ink};

/// A tag to draw, loudest first.
#[derive(Debug, Clone, PartialEq)]
pub struct Tag {
    /// The tag in the user's language.
    pub name: String,
    /// Probability in `[0, 1]`.
    pub prob: f32,
    /// Where it was loudest, as fractions of the upright photo.
    pub region: Region,
}

/// A suggested song, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct Song {
    /// Its title.
    pub title: String,
    /// Who sings it.
    pub artist: String,
    /// When it came out.
    pub year: Option<u16>,
    /// What speaks for it, heaviest first.
    pub evidence: Vec<Woken>,
}

/// A word of a song that a tag woke.
#[derive(Debug, Clone, PartialEq)]
pub struct Woken {
    /// Name of the tag as in [`Tag::name`]; any other name, such as a text hint, is drawn without a color.
    pub tag: String,
    /// The word.
    pub word: String,
}

/// Longer side of the drawn photo, in pixels.
pub const PHOTO_SIDE: u32 = 900;
/// Longer side of a photo that has less to show: enlarging further only shows blur.
const SMALL_PHOTO_SIDE: u32 = 640;
/// The photo's frame is never narrower or lower than this, so that labels find room around a sliver of a photo.
const MIN_FRAME: f32 = 240.0;
/// Photos wider than this have the songs below, not beside.
const PANORAMA: f32 = 2.2;
const MARGIN: f32 = 28.0;
const PANEL_WIDTH: f32 = 480.0;
const BACKGROUND: Ink = Ink::opaque(0x14, 0x16, 0x1c);

/// Colors of regions in the order in which they appear, apart in hue and all light enough for the dark ground.
const COLORS: [Ink; 14] = [
    Ink::opaque(0xff, 0xb0, 0x20),
    Ink::opaque(0x4c, 0xc9, 0xf0),
    Ink::opaque(0xff, 0x5d, 0x8f),
    Ink::opaque(0x7a, 0xe5, 0x82),
    Ink::opaque(0xb3, 0x92, 0xff),
    Ink::opaque(0xff, 0x8a, 0x5c),
    Ink::opaque(0x2d, 0xe2, 0xc5),
    Ink::opaque(0xff, 0xe6, 0x6d),
    Ink::opaque(0x90, 0xa8, 0xff),
    Ink::opaque(0xff, 0xa3, 0xd1),
    Ink::opaque(0xc6, 0xd3, 0x4a),
    Ink::opaque(0xe0, 0xc3, 0xfc),
    Ink::opaque(0x9b, 0xdf, 0xe8),
    Ink::opaque(0xf0, 0xc0, 0x90),
];

/// A tag with the color of its region; tags of one region share it.
struct Colored<'a> {
    tag: &'a Tag,
    color: Ink,
}

/// Draws the photo (upright; [`PHOTO_SIDE`] pixels are enough) with the regions of `tags`, and the songs with their
/// reasons. Any number of tags and songs will do, none included; text too long is shortened, and letters that the font
/// lacks are romanized where that has rules (kana, hangul) and left out where it has none. Never panics.
pub fn draw(photo: &RgbImage, tags: &[Tag], songs: &[Song]) -> RgbaImage {
    let colored = with_colors(tags);
    let shown = enlarged(photo);
    let (width, height) = (shown.width() as f32, shown.height() as f32);
    let (frame_width, frame_height) = (width.max(MIN_FRAME), height.max(MIN_FRAME));
    let is_wide = is_wide(width, height);
    let panel_width = if is_wide { frame_width } else { PANEL_WIDTH };
    let panel_height = panel::height(&colored, songs, panel_width);
    let (panel_x, panel_y, total_width, total_height) = if is_wide {
        let below = MARGIN + frame_height + MARGIN;
        (MARGIN, below, frame_width + 2.0 * MARGIN, below + panel_height + MARGIN)
    } else {
        let beside = MARGIN + frame_width + MARGIN;
        (beside, MARGIN, beside + panel_width + MARGIN, frame_height.max(panel_height) + 2.0 * MARGIN)
    };
    let mut canvas = Canvas::new(total_width.ceil() as u32, total_height.ceil() as u32, BACKGROUND);
    let frame = Area { x: MARGIN, y: MARGIN, width: frame_width, height: frame_height };
    let place = Area {
        x: (MARGIN + (frame_width - width) / 2.0).round(),
        y: (MARGIN + (frame_height - height) / 2.0).round(),
        width,
        height,
    };
    canvas.photo(&shown, place);
    labels::draw(&mut canvas, &colored, place, frame);
    panel::draw(
        &mut canvas,
        &colored,
        songs,
        Area { x: panel_x, y: panel_y, width: panel_width, height: panel_height },
    );
    canvas.into_image()
}

/// The bytes of a PNG file with what [`draw`] draws.
pub fn png(photo: &RgbImage, tags: &[Tag], songs: &[Song]) -> Vec<u8> {
    let drawn = DynamicImage::ImageRgba8(draw(photo, tags, songs)).into_rgb8();
    let mut file = Cursor::new(Vec::new());
    drawn.write_to(&mut file, ImageFormat::Png).expect("an RGB picture of sound size can be written to memory as PNG");
    file.into_inner()
}

/// Whether the songs stand below a photo of these sides, not beside it.
fn is_wide(width: f32, height: f32) -> bool {
    width > PANORAMA * height
}

/// The photo at the size in which it is drawn.
fn enlarged(photo: &RgbImage) -> RgbImage {
    let (width, height) = (photo.width().max(1), photo.height().max(1));
    if photo.is_empty() {
        return RgbImage::new(1, 1);
    }
    let longer = width.max(height);
    let least = if is_wide(width as f32, height as f32) { PHOTO_SIDE } else { SMALL_PHOTO_SIDE };
    // `clamp`, because rustc 1.95 (LLVM 22.1.2) compiles `if x < low { low } else { x.min(high) }` to `x.min(high)`.
    let wanted = longer.clamp(least, PHOTO_SIDE);
    let scale = f64::from(wanted) / f64::from(longer);
    let scaled = |side: u32| ((f64::from(side) * scale).round() as u32).max(1);
    resize::rgb(photo, scaled(width), scaled(height))
}

fn with_colors(tags: &[Tag]) -> Vec<Colored<'_>> {
    let mut regions: Vec<Region> = Vec::new();
    tags.iter()
        .map(|tag| {
            let idx = regions.iter().position(|region| *region == tag.region).unwrap_or_else(|| {
                regions.push(tag.region);
                regions.len() - 1
            });
            Colored { tag, color: COLORS[idx % COLORS.len()] }
        })
        .collect()
}

#[cfg(test)]
mod tests;
