//! Photo intake from the outside: real files of every kind, turned, cut, renamed, oversized and rare.

use image::{ImageBuffer, ImageFormat, Luma, LumaA, Rgb, RgbImage, Rgba};
use image2song::photo::{Decoded, Format, Limits, PhotoError, Square, read};

use crate::encode::{
    SCENES, animated_gif, encoded, exif, fixture, formats, jpeg, png, small, stored_as, with_exif, with_segment,
};

const SIDE: usize = 48;

#[track_caller]
fn decode(bytes: &[u8]) -> Decoded {
    Decoded::from_bytes(bytes, &Limits::default()).unwrap_or_else(|error| panic!("{}: {error}", error.kind()))
}

#[track_caller]
fn refusal(bytes: &[u8]) -> PhotoError {
    match Decoded::from_bytes(bytes, &Limits::default()) {
        Ok(decoded) => panic!("{} of {} x {} was taken", decoded.format(), decoded.width(), decoded.height()),
        Err(error) => error,
    }
}

/// Mean and largest difference of two squares, in byte steps.
fn difference(a: &Square, b: &Square) -> (f64, u8) {
    assert_eq!(a.side, b.side);
    let steps = || a.rgb.iter().zip(&b.rgb).map(|(&a, &b)| a.abs_diff(b));
    let sum: u64 = steps().map(u64::from).sum();
    (sum as f64 / a.rgb.len() as f64, steps().max().unwrap_or(0))
}

#[track_caller]
fn assert_close(a: &Square, b: &Square, mean: f64, largest: u8) {
    let found = difference(a, b);
    assert!(found.0 <= mean && found.1 <= largest, "mean and largest difference {found:?} above {:?}", (mean, largest));
}

/// The color at a point given as fractions of the upright photo.
fn color_at(decoded: &Decoded, x: f32, y: f32) -> [u8; 3] {
    let picture = decoded.fit(u32::MAX);
    picture.get_pixel((x * picture.width() as f32) as u32, (y * picture.height() as f32) as u32).0
}

#[track_caller]
fn assert_color(decoded: &Decoded, x: f32, y: f32, expected: [u8; 3], tolerance: u8) {
    let found = color_at(decoded, x, y);
    let is_close = found.iter().zip(expected).all(|(a, b)| a.abs_diff(b) <= tolerance);
    assert!(is_close, "{found:?} at ({x}, {y}), not {expected:?}");
}

#[test]
fn all_fixtures_decode() {
    for scene in SCENES {
        let decoded = decode(&fixture(&format!("{scene}.jpg")));
        assert_eq!(decoded.format(), Format::Jpeg);
        let square = decoded.square(SIDE);
        assert_eq!(square.rgb.len(), SIDE * SIDE * 3, "{scene}");
        let spread = square.rgb.iter().max().unwrap() - square.rgb.iter().min().unwrap();
        assert_eq!(spread < 8, scene == "blank", "{scene}: {spread}");
    }
}

#[test]
fn all_orientations_give_the_same_square() {
    for scene in ["beach_sunset", "portrait", "night_city"] {
        let upright = image::load_from_memory(&fixture(&format!("{scene}.jpg"))).unwrap().into_rgb8();
        let expected = decode(&jpeg(upright.clone(), 95));
        for orientation in 1..=8 {
            let stored = jpeg(stored_as(&upright, orientation), 95);
            for is_big_endian in [false, true] {
                let turned = decode(&with_exif(&stored, &exif(orientation, is_big_endian)));
                assert_eq!((turned.width(), turned.height()), upright.dimensions());
                assert_close(&turned.square(SIDE), &expected.square(SIDE), 0.8, 8);
                assert_eq!(turned.fit(100).dimensions(), expected.fit(100).dimensions());
            }
        }
    }
}

#[test]
fn orientation_is_exact_in_lossless_formats() {
    use image::ImageEncoder;
    let upright = small("beach_sunset");
    let expected = decode(&encoded(upright.clone(), ImageFormat::Png));
    for orientation in 1..=8 {
        let stored = stored_as(&upright, orientation);
        let mut files = [Vec::new(), Vec::new()];
        let mut png = image::codecs::png::PngEncoder::new(&mut files[0]);
        png.set_exif_metadata(exif(orientation, false)).unwrap();
        png.write_image(&stored, stored.width(), stored.height(), image::ExtendedColorType::Rgb8).unwrap();
        let mut webp = image::codecs::webp::WebPEncoder::new_lossless(&mut files[1]);
        webp.set_exif_metadata(exif(orientation, true)).unwrap();
        webp.write_image(&stored, stored.width(), stored.height(), image::ExtendedColorType::Rgb8).unwrap();
        for file in &files {
            let turned = decode(file);
            assert_eq!(turned.fit(u32::MAX), upright, "orientation {orientation}");
            // Both passes of the resampling round; turned, they come in the other order.
            assert_close(&turned.square(SIDE), &expected.square(SIDE), 0.2, 1);
        }
    }
}

#[test]
fn broken_exif_is_ignored() {
    let plain = fixture("beach_sunset.jpg");
    let expected = decode(&plain).square(SIDE);
    for block in [&b""[..], b"MM\0*", &exif(0, false), &exif(9, true), b"II*\0\xff\xff\xff\xff\x01", &[0xff; 60]] {
        assert_eq!(decode(&with_exif(&plain, block)).square(SIDE), expected);
    }
}

#[test]
fn formats_agree() {
    let expected = decode(&encoded(small("beach_sunset"), ImageFormat::Png)).square(SIDE);
    for (name, bytes) in formats() {
        let decoded = decode(&bytes);
        let square = decoded.square(SIDE);
        match name {
            "plain.bmp" | "lossless.webp" => assert_eq!(square, expected, "{name}"),
            // Its left half is half transparent.
            "lossy.webp" => assert!(square.rgb[0] > 140, "{name}: {}", square.rgb[0]),
            _ => assert_close(&square, &expected, 4.0, 90),
        }
    }
}

#[test]
fn cut_off_photos_are_errors() {
    let mut files = formats();
    files.push(("beach_sunset.jpg", fixture("beach_sunset.jpg")));
    files.push(("turned.jpg", with_exif(&fixture("portrait.jpg"), &exif(6, false))));
    for (name, bytes) in files {
        for sixteenth in 0..16 {
            let cut = &bytes[..bytes.len() * sixteenth / 16];
            let kind = refusal(cut).kind();
            assert_eq!(kind, if sixteenth == 0 { "empty" } else { "truncated" }, "{name} at {sixteenth}/16");
        }
    }
}

#[test]
fn no_cut_panics_or_gives_half_a_jpeg() {
    let jpegs = [jpeg(small("stage"), 60), fixture("cmyk.jpg")];
    for bytes in jpegs {
        for end in 1..bytes.len() {
            assert_eq!(refusal(&bytes[..end]).kind(), "truncated", "at {end} of {}", bytes.len());
        }
    }
}

#[test]
fn bytes_behind_the_photo_do_not_matter() {
    for (name, mut bytes) in formats() {
        let expected = decode(&bytes).square(SIDE);
        bytes.extend(b"some phones append a video here");
        assert_eq!(decode(&bytes).square(SIDE), expected, "{name}");
    }
}

#[test]
fn names_do_not_matter() {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes, format) in [
        ("song.txt", fixture("beach_sunset.jpg"), Format::Jpeg),
        ("photo.jpg", encoded(small("forest"), ImageFormat::Png), Format::Png),
        ("photo.heic", fixture("lossy.webp"), Format::WebP),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let limits = Limits::default();
        let bytes = read(std::fs::File::open(&path).unwrap(), &limits).unwrap();
        assert_eq!(Decoded::from_bytes(&bytes, &limits).unwrap().format(), format);
    }
}

#[test]
fn huge_claims_are_refused_by_the_header() {
    let mut claims = jpeg(small("blank"), 50);
    let frame = claims.windows(2).position(|pair| pair == [0xff, 0xc0]).unwrap();
    claims[frame + 5..frame + 9].copy_from_slice(&[0xea, 0x60, 0xea, 0x60]);
    let mut gif = animated_gif();
    gif[6..10].copy_from_slice(&[0x60, 0xea, 0x60, 0xea]);
    let mut bmp = encoded(small("blank"), ImageFormat::Bmp);
    bmp[18..26].copy_from_slice(&[0x60, 0xea, 0, 0, 0x60, 0xea, 0, 0]);
    for (name, bytes) in [("jpeg", claims), ("png", png((60_000, 60_000), 16, 6, &[], &[])), ("gif", gif), ("bmp", bmp)]
    {
        let error = refusal(&bytes);
        assert_eq!(error.kind(), "side_too_long", "{name}");
        assert!(error.to_string().contains("60000 x 60000 pixels, at most 16384 a side"), "{name}: {error}");
    }
    let widest = refusal(&png((0x7fff_ffff, 1), 16, 6, &[], &[]));
    assert_eq!(widest.kind(), "side_too_long");
    let mut webp = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f".to_vec();
    webp.extend([0xfe, 0xbf, 0xff, 0x0f, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let error = refusal(&webp);
    assert_eq!(error.kind(), "too_many_pixels", "{error}");
    assert!(error.to_string().contains("16383 x 16383 pixels, at most 50.0 megapixels"), "{error}");
}

#[test]
fn limits_are_kept() {
    let limits = Limits { max_bytes: 4000, max_side: 100, max_pixels: 96 * 72 };
    let picture = |width, height| encoded(RgbImage::new(width, height), ImageFormat::Png);
    assert!(Decoded::from_bytes(&picture(96, 72), &limits).is_ok());
    assert_eq!(Decoded::from_bytes(&picture(97, 72), &limits).unwrap_err().kind(), "too_many_pixels");
    assert_eq!(Decoded::from_bytes(&picture(101, 1), &limits).unwrap_err().kind(), "side_too_long");
    let error = Decoded::from_bytes(&fixture("beach_sunset.jpg"), &limits).unwrap_err();
    assert_eq!(error.kind(), "too_many_bytes");
    assert!(read(&[0; 4000][..], &limits).is_ok());
    let error = read(std::io::repeat(0), &limits).unwrap_err();
    assert_eq!(error.to_string(), "the photo has 4001 bytes or more, at most 4000 bytes are allowed; save it smaller");
}

#[test]
fn animations_give_their_first_frame() {
    let decoded = decode(&animated_gif());
    assert_color(&decoded, 0.9, 0.5, [250, 10, 10], 6);
    assert_color(&decoded, 0.1, 0.5, [255, 255, 255], 0);
    let decoded = decode(&fixture("animated.webp"));
    assert_close(&decoded.square(SIDE), &decode(&fixture("progressive.jpg")).square(SIDE), 4.0, 60);
}

#[test]
fn frames_smaller_and_larger_than_their_gif() {
    let mut small_frame = encoded(RgbImage::from_pixel(20, 10, Rgb([9, 200, 9])), ImageFormat::Gif);
    small_frame[6..10].copy_from_slice(&[40, 0, 20, 0]);
    let decoded = decode(&small_frame);
    assert_eq!((decoded.width(), decoded.height()), (40, 20));
    assert_color(&decoded, 0.2, 0.2, [9, 200, 9], 4);
    assert_color(&decoded, 0.9, 0.9, [255, 255, 255], 0);
    let mut large_frame = small_frame;
    let frame = large_frame.windows(5).position(|five| five == [0x2c, 0, 0, 0, 0]).unwrap();
    large_frame[frame + 5..frame + 9].copy_from_slice(&[0xff, 0xff, 0xff, 0xff]);
    assert!(Decoded::from_bytes(&large_frame, &Limits::default()).is_err());
}

#[test]
fn cmyk_jpeg_has_its_colors() {
    let decoded = decode(&fixture("cmyk.jpg"));
    assert_eq!((decoded.width(), decoded.height()), (64, 48));
    assert_color(&decoded, 0.25, 0.25, [0, 255, 255], 12);
    assert_color(&decoded, 0.75, 0.25, [255, 0, 255], 12);
    assert_color(&decoded, 0.25, 0.75, [255, 255, 0], 12);
    assert_color(&decoded, 0.75, 0.75, [127, 127, 127], 12);
}

#[test]
fn grey_jpeg_is_grey() {
    let grey = image::DynamicImage::ImageRgb8(small("portrait")).into_luma8();
    let plain = jpeg(grey, 92);
    let marked = with_segment(&plain, 0xee, b"Adobe\0\x64\0\0\0\0\0");
    for file in [plain, marked] {
        let square = decode(&file).square(SIDE);
        assert!(square.rgb.chunks(3).all(|pixel| pixel[0] == pixel[1] && pixel[1] == pixel[2]));
        assert!(square.rgb.iter().max() > Some(&150));
    }
}

#[test]
fn sixteen_bit_png_loses_nothing_visible() {
    let eight = small("snowy_mountain");
    let expected = decode(&encoded(eight.clone(), ImageFormat::Png)).square(SIDE);
    let sixteen: ImageBuffer<Rgb<u16>, Vec<u16>> =
        ImageBuffer::from_fn(96, 72, |x, y| Rgb(eight.get_pixel(x, y).0.map(|value| u16::from(value) * 257)));
    assert_eq!(decode(&encoded(sixteen, ImageFormat::Png)).square(SIDE), expected);
    let grey: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(9, 9, Luma([0x8080]));
    assert_color(&decode(&encoded(grey, ImageFormat::Png)), 0.5, 0.5, [128; 3], 0);
    let veiled: ImageBuffer<LumaA<u16>, Vec<u16>> = ImageBuffer::from_pixel(9, 9, LumaA([0, 0x8000]));
    assert_color(&decode(&encoded(veiled, ImageFormat::Png)), 0.5, 0.5, [127; 3], 1);
}

#[test]
fn palette_png_has_its_colors() {
    let colors: [u8; 9] = [200, 30, 30, 30, 200, 30, 30, 30, 200];
    let rows = [0, 0b0001_1000, 0, 0b0001_1000];
    let chunks: [(&[u8; 4], &[u8]); 2] = [(b"PLTE", &colors), (b"tRNS", &[255, 255, 0])];
    let decoded = decode(&png((4, 2), 2, 3, &chunks, &rows));
    assert_color(&decoded, 0.1, 0.1, [200, 30, 30], 0);
    assert_color(&decoded, 0.3, 0.1, [30, 200, 30], 0);
    assert_color(&decoded, 0.6, 0.1, [255, 255, 255], 0);
    let bits = decode(&png((8, 1), 1, 0, &[], &[0, 0b1010_0101]));
    assert_color(&bits, 0.05, 0.5, [255; 3], 0);
    assert_color(&bits, 0.2, 0.5, [0; 3], 0);
}

#[test]
fn transparency_shows_white() {
    let veil = image::RgbaImage::from_fn(30, 10, |x, _| Rgba([200, 0, 0, [0, 128, 255][x as usize / 10]]));
    for format in [ImageFormat::Png, ImageFormat::WebP] {
        let decoded = decode(&encoded(veil.clone(), format));
        assert_color(&decoded, 0.1, 0.5, [255, 255, 255], 0);
        assert_color(&decoded, 0.5, 0.5, [227, 127, 127], 1);
        assert_color(&decoded, 0.9, 0.5, [200, 0, 0], 0);
    }
}

#[test]
fn extreme_shapes_are_taken() {
    for (width, height) in [(1, 1), (1, 500), (16_384, 1), (3, 2)] {
        let decoded = decode(&encoded(RgbImage::from_pixel(width, height, Rgb([7, 8, 9])), ImageFormat::Png));
        assert!(decoded.square(SIDE).rgb.chunks(3).all(|pixel| pixel == [7, 8, 9]));
        let fitted = decoded.fit(64);
        assert!(fitted.width() <= 64 && fitted.height() <= 64, "{:?}", fitted.dimensions());
    }
}

#[test]
fn other_files_are_named() {
    for (bytes, expected) in [
        (
            &b"\0\0\0\x24ftypheic\0\0\0\0mif1heic"[..],
            "found a HEIC photo, but a photo must be JPEG, PNG, WebP, GIF or BMP",
        ),
        (b"\0\0\0\x1cftypavif\0\0\0\0avifmif1", "found an AVIF photo"),
        (b"Dear diary,\n", "found text"),
        (b"%PDF-1.4 ...", "found a PDF document"),
        (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2", "found an MP4 or QuickTime video"),
    ] {
        let error = refusal(bytes);
        assert_eq!(error.kind(), "unsupported_format");
        assert!(error.to_string().starts_with(expected), "{error}");
    }
    assert_eq!(refusal(b"").to_string(), "the photo is empty (0 bytes); give a JPEG, PNG, WebP, GIF or BMP file");
}
