//! Random views of a photo: crop, flip and color; and the plain view that evaluation and serving see.

use fastrand::Rng;

/// Least share of the photo's area that a crop keeps.
const MIN_AREA: f32 = 0.5;
/// Most that a crop's sides are stretched against each other.
const MAX_STRETCH: f32 = 4.0 / 3.0;
/// Most that brightness, contrast and saturation are changed, as a fraction.
const COLOR: f32 = 0.3;

/// Pixels as the network reads them: `x / 127.5 - 1`, in `[-1, 1]`.
pub fn plain(rgb: &[u8], out: &mut Vec<f32>) {
    out.extend(rgb.iter().map(|&byte| f32::from(byte) / 127.5 - 1.0));
}

/// Appends a random view of `rgb [side, side, 3]`, `[out_side, out_side, 3]` in `[-1, 1]`.
pub fn random_view(rgb: &[u8], side: usize, out_side: usize, rng: &mut Rng, out: &mut Vec<f32>) {
    let area = MIN_AREA + (1.0 - MIN_AREA) * rng.f32();
    let stretch = ((rng.f32() * 2.0 - 1.0) * MAX_STRETCH.ln() / 2.0).exp();
    let (width, height) = ((area.sqrt() * stretch).min(1.0), (area.sqrt() / stretch).min(1.0));
    let (x0, y0) = (rng.f32() * (1.0 - width), rng.f32() * (1.0 - height));
    let is_flipped = rng.bool();
    let color = Color::random(rng);
    let scale = side as f32 / out_side as f32;
    let columns: Vec<(usize, usize, f32)> = (0..out_side)
        .map(|x| {
            let x = if is_flipped { out_side - 1 - x } else { x };
            neighbors((x as f32 + 0.5) * scale * width + x0 * side as f32 - 0.5, side)
        })
        .collect();
    for y in 0..out_side {
        let (top, bottom, down) = neighbors((y as f32 + 0.5) * scale * height + y0 * side as f32 - 0.5, side);
        let (top, bottom) = (&rgb[top * side * 3..][..side * 3], &rgb[bottom * side * 3..][..side * 3]);
        for &(left, right, along) in &columns {
            let mut pixel = [0.0f32; 3];
            for (channel, value) in pixel.iter_mut().enumerate() {
                let at = |row: &[u8], column: usize| f32::from(row[column * 3 + channel]);
                let upper = at(top, left) + (at(top, right) - at(top, left)) * along;
                let lower = at(bottom, left) + (at(bottom, right) - at(bottom, left)) * along;
                *value = (upper + (lower - upper) * down) / 127.5 - 1.0;
            }
            out.extend(color.apply(pixel));
        }
    }
}

/// The two cells around a position and how far it lies towards the second.
fn neighbors(position: f32, side: usize) -> (usize, usize, f32) {
    let position = position.clamp(0.0, (side - 1) as f32);
    let low = position as usize;
    (low, (low + 1).min(side - 1), position - low as f32)
}

struct Color {
    brightness: f32,
    contrast: f32,
    saturation: f32,
}

impl Color {
    fn random(rng: &mut Rng) -> Self {
        if rng.f32() < 0.2 {
            return Self { brightness: 0.0, contrast: 1.0, saturation: 1.0 };
        }
        let mut change = || (rng.f32() * 2.0 - 1.0) * COLOR;
        Self { brightness: change(), contrast: 1.0 + change(), saturation: 1.0 + change() }
    }

    fn apply(&self, pixel: [f32; 3]) -> [f32; 3] {
        // Luma weights of BT.601.
        let gray = 0.299 * pixel[0] + 0.587 * pixel[1] + 0.114 * pixel[2];
        pixel.map(|v| ((gray + (v - gray) * self.saturation) * self.contrast + self.brightness).clamp(-1.0, 1.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_in_range_and_repeat_with_their_seed() {
        let mut rng = Rng::with_seed(7);
        let rgb: Vec<u8> = (0..32 * 32 * 3).map(|_| rng.u8(..)).collect();
        for seed in 0..50 {
            let (mut one, mut two) = (Vec::new(), Vec::new());
            random_view(&rgb, 32, 24, &mut Rng::with_seed(seed), &mut one);
            random_view(&rgb, 32, 24, &mut Rng::with_seed(seed), &mut two);
            assert_eq!(one.len(), 24 * 24 * 3);
            assert_eq!(one, two);
            assert!(one.iter().all(|v| (-1.0..=1.0).contains(v)));
        }
    }
}
