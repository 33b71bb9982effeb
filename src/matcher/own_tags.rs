//! A trained matcher that knows a team's own tags too: their vectors, how telling they are and what words are worth to them
//! are added in memory, as a matcher starts from them before its training. Numbers of the model's tags stay as they are.

use super::network::table_rows;
use super::reasons::Reasons;
use super::songs::Songs;
use super::weights::Weights;
use crate::lyric::affinity::{Entry, Places};
use crate::lyric::word_space::WordSpace;

/// Place among the model's tags, from the least telling, that an own tag takes: importance grows with rarity, and what a
/// team adds is rare in general and telling to it.
const IMPORTANCE_QUANTILE: f32 = 0.9;

/// The matcher with the tags of the space that it does not know yet, which stand behind its own.
pub fn with_own_tags(mut weights: Weights, space: &WordSpace, songs: &Songs) -> Weights {
    let (first, n_tags) = (weights.sizes.n_tags, space.lexicon.len());
    let mut rows = table_rows(&weights, songs);
    let mut entries = entries(&weights);
    let reasons = Reasons::of(songs);
    for tag in first as u16..n_tags as u16 {
        for (term, worth) in reasons.of_tag(space, songs, tag) {
            let row = &mut rows[term as usize];
            if *row == u32::MAX {
                *row = weights.table_terms.len() as u32;
                let (code, word) = songs.terms.text(term);
                weights.table_terms.push((code, word.to_owned()));
            }
            entries.push(Entry { word: *row, tag, worth });
        }
    }
    let (places, values) = Places::from_entries(entries, weights.table_terms.len(), n_tags);
    weights.places = places;
    let mut importance = weights.get("tags.importance").to_vec();
    importance.sort_by(f32::total_cmp);
    let telling = importance[((importance.len() - 1) as f32 * IMPORTANCE_QUANTILE) as usize];
    let vectors: Vec<f32> = (first as u16..n_tags as u16).flat_map(|tag| space.tag_vector(tag).to_vec()).collect();
    for (name, array) in &mut weights.arrays {
        match name.as_str() {
            "affinity" => {
                array.shape = vec![values.len()];
                array.values.clone_from(&values);
            }
            "tags.vectors" => {
                array.shape[0] = n_tags;
                array.values.extend_from_slice(&vectors);
            }
            "tags.importance" => {
                array.shape[0] = n_tags;
                array.values.resize(n_tags, telling);
            }
            _ => {}
        }
    }
    weights.sizes.n_tags = n_tags;
    weights
}

/// All entries of the affinity table.
fn entries(weights: &Weights) -> Vec<Entry> {
    let values = weights.get("affinity");
    let of_row = |word: u32| {
        let (tags, range) = weights.places.of_word(word);
        tags.iter().zip(&values[range]).map(move |(&tag, &worth)| Entry { word, tag, worth })
    };
    (0..weights.places.n_words() as u32).flat_map(of_row).collect()
}

#[cfg(test)]
mod tests {
    use super::super::songs::Reading;
    use super::super::weights::{Pooling, Sizes, Start};
    use super::*;
    use crate::lyric::lexicon::Lexicon;
    use crate::lyric::own_tag::OwnTag;
    use crate::lyric::vectors::WordVectors;

    fn space() -> WordSpace {
        let words = ["sea", "shoes", "street", "love"];
        let values = [1.0, 0.0, 0.0, 0.0, 0.9, 0.1, 0.0, 0.8, 0.6, 0.3, -0.3, 0.9];
        let tags = ["sea".to_owned(), "street".to_owned()];
        let lexicon = Lexicon::parse("", "", &tags).unwrap();
        WordSpace::new(WordVectors::from_rows(words, &values).unwrap(), lexicon)
    }

    #[test]
    fn own_tags_come_behind_and_change_nothing_before_them() {
        let base = space();
        let mut songs = Songs::new(3);
        for keywords in [[("sea", 1.0), ("love", 0.5)], [("shoes", 1.0), ("street", 0.5)]] {
            let reading = Reading {
                language: "en",
                title: &[],
                keywords: &keywords,
                popularity: None,
                year: None,
                is_explicit: false,
            };
            songs.push(&base, &reading);
        }
        let sizes = Sizes { n_vector: 3, n_hidden: 2, n_keys: 2, n_joint: 2, n_tags: 2 };
        let english = crate::lyric::lexicon::LANGUAGES.len() as u8;
        let entries = vec![Entry { word: 0, tag: 0, worth: 0.7 }, Entry { word: 1, tag: 1, worth: 0.4 }];
        let (places, worths) = Places::from_entries(entries, 2, 2);
        let start = Start {
            tag_vectors: vec![1.0, 0.0, 0.0, 0.0, 0.8, 0.6],
            importance: vec![0.5, 1.5],
            table_terms: vec![(english, "sea".to_owned()), (english, "street".to_owned())],
            places,
            worths,
        };
        let weights = Weights::initial(sizes, Pooling::Attention, start, 1);
        let own = OwnTag { name: "sneaker".into(), words: vec![("shoes".into(), 1.0)], ..OwnTag::default() };
        let wide = with_own_tags(weights.clone(), &base.clone().with(&[own]), &songs);
        assert_eq!(wide.sizes.n_tags, 3);
        assert_eq!(wide.get("tags.vectors")[..6], *weights.get("tags.vectors"));
        assert!((wide.get("tags.vectors")[7] - 0.99).abs() < 0.02, "the vector of shoes");
        assert_eq!(wide.get("tags.importance")[..2], [0.5, 1.5]);
        let worth = |word: &str, tag: u16| {
            let row = wide.table_terms.iter().position(|(_, known)| known == word)? as u32;
            let (tags, range) = wide.places.of_word(row);
            let at = tags.iter().position(|known| *known == tag)?;
            Some(wide.get("affinity")[range][at])
        };
        assert_eq!((worth("sea", 0), worth("street", 1)), (Some(0.7), Some(0.4)));
        assert!(worth("shoes", 2).unwrap() > 0.0 && worth("sea", 2).is_none() && worth("love", 2).is_none());
        assert_eq!(wide.get("attention.keys"), weights.get("attention.keys"));
    }
}
