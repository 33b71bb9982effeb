//! A slate that people would want: no artist twice, no near-duplicate titles.

use std::collections::HashSet;

/// The artist that a credit names first, folded: what stands before a comma, `&`, `x`, `and`, `feat.` and the like.
pub fn lead_artist(credit: &str) -> String {
    let folded = credit.to_lowercase();
    let mut lead = folded.as_str();
    for mark in [" feat", " ft.", " ft ", " featuring", ",", " & ", " with ", " x ", " vs", " / ", ";", " (", " and "] {
        if let Some((before, _)) = lead.split_once(mark) {
            lead = before;
        }
    }
    letters(lead.strip_prefix("the ").unwrap_or(lead))
}

/// A title as it is compared: without what stands in brackets or behind a dash, without a leading English article,
/// letters and digits only.
pub fn plain_title(title: &str) -> String {
    let lower = title.to_lowercase();
    let cut = lower.split(['(', '[']).next().unwrap_or_default();
    let cut = cut.split(" - ").next().unwrap_or_default();
    let cut = cut.trim_start();
    let cut = ["the ", "a ", "an "].iter().find_map(|article| cut.strip_prefix(article)).unwrap_or(cut);
    let plain = letters(cut);
    if plain.is_empty() { letters(&lower) } else { plain }
}

fn letters(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).collect()
}

/// The first `n` of the ranked items that repeat neither artist nor title of an earlier one; `name` gives an item's credit
/// and title.
pub fn diversify<'a, T: Copy>(ranked: &[T], n: usize, name: impl Fn(T) -> (&'a str, &'a str)) -> Vec<T> {
    let (mut artists, mut titles) = (HashSet::new(), HashSet::new());
    let mut slate = Vec::with_capacity(n);
    for &item in ranked {
        if slate.len() == n {
            break;
        }
        let (artist, title) = name(item);
        let (artist, title) = (lead_artist(artist), plain_title(title));
        if artists.contains(&artist) || titles.contains(&title) {
            continue;
        }
        artists.insert(artist);
        titles.insert(title);
        slate.push(item);
    }
    slate
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credits_and_titles_are_folded() {
        for (credit, lead) in [
            ("The Beach Boys", "beachboys"),
            ("Rihanna feat. Drake", "rihanna"),
            ("Simon & Garfunkel", "simon"),
            ("Tyler, The Creator", "tyler"),
        ] {
            assert_eq!(lead_artist(credit), lead);
        }
        assert_eq!(plain_title("Surf's Up (Live) - 2009 Remaster"), "surfsup");
        assert_eq!(plain_title("(Sittin' On) The Dock"), "sittinonthedock");
        assert_eq!(plain_title("A Little Bit of Soap"), plain_title("Little Bit Of Soap"));
        assert_eq!(plain_title("The The"), "the");
    }

    #[test]
    fn repeats_are_passed_over() {
        let songs = [("A", "Sea"), ("A feat. B", "Sand"), ("C", "Sea (Live)"), ("D", "Wave"), ("E", "Wind")];
        let order: Vec<usize> = (0..songs.len()).collect();
        assert_eq!(diversify(&order, 3, |i| songs[i]), [0, 3, 4]);
    }
}
