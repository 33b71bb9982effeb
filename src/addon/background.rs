//! What photos look like in general to one tagger, `background.bin` of a model folder: how its features are spread, and the
//! features of some hundred photos. With it a tag is learned from a few examples and no data folder: the spread says which
//! differences are large, the photos are what the tag must not answer to.
//!
//! The tagger's own head cannot stand in for it. Its weights say which directions matter to its tags, but neither how far
//! photos usually scatter along them nor how often the loudest of 14 regions of a photo that shows nothing of the tag is
//! loud by chance; and that is what a probability is made of. A Gaussian of the stored spread underrates the chance, since
//! the features are cut off at zero and have long tails; so photos are kept, as numbers in the reduced space, from which
//! no picture can be made.

use std::path::Path;

use super::error::AddonError;
use crate::lyric::packed::{ColumnReader, ColumnWriter, Kind, PackedError};
use crate::tagger::regions::regions;

/// Name of the file in a model folder.
pub const FILE_NAME: &str = "background.bin";

const KIND: Kind = Kind { magic: *b"I2SBACKG", version: 1 };

/// Numbers of the reduced space, in which spread is the same in every direction.
pub const N_DIMS: usize = 128;

/// Photos that are kept.
pub const N_PHOTOS: usize = 400;

/// Steps of the orthogonal iteration that finds the widest directions; more change nothing that can be measured.
const N_STEPS: usize = 12;

/// Spread that is added to every direction, as a share of the narrowest one that is kept, so that the last do not turn
/// noise into signal.
const SHRINKAGE: f64 = 0.5;

/// Largest number that is kept, in standard deviations.
const LARGEST: f32 = 6.0;

/// Spread of a tagger's features, and some photos.
#[derive(Debug, Clone, PartialEq)]
pub struct Background {
    /// Digest of the tagger.
    pub tagger: String,
    /// Numbers of the reduced space.
    pub n_dims: usize,
    /// Mean of the features of regions, `[n_features]`.
    mean: Vec<f32>,
    /// From features to the reduced space, `[n_features, n_dims]`.
    projection: Vec<f32>,
    /// Photos in the reduced space, `[n_photos, n_regions, n_dims]`, in steps of `LARGEST / 127`.
    photos: Vec<i8>,
}

impl Background {
    /// The background of photos, each `[n_regions, n_features]`: all give the spread, [`N_PHOTOS`] of them, evenly chosen,
    /// are kept. `None` if there are fewer than those or fewer features than [`N_DIMS`].
    pub fn of(tagger: &str, photos: &[Vec<f32>]) -> Option<Self> {
        let n_features = photos.first()?.len() / regions().len();
        if photos.len() < N_PHOTOS || n_features < N_DIMS {
            return None;
        }
        let (mean, spread) = moments(photos, n_features);
        let projection = whitening(&spread, n_features, N_DIMS);
        let mut background = Self { tagger: tagger.to_owned(), n_dims: N_DIMS, mean, projection, photos: Vec::new() };
        let step = LARGEST / 127.0;
        for kept in 0..N_PHOTOS {
            let reduced = background.reduced(&photos[kept * photos.len() / N_PHOTOS]);
            background.photos.extend(reduced.iter().map(|x| (x / step).round().clamp(-127.0, 127.0) as i8));
        }
        Some(background)
    }

    /// Numbers of a feature vector.
    pub fn n_features(&self) -> usize {
        self.mean.len()
    }

    /// Photos kept.
    pub fn n_photos(&self) -> usize {
        self.photos.len() / self.n_photo()
    }

    fn n_photo(&self) -> usize {
        regions().len() * self.n_dims
    }

    /// The kept photos, each `[n_regions, n_dims]`.
    pub fn photos(&self) -> Vec<Vec<f32>> {
        let step = LARGEST / 127.0;
        self.photos.chunks_exact(self.n_photo()).map(|row| row.iter().map(|&x| f32::from(x) * step).collect()).collect()
    }

    /// Features of regions `[n_regions, n_features]` in the reduced space, `[n_regions, n_dims]`.
    pub fn reduced(&self, features: &[f32]) -> Vec<f32> {
        let mut reduced = vec![0.0; features.len() / self.n_features() * self.n_dims];
        let rows = features.chunks_exact(self.n_features()).zip(reduced.chunks_exact_mut(self.n_dims));
        for (row, out) in rows {
            for ((x, mean), weights) in row.iter().zip(&self.mean).zip(self.projection.chunks_exact(self.n_dims)) {
                out.iter_mut().zip(weights).for_each(|(sum, weight)| *sum += (x - mean) * weight);
            }
        }
        reduced
    }

    /// The direction `[n_dims]` and bias in the reduced space as weights `[n_features]` and bias on features.
    pub fn lifted(&self, direction: &[f32], bias: f32) -> (Vec<f32>, f32) {
        let dot = |row: &[f32]| row.iter().zip(direction).map(|(p, d)| p * d).sum::<f32>();
        let weights: Vec<f32> = self.projection.chunks_exact(self.n_dims).map(dot).collect();
        let shift: f32 = weights.iter().zip(&self.mean).map(|(weight, mean)| weight * mean).sum();
        (weights, bias - shift)
    }

    /// Reads [`FILE_NAME`] of a model folder whose tagger has this digest.
    ///
    /// # Errors
    /// It is missing, damaged, or of another tagger.
    pub fn read(model_dir: &Path, tagger: &str) -> Result<Self, AddonError> {
        let path = model_dir.join(FILE_NAME);
        let unusable = |fault: String| AddonError::Background { path: path.clone(), fault };
        let bytes = std::fs::read(&path).map_err(|error| unusable(error.to_string()))?;
        let background = Self::from_bytes(&bytes).map_err(|error| unusable(error.to_string()))?;
        if background.tagger != tagger {
            return Err(unusable("it was made for another tagger than the model's".to_owned()));
        }
        Ok(background)
    }

    /// Writes [`FILE_NAME`] into a model folder.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, model_dir: &Path) -> Result<(), AddonError> {
        let (path, draft) = (model_dir.join(FILE_NAME), model_dir.join(".background.new"));
        let bytes = self.to_bytes()?;
        let written = std::fs::write(&draft, bytes).and_then(|()| std::fs::rename(&draft, &path));
        written.map_err(|source| AddonError::Unwritable { path, source })
    }

    fn to_bytes(&self) -> Result<Vec<u8>, PackedError> {
        let half = |values: &[f32]| -> Vec<u8> {
            values.iter().flat_map(|&value| half::f16::from_f32(value).to_le_bytes()).collect()
        };
        let mut writer = ColumnWriter::default();
        writer.bytes(self.tagger.as_bytes())?;
        writer.number(self.n_dims as u32);
        writer.bytes(&half(&self.mean))?;
        writer.bytes(&half(&self.projection))?;
        writer.bytes(&self.photos.iter().map(|x| x.cast_unsigned()).collect::<Vec<u8>>())?;
        KIND.pack(&writer.finish())
    }

    fn from_bytes(file: &[u8]) -> Result<Self, PackedError> {
        let whole = |bytes: &[u8]| -> Vec<f32> {
            bytes.as_chunks::<2>().0.iter().map(|&pair| half::f16::from_le_bytes(pair).to_f32()).collect()
        };
        let payload = KIND.unpack(file)?;
        let mut reader = ColumnReader::new(&payload);
        let tagger = reader.text()?.to_owned();
        let n_dims = reader.number()? as usize;
        let mean = whole(reader.bytes()?);
        let projection = whole(reader.bytes()?);
        let photos: Vec<i8> = reader.bytes()?.iter().map(|x| x.cast_signed()).collect();
        reader.finish()?;
        let is_finite = mean.iter().chain(&projection).all(|value| value.is_finite());
        let fits = Some(projection.len()) == mean.len().checked_mul(n_dims)
            && n_dims > 0
            && !photos.is_empty()
            && n_dims.checked_mul(regions().len()).is_some_and(|n| photos.len().is_multiple_of(n));
        if !(fits && is_finite && !mean.is_empty()) {
            return Err(PackedError::Damaged { what: "its parts do not fit each other" });
        }
        Ok(Self { tagger, n_dims, mean, projection, photos })
    }
}

/// Mean `[n]` and covariance `[n, n]` of the features of all regions of all photos.
fn moments(photos: &[Vec<f32>], n: usize) -> (Vec<f32>, Vec<f64>) {
    let n_rows = (photos.len() * regions().len()) as f64;
    let mut mean = vec![0f64; n];
    for row in photos.iter().flat_map(|photo| photo.chunks_exact(n)) {
        mean.iter_mut().zip(row).for_each(|(sum, &x)| *sum += f64::from(x) / n_rows);
    }
    let mut spread = vec![0f64; n * n];
    // Blocks of single precision sums: fast, and no block is long enough to lose digits.
    for photo in photos.chunks(32) {
        let mut block = vec![0f32; n * n];
        for row in photo.iter().flat_map(|photo| photo.chunks_exact(n)) {
            let centered: Vec<f32> = row.iter().zip(&mean).map(|(&x, &mean)| x - mean as f32).collect();
            for (out, &x) in block.chunks_exact_mut(n).zip(&centered).filter(|(_, x)| **x != 0.0) {
                out.iter_mut().zip(&centered).for_each(|(sum, y)| *sum += x * y);
            }
        }
        spread.iter_mut().zip(&block).for_each(|(sum, &x)| *sum += f64::from(x) / n_rows);
    }
    (mean.iter().map(|&x| x as f32).collect(), spread)
}

/// A map `[n, k]` onto the `k` widest directions of a covariance `[n, n]`, after which the covariance is the unit matrix up
/// to the shrinkage: an orthonormal basis Q of these directions, then the inverse of a Cholesky factor of Qᵀ C Q.
fn whitening(spread: &[f64], n: usize, k: usize) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(1);
    // Rows are directions.
    let mut basis: Vec<Vec<f64>> = (0..k).map(|_| (0..n).map(|_| rng.f64() - 0.5).collect()).collect();
    orthonormalize(&mut basis);
    for _ in 0..N_STEPS {
        basis.iter_mut().for_each(|row| *row = times(spread, row));
        orthonormalize(&mut basis);
    }
    let images: Vec<Vec<f64>> = basis.iter().map(|row| times(spread, row)).collect();
    let mut inner: Vec<Vec<f64>> = basis.iter().map(|a| images.iter().map(|b| dot(a, b)).collect()).collect();
    let narrowest = (0..k).map(|i| inner[i][i]).fold(f64::INFINITY, f64::min).max(1e-9);
    (0..k).for_each(|i| inner[i][i] += SHRINKAGE * narrowest);
    let factor = cholesky(&inner);
    // Column j of the map solves `factor y = Q x` for feature j by forward substitution.
    let mut map = vec![0f32; n * k];
    for feature in 0..n {
        let mut y = vec![0f64; k];
        for i in 0..k {
            let before: f64 = (0..i).map(|j| factor[i][j] * y[j]).sum();
            y[i] = (basis[i][feature] - before) / factor[i][i];
            map[feature * k + i] = y[i] as f32;
        }
    }
    map
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

/// A symmetric matrix times a vector, as a sum of rows, which runs along memory.
fn times(matrix: &[f64], vector: &[f64]) -> Vec<f64> {
    let mut out = vec![0f64; vector.len()];
    for (row, &x) in matrix.chunks_exact(vector.len()).zip(vector) {
        out.iter_mut().zip(row).for_each(|(sum, y)| *sum += x * y);
    }
    out
}

/// Gram-Schmidt, row by row; a row that lies in those before it becomes zeros.
fn orthonormalize(rows: &mut [Vec<f64>]) {
    for i in 0..rows.len() {
        let (before, rest) = rows.split_at_mut(i);
        let row = &mut rest[0];
        // Twice, since rounding leaves a little of the others after once.
        for _ in 0..2 {
            for other in before.iter() {
                let share = dot(row, other);
                row.iter_mut().zip(other).for_each(|(x, y)| *x -= share * y);
            }
        }
        let length = dot(row, row).sqrt();
        row.iter_mut().for_each(|x| *x = if length > 1e-12 { *x / length } else { 0.0 });
    }
}

/// The lower factor of a symmetric matrix; a pivot that is not positive counts as tiny.
fn cholesky(matrix: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let k = matrix.len();
    let mut factor = vec![vec![0f64; k]; k];
    for i in 0..k {
        for j in 0..=i {
            let rest = matrix[i][j] - dot(&factor[i][..j], &factor[j][..j]);
            factor[i][j] = if i == j { rest.max(1e-12).sqrt() } else { rest / factor[j][j] };
        }
    }
    factor
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Photos whose features scatter along few directions, some of them ten times as far.
    fn photos(n: usize, n_features: usize) -> Vec<Vec<f32>> {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut normal = move || (0..6).map(|_| rng.f32() - 0.5).sum::<f32>();
        (0..n)
            .map(|_| {
                let row = |_| (0..n_features).map(|i| 1.0 + normal() * if i < 8 { 10.0 } else { 1.0 }).collect();
                (0..regions().len()).map(row).collect::<Vec<Vec<f32>>>().concat()
            })
            .collect()
    }

    #[test]
    fn the_reduced_space_has_the_same_spread_in_every_direction() {
        let photos = photos(N_PHOTOS + 40, 160);
        let background = Background::of("abc", &photos).unwrap();
        assert_eq!((background.n_photos(), background.n_features()), (N_PHOTOS, 160));
        let rows: Vec<f32> = photos.iter().flat_map(|photo| background.reduced(photo)).collect();
        let n_rows = (rows.len() / N_DIMS) as f32;
        let shrunk = 1.0 / (1.0 + SHRINKAGE as f32);
        for i in [0, 5, 60, N_DIMS - 1] {
            let column = || rows.iter().skip(i).step_by(N_DIMS);
            let mean = column().sum::<f32>() / n_rows;
            let spread = column().map(|x| (x - mean).powi(2)).sum::<f32>() / n_rows;
            assert!(mean.abs() < 0.02 && spread > 0.6 * shrunk && spread < 1.05, "{i}: {mean} {spread}");
        }
        // Kept photos are those of the beginning, up to their rounding.
        let (kept, exact) = (&background.photos()[0], background.reduced(&photos[0]));
        assert!(kept.iter().zip(&exact).all(|(a, b)| (a - b).abs() < 0.03 || b.abs() > 5.9));
    }

    #[test]
    fn a_lifted_direction_says_the_same() {
        let photos = photos(N_PHOTOS, 130);
        let background = Background::of("abc", &photos).unwrap();
        let direction: Vec<f32> = (0..N_DIMS).map(|i| (i as f32).sin()).collect();
        let (weights, bias) = background.lifted(&direction, 0.7);
        for photo in &photos[..5] {
            let reduced = background.reduced(photo);
            for (row, features) in reduced.chunks_exact(N_DIMS).zip(photo.chunks_exact(130)) {
                let a = 0.7 + row.iter().zip(&direction).map(|(x, y)| x * y).sum::<f32>();
                let b = bias + features.iter().zip(&weights).map(|(x, y)| x * y).sum::<f32>();
                assert!((a - b).abs() < 2e-3, "{a} {b}");
            }
        }
    }

    #[test]
    fn the_file_is_read_as_written_and_damage_or_another_tagger_is_told() {
        let dir = tempfile::tempdir().unwrap();
        let background = Background::of("abc", &photos(N_PHOTOS, 128)).unwrap();
        background.write(dir.path()).unwrap();
        let again = Background::read(dir.path(), "abc").unwrap();
        assert_eq!((again.n_photos(), again.n_dims, &again.photos), (N_PHOTOS, N_DIMS, &background.photos));
        let message = Background::read(dir.path(), "def").unwrap_err().to_string();
        assert!(message.contains("another tagger") && message.contains("tags background --data"), "{message}");
        let path = dir.path().join(FILE_NAME);
        let bytes = std::fs::read(&path).unwrap();
        for n in [0, 7, 19, bytes.len() / 2, bytes.len() - 1] {
            std::fs::write(&path, &bytes[..n]).unwrap();
            assert!(Background::read(dir.path(), "abc").is_err(), "cut at {n}");
        }
        assert!(Background::of("abc", &photos(N_PHOTOS - 1, 128)).is_none());
    }
}
