//! The plan on disk: `deployment.json` in the store folder, replaced in one step and synced, so that a crash leaves the old
//! one or the new one; changed by one process at a time.

use std::fs::{self, File};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use super::error::DeploymentError;
use super::plan::{PLAN_VERSION, Plan};

const FILE_NAME: &str = "deployment.json";
const LOCK_NAME: &str = "deployment.lock";

/// The plan of a store folder.
#[derive(Debug, Clone)]
pub struct PlanFile {
    store: PathBuf,
}

impl PlanFile {
    /// Of a store folder, which need not exist.
    pub fn of(store: &Path) -> Self {
        Self { store: store.to_owned() }
    }

    /// The store folder.
    pub fn store(&self) -> &Path {
        &self.store
    }

    /// The plan; the empty one if none was written.
    ///
    /// # Errors
    /// It cannot be read, is none, or is of a newer program.
    pub fn read(&self) -> Result<Plan, DeploymentError> {
        let path = self.store.join(FILE_NAME);
        let text = match fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Plan::default()),
            Err(error) => return Err(DeploymentError::file(path)(error)),
        };
        let malformed = |fault: String| DeploymentError::Malformed { path: path.clone(), fault };
        // The version first: the rest may follow another form.
        let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| malformed(error.to_string()))?;
        match value["version"].as_u64().and_then(|found| u32::try_from(found).ok()) {
            None => Err(malformed("it has no version".to_owned())),
            Some(found) if found > PLAN_VERSION => Err(DeploymentError::TooNew { path, found, known: PLAN_VERSION }),
            Some(_) => serde_json::from_value(value).map_err(|error| malformed(error.to_string())),
        }
    }

    /// Changes the plan and gives what `change` gives, once the new plan is on disk. Waits for other processes that do so.
    ///
    /// # Errors
    /// `change` fails, which leaves the plan as it is, or a file cannot be used.
    pub fn change<T>(
        &self,
        change: impl FnOnce(&mut Plan) -> Result<T, DeploymentError>,
    ) -> Result<(Plan, T), DeploymentError> {
        fs::create_dir_all(&self.store).map_err(DeploymentError::file(&self.store))?;
        let lock_path = self.store.join(LOCK_NAME);
        let lock = File::options().create(true).truncate(false).write(true).open(&lock_path);
        let lock = lock.map_err(DeploymentError::file(&lock_path))?;
        // Held until the file closes, also when the process dies.
        lock.lock().map_err(DeploymentError::file(&lock_path))?;
        let mut plan = self.read()?;
        let before = plan.revision;
        let given = change(&mut plan)?;
        if plan.revision != before {
            self.write(&plan)?;
        }
        Ok((plan, given))
    }

    fn write(&self, plan: &Plan) -> Result<(), DeploymentError> {
        let path = self.store.join(FILE_NAME);
        let draft = self.store.join(".deployment.json.new");
        let text = serde_json::to_string_pretty(plan).expect("a plan always has a JSON form");
        let written = File::create(&draft)
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&draft, &path))
            .and_then(|()| sync_folder(&self.store));
        written.map_err(DeploymentError::file(path))
    }
}

/// Makes the names in a folder durable, where the system knows such a thing.
pub(super) fn sync_folder(dir: &Path) -> std::io::Result<()> {
    if cfg!(unix) { File::open(dir)?.sync_all() } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::plan::Placed;
    use super::*;
    use crate::feedback::event::UnixMs;

    fn placed(name: &str) -> Placed {
        Placed { model: name.to_owned(), digest: name.to_owned() }
    }

    #[test]
    fn a_plan_outlives_its_process_and_a_failed_change_leaves_it() {
        let dir = tempfile::tempdir().unwrap();
        let file = PlanFile::of(&dir.path().join("store"));
        assert_eq!(file.read().unwrap(), Plan::default());
        let (plan, ()) = file.change(|plan| plan.promote(placed("a"), ("", false), UnixMs(5))).unwrap();
        assert_eq!((file.read().unwrap(), plan.revision), (plan.clone(), 1));
        assert!(file.change(|plan| plan.promote(placed("a"), ("", false), UnixMs(6))).is_err());
        assert_eq!(file.read().unwrap(), plan);
        let names: Vec<_> = fs::read_dir(file.store()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".new")), "{names:?}");
    }

    #[test]
    fn many_may_change_it_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let file = PlanFile::of(dir.path());
        std::thread::scope(|scope| {
            for n in 0..8 {
                let file = file.clone();
                scope.spawn(move || {
                    file.change(|plan| plan.promote(placed(&n.to_string()), ("", false), UnixMs(n))).unwrap();
                });
            }
        });
        assert_eq!((file.read().unwrap().revision, file.read().unwrap().history.len()), (8, 8));
    }

    #[test]
    fn foreign_and_newer_files_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = PlanFile::of(dir.path());
        let path = dir.path().join(FILE_NAME);
        for (text, part) in [
            ("nonsense", "no deployment of this program"),
            ("{}", "it has no version"),
            ("{\"version\":1}", "missing field"),
            ("{\"version\":2}", "reads up to 1"),
        ] {
            fs::write(&path, text).unwrap();
            let message = file.read().unwrap_err().to_string();
            assert!(message.contains(part) && message.contains("deployment.json"), "{text}: {message}");
        }
    }
}
