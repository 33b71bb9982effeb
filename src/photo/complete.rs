//! Whether a file holds its photo to the end. Decoders fill what is missing with grey and say nothing (JPEG), so the
//! structure is walked beforehand; it costs a memory scan.

use super::Format;

/// Whether the file ends before its photo does, as far as its structure tells. `false` does not promise that every
/// byte in between is there.
pub fn is_cut_off(bytes: &[u8], format: Format) -> bool {
    match format {
        Format::Jpeg => jpeg_end(bytes).is_none(),
        Format::WebP => webp_is_cut_off(bytes),
        Format::Png => png_end(bytes).is_none(),
        Format::Gif => gif_frame_end(bytes).is_none(),
        // Its rows have no structure to walk; the decoder reports a missing byte itself.
        Format::Bmp => false,
    }
}

/// Offset just behind the end-of-image marker; `None` if the bytes end before it. Thumbnails lie inside segments, whose
/// lengths are skipped, so that their own end markers do not count.
fn jpeg_end(bytes: &[u8]) -> Option<usize> {
    let mut at = 2;
    loop {
        // Up to the next marker: 0xff and a code that is neither a stuffed zero, a fill byte, nor a restart.
        at += bytes.get(at..)?.iter().position(|&byte| byte == 0xff)?;
        let code = *bytes.get(at + 1)?;
        match code {
            0xff => at += 1,
            0x00 | 0x01 | 0xd0..=0xd8 => at += 2,
            0xd9 => return Some(at + 2),
            _ => {
                let length = bytes.get(at + 2..at + 4)?;
                at += 2 + usize::from(u16::from_be_bytes([length[0], length[1]]));
            }
        }
    }
}

/// Offset just behind the end chunk; `None` if the bytes end before it.
fn png_end(bytes: &[u8]) -> Option<usize> {
    let mut at: usize = 8;
    loop {
        let head = bytes.get(at..at + 8)?;
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        at = at.checked_add(12)?.checked_add(usize::try_from(length).ok()?)?;
        if bytes.len() < at {
            return None;
        }
        if &head[4..] == b"IEND" {
            return Some(at);
        }
    }
}

/// Offset just behind the first frame of a GIF, or its end marker if it has none; `None` if the bytes end before it.
fn gif_frame_end(bytes: &[u8]) -> Option<usize> {
    let color_table = |flags: u8| if flags & 0x80 == 0 { 0 } else { 6 << (flags & 7) };
    let skip_blocks = |mut at: usize| loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length => at += 1 + usize::from(length),
        }
    };
    let mut at = 13 + color_table(*bytes.get(10)?);
    loop {
        match *bytes.get(at)? {
            0x21 => at = skip_blocks(at + 2)?,
            0x2c => return skip_blocks(at + 11 + color_table(*bytes.get(at + 9)?)),
            // The end marker, or what no GIF may hold: for the decoder to judge.
            _ => return Some(at + 1),
        }
    }
}

/// A WebP file says how long it is; an odd length may lack its padding byte.
fn webp_is_cut_off(bytes: &[u8]) -> bool {
    match bytes.get(4..8) {
        Some(size) => {
            let claimed = u64::from(u32::from_le_bytes([size[0], size[1], size[2], size[3]])) + 8;
            (bytes.len() as u64 + 1) < claimed
        }
        None => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_and_fill_bytes_do_not_end_a_jpeg() {
        let mut file = b"\xff\xd8\xff\xe1\0\x06\xff\xd8\xff\xd9\xff\xff\xda\0\x02data\xff\0\xff\xd3more".to_vec();
        assert!(is_cut_off(&file, Format::Jpeg));
        file.extend_from_slice(b"\xff\xd9");
        assert_eq!(jpeg_end(&file), Some(file.len()));
        file.extend_from_slice(b"trailing");
        assert!(!is_cut_off(&file, Format::Jpeg));
    }
}
