//! `photos`: the photos of a folder that fit a song.

use std::io::{self, BufWriter, Write};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use crate::answer::fault::PhotoFault;
use crate::answer::json::{
    AmbiguousAnswer, ErrorEntry, FailedAnswer, PhotosAnswer, evidence_entries, rounded, tag_entries,
};
use crate::answer::model::Model;
use crate::answer::sight::{SeenTag, Sight, guarded};
use crate::catalogue::song::{Song, SongIdx};
use crate::matcher::explain::Evidence;
use crate::photo::Limits;

use super::Outcome;
use super::args::{GlobalArgs, PhotosArgs};
use super::input::{self, PhotoInput};
use super::loading;
use super::output_human::Page;
use super::output_json::write_line;
use super::pool;
use super::song_choice::{self, SongChoice};
use super::suggest::N_PHOTO_THREADS;
use super::terminal::Terminal;

/// Most tags shown for a photo.
const N_SHOWN_TAGS: usize = 5;

/// A photo with how well it fits the song.
struct Fit {
    score: f32,
    tags: Vec<SeenTag>,
    evidence: Vec<Evidence>,
}

type Answers<'a> = Vec<(&'a str, Result<Fit, PhotoFault>)>;

/// Ranks the photos by how well they fit the song.
///
/// # Errors
/// The set-up is unusable or the output cannot be written; a photo that fails is part of the output, and so is a title
/// that means no song or several.
pub fn run(global: &GlobalArgs, args: &PhotosArgs) -> anyhow::Result<Outcome> {
    let photos = input::photos(&args.photos)?;
    let model = loading::model(global, &args.answer)?;
    let song = match song_choice::choose(&model.catalogue, &args.song) {
        SongChoice::Exact(song) => song,
        SongChoice::Close(song) => {
            let Song { title, artist, .. } = model.catalogue.song(song);
            tracing::warn!("no song is called {:?}; taking {title:?} by {artist}", args.song);
            song
        }
        SongChoice::Several(candidates) => return refuse(args, &model, &candidates),
        SongChoice::Nothing => return refuse(args, &model, &[]),
    };
    let answers = rank(&photos, &model, song, progress(global, photos.len()))?;
    let is_all_well = answers.iter().all(|(_, answer)| answer.is_ok());
    let out = BufWriter::new(io::stdout().lock());
    match args.answer.is_json {
        true => write_json(out, &answers, &model, song, args.top as usize)?,
        false => show(out, &answers, &model, song, args.top as usize)?,
    }
    Ok(if is_all_well { Outcome::Done } else { Outcome::Failed })
}

/// All photos, those that fit best first and those that failed last, each group else in the order given.
fn rank<'a>(
    photos: &'a [PhotoInput],
    model: &Model,
    song: SongIdx,
    progress: ProgressBar,
) -> anyhow::Result<Answers<'a>> {
    let mut answers: Answers = Vec::with_capacity(photos.len());
    let work = |_, photo: &PhotoInput| guarded(|| fit(photo, model, song));
    pool::in_order(photos, N_PHOTO_THREADS, work, |photo, answer| {
        answers.push((photo.name.as_str(), answer));
        progress.inc(1);
        Ok(())
    })?;
    progress.finish_and_clear();
    let score = |answer: &Result<Fit, PhotoFault>| answer.as_ref().map_or(f32::NEG_INFINITY, |fit| fit.score);
    answers.sort_by(|a, b| score(&b.1).total_cmp(&score(&a.1)));
    Ok(answers)
}

fn fit(photo: &PhotoInput, model: &Model, song: SongIdx) -> Result<Fit, PhotoFault> {
    let (started, limits) = (Instant::now(), Limits::default());
    let sight = Sight::of(&photo.read(&limits)?, started, &model.eye.tagger, &limits)?;
    let query = model.matcher.query(&sight.tagging, "");
    let (score, evidence) = model.matcher.explain_song(&query, song, &model.tastes.of(None));
    Ok(Fit { score, tags: sight.top_tags(N_SHOWN_TAGS), evidence })
}

/// A bar on standard error, on a terminal only.
pub(super) fn progress(global: &GlobalArgs, n_photos: usize) -> ProgressBar {
    if global.is_quiet || n_photos < 10 {
        return ProgressBar::hidden();
    }
    let template = "{bar:30} {pos}/{len} photos, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).expect("the template is well formed");
    ProgressBar::new(n_photos as u64).with_style(style)
}

fn write_json(
    mut out: impl Write,
    answers: &Answers,
    model: &Model,
    song: SongIdx,
    n_shown: usize,
) -> anyhow::Result<()> {
    let mut rank = 0;
    for (photo, answer) in answers {
        match answer {
            Err(fault) => write_line(&mut out, &FailedAnswer::of(photo, fault))?,
            Ok(_) if rank == n_shown => {}
            Ok(fit) => {
                rank += 1;
                let entry = PhotosAnswer {
                    photo,
                    rank,
                    score: rounded(fit.score),
                    song: model.catalogue.song(song).into(),
                    tags: tag_entries(&fit.tags, &model.eye.names),
                    evidence: evidence_entries(&fit.evidence),
                };
                write_line(&mut out, &entry)?;
            }
        }
    }
    Ok(())
}

fn show(out: impl Write, answers: &Answers, model: &Model, song: SongIdx, n_shown: usize) -> anyhow::Result<()> {
    let mut page = Page::new(out, Terminal::stdout(), &model.eye.names);
    page.song(&model.catalogue.song(song))?;
    let fits = answers.iter().filter_map(|(photo, answer)| answer.as_ref().ok().map(|fit| (photo, fit)));
    for (idx, (photo, fit)) in fits.take(n_shown).enumerate() {
        page.fitting_photo(idx + 1, photo, fit.score, &fit.tags, &fit.evidence)?;
    }
    for (photo, answer) in answers {
        if let Err(fault) = answer {
            page.photo(photo)?;
            page.fault(fault)?;
        }
    }
    Ok(page.flush()?)
}

/// Says that the title means no song, or which ones it can mean.
fn refuse(args: &PhotosArgs, model: &Model, candidates: &[SongIdx]) -> anyhow::Result<Outcome> {
    let (kind, message) = match candidates {
        [] => ("no_such_song", format!("no song is called {:?}; `image2song catalog search` finds songs", args.song)),
        _ => (
            "ambiguous_song",
            format!("{:?} can mean several songs; name one as \"TITLE - ARTIST\" or by its id", args.song),
        ),
    };
    let songs = candidates.iter().map(|&song| model.catalogue.song(song));
    if args.answer.is_json {
        let error = ErrorEntry { kind, message: &message };
        let answer = AmbiguousAnswer { song: &args.song, error, candidates: songs.map(Into::into).collect() };
        write_line(&mut io::stdout().lock(), &answer)?;
        return Ok(Outcome::Failed);
    }
    anstream::eprintln!("{message}");
    for Song { id, title, artist, year, .. } in songs {
        let year = year.map(|year| format!(", {year}")).unwrap_or_default();
        anstream::eprintln!("  {title} - {artist}{year}  [{id}]");
    }
    Ok(Outcome::Failed)
}
