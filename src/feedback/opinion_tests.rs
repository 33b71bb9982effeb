use proptest::prelude::*;

use super::event::{Event, EventKind, Reaction, UnixMs};
use super::opinion::{Opinion, SlateState, Stamp, Verdict};
use super::samples::{START, event};

fn of(events: &[(EventKind, u64)]) -> Option<Verdict> {
    let mut opinion = Opinion::default();
    for (kind, time) in events {
        opinion.apply(*kind, Stamp { time: UnixMs(START.0 + time), order: 0 });
    }
    opinion.verdict()
}

#[test]
fn the_latest_that_still_holds_decides() {
    use EventKind::{Down, ReactionAdded, ReactionRemoved, Retracted, Up};
    type Case = (&'static [(EventKind, u64)], Option<Verdict>);
    let cases: [Case; 9] = [
        (&[], None),
        (&[(Up, 1)], Some(Verdict::Up)),
        (&[(Up, 1), (Down, 2)], Some(Verdict::Down)),
        (&[(Up, 1), (Retracted, 2)], None),
        (&[(Retracted, 2), (Up, 1)], None),
        (&[(Up, 1), (Retracted, 2), (Up, 3)], Some(Verdict::Up)),
        (&[(ReactionAdded(Reaction::Up), 1), (Down, 2), (Retracted, 3)], Some(Verdict::Up)),
        (&[(ReactionRemoved(Reaction::Up), 5), (ReactionAdded(Reaction::Up), 4)], None),
        (&[(ReactionAdded(Reaction::Other), 1)], None),
    ];
    for (events, verdict) in cases {
        assert_eq!(of(events), verdict, "{events:?}");
    }
}

fn kinds() -> impl Strategy<Value = EventKind> {
    (0..EventKind::NAMED.len()).prop_map(|idx| EventKind::NAMED[idx].0)
}

/// The same by another way: all events in order, one after the other.
fn verdict_in_order(mut events: Vec<(EventKind, u64)>) -> Option<Verdict> {
    // Events of the same time count in this order of their kinds.
    let rank = |kind: &EventKind| match kind {
        EventKind::Up | EventKind::ReactionAdded(_) => 1,
        EventKind::Down => 2,
        _ => 0,
    };
    events.sort_by_key(|(kind, time)| (*time, rank(kind)));
    let mut holding: Vec<(u64, Verdict, &str)> = Vec::new();
    for (kind, time) in events {
        let (register, verdict) = match kind {
            EventKind::Up => ("press", Some(Verdict::Up)),
            EventKind::Down => ("press", Some(Verdict::Down)),
            EventKind::Retracted => ("press", None),
            EventKind::ReactionAdded(Reaction::Up) => ("likes", Some(Verdict::Up)),
            EventKind::ReactionRemoved(Reaction::Up) => ("likes", None),
            EventKind::ReactionAdded(Reaction::Down) => ("dislikes", Some(Verdict::Down)),
            EventKind::ReactionRemoved(Reaction::Down) => ("dislikes", None),
            _ => continue,
        };
        holding.retain(|(_, _, held)| *held != register);
        holding.extend(verdict.map(|verdict| (time, verdict, register)));
    }
    holding.into_iter().map(|(time, verdict, _)| (time, verdict)).max().map(|(_, verdict)| verdict)
}

proptest! {
    #[test]
    fn order_and_repeats_do_not_matter(
        events in prop::collection::vec((kinds(), 0_u64..6), 0..12),
        order in prop::collection::vec(any::<prop::sample::Index>(), 0..40),
    ) {
        let expected = verdict_in_order(events.clone());
        prop_assert_eq!(of(&events), expected);
        let mut shuffled = events.clone();
        if !events.is_empty() {
            shuffled.extend(order.iter().map(|idx| *idx.get(&events)));
        }
        shuffled.reverse();
        prop_assert_eq!(of(&shuffled), expected);
    }

    #[test]
    fn forgetting_leaves_what_the_later_events_say(
        events in prop::collection::vec((kinds(), 0_u64..6), 0..12),
        before in 0_u64..7,
    ) {
        let mut opinion = Opinion::default();
        let mut later = Opinion::default();
        for (kind, time) in &events {
            let stamp = Stamp { time: UnixMs(*time), order: 0 };
            opinion.apply(*kind, stamp);
            if *time >= before {
                later.apply(*kind, stamp);
            }
        }
        opinion.forget(UnixMs(before));
        prop_assert_eq!(opinion, later);
    }
}

#[test]
fn a_slate_counts_what_is_about_all_of_it() {
    let kinds = [EventKind::More, EventKind::More, EventKind::Why, EventKind::Delete, EventKind::Up];
    let mut events: Vec<Event> = kinds.iter().zip(1..).map(|(kind, n)| event(n, 0, *kind)).collect();
    let state = SlateState::of(&events);
    assert_eq!((state.n_more, state.n_why, state.is_deleted, state.songs.len()), (2, 1, true, 1));
    events.reverse();
    assert_eq!(SlateState::of(&events), state);
}
