//! The model folder that a fine-tuning leaves: everything of the base, what was learned, and what it was learned from.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::error::FinetuneError;
use crate::calendar::{DAY_MS, civil};
use crate::evaluation::policy::cases::LeftOut;
use crate::evaluation::policy::judgement;
use crate::manifest::{self, Manifest};
use crate::matcher::tastes;

/// Name of the file that says what a model was fine-tuned from.
pub const FILE_NAME: &str = "finetune.json";

/// Folder for what is half done; hidden, so that no manifest lists it.
const WORK: &str = ".finetune";

/// Where a fine-tuning writes.
#[derive(Debug, Clone)]
pub struct Output {
    dir: PathBuf,
}

/// What a model was fine-tuned from.
#[derive(Debug, Clone, Serialize)]
pub struct Origin {
    /// Name of the base model, and its version.
    pub base: String,
    /// Version of the base model.
    pub base_version: String,
    /// Digest of the base's weights.
    pub base_weights: String,
    /// Number of the last record of the log, by source file where there are several: events after it are not in.
    pub high_water_mark: u64,
    /// Time of the first and last answer used, milliseconds since 1970.
    pub time_ms: (u64, u64),
    /// Answers used.
    pub n_impressions: usize,
    /// Likes and dislikes used.
    pub n_votes: (usize, usize),
    /// People and communities they come from.
    pub n_people: usize,
    /// Communities they come from.
    pub n_communities: usize,
    /// What was left out.
    pub left_out: LeftOut,
    /// How it was fitted.
    pub settings: super::fit::Settings,
    /// What was fitted, by community; `all` for all.
    pub fits: Vec<super::run::FitLine>,
}

impl Output {
    /// A folder for a model fine-tuned from `base`. Without `resumes` what an interrupted run left there is thrown away.
    ///
    /// # Errors
    /// It is the base, or holds a finished model: a running `serve` may have it open.
    pub fn begin(dir: &Path, base: &Path, resumes: bool) -> Result<Self, FinetuneError> {
        let same = |a: &Path, b: &Path| a.canonicalize().ok().zip(b.canonicalize().ok()).is_some_and(|(a, b)| a == b);
        if same(dir, base) {
            let text = format!("{} is the base model; name another folder with --out", dir.display());
            return Err(FinetuneError::Setting(text));
        }
        if dir.join(manifest::FILE_NAME).exists() {
            let text = format!(
                "{} holds a finished model, which a running serve may have open; name a new folder with --out",
                dir.display()
            );
            return Err(FinetuneError::Setting(text));
        }
        let output = Self { dir: dir.to_owned() };
        if !resumes && dir.join(WORK).exists() {
            output.clean()?;
        }
        fs::create_dir_all(dir.join(WORK)).map_err(FinetuneError::file(dir))?;
        Ok(output)
    }

    /// The folder.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Where the fit of this name keeps its checkpoint.
    pub fn checkpoint(&self, name: &str) -> PathBuf {
        self.dir.join(WORK).join(format!("{name}.checkpoint"))
    }

    /// Copies everything of the base but what a fine-tuning writes itself. `keeps_tastes` says whether what the base knows
    /// of communities is still true.
    ///
    /// # Errors
    /// A file cannot be read or written.
    pub fn copy_base(&self, base: &Path, files: &Manifest, keeps_tastes: bool) -> Result<(), FinetuneError> {
        // What an interrupted run left is not the base's.
        self.remove(tastes::FILE_NAME)?;
        let communities = self.dir.join(tastes::FOLDER);
        if communities.exists() {
            fs::remove_dir_all(&communities).map_err(FinetuneError::file(&communities))?;
        }
        for file in &files.files {
            let is_taste = file.path == tastes::FILE_NAME || file.path.starts_with(&format!("{}/", tastes::FOLDER));
            let is_own = [FILE_NAME, judgement::FILE_NAME].contains(&file.path.as_str());
            let to = self.dir.join(&file.path);
            if is_own || (is_taste && !keeps_tastes) {
                continue;
            }
            if let Some(folder) = to.parent() {
                fs::create_dir_all(folder).map_err(FinetuneError::file(folder))?;
            }
            fs::copy(base.join(&file.path), &to).map_err(FinetuneError::file(&to))?;
        }
        Ok(())
    }

    /// Writes a file of the model.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn write(&self, name: &str, bytes: &[u8]) -> Result<(), FinetuneError> {
        let path = self.dir.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(FinetuneError::file(folder))?;
        }
        fs::write(&path, bytes).map_err(FinetuneError::file(&path))
    }

    /// Takes the name of a community's taste away, where it is no better than none.
    ///
    /// # Errors
    /// It cannot be removed.
    pub fn remove(&self, name: &str) -> Result<(), FinetuneError> {
        match fs::remove_file(self.dir.join(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(FinetuneError::file(&self.dir.join(name))(error))
            }
            _ => Ok(()),
        }
    }

    /// Seals the folder: until the manifest is written, nothing takes it for a model.
    ///
    /// # Errors
    /// It cannot be listed or written.
    pub fn seal(&self, name: &str, version: &str) -> Result<(), FinetuneError> {
        self.clean()?;
        Manifest::of_folder(&self.dir, name, version)?.write(&self.dir)?;
        Ok(())
    }

    fn clean(&self) -> Result<(), FinetuneError> {
        fs::remove_dir_all(self.dir.join(WORK)).map_err(FinetuneError::file(&self.dir))
    }
}

/// The version of a model fine-tuned from a base of this version: the day of the last answer used, and what tells these
/// weights from others of that day.
pub fn version(base: &str, last_ms: u64, weights: &str) -> String {
    let base = base.split('+').next().unwrap_or_default();
    let (year, month, day) = civil((last_ms / DAY_MS) as i64);
    let short: String = weights.chars().take(6).collect();
    format!("{base}+t{year:04}{month:02}{day:02}.{short}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_name_the_day_of_the_last_answer() {
        assert_eq!(version("0.2.0", 1_795_546_800_000, "abcdef0123"), "0.2.0+t20261124.abcdef");
        assert_eq!(version("0.2.0+t20260101.x", 0, "12"), "0.2.0+t19700101.12");
        assert_eq!(civil(19_782), (2024, 2, 29));
    }
}
