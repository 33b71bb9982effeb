//! The files that the journal is made of. A trait, so that tests can let a disk run full or fail at any byte.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// Ending of a file that is not whole yet.
const DRAFT_ENDING: &str = "draft";

/// A folder of files that are made whole or not at all.
pub(super) trait Storage: Send {
    /// Makes a file of `n_bytes`, `content` first and zeros after it, so that its blocks are reserved and later writes
    /// need no new ones. When this returns, the file is durable under its name, in place of an older one.
    fn create(&self, path: &Path, content: &[u8], n_bytes: u64) -> io::Result<Box<dyn StorageFile>>;

    /// Opens a file for writing in place.
    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>>;

    /// The whole content.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        fs::read(path)
    }

    /// The first bytes, at most `n_bytes`.
    fn read_start(&self, path: &Path, n_bytes: u64) -> io::Result<Vec<u8>> {
        let mut start = Vec::new();
        File::open(path)?.take(n_bytes).read_to_end(&mut start)?;
        Ok(start)
    }

    /// All finished files of a folder. Unfinished ones that a crash left are removed.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == DRAFT_ENDING) {
                fs::remove_file(&path)?;
            } else {
                paths.push(path);
            }
        }
        paths.sort();
        Ok(paths)
    }

    /// Removes files of one folder, durably.
    fn remove(&self, paths: &[PathBuf]) -> io::Result<()> {
        for path in paths {
            fs::remove_file(path)?;
        }
        paths.first().map_or(Ok(()), |path| sync_folder_of(path))
    }
}

/// A file that is written in place.
pub(super) trait StorageFile: Send {
    /// Writes bytes at a place.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Returns when all that was written is durable.
    fn sync(&mut self) -> io::Result<()>;

    /// Cuts the file off.
    fn cut(&mut self, n_bytes: u64) -> io::Result<()>;
}

/// The real disk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Disk;

impl Storage for Disk {
    fn create(&self, path: &Path, content: &[u8], n_bytes: u64) -> io::Result<Box<dyn StorageFile>> {
        let draft = path.with_extension(DRAFT_ENDING);
        let mut file = OpenOptions::new().create(true).truncate(true).write(true).open(&draft)?;
        let written = fill(&mut file, content, n_bytes).and_then(|()| fs::rename(&draft, path));
        if let Err(error) = written {
            // A full disk needs the room back; if it stays, the next opening removes it.
            let _ = fs::remove_file(&draft);
            return Err(error);
        }
        sync_folder_of(path)?;
        Ok(Box::new(file))
    }

    fn open(&self, path: &Path) -> io::Result<Box<dyn StorageFile>> {
        Ok(Box::new(OpenOptions::new().write(true).open(path)?))
    }
}

fn fill(file: &mut File, content: &[u8], n_bytes: u64) -> io::Result<()> {
    file.write_all(content)?;
    // Written zeros and not a hole: a hole would still need its blocks when it is filled.
    let n_zeros = n_bytes.saturating_sub(content.len() as u64);
    io::copy(&mut io::repeat(0).take(n_zeros), file)?;
    file.sync_all()
}

/// Makes the names in the file's folder durable.
fn sync_folder_of(path: &Path) -> io::Result<()> {
    // Only Unix lets a folder be opened and synced; elsewhere the file system sees to it.
    match path.parent() {
        Some(dir) if cfg!(unix) => File::open(dir)?.sync_all(),
        _ => Ok(()),
    }
}

/// Writes a small file in one step: after a crash it has the old content or the new.
pub(super) fn write_whole(path: &Path, content: &[u8]) -> io::Result<()> {
    Disk.create(path, content, content.len() as u64).map(|_| ())
}

impl StorageFile for File {
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.seek(SeekFrom::Start(offset))?;
        self.write_all(bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }

    fn cut(&mut self, n_bytes: u64) -> io::Result<()> {
        self.set_len(n_bytes)?;
        self.sync_all()
    }
}
