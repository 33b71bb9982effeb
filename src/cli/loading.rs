//! Finds the model folder, checks that it is whole, and loads what a command needs of it.

use std::env;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::Context;

use crate::catalogue::load::Catalogue;
use crate::lyric::lexicon::Lexicon;
use crate::manifest::{self, Manifest};
use crate::matcher::suggest::Matcher;
use crate::tagger::Tagger;
use crate::tagger::vocabulary::{TagId, Vocabulary};

use super::args::{AnswerArgs, GlobalArgs};
use super::fault::SetupFault;
use super::language::Language;

/// Where the bundled model lies, below the places where it is looked for.
const BUNDLED: &str = "models/base";

/// The part of a model that reads photos.
pub struct Eye {
    /// Gives a photo its tags.
    pub tagger: Tagger,
    /// What the tags are called.
    pub names: TagNames,
}

/// The whole model.
pub struct Model {
    /// Gives a photo its tags.
    pub eye: Eye,
    /// Finds the songs for tags.
    pub matcher: Matcher,
    /// The songs.
    pub catalogue: Catalogue,
}

/// What tags are called in the user's language.
pub struct TagNames {
    language: Language,
    lexicon: Option<Lexicon>,
    vocabulary: Vocabulary,
}

impl TagNames {
    /// What to show for a tag.
    pub fn shown(&self, tag: TagId) -> &str {
        match &self.lexicon {
            Some(lexicon) => lexicon.name(tag.0, self.language.code()),
            None => self.vocabulary.name(tag),
        }
    }

    /// What to show for a tag named as in the vocabulary; other names come back as they are.
    pub fn shown_for<'a>(&'a self, name: &'a str) -> &'a str {
        self.vocabulary.id(name).map_or(name, |tag| self.shown(tag))
    }

    /// The name of a tag in the vocabulary, the same in every language.
    pub fn stable(&self, tag: TagId) -> &str {
        self.vocabulary.name(tag)
    }
}

impl Eye {
    /// Loads the tagger and the tags' names.
    ///
    /// # Errors
    /// There is no model folder, it is not whole, or the device cannot be used.
    pub fn load(global: &GlobalArgs, answer: &AnswerArgs) -> Result<Self, SetupFault> {
        let dir = find(global.model.as_deref())?;
        checked(&dir, || Self::load_from(&dir, answer))
    }

    fn load_from(dir: &Path, answer: &AnswerArgs) -> anyhow::Result<Self> {
        let tagger = Tagger::load(dir, &answer.device.open()?).context("the tagger cannot be loaded")?;
        let vocabulary = tagger.vocabulary().clone();
        let language = answer.lang.unwrap_or_else(Language::of_environment);
        let is_translated = language != Language::En && !answer.is_json;
        let lexicon = is_translated.then(|| Lexicon::load(&dir.join("lexicon"), vocabulary.names())).transpose();
        let lexicon = lexicon.context("the tags' names cannot be loaded")?;
        Ok(Self { tagger, names: TagNames { language, lexicon, vocabulary } })
    }
}

impl Model {
    /// Loads all of a model, its two halves at the same time.
    ///
    /// # Errors
    /// There is no model folder, it is not whole, or the device cannot be used.
    pub fn load(global: &GlobalArgs, answer: &AnswerArgs) -> Result<Self, SetupFault> {
        let dir = find(global.model.as_deref())?;
        checked(&dir, || {
            thread::scope(|scope| {
                let eye = scope.spawn(|| Eye::load_from(&dir, answer));
                let catalogue = Catalogue::load(&dir.join("catalog")).context("the catalogue cannot be loaded")?;
                let matcher = Matcher::load(&dir, &catalogue).context("the matcher cannot be loaded")?;
                let eye = eye.join().map_err(|_| anyhow::anyhow!("loading the tagger met a bug in image2song"))??;
                Ok(Self { eye, matcher, catalogue })
            })
        })
    }
}

/// Loads from a folder while its files' hashes are checked beside; a wrong hash explains more than what loading it
/// led to, so it comes first.
fn checked<T>(dir: &Path, load: impl FnOnce() -> anyhow::Result<T>) -> Result<T, SetupFault> {
    let manifest = Manifest::open(dir).map_err(SetupFault::from_error)?;
    thread::scope(|scope| {
        let hashes = scope.spawn(|| manifest.check_hashes(dir));
        let loaded = load();
        let hashes = hashes.join().expect("hashing files never panics");
        hashes.map_err(SetupFault::from_error)?;
        loaded.map_err(SetupFault::from_error)
    })
}

/// The model folder: the one named, or the first of the usual places that holds one.
///
/// # Errors
/// There is none.
pub fn find(named: Option<&Path>) -> Result<PathBuf, SetupFault> {
    let has_model = |dir: &Path| dir.join(manifest::FILE_NAME).is_file();
    if let Some(dir) = named {
        return has_model(dir).then(|| dir.to_owned()).ok_or_else(|| {
            SetupFault::new(format!(
                "{} is no model folder: it has no {}; name one that has with --model or IMAGE2SONG_MODEL",
                dir.display(),
                manifest::FILE_NAME
            ))
        });
    }
    let beside_program = env::current_exe().ok().and_then(|program| Some(program.parent()?.join(BUNDLED)));
    let built_from = Path::new(env!("CARGO_MANIFEST_DIR")).join(BUNDLED);
    let places: Vec<PathBuf> = [Some(BUNDLED.into()), beside_program, Some(built_from)].into_iter().flatten().collect();
    places.iter().find(|dir| has_model(dir)).cloned().ok_or_else(|| {
        let places: Vec<String> = places.iter().map(|dir| dir.display().to_string()).collect();
        SetupFault::new(format!(
            "no model folder was found in {}; name one with --model or IMAGE2SONG_MODEL",
            places.join(", ")
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_named_folder_must_hold_a_model() {
        let dir = tempfile::tempdir().unwrap();
        let message = find(Some(dir.path())).unwrap_err().to_string();
        assert!(message.contains("MANIFEST.toml") && message.contains("--model"), "{message}");
        Manifest::of_folder(dir.path(), "x", "1").unwrap().write(dir.path()).unwrap();
        assert_eq!(find(Some(dir.path())).unwrap(), dir.path());
    }

    #[test]
    fn a_wrong_hash_explains_a_failed_load() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tags.txt"), "sea").unwrap();
        Manifest::of_folder(dir.path(), "x", "1").unwrap().write(dir.path()).unwrap();
        std::fs::write(dir.path().join("tags.txt"), "see").unwrap();
        let fault = checked::<()>(dir.path(), || anyhow::bail!("unknown tag")).unwrap_err();
        assert!(fault.to_string().contains("sha256"), "{fault}");
    }
}
