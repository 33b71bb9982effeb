//! The list of a model folder's files with their sizes and hashes, so that a torn or mixed-up copy is named instead of
//! answering wrongly. Takes a folder, gives a [`Manifest`]; does not know what the files hold.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Name of the list inside a model folder.
pub const FILE_NAME: &str = "MANIFEST.toml";

/// What to do about a model folder that is not whole; part of every message about one.
const REMEDY: &str = "restore the folder from where it came, or, if you changed it on purpose, \
                      list it anew with `image2song model seal DIR`";

/// Why a model folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// The folder has no list, or it cannot be read.
    #[error("{path} cannot be read; {REMEDY}")]
    Unreadable {
        /// The list.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The list does not follow the format.
    #[error("{path} is not a model manifest; {REMEDY}")]
    Malformed {
        /// The list.
        path: PathBuf,
        /// Where it departs.
        source: toml::de::Error,
    },
    /// A listed path leads out of the folder.
    #[error("{path} lists {entry:?}, but only files inside the folder are allowed; {REMEDY}")]
    Outside {
        /// The list.
        path: PathBuf,
        /// The listed path.
        entry: String,
    },
    /// A listed file is absent or unreadable.
    #[error("{path} cannot be read, the manifest expects {bytes} bytes; {REMEDY}")]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// Its size by the manifest.
        bytes: u64,
        /// Why.
        source: io::Error,
    },
    /// A file has another size than listed.
    #[error("{path} has {found} bytes, the manifest expects {expected}; {REMEDY}")]
    Size {
        /// The file.
        path: PathBuf,
        /// Its size.
        found: u64,
        /// Its size by the manifest.
        expected: u64,
    },
    /// A file has another content than listed.
    #[error("{path} has sha256 {found}, the manifest expects {expected}; {REMEDY}")]
    Hash {
        /// The file.
        path: PathBuf,
        /// Its hash, hexadecimal.
        found: String,
        /// Its hash by the manifest.
        expected: String,
    },
    /// The folder cannot be listed or the list cannot be written.
    #[error("{path} cannot be listed")]
    Seal {
        /// What could not be read or written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file name that a manifest cannot hold.
    #[error("{path} has a name that is not valid UTF-8; rename the file")]
    Name {
        /// The file.
        path: PathBuf,
    },
}

/// One file of a model folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ManifestFile {
    /// Path inside the folder, parts joined by `/`.
    pub path: String,
    /// Size.
    pub bytes: u64,
    /// Hash of the content, 64 hexadecimal digits.
    pub sha256: String,
}

/// What a model folder says it holds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// Name of the model.
    pub name: String,
    /// Version of the model.
    pub version: String,
    /// Its files in order of their paths; the manifest itself is not among them.
    #[serde(rename = "file", default)]
    pub files: Vec<ManifestFile>,
}

impl Manifest {
    /// Reads the list of a model folder and checks that each file is there with its size; contents are not read.
    ///
    /// # Errors
    /// The list is absent or malformed, or a file is absent or has another size.
    pub fn open(dir: &Path) -> Result<Self, ManifestError> {
        let manifest = Self::read(dir)?;
        manifest.files.iter().try_for_each(|file| file.check_size(dir))?;
        Ok(manifest)
    }

    /// Reads the list of a model folder and looks at none of its files.
    ///
    /// # Errors
    /// The list is absent or malformed.
    pub fn read(dir: &Path) -> Result<Self, ManifestError> {
        let path = dir.join(FILE_NAME);
        let text =
            fs::read_to_string(&path).map_err(|source| ManifestError::Unreadable { path: path.clone(), source })?;
        let manifest: Self =
            toml::from_str(&text).map_err(|source| ManifestError::Malformed { path: path.clone(), source })?;
        match manifest.files.iter().find(|file| !is_inside(&file.path)) {
            Some(file) => Err(ManifestError::Outside { path, entry: file.path.clone() }),
            None => Ok(manifest),
        }
    }

    /// Reads every file and compares its hash.
    ///
    /// # Errors
    /// A file cannot be read or its content is not the listed one.
    pub fn check_hashes(&self, dir: &Path) -> Result<(), ManifestError> {
        self.files.iter().try_for_each(|file| file.check_hash(dir))
    }

    /// Lists a folder as it is now, subfolders included; hidden files and the manifest itself are left out.
    ///
    /// # Errors
    /// A file or folder cannot be read, or has a name that is not UTF-8.
    pub fn of_folder(dir: &Path, name: &str, version: &str) -> Result<Self, ManifestError> {
        let mut files = Vec::new();
        list(dir, "", &mut files)?;
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(Self { name: name.to_owned(), version: version.to_owned(), files })
    }

    /// Writes the list into its folder, replacing an older one in one step.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn write(&self, dir: &Path) -> Result<(), ManifestError> {
        let path = dir.join(FILE_NAME);
        let draft = dir.join(".MANIFEST.toml.new");
        let text = toml::to_string(self).expect("strings and sizes always have a TOML form");
        fs::write(&draft, text)
            .and_then(|()| fs::rename(&draft, &path))
            .map_err(|source| ManifestError::Seal { path, source })
    }

    /// Hash of what answers depend on, whatever the model is called: of all files but what is only told about them (`.md`
    /// and `.json`). 64 hexadecimal digits.
    pub fn weights_digest(&self) -> String {
        self.digest_of(|path| !path.ends_with(".md") && !path.ends_with(".json"))
    }

    /// Hash of the listed hashes of the files that `takes` takes; equal for folders that hold these files alike.
    pub fn digest_of(&self, takes: impl Fn(&str) -> bool) -> String {
        let mut hasher = Sha256::new();
        for file in self.files.iter().filter(|file| takes(&file.path)) {
            hasher.update(format!("{} {}\n", file.sha256.to_ascii_lowercase(), file.path));
        }
        hex(&hasher.finalize())
    }

    /// Size of all files together in bytes.
    pub fn total_bytes(&self) -> u64 {
        self.files.iter().map(|file| file.bytes).sum()
    }
}

impl ManifestFile {
    fn check_size(&self, dir: &Path) -> Result<(), ManifestError> {
        let path = dir.join(&self.path);
        let found = match fs::metadata(&path) {
            Ok(meta) => meta.len(),
            Err(source) => return Err(ManifestError::FileUnreadable { path, bytes: self.bytes, source }),
        };
        if found == self.bytes { Ok(()) } else { Err(ManifestError::Size { path, found, expected: self.bytes }) }
    }

    fn check_hash(&self, dir: &Path) -> Result<(), ManifestError> {
        let path = dir.join(&self.path);
        match hash_file(&path) {
            Err(source) => Err(ManifestError::FileUnreadable { path, bytes: self.bytes, source }),
            Ok(found) if found.eq_ignore_ascii_case(&self.sha256) => Ok(()),
            Ok(found) => Err(ManifestError::Hash { path, found, expected: self.sha256.clone() }),
        }
    }
}

/// True for a relative path that stays below its folder.
fn is_inside(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}

fn list(dir: &Path, prefix: &str, files: &mut Vec<ManifestFile>) -> Result<(), ManifestError> {
    let seal = |source| ManifestError::Seal { path: dir.to_owned(), source };
    for entry in fs::read_dir(dir).map_err(seal)? {
        let entry = entry.map_err(seal)?;
        let path = entry.path();
        let name = entry.file_name().into_string().map_err(|_| ManifestError::Name { path: path.clone() })?;
        if name.starts_with('.') || (prefix.is_empty() && name == FILE_NAME) {
            continue;
        }
        let seal = |source| ManifestError::Seal { path: path.clone(), source };
        let meta = fs::metadata(&path).map_err(seal)?;
        if meta.is_dir() {
            list(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            let sha256 = hash_file(&path).map_err(seal)?;
            files.push(ManifestFile { path: format!("{prefix}{name}"), bytes: meta.len(), sha256 });
        }
    }
    Ok(())
}

/// Hash of a file's content, 64 lower-case hexadecimal digits.
///
/// # Errors
/// The file cannot be read.
pub fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut block = vec![0; 256 * 1024];
    loop {
        match file.read(&mut block)? {
            0 => return Ok(hex(&hasher.finalize())),
            n => hasher.update(&block[..n]),
        }
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sealed() -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("catalog")).unwrap();
        fs::write(dir.path().join("tags.txt"), "beach\nsea\n").unwrap();
        fs::write(dir.path().join("catalog/songs.bin"), [1, 2, 3]).unwrap();
        Manifest::of_folder(dir.path(), "base", "1.0.0").unwrap().write(dir.path()).unwrap();
        dir
    }

    #[test]
    fn a_sealed_folder_opens() {
        let dir = sealed();
        let manifest = Manifest::open(dir.path()).unwrap();
        let paths: Vec<&str> = manifest.files.iter().map(|file| file.path.as_str()).collect();
        assert_eq!(paths, ["catalog/songs.bin", "tags.txt"]);
        assert_eq!((manifest.name.as_str(), manifest.version.as_str()), ("base", "1.0.0"));
        assert_eq!(manifest.total_bytes(), 13);
        manifest.check_hashes(dir.path()).unwrap();
        assert_eq!(Manifest::of_folder(dir.path(), "base", "1.0.0").unwrap(), manifest);
    }

    #[test]
    fn a_torn_copy_is_named_with_found_and_expected() {
        let dir = sealed();
        fs::write(dir.path().join("tags.txt"), "beach\n").unwrap();
        let message = Manifest::open(dir.path()).unwrap_err().to_string();
        assert!(message.contains("tags.txt has 6 bytes, the manifest expects 10"), "{message}");
        assert!(message.contains("model seal"), "{message}");
        fs::remove_file(dir.path().join("tags.txt")).unwrap();
        assert!(matches!(Manifest::open(dir.path()), Err(ManifestError::FileUnreadable { .. })));
    }

    #[test]
    fn a_changed_byte_is_found_by_its_hash() {
        let dir = sealed();
        fs::write(dir.path().join("catalog/songs.bin"), [1, 2, 4]).unwrap();
        let manifest = Manifest::open(dir.path()).unwrap();
        let message = manifest.check_hashes(dir.path()).unwrap_err().to_string();
        assert!(message.contains("songs.bin has sha256 "), "{message}");
        assert!(message.contains("the manifest expects 039058c6"), "{message}");
    }

    #[test]
    fn hostile_lists_are_refused() {
        let dir = sealed();
        for path in ["../secret", "/etc/passwd", "", "a/../../b"] {
            let text = format!("name='x'\nversion='1'\n[[file]]\npath='{path}'\nbytes=1\nsha256='00'\n");
            fs::write(dir.path().join(FILE_NAME), text).unwrap();
            assert!(matches!(Manifest::open(dir.path()), Err(ManifestError::Outside { .. })), "{path:?}");
        }
        fs::write(dir.path().join(FILE_NAME), "name = 3").unwrap();
        assert!(matches!(Manifest::open(dir.path()), Err(ManifestError::Malformed { .. })));
        fs::remove_file(dir.path().join(FILE_NAME)).unwrap();
        assert!(matches!(Manifest::open(dir.path()), Err(ManifestError::Unreadable { .. })));
    }
}
