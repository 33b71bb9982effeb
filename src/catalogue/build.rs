//! From a songs file to a catalogue: what is bundled of a song is its name, its facts, and at most 40 keywords.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::error::CatalogueError;
use super::format::{Content, MAX_KEYWORDS};
use super::source::{SongSource, SourceSong};
use super::weigh::{SongCounts, weigh};
use crate::lyric::packed::PackedError;
use crate::lyric::string_table::StringTable;
use crate::lyric::tokenize::Tokenizer;
use crate::lyric::word_space::WordSpace;

/// Most title words that are kept; longer titles are cut.
const MAX_TITLE_WORDS: usize = 24;

/// The catalogue file of these songs, in their order. Equal input gives equal bytes.
///
/// A word is kept if it can matter for matching: it has a vector or stands in the lexicon of the song's language. A
/// song keeps its 40 heaviest words (see [`weigh`]), ordered by weight, then by word; title words that are kept stand
/// apart, in the order of the title. Nothing of the order of a lyric is written.
///
/// # Errors
/// There are more languages, genres or songs than the format can hold.
pub fn build(source: &SongSource, space: &WordSpace, tokenizer: &Tokenizer) -> Result<Vec<u8>, CatalogueError> {
    let counts = SongCounts::of(source);
    let weighed: Vec<Vec<(u32, f32)>> = source.songs.iter().map(|song| weigh(song, source, &counts, space)).collect();
    let titles: Vec<Vec<String>> = source.songs.iter().map(|song| title_words(song, space, tokenizer)).collect();
    let mut content = Content { words: rank_words(source, &weighed, &titles, &counts), ..Content::default() };
    for (song, (weighed, title)) in source.songs.iter().zip(weighed.into_iter().zip(titles)) {
        add_facts(&mut content, song)?;
        add_words(&mut content, source, weighed, &title);
    }
    add_counts(&mut content, source, &counts);
    Ok(content.to_file()?)
}

/// The words of a title that can matter for matching, in order, each once.
fn title_words(song: &SourceSong, space: &WordSpace, tokenizer: &Tokenizer) -> Vec<String> {
    let mut words: Vec<String> = Vec::new();
    for token in tokenizer.tokens(&song.language, &song.title) {
        if space.knows(&song.language, &token) && !words.contains(&token) && words.len() < MAX_TITLE_WORDS {
            words.push(token);
        }
    }
    words
}

/// All words that are kept, by falling number of songs, then by spelling: small numbers for frequent words.
fn rank_words(
    source: &SongSource,
    weighed: &[Vec<(u32, f32)>],
    titles: &[Vec<String>],
    counts: &SongCounts,
) -> StringTable {
    let mut n_songs: HashMap<&str, u32> = titles.iter().flatten().map(|word| (word.as_str(), 0)).collect();
    for &(word, _) in weighed.iter().flatten() {
        n_songs.insert(source.words.get(word), 0);
    }
    for language in counts.languages().values() {
        for (&word, &n_with_word) in &language.n_with_word {
            if let Some(n) = n_songs.get_mut(source.words.get(word)) {
                *n += n_with_word;
            }
        }
    }
    let mut ranked: Vec<(&str, u32)> = n_songs.into_iter().collect();
    ranked.sort_unstable_by_key(|&(word, n)| (Reverse(n), word));
    let mut words = StringTable::default();
    for (word, _) in ranked {
        words.insert(word);
    }
    words
}

fn add_facts(content: &mut Content, song: &SourceSong) -> Result<(), PackedError> {
    content.ids.push_str(&song.id);
    content.ids.push('\n');
    content.titles.push_str(&song.title);
    content.titles.push('\n');
    content.artist_of.push(number(&mut content.artists, &song.artist, "artists", u32::MAX)?);
    content.years.push(song.year.map_or(0, u32::from));
    content.language_of.push(number(&mut content.languages, &song.language, "languages", 256)? as u8);
    content.n_genres.push(song.genres.len() as u8);
    for genre in &song.genres {
        content.genres_of.push(number(&mut content.genres, genre, "genres", 256)? as u8);
    }
    content.explicit.push(u8::from(song.explicit));
    content.popularity.push(song.popularity);
    Ok(())
}

/// The number of a string that must stay below `max`.
fn number(table: &mut StringTable, string: &str, what: &'static str, max: u32) -> Result<u32, PackedError> {
    let does_not_fit = PackedError::DoesNotFit { what, found: table.len() + 1, max: max as usize };
    table.insert(string).filter(|&number| number < max).ok_or(does_not_fit)
}

fn add_words(content: &mut Content, source: &SongSource, weighed: Vec<(u32, f32)>, title: &[String]) {
    let heaviest = weighed.iter().fold(0.0_f32, |heaviest, (_, weight)| heaviest.max(*weight));
    let mut keywords: Vec<(Reverse<u8>, u32)> = weighed
        .into_iter()
        .filter_map(|(word, weight)| {
            let step = (weight / heaviest * 255.0).round().clamp(1.0, 255.0) as u8;
            Some((Reverse(step), content.words.find(source.words.get(word))?))
        })
        .collect();
    keywords.sort_unstable();
    keywords.truncate(MAX_KEYWORDS);
    content.n_keywords.push(keywords.len() as u8);
    content.weights.extend(keywords.iter().map(|(Reverse(step), _)| step));
    content.keywords.extend(keywords.iter().map(|(_, word)| word));
    let title_words: Vec<u32> = title.iter().filter_map(|word| content.words.find(word)).collect();
    content.n_title_words.push(title_words.len() as u8);
    content.title_words.extend(title_words);
}

fn add_counts(content: &mut Content, source: &SongSource, counts: &SongCounts) {
    for language in content.languages.iter() {
        let Some(language) = counts.languages().get(language) else { continue };
        let mut of_words: Vec<(u32, u32)> = language
            .n_with_word
            .iter()
            .filter_map(|(&word, &n_with_word)| Some((content.words.find(source.words.get(word))?, n_with_word)))
            .collect();
        of_words.sort_unstable();
        content.n_songs_of_language.push(language.n_songs);
        content.counts.push(of_words);
    }
}

#[cfg(test)]
#[path = "build_tests.rs"]
mod tests;
