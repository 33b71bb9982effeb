//! A made-up log for tests.

use std::fs::File;
use std::io::BufWriter;
use std::path::Path;

use super::facets::Facets;
use crate::feedback::archive::Archive;

#[path = "../../tests/fixtures/community.rs"]
mod community;

pub(super) use community::World;

/// The end of the made-up period: 2026-11-24, midnight.
pub(super) const UNTIL_MS: u64 = 1_795_478_400_000;
const N_SONGS: usize = 200;

/// A catalogue of 200 songs of four languages, seven genres and six decades by 60 artists.
pub(super) fn facets() -> Facets {
    let genres: [&[&str]; 7] = [&["rock"], &["pop"], &["pop", "dance"], &["folk"], &["hip hop"], &["jazz"], &[]];
    let mut facets = Facets::new();
    for n in 0..N_SONGS {
        let year = (n % 9 != 0).then_some(1960 + (n % 60) as u16);
        let artist = format!("Artist & <{}>", n % 60);
        facets.add(&format!("song-{n}"), ["en", "en", "de", "es", "ja"][n % 5], genres[n % 7], year, &artist);
    }
    facets
}

/// A world with as many answers, by a tenth as many people, in the 60 days before [`UNTIL_MS`].
pub(super) fn world(seed: u64, n_answers: usize) -> World {
    World {
        seed,
        n_answers,
        n_people: (n_answers / 10).max(1),
        n_days: 60,
        until_ms: UNTIL_MS,
        songs: (0..N_SONGS).map(|n| format!("song-{n}")).collect(),
    }
}

/// Writes a world's export into a folder and reads it.
pub(super) fn archive(dir: &Path, world: &World) -> Archive {
    let path = dir.join(format!("world-{}.jsonl", world.seed));
    world.write(&mut BufWriter::new(File::create(&path).unwrap())).unwrap();
    Archive::read(&[path], None).unwrap()
}
