//! `suggest`: songs for photos.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context;

use crate::answer::compose::{self, Composed, N_SHOWN_TAGS, Wish};
use crate::answer::drawing;
use crate::answer::fault::PhotoFault;
use crate::answer::json::{FailedAnswer, SuggestTimes};
use crate::answer::links::Links;
use crate::answer::model::Model;
use crate::answer::sight::{Sight, guarded};
use crate::catalogue::load::Catalogue;
use crate::matcher::suggest::Filter;
use crate::photo::Limits;

use super::Outcome;
use super::args::{GlobalArgs, SuggestArgs};
use super::fault::SetupFault;
use super::input::{self, PhotoInput};
use super::loading;
use super::output_human::Page;
use super::output_json::write_line;
use super::pool;
use super::terminal::Terminal;

/// Photos worked on at the same time; more would not answer one photo sooner and hold more decoded photos in memory.
pub const N_PHOTO_THREADS: usize = 2;

/// What came of one photo.
struct Answer {
    composed: Composed,
    /// Whether the picture asked for could be written.
    drawn: anyhow::Result<()>,
    ms: SuggestTimes,
}

/// Answers every photo in turn.
///
/// # Errors
/// The set-up is unusable or the output cannot be written; a photo that fails is part of the output.
pub fn run(global: &GlobalArgs, args: &SuggestArgs) -> anyhow::Result<Outcome> {
    let photos = input::photos(&args.photos.paths)?;
    let model = loading::model(global, &args.answer)?;
    let filter = filter(args, &model.catalogue)?;
    let mut outcome = Outcome::Done;
    let mut writer = Writer::new(args, &model);
    let work = |photo_idx: usize, photo: &PhotoInput| {
        let drawing = args.explain.as_deref().map(|path| numbered(path, photo_idx, photos.len()));
        guarded(|| answer(photo, &model, args, &filter, drawing.as_deref()))
    };
    pool::in_order(&photos, N_PHOTO_THREADS, work, |photo, answer| {
        if answer.as_ref().map_or(true, |answer| answer.composed.suggestions.is_empty()) {
            outcome = Outcome::Failed;
        }
        match answer {
            Err(fault) => writer.fault(&photo.name, &fault),
            Ok(answer) => {
                writer.answer(&photo.name, &answer)?;
                answer.drawn
            }
        }
    })?;
    Ok(outcome)
}

fn filter(args: &SuggestArgs, catalogue: &Catalogue) -> Result<Filter, SetupFault> {
    let asked = args.languages.iter().map(|code| code.trim().to_lowercase()).filter(|code| !code.is_empty());
    let languages: Vec<String> = asked.collect();
    if !languages.is_empty() {
        let known: BTreeSet<&str> = catalogue.languages().map(|(code, _)| code).collect();
        if let Some(unknown) = languages.iter().find(|code| !known.contains(code.as_str())) {
            return Err(SetupFault::new(format!(
                "the catalogue has no songs in language {unknown:?}; it has {}",
                Vec::from_iter(known).join(", ")
            )));
        }
    }
    Ok(Filter { languages, allows_explicit: !args.is_clean, ..Filter::default() })
}

fn answer(
    photo: &PhotoInput,
    model: &Model,
    args: &SuggestArgs,
    filter: &Filter,
    drawing: Option<&Path>,
) -> Result<Answer, PhotoFault> {
    let started = Instant::now();
    let limits = Limits::default();
    let sight = Sight::of(&photo.read(&limits)?, started, &model.eye.tagger, &limits)?;
    let wish = Wish::certain(&args.hint, filter, usize::from(args.top));
    let composed = compose::compose(model, &sight.tagging, sight.is_plain, wish);
    let ms = compose::times(sight.decode_time, sight.tag_time, composed.match_time, started.elapsed());
    let drawn = drawing.map_or(Ok(()), |path| {
        let picture = drawing::png(&sight.decoded, &composed.telling, &composed.suggestions, model, None);
        std::fs::write(path, picture).with_context(|| format!("the picture {} cannot be written", path.display()))
    });
    Ok(Answer { composed, drawn, ms })
}

/// Where the drawing of a photo goes: `why.png` for one photo, `why-1.png`, `why-2.png` … for more.
fn numbered(path: &Path, photo_idx: usize, n_photos: usize) -> PathBuf {
    if n_photos == 1 {
        return path.to_owned();
    }
    let mut name = path.file_stem().unwrap_or_default().to_owned();
    name.push(format!("-{}", photo_idx + 1));
    if let Some(ending) = path.extension() {
        name.push(".");
        name.push(ending);
    }
    path.with_file_name(name)
}

/// Where answers go, and in which form.
enum Writer<'a> {
    Json(BufWriter<io::StdoutLock<'static>>, &'a Model),
    Human(Page<'a, BufWriter<io::StdoutLock<'static>>>, &'a Model),
}

impl<'a> Writer<'a> {
    fn new(args: &SuggestArgs, model: &'a Model) -> Self {
        let out = BufWriter::new(io::stdout().lock());
        match args.answer.is_json {
            true => Self::Json(out, model),
            false => Self::Human(Page::new(out, Terminal::stdout(), &model.eye.names), model),
        }
    }

    fn answer(&mut self, photo: &str, answer: &Answer) -> anyhow::Result<()> {
        match self {
            Self::Json(out, model) => write_line(out, &compose::entry(photo, &answer.composed, answer.ms, model)),
            Self::Human(page, model) => Ok(show(page, photo, answer, model)?),
        }
    }

    fn fault(&mut self, photo: &str, fault: &PhotoFault) -> anyhow::Result<()> {
        match self {
            Self::Json(out, _) => write_line(out, &FailedAnswer::of(photo, fault)),
            Self::Human(page, _) => {
                page.photo(photo)?;
                page.fault(fault)?;
                Ok(page.flush()?)
            }
        }
    }
}

fn show(page: &mut Page<'_, impl Write>, photo: &str, answer: &Answer, model: &Model) -> io::Result<()> {
    let answer = &answer.composed;
    page.photo(photo)?;
    let tags = if answer.telling.is_empty() { &answer.tags } else { &answer.telling };
    page.seen(&tags[..tags.len().min(N_SHOWN_TAGS)])?;
    if answer.suggestions.is_empty() {
        page.note("No song of the catalogue fits; allow more languages or explicit songs.")?;
    } else if !answer.is_sure {
        page.unsure()?;
    }
    for (idx, suggestion) in answer.suggestions.iter().enumerate() {
        let song = model.catalogue.song(suggestion.song);
        page.suggestion(idx + 1, &song, &suggestion.evidence, &Links::to(song.artist, song.title))?;
    }
    page.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_of_several_photos_are_numbered() {
        let path = Path::new("out/why.png");
        assert_eq!(numbered(path, 0, 1), path);
        assert_eq!(numbered(path, 0, 2), Path::new("out/why-1.png"));
        assert_eq!(numbered(Path::new("why"), 11, 12), Path::new("why-12"));
    }
}
