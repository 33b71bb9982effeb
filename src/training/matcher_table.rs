//! Where the matcher's affinity table starts from: which words could mean something to a tag, and how much.
//!
//! Four reasons put a word in the table: it is a form of the tag (any language), the tag evokes it, its vector is near the
//! tag's, or songs paired with photos of the tag use it more than others do. The last is counted on training photos
//! only. Worths are guesses; training moves them.

use std::collections::HashMap;

use super::matcher_data::MatcherData;
use crate::lyric::affinity::{Entry, Places};
use crate::matcher::reasons::{MIN_SONGS, Reasons};
use crate::matcher::weights::{Start, TableTerm};

/// Words that paired songs prefer and that get an entry, by tag.
const N_PREFERRED: usize = 60;

/// Start of a matcher for this data; `photos` are those of the training split, `is_known` the songs it may see.
pub fn start(data: &MatcherData, photos: &[usize], is_known: &[bool]) -> Start {
    let n_tags = data.vocabulary.len();
    let shares = tag_shares(data, photos);
    let reasons = Reasons::of(&data.songs);
    let mut worths: HashMap<(u32, u16), f32> = HashMap::new();
    let mut offer = |term: u32, tag: u16, worth: f32| {
        let place = worths.entry((term, tag)).or_insert(0.0);
        *place = place.max(worth);
    };
    for tag in 0..n_tags as u16 {
        reasons.of_tag(&data.space, &data.songs, tag).into_iter().for_each(|(term, worth)| offer(term, tag, worth));
    }
    for (tag, list) in preferred(data, photos, is_known, &reasons.n_songs_with).into_iter().enumerate() {
        list.into_iter().for_each(|(term, worth)| offer(term, tag as u16, worth * reasons.rarity(term)));
    }
    let (table_terms, places, worths) = table(data, worths, n_tags);
    let tag_vectors = (0..n_tags as u16).flat_map(|tag| data.space.tag_vector(tag).to_vec()).collect();
    let importance = shares.iter().map(|share| (1.0 / (share + 1e-3)).ln().max(0.3).ln()).collect();
    Start { tag_vectors, importance, table_terms, places, worths }
}

type Table = (Vec<TableTerm>, Places, Vec<f32>);

fn table(data: &MatcherData, worths: HashMap<(u32, u16), f32>, n_tags: usize) -> Table {
    let mut terms: Vec<u32> = worths.keys().map(|key| key.0).collect();
    terms.sort_unstable();
    terms.dedup();
    let rows: HashMap<u32, u32> = terms.iter().enumerate().map(|(row, &term)| (term, row as u32)).collect();
    let entries = worths.into_iter().map(|((term, tag), worth)| Entry { word: rows[&term], tag, worth }).collect();
    let (places, values) = Places::from_entries(entries, terms.len(), n_tags);
    let texts = terms.iter().map(|&term| data.songs.terms.text(term)).map(|(code, word)| (code, word.to_owned()));
    (texts.collect(), places, values)
}

/// Mean probability of each tag.
fn tag_shares(data: &MatcherData, photos: &[usize]) -> Vec<f32> {
    let mut shares = vec![0f32; data.vocabulary.len()];
    for &photo in photos {
        shares.iter_mut().zip(data.photos.probs(photo)).for_each(|(sum, p)| *sum += p / photos.len() as f32);
    }
    shares
}

/// For each tag the terms that songs paired with its photos use more than songs do, with a small worth.
fn preferred(data: &MatcherData, photos: &[usize], is_known: &[bool], counts: &[u32]) -> Vec<Vec<(u32, f32)>> {
    let n_tags = data.vocabulary.len();
    let mut by_tag: Vec<HashMap<u32, f32>> = vec![HashMap::new(); n_tags];
    for &photo in photos {
        let probs = data.photos.probs(photo);
        for (song, gain) in data.graded(photo).filter(|(song, _)| is_known[*song as usize]) {
            for (tag, p) in probs.iter().enumerate().filter(|(_, p)| **p > 0.2) {
                *by_tag[tag].entry(song).or_insert(0.0) += p * gain;
            }
        }
    }
    let n_songs = data.songs.len() as f32;
    let score_tag = |weights: HashMap<u32, f32>| {
        // Each song counts once, more with its share of the tag's photos: the square root evens out the favourites.
        let mut songs: Vec<(u32, f32)> = weights.into_iter().map(|(song, w)| (song, w.sqrt())).collect();
        songs.sort_unstable_by_key(|s| s.0);
        let total: f32 = songs.iter().map(|s| s.1).sum();
        let mut words: HashMap<u32, f32> = HashMap::new();
        for (song, weight) in songs {
            let mut terms: Vec<u32> = data.songs.tokens(song).iter().map(|t| t.term).collect();
            terms.sort_unstable();
            terms.dedup();
            terms.iter().for_each(|&term| *words.entry(term).or_insert(0.0) += weight / total);
        }
        let mut scored: Vec<(u32, f32)> = words
            .into_iter()
            .filter(|(term, _)| counts[*term as usize] >= MIN_SONGS)
            .map(|(term, share)| {
                let lift = (share / (counts[term as usize] as f32 / n_songs)).ln();
                (term, share.sqrt() * lift)
            })
            .filter(|(_, score)| *score > 0.1)
            .collect();
        scored.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        scored.truncate(N_PREFERRED);
        scored.into_iter().map(|(term, score)| (term, (0.3 * score).min(0.5))).collect()
    };
    by_tag.into_iter().map(score_tag).collect()
}
