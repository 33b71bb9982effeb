//! Finds the model folder, checks that it is whole, and loads what a command needs of it.

use std::env;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::thread;

use anyhow::Context;

use crate::addon::store::Addon;
use crate::answer::compose::{Wish, compose};
use crate::answer::model::{Eye, Model, Prints, TagNames};
use crate::catalogue::load::Catalogue;
use crate::lyric::lexicon::Lexicon;
use crate::manifest::{self, Manifest};
use crate::matcher::store::FILE_NAME as SONG_VECTORS;
use crate::matcher::suggest::{Filter, Matcher};
use crate::matcher::tastes::Tastes;
use crate::photo::Square;
use crate::tagger::vocabulary::TagId;
use crate::tagger::{Tagger, WEIGHTS_FILE};

use super::args::{AnswerArgs, GlobalArgs};
use super::device::DeviceChoice;
use super::fault::SetupFault;
use super::language::Language;

/// Where the bundled model lies, below the places where it is looked for.
const BUNDLED: &str = "models/base";

/// Where add-ons lie that are named without a path, beside the model folder.
const ADDONS: &str = "addons";

/// Loads the tagger and the tags' names.
///
/// # Errors
/// There is no model folder, it is not whole, or the device cannot be used.
pub fn eye(global: &GlobalArgs, answer: &AnswerArgs) -> Result<Eye, SetupFault> {
    let dir = find(global.model.as_deref())?;
    let language = shown_language(answer);
    let addon = addon(&dir, answer.addon.as_deref())?;
    checked(&dir, |_| eye_from(&dir, answer.device, language, addon.as_ref()))
}

/// The language of the tags' names in an answer; programs get the vocabulary's own.
fn shown_language(answer: &AnswerArgs) -> Option<Language> {
    let language = answer.lang.unwrap_or_else(Language::of_environment);
    (language != Language::En && !answer.is_json).then_some(language)
}

/// The tagger with names in a language; without one, those of the vocabulary.
fn eye_from(
    dir: &Path,
    device: DeviceChoice,
    language: Option<Language>,
    addon: Option<&Addon>,
) -> anyhow::Result<Eye> {
    let mut tagger = Tagger::load(dir, &device.open()?).context("the tagger cannot be loaded")?;
    let lexicon = language.map(|_| Lexicon::load(&dir.join("lexicon"), tagger.vocabulary().names())).transpose();
    let mut lexicon = lexicon.context("the tags' names cannot be loaded")?;
    if let Some(addon) = addon {
        let with_head = tagger.with_head(&addon.names(), addon.head.clone());
        tagger = with_head.with_context(|| format!("the add-on {:?} cannot stand beside the model", addon.name))?;
        lexicon = lexicon.map(|lexicon| lexicon.with(&addon.tags));
    }
    let vocabulary = tagger.vocabulary().clone();
    Ok(Eye { tagger, names: TagNames::new(vocabulary, lexicon, language.unwrap_or(Language::En).code()) })
}

/// Loads all of a model, its two halves at the same time.
///
/// # Errors
/// There is no model folder, it is not whole, or the device cannot be used.
pub fn model(global: &GlobalArgs, answer: &AnswerArgs) -> Result<Model, SetupFault> {
    let dir = find(global.model.as_deref())?;
    let addon = addon(&dir, answer.addon.as_deref())?;
    model_with(&dir, answer.device, shown_language(answer), addon.as_ref())
}

/// Loads all of the model in a folder, with the tags' names in a language (those of the vocabulary without one), and an
/// add-on's tags beside its own.
///
/// # Errors
/// The folder is not whole, the add-on has a tag that the model has too, or the device cannot be used.
pub fn model_with(
    dir: &Path,
    device: DeviceChoice,
    language: Option<Language>,
    addon: Option<&Addon>,
) -> Result<Model, SetupFault> {
    model_beside(dir, device, language, addon, &[])
}

/// Loads a model as [`model_with`] does, beside others of the same device and language: parts that are made of the same
/// files as one of theirs are shared with them.
///
/// # Errors
/// As [`model_with`].
pub fn model_beside(
    dir: &Path,
    device: DeviceChoice,
    language: Option<Language>,
    addon: Option<&Addon>,
    others: &[Arc<Model>],
) -> Result<Model, SetupFault> {
    checked(dir, |manifest| {
        let prints = prints(manifest, addon);
        let eye = others.iter().find(|other| other.prints.eye == prints.eye).map(|other| other.eye.clone());
        let matcher =
            others.iter().find(|other| other.prints.matcher == prints.matcher).map(|other| other.matcher.clone());
        let catalogue =
            others.iter().find(|other| other.prints.catalogue == prints.catalogue).map(|other| other.catalogue.clone());
        thread::scope(|scope| {
            let eye = scope.spawn(|| match eye {
                Some(eye) => Ok(eye),
                None => eye_from(dir, device, language, addon).map(Arc::new),
            });
            let catalogue = match catalogue {
                Some(catalogue) => catalogue,
                None => Arc::new(Catalogue::load(&dir.join("catalog")).context("the catalogue cannot be loaded")?),
            };
            let matcher = match matcher {
                Some(matcher) => matcher,
                None => {
                    let own = addon.map_or(&[][..], |addon| &addon.tags);
                    let matcher = Matcher::load_with(dir, &catalogue, own).context("the matcher cannot be loaded")?;
                    Arc::new(matcher)
                }
            };
            let tastes =
                Tastes::open(dir, &matcher, &catalogue).context("what was learned from likes cannot be loaded")?;
            let eye = eye.join().map_err(|_| anyhow::anyhow!("loading the tagger met a bug in image2song"))??;
            Ok(Model { version: version_of(manifest, addon), prints, eye, matcher, catalogue, tastes })
        })
    })
}

/// Name and version of the model in a folder, as the log names it. Numbers of an add-on's tags mean something with this
/// add-on only, so it is part of the version.
///
/// # Errors
/// The folder has no manifest.
pub fn version(dir: &Path, addon: Option<&Addon>) -> Result<String, SetupFault> {
    Ok(version_of(&Manifest::read(dir).map_err(SetupFault::from_error)?, addon))
}

fn version_of(manifest: &Manifest, addon: Option<&Addon>) -> String {
    let own = addon.map_or_else(String::new, |addon| format!("+{}.{}", addon.name, addon.version));
    format!("{} {}{own}", manifest.name, manifest.version)
}

/// What the parts of a model are made of. A file that is not known here counts for all parts that it might belong to.
fn prints(manifest: &Manifest, addon: Option<&Addon>) -> Prints {
    let is_loaded = |path: &str| {
        let is_taste = path == "taste.safetensors" || path.starts_with("communities/");
        !is_taste && !path.ends_with(".md") && !path.ends_with(".json")
    };
    let is_of_songs = |path: &str| {
        path.starts_with("catalog/") || ["matcher.safetensors", "words.bin", "stopwords.txt"].contains(&path)
    };
    let own = addon.map_or_else(String::new, |addon| format!("+{}", addon.version));
    Prints {
        eye: manifest.digest_of(|path| is_loaded(path) && !is_of_songs(path)) + &own,
        matcher: manifest.digest_of(|path| is_loaded(path) && path != WEIGHTS_FILE) + &own,
        catalogue: manifest.digest_of(|path| path.starts_with("catalog/") && !path.ends_with(SONG_VECTORS)),
        vocabulary: manifest.digest_of(|path| path == "tags.txt"),
    }
}

/// Shows that a model answers: tags for a gray square, and songs for a word.
///
/// # Errors
/// It does not.
pub fn self_test(model: &Model) -> Result<(), SetupFault> {
    let side = model.eye.tagger.side();
    let gray = Square::from_rgb(side, vec![128; side * side * 3]).expect("a gray square is a square");
    let tagging = model.eye.tagger.tag(&gray);
    let tagging = tagging.map_err(|error| SetupFault::new(format!("{} does not answer: {error}", model.version)))?;
    let filter = Filter { allows_explicit: true, ..Filter::default() };
    let word = model.eye.tagger.vocabulary().name(TagId(0)).to_owned();
    let songs = compose(model, &tagging, false, Wish::certain(&word, &filter, 3)).suggestions;
    if songs.is_empty() || songs.iter().any(|song| !song.score.is_finite()) {
        return Err(SetupFault::new(format!("{} does not answer: it finds no songs", model.version)));
    }
    Ok(())
}

/// The tagger of a model folder by itself.
///
/// # Errors
/// The folder is not whole, or the device cannot be used.
pub fn tagger(dir: &Path, device: DeviceChoice) -> Result<Tagger, SetupFault> {
    checked(dir, |_| Ok(Tagger::load(dir, &device.open()?)?))
}

/// The add-on of this name or folder for the model in a folder; none if none is named.
///
/// # Errors
/// There is none, it is not whole, or it was made for another tagger.
pub fn addon(model_dir: &Path, named: Option<&Path>) -> Result<Option<Addon>, SetupFault> {
    let Some(named) = named.filter(|named| !named.as_os_str().is_empty()) else { return Ok(None) };
    let dir = addon_dir(model_dir, named);
    if !Addon::is_in(&dir) {
        return Err(SetupFault::new(format!(
            "there is no add-on in {}; `image2song tags add --from FILE --addon {}` makes one, --addon and \
             IMAGE2SONG_ADDON name one that is there",
            dir.display(),
            named.display()
        )));
    }
    Addon::read_for(&dir, &tagger_digest(model_dir)?).map(Some).map_err(SetupFault::from_error)
}

/// The folder of an add-on: a single word is a name in `addons/` beside the model, unless a folder of this name here holds
/// an add-on; anything else is the path of a folder.
pub fn addon_dir(model_dir: &Path, named: &Path) -> PathBuf {
    let mut parts = named.components();
    let is_word = matches!((parts.next(), parts.next()), (Some(Component::Normal(_)), None));
    if !is_word || Addon::is_in(named) {
        return named.to_owned();
    }
    let whole = model_dir.canonicalize().unwrap_or_else(|_| model_dir.to_owned());
    whole.parent().unwrap_or(&whole).join(ADDONS).join(named)
}

/// Digest of a model folder's tagger, as its manifest lists it.
///
/// # Errors
/// The manifest cannot be read or lists no tagger.
pub fn tagger_digest(model_dir: &Path) -> Result<String, SetupFault> {
    let manifest = Manifest::read(model_dir).map_err(SetupFault::from_error)?;
    let listed = manifest.files.into_iter().find(|file| file.path == WEIGHTS_FILE);
    listed.map(|file| file.sha256).ok_or_else(|| {
        SetupFault::new(format!("{} lists no {WEIGHTS_FILE}; name a model with a tagger", model_dir.display()))
    })
}

/// Loads from a folder while its files' hashes are checked beside; a wrong hash explains more than what loading it
/// led to, so it comes first.
fn checked<T>(dir: &Path, load: impl FnOnce(&Manifest) -> anyhow::Result<T>) -> Result<T, SetupFault> {
    let manifest = Manifest::open(dir).map_err(SetupFault::from_error)?;
    thread::scope(|scope| {
        let hashes = scope.spawn(|| manifest.check_hashes(dir));
        let loaded = load(&manifest);
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
    fn add_ons_are_named_by_word_or_path() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().canonicalize().unwrap();
        let base = root.join("models/base");
        std::fs::create_dir_all(&base).unwrap();
        assert_eq!(addon_dir(&base, Path::new("own")), root.join("models/addons/own"));
        for path in ["./own", "a/own", "/a/own", ".."] {
            assert_eq!(addon_dir(&base, Path::new(path)), Path::new(path));
        }
        assert!(addon(&base, None).unwrap().is_none() && addon(&base, Some(Path::new(""))).unwrap().is_none());
        let message = addon(&base, Some(Path::new("own"))).unwrap_err().to_string();
        assert!(message.contains("models/addons/own") && message.contains("tags add --from"), "{message}");
    }

    #[test]
    fn a_wrong_hash_explains_a_failed_load() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("tags.txt"), "sea").unwrap();
        Manifest::of_folder(dir.path(), "x", "1").unwrap().write(dir.path()).unwrap();
        std::fs::write(dir.path().join("tags.txt"), "see").unwrap();
        let fault = checked::<()>(dir.path(), |_| anyhow::bail!("unknown tag")).unwrap_err();
        assert!(fault.to_string().contains("sha256"), "{fault}");
    }
}
