//! `suggest`: songs for photos.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use crate::catalogue::load::Catalogue;
use crate::matcher::suggest::{Filter, Suggestion};
use crate::photo::Limits;
use crate::tagger::vocabulary::TagId;

use super::Outcome;
use super::args::{GlobalArgs, SuggestArgs};
use super::drawing;
use super::fault::{PhotoFault, SetupFault};
use super::input::{self, PhotoInput};
use super::links::Links;
use super::loading::Model;
use super::output_human::Page;
use super::output_json::{
    FailedAnswer, SuggestAnswer, SuggestTimes, SuggestionEntry, evidence_entries, millis, rounded, tag_entries,
    write_line,
};
use super::pool;
use super::sight::{SeenTag, Sight, guarded};
use super::terminal::Terminal;

/// Photos worked on at the same time; more would not answer one photo sooner and hold more decoded photos in memory.
pub const N_PHOTO_THREADS: usize = 2;

/// Most tags shown to people, and of the most probable ones to programs.
const N_SHOWN_TAGS: usize = 5;

/// Least probability of a tag that people are told the photo shows.
const MIN_SEEN_PROB: f32 = 0.1;

/// What came of one photo.
struct Answer {
    /// The most probable tags and all that counted, most probable first.
    tags: Vec<SeenTag>,
    /// The tags of the photo that counted, heaviest first.
    telling: Vec<SeenTag>,
    suggestions: Vec<Suggestion>,
    is_sure: bool,
    /// Whether the picture asked for could be written.
    drawn: anyhow::Result<()>,
    decode_time: Duration,
    tag_time: Duration,
    match_time: Duration,
    total_time: Duration,
}

/// Answers every photo in turn.
///
/// # Errors
/// The set-up is unusable or the output cannot be written; a photo that fails is part of the output.
pub fn run(global: &GlobalArgs, args: &SuggestArgs) -> anyhow::Result<Outcome> {
    let photos = input::photos(&args.photos.paths)?;
    let model = Model::load(global, &args.answer)?;
    let filter = filter(args, &model.catalogue)?;
    let mut outcome = Outcome::Done;
    let mut writer = Writer::new(args, &model);
    let work = |photo_idx: usize, photo: &PhotoInput| {
        let drawing = args.explain.as_deref().map(|path| numbered(path, photo_idx, photos.len()));
        guarded(|| answer(photo, &model, args, &filter, drawing.as_deref()))
    };
    pool::in_order(&photos, N_PHOTO_THREADS, work, |photo, answer| {
        if answer.as_ref().map_or(true, |answer| answer.suggestions.is_empty()) {
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
    Ok(Filter { languages, allows_explicit: !args.is_clean })
}

fn answer(
    photo: &PhotoInput,
    model: &Model,
    args: &SuggestArgs,
    filter: &Filter,
    drawing: Option<&Path>,
) -> Result<Answer, PhotoFault> {
    let started = Instant::now();
    let sight = Sight::of(photo, &model.eye.tagger, &Limits::default())?;
    let matching = Instant::now();
    let query = model.matcher.query(&sight.tagging, &args.hint);
    let suggestions = model.matcher.suggest(&model.catalogue, &query, filter, usize::from(args.top));
    let match_time = matching.elapsed();
    let total_time = started.elapsed();
    let seen = |tag: TagId| sight.seen(tag, sight.tagging.probs[usize::from(tag.0)]);
    let counted: Vec<SeenTag> = query.tags.iter().map(|&(tag, _)| seen(tag)).collect();
    let mut tags = sight.top_tags(N_SHOWN_TAGS);
    let others = counted.iter().filter(|one| tags.iter().all(|top| top.tag != one.tag));
    tags.extend(others.copied().collect::<Vec<_>>());
    tags.sort_by(|a, b| b.prob.total_cmp(&a.prob).then(a.tag.cmp(&b.tag)));
    // A hint names tags too; only those that the photo shows are shown as seen.
    let telling: Vec<SeenTag> = counted.into_iter().filter(|seen| seen.prob >= MIN_SEEN_PROB).collect();
    let drawn = drawing.map_or(Ok(()), |path| drawing::write(path, &sight.decoded, &telling, &suggestions, model));
    let is_sure = (!sight.is_plain || !query.hint.is_empty()) && model.matcher.is_sure(&query, &suggestions);
    let Sight { decode_time, tag_time, .. } = sight;
    Ok(Answer { tags, telling, suggestions, is_sure, drawn, decode_time, tag_time, match_time, total_time })
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
            Self::Json(out, model) => write_line(out, &entry(photo, answer, model)),
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

fn entry<'a>(photo: &'a str, answer: &'a Answer, model: &'a Model) -> SuggestAnswer<'a> {
    let suggestion = |(idx, suggestion): (usize, &'a Suggestion)| {
        let song = model.catalogue.song(suggestion.song);
        SuggestionEntry {
            rank: idx + 1,
            links: Links::to(song.artist, song.title),
            song: song.into(),
            score: rounded(suggestion.score),
            evidence: evidence_entries(&suggestion.evidence),
        }
    };
    SuggestAnswer {
        photo,
        sure: answer.is_sure,
        tags: tag_entries(&answer.tags, &model.eye.names),
        suggestions: answer.suggestions.iter().enumerate().map(suggestion).collect(),
        ms: SuggestTimes {
            decode: millis(answer.decode_time),
            tag: millis(answer.tag_time),
            matching: millis(answer.match_time),
            total: millis(answer.total_time),
        },
    }
}

fn show(page: &mut Page<'_, impl Write>, photo: &str, answer: &Answer, model: &Model) -> io::Result<()> {
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
