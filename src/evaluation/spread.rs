//! Which songs are shown at all, and to whose cost: the seed of bias control.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ranking::gini;
use crate::catalogue::load::Catalogue;
use crate::catalogue::song::SongIdx;

/// What the slates of many photos show.
#[derive(Debug, Clone, Serialize)]
pub struct Spread {
    /// Slates.
    pub n_slates: usize,
    /// Share of the catalogue that is shown at least once.
    pub coverage: f64,
    /// Gini coefficient of how often the songs of the catalogue are shown: 0 all alike, 1 one song only.
    pub gini: f64,
    /// Gini coefficient among the songs that are shown at all.
    pub gini_of_shown: f64,
    /// Share of explicit songs among those shown, and in the catalogue.
    pub explicit: (f64, f64),
    /// By language: share among the songs shown, share in the catalogue.
    pub languages: BTreeMap<String, (f64, f64)>,
    /// By decade.
    pub decades: BTreeMap<String, (f64, f64)>,
    /// By genre; a song can have several.
    pub genres: BTreeMap<String, (f64, f64)>,
}

/// The spread of these slates.
pub fn spread(catalogue: &Catalogue, slates: &[Vec<SongIdx>]) -> Spread {
    let mut shown = vec![0f64; catalogue.len()];
    slates.iter().flatten().for_each(|song| shown[song.0 as usize] += 1.0);
    let counts: Vec<f64> = shown.iter().copied().filter(|&n| n > 0.0).collect();
    let shares = |labels: &dyn Fn(SongIdx) -> Vec<String>| {
        let mut sums: BTreeMap<String, (f64, f64)> = BTreeMap::new();
        let total = shown.iter().sum::<f64>().max(1.0);
        for song in catalogue.songs() {
            for label in labels(song) {
                let place = sums.entry(label).or_default();
                place.0 += shown[song.0 as usize] / total;
                place.1 += 1.0 / catalogue.len() as f64;
            }
        }
        sums
    };
    let explicit = shares(&|song| if catalogue.is_explicit(song) { vec!["explicit".into()] } else { Vec::new() });
    Spread {
        n_slates: slates.len(),
        coverage: counts.len() as f64 / catalogue.len().max(1) as f64,
        gini: gini(&shown),
        gini_of_shown: gini(&counts),
        explicit: explicit.get("explicit").copied().unwrap_or_default(),
        languages: shares(&|song| vec![catalogue.language(song).to_owned()]),
        decades: shares(&|song| {
            vec![catalogue.song(song).year.map_or("unknown".into(), |year| format!("{}s", year / 10 * 10))]
        }),
        genres: shares(&|song| catalogue.song(song).genres.iter().map(|g| (*g).to_owned()).collect()),
    }
}
