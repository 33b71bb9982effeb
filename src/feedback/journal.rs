//! The journal: the truth of the log. Records are appended to the active file, whose blocks are reserved beforehand, and
//! are durable when [`Journal::append`] returns. Closed files change only when records in them must go.
//!
//! A file is named after the numbers of the files it stands for (`00000003-00000005.log` replaced three): one that was
//! written in place of others makes them stale at the moment it gets its name, so a crash leaves nothing twice.

use std::fs;
use std::path::{Path, PathBuf};

use super::error::FeedbackError;
use super::segment::{self, Found, HEADER_BYTES, Walked};
use super::storage::{Storage, StorageFile};

const ENDING: &str = "log";

/// A file of the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Segment {
    path: PathBuf,
    /// The files it stands for.
    first_no: u64,
    last_no: u64,
    /// Least record number that it may hold.
    first_sequence: u64,
}

/// The file that records are appended to.
struct Active {
    segment: Segment,
    file: Box<dyn StorageFile>,
    end: u64,
    capacity: u64,
    /// Bytes after the end that a failed write may have left.
    n_dirty: u64,
}

/// An open journal.
pub(super) struct Journal {
    storage: Box<dyn Storage>,
    dir: PathBuf,
    segment_bytes: u64,
    closed: Vec<Segment>,
    active: Active,
    next_sequence: u64,
}

/// What walking through a journal found besides its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct JournalWalk {
    /// Files.
    pub(super) n_files: u64,
    /// Good records.
    pub(super) n_records: u64,
    /// Damaged places with good records after them.
    pub(super) n_damaged: u64,
    /// Files that end in something that is no record.
    pub(super) n_torn: u64,
    /// Number of the last good record.
    pub(super) last: u64,
}

impl Journal {
    /// Opens the journal in a folder, making it if there is none, and clears the torn end that a crash may have left.
    ///
    /// # Errors
    /// A file cannot be used or is of a newer version.
    pub(super) fn open(storage: Box<dyn Storage>, dir: &Path, segment_bytes: u64) -> Result<Self, FeedbackError> {
        fs::create_dir_all(dir).map_err(|source| FeedbackError::io(dir, source))?;
        let mut closed = segments(storage.as_ref(), dir, true)?;
        let active = match closed.pop() {
            Some(segment) => reopen(storage.as_ref(), segment)?,
            None => (create(storage.as_ref(), dir, 1, 1, segment_bytes)?, 0),
        };
        let (active, last) = active;
        Ok(Self { storage, dir: dir.to_owned(), segment_bytes, closed, active, next_sequence: last + 1 })
    }

    /// Number of the last record; 0 if there was never one.
    pub(super) fn last_sequence(&self) -> u64 {
        self.next_sequence - 1
    }

    /// Makes the next record's number larger than this one.
    pub(super) fn skip_to(&mut self, sequence: u64) {
        self.next_sequence = self.next_sequence.max(sequence + 1);
    }

    /// Number that the next record will get; those appended together get the ones after it.
    pub(super) fn next_sequence(&self) -> u64 {
        self.next_sequence
    }

    /// Appends records; when this returns they are durable.
    ///
    /// # Errors
    /// The disk is full or fails: none of them is kept, and the journal stays usable once the disk is.
    pub(super) fn append(&mut self, payloads: &[Vec<u8>]) -> Result<(), FeedbackError> {
        let first = self.next_sequence;
        let mut buffer = Vec::new();
        for payload in payloads {
            segment::push_record(&mut buffer, self.next_sequence, payload);
            // Numbers of records that fail are not used again: what a failed write left can never pass for a later one.
            self.next_sequence += 1;
        }
        self.clean()?;
        if self.active.end + buffer.len() as u64 > self.active.capacity {
            self.roll(first, buffer.len() as u64)?;
        }
        let active = &mut self.active;
        if let Err(source) = active.file.write_at(active.end, &buffer).and_then(|()| active.file.sync()) {
            active.n_dirty = active.n_dirty.max(buffer.len() as u64);
            return Err(FeedbackError::io(&active.segment.path, source));
        }
        active.end += buffer.len() as u64;
        Ok(())
    }

    /// Overwrites what a failed write may have left, so that nothing refused comes back at the next opening.
    fn clean(&mut self) -> Result<(), FeedbackError> {
        let active = &mut self.active;
        if active.n_dirty == 0 {
            return Ok(());
        }
        let zeros = vec![0; active.n_dirty as usize];
        active
            .file
            .write_at(active.end, &zeros)
            .and_then(|()| active.file.sync())
            .map_err(|source| FeedbackError::io(&active.segment.path, source))?;
        active.n_dirty = 0;
        Ok(())
    }

    /// Closes the active file and begins the next, with room for at least `n_bytes` of records.
    fn roll(&mut self, first_sequence: u64, n_bytes: u64) -> Result<(), FeedbackError> {
        let n_bytes = self.segment_bytes.max(HEADER_BYTES as u64 + n_bytes);
        let no = self.active.segment.last_no + 1;
        let next = create(self.storage.as_ref(), &self.dir, no, first_sequence, n_bytes)?;
        let mut old = std::mem::replace(&mut self.active, next);
        if let Err(source) = old.file.cut(old.end) {
            // It only wastes room: reserved zeros at the end of a file are no damage.
            tracing::warn!(path = %old.segment.path.display(), %source, "a full journal file keeps its reserved room");
        }
        self.closed.push(old.segment);
        Ok(())
    }

    /// Shows every record after `after`, in order.
    ///
    /// # Errors
    /// A file cannot be read, or `visit` fails.
    pub(super) fn replay(
        &self,
        after: u64,
        visit: &mut dyn FnMut(Found) -> Result<(), FeedbackError>,
    ) -> Result<JournalWalk, FeedbackError> {
        let mut segments: Vec<&Segment> = self.closed.iter().collect();
        segments.push(&self.active.segment);
        // A file is needed if the next one does not begin early enough.
        let needed = segments.iter().skip(1).take_while(|next| next.first_sequence <= after + 1).count();
        walk_segments(self.storage.as_ref(), segments[needed..].iter().copied(), &mut |found| {
            if found.sequence > after { visit(found) } else { Ok(()) }
        })
    }

    /// Removes all records for which `keep` is false, and joins small files. When this returns they are gone from all
    /// files. A crash in between leaves each record where it was or gone.
    ///
    /// # Errors
    /// A file cannot be read or written, or `keep` fails. What was not removed yet is there still.
    pub(super) fn retain(
        &mut self,
        keep: &mut dyn FnMut(Found) -> Result<bool, FeedbackError>,
    ) -> Result<u64, FeedbackError> {
        if self.active.end > HEADER_BYTES as u64 {
            self.clean()?;
            self.roll(self.next_sequence, 0)?;
        }
        let closed = std::mem::take(&mut self.closed);
        match self.rewrite(closed, keep) {
            Ok((closed, n_removed)) => {
                self.closed = closed;
                Ok(n_removed)
            }
            Err(error) => {
                // Some files may have been written anew: the folder knows which hold.
                self.closed = segments(self.storage.as_ref(), &self.dir, true)?;
                self.closed.retain(|segment| *segment != self.active.segment);
                Err(error)
            }
        }
    }

    /// Writes closed files without what must go; gives the files that there are then, and how many records went.
    fn rewrite(
        &self,
        closed: Vec<Segment>,
        keep: &mut dyn FnMut(Found) -> Result<bool, FeedbackError>,
    ) -> Result<(Vec<Segment>, u64), FeedbackError> {
        let mut n_removed = 0;
        let mut kept_segments = Vec::new();
        let mut group = Group::default();
        for segment in closed {
            let bytes = self.storage.read(&segment.path).map_err(|source| FeedbackError::io(&segment.path, source))?;
            let (mut records, mut n_gone) = (Vec::new(), 0);
            segment::walk(&bytes, &mut |found| {
                match keep(found)? {
                    true => segment::push_record(&mut records, found.sequence, found.payload),
                    false => n_gone += 1,
                }
                Ok(())
            })?;
            if !group.members.is_empty() && (group.records.len() + records.len()) as u64 > self.segment_bytes {
                kept_segments.extend(group.write(self.storage.as_ref(), &self.dir)?);
                group = Group::default();
            }
            n_removed += n_gone;
            group.n_removed += n_gone;
            group.records.append(&mut records);
            group.members.push(segment);
        }
        kept_segments.extend(group.write(self.storage.as_ref(), &self.dir)?);
        Ok((kept_segments, n_removed))
    }

    /// Bytes of all files.
    pub(super) fn n_bytes(&self) -> u64 {
        let all = self.closed.iter().chain([&self.active.segment]);
        all.filter_map(|segment| fs::metadata(&segment.path).ok()).map(|meta| meta.len()).sum()
    }
}

/// Closed files that become one.
#[derive(Default)]
struct Group {
    members: Vec<Segment>,
    records: Vec<u8>,
    n_removed: u64,
}

impl Group {
    /// Writes the group's file in place of its members; gives it, unless nothing is left.
    fn write(self, storage: &dyn Storage, dir: &Path) -> Result<Option<Segment>, FeedbackError> {
        let (Some(first), Some(last)) = (self.members.first().cloned(), self.members.last()) else { return Ok(None) };
        if self.members.len() == 1 && self.n_removed == 0 {
            return Ok(Some(first));
        }
        let mut stale: Vec<PathBuf> = self.members.iter().map(|segment| segment.path.clone()).collect();
        let mut written = None;
        if !self.records.is_empty() {
            let path = dir.join(name(first.first_no, last.last_no));
            let content = [segment::header(first.first_sequence), self.records].concat();
            storage.create(&path, &content, content.len() as u64).map_err(|source| FeedbackError::io(&path, source))?;
            stale.retain(|member| *member != path);
            written = Some(Segment { path, last_no: last.last_no, ..first });
        }
        storage.remove(&stale).map_err(|source| FeedbackError::io(dir, source))?;
        Ok(written)
    }
}

/// The files of the journal in a folder, in the order of their records.
///
/// # Errors
/// The folder or the head of a file cannot be read.
pub(super) fn paths(storage: &dyn Storage, dir: &Path) -> Result<Vec<PathBuf>, FeedbackError> {
    Ok(segments(storage, dir, false)?.into_iter().map(|segment| segment.path).collect())
}

/// Shows every record of the journal in a folder without changing it.
///
/// # Errors
/// A file cannot be read, or `visit` fails.
pub(super) fn walk_journal(
    storage: &dyn Storage,
    dir: &Path,
    visit: &mut dyn FnMut(Found) -> Result<(), FeedbackError>,
) -> Result<JournalWalk, FeedbackError> {
    let segments = segments(storage, dir, false)?;
    walk_segments(storage, segments.iter(), visit)
}

fn walk_segments<'a>(
    storage: &dyn Storage,
    segments: impl Iterator<Item = &'a Segment>,
    visit: &mut dyn FnMut(Found) -> Result<(), FeedbackError>,
) -> Result<JournalWalk, FeedbackError> {
    let mut total = JournalWalk::default();
    for segment in segments {
        let bytes = storage.read(&segment.path).map_err(|source| FeedbackError::io(&segment.path, source))?;
        let walked = segment::walk(&bytes, &mut |found| {
            total.n_records += 1;
            visit(found)
        })?;
        total.n_files += 1;
        total.n_damaged += walked.n_damaged;
        total.n_torn += u64::from(walked.has_torn_end);
        total.last = total.last.max(walked.last);
    }
    Ok(total)
}

fn name(first_no: u64, last_no: u64) -> String {
    format!("{first_no:08}-{last_no:08}.{ENDING}")
}

/// First and last file number in a name.
fn numbers(path: &Path) -> Option<(u64, u64)> {
    let (first, last) = path.file_name()?.to_str()?.strip_suffix(ENDING)?.strip_suffix('.')?.split_once('-')?;
    let (first, last) = (first.parse().ok()?, last.parse().ok()?);
    (first <= last).then_some((first, last))
}

/// The files of a journal in order, without those that another one stands for; they are removed if asked.
fn segments(storage: &dyn Storage, dir: &Path, may_remove: bool) -> Result<Vec<Segment>, FeedbackError> {
    let paths = storage.list(dir).map_err(|source| FeedbackError::io(dir, source))?;
    let mut named: Vec<(u64, u64, PathBuf)> = Vec::new();
    for path in paths {
        let Some((first, last)) = numbers(&path) else { continue };
        named.push((first, last, path));
    }
    // Of those that begin alike the widest comes first, so each stale one follows the one that stands for it.
    named.sort_by_key(|(first, last, _)| (*first, u64::MAX - last));
    let mut segments: Vec<Segment> = Vec::new();
    for (first_no, last_no, path) in named {
        if segments.last().is_some_and(|segment| last_no <= segment.last_no) {
            if may_remove {
                storage.remove(std::slice::from_ref(&path)).map_err(|source| FeedbackError::io(&path, source))?;
            }
            continue;
        }
        let start =
            storage.read_start(&path, HEADER_BYTES as u64).map_err(|source| FeedbackError::io(&path, source))?;
        let first_sequence = segment::read_header(&start)?;
        segments.push(Segment { path, first_no, last_no, first_sequence });
    }
    Ok(segments)
}

/// Makes an empty active file.
fn create(
    storage: &dyn Storage,
    dir: &Path,
    no: u64,
    first_sequence: u64,
    n_bytes: u64,
) -> Result<Active, FeedbackError> {
    let path = dir.join(name(no, no));
    let header = segment::header(first_sequence);
    let file = storage.create(&path, &header, n_bytes).map_err(|source| FeedbackError::io(&path, source))?;
    let segment = Segment { path, first_no: no, last_no: no, first_sequence };
    Ok(Active { segment, file, end: HEADER_BYTES as u64, capacity: n_bytes, n_dirty: 0 })
}

/// Opens the last file for more; gives the number of its last record too.
fn reopen(storage: &dyn Storage, segment: Segment) -> Result<(Active, u64), FeedbackError> {
    let io = |source| FeedbackError::io(&segment.path, source);
    let bytes = storage.read(&segment.path).map_err(io)?;
    let Walked { end, last, has_torn_end, .. } = segment::walk(&bytes, &mut |_| Ok(()))?;
    let file = storage.open(&segment.path).map_err(io)?;
    let n_dirty = if has_torn_end { (bytes.len() - end) as u64 } else { 0 };
    if has_torn_end {
        tracing::warn!(path = %segment.path.display(), end, "the journal's last write was cut off and is dropped");
    }
    Ok((Active { segment, file, end: end as u64, capacity: bytes.len() as u64, n_dirty }, last))
}
