//! Width and height of a picture, read from its header: all that the server's limits need.

/// Width and height of a JPEG or PNG; `None` of anything else.
pub(super) fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
        let side = |at: usize| Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        return Some((side(16)?, side(20)?));
    }
    if !bytes.starts_with(&[0xFF, 0xD8]) {
        return None;
    }
    let mut at = 2;
    loop {
        let header = bytes.get(at..at + 4)?;
        let (marker, n_bytes) = (header[1], usize::from(u16::from_be_bytes([header[2], header[3]])));
        // Start of frame, of any coding, but neither Huffman tables nor arithmetic conditioning.
        if matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC) {
            let side = |at: usize| Some(u32::from(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?)));
            return Some((side(at + 7)?, side(at + 5)?));
        }
        at += 2 + n_bytes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_in_the_headers() {
        let jpeg = [&[0xFF, 0xD8, 0xFF, 0xE0, 0, 4, 1, 2, 0xFF, 0xC0, 0, 17, 8, 1, 0, 2, 3][..], &[0; 20]].concat();
        assert_eq!(size(&jpeg), Some((0x203, 0x100)));
        let png = [&b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"[..], &[0, 0, 1, 0], &[0, 0, 0, 9]].concat();
        assert_eq!(size(&png), Some((256, 9)));
        assert_eq!(size(b"GIF89a"), None);
        assert_eq!(size(&jpeg[..9]), None);
    }
}
