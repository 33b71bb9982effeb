//! Properties of the intake that hold for any bytes.

use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage, RgbaImage};
use proptest::prelude::*;

use super::*;

const SMALL: Limits = Limits { max_bytes: 1 << 20, max_side: 256, max_pixels: 1 << 15 };

/// One small photo of every format and of several pixel types.
fn samples() -> Vec<Vec<u8>> {
    let rgb = RgbImage::from_fn(23, 17, |x, y| Rgb([(x * 11) as u8, (y * 15) as u8, (x * y) as u8]));
    let plain = DynamicImage::ImageRgb8(rgb);
    let veiled = DynamicImage::ImageRgba8(RgbaImage::from_fn(23, 17, |x, y| image::Rgba([9, 99, 199, (x * y) as u8])));
    let encode = |picture: &DynamicImage, format: ImageFormat| {
        let mut bytes = Cursor::new(Vec::new());
        picture.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    };
    let mut all: Vec<Vec<u8>> =
        [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::WebP, ImageFormat::Gif, ImageFormat::Bmp]
            .into_iter()
            .map(|format| encode(&plain, format))
            .collect();
    all.push(encode(&plain.grayscale(), ImageFormat::Jpeg));
    all.push(encode(&DynamicImage::ImageRgb16(plain.to_rgb16()), ImageFormat::Png));
    all.push(encode(&veiled, ImageFormat::Png));
    all.push(encode(&veiled, ImageFormat::WebP));
    all
}

/// What must hold of any answer: limits kept, sizes agreed, errors named.
fn check(bytes: &[u8], limits: &Limits) {
    match Decoded::from_bytes(bytes, limits) {
        Ok(decoded) => {
            let (width, height) = (decoded.width(), decoded.height());
            assert!(width >= 1 && height >= 1 && width.max(height) <= limits.max_side);
            assert!(u64::from(width) * u64::from(height) <= limits.max_pixels);
            assert_eq!(decoded.square(8).rgb.len(), 8 * 8 * 3);
            let fitted = decoded.fit(40);
            assert!(fitted.width() <= 40 && fitted.height() <= 40);
        }
        Err(error) => {
            assert!(!error.kind().is_empty() && !error.to_string().ends_with('.'), "{error}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
        check(&bytes, &SMALL);
    }

    #[test]
    fn random_bytes_behind_a_signature_never_panic(
        signature in prop::sample::select(vec![
            &b"\xff\xd8\xff\xc0\0\x11\x08"[..], b"\xff\xd8\xff\xdb", b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR",
            b"RIFF\x40\0\0\0WEBPVP8 ", b"RIFF\x40\0\0\0WEBPVP8L\x40\0\0\0\x2f", b"RIFF\x40\0\0\0WEBPVP8X\x0a\0\0\0",
            b"GIF89a", b"BM\0\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0",
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..400),
    ) {
        check(&[signature, &rest].concat(), &SMALL);
    }

    #[test]
    fn mutated_photos_never_panic(
        which in 0..9usize,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        cut in prop::option::of(any::<prop::sample::Index>()),
    ) {
        let mut bytes = samples()[which].clone();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        check(&bytes, &SMALL);
    }

    #[test]
    fn limits_hold(max_side in 1..40u32, max_pixels in 1..700u64, which in 0..9usize) {
        check(&samples()[which], &Limits { max_side, max_pixels, ..SMALL });
    }

    #[test]
    fn fit_keeps_the_aspect(width in 1..200u32, height in 1..200u32, max_side in 1..300u32) {
        let stored = RgbImage::new(width, height);
        let decoded = Decoded { stored, orientation: Orientation::NoTransforms, format: Format::Png };
        let fitted = decoded.fit(max_side);
        let scale = (f64::from(max_side) / f64::from(width.max(height))).min(1.0);
        prop_assert!((f64::from(fitted.width()) - (f64::from(width) * scale).max(1.0)).abs() <= 0.5);
        prop_assert!((f64::from(fitted.height()) - (f64::from(height) * scale).max(1.0)).abs() <= 0.5);
    }
}

#[test]
fn squares_know_their_size() {
    assert!(Square::from_rgb(2, vec![0; 12]).is_some());
    assert_eq!(Square::from_rgb(2, vec![0; 11]), None);
    assert_eq!(Square::from_rgb(usize::MAX, Vec::new()), None);
}

#[test]
fn shrinking_averages() {
    let stripes = RgbImage::from_fn(256, 256, |x, _| if x % 2 == 0 { Rgb([255; 3]) } else { Rgb([0; 3]) });
    let small = resize::rgb(&stripes, 32, 32);
    assert!(small.pixels().all(|pixel| pixel.0.iter().all(|value| value.abs_diff(127) < 8)));
}
