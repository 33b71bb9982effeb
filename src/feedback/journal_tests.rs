use std::fs;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use super::error::FeedbackError;
use super::journal::{Journal, JournalWalk, walk_journal};
use super::segment::{FRAME_BYTES, HEADER_BYTES};
use super::storage::{Disk, Storage, StorageFile};

/// A disk with room for so many more bytes; writes stop in the middle when it is used up.
#[derive(Clone)]
pub(super) struct SmallDisk {
    pub(super) room: Arc<AtomicI64>,
}

impl SmallDisk {
    pub(super) fn new(room: i64) -> Self {
        Self { room: Arc::new(room.into()) }
    }

    /// How many of the bytes still fit; they are taken.
    fn take(&self, n_bytes: usize) -> usize {
        let before = self.room.fetch_sub(n_bytes as i64, Ordering::Relaxed);
        before.clamp(0, n_bytes as i64) as usize
    }
}

struct SmallFile {
    disk: SmallDisk,
    file: Box<dyn StorageFile>,
}

impl Storage for SmallDisk {
    fn create(&self, path: &Path, content: &[u8], n_bytes: u64) -> io::Result<Box<dyn StorageFile>> {
        if self.take(n_bytes as usize) < n_bytes as usize {
            return Err(io::ErrorKind::StorageFull.into());
        }
        Ok(Box::new(SmallFile { disk: self.clone(), file: Disk.create(path, content, n_bytes)? }))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(SmallFile { disk: self.clone(), file: Disk.open(path)? }))
    }
}

impl StorageFile for SmallFile {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let n_fitting = self.disk.take(bytes.len());
        self.file.write_at(offset, &bytes[..n_fitting])?;
        if n_fitting < bytes.len() { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync()
    }

    fn cut(&mut self, n_bytes: u64) -> io::Result<()> {
        self.file.cut(n_bytes)
    }
}

fn open(dir: &Path) -> Journal {
    Journal::open(Box::new(Disk), dir, 512).unwrap()
}

fn append(journal: &mut Journal, payload: &[u8]) {
    journal.append(&[payload.to_vec()]).unwrap();
}

/// Numbers and payloads of all records.
fn records(dir: &Path) -> (Vec<(u64, Vec<u8>)>, JournalWalk) {
    let mut records = Vec::new();
    let walked = walk_journal(&Disk, dir, &mut |found| {
        records.push((found.sequence, found.payload.to_vec()));
        Ok(())
    });
    (records, walked.unwrap())
}

fn files(dir: &Path) -> Vec<String> {
    let mut names: Vec<String> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn records_come_back_in_order_over_many_files() {
    let dir = tempfile::tempdir().unwrap();
    let payload = |n: u64| vec![n as u8 + 1; 100 + n as usize];
    for n in 0..40 {
        let mut journal = open(dir.path());
        assert_eq!(journal.last_sequence(), n);
        append(&mut journal, &payload(n));
    }
    let (found, walked) = records(dir.path());
    assert_eq!(found, (0..40).map(|n| (n + 1, payload(n))).collect::<Vec<_>>());
    assert!(walked.n_files > 5 && walked.n_damaged == 0 && walked.n_torn == 0, "{walked:?}");
    let mut after = Vec::new();
    open(dir.path())
        .replay(25, &mut |found| {
            after.push(found.sequence);
            Ok(())
        })
        .unwrap();
    assert_eq!(after, (26..=40).collect::<Vec<u64>>());
}

#[test]
fn a_record_larger_than_a_file_gets_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    append(&mut journal, &[1; 10]);
    append(&mut journal, &[2; 5000]);
    append(&mut journal, &[3; 10]);
    assert_eq!(records(dir.path()).0.iter().map(|(_, payload)| payload.len()).collect::<Vec<_>>(), [10, 5000, 10]);
}

#[test]
fn cutting_the_last_record_at_any_byte_loses_only_that() {
    let whole = tempfile::tempdir().unwrap();
    let mut journal = open(whole.path());
    for n in 1..=3 {
        append(&mut journal, &[n; 30]);
    }
    drop(journal);
    let name = files(whole.path()).remove(0);
    let bytes = fs::read(whole.path().join(&name)).unwrap();
    let end = HEADER_BYTES + 3 * (FRAME_BYTES + 30);
    for cut in end - (FRAME_BYTES + 30)..end {
        // As the file system may leave it: shorter, or as long as before with zeros in place of what was not written.
        for is_padded in [false, true] {
            let dir = tempfile::tempdir().unwrap();
            let mut torn = bytes[..cut].to_vec();
            torn.resize(if is_padded { bytes.len() } else { cut }, 0);
            fs::write(dir.path().join(&name), torn).unwrap();
            let mut journal = open(dir.path());
            assert_eq!(journal.last_sequence(), 2, "cut at {cut}");
            append(&mut journal, b"next");
            let (found, walked) = records(dir.path());
            assert_eq!(found.len(), 3, "cut at {cut}: {walked:?}");
            assert_eq!(found[2], (3, b"next".to_vec()));
            assert_eq!((walked.n_damaged, walked.n_torn), (0, 0), "cut at {cut}");
        }
    }
}

#[test]
fn a_flipped_bit_costs_the_record_it_is_in_and_no_other() {
    let whole = tempfile::tempdir().unwrap();
    let mut journal = open(whole.path());
    for n in 1..=3 {
        append(&mut journal, &[n; 20]);
    }
    drop(journal);
    let path = whole.path().join(files(whole.path()).remove(0));
    let bytes = fs::read(&path).unwrap();
    let record = |n: usize| HEADER_BYTES + n * (FRAME_BYTES + 20);
    for bit in record(1) * 8..record(2) * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        let (found, walked) = records(whole.path());
        let numbers: Vec<u64> = found.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(numbers, [1, 3], "bit {bit}");
        assert_eq!(walked.n_damaged, 1, "bit {bit}");
        assert_eq!(open(whole.path()).last_sequence(), 3);
    }
    for bit in 0..HEADER_BYTES * 8 {
        let mut flipped = bytes.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, &flipped).unwrap();
        assert!(walk_journal(&Disk, whole.path(), &mut |_| Ok(())).is_err(), "bit {bit} of the header");
    }
}

#[test]
fn a_full_disk_refuses_and_leaves_nothing_half_written() {
    for room in 0..400 {
        let dir = tempfile::tempdir().unwrap();
        let disk = SmallDisk::new(1 << 20);
        let mut journal = Journal::open(Box::new(disk.clone()), dir.path(), 256).unwrap();
        append(&mut journal, &[1; 50]);
        disk.room.store(room, Ordering::Relaxed);
        let (mut n_kept, mut n_refused) = (1, 0);
        for n in 2..=6 {
            match journal.append(&[vec![n; 40], vec![n; 40]]) {
                Ok(()) => n_kept += 2,
                Err(FeedbackError::DiskFull { .. }) => n_refused += 1,
                Err(error) => panic!("{error}"),
            }
        }
        assert!(n_refused > 0);
        let n_records = |walked: JournalWalk| walked.n_records;
        drop(journal);
        // What is refused may be there as a torn end, but never passes for a record once there is room again.
        disk.room.store(1 << 20, Ordering::Relaxed);
        let mut journal = Journal::open(Box::new(disk), dir.path(), 256).unwrap();
        append(&mut journal, b"room again");
        let (found, walked) = records(dir.path());
        assert!((n_kept + 1..=n_kept + 2).contains(&n_records(walked)), "room {room}: {walked:?}, {n_kept} kept");
        assert_eq!(found.last().unwrap().1, b"room again");
        assert_eq!((walked.n_damaged, walked.n_torn), (0, 0), "room {room}");
    }
}

#[test]
fn what_is_not_retained_is_gone_from_all_files() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    for n in 0..60_u8 {
        let text = format!("{} record {n:02} {}", if n % 3 == 0 { "secret" } else { "public" }, "x".repeat(60));
        append(&mut journal, text.as_bytes());
    }
    let n_removed = journal.retain(&mut |found| Ok(!found.payload.starts_with(b"secret"))).unwrap();
    assert_eq!(n_removed, 20);
    append(&mut journal, b"public record 60");
    drop(journal);
    let (found, walked) = records(dir.path());
    assert_eq!(found.len(), 41);
    assert!(found.windows(2).all(|pair| pair[0].0 < pair[1].0));
    assert_eq!(found.last().unwrap().0, 61);
    assert_eq!(walked.n_damaged, 0);
    for name in files(dir.path()) {
        let bytes = fs::read(dir.path().join(&name)).unwrap();
        assert!(!bytes.windows(6).any(|part| part == b"secret"), "{name}");
    }
}

#[test]
fn numbers_are_not_used_again_when_all_records_are_gone() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    for _ in 0..5 {
        append(&mut journal, b"gone soon");
    }
    assert_eq!(journal.retain(&mut |_| Ok(false)).unwrap(), 5);
    drop(journal);
    assert_eq!(files(dir.path()).len(), 1);
    let mut journal = open(dir.path());
    assert_eq!(journal.last_sequence(), 5);
    append(&mut journal, b"next");
    assert_eq!(records(dir.path()).0, [(6, b"next".to_vec())]);
}

#[test]
fn small_files_are_joined() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    for n in 0..20_u8 {
        append(&mut journal, &[n + 1; 8]);
        journal.retain(&mut |found| Ok(found.sequence % 2 == 1)).unwrap();
    }
    assert!(files(dir.path()).len() <= 4, "{:?}", files(dir.path()));
    let numbers: Vec<u64> = records(dir.path()).0.iter().map(|(sequence, _)| *sequence).collect();
    assert_eq!(numbers, (1..=20).step_by(2).collect::<Vec<u64>>());
}

#[test]
fn files_that_another_stands_for_do_not_count_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut journal = open(dir.path());
    append(&mut journal, b"one");
    journal.retain(&mut |_| Ok(true)).unwrap();
    append(&mut journal, b"two");
    drop(journal);
    // As a crash leaves it between the new file's name and the removal of the old ones.
    let names = files(dir.path());
    let old = fs::read(dir.path().join(&names[0])).unwrap();
    fs::rename(dir.path().join(&names[1]), dir.path().join("00000003-00000003.log")).unwrap();
    fs::write(dir.path().join("00000001-00000002.log"), &old).unwrap();
    fs::write(dir.path().join("00000009-00000009.draft"), b"half").unwrap();
    let journal = open(dir.path());
    assert_eq!(journal.last_sequence(), 2);
    assert_eq!(records(dir.path()).0.len(), 2);
    assert_eq!(files(dir.path()), ["00000001-00000002.log", "00000003-00000003.log"]);
}

#[test]
fn a_newer_journal_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    drop(open(dir.path()));
    let path = dir.path().join(files(dir.path()).remove(0));
    let mut bytes = fs::read(&path).unwrap();
    bytes[8] = 9;
    let checksum = crc32fast::hash(&bytes[..20]).to_le_bytes();
    bytes[20..24].copy_from_slice(&checksum);
    fs::write(&path, bytes).unwrap();
    let error = Journal::open(Box::new(Disk), dir.path(), 512).err().unwrap();
    assert!(error.to_string().contains("version 9, this program reads up to 1"), "{error}");
}
