//! Reader of songs files: one JSON object a line, plain or gzip. Only building and training read them; what is bundled
//! and served is the catalogue.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;

use super::error::{CatalogueError, Faults};
use crate::lyric::string_table::StringTable;
use crate::lyric::tokenize::Tokenizer;

/// Bounds against files that would fill the memory; a real line has some 3 kB, a real file 25,000 songs.
const MAX_LINE_BYTES: usize = 1 << 20;
const MAX_SONGS: usize = 1_000_000;
const MAX_TOKENS: usize = 200_000_000;
const MAX_WORDS_PER_SONG: usize = 20_000;

/// Longest id, title or artist in bytes, and most genres of a song.
const MAX_NAME_BYTES: usize = 512;
const MAX_GENRES: usize = 16;

/// A song as a songs file has it.
#[derive(Debug, Clone, PartialEq)]
pub struct SourceSong {
    /// Stable name, unique in the file; made of artist and title where the file has none.
    pub id: String,
    /// Title.
    pub title: String,
    /// The whole credit.
    pub artist: String,
    /// Year of release.
    pub year: Option<u16>,
    /// ISO 639-1 (or -3) code.
    pub language: String,
    /// Genres, best first.
    pub genres: Vec<String>,
    /// Whether the lyric is explicit; false where the file does not say.
    pub explicit: bool,
    /// In `[0, 1]`.
    pub popularity: Option<f32>,
    /// What the song is about.
    pub words: SongWords,
}

/// The words of a song, as numbers in the source's word table.
#[derive(Debug, Clone, PartialEq)]
pub enum SongWords {
    /// In the order of the lyric, repeats included.
    Lyric(Vec<u32>),
    /// Distinct keywords with weights above 0, in no order of the lyric.
    Bag(Vec<(u32, f32)>),
}

/// The songs of a file, in its order.
#[derive(Debug, Clone, Default)]
pub struct SongSource {
    /// The songs.
    pub songs: Vec<SourceSong>,
    /// All their words.
    pub words: StringTable,
}

/// A line as it is written; what may be missing is optional, so that all that is missing can be said at once.
#[derive(Debug, Deserialize)]
struct RawSong {
    id: Option<String>,
    title: Option<String>,
    artist: Option<String>,
    year: Option<u16>,
    language: Option<String>,
    genres: Option<Vec<String>>,
    explicit: Option<bool>,
    popularity: Option<f32>,
    words: Option<Vec<String>>,
    keywords: Option<Vec<RawKeyword>>,
}

/// A keyword, with its weight or without.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum RawKeyword {
    Weighted(String, f32),
    Bare(String),
}

impl SongSource {
    /// Reads a songs file (see `docs/data-format.md`); every line must be usable. Words are tokenized, which leaves
    /// words as they are that were tokenized by the same rules.
    ///
    /// # Errors
    /// The file cannot be read, holds no song, is beyond the limits, or has lines that cannot be used; up to twenty of
    /// those are named with all that is missing.
    pub fn read(path: &Path, tokenizer: &Tokenizer) -> Result<Self, CatalogueError> {
        let (source, faults) = Self::read_tolerant(path, tokenizer)?;
        match faults.n_lines {
            0 => Ok(source),
            _ => Err(CatalogueError::BadSongs { file: path.display().to_string(), faults }),
        }
    }

    /// The same, but lines that cannot be used are left out and told.
    ///
    /// # Errors
    /// The file cannot be read, holds no usable song, or is beyond the limits.
    pub fn read_tolerant(path: &Path, tokenizer: &Tokenizer) -> Result<(Self, Faults), CatalogueError> {
        let unreadable = |source| CatalogueError::Unreadable { path: path.to_owned(), source };
        let mut plain = BufReader::with_capacity(1 << 16, File::open(path).map_err(unreadable)?);
        let file = path.display().to_string();
        let is_gzip = plain.fill_buf().map_err(unreadable)?.starts_with(&[0x1F, 0x8B]);
        if is_gzip {
            Self::read_lines(&file, BufReader::with_capacity(1 << 16, MultiGzDecoder::new(plain)), tokenizer)
        } else {
            Self::read_lines(&file, plain, tokenizer)
        }
    }

    /// The same from any reader of plain lines; `file` names it in errors.
    ///
    /// # Errors
    /// As [`SongSource::read_tolerant`].
    pub fn read_lines(
        file: &str,
        mut reader: impl BufRead,
        tokenizer: &Tokenizer,
    ) -> Result<(Self, Faults), CatalogueError> {
        let too_much = |line, what, max| CatalogueError::TooMuch { file: file.to_owned(), line, what, max };
        let mut collector = Collector { tokenizer, source: Self::default(), id_lines: HashMap::new(), n_tokens: 0 };
        let mut faults = Faults::default();
        let mut bytes = Vec::new();
        for line in 1.. {
            bytes.clear();
            let mut limited = reader.by_ref().take(MAX_LINE_BYTES as u64 + 1);
            let n_read = limited
                .read_until(b'\n', &mut bytes)
                .map_err(|source| CatalogueError::Unreadable { path: file.into(), source })?;
            if n_read == 0 {
                break;
            }
            if n_read > MAX_LINE_BYTES {
                return Err(too_much(line, "bytes in a line", MAX_LINE_BYTES));
            }
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            if let Err(fault) = collector.add(line, &bytes) {
                faults.add(line, fault);
            }
            if collector.source.songs.len() > MAX_SONGS {
                return Err(too_much(line, "songs", MAX_SONGS));
            }
            if collector.n_tokens > MAX_TOKENS {
                return Err(too_much(line, "words", MAX_TOKENS));
            }
        }
        match (collector.source.songs.is_empty(), faults.n_lines) {
            (true, 0) => Err(CatalogueError::NoSongs { file: file.to_owned() }),
            (true, _) => Err(CatalogueError::BadSongs { file: file.to_owned(), faults }),
            (false, _) => Ok((collector.source, faults)),
        }
    }
}

/// Turns lines into songs and keeps what they share.
struct Collector<'a> {
    tokenizer: &'a Tokenizer,
    source: SongSource,
    /// The line of each id.
    id_lines: HashMap<String, usize>,
    n_tokens: usize,
}

impl Collector<'_> {
    /// Adds the song of a line, or says what is wrong with it.
    fn add(&mut self, line: usize, bytes: &[u8]) -> Result<(), String> {
        let raw: RawSong = serde_json::from_slice(bytes).map_err(|error| json_fault(&error))?;
        let missing: Vec<&str> = [
            ("title", raw.title.is_none()),
            ("artist", raw.artist.is_none()),
            ("language", raw.language.is_none()),
            ("words (or keywords)", raw.words.is_none() && raw.keywords.is_none()),
        ]
        .into_iter()
        .filter_map(|(name, is_missing)| is_missing.then_some(name))
        .collect();
        if !missing.is_empty() {
            return Err(format!("missing: {}", missing.join(", ")));
        }
        let title = name_field("title", raw.title)?;
        let artist = name_field("artist", raw.artist)?;
        let language = language_field(raw.language.as_deref().unwrap_or_default())?;
        let id = self.id_field(line, raw.id, &artist, &title)?;
        if let Some(popularity) = raw.popularity
            && !(0.0..=1.0).contains(&popularity)
        {
            return Err(format!("popularity is {popularity}, allowed is 0 to 1"));
        }
        let words = self.words_field(&language, raw.words, raw.keywords)?;
        self.id_lines.insert(id.clone(), line);
        self.source.songs.push(SourceSong {
            id,
            title,
            artist,
            year: raw.year.filter(|&year| year > 0),
            language,
            genres: genres_field(raw.genres.unwrap_or_default())?,
            explicit: raw.explicit.unwrap_or(false),
            popularity: raw.popularity,
            words,
        });
        Ok(())
    }

    /// The id as it is given, which must be new; or one made of artist and title, numbered until it is new.
    fn id_field(&self, line: usize, id: Option<String>, artist: &str, title: &str) -> Result<String, String> {
        if let Some(id) = id {
            let id = name_field("id", Some(id))?;
            return match self.id_lines.get(&id) {
                Some(first) => Err(format!("id {id:?} stands on line {first} too; each song needs its own")),
                None => Ok(id),
            };
        }
        let slug = slug(&format!("{artist} {title}")).unwrap_or_else(|| format!("song-{line}"));
        let numbered = (2..).map(|number| format!("{slug}-{number}"));
        let mut candidates = std::iter::once(slug.clone()).chain(numbered);
        Ok(candidates.find(|candidate| !self.id_lines.contains_key(candidate)).unwrap_or_default())
    }

    fn words_field(
        &mut self,
        language: &str,
        words: Option<Vec<String>>,
        keywords: Option<Vec<RawKeyword>>,
    ) -> Result<SongWords, String> {
        let n_given = words.as_ref().map_or(0, Vec::len).max(keywords.as_ref().map_or(0, Vec::len));
        if n_given > MAX_WORDS_PER_SONG {
            return Err(format!("{n_given} words, allowed are {MAX_WORDS_PER_SONG}"));
        }
        let song_words = match (words, keywords) {
            (Some(words), _) => {
                let mut ids = Vec::with_capacity(words.len());
                for word in &words {
                    self.push_tokens(language, word, |id| ids.push(id))?;
                }
                SongWords::Lyric(ids)
            }
            (None, keywords) => self.bag(language, keywords.unwrap_or_default())?,
        };
        let n_words = match &song_words {
            SongWords::Lyric(words) => words.len(),
            SongWords::Bag(words) => words.len(),
        };
        self.n_tokens += n_words;
        if n_words == 0 {
            return Err(format!("no word is left without the stop words of {language:?}; give words or keywords"));
        }
        Ok(song_words)
    }

    /// Keywords without weights get falling ones by their place, so that the first counts most.
    fn bag(&mut self, language: &str, keywords: Vec<RawKeyword>) -> Result<SongWords, String> {
        let mut bag: Vec<(u32, f32)> = Vec::with_capacity(keywords.len());
        for (place, keyword) in keywords.into_iter().enumerate() {
            let (text, weight) = match keyword {
                RawKeyword::Bare(text) => (text, 1.0 / (1.0 + place as f32 / 20.0)),
                RawKeyword::Weighted(text, weight) => (text, weight),
            };
            if !(weight > 0.0 && weight.is_finite()) {
                return Err(format!("the weight of keyword {text:?} is {weight}, it must be above 0"));
            }
            self.push_tokens(language, &text, |id| match bag.iter_mut().find(|(known, _)| *known == id) {
                Some((_, known_weight)) => *known_weight = known_weight.max(weight),
                None => bag.push((id, weight)),
            })?;
        }
        Ok(SongWords::Bag(bag))
    }

    fn push_tokens(&mut self, language: &str, text: &str, mut push: impl FnMut(u32)) -> Result<(), String> {
        for token in self.tokenizer.tokens(language, text) {
            push(self.source.words.insert(&token).ok_or("too many different words in all")?);
        }
        Ok(())
    }
}

fn json_fault(error: &serde_json::Error) -> String {
    let message = error.to_string();
    let message = message.split(" at line ").next().unwrap_or_default();
    format!("not a JSON object as expected: {message} (column {})", error.column())
}

/// A name on one line, without blanks around it.
fn name_field(field: &str, value: Option<String>) -> Result<String, String> {
    let value = value.unwrap_or_default();
    let name = value.split(|c: char| c.is_control() || c.is_whitespace()).filter(|part| !part.is_empty());
    let name = name.collect::<Vec<&str>>().join(" ");
    match name.len() {
        0 => Err(format!("{field} is empty")),
        n if n > MAX_NAME_BYTES => Err(format!("{field} has {n} bytes, allowed are {MAX_NAME_BYTES}")),
        _ => Ok(name),
    }
}

/// `en`, also out of `EN` or `en-US`.
fn language_field(value: &str) -> Result<String, String> {
    let code = value.split(['-', '_']).next().unwrap_or_default().trim().to_ascii_lowercase();
    let is_code = matches!(code.len(), 2 | 3) && code.bytes().all(|byte| byte.is_ascii_lowercase());
    if is_code { Ok(code) } else { Err(format!("language is {value:?}, expected is an ISO 639-1 code such as \"en\"")) }
}

fn genres_field(genres: Vec<String>) -> Result<Vec<String>, String> {
    if genres.len() > MAX_GENRES {
        return Err(format!("{} genres, allowed are {MAX_GENRES}", genres.len()));
    }
    genres.into_iter().map(|genre| name_field("a genre", Some(genre)).map(|genre| genre.to_lowercase())).collect()
}

/// Lower-case letters and digits with single dashes; `None` if none is there.
fn slug(text: &str) -> Option<String> {
    let lower = text.to_lowercase();
    let parts = lower.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
    let slug: String = parts.collect::<Vec<&str>>().join("-").chars().take(80).collect();
    (!slug.is_empty()).then_some(slug)
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
