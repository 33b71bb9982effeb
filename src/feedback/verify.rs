//! Whether a store is sound: every journal record is read, an index is built from them alone, and compared with the one
//! that is there. Changes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Serialize;

use super::apply::apply_all;
use super::error::FeedbackError;
use super::index::{self, Index};
use super::journal::{JournalWalk, walk_journal};
use super::log::LogOptions;
use super::storage::Disk;
use super::store::{Folder, open_record};

/// An index built for the comparison; removed afterwards.
const CHECK_DIR: &str = "check-index";
/// Records applied together.
const GROUP: usize = 512;

/// What a store's check found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct VerifyReport {
    /// True if nothing is damaged and the index says what the journal says.
    pub is_sound: bool,
    /// Files of the journal.
    pub n_files: u64,
    /// Good records in them.
    pub n_records: u64,
    /// Damaged places that good records follow.
    pub n_damaged: u64,
    /// Records that cannot be read although their checksum holds.
    pub n_unreadable: u64,
    /// Files that end in a write that was cut off. That is no damage: it was never acknowledged.
    pub n_torn: u64,
    /// Number of the last record.
    pub last_record: u64,
    /// Number of the last record in the index. Less than the last is no damage: the next start catches up.
    pub last_indexed: u64,
    /// Entries that the index has otherwise than the journal says.
    pub n_differing: u64,
    /// Why the index cannot be used, if so. The next start sets it aside and builds another.
    pub index_fault: Option<String>,
}

/// Checks the store in a folder.
///
/// # Errors
/// It is in use, holds no store, a key is wrong or missing, or a file cannot be read.
pub fn verify(dir: &Path, options: &LogOptions) -> Result<VerifyReport, FeedbackError> {
    let folder = Folder::open(dir, &LogOptions { may_create: false, ..options.clone() })?;
    let check_dir = folder.dir.join(CHECK_DIR);
    remove(&check_dir)?;
    let report = compare(&folder, &check_dir, options);
    remove(&check_dir)?;
    report
}

fn remove(dir: &Path) -> Result<(), FeedbackError> {
    if dir.exists() { fs::remove_dir_all(dir).map_err(|source| FeedbackError::io(dir, source)) } else { Ok(()) }
}

fn compare(folder: &Folder, check_dir: &Path, options: &LogOptions) -> Result<VerifyReport, FeedbackError> {
    let mut report = VerifyReport::default();
    let newest = index::index_numbers(&folder.dir)?.last().copied();
    let found = newest.map(|no| Index::open(&index::index_dir(&folder.dir, no), &folder.seal, options.cache_bytes));
    let found = match found {
        Some(Ok(index)) => Some(index),
        Some(Err(error)) => {
            report.index_fault = Some(error.to_string());
            None
        }
        None => None,
    };
    report.last_indexed = found.as_ref().map(Index::applied).transpose()?.unwrap_or_default();
    let expected = Index::open(check_dir, &folder.seal, options.cache_bytes)?;
    let mut group = Vec::new();
    let JournalWalk { n_files, n_records, n_damaged, n_torn, last } =
        walk_journal(&Disk, &folder.journal_dir(), &mut |found| {
            match open_record(&folder.seal, found) {
                Ok(record) if found.sequence <= report.last_indexed => group.push((found.sequence, record)),
                Ok(_) => {}
                Err(FeedbackError::Damaged { .. }) => report.n_unreadable += 1,
                Err(error) => return Err(error),
            }
            if group.len() == GROUP {
                apply_all(&expected, &group)?;
                group.clear();
            }
            Ok(())
        })?;
    apply_all(&expected, &group)?;
    report = VerifyReport { n_files, n_records, n_damaged, n_torn, last_record: last, ..report };
    if let Some(found) = found {
        report.n_differing = n_differing(&expected, &found)?;
    }
    report.is_sound = report.n_damaged + report.n_unreadable + report.n_differing == 0 && report.index_fault.is_none();
    Ok(report)
}

/// Entries that only one of two indexes has, or that differ.
fn n_differing(expected: &Index, found: &Index) -> Result<u64, FeedbackError> {
    let mut n_differing = 0;
    for letter in index::LETTERS {
        let mut entries = expected.scan(&[letter]).collect::<Result<BTreeMap<_, _>, _>>()?;
        for entry in found.scan(&[letter]) {
            let (key, value) = entry?;
            n_differing += u64::from(entries.remove(&key).is_none_or(|expected| expected != value));
        }
        n_differing += entries.len() as u64;
    }
    Ok(n_differing)
}
