//! All arguments of all commands as clap reads them; every value is checked where it is used or by its parser here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::catalog::CatalogArgs;
use super::device::DeviceChoice;
use super::doctor::DoctorArgs;
use super::eval::EvalArgs;
use super::feedback::FeedbackArgs;
use super::finetune::FinetuneArgs;
use super::language::Language;
use super::model::ModelArgs;
use super::promote::{PromoteArgs, RollbackArgs};
use super::report::ReportArgs;
use super::serve::ServeArgs;
use super::tags_add::AddArgs;
use super::tags_background::BackgroundArgs;
use super::tags_remove::RemoveArgs;
use super::train::TrainArgs;

/// Songs that fit a photo, each with its reason.
#[derive(Debug, Parser)]
#[command(
    name = "image2song",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "\
Examples:
  image2song suggest beach.jpg                          five songs for a photo
  image2song suggest holidays/ --language en,fr --json  a folder, one JSON object a line
  image2song photos \"Surfin' U.S.A.\" --in holidays/     the photos that fit a song

Everything is computed here: no network, no account. Exit codes: 0 done, 1 something failed, 2 wrong usage or set-up."
)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Options of every command.
    #[command(flatten)]
    pub global: GlobalArgs,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub struct GlobalArgs {
    /// Model folder [default: models/base here, beside the program, or where it was built]
    #[arg(long = "model", global = true, env = "IMAGE2SONG_MODEL", hide_env_values = true, value_name = "DIR")]
    pub model: Option<PathBuf>,
    /// No progress and no warnings
    #[arg(short = 'q', long = "quiet", global = true, env = "IMAGE2SONG_QUIET", hide_env_values = true)]
    pub is_quiet: bool,
    /// Form of the log on standard error: text or json; IMAGE2SONG_LOG sets its level
    #[arg(
        long,
        global = true,
        env = "IMAGE2SONG_LOG_FORMAT",
        hide_env_values = true,
        hide_possible_values = true,
        value_enum,
        value_name = "FORMAT",
        default_value_t = LogFormat::Text
    )]
    pub log_format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Suggest songs for photos, each with its reason
    Suggest(SuggestArgs),
    /// Show what the tagger sees, and where
    Tags(TagsArgs),
    /// Find the photos of a folder that fit a song
    Photos(PhotosArgs),
    /// Build, describe or search the song catalogue
    Catalog(CatalogArgs),
    /// Train the tagger or the matcher on your own data
    Train(TrainArgs),
    /// Learn from likes: a model folder with what communities like, and whether it may be shown
    Finetune(FinetuneArgs),
    /// Measure the tagger or the matcher, with baselines
    Eval(EvalArgs),
    /// Check or seal a model folder
    Model(ModelArgs),
    /// Describe, write out, read in or check what people thought of the songs
    Feedback(FeedbackArgs),
    /// Say how well the songs work: likes, trends, exposure, with intervals
    Report(ReportArgs),
    /// Serve bots, page and API
    Serve(ServeArgs),
    /// Let a fine-tuned model answer, all or a share of the people
    Promote(PromoteArgs),
    /// Go back to the model that answered before
    Rollback(RollbackArgs),
    /// Check that serving would work, and say how to mend what would not
    Doctor(DoctorArgs),
}

/// The photos to answer.
#[derive(Debug, Args)]
pub struct PhotoArgs {
    /// A photo file, a folder (with its subfolders), or - for standard input
    ///
    /// JPEG, PNG, WebP, GIF (its first frame) and BMP are read, told by their content, not by their
    /// name. A folder gives the photos in it and in its subfolders in the order of their names; hidden
    /// files and links to folders are left out, as are files that are no photo by name and content.
    #[arg(required = true, value_name = "PHOTO", verbatim_doc_comment)]
    pub paths: Vec<PathBuf>,
}

/// Where the work runs and how it is shown; the same for all commands that read photos.
#[derive(Debug, Args)]
pub struct AnswerArgs {
    /// One JSON object a line instead of text; docs/json.md describes it
    #[arg(long = "json")]
    pub is_json: bool,
    /// Language of the tags shown: en es pt fr de it nl ja ko zh [default: by LANG]
    #[arg(long, env = "IMAGE2SONG_LANG", hide_env_values = true, hide_possible_values = true, value_name = "CODE")]
    pub lang: Option<Language>,
    /// Where to compute: cpu, or cuda:N in a build with CUDA
    #[arg(long, env = "IMAGE2SONG_DEVICE", hide_env_values = true, value_name = "DEVICE", default_value = "cpu")]
    pub device: DeviceChoice,
    /// Add-on with your own tags: its name (in addons/ beside the model) or its folder; `tags add` makes one
    #[arg(long, env = "IMAGE2SONG_ADDON", hide_env_values = true, value_name = "ADDON")]
    pub addon: Option<PathBuf>,
}

/// Arguments of `suggest`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song suggest beach.jpg --hint \"rainy night\"
  image2song suggest beach.jpg --explain why.png --language en,fr --no-explicit
  image2song suggest holidays/ --top 3 --json > songs.jsonl
  curl -s https://example.org/photo.jpg | image2song suggest -")]
pub struct SuggestArgs {
    /// The photos.
    #[command(flatten)]
    pub photos: PhotoArgs,
    /// Songs per photo
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub top: u16,
    /// Draw the photo, its regions, their tags and the words they woke (OUT-1.png, … for more photos)
    #[arg(long, value_name = "OUT.png")]
    pub explain: Option<PathBuf>,
    /// Words that join what the photo shows, such as a mood: "rainy night"
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub hint: String,
    /// Only songs in these languages (ISO 639-1, such as en,fr)
    #[arg(long = "language", value_name = "CODES", value_delimiter = ',')]
    pub languages: Vec<String>,
    /// Leave out songs with explicit words
    #[arg(long = "no-explicit")]
    pub is_clean: bool,
    /// How to answer.
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// Arguments of `tags`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = "\
Examples:
  image2song tags beach.jpg
  image2song tags holidays/ --top 10 --json
  image2song tags beach.jpg --lang fr
  image2song tags add --from shop.toml        tags of your own, from a few photos each: docs/TAGS.md
  image2song tags shoe.jpg --addon own

A photo that is called like a subcommand is given as ./add."
)]
pub struct TagsArgs {
    /// What else to do with tags.
    #[command(subcommand)]
    pub command: Option<TagsCommand>,
    /// The photos.
    #[command(flatten)]
    pub photos: PhotoArgs,
    /// Tags per photo
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub top: u16,
    /// How to answer.
    #[command(flatten)]
    pub answer: AnswerArgs,
}

/// What can be done with tags beside showing them.
#[derive(Debug, Subcommand)]
pub enum TagsCommand {
    /// Learn tags of your own from a few photos each, and keep them beside the model
    Add(AddArgs),
    /// Take tags of your own out again
    Remove(RemoveArgs),
    /// Store what photos look like in general in a model folder, which `tags add` needs
    Background(BackgroundArgs),
}

/// Arguments of `photos`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song photos \"Surfin' U.S.A.\" --in holidays/
  image2song photos \"Hello - Adele\" --in holidays/ --top 20 --json")]
pub struct PhotosArgs {
    /// The song: its title, \"TITLE - ARTIST\", or its id; small typing errors are forgiven
    #[arg(value_name = "SONG TITLE")]
    pub song: String,
    /// The folder (with its subfolders) or photo to choose from; can be given more than once
    #[arg(long = "in", required = true, value_name = "FOLDER")]
    pub photos: Vec<PathBuf>,
    /// Photos to show
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub top: u32,
    /// How to answer.
    #[command(flatten)]
    pub answer: AnswerArgs,
}
