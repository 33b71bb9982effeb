//! What each fuzz target does with its bytes. The ordinary tests run the same bodies over a short corpus of their own.

use image2song::photo::{Decoded, Limits};

/// Photo intake: any answer will do, as long as it keeps the limits and nothing panics.
pub fn photo(data: &[u8]) {
    let limits = Limits { max_bytes: 1 << 20, max_side: 512, max_pixels: 1 << 17 };
    if let Ok(decoded) = Decoded::from_bytes(data, &limits) {
        let (width, height) = (decoded.width(), decoded.height());
        assert!(width.max(height) <= limits.max_side && u64::from(width) * u64::from(height) <= limits.max_pixels);
        assert_eq!(decoded.square(32).rgb.len(), 32 * 32 * 3);
        assert!(decoded.fit(64).width() <= 64);
    }
}
