//! Serving kernels over one photo: products and depthwise convolutions with bias, clamp and residual in the same pass.
//!
//! A map that a 3x3 convolution reads next is written with a border of one zero pixel around it ([`Grid::bordered`]), so
//! that no loop asks where the photo ends and a dense 3x3 convolution is a product over three runs of input, without
//! patches.

pub mod depthwise;
pub mod product;
#[cfg(target_arch = "x86_64")]
mod tiles_x86;

/// Where the pixels of a map lie: pixel `m` begins at `start + m / width * pitch + m % width * step`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Grid {
    /// Begin of the first pixel.
    pub start: usize,
    /// Pixels of a row.
    pub width: usize,
    /// From the begin of a row to that of the next.
    pub pitch: usize,
    /// From the begin of a pixel to that of the next.
    pub step: usize,
}

impl Grid {
    /// `n` pixels end to end.
    pub fn plain(n: usize, channels: usize) -> Self {
        Self { start: 0, width: n, pitch: n * channels, step: channels }
    }

    /// The inner pixels of a map `[side + 2, side + 2, channels]`.
    pub fn bordered(side: usize, channels: usize) -> Self {
        let pitch = (side + 2) * channels;
        Self { start: pitch + channels, width: side, pitch, step: channels }
    }

    fn cursor(self, m: usize) -> Cursor {
        let (row, column) = (m / self.width, m % self.width);
        Cursor { grid: self, row: self.start + row * self.pitch, column }
    }
}

/// Walks over a grid without dividing.
#[derive(Clone, Copy)]
struct Cursor {
    grid: Grid,
    row: usize,
    column: usize,
}

impl Cursor {
    /// Begins of the next `R` pixels; where fewer than `R` are left, the last one again.
    #[inline(always)]
    fn take<const R: usize>(&mut self, left: usize) -> [usize; R] {
        let mut begins = [0; R];
        for (r, begin) in begins.iter_mut().enumerate() {
            *begin = self.row + self.column * self.grid.step;
            if r + 1 < left {
                self.column += 1;
                if self.column == self.grid.width {
                    self.column = 0;
                    self.row += self.grid.pitch;
                }
            }
        }
        begins
    }
}

/// Zeroes the border of a map `[side + 2, side + 2, channels]`.
///
/// # Panics
/// If the map is shorter than its shape.
pub fn clear_border(map: &mut [f32], side: usize, channels: usize) {
    let pitch = (side + 2) * channels;
    let rows = &mut map[..(side + 2) * pitch];
    rows[..pitch].fill(0.0);
    rows[(side + 1) * pitch..].fill(0.0);
    for row in rows.chunks_exact_mut(pitch) {
        row[..channels].fill(0.0);
        row[pitch - channels..].fill(0.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `map [side, side, channels]` with its border, the way that kernels find it.
    pub(super) fn bordered(map: &[f32], side: usize, channels: usize) -> Vec<f32> {
        let mut wide = vec![f32::NAN; (side + 2) * (side + 2) * channels];
        clear_border(&mut wide, side, channels);
        let grid = Grid::bordered(side, channels);
        for (m, pixel) in map.chunks_exact(channels).enumerate() {
            wide[grid.start + m / side * grid.pitch + m % side * grid.step..][..channels].copy_from_slice(pixel);
        }
        wide
    }

    pub(super) fn random(n: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
        (0..n).map(|_| rng.f32() - 0.5).collect()
    }

    pub(super) fn assert_near(found: &[f32], expected: &[f32], what: &str) {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
            assert!((found - expected).abs() < 1e-4, "{what} at {i}: {found} and {expected}");
        }
    }

    #[test]
    fn cursors_walk_as_grids_say() {
        for grid in [Grid::plain(12, 4), Grid::bordered(3, 4), Grid { start: 5, width: 2, pitch: 30, step: 7 }] {
            let at = |m: usize| grid.start + m / grid.width * grid.pitch + m % grid.width * grid.step;
            let mut cursor = grid.cursor(2);
            assert_eq!(cursor.take::<4>(7), [2, 3, 4, 5].map(at));
            assert_eq!(cursor.take::<4>(3), [6, 7, 8, 8].map(at));
        }
    }
}
