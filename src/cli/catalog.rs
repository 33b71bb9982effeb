//! `catalog`: builds the catalogue of a model folder, says what it holds, finds songs in it.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use anstyle::Style;
use anyhow::Context;
use clap::{Args, Subcommand};
use console::measure_text_width;
use serde::Serialize;

use crate::answer::json::rounded;
use crate::catalogue::census::{Census, most_frequent};
use crate::catalogue::format::FILE_NAME;
use crate::catalogue::load::Catalogue;
use crate::catalogue::song::{Song, SongIdx};

use super::Outcome;
use super::args::GlobalArgs;
use super::catalog_build::{self, BuildArgs};
use super::fault::SetupFault;
use super::loading;
use super::output_json::write_line;
use super::terminal::Terminal;

/// Folder of the catalogue in a model folder.
pub const CATALOGUE_DIR: &str = "catalog";
/// Genres that are shown to people.
const N_SHOWN_GENRES: usize = 12;
/// Keywords that are shown for a song.
const N_SHOWN_KEYWORDS: usize = 8;

const TITLE: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const WORD: Style = Style::new().italic();

/// Arguments of `catalog`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song catalog search \"beyonse halo\"
  image2song catalog build --songs my-songs.jsonl --out models/mine")]
pub struct CatalogArgs {
    #[command(subcommand)]
    command: CatalogCommand,
}

#[derive(Debug, Subcommand)]
enum CatalogCommand {
    /// Turn a songs file into the catalogue of a model folder
    Build(BuildArgs),
    /// Say what the catalogue holds: languages, decades, genres
    #[command(after_help = "\
Examples:
  image2song catalog info
  image2song catalog info --model models/mine --json")]
    Info {
        /// One JSON object instead of text
        #[arg(long = "json")]
        is_json: bool,
    },
    /// Find songs by title and artist; accents, case and a few typing errors are forgiven
    #[command(after_help = "\
Examples:
  image2song catalog search yesterday
  image2song catalog search beyonse halo --top 3 --json")]
    Search(SearchArgs),
}

/// Arguments of `catalog search`.
#[derive(Debug, Args)]
struct SearchArgs {
    /// Words of the title, the artist, or both
    #[arg(required = true, value_name = "TEXT")]
    text: Vec<String>,
    /// Songs to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u16).range(1..=1000))]
    top: u16,
    /// One JSON object a song and line instead of text
    #[arg(long = "json")]
    is_json: bool,
}

/// Builds, describes or searches.
///
/// # Errors
/// There is no model folder, the songs file cannot be used, or a file cannot be read or written.
pub fn run(global: &GlobalArgs, args: &CatalogArgs) -> anyhow::Result<Outcome> {
    match &args.command {
        CatalogCommand::Build(args) => catalog_build::run(global, args),
        CatalogCommand::Info { is_json } => info(global, *is_json),
        CatalogCommand::Search(args) => search(global, args),
    }
}

/// What a catalogue holds.
#[derive(Debug, Serialize)]
struct Info<'a> {
    bytes: u64,
    sha256: &'a str,
    words: usize,
    keywords_per_song: f64,
    #[serde(flatten)]
    census: &'a Census,
}

/// A song as `catalog search` gives it.
#[derive(Debug, Serialize)]
struct Found<'a> {
    #[serde(flatten)]
    song: Song<'a>,
    keywords: Vec<KeywordEntry<'a>>,
}

#[derive(Debug, Serialize)]
struct KeywordEntry<'a> {
    word: &'a str,
    weight: f64,
}

fn open(global: &GlobalArgs) -> anyhow::Result<(Catalogue, PathBuf)> {
    // A folder that is named need not be a whole model: its catalogue is enough here.
    let named = global.model.as_ref().filter(|dir| dir.join(CATALOGUE_DIR).join(FILE_NAME).exists());
    let dir = named.map_or_else(|| loading::find(global.model.as_deref()), |dir| Ok(dir.clone()))?;
    let dir = dir.join(CATALOGUE_DIR);
    let catalogue = Catalogue::load(&dir).map_err(SetupFault::from_error)?;
    Ok((catalogue, dir))
}

fn info(global: &GlobalArgs, is_json: bool) -> anyhow::Result<Outcome> {
    let (catalogue, dir) = open(global)?;
    let mut out = BufWriter::new(io::stdout().lock());
    show_info(&mut out, &catalogue, &dir, is_json, Terminal::stdout())?;
    Ok(Outcome::Done)
}

/// Writes what a catalogue holds.
///
/// # Errors
/// The catalogue file is gone, or it cannot be written.
pub fn show_info(
    out: &mut impl Write,
    catalogue: &Catalogue,
    dir: &Path,
    is_json: bool,
    terminal: Terminal,
) -> anyhow::Result<()> {
    let path = dir.join(FILE_NAME);
    let bytes = path.metadata().with_context(|| format!("cannot read {}", path.display()))?.len();
    let census = Census::of(catalogue, catalogue.songs());
    let n_keywords: usize = catalogue.songs().map(|song| catalogue.keywords(song).len()).sum();
    let keywords_per_song = n_keywords as f64 / catalogue.len() as f64;
    if is_json {
        let (words, keywords_per_song) = (catalogue.n_words(), rounded(keywords_per_song as f32));
        let info = Info { bytes, sha256: catalogue.digest(), words, keywords_per_song, census: &census };
        return write_line(out, &info);
    }
    let (title, quiet) = (style(TITLE, terminal), style(QUIET, terminal));
    let (songs, words) = (grouped(catalogue.len()), grouped(catalogue.n_words()));
    let mib = bytes as f64 / f64::from(1 << 20);
    writeln!(out, "{title}{songs} songs{title:#} in {}", path.display())?;
    writeln!(out, "{quiet}{words} words, {keywords_per_song:.1} keywords a song, {mib:.1} MiB{quiet:#}")?;
    let languages: Vec<(String, usize)> =
        most_frequent(&census.languages).into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
    let decades = census.decades.iter().map(|(decade, &count)| (format!("{decade}s"), count)).collect::<Vec<_>>();
    let genres: Vec<(String, usize)> = most_frequent(&census.genres)
        .into_iter()
        .take(N_SHOWN_GENRES)
        .map(|(name, count)| (name.to_owned(), count))
        .collect();
    let explicit = [("explicit".to_owned(), census.explicit)];
    for (name, counts) in [("languages", &languages[..]), ("decades", &decades), ("genres", &genres), ("", &explicit)] {
        show_counts(out, name, counts, terminal)?;
    }
    Ok(out.flush()?)
}

/// A name, and beside it counts in lines of the terminal's width.
fn show_counts(out: &mut impl Write, name: &str, counts: &[(String, usize)], terminal: Terminal) -> io::Result<()> {
    const INDENT: usize = 12;
    if counts.is_empty() {
        return Ok(());
    }
    let quiet = style(QUIET, terminal);
    write!(out, "{name:INDENT$}")?;
    let mut column = INDENT;
    for (count_idx, (what, count)) in counts.iter().enumerate() {
        let count = grouped(*count);
        let width = measure_text_width(what) + 1 + count.len();
        if count_idx > 0 && column + 3 + width > terminal.width {
            write!(out, "\n{:INDENT$}", "")?;
            column = INDENT;
        } else if count_idx > 0 {
            write!(out, "   ")?;
            column += 3;
        }
        write!(out, "{what} {quiet}{count}{quiet:#}")?;
        column += width;
    }
    writeln!(out)
}

fn search(global: &GlobalArgs, args: &SearchArgs) -> anyhow::Result<Outcome> {
    let (catalogue, _) = open(global)?;
    let text = args.text.join(" ");
    let found = catalogue.search(&text, usize::from(args.top));
    let mut out = BufWriter::new(io::stdout().lock());
    for (place, &song) in found.iter().enumerate() {
        if args.is_json {
            write_line(&mut out, &entry(&catalogue, song))?;
        } else {
            show_song(&mut out, &catalogue, song, place + 1, Terminal::stdout())?;
        }
    }
    out.flush()?;
    if found.is_empty() {
        anstream::eprintln!("no song like {text:?}; try fewer words, or the title alone");
        return Ok(Outcome::Failed);
    }
    Ok(Outcome::Done)
}

fn entry(catalogue: &Catalogue, song: SongIdx) -> Found<'_> {
    let keywords = catalogue.keywords(song).iter();
    let entry = |keyword: &crate::catalogue::song::Keyword| KeywordEntry {
        word: catalogue.word(keyword.word),
        weight: rounded(keyword.weight),
    };
    Found { song: catalogue.song(song), keywords: keywords.map(entry).collect() }
}

/// Two lines: what the song is, and what it is about.
fn show_song(
    out: &mut impl Write,
    catalogue: &Catalogue,
    song: SongIdx,
    place: usize,
    terminal: Terminal,
) -> io::Result<()> {
    let (title, quiet, word) = (style(TITLE, terminal), style(QUIET, terminal), style(WORD, terminal));
    let Song { id, title: name, artist, year, language, genres, explicit, .. } = catalogue.song(song);
    let year = year.map_or_else(String::new, |year| format!(", {year}"));
    let mut facts = vec![language];
    facts.extend(genres);
    facts.extend(explicit.then_some("explicit"));
    facts.push(id);
    let facts = facts.join(" · ");
    writeln!(out, "{place:>3}  {title}{name}{title:#} — {artist}{year}  {quiet}{facts}{quiet:#}")?;
    let keywords = catalogue.keywords(song).iter().take(N_SHOWN_KEYWORDS);
    let keywords: Vec<&str> = keywords.map(|keyword| catalogue.word(keyword.word)).collect();
    writeln!(out, "     {word}{}{word:#}", keywords.join(", "))
}

/// The style on a terminal that shows it, none elsewhere.
fn style(style: Style, terminal: Terminal) -> Style {
    if terminal.is_styled { style } else { Style::new() }
}

/// `25,000`.
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, shown) in [(7, "7"), (999, "999"), (25_000, "25,000"), (1_234_567, "1,234,567")] {
            assert_eq!(grouped(number), shown);
        }
    }
}
