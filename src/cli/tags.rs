//! `tags`: what the tagger sees, and where.

use std::io::{self, BufWriter};
use std::time::{Duration, Instant};

use crate::answer::fault::PhotoFault;
use crate::answer::json::{FailedAnswer, TagsAnswer, TagsTimes, millis, tag_entries};
use crate::answer::model::Eye;
use crate::answer::sight::{SeenTag, Sight, guarded};
use crate::photo::Limits;

use super::Outcome;
use super::args::{GlobalArgs, TagsArgs, TagsCommand};
use super::input::{self, PhotoInput};
use super::loading;
use super::output_human::Page;
use super::output_json::write_line;
use super::pool;
use super::suggest::N_PHOTO_THREADS;
use super::terminal::Terminal;
use super::{tags_add, tags_background, tags_remove};

struct Answer {
    tags: Vec<SeenTag>,
    decode_time: Duration,
    tag_time: Duration,
    total_time: Duration,
}

/// Tags every photo in turn, or does what the subcommand says.
///
/// # Errors
/// The set-up is unusable or the output cannot be written; a photo that fails is part of the output.
pub fn run(global: &GlobalArgs, args: &TagsArgs) -> anyhow::Result<Outcome> {
    match &args.command {
        None => show(global, args),
        Some(TagsCommand::Add(args)) => tags_add::run(global, args),
        Some(TagsCommand::Remove(args)) => tags_remove::run(global, args),
        Some(TagsCommand::Background(args)) => tags_background::run(global, args),
    }
}

fn show(global: &GlobalArgs, args: &TagsArgs) -> anyhow::Result<Outcome> {
    let photos = input::photos(&args.photos.paths)?;
    let eye = loading::eye(global, &args.answer)?;
    let mut out = BufWriter::new(io::stdout().lock());
    let mut outcome = Outcome::Done;
    let work = |_, photo: &PhotoInput| guarded(|| answer(photo, &eye, args.top));
    if args.answer.is_json {
        pool::in_order(&photos, N_PHOTO_THREADS, work, |photo, answer| match answer {
            Ok(answer) => write_line(&mut out, &entry(&photo.name, &answer, &eye)),
            Err(fault) => {
                outcome = Outcome::Failed;
                write_line(&mut out, &FailedAnswer::of(&photo.name, &fault))
            }
        })?;
        return Ok(outcome);
    }
    let mut page = Page::new(out, Terminal::stdout(), &eye.names);
    pool::in_order(&photos, N_PHOTO_THREADS, work, |photo, answer| {
        page.photo(&photo.name)?;
        match answer {
            Ok(answer) => page.tag_table(&answer.tags)?,
            Err(fault) => {
                outcome = Outcome::Failed;
                page.fault(&fault)?;
            }
        }
        Ok(page.flush()?)
    })?;
    Ok(outcome)
}

fn answer(photo: &PhotoInput, eye: &Eye, n_tags: u16) -> Result<Answer, PhotoFault> {
    let started = Instant::now();
    let limits = Limits::default();
    let sight = Sight::of(&photo.read(&limits)?, started, &eye.tagger, &limits)?;
    let tags = sight.top_tags(usize::from(n_tags));
    let Sight { decode_time, tag_time, .. } = sight;
    Ok(Answer { tags, decode_time, tag_time, total_time: started.elapsed() })
}

fn entry<'a>(photo: &'a str, answer: &Answer, eye: &'a Eye) -> TagsAnswer<'a> {
    let ms = TagsTimes {
        decode: millis(answer.decode_time),
        tag: millis(answer.tag_time),
        total: millis(answer.total_time),
    };
    TagsAnswer { photo, tags: tag_entries(&answer.tags, &eye.names), ms }
}
