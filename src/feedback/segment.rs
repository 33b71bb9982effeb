//! The bytes of one journal file: a header, then records, then zeros that are reserved for more.
//!
//! Header: `I2SFBLOG`, version u32, number of the first record it may hold u64, crc32 of those 20 bytes. Record: length
//! of the payload u32, crc32 of number and payload u32, number u64, payload. All in little endian.

use super::error::FeedbackError;

const MAGIC: [u8; 8] = *b"I2SFBLOG";
const FORMAT_VERSION: u32 = 1;
/// Bytes of the header of a file.
pub(super) const HEADER_BYTES: usize = 24;
/// Bytes of a record before its payload.
pub(super) const FRAME_BYTES: usize = 16;

/// A header for a file whose records have this number or higher ones.
pub(super) fn header(first: u64) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    bytes.extend_from_slice(&FORMAT_VERSION.to_le_bytes());
    bytes.extend_from_slice(&first.to_le_bytes());
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    bytes
}

/// The least record number that a file may hold.
///
/// # Errors
/// The header is damaged or of a newer version.
pub(super) fn read_header(bytes: &[u8]) -> Result<u64, FeedbackError> {
    let damaged = |fault| FeedbackError::damaged("a journal file", fault);
    if bytes.len() < HEADER_BYTES || !bytes.starts_with(&MAGIC) {
        return Err(damaged("it does not begin as one"));
    }
    if number::<4>(bytes, 20) != u64::from(crc32fast::hash(&bytes[..20])) {
        return Err(damaged("its header fails its checksum"));
    }
    match number::<4>(bytes, 8) as u32 {
        FORMAT_VERSION => Ok(number::<8>(bytes, 12)),
        found => Err(FeedbackError::TooNew { what: "a journal file".to_owned(), found, known: FORMAT_VERSION }),
    }
}

/// Appends a record to a buffer.
pub(super) fn push_record(buffer: &mut Vec<u8>, sequence: u64, payload: &[u8]) {
    buffer.extend_from_slice(&(payload.len() as u32).to_le_bytes());
    buffer.extend_from_slice(&checksum(sequence, payload).to_le_bytes());
    buffer.extend_from_slice(&sequence.to_le_bytes());
    buffer.extend_from_slice(payload);
}

fn checksum(sequence: u64, payload: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(&sequence.to_le_bytes());
    hasher.update(payload);
    hasher.finalize()
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + N].iter().rev().fold(0, |value, byte| value << 8 | u64::from(*byte))
}

/// What walking through a file found besides its records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Walked {
    /// Just after the last good record.
    pub(super) end: usize,
    /// Number of the last good record; that before the header's first if there is none.
    pub(super) last: u64,
    /// Damaged places with good records after them.
    pub(super) n_damaged: u64,
    /// Whether something that is no record follows the end: a write that was cut off, or a damaged last record.
    pub(super) has_torn_end: bool,
}

/// A good record inside a file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'a> {
    pub(super) sequence: u64,
    pub(super) payload: &'a [u8],
}

/// Shows every good record of a file in order, passing over damaged places.
///
/// # Errors
/// The header is unusable, or `visit` fails.
pub(super) fn walk(
    bytes: &[u8],
    visit: &mut dyn FnMut(Found) -> Result<(), FeedbackError>,
) -> Result<Walked, FeedbackError> {
    let first = read_header(bytes)?;
    let mut walked = Walked { end: HEADER_BYTES, last: first.saturating_sub(1), n_damaged: 0, has_torn_end: false };
    let mut at = HEADER_BYTES;
    loop {
        let Some(found) = record_at(bytes, at, walked.last) else {
            // Reserved zeros, a torn end, or damage: only what follows can tell.
            match next_record(bytes, at + 1, walked.last) {
                Some(next) => {
                    walked.n_damaged += 1;
                    at = next;
                    continue;
                }
                None => {
                    walked.has_torn_end = bytes[walked.end..].iter().any(|byte| *byte != 0);
                    return Ok(walked);
                }
            }
        };
        visit(found)?;
        at += FRAME_BYTES + found.payload.len();
        (walked.end, walked.last) = (at, found.sequence);
    }
}

/// The good record that begins here and comes after `last`.
fn record_at(bytes: &[u8], at: usize, last: u64) -> Option<Found<'_>> {
    let frame = bytes.get(at..at.checked_add(FRAME_BYTES)?)?;
    let n_bytes = number::<4>(frame, 0) as usize;
    let sequence = number::<8>(frame, 8);
    if n_bytes == 0 || sequence <= last {
        return None;
    }
    let start = at + FRAME_BYTES;
    let payload = bytes.get(start..start.checked_add(n_bytes)?)?;
    let is_good = number::<4>(frame, 4) == u64::from(checksum(sequence, payload));
    is_good.then_some(Found { sequence, payload })
}

/// Where the next good record begins, if there is one.
fn next_record(bytes: &[u8], from: usize, last: u64) -> Option<usize> {
    // Numbers far ahead are chance: without this every place would be a candidate for a long checksum.
    let is_near = |at: &usize| bytes.len() >= at + FRAME_BYTES && number::<8>(bytes, at + 8) <= last + (1 << 32);
    let mut at = from;
    while at < bytes.len() {
        // Of the four bytes of a length at least one is not zero, so a record begins at most three zeros before one.
        let n_zeros = bytes[at..].iter().take_while(|byte| **byte == 0).count();
        at += n_zeros.saturating_sub(3);
        if is_near(&at) && record_at(bytes, at, last).is_some() {
            return Some(at);
        }
        at += 1;
    }
    None
}
