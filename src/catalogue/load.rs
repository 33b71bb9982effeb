//! The catalogue in memory: columns and shared strings, no object per song.

use std::io::Write;
use std::path::Path;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use super::error::CatalogueError;
use super::format::{FILE_NAME, KIND, MAX_KEYWORDS, POPULARITY_STEPS};
use super::ragged::Ragged;
use super::search::SearchIndex;
use super::song::{Keyword, Song, SongIdx};
use super::weigh::inverse_frequency;
use crate::lyric::packed::{ColumnReader, PackedError};
use crate::lyric::string_table::StringTable;

/// All songs that can be suggested.
#[derive(Debug)]
pub struct Catalogue {
    digest: String,
    ids: StringTable,
    titles: Lines,
    artists: StringTable,
    artist_of: Vec<u32>,
    years: Vec<u16>,
    languages: StringTable,
    language_of: Vec<u8>,
    genres: StringTable,
    genres_of: Ragged<u8>,
    explicit: Vec<bool>,
    popularity: Vec<u16>,
    words: StringTable,
    keywords: Ragged<Keyword>,
    title_words: Ragged<u32>,
    /// Songs of each language.
    n_songs_of_language: Vec<u32>,
    /// For each language, word (rising) and number of songs with it.
    counts: Ragged<(u32, u32)>,
    search_index: OnceLock<SearchIndex>,
}

/// A text cut into lines.
#[derive(Debug)]
struct Lines {
    text: String,
    ends: Vec<u32>,
}

impl Lines {
    fn new(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|&(_, byte)| byte == b'\n').map(|(end, _)| end as u32).collect();
        Self { text: text.to_owned(), ends }
    }

    fn get(&self, line_idx: usize) -> &str {
        let start = if line_idx == 0 { 0 } else { self.ends[line_idx - 1] as usize + 1 };
        &self.text[start..self.ends[line_idx] as usize]
    }
}

impl Catalogue {
    /// Reads the catalogue of a folder (`catalogue.bin`).
    ///
    /// # Errors
    /// The file is missing, of another kind or version, or damaged; the message names the file and the remedy.
    pub fn load(dir: &Path) -> Result<Self, CatalogueError> {
        let path = dir.join(FILE_NAME);
        let file = std::fs::read(&path).map_err(|source| CatalogueError::Unreadable { path: path.clone(), source })?;
        Self::from_bytes(&file).map_err(|source| CatalogueError::Unusable { file: path.display().to_string(), source })
    }

    /// The catalogue of these bytes. Never panics, whatever they are, and allocates in proportion to them.
    ///
    /// # Errors
    /// They are of another kind or version, or damaged.
    pub fn from_bytes(file: &[u8]) -> Result<Self, PackedError> {
        let payload = KIND.unpack(file)?;
        let digest = Sha256::digest(file).iter().map(|byte| format!("{byte:02x}")).collect();
        let mut reader = ColumnReader::new(&payload);
        let n_songs = reader.number()? as usize;
        let ids = read_table(&mut reader)?;
        let titles = Lines::new(reader.text()?);
        let artists = read_table(&mut reader)?;
        let artist_of = below(reader.numbers_exactly(n_songs)?, artists.len())?;
        let years = reader.numbers_exactly(n_songs)?.into_iter().map(|year| year as u16).collect();
        let languages = read_table(&mut reader)?;
        let language_of = below(reader.bytes_exactly(n_songs)?.to_vec(), languages.len())?;
        let genres = read_table(&mut reader)?;
        let n_genres = reader.bytes_exactly(n_songs)?;
        let genres_of = rows(n_genres, below(reader.bytes()?.to_vec(), genres.len())?)?;
        let explicit = reader.bytes_exactly(n_songs)?.iter().map(|&byte| byte != 0).collect();
        let popularity = reader.numbers_exactly(n_songs)?.into_iter().map(|step| step as u16).collect();
        let words = read_table(&mut reader)?;
        let keywords = read_keywords(&mut reader, n_songs, words.len())?;
        let n_title_words = reader.bytes_exactly(n_songs)?;
        let title_words = rows(n_title_words, below(reader.numbers()?, words.len())?)?;
        let n_songs_of_language = reader.numbers_exactly(languages.len())?;
        let counts = read_counts(&mut reader, languages.len())?;
        reader.finish()?;
        if n_songs == 0 || ids.len() != n_songs || titles.ends.len() != n_songs {
            return Err(PackedError::Damaged { what: "ids, titles and songs differ in number" });
        }
        let search_index = OnceLock::new();
        Ok(Self {
            digest,
            ids,
            titles,
            artists,
            artist_of,
            years,
            languages,
            language_of,
            genres,
            genres_of,
            explicit,
            popularity,
            words,
            keywords,
            title_words,
            n_songs_of_language,
            counts,
            search_index,
        })
    }

    /// How many songs there are; at least 1.
    #[allow(clippy::len_without_is_empty, reason = "a catalogue is never empty")]
    pub fn len(&self) -> usize {
        self.artist_of.len()
    }

    /// All songs, in order.
    pub fn songs(&self) -> impl Iterator<Item = SongIdx> + use<> {
        (0..self.len() as u32).map(SongIdx)
    }

    /// The SHA-256 of the catalogue file, in hexadecimal: what was made for these songs can be tied to it.
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// What is known of a song.
    ///
    /// # Panics
    /// If the song is not of this catalogue; so do all that take one.
    pub fn song(&self, song: SongIdx) -> Song<'_> {
        let song_idx = song.0 as usize;
        Song {
            id: self.ids.get(song.0),
            title: self.title(song),
            artist: self.artist(song),
            year: Some(self.years[song_idx]).filter(|&year| year > 0),
            language: self.language(song),
            genres: self.genres_of.row(song_idx).iter().map(|&genre| self.genres.get(u32::from(genre))).collect(),
            explicit: self.is_explicit(song),
            popularity: self.popularity(song),
        }
    }

    /// The song of this id, if there is one.
    pub fn by_id(&self, id: &str) -> Option<SongIdx> {
        self.ids.find(id).map(SongIdx)
    }

    /// The title alone.
    pub fn title(&self, song: SongIdx) -> &str {
        self.titles.get(song.0 as usize)
    }

    /// The credit alone.
    pub fn artist(&self, song: SongIdx) -> &str {
        self.artists.get(self.artist_of[song.0 as usize])
    }

    /// Number of the credit: equal for songs with the same credit.
    pub fn artist_idx(&self, song: SongIdx) -> u32 {
        self.artist_of[song.0 as usize]
    }

    /// The language alone, ISO 639-1.
    pub fn language(&self, song: SongIdx) -> &str {
        self.languages.get(u32::from(self.language_of[song.0 as usize]))
    }

    /// Number of the language, an index into what [`Catalogue::languages`] gives.
    pub fn language_idx(&self, song: SongIdx) -> usize {
        usize::from(self.language_of[song.0 as usize])
    }

    /// The languages of the songs and how many songs each has.
    pub fn languages(&self) -> impl Iterator<Item = (&str, u32)> {
        self.languages.iter().zip(self.n_songs_of_language.iter().copied())
    }

    /// Whether the song is marked as explicit.
    pub fn is_explicit(&self, song: SongIdx) -> bool {
        self.explicit[song.0 as usize]
    }

    /// How well known the song is, in `[0, 1]`, in steps of 0.0001.
    pub fn popularity(&self, song: SongIdx) -> Option<f32> {
        let step = self.popularity[song.0 as usize].checked_sub(1)?;
        Some((f32::from(step) / POPULARITY_STEPS).min(1.0))
    }

    /// The song's keywords, heaviest first, at most 40.
    pub fn keywords(&self, song: SongIdx) -> &[Keyword] {
        self.keywords.row(song.0 as usize)
    }

    /// The words of the song's title that can matter for matching, in the order of the title, each once.
    pub fn title_words(&self, song: SongIdx) -> &[u32] {
        self.title_words.row(song.0 as usize)
    }

    /// How many different words the songs have.
    pub fn n_words(&self) -> usize {
        self.words.len()
    }

    /// The word of this number.
    ///
    /// # Panics
    /// If there is none.
    pub fn word(&self, word: u32) -> &str {
        self.words.get(word)
    }

    /// The number of a word, if a song has it.
    pub fn word_id(&self, word: &str) -> Option<u32> {
        self.words.find(word)
    }

    /// In how many songs of a language a word occurs, counted over whole lyrics, not over the keywords that are left.
    pub fn n_songs_with(&self, language: &str, word: &str) -> u32 {
        let (Some(language), Some(word)) = (self.languages.find(language), self.words.find(word)) else { return 0 };
        let counts = self.counts.row(language as usize);
        counts.binary_search_by_key(&word, |&(word, _)| word).map_or(0, |found| counts[found].1)
    }

    /// How rare a word is among the songs of a language: its inverse document frequency, at least 0 (a word of every
    /// song), and largest for a word of no song. For a language without songs 0.
    pub fn rarity(&self, language: &str, word: &str) -> f32 {
        let n_songs = self.languages.find(language).map_or(0, |language| self.n_songs_of_language[language as usize]);
        if n_songs == 0 { 0.0 } else { inverse_frequency(n_songs, self.n_songs_with(language, word)) }
    }

    /// The songs that fit a text by title and artist, best first, at most `n`; without accents, letter case and a few
    /// typing errors. The first search takes longer, since it makes the index.
    pub fn search(&self, text: &str, n: usize) -> Vec<SongIdx> {
        self.search_index.get_or_init(|| SearchIndex::new(self)).search(self, text, n)
    }
}

/// Writes a catalogue file into a folder, which is made if it is missing; a cut-off run leaves the old file.
///
/// # Errors
/// The folder or the file cannot be written.
pub fn write_catalogue(dir: &Path, file: &[u8]) -> Result<(), CatalogueError> {
    let path = dir.join(FILE_NAME);
    let beside = dir.join(format!("{FILE_NAME}.part"));
    let write = || {
        std::fs::create_dir_all(dir)?;
        let mut part = std::fs::File::create(&beside)?;
        part.write_all(file)?;
        part.sync_all()?;
        std::fs::rename(&beside, &path)
    };
    write().map_err(|source| CatalogueError::Unwritable { path: path.clone(), source })
}

fn read_table(reader: &mut ColumnReader<'_>) -> Result<StringTable, PackedError> {
    StringTable::from_lines(reader.text()?).ok_or(PackedError::Damaged { what: "a name stands twice" })
}

/// The numbers, if all are below `n`.
fn below<T: Copy + Into<u32>>(numbers: Vec<T>, n: usize) -> Result<Vec<T>, PackedError> {
    let is_below = numbers.iter().all(|&number| (number.into() as usize) < n);
    if is_below { Ok(numbers) } else { Err(PackedError::Damaged { what: "a number points beyond its table" }) }
}

fn rows<T>(lengths: &[u8], values: Vec<T>) -> Result<Ragged<T>, PackedError> {
    Ragged::new(lengths.iter().map(|&length| u32::from(length)), values)
        .ok_or(PackedError::Damaged { what: "rows and their lengths do not fit" })
}

fn read_keywords(
    reader: &mut ColumnReader<'_>,
    n_songs: usize,
    n_words: usize,
) -> Result<Ragged<Keyword>, PackedError> {
    let lengths = reader.bytes_exactly(n_songs)?;
    if lengths.iter().any(|&length| usize::from(length) > MAX_KEYWORDS) {
        return Err(PackedError::Damaged { what: "a song has more than 40 keywords" });
    }
    let words = below(reader.numbers()?, n_words)?;
    let weights = reader.bytes_exactly(words.len())?;
    let keywords = words.into_iter().zip(weights);
    let keywords = keywords.map(|(word, &step)| Keyword { word, weight: f32::from(step) / 255.0 }).collect();
    rows(lengths, keywords)
}

fn read_counts(reader: &mut ColumnReader<'_>, n_languages: usize) -> Result<Ragged<(u32, u32)>, PackedError> {
    let lengths = reader.numbers_exactly(n_languages)?;
    let gaps = reader.numbers()?;
    let counts = reader.numbers_exactly(gaps.len())?;
    let does_not_fit = PackedError::Damaged { what: "rows and their lengths do not fit" };
    let gaps_of = Ragged::new(lengths.iter().copied(), gaps).ok_or(does_not_fit.clone())?;
    let mut words = Vec::with_capacity(counts.len());
    for language in 0..n_languages {
        let mut word = 0_u32;
        for &gap in gaps_of.row(language) {
            word = word.wrapping_add(gap);
            words.push(word);
        }
    }
    Ragged::new(lengths.into_iter(), words.into_iter().zip(counts).collect()).ok_or(does_not_fit)
}
