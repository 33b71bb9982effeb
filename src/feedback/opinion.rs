//! What one person thinks of one shown song: a function of the set of that person's events, whatever their order and
//! however often each came. Each button and each reaction is a register in which the event with the latest stamp wins.

use std::collections::BTreeMap;

use serde::Serialize;

use super::event::{Event, EventKind, Reaction, Service, UnixMs};
use super::ids::UserKey;

/// Like or dislike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Likes it.
    Up,
    /// Dislikes it.
    Down,
}

/// Place of an event in time; events of the same time and order are told apart by their kind, so that no tie is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stamp {
    pub(super) time: UnixMs,
    pub(super) order: u64,
}

/// What the buttons and reactions of one person say about one song.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Opinion {
    /// The last press of 👍 or 👎, or `None` inside if it was taken back.
    pub(super) press: Option<(Stamp, Option<Verdict>)>,
    /// Whether a liking reaction is on.
    pub(super) likes: Option<(Stamp, bool)>,
    /// Whether a disliking reaction is on.
    pub(super) dislikes: Option<(Stamp, bool)>,
}

impl Opinion {
    /// Takes an event in. Kinds that are no like or dislike change nothing.
    pub(super) fn apply(&mut self, kind: EventKind, stamp: Stamp) {
        match kind {
            EventKind::Up => self.press = self.press.max(Some((stamp, Some(Verdict::Up)))),
            EventKind::Down => self.press = self.press.max(Some((stamp, Some(Verdict::Down)))),
            EventKind::Retracted => self.press = self.press.max(Some((stamp, None))),
            EventKind::ReactionAdded(Reaction::Up) => self.likes = self.likes.max(Some((stamp, true))),
            EventKind::ReactionRemoved(Reaction::Up) => self.likes = self.likes.max(Some((stamp, false))),
            EventKind::ReactionAdded(Reaction::Down) => self.dislikes = self.dislikes.max(Some((stamp, true))),
            EventKind::ReactionRemoved(Reaction::Down) => self.dislikes = self.dislikes.max(Some((stamp, false))),
            EventKind::ReactionAdded(Reaction::Other) | EventKind::ReactionRemoved(Reaction::Other) => {}
            EventKind::LinkFollowed(_) | EventKind::More | EventKind::Why | EventKind::Delete => {}
        }
    }

    /// Forgets all events from before a time. Since the latest event of each register wins, what remains is just what
    /// the remaining events say.
    pub(super) fn forget(&mut self, before: UnixMs) {
        self.press = self.press.filter(|(stamp, _)| stamp.time >= before);
        self.likes = self.likes.filter(|(stamp, _)| stamp.time >= before);
        self.dislikes = self.dislikes.filter(|(stamp, _)| stamp.time >= before);
    }

    /// The latest of what holds: a press that was not taken back, a reaction that is still on.
    pub fn verdict(&self) -> Option<Verdict> {
        let press = self.press.and_then(|(stamp, verdict)| Some((stamp, verdict?)));
        let likes = self.likes.filter(|(_, is_on)| *is_on).map(|(stamp, _)| (stamp, Verdict::Up));
        let dislikes = self.dislikes.filter(|(_, is_on)| *is_on).map(|(stamp, _)| (stamp, Verdict::Down));
        [press, likes, dislikes].into_iter().flatten().max().map(|(_, verdict)| verdict)
    }
}

/// True if an event of this kind can change a verdict.
pub(super) fn is_vote(kind: EventKind) -> bool {
    match kind {
        EventKind::Up | EventKind::Down | EventKind::Retracted => true,
        EventKind::ReactionAdded(reaction) | EventKind::ReactionRemoved(reaction) => reaction != Reaction::Other,
        EventKind::LinkFollowed(_) | EventKind::More | EventKind::Why | EventKind::Delete => false,
    }
}

/// What one person did with one shown song.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SongState {
    /// Likes and dislikes.
    pub opinion: Opinion,
    /// Listen links followed, how often each.
    pub links: BTreeMap<Service, u32>,
}

/// What people did with an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SlateState {
    /// By position in the slate and person.
    pub songs: BTreeMap<(u8, UserKey), SongState>,
    /// How often more songs were asked for.
    pub n_more: u32,
    /// How often the explanation was asked for.
    pub n_why: u32,
    /// Whether somebody deleted the answer.
    pub is_deleted: bool,
}

impl SlateState {
    /// The state after these events of one answer, in any order; each event once.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut state = Self::default();
        for event in events {
            match event.kind {
                EventKind::More => state.n_more += 1,
                EventKind::Why => state.n_why += 1,
                EventKind::Delete => state.is_deleted = true,
                kind => {
                    let Some(song) = &event.song else { continue };
                    let song = state.songs.entry((song.position, event.user)).or_default();
                    if let EventKind::LinkFollowed(service) = kind {
                        *song.links.entry(service).or_default() += 1;
                    }
                    song.opinion.apply(kind, Stamp { time: event.time, order: event.order });
                }
            }
        }
        state
    }
}
