//! An add-on's folder: `addon.toml` (tags, figures, what it was made for), `addon.safetensors` (the head, and the features of
//! the examples, from which further tags are told apart later; no photo and no file name), `MANIFEST.toml` over both.

use std::path::Path;

use half::f16;
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};

use super::error::AddonError;
use super::judge::Figures;
use super::learn::Example;
use crate::lyric::own_tag::OwnTag;
use crate::manifest::{self, Manifest};
use crate::tagger::head::Head;
use crate::tagger::regions::regions;
use crate::tagger::weights::floats;

/// Files of the folder beside the manifest.
const TEXT: &str = "addon.toml";
const NUMBERS: &str = "addon.safetensors";

/// Version of the format.
const FORMAT: u32 = 1;

/// A team's own tags, ready to stand beside a base model's.
#[derive(Debug, Clone, PartialEq)]
pub struct Addon {
    /// Its name.
    pub name: String,
    /// Digest of the tagger that it was made for.
    pub tagger: String,
    /// Its tags, in the order of the head's outputs.
    pub tags: Vec<OwnTag>,
    /// Figures of each tag.
    pub figures: Vec<Figures>,
    /// The head.
    pub head: Head,
    /// What the tags were learned from.
    pub examples: Vec<Example>,
    /// Short digest of the content, part of the model's version where the add-on is used.
    pub version: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    format: u32,
    tagger: String,
    tag: Vec<TagText>,
    #[serde(default)]
    example: Vec<ExampleText>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct TagText {
    own: OwnTag,
    figures: Figures,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ExampleText {
    sha256: String,
    shows: Vec<String>,
    shows_not: Vec<String>,
}

impl Addon {
    /// Whether a folder holds an add-on.
    pub fn is_in(dir: &Path) -> bool {
        dir.join(TEXT).is_file()
    }

    /// Names of the tags, in the order of the head's outputs.
    pub fn names(&self) -> Vec<String> {
        self.tags.iter().map(|tag| tag.name.clone()).collect()
    }

    /// Reads the add-on in a folder and checks that it is whole.
    ///
    /// # Errors
    /// A file is missing, damaged or of another version.
    pub fn read(dir: &Path) -> Result<Self, AddonError> {
        let whole = |source| AddonError::Manifest { path: dir.to_owned(), source: Box::new(source) };
        let manifest = Manifest::open(dir).map_err(whole)?;
        manifest.check_hashes(dir).map_err(whole)?;
        let path = dir.join(TEXT);
        let text =
            std::fs::read_to_string(&path).map_err(|source| AddonError::Unreadable { path: path.clone(), source })?;
        let content = |fault: String| AddonError::Content { path: path.clone(), fault };
        let text: Text = toml::from_str(&text).map_err(|error| content(error.to_string()))?;
        if text.format != FORMAT {
            return Err(content(format!("it has format {}, this program reads {FORMAT}", text.format)));
        }
        let path = dir.join(NUMBERS);
        let bytes = std::fs::read(&path).map_err(|source| AddonError::Unreadable { path: path.clone(), source })?;
        let misfit = |fault: &str| AddonError::Content { path: path.clone(), fault: fault.to_owned() };
        let tensors = SafeTensors::deserialize(&bytes).map_err(|error| misfit(&error.to_string()))?;
        let numbers = |name: &str| {
            let tensor = tensors.tensor(name).map_err(|error| misfit(&error.to_string()))?;
            floats(&tensor).ok_or_else(|| misfit("numbers are F16 or F32"))
        };
        let (weights, bias) = (numbers("head.weight")?, numbers("head.bias")?);
        let n_features = weights.len() / bias.len().max(1);
        let head =
            Head::new(n_features, weights, bias).filter(|head| head.n_tags() == text.tag.len() && n_features > 0);
        let head = head.ok_or_else(|| misfit("the head does not fit the tags"))?;
        let features = numbers("examples")?;
        let n_photo = regions().len() * n_features;
        if features.len() != text.example.len() * n_photo {
            return Err(misfit("the features do not fit the examples"));
        }
        let example = |(text, features): (ExampleText, &[f32])| Example {
            sha256: text.sha256,
            shows: text.shows,
            shows_not: text.shows_not,
            features: features.to_vec(),
        };
        let (tags, figures) = text.tag.into_iter().map(|tag| (tag.own, tag.figures)).unzip();
        let examples = text.example.into_iter().zip(features.chunks_exact(n_photo)).map(example).collect();
        let (name, version) = (manifest.name, manifest.version);
        Ok(Self { name, tagger: text.tagger, tags, figures, head, examples, version })
    }

    /// Reads the add-on in a folder for a model whose tagger has this digest.
    ///
    /// # Errors
    /// As [`Addon::read`], or it was made for another tagger.
    pub fn read_for(dir: &Path, tagger: &str) -> Result<Self, AddonError> {
        let addon = Self::read(dir)?;
        if addon.tagger != tagger {
            let short = |digest: &str| digest.chars().take(12).collect::<String>();
            return Err(AddonError::OtherBase {
                path: dir.to_owned(),
                made_for: short(&addon.tagger),
                found: short(tagger),
            });
        }
        Ok(addon)
    }

    /// Writes the add-on into a folder, which is made if needed; a reader sees the old files, the new ones, or by the
    /// manifest that they do not belong together. The version is made of the content.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn write(&mut self, dir: &Path) -> Result<(), AddonError> {
        let unwritable = |path: &Path| {
            let path = path.to_owned();
            move |source| AddonError::Unwritable { path, source }
        };
        std::fs::create_dir_all(dir).map_err(unwritable(dir))?;
        for (name, bytes) in [(NUMBERS, self.numbers()), (TEXT, self.text().into_bytes())] {
            let (path, draft) = (dir.join(name), dir.join(format!(".{name}.new")));
            std::fs::write(&draft, bytes).map_err(unwritable(&draft))?;
            std::fs::rename(&draft, &path).map_err(unwritable(&path))?;
        }
        let digest = |name: &str| manifest::hash_file(&dir.join(name)).map_err(unwritable(&dir.join(name)));
        self.version = format!("{}{}", &digest(TEXT)?[..6], &digest(NUMBERS)?[..6]);
        let whole = |source| AddonError::Manifest { path: dir.to_owned(), source: Box::new(source) };
        Manifest::of_folder(dir, &self.name, &self.version).and_then(|manifest| manifest.write(dir)).map_err(whole)
    }

    /// Takes a tag out; false if there is none of that name. Examples that were there for it alone go, the other tags stay
    /// as they are.
    pub fn remove(&mut self, name: &str) -> bool {
        let Some(at) = self.tags.iter().position(|tag| tag.name == name) else { return false };
        self.tags.remove(at);
        self.figures.remove(at);
        self.forget(name);
        let kept = (0..self.head.n_tags()).filter(|tag| *tag != at).map(|tag| self.head.of(tag));
        let (weights, bias): (Vec<&[f32]>, Vec<f32>) = kept.unzip();
        // The last tag leaves a head that nothing reads: the add-on goes with it.
        if let Some(head) = Head::new(self.head.n_features(), weights.concat(), bias) {
            self.head = head;
        }
        true
    }

    /// Takes a tag's examples out, but not the tag.
    pub fn forget(&mut self, name: &str) {
        for example in &mut self.examples {
            example.shows.retain(|tag| tag != name);
            example.shows_not.retain(|tag| tag != name);
        }
        self.examples.retain(|example| !(example.shows.is_empty() && example.shows_not.is_empty()));
    }

    /// Deletes the add-on's files, and its folder if nothing else is in it.
    ///
    /// # Errors
    /// A file cannot be deleted.
    pub fn delete(dir: &Path) -> Result<(), AddonError> {
        for name in [manifest::FILE_NAME, TEXT, NUMBERS] {
            let path = dir.join(name);
            std::fs::remove_file(&path).map_err(|source| AddonError::Unwritable { path, source })?;
        }
        // A folder with other files of the team stays.
        let _ = std::fs::remove_dir(dir);
        Ok(())
    }

    fn text(&self) -> String {
        let tag =
            self.tags.iter().zip(&self.figures).map(|(own, figures)| TagText { own: own.clone(), figures: *figures });
        let example = self.examples.iter().map(|example| ExampleText {
            sha256: example.sha256.clone(),
            shows: example.shows.clone(),
            shows_not: example.shows_not.clone(),
        });
        let text = Text { format: FORMAT, tagger: self.tagger.clone(), tag: tag.collect(), example: example.collect() };
        toml::to_string(&text).expect("texts and numbers always have a TOML form")
    }

    fn numbers(&self) -> Vec<u8> {
        let (n_tags, n_features) = (self.head.n_tags(), self.head.n_features());
        let whole = |values: &[f32]| -> Vec<u8> { values.iter().flat_map(|value| value.to_le_bytes()).collect() };
        let (rows, bias): (Vec<&[f32]>, Vec<f32>) = (0..n_tags).map(|tag| self.head.of(tag)).unzip();
        let (weights, bias) = (whole(&rows.concat()), whole(&bias));
        let features = self.examples.iter().flat_map(|example| &example.features);
        let features: Vec<u8> = features.flat_map(|&value| f16::from_f32(value).to_le_bytes()).collect();
        let view = |dtype, shape: &[usize], bytes| {
            TensorView::new(dtype, shape.to_vec(), bytes).expect("bytes were made for the shape")
        };
        let shape = [self.examples.len(), regions().len(), n_features];
        let views = [
            ("head.weight", view(Dtype::F32, &[n_tags, n_features], &weights)),
            ("head.bias", view(Dtype::F32, &[n_tags], &bias)),
            ("examples", view(Dtype::F16, &shape, &features)),
        ];
        safetensors::serialize(views, None).expect("names are unique and shapes fit")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const N_FEATURES: usize = 4;

    fn addon() -> Addon {
        let figures = Figures {
            n_examples: 3,
            n_counterexamples: 1,
            n_others: 400,
            average_precision: 0.75,
            threshold: 0.5,
            n_found: 2,
            n_wrong: 1,
        };
        let tag = |name: &str| OwnTag {
            name: name.to_owned(),
            names: [("de".to_owned(), "Schuh".to_owned())].into(),
            words: vec![("shoes".to_owned(), 1.0), ("street".to_owned(), 0.5)],
        };
        let example = |sha: &str, shows: &[&str], shows_not: &[&str]| Example {
            sha256: sha.to_owned(),
            shows: shows.iter().map(|tag| (*tag).to_owned()).collect(),
            shows_not: shows_not.iter().map(|tag| (*tag).to_owned()).collect(),
            features: (0..regions().len() * N_FEATURES).map(|i| i as f32 / 8.0).collect(),
        };
        let weights = (0..2 * N_FEATURES).map(|i| i as f32 * 0.1).collect();
        Addon {
            name: "own".to_owned(),
            tagger: "abc".to_owned(),
            tags: vec![tag("sneaker"), tag("mug")],
            figures: vec![figures; 2],
            head: Head::new(N_FEATURES, weights, vec![0.5, -0.5]).unwrap(),
            examples: vec![
                example("1", &["sneaker"], &[]),
                example("2", &["mug", "sneaker"], &[]),
                example("3", &[], &["mug"]),
            ],
            version: String::new(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().join("addons/own");
        let mut addon = addon();
        addon.write(&dir).unwrap();
        assert_eq!(Addon::read_for(&dir, "abc").unwrap(), addon);
        assert_eq!(addon.version.len(), 12);
        let message = Addon::read_for(&dir, "def").unwrap_err().to_string();
        assert!(message.contains("sha256 abc") && message.contains("is def"), "{message}");
        // The same content has the same version.
        let before = addon.version.clone();
        addon.write(&dir).unwrap();
        assert_eq!(addon.version, before);
    }

    #[test]
    fn damage_is_told() {
        let dir = tempfile::tempdir().unwrap();
        addon().write(dir.path()).unwrap();
        for name in [TEXT, NUMBERS] {
            let path = dir.path().join(name);
            let bytes = std::fs::read(&path).unwrap();
            std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            assert!(matches!(Addon::read(dir.path()), Err(AddonError::Manifest { .. })), "{name}");
            // Listed anew, the halves are still no add-on.
            Manifest::of_folder(dir.path(), "own", "1").unwrap().write(dir.path()).unwrap();
            assert!(Addon::read(dir.path()).is_err(), "{name}");
            std::fs::write(&path, bytes).unwrap();
        }
    }

    #[test]
    fn a_removed_tag_takes_its_examples_along_and_leaves_the_others_as_they_are() {
        let mut addon = addon();
        let (kept, bias) = (addon.head.of(1).0.to_vec(), addon.head.of(1).1);
        assert!(!addon.remove("boot") && addon.remove("sneaker"));
        assert_eq!((addon.names(), addon.figures.len(), addon.head.n_tags()), (vec!["mug".to_owned()], 1, 1));
        assert_eq!(addon.head.of(0), (kept.as_slice(), bias));
        let left: Vec<&str> = addon.examples.iter().map(|example| example.sha256.as_str()).collect();
        assert_eq!(left, ["2", "3"]);
        assert!(addon.remove("mug") && addon.tags.is_empty() && addon.examples.is_empty());
    }

    #[test]
    fn deleting_leaves_what_is_not_of_the_add_on() {
        let dir = tempfile::tempdir().unwrap();
        let (own, other) = (dir.path().join("a"), dir.path().join("b"));
        for dir in [&own, &other] {
            addon().write(dir).unwrap();
        }
        std::fs::write(other.join("notes.txt"), "ours").unwrap();
        Addon::delete(&own).unwrap();
        Addon::delete(&other).unwrap();
        assert!(!own.exists() && other.join("notes.txt").exists() && !Addon::is_in(&other));
    }
}
