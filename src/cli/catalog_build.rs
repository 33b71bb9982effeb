//! `catalog build`: a songs file in, the catalogue of a model folder out, with the files by which it reads words.

use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;

use crate::catalogue::build::build;
use crate::catalogue::error::CatalogueError;
use crate::catalogue::load::{Catalogue, write_catalogue};
use crate::catalogue::source::SongSource;
use crate::lyric::word_files::WordFiles;
use crate::manifest::{self, Manifest};
use crate::matcher::suggest::Matcher;
use crate::tagger::vocabulary::Vocabulary;

use super::Outcome;
use super::args::GlobalArgs;
use super::catalog::{CATALOGUE_DIR, show_info};
use super::fault::SetupFault;
use super::loading;
use super::terminal::Terminal;

/// Name of the tag list in a model folder.
const TAGS: &str = "tags.txt";

/// Arguments of `catalog build`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song catalog build --songs my-songs.jsonl --out models/mine
  image2song catalog build --data ../shared/data --out models/base

A songs file has one JSON object a line, plain or gzip: title, artist and language (ISO 639-1), and either
words (the lyric's words, in order) or keywords (heaviest first, or with weights as [\"surf\", 0.9]); id, year,
genres, explicit and popularity (0 to 1) are optional. docs/data-format.md has it all. Of a lyric at most 40
keywords are kept, ordered by weight: no line of it can be read back.")]
pub struct BuildArgs {
    /// Songs file [default: that of --data]
    #[arg(long, value_name = "FILE")]
    songs: Option<PathBuf>,
    /// Data folder with word vectors, stop words and lexicon [default: take those of the model folder]
    #[arg(long, env = "IMAGE2SONG_DATA", hide_env_values = true, value_name = "DIR")]
    data: Option<PathBuf>,
    /// Model folder that gets the catalogue; made if it is missing
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Leave out lines that cannot be used instead of stopping; they are told
    #[arg(long = "skip-faulty")]
    skips_faulty: bool,
    /// Answer with one JSON object, as `catalog info --json`
    #[arg(long = "json")]
    is_json: bool,
}

/// Builds the catalogue.
///
/// # Errors
/// The songs file or the word files cannot be used, or the folder cannot be written.
pub fn run(global: &GlobalArgs, args: &BuildArgs) -> anyhow::Result<Outcome> {
    let (tags, words) = read_words(global, args)?;
    let songs = songs_file(args)?;
    let source = if args.skips_faulty {
        let (source, faults) = SongSource::read_tolerant(&songs, &words.tokenizer)?;
        if faults.n_lines > 0 {
            anstream::eprintln!("{}: lines left out: {}\n  {faults}", songs.display(), faults.n_lines);
        }
        source
    } else {
        SongSource::read(&songs, &words.tokenizer).map_err(with_remedy)?
    };
    let file = build(&source, &words.space, &words.tokenizer)?;
    let dir = args.out.join(CATALOGUE_DIR);
    write_catalogue(&dir, &file)?;
    words.write(&args.out)?;
    if !args.out.join(TAGS).exists() {
        let path = args.out.join(TAGS);
        std::fs::write(&path, tags).with_context(|| format!("cannot write {}", path.display()))?;
    }
    let catalogue = Catalogue::load(&dir)?;
    store_vectors(&args.out, &catalogue)?;
    list_anew(&args.out)?;
    show_info(&mut BufWriter::new(io::stdout().lock()), &catalogue, &dir, args.is_json, Terminal::stdout())?;
    Ok(Outcome::Done)
}

/// The error; after faulty lines also what can be done.
fn with_remedy(error: CatalogueError) -> anyhow::Error {
    match error {
        CatalogueError::BadSongs { .. } => {
            anyhow::anyhow!("{error}\nnothing was written; mend these lines, or leave them out with --skip-faulty")
        }
        other => other.into(),
    }
}

/// The text of the tag list and the word files: those of the data folder if one is given, else those of the folder that
/// is written to if it has some, else those of the model. A tag list in the folder that is written to goes first, since
/// its tagger belongs to it.
fn read_words(global: &GlobalArgs, args: &BuildArgs) -> Result<(String, WordFiles), SetupFault> {
    let own_tags = Some(args.out.join(TAGS)).filter(|path| path.exists());
    if let Some(data) = &args.data {
        let tags = read_tags(&own_tags.unwrap_or_else(|| data.join("photos").join(TAGS)))?;
        let words = WordFiles::read_training(data, tags.1.names()).map_err(SetupFault::from_error)?;
        return Ok((tags.0, words));
    }
    let has_words = args.out.join("words.bin").exists();
    // A folder that is named need not be a whole model: its words are enough here.
    let named = global.model.as_ref().filter(|dir| dir.join("words.bin").exists());
    let model = match named {
        _ if has_words => args.out.clone(),
        Some(named) => named.clone(),
        None => loading::find(global.model.as_deref())?,
    };
    let tags = read_tags(&own_tags.unwrap_or_else(|| model.join(TAGS)))?;
    let words = WordFiles::load(&model, tags.1.names()).map_err(SetupFault::from_error)?;
    Ok((tags.0, words))
}

fn read_tags(path: &Path) -> Result<(String, Vocabulary), SetupFault> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the tag list {}", path.display()))
        .map_err(SetupFault::from_error)?;
    let vocabulary = Vocabulary::parse(&text).map_err(SetupFault::from_error)?;
    Ok((text, vocabulary))
}

fn songs_file(args: &BuildArgs) -> Result<PathBuf, SetupFault> {
    if let Some(songs) = &args.songs {
        return Ok(songs.clone());
    }
    let data = args.data.as_ref().ok_or_else(|| SetupFault::new("no songs; name a songs file with --songs"))?;
    let files = ["songs.jsonl", "songs.jsonl.gz"].map(|name| data.join("songs").join(name));
    files.iter().find(|file| file.exists()).cloned().ok_or_else(|| {
        let message = format!("{} is missing; name a songs file with --songs", files[0].display());
        SetupFault::new(message)
    })
}

/// Where the folder has a matcher, writes its vectors of the new songs, so that no start has to make them.
fn store_vectors(dir: &Path, catalogue: &Catalogue) -> anyhow::Result<()> {
    let matcher_path = dir.join("matcher.safetensors");
    if !matcher_path.exists() {
        return Ok(());
    }
    let matcher_file =
        std::fs::read(&matcher_path).with_context(|| format!("cannot read {}", matcher_path.display()))?;
    let matcher = Matcher::load(dir, catalogue).context("the songs are built, but the matcher cannot read them")?;
    Ok(matcher.stored_vectors(&matcher_file, catalogue).save(&dir.join(CATALOGUE_DIR))?)
}

/// A manifest that is there is written anew, since the files have changed; a folder without one is not made a model.
fn list_anew(dir: &Path) -> anyhow::Result<()> {
    if dir.join(manifest::FILE_NAME).exists() {
        let Manifest { name, version, .. } = Manifest::read(dir)?;
        Manifest::of_folder(dir, &name, &version)?.write(dir)?;
    }
    Ok(())
}
