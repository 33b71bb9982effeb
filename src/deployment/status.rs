//! What a running `serve` says of its models, for `promote` and `rollback`, which run in another process: a small file,
//! and a lock that is held for as long as it runs.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::DeploymentError;
use super::tally::Standing;
use crate::feedback::event::UnixMs;

const FILE_NAME: &str = "deployment.status.json";
const LOCK_NAME: &str = "serving.lock";

/// What a running `serve` says.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Status {
    /// The revision of the plan that it has looked at.
    pub revision: u64,
    /// Why it does not follow the plan, if it does not.
    pub fault: Option<String>,
    /// When this was written.
    pub at: UnixMs,
    /// How the arms stand.
    pub standing: Standing,
}

impl Status {
    /// What the last `serve` of a store said; `None` if none ever did, or not as this program does.
    pub fn read(store: &Path) -> Option<Self> {
        serde_json::from_str(&fs::read_to_string(store.join(FILE_NAME)).ok()?).ok()
    }

    /// Says it, in one step.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, store: &Path) -> Result<(), DeploymentError> {
        let (path, draft) = (store.join(FILE_NAME), store.join(".deployment.status.json.new"));
        let text = serde_json::to_string_pretty(self).expect("a status always has a JSON form");
        fs::write(&draft, text).and_then(|()| fs::rename(&draft, &path)).map_err(DeploymentError::file(path))
    }
}

/// Says that a `serve` runs on a store, until it is dropped or the process dies.
#[derive(Debug)]
pub struct Presence {
    _lock: File,
}

impl Presence {
    /// Says so. Waits for whoever holds it; that no other `serve` does, the kept state has seen to before.
    ///
    /// # Errors
    /// The file cannot be used.
    pub fn hold(store: &Path) -> Result<Self, DeploymentError> {
        let path = store.join(LOCK_NAME);
        let taken = open(&path).and_then(|file| file.lock().map(|()| Self { _lock: file }));
        taken.map_err(DeploymentError::file(path))
    }

    /// Whether a `serve` runs on a store.
    pub fn is_held(store: &Path) -> bool {
        let path = store.join(LOCK_NAME);
        path.exists() && open(&path).is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
    }
}

fn open(path: &Path) -> io::Result<File> {
    File::options().create(true).truncate(false).write(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presence_ends_with_its_holder_and_a_status_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        assert!(!Presence::is_held(dir.path()) && Status::read(dir.path()).is_none());
        let held = Presence::hold(dir.path()).unwrap();
        assert!(Presence::is_held(dir.path()));
        drop(held);
        assert!(!Presence::is_held(dir.path()));
        let status = Status { revision: 3, fault: Some("torn".to_owned()), ..Status::default() };
        status.write(dir.path()).unwrap();
        assert_eq!(Status::read(dir.path()), Some(status));
    }
}
