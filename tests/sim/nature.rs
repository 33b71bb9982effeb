//! How the world is: what songs are like for whom. Everything that decides a press stands here, and nothing else of the
//! simulation knows it.
//!
//! What is assumed: somebody looks at the song at place k with a chance that falls as a power of k (Joachims et al. 2017),
//! likes what was looked at with a chance that grows with how well the song fits the photo and with a taste that the
//! community shares, and says so or not. The fit is the base model's own score plus something that it cannot see. Tastes
//! are sums over language, decade, genres, how well known a song is, and artists: near what a fine-tuned model can express,
//! so real gains will be smaller.

use std::collections::HashMap;

use image2song::catalogue::load::Catalogue;
use image2song::matcher::diversify::lead_artist;

use super::chance::{normal, own, sigmoid};

/// The numbers of a world.
#[derive(Debug, Clone, Copy)]
pub struct Nature {
    /// The same seed makes the same tastes, people and photos.
    pub seed: u64,
    /// Communities.
    pub n_communities: usize,
    /// People of each.
    pub n_people: usize,
    /// Logit of a like for the song that fits best, without any taste.
    pub base: f32,
    /// What a unit of the base model's score adds to the logit.
    pub fit: f32,
    /// Spread of the part of the fit that no model sees.
    pub unseen: f32,
    /// Spread of a community's taste for a genre; others follow from it.
    pub taste: f32,
    /// Part of the taste that all communities share, in [0, 1].
    pub shared: f32,
    /// Power with which attention falls from place to place.
    pub blindness: f32,
    /// Chance that somebody who likes a song that was looked at presses 👍, who dislikes it 👎.
    pub press: f32,
    /// Angle by which a taste turns towards another one in a thousand answers of its community, in radians.
    pub drift: f32,
    /// Share of vandals among the people of community 0.
    pub vandals: f32,
}

impl Default for Nature {
    fn default() -> Self {
        Self {
            seed: 1,
            n_communities: 4,
            n_people: 40,
            base: -0.9,
            fit: 0.5,
            unseen: 0.5,
            taste: 0.7,
            shared: 0.3,
            blindness: 0.7,
            press: 0.9,
            drift: 0.1,
            vandals: 0.0,
        }
    }
}

/// What somebody is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Presses what they think.
    Honest,
    /// Presses anything.
    Random,
    /// Presses the opposite.
    Against,
}

/// What somebody pressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pressed {
    /// 👍.
    Up,
    /// 👎.
    Down,
}

/// The tastes over all songs of a catalogue.
pub struct Tastes {
    nature: Nature,
    /// Where each community's taste begins and where it drifts, `[n_communities][2][n_songs]`.
    ends: Vec<[Vec<f32>; 2]>,
}

impl Tastes {
    /// Draws them.
    pub fn new(nature: Nature, catalogue: &Catalogue) -> Self {
        let shared = [0, 1].map(|end| values(nature, catalogue, 1000 + end));
        let mix = |own: Vec<f32>, all: &Vec<f32>| -> Vec<f32> {
            let (a, b) = ((1.0 - nature.shared).sqrt(), nature.shared.sqrt());
            own.iter().zip(all).map(|(own, all)| a * own + b * all).collect()
        };
        let community = |number: usize| {
            let ends = [0, 1].map(|end| values(nature, catalogue, 2 * number as u64 + end));
            let [first, second] = ends;
            [mix(first, &shared[0]), mix(second, &shared[1])]
        };
        Self { nature, ends: (0..nature.n_communities).map(community).collect() }
    }

    /// What a community likes a song better than others do after so many answers.
    pub fn of(&self, community: usize, song: u32, n_answers: usize) -> f32 {
        let angle = self.nature.drift * n_answers as f32 / 1000.0;
        let [first, second] = &self.ends[community];
        first[song as usize] * angle.cos() + second[song as usize] * angle.sin()
    }

    /// The chance that a member who looks at a song likes it. `score` is the base model's, `best` that of the song that fits
    /// the photo best.
    pub fn likes(&self, place: &Place, song: u32, score: f32, best: f32) -> f32 {
        let unseen = normal(&mut own(self.nature.seed, 3, place.photo << 20 | u64::from(song)));
        let fit = self.nature.fit * (score - best) + self.nature.unseen * unseen;
        sigmoid(self.nature.base + fit + self.of(place.community, song, place.n_answers))
    }
}

/// Where and when a photo is shown.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// Which community.
    pub community: usize,
    /// Number of the photo.
    pub photo: u64,
    /// Answers that the community has had.
    pub n_answers: usize,
}

impl Nature {
    /// The chance that the song at a place, from 0, is looked at.
    pub fn looks(&self, place: usize) -> f32 {
        (1.0 / (place as f32 + 1.0)).powf(self.blindness)
    }

    /// What a person of a community is like.
    pub fn kind(&self, community: usize, person: usize) -> Kind {
        let mut rng = own(self.seed, 4, (community * 1000 + person) as u64);
        match community == 0 && rng.f32() < self.vandals {
            true if rng.bool() => Kind::Random,
            true => Kind::Against,
            false => Kind::Honest,
        }
    }

    /// What somebody presses under the song at a place that is liked with a chance; `None` for nothing.
    pub fn presses(&self, kind: Kind, place: usize, likes: f32, rng: &mut fastrand::Rng) -> Option<Pressed> {
        // All draws are made whatever comes of them, so that worlds that differ in one number stay side by side.
        let [look, like, press, coin] = [(); 4].map(|()| rng.f32());
        let honest = match like < likes {
            true => Pressed::Up,
            false => Pressed::Down,
        };
        // Who does not like a song mostly passes it by.
        let says = if honest == Pressed::Up { self.press } else { self.press * DISLIKES_SAID };
        match kind {
            _ if look >= self.looks(place) => None,
            Kind::Random => Some(if coin < 0.5 { Pressed::Up } else { Pressed::Down }),
            Kind::Against => Some(if honest == Pressed::Up { Pressed::Down } else { Pressed::Up }),
            Kind::Honest => (press < says).then_some(honest),
        }
    }

    /// Likes that a slate is worth, from the chance with which each of its songs is liked.
    pub fn worth(&self, likes: impl IntoIterator<Item = f32>) -> f32 {
        likes.into_iter().enumerate().map(|(place, likes)| self.looks(place) * likes * self.press).sum()
    }
}

/// Part of the dislikes that are pressed, against the part of the likes.
const DISLIKES_SAID: f32 = 0.15;

/// Spreads of tastes against that for a genre.
const LANGUAGE: f32 = 0.6;
const DECADE: f32 = 0.8;
const KNOWN: f32 = 1.0;
const ARTIST: f32 = 0.7;
/// One artist of so many is liked or disliked for itself.
const ARTIST_EVERY: usize = 10;

/// A drawn taste for each song.
fn values(nature: Nature, catalogue: &Catalogue, name: u64) -> Vec<f32> {
    let mut drawn: HashMap<String, f32> = HashMap::new();
    let mut value = |label: String, spread: f32| -> f32 {
        let hash =
            label.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3));
        *drawn.entry(label).or_insert_with(|| spread * normal(&mut own(nature.seed, name, hash)))
    };
    let known = value("known".to_owned(), nature.taste * KNOWN);
    let one = |song| {
        let song = catalogue.song(song);
        let mut sum = value(format!("language {}", song.language), nature.taste * LANGUAGE);
        sum += value(format!("decade {:?}", song.year.map(|year| year / 10)), nature.taste * DECADE);
        // Of several genres each counts in part, so that songs with many are not all loved or hated.
        let share = 1.0 / (song.genres.len().max(1) as f32).sqrt();
        sum += song.genres.iter().map(|genre| share * value(format!("genre {genre}"), nature.taste)).sum::<f32>();
        sum += known * (song.popularity.unwrap_or(0.5) - 0.5);
        let artist = format!("artist {}", lead_artist(song.artist));
        let is_special = artist.bytes().map(usize::from).sum::<usize>() % ARTIST_EVERY == 0;
        sum + if is_special { value(artist, nature.taste * ARTIST) } else { 0.0 }
    };
    catalogue.songs().map(one).collect()
}
