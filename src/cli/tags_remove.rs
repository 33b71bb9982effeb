//! `tags remove`: takes a team's own tags out of an add-on.

use std::io;
use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::Outcome;
use super::args::GlobalArgs;
use super::fault::SetupFault;
use super::loading;
use super::output_json::write_line;
use crate::addon::store::Addon;

/// Arguments of `tags remove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song tags remove sneaker
  image2song tags remove \"coffee mug\" sneaker --addon shop --json

The other tags stay as they are; with the last tag the add-on goes.")]
pub struct RemoveArgs {
    /// Names of the tags
    #[arg(required = true, value_name = "TAG")]
    tags: Vec<String>,
    /// Add-on to take them from: its name (in addons/ beside the model) or its folder
    #[arg(long, env = "IMAGE2SONG_ADDON", hide_env_values = true, value_name = "ADDON", default_value = "own")]
    addon: PathBuf,
    /// One JSON object instead of text
    #[arg(long = "json")]
    is_json: bool,
}

/// Removes the tags, all or none.
///
/// # Errors
/// There is no such add-on, it has no such tag, or it cannot be written.
pub fn run(global: &GlobalArgs, args: &RemoveArgs) -> anyhow::Result<Outcome> {
    let model_dir = loading::find(global.model.as_deref())?;
    let dir = loading::addon_dir(&model_dir, &args.addon);
    if !Addon::is_in(&dir) {
        let fault = format!("there is no add-on in {}; --addon names the one to take tags from", dir.display());
        return Err(SetupFault::new(fault).into());
    }
    // For whichever model it was made: a tag can be taken out without one.
    let mut addon = Addon::read(&dir)?;
    let known = addon.names();
    for tag in &args.tags {
        if !addon.remove(&tag.trim().to_lowercase()) {
            let fault = format!("the add-on {} has no tag {tag:?}; it has {}", dir.display(), known.join(", "));
            return Err(SetupFault::new(fault).into());
        }
    }
    let left = addon.names();
    if left.is_empty() {
        Addon::delete(&dir)?
    } else {
        addon.write(&dir)?
    }
    if args.is_json {
        let removed = json!({ "addon": dir.display().to_string(), "removed": args.tags, "left": left });
        write_line(&mut io::stdout().lock(), &removed)?;
    } else if left.is_empty() {
        anstream::println!(
            "removed {}; no tag was left, so the add-on {} is gone",
            args.tags.join(", "),
            dir.display()
        );
    } else {
        anstream::println!("removed {}; {} still has {}", args.tags.join(", "), dir.display(), left.join(", "));
    }
    Ok(Outcome::Done)
}
