//! Models in the store: copied there when they are promoted, so that neither a deleted folder nor one that is changed in
//! place can break what serves, now or after a restart. Files that two models share take their room once.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::DeploymentError;
use super::plan::{Placed, Plan};
use super::plan_file::sync_folder;
use crate::manifest::{FILE_NAME, Manifest};

/// Characters of a digest that name a folder.
const N_NAME: usize = 16;

/// The models of a store folder.
#[derive(Debug, Clone)]
pub struct Vault {
    dir: PathBuf,
}

impl Vault {
    /// Of a store folder.
    pub fn of(store: &Path) -> Self {
        Self { dir: store.join("models") }
    }

    /// Where a model lies.
    pub fn folder(&self, placed: &Placed) -> PathBuf {
        self.dir.join(placed.digest.get(..N_NAME).unwrap_or(&placed.digest))
    }

    /// Copies a model in, if it is not there yet, durably; every file of the copy is compared with its hash.
    ///
    /// # Errors
    /// A file cannot be read or written, or has another content than listed.
    pub fn place(&self, from: &Path) -> Result<Placed, DeploymentError> {
        let manifest = Manifest::open(from)?;
        let list = from.join(FILE_NAME);
        let text = fs::read(&list).map_err(DeploymentError::file(&list))?;
        let digest = Sha256::digest(&text).iter().map(|byte| format!("{byte:02x}")).collect();
        let placed = Placed { model: format!("{} {}", manifest.name, manifest.version), digest };
        let folder = self.folder(&placed);
        if folder.is_dir() {
            manifest.check_hashes(&folder)?;
            return Ok(placed);
        }
        fs::create_dir_all(&self.dir).map_err(DeploymentError::file(&self.dir))?;
        let draft = self.dir.join(format!(".new-{}", std::process::id()));
        let _ = fs::remove_dir_all(&draft);
        let copied = self.copy(&manifest, from, &draft).and_then(|()| Ok(manifest.check_hashes(&draft)?));
        let moved = copied.and_then(|()| {
            let moved = fs::rename(&draft, &folder).and_then(|()| sync_folder(&self.dir));
            moved.map_err(DeploymentError::file(&folder))
        });
        if moved.is_err() {
            let _ = fs::remove_dir_all(&draft);
        }
        moved.map(|()| placed)
    }

    /// Removes the models that a plan does not name any more. What cannot be removed stays.
    pub fn sweep(&self, plan: &Plan) {
        let kept: Vec<&str> = plan.digests().filter_map(|digest| digest.get(..N_NAME)).collect();
        let Ok(entries) = fs::read_dir(&self.dir) else { return };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let is_model = name.len() == N_NAME;
            if is_model && !kept.iter().any(|kept| *kept == name) {
                let _ = fs::remove_dir_all(entry.path());
            }
        }
    }

    fn copy(&self, manifest: &Manifest, from: &Path, draft: &Path) -> Result<(), DeploymentError> {
        let others = self.others();
        let names = manifest.files.iter().map(|file| (file.path.as_str(), Some(file.sha256.as_str())));
        for (name, sha256) in names.chain([(FILE_NAME, None)]) {
            let target = draft.join(name);
            let parent = target.parent().unwrap_or(draft).to_owned();
            let twin = others.iter().find(|(_, listed)| {
                sha256.is_some_and(|sha256| listed.files.iter().any(|f| f.path == name && f.sha256 == sha256))
            });
            let copied = fs::create_dir_all(&parent).and_then(|()| match twin {
                Some((dir, _)) => {
                    fs::hard_link(dir.join(name), &target).or_else(|_| copy_file(&from.join(name), &target))
                }
                None => copy_file(&from.join(name), &target),
            });
            copied.and_then(|()| sync_folder(&parent)).map_err(DeploymentError::file(target))?;
        }
        Ok(())
    }

    /// The models that are here, whose files are never changed.
    fn others(&self) -> Vec<(PathBuf, Manifest)> {
        let Ok(entries) = fs::read_dir(&self.dir) else { return Vec::new() };
        let folders = entries.flatten().map(|entry| entry.path());
        folders.filter_map(|dir| Manifest::open(&dir).ok().map(|manifest| (dir, manifest))).collect()
    }
}

fn copy_file(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = File::create(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::feedback::event::UnixMs;

    fn model(dir: &Path, version: &str, taste: &str) {
        fs::create_dir_all(dir.join("catalog")).unwrap();
        fs::write(dir.join("catalog/songs.bin"), "many songs").unwrap();
        fs::write(dir.join("taste.safetensors"), taste).unwrap();
        Manifest::of_folder(dir, "ours", version).unwrap().write(dir).unwrap();
    }

    #[test]
    fn models_are_copied_share_files_and_go_when_nothing_names_them() {
        let dir = tempfile::tempdir().unwrap();
        let (from, vault) = (dir.path().join("from"), Vault::of(&dir.path().join("store")));
        model(&from, "1", "sweet");
        let first = vault.place(&from).unwrap();
        assert_eq!((first.model.as_str(), vault.place(&from).unwrap()), ("ours 1", first.clone()));
        model(&from, "2", "sour");
        let second = vault.place(&from).unwrap();
        fs::remove_dir_all(&from).unwrap();
        for placed in [&first, &second] {
            let folder = vault.folder(placed);
            Manifest::open(&folder).unwrap().check_hashes(&folder).unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::MetadataExt;
            let links = |name: &str| fs::metadata(vault.folder(&second).join(name)).unwrap().nlink();
            assert_eq!((links("catalog/songs.bin"), links("taste.safetensors")), (2, 1));
        }
        let mut plan = Plan::default();
        plan.promote(second.clone(), ("", false), UnixMs(1)).unwrap();
        vault.sweep(&plan);
        assert!(!vault.folder(&first).exists() && vault.folder(&second).exists());
    }

    #[test]
    fn a_folder_that_is_not_as_listed_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (from, vault) = (dir.path().join("from"), Vault::of(dir.path()));
        model(&from, "1", "sweet");
        fs::write(from.join("taste.safetensors"), "sheet").unwrap();
        assert!(matches!(vault.place(&from), Err(DeploymentError::Manifest(_))));
        assert_eq!(fs::read_dir(dir.path().join("models")).unwrap().count(), 0);
    }
}
