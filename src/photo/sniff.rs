//! What a file is, by its first bytes and never by its name. Everything that people take for a photo, and much that they
//! send by mistake, is known by name, so that the error can say what it is.

use super::{Format, PhotoError};

const TO_JPEG: &str = "; export it as JPEG";

/// Offset and bytes that must stand there.
type Mark = (usize, &'static [u8]);

/// Signatures of the allowed formats; all marks of one must match.
const ALLOWED: [(Format, &[Mark]); 6] = [
    (Format::Jpeg, &[(0, &[0xff, 0xd8, 0xff])]),
    (Format::Png, &[(0, b"\x89PNG\r\n\x1a\n")]),
    (Format::WebP, &[(0, b"RIFF"), (8, b"WEBP")]),
    (Format::Gif, &[(0, b"GIF87a")]),
    (Format::Gif, &[(0, b"GIF89a")]),
    (Format::Bmp, &[(0, b"BM"), (15, &[0, 0, 0])]),
];

/// Signatures of what is not allowed: offset, bytes, name with article, remedy.
const REFUSED: [(usize, &[u8], &str, &str); 31] = [
    (0, b"\xff\x0a", "a JPEG XL photo", TO_JPEG),
    (0, b"\0\0\0\x0cJXL ", "a JPEG XL photo", TO_JPEG),
    (0, b"\0\0\0\x0cjP  ", "a JPEG 2000 photo", TO_JPEG),
    (0, b"\xff\x4f\xff\x51", "a JPEG 2000 photo", TO_JPEG),
    (0, b"II*\0", "a TIFF or camera raw photo", TO_JPEG),
    (0, b"MM\0*", "a TIFF or camera raw photo", TO_JPEG),
    (0, b"IIU\0", "a camera raw photo", TO_JPEG),
    (0, b"FUJIFILMCCD-RAW", "a camera raw photo", TO_JPEG),
    (0, b"8BPS", "a Photoshop document", TO_JPEG),
    (0, b"gimp xcf", "a GIMP document", TO_JPEG),
    (0, b"qoif", "a QOI picture", TO_JPEG),
    (0, b"\0\0\x01\0", "an icon", ""),
    (0, b"%PDF", "a PDF document", ""),
    (0, b"\x1a\x45\xdf\xa3", "a Matroska or WebM video", "; take a still from it"),
    (0, b"FLV", "a Flash video", "; take a still from it"),
    (0, b"\0\0\x01\xba", "an MPEG video", "; take a still from it"),
    (0, b"\0\0\x01\xb3", "an MPEG video", "; take a still from it"),
    (8, b"AVI ", "an AVI video", "; take a still from it"),
    (8, b"WAVE", "a WAV sound", ""),
    (0, b"ID3", "an MP3 sound", ""),
    (0, b"OggS", "an Ogg sound or video", ""),
    (0, b"fLaC", "a FLAC sound", ""),
    (0, b"PK\x03\x04", "a ZIP archive or office document", "; unpack it first"),
    (0, b"\x1f\x8b", "a gzip archive", "; unpack it first"),
    (0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "; unpack it first"),
    (0, b"Rar!", "a RAR archive", "; unpack it first"),
    (0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", "; unpack it first"),
    (0, b"\x7fELF", "a program", ""),
    (0, b"MZ", "a program", ""),
    (0, b"SQLite format 3", "a database", ""),
    (257, b"ustar", "a tar archive", "; unpack it first"),
];

/// The format of a photo that can be decoded.
///
/// # Errors
/// [`PhotoError::UnsupportedFormat`] with the name of what it is; [`PhotoError::Truncated`] for less than a signature.
pub fn format(bytes: &[u8]) -> Result<Format, PhotoError> {
    for (format, parts) in ALLOWED {
        if parts.iter().all(|(offset, part)| starts_at(bytes, *offset, part)) {
            return Ok(format);
        }
    }
    if let Some(format) = begun_signature(bytes) {
        return Err(PhotoError::Truncated { format, found: bytes.len() as u64 });
    }
    let (found, remedy) = name(bytes);
    Err(PhotoError::UnsupportedFormat { found, remedy })
}

fn starts_at(bytes: &[u8], offset: usize, part: &[u8]) -> bool {
    bytes.get(offset..).is_some_and(|rest| rest.starts_with(part))
}

/// The format whose signature the bytes begin but do not finish. A lone `B` or `G` says nothing.
fn begun_signature(bytes: &[u8]) -> Option<Format> {
    let begins = |format: &(Format, &[(usize, &[u8])])| {
        let end = format.1.iter().map(|(offset, part)| offset + part.len()).max().unwrap_or(0);
        bytes.len() < end
            && format.1.iter().all(|(offset, part)| {
                let here = bytes.get(*offset..).unwrap_or_default();
                here.is_empty() || part.starts_with(here) || here.starts_with(part)
            })
    };
    if bytes.len() < 2 && !matches!(bytes, [0xff | 0x89]) {
        return None;
    }
    ALLOWED.iter().find(|format| begins(format)).map(|format| format.0)
}

/// What the bytes look like, with its article, and what to do about it.
fn name(bytes: &[u8]) -> (String, &'static str) {
    if starts_at(bytes, 4, b"ftyp") {
        return name_of_box_file(bytes);
    }
    for (offset, signature, name, remedy) in REFUSED {
        if starts_at(bytes, offset, signature) {
            return (name.to_owned(), remedy);
        }
    }
    if let Some(name) = name_of_text(bytes) {
        return (name.to_owned(), "");
    }
    let start: Vec<String> = bytes.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    (format!("unknown data (it begins with {})", start.join(" ")), "")
}

/// Names a file of the ISO base media family by its brands: HEIC and AVIF photos, videos.
fn name_of_box_file(bytes: &[u8]) -> (String, &'static str) {
    let brands = || bytes.get(8..64.min(bytes.len())).unwrap_or_default().chunks_exact(4);
    let has = |wanted: &[&[u8]]| brands().any(|brand| wanted.contains(&brand));
    if has(&[b"avif", b"avis"]) {
        return ("an AVIF photo".to_owned(), TO_JPEG);
    }
    if has(&[b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"]) {
        return ("a HEIC photo".to_owned(), TO_JPEG);
    }
    if has(&[b"crx "]) {
        return ("a camera raw photo".to_owned(), TO_JPEG);
    }
    if has(&[b"M4A "]) {
        return ("an M4A sound".to_owned(), "");
    }
    ("an MP4 or QuickTime video".to_owned(), "; take a still from it")
}

/// Names text by how it begins; `None` if the bytes are no text.
fn name_of_text(bytes: &[u8]) -> Option<&'static str> {
    let head = &bytes[..bytes.len().min(4096)];
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // The cut at 4096 bytes may have split a character.
        Err(error) if error.error_len().is_none() && error.valid_up_to() > 0 => {
            std::str::from_utf8(&head[..error.valid_up_to()]).ok()?
        }
        Err(_) => return None,
    };
    if text.chars().any(|c| c.is_control() && !matches!(c, '\t' | '\n' | '\r' | '\u{c}')) {
        return None;
    }
    let start = text.trim_start_matches('\u{feff}').trim_start().to_ascii_lowercase();
    Some(if start.starts_with("<svg") || (start.starts_with("<?xml") && start.contains("<svg")) {
        "an SVG drawing"
    } else if start.starts_with("<!doctype html") || start.starts_with("<html") {
        "a web page"
    } else if start.starts_with("data:image") {
        "a data URL"
    } else {
        "text"
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expected: &str) {
        let found = match format(bytes) {
            Ok(format) => format.to_string(),
            Err(error) => format!("{}: {error}", error.kind()),
        };
        assert!(found.contains(expected), "{found:?} lacks {expected:?}");
    }

    #[test]
    fn allowed_formats_are_known_by_content() {
        check(b"\xff\xd8\xff\xe0", "JPEG");
        check(b"\x89PNG\r\n\x1a\nrest", "PNG");
        check(b"RIFF\x10\0\0\0WEBPVP8 ", "WebP");
        check(b"GIF89a\x01", "GIF");
        check(b"GIF87a\x01", "GIF");
        check(b"BM\x46\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\x02", "BMP");
    }

    #[test]
    fn others_are_named() {
        check(b"\0\0\0\x1cftypheic\0\0\0\0mif1heic", "found a HEIC photo, but a photo must be JPEG, PNG");
        check(b"\0\0\0\x1cftypmif1\0\0\0\0mif1heic", "a HEIC photo");
        check(b"\0\0\0\x1cftypmif1\0\0\0\0mif1avif", "an AVIF photo");
        check(b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF photo");
        check(b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "video");
        check(b"\0\0\0\x14ftypqt  ", "video");
        check(b"RIFF\x10\0\0\0AVI LIST", "an AVI video");
        check(b"RIFF\x10\0\0\0WAVEfmt ", "a WAV sound");
        check(b"%PDF-1.7\n", "a PDF document");
        check(b"II*\0\x08", "TIFF");
        check("déjà vu, a song\n".as_bytes(), "found text");
        check(b"<?xml version='1.0'?><svg/>", "an SVG drawing");
        check(b"<!DOCTYPE html>", "a web page");
        check(&[0xfe, 0xed, 0xfa, 0xce, 0, 1, 2, 3, 4], "it begins with fe ed fa ce 00 01 02 03)");
        check(&[b'n'; 9000], "found text");
        check("é".repeat(3000).as_bytes(), "found text");
        check(b"B", "found text");
    }

    #[test]
    fn begun_signatures_are_truncated_files() {
        for (cut, expected) in [
            (&b"\xff"[..], "JPEG"),
            (b"\xff\xd8", "JPEG"),
            (b"\x89PN", "PNG"),
            (b"RIFF", "WebP"),
            (b"RIFF\x10\0\0\0WE", "WebP"),
            (b"GIF8", "GIF"),
        ] {
            check(cut, "truncated: ");
            check(cut, expected);
        }
    }
}
