//! A small piece of the simulation in `tests/sim`, so that the loop is closed in every run of the tests.

#[path = "../sim/chance.rs"]
mod chance;
#[path = "../sim/ground.rs"]
mod ground;
#[path = "../sim/nature.rs"]
#[allow(dead_code, reason = "the whole simulation uses it all")]
mod nature;

use image2song::evaluation::policy::cases::Case;
use image2song::matcher::taste::Taste;

use chance::own;
use ground::{Ground, N_PHOTOS};
use nature::{Kind, Nature, Place, Pressed, Tastes};

#[test]
fn people_look_at_the_first_song_most_and_vandals_press_against_their_taste() {
    let nature = Nature { vandals: 1.0, ..Nature::default() };
    assert!((0..4).all(|place| nature.looks(place) > nature.looks(place + 1)));
    let ups = |kind, likes| {
        let mut rng = own(7, 1, 1);
        (0..1000).filter(|_| nature.presses(kind, 0, likes, &mut rng) == Some(Pressed::Up)).count()
    };
    assert!(ups(Kind::Honest, 0.9) > 700 && ups(Kind::Honest, 0.1) < 150);
    assert!(ups(Kind::Against, 0.9) < 150);
    assert!((0..50).all(|person| nature.kind(0, person) != Kind::Honest && nature.kind(1, person) == Kind::Honest));
}

#[test]
fn a_log_of_likes_makes_a_model_that_is_liked_no_less() {
    let Some(ground) = Ground::load() else { return };
    let nature = Nature { n_communities: 1, ..Nature::default() };
    let tastes = Tastes::new(nature, &ground.catalogue);
    let world = (&nature, &tastes);
    let photos: Vec<u64> = (0..N_PHOTOS / 5).collect();
    let pools = ground.pools(nature.seed, &photos, &Taste::default());
    let answer = |number: usize| {
        let mut rng = own(nature.seed, 6, number as u64);
        let photo = photos[rng.usize(..photos.len())];
        let at = Place { community: 0, photo, n_answers: number };
        ground.answer(world, at, rng.usize(..nature.n_people), &pools[&photo], &mut rng)
    };
    let log: Vec<Case> = (0..1200).map(answer).collect();
    assert!(ground.learn(&log[..50]).is_none(), "fifty answers are too few to learn from");
    let taste = ground.learn(&log);
    assert!(!taste.is_none());
    let unseen: Vec<u64> = (9000..9060).collect();
    let worth = |taste: &Taste| ground.worth(world, 0, log.len(), &ground.pools(nature.seed, &unseen, taste));
    let (before, after) = (worth(&Taste::default()), worth(&taste));
    assert!(after > 0.97 * before, "{before} became {after} likes an answer");
}
