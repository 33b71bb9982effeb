//! Finding songs by title and artist as people type them: without accents, letter case and a few typing errors. A word
//! that no name has, but that songs are about, finds those songs before names that are merely spelled like it.

use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

use super::load::Catalogue;
use super::ragged::Ragged;
use super::song::SongIdx;
use crate::lyric::string_table::StringTable;

/// Longest query in characters and words; the rest of a longer one is passed over.
const MAX_QUERY_CHARS: usize = 200;
const MAX_QUERY_WORDS: usize = 12;

/// Share of the query's weight that a song must meet to be found.
const MIN_COVERAGE: f32 = 0.5;

/// What a song counts whose title or artist holds the query only across word borders (`all star` in `allstar`, or text
/// without blanks).
const ACROSS_WORDS: f32 = 0.8;

/// What a name counts that is spelled like a word which songs are about: `plage` hardly means `place`.
const LIKE_A_WORD: f32 = 0.6;

/// What a song counts that is about a word, from its least keyword to its heaviest.
const ABOUT: (f32, f32) = (0.55, 0.8);

/// Titles and artists of all songs, folded.
#[derive(Debug)]
pub struct SearchIndex {
    /// Distinct folded words.
    words: StringTable,
    /// For each word, twice the songs that have it, plus one where it stands in the title.
    postings: Ragged<u32>,
    /// For each song, its distinct title words.
    n_title_words: Vec<u8>,
    /// For each song, title and artist without blanks.
    joined: Vec<Box<str>>,
}

impl SearchIndex {
    /// Folds and indexes the names of all songs; some 30 ms for 25,000 songs.
    pub fn new(catalogue: &Catalogue) -> Self {
        let mut words = StringTable::default();
        let mut songs_of_word: Vec<Vec<u32>> = Vec::new();
        let (mut n_title_words, mut joined) = (Vec::new(), Vec::new());
        for song in catalogue.songs() {
            let (title, artist) = (fold(catalogue.title(song)), fold(catalogue.artist(song)));
            let mut n_words = 0_u8;
            for (is_in_title, text) in [(1, &title), (0, &artist)] {
                for word in text.split(' ').filter(|word| !word.is_empty()) {
                    let Some(word) = words.insert(word) else { continue };
                    songs_of_word.resize_with(words.len(), Vec::new);
                    let posting = song.0 * 2 + is_in_title;
                    let postings = &mut songs_of_word[word as usize];
                    if postings.last().is_none_or(|last| last / 2 != song.0) {
                        postings.push(posting);
                        n_words = n_words.saturating_add(is_in_title as u8);
                    }
                }
            }
            n_title_words.push(n_words);
            joined.push(format!("{title}|{artist}").replace(' ', "").into());
        }
        let lengths: Vec<u32> = songs_of_word.iter().map(|songs| songs.len() as u32).collect();
        let postings = Ragged::new(lengths.into_iter(), songs_of_word.concat()).unwrap_or_default();
        Self { words, postings, n_title_words, joined }
    }

    /// The songs that fit the text, best first, at most `n`; equally good ones by popularity, then in their order.
    pub fn search(&self, catalogue: &Catalogue, text: &str, n: usize) -> Vec<SongIdx> {
        let query: String = fold(&text.chars().take(MAX_QUERY_CHARS).collect::<String>());
        let query_words: Vec<&str> = query.split(' ').filter(|word| !word.is_empty()).take(MAX_QUERY_WORDS).collect();
        if query_words.is_empty() {
            return Vec::new();
        }
        let spelled: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
        let about: Vec<Option<u32>> = (0..query_words.len())
            .map(|idx| {
                // As it was typed, for keywords keep their accents; the folding may have split words.
                let typed = spelled.get(idx).filter(|_| spelled.len() == query_words.len());
                let is_name = self.words.find(query_words[idx]).is_some();
                let word =
                    || typed.and_then(|typed| catalogue.word_id(typed)).or_else(|| catalogue.word_id(query_words[idx]));
                if is_name { None } else { word() }
            })
            .collect();
        let mut scores = self.scores(catalogue, &query_words, &about);
        let across = query_words.concat();
        if across.chars().nth(1).is_some() || !across.is_ascii() {
            for (score, joined) in scores.iter_mut().zip(&self.joined) {
                if joined.contains(&across) {
                    *score = score.max(ACROSS_WORDS * (0.5 + 0.5 * across.len() as f32 / joined.len() as f32));
                }
            }
        }
        let mut found: Vec<(f32, f32, SongIdx)> = catalogue
            .songs()
            .map(|song| (scores[song.0 as usize], catalogue.popularity(song).unwrap_or(0.0), song))
            .filter(|&(score, _, _)| score > 0.0)
            .collect();
        found.sort_by(|a, b| b.0.total_cmp(&a.0).then(b.1.total_cmp(&a.1)).then(a.2.cmp(&b.2)));
        found.truncate(n);
        found.into_iter().map(|(_, _, song)| song).collect()
    }

    /// For each song, the share of the query that its words meet, weighted by how rare the words are, less a part for
    /// title words that the query does not have; 0 below the least share. `about` has for each word of the query the
    /// keyword that it is, if no name has it.
    fn scores(&self, catalogue: &Catalogue, query_words: &[&str], about: &[Option<u32>]) -> Vec<f32> {
        let n_songs = catalogue.len();
        let mut met = vec![0.0_f32; n_songs];
        let mut n_met_title_words = vec![0.0_f32; n_songs];
        let mut total = 0.0;
        for (word_idx, query_word) in query_words.iter().enumerate() {
            let candidates = self.candidates(query_word, word_idx + 1 == query_words.len());
            let n_with_word = candidates.iter().map(|&(_, word)| self.postings.row(word as usize).len()).max();
            let weight = ((n_songs as f32 + 1.0) / (n_with_word.unwrap_or(1) as f32 + 0.5)).ln().max(0.1);
            total += weight;
            let mut best = vec![(0.0_f32, false); n_songs];
            let trust = if about[word_idx].is_some() { LIKE_A_WORD } else { 1.0 };
            for (quality, word) in candidates {
                let quality = quality * trust;
                for posting in self.postings.row(word as usize) {
                    let best_of_song = &mut best[(posting / 2) as usize];
                    if quality > best_of_song.0 {
                        *best_of_song = (quality, posting % 2 == 1);
                    }
                }
            }
            if let Some(about) = about[word_idx] {
                for (song, best_of_song) in catalogue.songs().zip(&mut best) {
                    let keyword = catalogue.keywords(song).iter().find(|keyword| keyword.word == about);
                    let quality = keyword.map_or(0.0, |keyword| ABOUT.0 + (ABOUT.1 - ABOUT.0) * keyword.weight);
                    if quality > best_of_song.0 {
                        *best_of_song = (quality, false);
                    }
                }
            }
            for (song_idx, (quality, is_in_title)) in best.into_iter().enumerate() {
                met[song_idx] += weight * quality;
                n_met_title_words[song_idx] += if is_in_title { quality } else { 0.0 };
            }
        }
        for (song_idx, score) in met.iter_mut().enumerate() {
            let coverage = *score / total;
            let title_share = (n_met_title_words[song_idx] / f32::from(self.n_title_words[song_idx].max(1))).min(1.0);
            *score = if coverage < MIN_COVERAGE { 0.0 } else { coverage * (0.8 + 0.2 * title_share) };
        }
        met
    }

    /// Words that a typed word can mean, with how well it fits in (0, 1].
    fn candidates(&self, typed: &str, is_last: bool) -> Vec<(f32, u32)> {
        let letters: Vec<char> = typed.chars().collect();
        let max_errors = match letters.len() {
            0..=2 => 0,
            3..=7 => 1,
            _ => 2,
        };
        let mut candidates = Vec::new();
        let mut word_letters = Vec::new();
        for (word_idx, word) in self.words.iter().enumerate() {
            word_letters.clear();
            word_letters.extend(word.chars());
            let quality = match n_errors(&letters, &word_letters, max_errors) {
                Some(n_errors) => 1.0 - n_errors as f32 / letters.len() as f32,
                None if is_last && letters.len() >= 3 && word.starts_with(typed) => {
                    0.5 + 0.4 * letters.len() as f32 / word_letters.len() as f32
                }
                None => continue,
            };
            candidates.push((quality, word_idx as u32));
        }
        candidates
    }
}

/// A name as it is compared: no accents, lower case, `&` as `and`, no apostrophes, words separated by one blank.
pub fn fold(name: &str) -> String {
    let mut folded = String::with_capacity(name.len());
    if name.is_ascii() {
        name.chars().for_each(|character| push_folded(&mut folded, character.to_ascii_lowercase()));
    } else {
        let letters = name.nfkd().filter(|&character| !is_combining_mark(character));
        letters.flat_map(char::to_lowercase).for_each(|character| push_folded(&mut folded, character));
    }
    folded.truncate(folded.trim_end().len());
    folded
}

/// Adds a lower-case letter as it is compared.
fn push_folded(folded: &mut String, character: char) {
    match character {
        '\'' | '\u{2019}' | '\u{2018}' | '`' | '\u{B4}' => {}
        'ß' => folded.push_str("ss"),
        'æ' => folded.push_str("ae"),
        'œ' => folded.push_str("oe"),
        'ø' => folded.push('o'),
        'ł' => folded.push('l'),
        'đ' | 'ð' => folded.push('d'),
        'ı' => folded.push('i'),
        'þ' => folded.push_str("th"),
        '&' => push_word(folded, "and"),
        letter if letter.is_alphanumeric() => folded.push(letter),
        _ => push_word(folded, ""),
    }
}

/// Adds a word of its own, or only the blank that ends the last one.
fn push_word(folded: &mut String, word: &str) {
    for part in ["", word] {
        folded.push_str(part);
        if !folded.is_empty() && !folded.ends_with(' ') {
            folded.push(' ');
        }
    }
}

/// Letters to insert, leave out, change or swap with their neighbor, if at most `max`.
fn n_errors(a: &[char], b: &[char], max: usize) -> Option<usize> {
    if a.len().abs_diff(b.len()) > max {
        return None;
    }
    if max == 0 || a == b {
        return (a == b).then_some(0);
    }
    let width = b.len() + 1;
    let mut before_last: Vec<usize> = vec![0; width];
    let mut last: Vec<usize> = (0..width).collect();
    for (i, letter) in a.iter().enumerate() {
        let mut row = vec![i + 1; width];
        for j in 0..b.len() {
            let change = last[j] + usize::from(*letter != b[j]);
            let mut fewest = change.min(last[j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *letter == b[j - 1] && a[i - 1] == b[j] {
                fewest = fewest.min(before_last[j - 1] + 1);
            }
            row[j + 1] = fewest;
        }
        if row.iter().min().is_some_and(|&fewest| fewest > max) {
            return None;
        }
        before_last = std::mem::replace(&mut last, row);
    }
    last.last().copied().filter(|&n| n <= max)
}

#[cfg(test)]
#[path = "search_tests.rs"]
mod tests;
