//! Bytes in, a checked upright RGB photo out: sniffed by content, limited before it is decoded, turned as its EXIF
//! says, alpha laid on white. Training, evaluation and serving all take this one path (decoder, scale, filter), because
//! another path would shift the features. Knows nothing of models, files or the network.

mod complete;
mod decode;
pub mod resize;
mod sniff;
#[cfg(test)]
mod tests;

use std::fmt;
use std::io::Read;

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};

/// What a photo may cost, checked before any large allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Most bytes of the encoded photo.
    pub max_bytes: u64,
    /// Most pixels along the longer side.
    pub max_side: u32,
    /// Most pixels in all.
    pub max_pixels: u64,
}

impl Default for Limits {
    /// 20 MiB, 16,384 pixels a side, 50 megapixels: above what phones and single-shot cameras write. At that size a JPEG
    /// takes 150 MB of memory (450 MB if progressive), and the worst case, a 16-bit PNG with alpha, 600 MB.
    fn default() -> Self {
        Self { max_bytes: 20 << 20, max_side: 16_384, max_pixels: 50_000_000 }
    }
}

/// A format that can be decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// Baseline and progressive JPEG: RGB, greyscale, CMYK.
    Jpeg,
    /// PNG of 1 to 16 bits; of an animation its default image.
    Png,
    /// WebP, lossy and lossless; of an animation the first frame.
    WebP,
    /// GIF, the first frame.
    Gif,
    /// Windows bitmap.
    Bmp,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
        })
    }
}

/// Why a photo cannot be used; every message names what was found and what is allowed.
#[derive(Debug, thiserror::Error)]
pub enum PhotoError {
    /// No byte at all.
    #[error("the photo is empty (0 bytes); give a JPEG, PNG, WebP, GIF or BMP file")]
    Empty,
    /// Something else than a photo that can be decoded.
    #[error("found {found}, but a photo must be JPEG, PNG, WebP, GIF or BMP{remedy}")]
    UnsupportedFormat {
        /// What the content looks like, with its article.
        found: String,
        /// What to do about it, or nothing.
        remedy: &'static str,
    },
    /// More bytes than [`Limits::max_bytes`].
    #[error("the photo has {} or more, at most {} are allowed; save it smaller", mebibytes(*found), mebibytes(*max))]
    TooManyBytes {
        /// Bytes found; reading stops early, so there may be more.
        found: u64,
        /// Bytes allowed.
        max: u64,
    },
    /// A side longer than [`Limits::max_side`].
    #[error("the photo claims {width} x {height} pixels, at most {max} a side are allowed; save it smaller")]
    SideTooLong {
        /// Width that the header claims.
        width: u32,
        /// Height that the header claims.
        height: u32,
        /// Pixels allowed a side.
        max: u32,
    },
    /// More pixels than [`Limits::max_pixels`].
    #[error(
        "the photo claims {width} x {height} pixels, at most {:.1} megapixels are allowed; save it smaller",
        *max as f64 / 1e6
    )]
    TooManyPixels {
        /// Width that the header claims.
        width: u32,
        /// Height that the header claims.
        height: u32,
        /// Pixels allowed in all.
        max: u64,
    },
    /// The file ends before its photo does.
    #[error("the {format} photo is cut off after {found} bytes; a complete file is needed, so fetch it again")]
    Truncated {
        /// Format of the part that is there.
        format: Format,
        /// Bytes found.
        found: u64,
    },
    /// The content breaks the rules of its format.
    #[error("the {format} photo is corrupt ({reason}); open and save it anew, or fetch it again")]
    Corrupt {
        /// Format that the first bytes announce.
        format: Format,
        /// What the decoder says.
        reason: String,
    },
    /// The bytes could not be read from where they lie.
    #[error("the photo cannot be read")]
    Unreadable(#[from] std::io::Error),
}

impl PhotoError {
    /// A stable name of the kind of error, for machines: `empty`, `unsupported_format`, `too_many_bytes`,
    /// `side_too_long`, `too_many_pixels`, `truncated`, `corrupt` or `unreadable`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::UnsupportedFormat { .. } => "unsupported_format",
            Self::TooManyBytes { .. } => "too_many_bytes",
            Self::SideTooLong { .. } => "side_too_long",
            Self::TooManyPixels { .. } => "too_many_pixels",
            Self::Truncated { .. } => "truncated",
            Self::Corrupt { .. } => "corrupt",
            Self::Unreadable(_) => "unreadable",
        }
    }
}

/// `1.5 MiB`, or `310 bytes` for less than 0.1 MiB.
fn mebibytes(bytes: u64) -> String {
    let mib = bytes as f64 / f64::from(1 << 20);
    if mib < 0.1 { format!("{bytes} bytes") } else { format!("{mib:.1} MiB") }
}

/// Reads an encoded photo to its end, but never more than one byte above the limit.
///
/// # Errors
/// Reading fails, or there are more than `limits.max_bytes` bytes.
pub fn read(reader: impl Read, limits: &Limits) -> Result<Vec<u8>, PhotoError> {
    let mut bytes = Vec::new();
    reader.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
    check_bytes(bytes.len() as u64, limits)?;
    Ok(bytes)
}

fn check_bytes(found: u64, limits: &Limits) -> Result<(), PhotoError> {
    if found > limits.max_bytes {
        return Err(PhotoError::TooManyBytes { found, max: limits.max_bytes });
    }
    Ok(())
}

/// A decoded photo: its pixels as they were stored, and how they must be turned. Turning waits until the photo has been
/// made small, where it costs nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Decoded {
    stored: RgbImage,
    orientation: Orientation,
    format: Format,
}

impl Decoded {
    /// Decodes a photo: format by content, limits by header, alpha on white. Colors are taken as sRGB; an embedded
    /// color profile is not applied.
    ///
    /// # Errors
    /// The bytes are no complete, sound photo of an allowed format and size. Never panics.
    pub fn from_bytes(bytes: &[u8], limits: &Limits) -> Result<Self, PhotoError> {
        if bytes.is_empty() {
            return Err(PhotoError::Empty);
        }
        check_bytes(bytes.len() as u64, limits)?;
        let format = sniff::format(bytes)?;
        let (stored, orientation) = decode::decode(bytes, format, limits)?;
        Ok(Self { stored, orientation, format })
    }

    /// Width in pixels of the upright photo; at least 1.
    pub fn width(&self) -> u32 {
        if self.lies_on_its_side() { self.stored.height() } else { self.stored.width() }
    }

    /// Height in pixels of the upright photo; at least 1.
    pub fn height(&self) -> u32 {
        if self.lies_on_its_side() { self.stored.width() } else { self.stored.height() }
    }

    /// The format that the photo came in.
    pub fn format(&self) -> Format {
        self.format
    }

    /// The whole photo squeezed into `side` x `side` pixels and turned upright: the input of the tagger.
    ///
    /// # Panics
    /// If `side` is 0 or above 65,535.
    pub fn square(&self, side: usize) -> Square {
        let side_pixels = u16::try_from(side).expect("a square has at most 65,535 pixels a side").into();
        let small = resize::rgb(&self.stored, side_pixels, side_pixels);
        Square { side, rgb: self.upright(small).into_raw() }
    }

    /// The upright photo, shrunk so that no side exceeds `max_side` pixels; never enlarged, aspect kept.
    ///
    /// # Panics
    /// If `max_side` is 0.
    pub fn fit(&self, max_side: u32) -> RgbImage {
        let (width, height) = self.stored.dimensions();
        let scale = (f64::from(max_side) / f64::from(width.max(height))).min(1.0);
        let shrunk = |pixels: u32| ((f64::from(pixels) * scale).round() as u32).max(1);
        self.upright(resize::rgb(&self.stored, shrunk(width), shrunk(height)))
    }

    fn lies_on_its_side(&self) -> bool {
        use Orientation::{Rotate90, Rotate90FlipH, Rotate270, Rotate270FlipH};
        matches!(self.orientation, Rotate90 | Rotate270 | Rotate90FlipH | Rotate270FlipH)
    }

    fn upright(&self, stored: RgbImage) -> RgbImage {
        let mut turned = DynamicImage::ImageRgb8(stored);
        turned.apply_orientation(self.orientation);
        turned.into_rgb8()
    }
}

/// A square RGB picture, `[side, side, 3]`, rows from top to bottom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Square {
    /// Pixels a side.
    pub side: usize,
    /// sRGB bytes, `[side, side, 3]`.
    pub rgb: Vec<u8>,
}

impl Square {
    /// A square of the given bytes; `None` unless there are `side * side * 3` of them.
    pub fn from_rgb(side: usize, rgb: Vec<u8>) -> Option<Self> {
        (side.checked_mul(side)?.checked_mul(3)? == rgb.len()).then_some(Self { side, rgb })
    }
}
