use super::estimate::compare;
use super::examination::Examination;
use super::pretend::{LOOKED, answers, cases, examination, exposures, judged, worth};
use crate::matcher::draw::Policy;

const SHUFFLED: Policy = Policy { temperature: 1.0, protects_first: false };
const PROTECTED: Policy = Policy { temperature: 1.0, protects_first: true };

#[test]
fn planted_position_bias_is_found() {
    for (policy, allowed) in [(SHUFFLED, 0.06), (PROTECTED, 0.15)] {
        let found = Examination::fit(&cases(&answers(5, 12_000, 500, policy)).cases);
        for (place, looked) in LOOKED.iter().enumerate() {
            let error = (found.at(place) - looked).abs();
            assert!(error < allowed, "{policy:?}, place {place}: {} for {looked}", found.at(place));
        }
    }
}

#[test]
fn without_votes_the_belief_before_stays() {
    let mut log = cases(&answers(5, 50, 5, SHUFFLED));
    log.cases.iter_mut().flat_map(|case| &mut case.songs).for_each(|song| song.votes.clear());
    assert_eq!(Examination::fit(&log.cases), Examination::prior());
}

#[test]
fn exposures_come_from_all_slates_that_chance_could_have_made() {
    for truth in answers(2, 20, 3, PROTECTED) {
        let pool = truth.case.draw.clone().unwrap().pool;
        let all = exposures(&pool, PROTECTED);
        for (song, exposure) in truth.case.songs.iter().zip(examination().exposures(&truth.case)) {
            assert!((exposure - all[usize::from(song.in_pool)]).abs() < 1e-9);
        }
    }
}

#[test]
fn intervals_cover_the_truth_in_nine_runs_of_ten() {
    const N_RUNS: u64 = 100;
    let many = answers(1_000, 20_000, 100, SHUFFLED);
    let wanted = [
        worth(&many, SHUFFLED, |truth| truth.case.draw.clone().unwrap().pool),
        worth(&many, SHUFFLED, |truth| truth.others.clone()),
    ];
    assert!(wanted[1] > 1.1 * wanted[0], "the candidate is better: {wanted:?}");
    let mut covered = [0; 9];
    for run in 0..N_RUNS {
        let truths = answers(run, 500, 50, SHUFFLED);
        let current: Vec<_> =
            truths.iter().map(|t| judged(t, &t.case.draw.clone().unwrap().pool, SHUFFLED, 0.7)).collect();
        let candidate: Vec<_> = truths.iter().map(|t| judged(t, &t.others, SHUFFLED, 0.7)).collect();
        let found = compare(&current, &candidate, run);
        let difference = wanted[1] - wanted[0];
        let all = [(&found.current, wanted[0]), (&found.candidate, wanted[1]), (&found.difference, difference)];
        for (side, (rates, wanted)) in all.into_iter().enumerate() {
            for (kind, range) in [rates.ips, rates.snips, rates.dr].into_iter().enumerate() {
                covered[3 * side + kind] += usize::from((range.low..=range.high).contains(&wanted));
            }
        }
        assert!(found.candidate_support.covered > 0.85, "{:?}", found.candidate_support);
    }
    assert!(covered.iter().all(|&n| n >= 90), "of {N_RUNS}: {covered:?}");
}

#[test]
fn what_the_log_never_shows_is_told() {
    let none = Policy { temperature: 0.0, protects_first: true };
    let truths = answers(3, 400, 40, none);
    let upside_down = |truth: &super::pretend::Truth| {
        let pool = truth.case.draw.clone().unwrap().pool;
        pool.iter().rev().copied().collect::<Vec<f32>>()
    };
    let candidate: Vec<_> = truths.iter().map(|t| judged(t, &upside_down(t), none, 0.5)).collect();
    let found = compare(&candidate, &candidate, 1);
    assert_eq!(found.candidate_support.covered, 0.0);
    assert_eq!(found.candidate.ips.value, 0.0, "nothing is known, and nothing is made up");
}
