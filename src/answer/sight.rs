//! One photo on its way through the tagger, with the time each step took.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

use crate::photo::{Decoded, Limits, Square};
use crate::tagger::Tagger;
use crate::tagger::Tagging;
use crate::tagger::regions::{Region, regions};
use crate::tagger::vocabulary::TagId;

use super::fault::PhotoFault;

/// A photo and what the tagger says of it.
pub struct Sight {
    /// The photo.
    pub decoded: Decoded,
    /// Its tags.
    pub tagging: Tagging,
    /// Whether it is of one color, near enough, or mere noise: nothing can be seen in it, whatever the tagger says.
    pub is_plain: bool,
    /// Time to read, decode and shrink it.
    pub decode_time: Duration,
    /// Time to tag it.
    pub tag_time: Duration,
}

/// A tag of a photo, and where it was seen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SeenTag {
    /// The tag.
    pub tag: TagId,
    /// Its probability in `[0, 1]`.
    pub prob: f32,
    /// The region that spoke loudest for it.
    pub region: Region,
}

impl Sight {
    /// Decodes and tags the photo in a file's bytes; `started` is when its reading began.
    ///
    /// # Errors
    /// The photo cannot be decoded, or the tagger fails.
    pub fn of(bytes: &[u8], started: Instant, tagger: &Tagger, limits: &Limits) -> Result<Self, PhotoFault> {
        let decoded = Decoded::from_bytes(bytes, limits)?;
        let square = decoded.square(tagger.side());
        Self::of_square(decoded, &square, started.elapsed(), tagger)
    }

    /// Tags a photo that is decoded and shrunk.
    ///
    /// # Errors
    /// The tagger fails.
    pub fn of_square(
        decoded: Decoded,
        square: &Square,
        decode_time: Duration,
        tagger: &Tagger,
    ) -> Result<Self, PhotoFault> {
        let started = Instant::now();
        let tagging = tagger.tag(square).map_err(|error| PhotoFault::internal_error(&error))?;
        Ok(Self { decoded, tagging, is_plain: is_plain(square), decode_time, tag_time: started.elapsed() })
    }

    /// The `n` most probable tags, most probable first.
    pub fn top_tags(&self, n: usize) -> Vec<SeenTag> {
        self.tagging.top(n).into_iter().map(|(tag, prob)| self.seen(tag, prob)).collect()
    }

    /// A tag with the region that spoke loudest for it.
    pub fn seen(&self, tag: TagId, prob: f32) -> SeenTag {
        let region_idx = usize::from(self.tagging.region_idx[usize::from(tag.0)]);
        SeenTag { tag, prob, region: regions()[region_idx] }
    }
}

/// Deviation of the color values, of 255, up to which a photo shows nothing. Of 5,529 real photos at 32 x 32 pixels the
/// plainest, itself a blank card, has 3.3, the next 8.0 (measured 2026-11-24).
const PLAIN_DEVIATION: f64 = 3.0;

/// Correlation between the brightness of pixels 1/42 to 1/16 of a side apart, up to which a photo is noise. Of 5,529 real
/// photos at 128 x 128 pixels the least has 0.16 at a distance of 4, noise of any grain has 0.04 at most (measured
/// 2026-11-24).
const NOISE_CORRELATION: f64 = 0.06;

/// True if nothing can be seen in the photo: one color, or noise.
pub fn is_plain(square: &Square) -> bool {
    is_of_one_color(square) || is_noise(square)
}

/// True if each color channel hardly differs over the photo.
fn is_of_one_color(square: &Square) -> bool {
    (0..3).all(|channel| {
        let values = || square.rgb.iter().skip(channel).step_by(3).map(|&value| f64::from(value));
        let n = (square.side * square.side) as f64;
        let (sum, squares) = values().fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
        squares / n - (sum / n).powi(2) <= PLAIN_DEVIATION.powi(2)
    })
}

/// True if no pixel tells anything of those around it, in any direction. A pattern tells something, if only that the
/// opposite comes next.
fn is_noise(square: &Square) -> bool {
    let side = square.side;
    let mut light: Vec<f64> =
        square.rgb.chunks_exact(3).map(|rgb| rgb.iter().map(|&value| f64::from(value)).sum()).collect();
    let mean = light.iter().sum::<f64>() / light.len().max(1) as f64;
    light.iter_mut().for_each(|value| *value -= mean);
    let power = light.iter().map(|value| value * value).sum::<f64>();
    let (near, far) = (side.div_ceil(42), side / 16);
    // Too small to tell.
    if far <= near {
        return false;
    }
    (near..=far).all(|distance| {
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let across = light.chunks_exact(side).map(|row| product(row, &row[distance..])).sum::<f64>();
        let down = product(&light, &light[distance * side..]);
        f64::max(across.abs(), down.abs()) <= NOISE_CORRELATION * power
    })
}

/// Runs the work for one photo so that a panic in it becomes that photo's fault and the other photos are answered.
///
/// # Errors
/// Those of the work, and `internal` if it panics.
pub fn guarded<T>(work: impl FnOnce() -> Result<T, PhotoFault>) -> Result<T, PhotoFault> {
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        Err(PhotoFault::internal(format!(
            "this photo met a bug in image2song ({}); please report it with the photo",
            panic_text(panic.as_ref())
        )))
    })
}

fn panic_text(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no details")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photo_of_one_color_is_plain() {
        let square = |rgb: Vec<u8>| Square::from_rgb(2, rgb).unwrap();
        assert!(is_plain(&square([120, 60, 201].repeat(4))));
        assert!(is_plain(&square([[120, 60, 201], [122, 61, 200]].concat().repeat(2))));
        assert!(!is_plain(&square([[120, 60, 201], [120, 60, 160]].concat().repeat(2))));
    }

    #[test]
    fn noise_is_plain_and_patterns_are_not() {
        let mut rng = fastrand::Rng::with_seed(7);
        let square = |pixel: &mut dyn FnMut(usize, usize) -> u8| {
            let rgb = (0..128 * 128).flat_map(|idx| [pixel(idx % 128, idx / 128); 3]).collect();
            Square::from_rgb(128, rgb).unwrap()
        };
        assert!(is_plain(&square(&mut |_, _| rng.u8(..))));
        assert!(!is_plain(&square(&mut |x, y| if (x / 4 + y / 4) % 2 == 0 { 255 } else { 0 })));
        assert!(!is_plain(&square(&mut |x, _| (x * 2) as u8)));
        let mut grain = fastrand::Rng::with_seed(8);
        assert!(!is_plain(&square(&mut |x, y| (x + y) as u8 / 2 + grain.u8(..128))));
    }

    #[test]
    fn a_panic_becomes_the_photos_fault() {
        let fault = guarded::<()>(|| panic!("index {} out of range", 3)).unwrap_err();
        assert_eq!(fault.kind, "internal");
        assert!(fault.message.contains("index 3 out of range"), "{}", fault.message);
        assert_eq!(guarded(|| Ok(1)), Ok(1));
    }
}
