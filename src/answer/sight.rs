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
    /// Whether it is of one color, near enough: nothing can be seen in it, whatever the tagger says.
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

/// True if each color channel hardly differs over the photo.
pub fn is_plain(square: &Square) -> bool {
    (0..3).all(|channel| {
        let values = || square.rgb.iter().skip(channel).step_by(3).map(|&value| f64::from(value));
        let n = (square.side * square.side) as f64;
        let (sum, squares) = values().fold((0.0, 0.0), |(sum, squares), value| (sum + value, squares + value * value));
        squares / n - (sum / n).powi(2) <= PLAIN_DEVIATION.powi(2)
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
    fn a_panic_becomes_the_photos_fault() {
        let fault = guarded::<()>(|| panic!("index {} out of range", 3)).unwrap_err();
        assert_eq!(fault.kind, "internal");
        assert!(fault.message.contains("index 3 out of range"), "{}", fault.message);
        assert_eq!(guarded(|| Ok(1)), Ok(1));
    }
}
