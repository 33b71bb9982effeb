//! `tags add`: learns a team's own tags from a few photos each and keeps them beside the model.

use std::collections::HashMap;
use std::io;
use std::path::PathBuf;
use std::time::Instant;

use anyhow::Context;
use clap::Args;
use sha2::{Digest, Sha256};

use super::Outcome;
use super::args::GlobalArgs;
use super::device::DeviceChoice;
use super::fault::SetupFault;
use super::input::{self, PhotoInput};
use super::photos::progress;
use super::suggest::N_PHOTO_THREADS;
use super::tags_report::{Report, TagReport};
use super::{loading, pool};
use crate::addon::background::Background;
use crate::addon::learn::{Example, MIN_EXAMPLES, learned};
use crate::addon::list::{self, ListedTag, MAX_TAGS};
use crate::addon::store::Addon;
use crate::answer::fault::PhotoFault;
use crate::answer::sight::guarded;
use crate::lyric::own_tag::OwnTag;
use crate::lyric::word_space::WordSpace;
use crate::photo::{Decoded, Limits};
use crate::tagger::Tagger;
use crate::tagger::vocabulary::Vocabulary;

/// Arguments of `tags add`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song tags add --from shop.toml
  image2song tags add --from shop.toml --addon models/addons/shop --json
  image2song suggest shoe.jpg --addon own              then use them

shop.toml (paths count from its folder; 3 photos a tag are needed, 10 are good; docs/TAGS.md):
  [[tag]]
  name = \"sneaker\"
  words = [\"shoes\", [\"street\", 0.5]]    what songs about it say; needed if the name has no word vector
  names = { de = \"Turnschuh\" }
  photos = [\"sneakers/\", \"more/white.jpg\"]
  not = [\"boots/\"]                      what could be taken for it

The model itself stays as it is. A tag that is there already is learned anew.")]
pub struct AddArgs {
    /// List of the tags, TOML or JSON Lines (.jsonl)
    #[arg(long, value_name = "FILE")]
    from: PathBuf,
    /// Add-on to keep them in, made if needed: its name (in addons/ beside the model) or its folder
    #[arg(long, env = "IMAGE2SONG_ADDON", hide_env_values = true, value_name = "ADDON", default_value = "own")]
    addon: PathBuf,
    /// One JSON object instead of text; docs/json.md describes it
    #[arg(long = "json")]
    is_json: bool,
    /// Where to compute: cpu, or cuda:N in a build with CUDA
    #[arg(long, env = "IMAGE2SONG_DEVICE", hide_env_values = true, value_name = "DEVICE", default_value = "cpu")]
    device: DeviceChoice,
}

/// A photo of the list with the tags that name it.
struct Named {
    photo: PhotoInput,
    shows: Vec<String>,
    shows_not: Vec<String>,
}

/// Learns the tags of a list.
///
/// # Errors
/// The list, the model or an add-on that is there cannot be used, a tag has too few photos, or the add-on cannot be written;
/// then nothing has changed. A photo that fails is left out and told.
pub fn run(global: &GlobalArgs, args: &AddArgs) -> anyhow::Result<Outcome> {
    let started = Instant::now();
    let listed = list::read(&args.from).map_err(SetupFault::from_error)?;
    let model_dir = loading::find(global.model.as_deref())?;
    let digest = loading::tagger_digest(&model_dir)?;
    let background = Background::read(&model_dir, &digest).map_err(SetupFault::from_error)?;
    let dir = loading::addon_dir(&model_dir, &args.addon);
    let before = Addon::is_in(&dir).then(|| Addon::read_for(&dir, &digest)).transpose();
    let before = before.map_err(SetupFault::from_error)?;
    let tagger = loading::tagger(&model_dir, args.device)?;
    let space =
        WordSpace::load(&model_dir, tagger.vocabulary().names()).context("the model's words cannot be loaded")?;
    check_names(&listed, tagger.vocabulary())?;
    let own: Vec<_> = listed.iter().map(|tag| tag.own.clone()).collect();
    let wide = space.with(&own);
    let words = check_words(&listed, &wide, tagger.vocabulary().len() as u16)?;
    let (examples, failed) = gathered(global, &listed, &tagger)?;
    check_counts(&listed, &examples, &failed)?;
    let (tags, examples) = merged(before, &listed, examples)?;
    let names: Vec<&str> = tags.iter().map(|tag| tag.name.as_str()).collect();
    let (head, figures) = learned(&names, &examples, &background, tagger.sharpness());
    let name = dir.file_name().map_or_else(|| "own".to_owned(), |name| name.to_string_lossy().into_owned());
    let mut addon = Addon { name, tagger: digest, tags, figures, head, examples, version: String::new() };
    addon.write(&dir)?;
    let reports = addon.tags.iter().zip(&addon.figures).map(|(tag, figures)| {
        let listed = words.iter().find(|(name, _)| *name == tag.name);
        let near = listed.map_or(&[][..], |(_, near)| near.as_slice());
        TagReport { tag, figures, is_new: listed.is_some(), near }
    });
    let report = Report {
        named: &args.addon,
        dir: &dir,
        version: &addon.version,
        tags: reports.collect(),
        failed: &failed,
        total: started.elapsed(),
    };
    if args.is_json {
        report.json(&mut io::stdout().lock())?
    } else {
        report.text(&mut anstream::stdout().lock())?
    }
    Ok(if failed.is_empty() { Outcome::Done } else { Outcome::Failed })
}

/// Refuses names that the model has already.
fn check_names(listed: &[ListedTag], vocabulary: &Vocabulary) -> Result<(), SetupFault> {
    match listed.iter().find(|tag| vocabulary.id(&tag.own.name).is_some()) {
        Some(tag) => Err(SetupFault::new(format!(
            "the model has a tag {:?} already; choose another name, such as \"our {0}\" with words = [\"{0}\"]",
            tag.own.name
        ))),
        None => Ok(()),
    }
}

/// The words nearest to each listed tag, which stand behind `n_before` others in the space; refuses tags of which the space
/// knows no word.
fn check_words(
    listed: &[ListedTag],
    space: &WordSpace,
    n_before: u16,
) -> Result<Vec<(String, Vec<String>)>, SetupFault> {
    let mut all = Vec::with_capacity(listed.len());
    for (tag, id) in listed.iter().zip(n_before..) {
        let name = &tag.own.name;
        let unknown: Vec<&str> =
            tag.own.words.iter().map(|word| word.0.as_str()).filter(|word| space.vectors.id(word).is_none()).collect();
        let vector = space.tag_vector(id);
        if vector.iter().all(|x| *x == 0.0) {
            let found = match unknown.as_slice() {
                [] => format!("no song word is known for the tag {name:?}, and the list gives none"),
                _ => format!("no song word is known for the tag {name:?}, nor are {}", unknown.join(", ")),
            };
            return Err(SetupFault::new(format!(
                "{found}; English words that songs use, in lower case, are allowed: give some under words, such as \
                 words = [\"shoes\", \"street\"] for a sneaker"
            )));
        }
        if !unknown.is_empty() {
            tracing::warn!("the tag {name:?}: songs have no word {}; it counts for nothing", unknown.join(", "));
        }
        all.push((name.clone(), nearest(space, vector)));
    }
    Ok(all)
}

/// The five words whose vectors are nearest to this one.
fn nearest(space: &WordSpace, vector: &[f32]) -> Vec<String> {
    let cosine = |id: u32| space.vectors.vector(id).iter().zip(vector).map(|(a, b)| a * b).sum::<f32>();
    let mut words: Vec<(f32, u32)> = (0..space.vectors.len() as u32).map(|id| (cosine(id), id)).collect();
    words.sort_by(|a, b| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1)));
    words.into_iter().take(5).map(|(_, id)| space.vectors.word(id).to_owned()).collect()
}

type Gathered = (Vec<Example>, Vec<(String, PhotoFault)>);

/// Reads every photo of the list once, whichever tags name it, and by its content: a copy under another name is the same.
fn gathered(global: &GlobalArgs, listed: &[ListedTag], tagger: &Tagger) -> anyhow::Result<Gathered> {
    let named = named(listed)?;
    let bar = progress(global, named.len());
    let (mut examples, mut failed): Gathered = Default::default();
    let mut places: HashMap<String, usize> = HashMap::new();
    let work = |_, named: &Named| guarded(|| seen(&named.photo, tagger));
    pool::in_order(&named, N_PHOTO_THREADS, work, |named, seen| {
        bar.inc(1);
        match seen {
            Err(fault) => failed.push((named.photo.name.clone(), fault)),
            Ok((sha256, features)) => {
                let at = *places.entry(sha256.clone()).or_insert(examples.len());
                if at == examples.len() {
                    examples.push(Example { sha256, shows: Vec::new(), shows_not: Vec::new(), features });
                }
                join(&mut examples[at], &named.shows, &named.shows_not);
            }
        }
        Ok(())
    })?;
    bar.finish_and_clear();
    if let Some(example) = examples.iter().find(|e| e.shows.iter().any(|tag| e.shows_not.contains(tag))) {
        let both: Vec<&String> = example.shows.iter().filter(|tag| example.shows_not.contains(tag)).collect();
        return Err(SetupFault::new(format!(
            "a photo of {:?} is given under photos and under not, perhaps as a copy; it can be one of them",
            both[0]
        ))
        .into());
    }
    Ok((examples, failed))
}

fn named(listed: &[ListedTag]) -> Result<Vec<Named>, SetupFault> {
    let mut all: Vec<Named> = Vec::new();
    for tag in listed {
        for (paths, shows) in [(&tag.photos, true), (&tag.not, false)] {
            for photo in input::photos(paths)? {
                let at = all.iter().position(|known| known.photo == photo).unwrap_or(all.len());
                if at == all.len() {
                    all.push(Named { photo, shows: Vec::new(), shows_not: Vec::new() });
                }
                let tags = if shows { &mut all[at].shows } else { &mut all[at].shows_not };
                tags.push(tag.own.name.clone());
            }
        }
    }
    Ok(all)
}

/// Digest of a photo's file and features of its regions.
fn seen(photo: &PhotoInput, tagger: &Tagger) -> Result<(String, Vec<f32>), PhotoFault> {
    let limits = Limits::default();
    let bytes = photo.read(&limits)?;
    let sha256 = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let square = Decoded::from_bytes(&bytes, &limits)?.square(tagger.side());
    let features = tagger.features(&square).map_err(|error| PhotoFault::internal_error(&error))?;
    Ok((sha256, features))
}

/// Notes that an example shows these tags and is a counterexample of those.
fn join(example: &mut Example, shows: &[String], shows_not: &[String]) {
    for (known, new) in [(&mut example.shows, shows), (&mut example.shows_not, shows_not)] {
        known.extend(new.iter().cloned());
        known.sort();
        known.dedup();
    }
}

/// Refuses tags that too few photos are left for.
fn check_counts(listed: &[ListedTag], examples: &[Example], failed: &[(String, PhotoFault)]) -> Result<(), SetupFault> {
    for tag in listed {
        let n_found = examples.iter().filter(|example| example.shows.contains(&tag.own.name)).count();
        if n_found < MIN_EXAMPLES {
            let faults: String = failed.iter().map(|(name, fault)| format!("; {name}: {}", fault.message)).collect();
            return Err(SetupFault::new(format!(
                "the tag {:?} has {n_found} usable photos, each counted once; at least {MIN_EXAMPLES} are needed, 10 are \
                 good{faults}",
                tag.own.name
            )));
        }
    }
    Ok(())
}

/// All tags of the add-on, the listed ones in place of those of the same names, and what they are learned from.
fn merged(
    before: Option<Addon>,
    listed: &[ListedTag],
    examples: Vec<Example>,
) -> Result<(Vec<OwnTag>, Vec<Example>), SetupFault> {
    let (mut tags, mut kept) = (Vec::new(), Vec::new());
    if let Some(mut before) = before {
        listed.iter().for_each(|tag| before.forget(&tag.own.name));
        let is_listed = |name: &str| listed.iter().any(|tag| tag.own.name == name);
        tags = before.tags.into_iter().filter(|tag| !is_listed(&tag.name)).collect();
        kept = before.examples;
    }
    tags.extend(listed.iter().map(|tag| tag.own.clone()));
    if tags.len() > MAX_TAGS {
        let found = tags.len();
        return Err(SetupFault::new(format!(
            "the add-on would have {found} tags; {MAX_TAGS} are allowed, start another with --addon"
        )));
    }
    for example in examples {
        match kept.iter_mut().find(|known: &&mut Example| known.sha256 == example.sha256) {
            Some(known) => join(known, &example.shows, &example.shows_not),
            None => kept.push(example),
        }
    }
    Ok((tags, kept))
}
