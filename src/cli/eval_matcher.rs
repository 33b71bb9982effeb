//! `image2song eval matcher`.

use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use serde::Serialize;

use super::Outcome;
use crate::evaluation::baselines::{MeanVectors, Popularity, Random, TagWeights, TfIdf};
use crate::evaluation::bench::{PhotoCase, Scorer};
use crate::evaluation::language::{LanguageRow, in_language};
use crate::evaluation::matcher::{Row, ShortlistRow, Trained, judge, shortlists, table};
use crate::evaluation::spread::{Spread, spread};
use crate::lyric::tokenize::Tokenizer;
use crate::matcher::ranker::{Ranker, SHORTLIST};
use crate::matcher::suggest::{Filter, Matcher};
use crate::matcher::weights::{Pooling, Weights};
use crate::tagger::Tagging;
use crate::training::matcher::is_held_out;
use crate::training::matcher_data::{MatcherData, Split};

/// Flags of `eval matcher`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  image2song eval matcher --data ../shared/data
  image2song eval matcher --data ../shared/data --weights runs/a/matcher.safetensors --json")]
pub struct EvalMatcher {
    /// Data folder (docs/data-format.md)
    #[arg(long, env = "IMAGE2SONG_DATA")]
    pub data: PathBuf,
    /// The matcher's weights; those of the model if not given
    #[arg(long)]
    pub weights: Option<PathBuf>,
    /// Weights of the same training without attention (`train matcher --pooling woken` or `mean`), each for its row
    #[arg(long)]
    pub without_attention: Vec<PathBuf>,
    /// Tag probabilities of all photos as your tagger gives them; the soft tags of the data folder if not given
    #[arg(long)]
    pub tags: Option<PathBuf>,
    /// Photos of val that are used, evenly chosen; all if 0
    #[arg(long, default_value_t = 0)]
    pub photos: usize,
    /// Share of artists that training did not see (as given to `train matcher`)
    #[arg(long, default_value_t = 0.0)]
    pub hold_out: f64,
    /// One JSON object instead of tables
    #[arg(long = "json")]
    pub is_json: bool,
}

/// The whole report.
#[derive(Debug, Serialize)]
pub struct MatcherReport {
    /// Photos used.
    pub n_photos: usize,
    /// One way each.
    pub rows: Vec<Row>,
    /// What shortlists lose.
    pub shortlists: Vec<ShortlistRow>,
    /// What is shown.
    pub spread: Spread,
    /// Suggestions by language.
    pub languages: Vec<LanguageRow>,
}

/// Photos for the shortlists' table, where attention reads all songs.
const N_SHORTLIST_PHOTOS: usize = 200;

/// Photos for the languages' table, as in the target.
const N_LANGUAGE_PHOTOS: usize = 20;

impl EvalMatcher {
    /// Prints the report; `model` is the model folder, used where no weights are given.
    ///
    /// # Errors
    /// The data or the weights cannot be used.
    pub fn run(&self, model: Option<&std::path::Path>) -> anyhow::Result<Outcome> {
        let report = self.report(model)?;
        if self.is_json {
            let json = serde_json::to_string(&report).context("the report cannot be written as JSON")?;
            anstream::println!("{json}");
        } else {
            anstream::println!("{}", report.text());
        }
        Ok(Outcome::Done)
    }

    /// Makes the report; `model` is the model folder, used where no weights are given.
    ///
    /// # Errors
    /// The data or the weights cannot be used.
    pub fn report(&self, model: Option<&std::path::Path>) -> anyhow::Result<MatcherReport> {
        let data = MatcherData::read(&self.data, self.tags.as_deref())?;
        let from_model = || model.map(|dir| dir.join("matcher.safetensors"));
        let path = self.weights.clone().or_else(from_model).context("name the weights with --weights")?;
        let photos = chosen(&data, self.photos);
        let cases: Vec<PhotoCase> = photos
            .iter()
            .map(|&p| PhotoCase { probs: data.photos.probs(p), graded: data.graded(p).filter(|g| g.1 > 0.0).collect() })
            .collect();
        let is_unseen: Vec<bool> =
            data.catalogue.songs().map(|s| is_held_out(data.catalogue.artist(s), self.hold_out)).collect();
        let is_unseen = (self.hold_out > 0.0).then_some(is_unseen.as_slice());
        let ranker = Ranker::new(Weights::load(&path)?, data.songs.clone());
        let mut rows = baseline_rows(&data, &cases, is_unseen);
        for path in &self.without_attention {
            let weights = Weights::load(path)?;
            let name = match weights.pooling {
                Pooling::Attention => anyhow::bail!("{} has attention; name one without", path.display()),
                Pooling::Woken => "mean pooling, tag-word table",
                Pooling::Mean => "BiRNN alone",
            };
            let plain = Ranker::new(weights, data.songs.clone());
            rows.push(judge(&trained(name, &plain), &cases, is_unseen));
        }
        rows.push(judge(&trained("full model", &ranker), &cases, is_unseen));
        let stride = (cases.len() / N_SHORTLIST_PHOTOS).max(1);
        let some: Vec<PhotoCase> = cases.iter().step_by(stride).cloned().collect();
        let sizes = [25, 50, 100, SHORTLIST, 400, 1000, data.songs.len()];
        let shortlists = shortlists(&ranker, &some, &sizes);
        let stopwords = std::fs::read_to_string(self.data.join("songs/stopwords.txt"))?;
        let matcher = Matcher::new(ranker, data.space.clone(), Tokenizer::from_stopwords(&stopwords));
        let slates = slates(&matcher, &data, &cases);
        let stated = stated_tags(&data, &photos);
        let languages = languages(&matcher, &data, &cases, &stated);
        let spread = spread(&data.catalogue, &slates);
        Ok(MatcherReport { n_photos: cases.len(), rows, shortlists, spread, languages })
    }
}

impl MatcherReport {
    /// The report for people.
    pub fn text(&self) -> String {
        let mut text = format!("{} photos of val, all songs ranked\n\n{}\n", self.n_photos, table(&self.rows));
        text.push_str("shortlist   nDCG@10   same ten\n");
        for row in &self.shortlists {
            text.push_str(&format!("{:>9}   {:>7.3}   {:>8.3}\n", row.n, row.ndcg10, row.overlap10));
        }
        text.push_str("\nlanguage   all five   share\n");
        for row in &self.languages {
            text.push_str(&format!("{:<8}   {:>8.2}   {:>5.2}\n", row.language, row.all_five, row.share));
        }
        let s = &self.spread;
        text.push_str(&format!(
            "\nshown in {} slates: {:.1} % of the catalogue, Gini {:.3} ({:.3} among those shown)\n",
            s.n_slates,
            100.0 * s.coverage,
            s.gini,
            s.gini_of_shown
        ));
        for (name, group) in [("language", &s.languages), ("decade", &s.decades), ("genre", &s.genres)] {
            text.push_str(&format!("{name:<16} shown  catalogue\n"));
            for (label, (shown, all)) in group.iter().filter(|(_, (shown, all))| shown.max(*all) >= 0.005) {
                text.push_str(&format!("  {label:<14} {:>5.1}  {:>9.1}\n", 100.0 * shown, 100.0 * all));
            }
        }
        text
    }
}

fn trained<'a>(name: &str, ranker: &'a Ranker) -> Trained<'a> {
    Trained { name: name.to_owned(), ranker, n_shortlist: SHORTLIST }
}

/// Photos of val, evenly spread over the file.
fn chosen(data: &MatcherData, n: usize) -> Vec<usize> {
    let all = data.photos.of_split(Split::Val);
    if n == 0 || n >= all.len() {
        return all;
    }
    (0..n).map(|i| all[i * all.len() / n]).collect()
}

fn baseline_rows(data: &MatcherData, cases: &[PhotoCase], is_unseen: Option<&[bool]>) -> Vec<Row> {
    let n_tags = data.vocabulary.len();
    let train = data.photos.of_split(Split::Train);
    let mut means = vec![0f32; n_tags];
    for &photo in &train {
        means.iter_mut().zip(data.photos.probs(photo)).for_each(|(sum, p)| *sum += p / train.len() as f32);
    }
    let tags = TagWeights::new(&means);
    let popularity = data.catalogue.songs().map(|s| data.catalogue.popularity(s).unwrap_or(0.0)).collect();
    let tf_idf = |has_evoked| TfIdf::new(&data.space, &data.songs, &data.sequences, tags.clone(), has_evoked);
    let scorers: Vec<Box<dyn Scorer + '_>> = vec![
        Box::new(Random { n_songs: data.songs.len() }),
        Box::new(Popularity { values: popularity }),
        Box::new(tf_idf(false)),
        Box::new(tf_idf(true)),
        Box::new(MeanVectors::new(&data.space, &data.songs, tags.clone())),
    ];
    scorers.iter().map(|scorer| judge(scorer.as_ref(), cases, is_unseen)).collect()
}

fn tagging(case: &PhotoCase) -> Tagging {
    Tagging { probs: case.probs.clone(), region_idx: vec![0; case.probs.len()], embedding: Vec::new() }
}

fn slates(matcher: &Matcher, data: &MatcherData, cases: &[PhotoCase]) -> Vec<Vec<crate::catalogue::song::SongIdx>> {
    let filter = Filter { allows_explicit: true, ..Filter::default() };
    let stride = (cases.len() / 1000).max(1);
    cases
        .iter()
        .step_by(stride)
        .map(|case| {
            let query = matcher.query(&tagging(case), "");
            matcher.suggest(&data.catalogue, &query, &filter, 5).iter().map(|s| s.song).collect()
        })
        .collect()
}

fn stated_tags(data: &MatcherData, photos: &[usize]) -> Vec<Vec<u16>> {
    photos.iter().map(|&photo| data.photos.stated[photo].clone()).collect()
}

fn languages(matcher: &Matcher, data: &MatcherData, cases: &[PhotoCase], stated: &[Vec<u16>]) -> Vec<LanguageRow> {
    let stride = (cases.len() / N_LANGUAGE_PHOTOS).max(1);
    let photos: Vec<(Tagging, Vec<u16>)> = cases
        .iter()
        .zip(stated)
        .step_by(stride)
        .take(N_LANGUAGE_PHOTOS)
        .map(|(case, stated)| (tagging(case), stated.clone()))
        .collect();
    ["es", "pt", "fr", "ja"]
        .iter()
        .map(|language| in_language(matcher, &data.catalogue, &data.space, &photos, language))
        .collect()
}
