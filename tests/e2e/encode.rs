//! Photos in every encoding that the tests need: the committed fixtures, and variants of them made on the spot.

use std::io::{Cursor, Write};
use std::path::Path;

use image::codecs::gif::GifEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, Frame, ImageFormat, RgbImage, Rgba, RgbaImage};

/// Names of the painted fixtures.
pub const SCENES: [&str; 8] =
    ["beach_sunset", "snowy_mountain", "night_city", "forest", "stage", "portrait", "noise", "blank"];

/// Bytes of a committed fixture, such as `beach_sunset.jpg`.
pub fn fixture(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// A scene, small enough to encode often.
pub fn small(name: &str) -> RgbImage {
    let picture = image::load_from_memory(&fixture(&format!("{name}.jpg"))).unwrap();
    picture.thumbnail_exact(96, 72).into_rgb8()
}

pub fn encoded(picture: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.into().write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

pub fn jpeg(picture: impl Into<DynamicImage>, quality: u8) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.into().write_with_encoder(JpegEncoder::new_with_quality(&mut bytes, quality)).unwrap();
    bytes
}

/// Every format with the same small beach in it.
pub fn formats() -> Vec<(&'static str, Vec<u8>)> {
    let beach = || small("beach_sunset");
    vec![
        ("baseline.jpg", jpeg(beach(), 92)),
        ("progressive.jpg", fixture("progressive.jpg")),
        ("lossless.webp", encoded(beach(), ImageFormat::WebP)),
        ("lossy.webp", fixture("lossy.webp")),
        ("animated.webp", fixture("animated.webp")),
        ("plain.png", encoded(beach(), ImageFormat::Png)),
        ("plain.gif", encoded(beach(), ImageFormat::Gif)),
        ("plain.bmp", encoded(beach(), ImageFormat::Bmp)),
    ]
}

/// The picture as a camera held in the way of an EXIF orientation (1 to 8) stores it. Written from the EXIF definition
/// (which side of the photo the first row and column show), not from any decoder.
pub fn stored_as(upright: &RgbImage, orientation: u8) -> RgbImage {
    let (width, height) = upright.dimensions();
    let (right, bottom) = (width - 1, height - 1);
    let (stored_width, stored_height) = if orientation < 5 { (width, height) } else { (height, width) };
    RgbImage::from_fn(stored_width, stored_height, |column, row| {
        let (x, y) = match orientation {
            1 => (column, row),
            2 => (right - column, row),
            3 => (right - column, bottom - row),
            4 => (column, bottom - row),
            5 => (row, column),
            6 => (right - row, column),
            7 => (right - row, bottom - column),
            8 => (row, bottom - column),
            _ => panic!("{orientation} is no EXIF orientation"),
        };
        *upright.get_pixel(x, y)
    })
}

/// The bytes of an EXIF block that says nothing but the orientation, little or big endian.
pub fn exif(orientation: u8, is_big_endian: bool) -> Vec<u8> {
    if is_big_endian {
        let mut block = b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
        block.extend([orientation, 0, 0, 0, 0, 0, 0]);
        block
    } else {
        let mut block = b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0".to_vec();
        block.extend([orientation, 0, 0, 0, 0, 0, 0, 0]);
        block
    }
}

/// A JPEG with a segment put behind its start marker.
pub fn with_segment(jpeg: &[u8], marker: u8, content: &[u8]) -> Vec<u8> {
    let length = (content.len() + 2) as u16;
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend([0xff, marker]);
    bytes.extend(length.to_be_bytes());
    bytes.extend(content);
    bytes.extend(&jpeg[2..]);
    bytes
}

/// A JPEG that carries an EXIF block.
pub fn with_exif(jpeg: &[u8], block: &[u8]) -> Vec<u8> {
    with_segment(jpeg, 0xe1, &[b"Exif\0\0", block].concat())
}

/// A PNG of the given header fields and chunks before its pixels, `rows` being filtered scan lines.
pub fn png(size: (u32, u32), depth: u8, color_type: u8, chunks: &[(&[u8; 4], &[u8])], rows: &[u8]) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let header = [&size.0.to_be_bytes()[..], &size.1.to_be_bytes(), &[depth, color_type, 0, 0, 0]].concat();
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(rows).unwrap();
    let pixels = packer.finish().unwrap();
    let all = [&[(b"IHDR", &header[..])], chunks, &[(b"IDAT", &pixels[..]), (b"IEND", &[])]].concat();
    for (kind, content) in all {
        let named = [&kind[..], content].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&named);
        bytes.extend((content.len() as u32).to_be_bytes());
        bytes.extend(named);
        bytes.extend(crc.sum().to_be_bytes());
    }
    bytes
}

/// An animated GIF: a red frame whose left half is transparent, then a blue one.
pub fn animated_gif() -> Vec<u8> {
    let red = RgbaImage::from_fn(40, 30, |x, _| if x < 20 { Rgba([0, 0, 0, 0]) } else { Rgba([250, 10, 10, 255]) });
    let blue = RgbaImage::from_pixel(40, 30, Rgba([10, 10, 250, 255]));
    let mut bytes = Vec::new();
    let mut encoder = GifEncoder::new(&mut bytes);
    encoder.encode_frames([Frame::new(red), Frame::new(blue)]).unwrap();
    drop(encoder);
    bytes
}
