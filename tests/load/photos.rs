//! Photos to ask with: the fixtures, changed in a few pixels each, and marked so that no two files are the same.

use std::fs;
use std::io::Cursor;
use std::path::Path;
use std::sync::Arc;

use image::codecs::jpeg::JpegEncoder;
use image::{ImageFormat, RgbImage};

const NAMES: [&str; 6] =
    ["beach_sunset.jpg", "forest.jpg", "night_city.jpg", "portrait.jpg", "snowy_mountain.jpg", "stage.jpg"];
/// Versions of each fixture that differ in their pixels.
const N_VERSIONS: u32 = 40;
/// Side of the square that is changed, in pixels.
const PATCH: u32 = 24;
const QUALITY: u8 = 88;

/// Which photos are asked with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    /// Each file once.
    Distinct,
    /// Six files again and again.
    Repeated,
    /// Every other file is none that a decoder should trust.
    Hostile,
}

/// An endless supply.
pub struct Photos {
    whole: Vec<Arc<Vec<u8>>>,
    hostile: Vec<Vec<u8>>,
    n_given: u32,
}

impl Photos {
    /// Makes them; takes some seconds.
    pub fn new() -> Photos {
        let read = |name: &&str| fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name));
        let files: Vec<Vec<u8>> = NAMES.iter().map(read).collect::<Result<_, _>>().expect("the fixtures are there");
        let pictures: Vec<RgbImage> = files
            .iter()
            .map(|file| {
                image::load_from_memory_with_format(file, ImageFormat::Jpeg).expect("fixtures decode").to_rgb8()
            })
            .collect();
        let version = |idx: u32| Arc::new(changed(&pictures[idx as usize % pictures.len()], idx));
        let whole: Vec<Arc<Vec<u8>>> = (0..N_VERSIONS * NAMES.len() as u32).map(version).collect();
        let hostile = hostile(&whole[0]);
        Photos { whole, hostile, n_given: 0 }
    }

    /// The next one.
    pub fn next(&mut self, choice: Choice) -> Vec<u8> {
        self.n_given += 1;
        let n = self.n_given;
        match choice {
            Choice::Repeated => self.whole[n as usize % NAMES.len()].to_vec(),
            Choice::Hostile if n.is_multiple_of(2) => marked(&self.hostile[n as usize / 2 % self.hostile.len()], n),
            _ => marked(&self.whole[n as usize % self.whole.len()], n),
        }
    }
}

/// The picture with another brightness in one small square.
fn changed(picture: &RgbImage, idx: u32) -> Vec<u8> {
    let mut picture = picture.clone();
    let (x, y) = ((idx * 37) % (picture.width() - PATCH), (idx * 101) % (picture.height() - PATCH));
    for pixel in (0..PATCH * PATCH).map(|at| (x + at % PATCH, y + at / PATCH)) {
        picture[pixel].0.iter_mut().for_each(|value| *value = value.wrapping_add(40 + idx as u8));
    }
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(Cursor::new(&mut jpeg), QUALITY)
        .encode_image(&picture)
        .expect("a picture is encoded");
    jpeg
}

/// The file with a comment that numbers it, so that its hash is new; files that are no JPEG get the number at their end.
fn marked(file: &[u8], n: u32) -> Vec<u8> {
    let number = n.to_be_bytes();
    match file.strip_prefix(&[0xff, 0xd8]) {
        Some(rest) => [&[0xff, 0xd8, 0xff, 0xfe, 0, 6][..], &number, rest].concat(),
        None => [file, &number].concat(),
    }
}

/// Files that do harm to a careless program.
fn hostile(jpeg: &[u8]) -> Vec<Vec<u8>> {
    let mut flipped = jpeg.to_vec();
    for at in (600..jpeg.len()).step_by(97) {
        flipped[at] ^= 1 << (at % 8);
    }
    let mut tall = Vec::new();
    let strip = RgbImage::new(2, 16_000);
    strip.write_to(&mut Cursor::new(&mut tall), ImageFormat::Png).expect("a picture is encoded");
    let noise: Vec<u8> = (0..60_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    vec![
        jpeg[..jpeg.len() / 3].to_vec(),
        flipped,
        b"this is no photo at all".to_vec(),
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic".to_vec(),
        bomb(),
        tall,
        [&[0xff, 0xd8, 0xff, 0xe0][..], &noise].concat(),
        [b"GIF89a\xff\xff\xff\xff\xf7\0\0", &noise[..2000]].concat(),
        jpeg[..40].to_vec(),
    ]
}

/// A PNG whose head says 60,000 by 60,000 pixels.
fn bomb() -> Vec<u8> {
    let mut head = b"IHDR".to_vec();
    head.extend(60_000_u32.to_be_bytes());
    head.extend(60_000_u32.to_be_bytes());
    head.extend([8, 2, 0, 0, 0]);
    let mut png = b"\x89PNG\r\n\x1a\n\0\0\0\x0d".to_vec();
    png.extend(&head);
    png.extend(crc32fast::hash(&head).to_be_bytes());
    png
}
