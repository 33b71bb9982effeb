//! From checked bytes to stored pixels: the decoder of each format, its limits, its errors in our words.

use std::error::Error;
use std::io::{Cursor, ErrorKind};
use std::panic::catch_unwind;

use image::codecs::{bmp::BmpDecoder, gif::GifDecoder, jpeg::JpegDecoder, png::PngDecoder, webp::WebPDecoder};
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageError, ImageResult, RgbImage};

use super::{Format, Limits, PhotoError, complete};

/// What a decoder may allocate beside the picture itself (rows, profiles, comments), in bytes.
const MAX_SIDE_DATA: u64 = 64 << 20;

/// The pixels as stored, and how to turn them.
///
/// # Errors
/// The header claims too much, or the content is cut off or corrupt.
pub fn decode(bytes: &[u8], format: Format, limits: &Limits) -> Result<(RgbImage, Orientation), PhotoError> {
    // The decoders are other people's code and the input is anybody's: a panic there must stay one photo's error.
    match catch_unwind(|| decode_checked(bytes, format, limits)) {
        Ok(result) => result,
        Err(_) => Err(PhotoError::Corrupt { format, reason: "the decoder gave up".to_owned() }),
    }
}

fn decode_checked(bytes: &[u8], format: Format, limits: &Limits) -> Result<(RgbImage, Orientation), PhotoError> {
    if let Some((width, height)) = png_size(bytes, format) {
        check_size(width, height, limits)?;
    }
    let fail = |error: ImageError| explain(&error, bytes, format);
    let mut decoder = open(bytes, format, limits).map_err(fail)?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    if complete::is_cut_off(bytes, format) {
        return Err(PhotoError::Truncated { format, found: bytes.len() as u64 });
    }
    if width == 0 || height == 0 {
        return Err(PhotoError::Corrupt { format, reason: format!("it has {width} x {height} pixels") });
    }
    decoder.set_limits(decoder_limits(limits)).map_err(fail)?;
    // Broken EXIF data are no reason to refuse a sound photo.
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let picture = DynamicImage::from_decoder(decoder).map_err(fail)?;
    Ok((on_white(picture), orientation))
}

/// Width and height in the header of a PNG, whose decoder allocates rows before it tells the size.
fn png_size(bytes: &[u8], format: Format) -> Option<(u32, u32)> {
    let word = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
    (format == Format::Png && bytes.get(12..16)? == b"IHDR").then_some((word(16)?, word(20)?))
}

fn check_size(width: u32, height: u32, limits: &Limits) -> Result<(), PhotoError> {
    if width.max(height) > limits.max_side {
        return Err(PhotoError::SideTooLong { width, height, max: limits.max_side });
    }
    if u64::from(width) * u64::from(height) > limits.max_pixels {
        return Err(PhotoError::TooManyPixels { width, height, max: limits.max_pixels });
    }
    Ok(())
}

fn open<'a>(bytes: &'a [u8], format: Format, limits: &Limits) -> ImageResult<Box<dyn ImageDecoder + 'a>> {
    let reader = Cursor::new(bytes);
    Ok(match format {
        Format::Jpeg => Box::new(JpegDecoder::new(reader)?),
        Format::Png => {
            let mut side_data = decoder_limits(limits);
            side_data.max_alloc = Some(MAX_SIDE_DATA);
            Box::new(PngDecoder::with_limits(reader, side_data)?)
        }
        Format::WebP => Box::new(WebPDecoder::new(reader)?),
        Format::Gif => Box::new(GifDecoder::new(reader)?),
        Format::Bmp => Box::new(BmpDecoder::new(reader)?),
    })
}

/// The limits as the decoders know them: 8 bytes a pixel are 16-bit RGBA, the most that any format gives.
fn decoder_limits(limits: &Limits) -> image::Limits {
    let mut known = image::Limits::no_limits();
    known.max_image_width = Some(limits.max_side);
    known.max_image_height = Some(limits.max_side);
    known.max_alloc = Some(limits.max_pixels.saturating_mul(8).saturating_add(MAX_SIDE_DATA));
    known
}

/// A decoder's error in our words.
fn explain(error: &ImageError, bytes: &[u8], format: Format) -> PhotoError {
    if complete::is_cut_off(bytes, format) || ran_out(error) {
        return PhotoError::Truncated { format, found: bytes.len() as u64 };
    }
    // The outermost message only repeats the format, which our own message names already.
    let reason = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    PhotoError::Corrupt { format, reason: reason.trim().trim_end_matches('.').to_owned() }
}

/// Whether the decoder wanted more bytes than there are.
fn ran_out(error: &ImageError) -> bool {
    // `ImageError::IoError` hides its own error from the chain of sources.
    let mut cause: Option<&(dyn Error + 'static)> = match error {
        ImageError::IoError(io) => Some(io),
        other => other.source(),
    };
    while let Some(current) = cause {
        if current.downcast_ref::<std::io::Error>().is_some_and(|io| io.kind() == ErrorKind::UnexpectedEof) {
            return true;
        }
        cause = current.source();
    }
    false
}

/// 8-bit RGB; what is transparent shows white, as on the page of a chat.
fn on_white(picture: DynamicImage) -> RgbImage {
    if !picture.color().has_alpha() {
        return picture.into_rgb8();
    }
    let picture = picture.into_rgba8();
    let (width, height) = picture.dimensions();
    let mut rgb = Vec::with_capacity(picture.len() / 4 * 3);
    for pixel in picture.pixels() {
        let [red, green, blue, alpha] = pixel.0;
        let blend = |color: u8| {
            let (color, alpha) = (u32::from(color), u32::from(alpha));
            ((color * alpha + 255 * (255 - alpha) + 127) / 255) as u8
        };
        rgb.extend([blend(red), blend(green), blend(blue)]);
    }
    RgbImage::from_raw(width, height, rgb).expect("three bytes were made of each pixel")
}
