//! The port: what an adapter may ask of the program.

use std::future::Future;
use std::pin::Pin;

use crate::answer::{Answer, Pressed, Refusal, Why};
use crate::ask::{Ask, Intake, Photo, Press, Reaction, Receipt, Trigger};
use crate::locale::Locale;
use crate::payload::SlateId;
use crate::place::{CommunityId, MessageId, Person, Place, Platform};
use crate::settings::{Change, Level, Privacy, Settings};

/// A future of the port.
pub type Pending<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// What comes of a receipt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Received {
    /// New: answer it, then close it.
    New,
    /// Answered before, or being answered: do nothing.
    Again,
}

/// The program as the adapters see it. Nothing of it blocks a runtime thread; all of it may be called at the same time.
pub trait SongBot: Send + Sync + 'static {
    /// What the core wants of photos.
    fn intake(&self) -> Intake;

    /// Whether to answer here at all, before anything is downloaded. Says the cooldown and starts it.
    fn admit<'a>(&'a self, place: &'a Place, person: &'a Person, trigger: Trigger) -> Pending<'a, Result<(), Refusal>>;

    /// Answers a question.
    fn suggest(&self, ask: Ask) -> Pending<'_, Result<Answer, Refusal>>;

    /// Tells under which message an answer stands, so that reactions to it count.
    fn posted(&self, platform: Platform, slate: SlateId, message: MessageId) -> Pending<'_, ()>;

    /// Takes a press. A vote that is kept is durable when this returns.
    fn press(&self, press: Press) -> Pending<'_, Result<Pressed, Refusal>>;

    /// Explains an answer; `photos` are the question's, if they had to be downloaded once more.
    fn why(&self, slate: SlateId, photos: Vec<Photo>) -> Pending<'_, Result<Why, Refusal>>;

    /// Takes a reaction; those under messages that are no answers are left alone.
    fn react(&self, reaction: Reaction) -> Pending<'_, Result<(), Refusal>>;

    /// Language of the sentences for somebody somewhere: the community's, else the person's, else the default.
    fn locale<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Locale>;

    /// Settings of a community.
    fn settings<'a>(&'a self, place: &'a Place) -> Pending<'a, Settings>;

    /// Changes a setting.
    fn change(&self, place: Place, person: Person, change: Change) -> Pending<'_, Result<Settings, Refusal>>;

    /// What is kept of a person.
    fn privacy<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Result<Privacy, Refusal>>;

    /// A person chooses what may be kept; `None` leaves it to the community.
    fn set_level<'a>(
        &'a self,
        place: &'a Place,
        person: &'a Person,
        level: Option<Level>,
    ) -> Pending<'a, Result<(), Refusal>>;

    /// All that is kept of a person, as JSON text.
    fn export<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Result<String, Refusal>>;

    /// Deletes all that is kept of a person, durably; returns how many records.
    fn erase<'a>(&'a self, place: &'a Place, person: &'a Person) -> Pending<'a, Result<usize, Refusal>>;

    /// Journals that an update has arrived, before the platform may forget it.
    fn receive(&self, receipt: Receipt) -> Pending<'_, Result<Received, Refusal>>;

    /// Closes a receipt: it was answered, or will not be.
    fn close<'a>(&'a self, platform: Platform, key: &'a str) -> Pending<'a, ()>;

    /// Receipts that an earlier run left open; each is returned by one run only once.
    fn left_open(&self, platform: Platform) -> Pending<'_, Vec<Receipt>>;

    /// A small value that an adapter keeps (such as the hash of registered commands).
    fn recall<'a>(&'a self, platform: Platform, name: &'a str) -> Pending<'a, Option<String>>;

    /// Keeps such a value.
    fn remember<'a>(&'a self, platform: Platform, name: &'a str, value: String) -> Pending<'a, ()>;

    /// The bot was removed from a community: its settings go.
    fn left(&self, platform: Platform, community: CommunityId) -> Pending<'_, ()>;

    /// A community has a new id: its settings move.
    fn moved(&self, platform: Platform, from: CommunityId, to: CommunityId) -> Pending<'_, ()>;
}
