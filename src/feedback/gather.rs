//! Takes the records out of what a source is made of: a file of a journal, or a stretch of lines of an export. Each gives
//! a [`Batch`], which many threads make at once; what the records come to together is decided in `archive`.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::error::FeedbackError;
use super::event::{EventKind, UnixMs};
use super::export::{EXPORT_VERSION, Line};
use super::ids::{EventId, ID_BYTES, ImpressionId, Mark, UserKey};
use super::import::MAX_LINE_BYTES;
use super::index::SweptState;
use super::journal;
use super::log::SongCounts;
use super::opinion::Stamp;
use super::record::{Record, Totals};
use super::seal::Seal;
use super::segment::{self, Walked};
use super::storage::{Storage, StorageFile};
use super::store::open_record;

/// Bytes of an export that one thread reads at a time.
const STRETCH_BYTES: usize = 4 << 20;
/// How often a journal is listed anew because the program that writes it replaced a file meanwhile.
const MAX_LISTINGS: u32 = 20;
/// How often a file is read again because it seems damaged, which a write at the same moment can look like.
const MAX_READINGS: u32 = 3;

/// An answer or event inside a batch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Item {
    pub(super) impression: ImpressionId,
    /// `None` for the answer itself.
    pub(super) event: Option<EventId>,
    pub(super) user: UserKey,
    pub(super) time: UnixMs,
    /// Number of its record; 0 in an export.
    pub(super) sequence: u64,
    /// Where its record begins in the bytes of the batch.
    pub(super) at: usize,
    pub(super) n_bytes: u32,
}

/// A like or dislike without a person.
#[derive(Debug, Clone)]
pub(super) struct Vote {
    pub(super) mark: Mark,
    pub(super) song_id: String,
    pub(super) kind: EventKind,
    pub(super) stamp: Stamp,
    pub(super) sequence: u64,
}

/// Counts that a store took over from another.
#[derive(Debug, Clone)]
pub(super) struct Import {
    pub(super) origin: [u8; ID_BYTES],
    pub(super) high_water: u64,
    pub(super) totals: Totals,
    pub(super) sequence: u64,
}

/// What a part of a source holds.
#[derive(Debug, Default)]
pub(super) struct Batch {
    /// Records of the items, as [`Record::encode`] writes them.
    pub(super) bytes: Vec<u8>,
    pub(super) items: Vec<Item>,
    /// A person's last erasure and its record.
    pub(super) erased: HashMap<UserKey, (UnixMs, u64)>,
    /// The last sweep and what it carried on.
    pub(super) swept: Option<(SweptState, Totals)>,
    pub(super) votes: Vec<Vote>,
    pub(super) imports: Vec<Import>,
    /// Counts of an export.
    pub(super) totals: Totals,
    pub(super) n_damaged: u64,
    /// Number of the last record.
    pub(super) last: u64,
    /// Lines of an export.
    pub(super) n_lines: u64,
    /// How many lines come before the last one, as that says; for an export only.
    pub(super) end: Option<u64>,
}

impl Batch {
    fn take(&mut self, sequence: u64, record: Record) {
        let (impression, event, user, time) = match &record {
            Record::Impression(found) => (found.id, None, found.user, found.time),
            Record::Event(found) => (found.impression, Some(found.id), found.user, found.time),
            _ => return self.take_other(sequence, record),
        };
        let encoded = record.encode();
        let (at, n_bytes) = (self.bytes.len(), encoded.len() as u32);
        self.bytes.extend_from_slice(&encoded);
        self.items.push(Item { impression, event, user, time, sequence, at, n_bytes });
    }

    fn take_other(&mut self, sequence: u64, record: Record) {
        match record {
            Record::Vote { mark, song_id, kind, time, order } => {
                self.votes.push(Vote { mark, song_id, kind, stamp: Stamp { time, order }, sequence });
            }
            Record::Erased { user, time, .. } => {
                self.erased.insert(user, (time, sequence));
            }
            Record::Swept { before, votes_before, carried } => {
                self.swept = Some((SweptState { before, votes_before, sequence }, carried));
            }
            Record::Imported { origin, high_water, totals } => {
                self.imports.push(Import { origin, high_water, totals, sequence });
            }
            Record::Impression(_) | Record::Event(_) | Record::UserLevel { .. } => {}
        }
    }
}

/// Looks at a journal that another process may be writing: changes nothing, not even drafts that lie about.
#[derive(Debug, Clone, Copy)]
struct Onlooker;

impl Storage for Onlooker {
    fn create(&self, _: &Path, _: &[u8], _: u64) -> io::Result<Box<dyn StorageFile>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn open(&self, _: &Path) -> io::Result<Box<dyn StorageFile>> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
    }

    fn remove(&self, _: &[PathBuf]) -> io::Result<()> {
        Err(io::ErrorKind::ReadOnlyFilesystem.into())
    }
}

/// The records of a journal's files, in order, as they are at some moment during the call.
///
/// # Errors
/// A file cannot be read, or a record is of a newer schema.
pub(super) fn gather_journal(dir: &Path, seal: &Seal) -> Result<Vec<Batch>, FeedbackError> {
    if !dir.exists() {
        // A store whose journal was not begun yet.
        return Ok(Vec::new());
    }
    let mut n_listings = 1;
    loop {
        let listed = journal::paths(&Onlooker, dir);
        let gathered =
            listed.and_then(|paths| paths.par_iter().map(|path| gather_segment(path, seal)).collect::<Result<_, _>>());
        match gathered {
            // An erasure or a sweep wrote the files anew since they were listed.
            Err(error) if error.is_not_found() && n_listings < MAX_LISTINGS => n_listings += 1,
            gathered => return gathered,
        }
    }
}

fn gather_segment(path: &Path, seal: &Seal) -> Result<Batch, FeedbackError> {
    let read = || fs::read(path).map_err(|source| FeedbackError::io(path, source));
    let mut bytes = read()?;
    for _ in 1..MAX_READINGS {
        let batch = walk(&bytes, seal)?;
        if batch.n_damaged == 0 {
            return Ok(batch);
        }
        let again = read()?;
        if again == bytes {
            return Ok(batch);
        }
        bytes = again;
    }
    walk(&bytes, seal)
}

fn walk(bytes: &[u8], seal: &Seal) -> Result<Batch, FeedbackError> {
    let mut batch = Batch::default();
    let Walked { last, n_damaged, .. } = segment::walk(bytes, &mut |found| {
        match open_record(seal, found) {
            Ok(record) => batch.take(found.sequence, record),
            Err(FeedbackError::Damaged { .. }) => batch.n_damaged += 1,
            Err(error) => return Err(error),
        }
        Ok(())
    })?;
    batch.n_damaged += n_damaged;
    batch.last = last;
    Ok(batch)
}

/// What an export holds: the store it is from, and its lines.
///
/// # Errors
/// The file cannot be read, is no whole export, or is of a newer version.
pub(super) fn gather_export(path: &Path) -> Result<(ImpressionId, Vec<Batch>), FeedbackError> {
    let io = |source| FeedbackError::io(path, source);
    let mut input = File::open(path).map_err(io)?;
    let fault = |line, fault: &str| FeedbackError::BadExport { path: path.to_owned(), line, fault: fault.to_owned() };
    let mut batches: Vec<Batch> = Vec::new();
    let mut store = None;
    let mut rest = Vec::new();
    let mut n_lines = 0;
    loop {
        let mut stretches = Vec::new();
        while stretches.len() < rayon::current_num_threads() {
            let Some(stretch) = next_stretch(&mut input, &mut rest).map_err(io)? else { break };
            stretches.push(stretch);
        }
        if stretches.is_empty() {
            break;
        }
        if store.is_none() {
            let Some((first, others)) = split_line(&stretches[0]) else { return Err(fault(1, NO_HEADER)) };
            store = Some(header(first, path)?);
            n_lines = 1;
            stretches[0] = others.to_vec();
        }
        let read: Vec<Result<Batch, (u64, String)>> = stretches.par_iter().map(|stretch| read_lines(stretch)).collect();
        for batch in read {
            let batch = batch.map_err(|(line, reason)| fault(n_lines + line, &reason))?;
            if let Some(n_before) = batch.end
                && n_before + 1 != n_lines + batch.n_lines
            {
                return Err(fault(n_lines + batch.n_lines, "it was cut off; export the store again"));
            }
            n_lines += batch.n_lines;
            batches.push(batch);
        }
    }
    let (store, high_water) = store.ok_or_else(|| fault(1, NO_HEADER))?;
    match batches.iter().rposition(|batch| batch.n_lines > 0).and_then(|last| batches[last].end) {
        Some(_) if batches.iter().filter(|batch| batch.end.is_some()).count() == 1 => {}
        _ => return Err(fault(n_lines, "it was cut off; export the store again")),
    }
    batches.push(Batch { last: high_water, ..Batch::default() });
    Ok((store, batches))
}

const NO_HEADER: &str = "it does not begin with a header; only `image2song feedback export --format jsonl` without \
                         --training writes what can be read here";

/// The next whole lines; what begins after them is kept in `rest`.
fn next_stretch(input: &mut impl Read, rest: &mut Vec<u8>) -> io::Result<Option<Vec<u8>>> {
    let mut stretch = std::mem::take(rest);
    loop {
        let n_read = Read::take(&mut *input, STRETCH_BYTES as u64).read_to_end(&mut stretch)?;
        if n_read == 0 {
            return Ok((!stretch.is_empty()).then_some(stretch));
        }
        if let Some(last) = stretch.iter().rposition(|byte| *byte == b'\n') {
            *rest = stretch.split_off(last + 1);
            return Ok(Some(stretch));
        }
        if stretch.len() > MAX_LINE_BYTES {
            // A line of this length is refused by whoever reads it.
            return Ok(Some(stretch));
        }
    }
}

fn split_line(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = text.iter().position(|byte| *byte == b'\n')?;
    Some((&text[..end], &text[end + 1..]))
}

fn header(line: &[u8], path: &Path) -> Result<(ImpressionId, u64), FeedbackError> {
    match serde_json::from_slice(line) {
        Ok(Line::Header { version, .. }) if version > EXPORT_VERSION => {
            Err(FeedbackError::TooNew { what: path.display().to_string(), found: version, known: EXPORT_VERSION })
        }
        Ok(Line::Header { store, high_water, .. }) => Ok((store, high_water)),
        _ => Err(FeedbackError::BadExport { path: path.to_owned(), line: 1, fault: NO_HEADER.to_owned() }),
    }
}

/// Reads lines; an error names the line by its number in the stretch, from 1.
fn read_lines(stretch: &[u8]) -> Result<Batch, (u64, String)> {
    let mut batch = Batch::default();
    for text in stretch.split(|byte| *byte == b'\n').filter(|text| !text.is_empty()) {
        batch.n_lines += 1;
        let line = batch.n_lines;
        if batch.end.is_some() {
            return Err((line, "it follows the end".to_owned()));
        }
        if text.len() > MAX_LINE_BYTES {
            return Err((line, format!("it is longer than {MAX_LINE_BYTES} bytes")));
        }
        match serde_json::from_slice(text).map_err(|error| (line, error.to_string()))? {
            Line::Impression(impression) => batch.take(0, Record::Impression(impression)),
            Line::Event(event) => batch.take(0, Record::Event(event)),
            Line::User { user, erased_at, .. } => {
                // What an export holds came after the erasures that it names.
                batch.erased.extend(erased_at.map(|time| (user, (time, 0))));
            }
            Line::Counts { song_id, up, down } => batch.totals.push((song_id, SongCounts { up, down })),
            Line::End { n_lines } => batch.end = Some(n_lines),
            Line::Header { .. } => return Err((line, "it may only be the first".to_owned())),
        }
    }
    Ok(batch)
}
