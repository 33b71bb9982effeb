//! Graded pairs of photos and songs: for each photo the songs that fit it best, as the matcher's targets.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::Deserialize;

use crate::catalogue::song::SongIdx;
use crate::training::labels::DataError;

/// Most songs of a photo; more would be a broken header rather than pairs.
const MAX_PER_PHOTO: usize = 4096;

/// The songs that fit each photo of a data folder.
#[derive(Debug, Clone, PartialEq)]
pub struct Pairs {
    n_photos: usize,
    per_photo: usize,
    /// `[n_photos, per_photo]`, rows of the songs file, best first.
    songs: Vec<u32>,
    /// `[n_photos, per_photo]`.
    grades: Vec<u8>,
}

/// What `pairs.json` must say; it may say more.
#[derive(Debug, Deserialize)]
struct Header {
    version: u32,
    file: String,
    photos: usize,
    songs: usize,
    per_photo: usize,
}

impl Pairs {
    /// Reads `pairs.json` and the file that it names from a pairs folder; `n_photos` and `n_songs` are what the photo
    /// index and the songs file hold, in whose order the pairs count.
    ///
    /// # Errors
    /// A file is missing, is no zstd, has another version or size than stated, or is for other photos or songs.
    pub fn read(dir: &Path, n_photos: usize, n_songs: usize) -> Result<Self, DataError> {
        let path = dir.join("pairs.json");
        let text = std::fs::read_to_string(&path).map_err(|source| DataError::Read { path: path.clone(), source })?;
        let fault = |reason| DataError::Content { path: path.clone(), reason };
        let header: Header = serde_json::from_str(&text).map_err(|error| fault(error.to_string()))?;
        if !(1..=2).contains(&header.version) {
            return Err(fault(format!("has version {}, this program reads 1 and 2", header.version)));
        }
        if (header.photos, header.songs) != (n_photos, n_songs) {
            return Err(fault(format!(
                "is for {} photos and {} songs, the folder has {n_photos} and {n_songs}; make the pairs anew for these",
                header.photos, header.songs
            )));
        }
        if !(1..=MAX_PER_PHOTO).contains(&header.per_photo) {
            return Err(fault(format!("has {} songs a photo, allowed are 1 to {MAX_PER_PHOTO}", header.per_photo)));
        }
        if header.file.contains(['/', '\\']) || header.file.starts_with('.') {
            return Err(fault(format!("names the file {:?}; write the name of a file beside it", header.file)));
        }
        Self::read_binary(&dir.join(&header.file), &header)
    }

    /// All song numbers (u32, little-endian), then all grades (a byte each), in one zstd frame.
    fn read_binary(path: &Path, header: &Header) -> Result<Self, DataError> {
        let fault = |reason| DataError::Content { path: path.to_owned(), reason };
        let unreadable = |source| DataError::Read { path: path.to_owned(), source };
        let n_pairs = header
            .photos
            .checked_mul(header.per_photo)
            .filter(|n| n.checked_mul(5).is_some())
            .ok_or_else(|| fault("is stated to hold more pairs than can be counted".to_owned()))?;
        let decoder = zstd::Decoder::new(File::open(path).map_err(unreadable)?).map_err(unreadable)?;
        let mut bytes = Vec::new();
        decoder.take(n_pairs as u64 * 5 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
        if bytes.len() != n_pairs * 5 {
            let (found, per_photo) = (bytes.len(), header.per_photo);
            return Err(fault(format!(
                "holds {found} bytes or more, {} photos with {per_photo} songs need {}",
                header.photos,
                n_pairs * 5
            )));
        }
        let (songs, grades) = bytes.split_at(n_pairs * 4);
        let songs: Vec<u32> =
            songs.chunks_exact(4).map(|four| u32::from_le_bytes([four[0], four[1], four[2], four[3]])).collect();
        if let Some(position) = songs.iter().position(|&song| song as usize >= header.songs) {
            let (photo, song, n_songs) = (position / header.per_photo, songs[position], header.songs);
            return Err(fault(format!("gives photo {photo} the song {song}; {n_songs} songs are numbered from 0")));
        }
        Ok(Self { n_photos: header.photos, per_photo: header.per_photo, songs, grades: grades.to_vec() })
    }

    /// Pairs from their rows, `[n_photos, per_photo]` each.
    ///
    /// # Panics
    /// If there are not as many grades as songs, or the last row is not whole.
    pub fn from_rows(per_photo: usize, songs: Vec<u32>, grades: Vec<u8>) -> Self {
        assert!(songs.len() == grades.len() && songs.len().is_multiple_of(per_photo), "rows are whole");
        Self { n_photos: songs.len() / per_photo, per_photo, songs, grades }
    }

    /// How many photos there are.
    pub fn n_photos(&self) -> usize {
        self.n_photos
    }

    /// How many songs each photo has.
    pub fn per_photo(&self) -> usize {
        self.per_photo
    }

    /// The songs of a photo with their gains, best first: 0 for one that fits as well as a random song, 1 for the best.
    ///
    /// # Panics
    /// If there is no such photo.
    pub fn of(&self, photo_idx: usize) -> impl Iterator<Item = (SongIdx, f32)> + Clone + '_ {
        let range = photo_idx * self.per_photo..(photo_idx + 1) * self.per_photo;
        let gains = self.grades[range.clone()].iter().map(|&grade| f32::from(grade) / 255.0);
        self.songs[range].iter().map(|&song| SongIdx(song)).zip(gains)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::data_dir;

    /// A pairs folder with this header and these bytes behind zstd.
    fn folder(header: &str, bytes: &[u8]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("pairs.json"), header).unwrap();
        std::fs::write(dir.path().join("pairs.bin.zst"), zstd::encode_all(bytes, 3).unwrap()).unwrap();
        dir
    }

    const HEADER: &str = r#"{"version":2,"file":"pairs.bin.zst","photos":2,"songs":3,"per_photo":2,"made_by":"us"}"#;

    fn bytes(songs: [u32; 4], grades: [u8; 4]) -> Vec<u8> {
        songs.iter().flat_map(|song| song.to_le_bytes()).chain(grades).collect()
    }

    #[test]
    fn pairs_are_read() {
        let dir = folder(HEADER, &bytes([2, 0, 1, 2], [255, 51, 102, 0]));
        let pairs = Pairs::read(dir.path(), 2, 3).unwrap();
        assert_eq!((pairs.n_photos(), pairs.per_photo()), (2, 2));
        assert_eq!(pairs.of(0).collect::<Vec<_>>(), [(SongIdx(2), 1.0), (SongIdx(0), 0.2)]);
        assert_eq!(pairs.of(1).collect::<Vec<_>>(), [(SongIdx(1), 0.4), (SongIdx(2), 0.0)]);
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let good = bytes([2, 0, 1, 2], [9; 4]);
        let beyond = bytes([2, 0, 3, 2], [9; 4]);
        for (header, bytes, message) in [
            ("{".to_owned(), &good[..], "pairs.json: EOF"),
            (HEADER.replace(":2,\"file\"", ":7,\"file\""), &good[..], "pairs.json: has version 7"),
            (HEADER.replace("\"songs\":3", "\"songs\":4"), &good[..], "is for 2 photos and 4 songs"),
            (HEADER.replace("per_photo\":2", "per_photo\":0"), &good[..], "has 0 songs a photo, allowed are 1 to 4096"),
            (HEADER.replace("pairs.bin", "../pairs.bin"), &good[..], "names the file \"../pairs.bin.zst\""),
            (HEADER.to_owned(), &good[..19], "pairs.bin.zst: holds 19 bytes or more, 2 photos with 2 songs need 20"),
            (HEADER.to_owned(), &beyond[..], "pairs.bin.zst: gives photo 1 the song 3; 3 songs are numbered from 0"),
        ] {
            let dir = folder(&header, bytes);
            let error = Pairs::read(dir.path(), 2, 3).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        }
        let dir = folder(HEADER, &good);
        std::fs::write(dir.path().join("pairs.bin.zst"), b"not zstd").unwrap();
        assert!(Pairs::read(dir.path(), 2, 3).unwrap_err().to_string().contains("pairs.bin.zst"));
    }

    #[test]
    fn the_data_folder_has_pairs_for_all_photos() {
        let Some(dir) = data_dir("pairs") else { return };
        let pairs = Pairs::read(&dir, 39_902, 25_000).unwrap();
        let mean = (0..pairs.n_photos()).filter_map(|photo| pairs.of(photo).next()).map(|(_, gain)| gain).sum::<f32>()
            / pairs.n_photos() as f32;
        assert!((mean - 187.3 / 255.0).abs() < 0.01, "{mean}");
    }
}
