//! `doctor`: whether `serve` would work, and how to mend what would not.

use std::io::Write;
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};
use clap::Args;
use image2song_contract::doctor::Finding;
use serde_json::json;

use super::Outcome;
use super::args::GlobalArgs;
use super::device::DeviceChoice;
use super::language::Language;
use super::serve::{self, Secrets};
use super::{loading, serve::telegram_config};
use crate::config::Config;

/// Arguments of `doctor`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  image2song doctor
  TELEGRAM_TOKEN_FILE=/run/secrets/telegram image2song doctor --config ours.toml --json")]
pub struct DoctorArgs {
    /// File with settings
    #[arg(long, value_name = "FILE.toml", env = "IMAGE2SONG_CONFIG", hide_env_values = true)]
    pub config: Option<PathBuf>,
    /// One JSON object a line instead of text
    #[arg(long = "json")]
    pub is_json: bool,
    /// Where to compute: cpu, or cuda:N in a build with CUDA
    #[arg(long, env = "IMAGE2SONG_DEVICE", hide_env_values = true, value_name = "DEVICE", default_value = "cpu")]
    pub device: DeviceChoice,
}

/// Looks at everything that `serve` needs. Fails if something cannot work.
///
/// # Errors
/// The settings cannot be used, or the output cannot be written.
pub fn run(global: &GlobalArgs, args: &DoctorArgs) -> anyhow::Result<Outcome> {
    let config = serve::config(args.config.as_deref())?;
    let secrets = Secrets::read()?;
    let mut out = anstream::stdout().lock();
    let mut outcome = Outcome::Done;
    let mut tell = |part: &str, findings: Vec<Finding>| -> anyhow::Result<()> {
        for finding in findings {
            if matches!(finding, Finding::Bad(_)) {
                outcome = Outcome::Failed;
            }
            write(&mut out, part, &finding, args.is_json)?;
        }
        Ok(())
    };
    tell("model", vec![model(global, args.device)])?;
    tell("disk", disk(&config.store.dir))?;
    tell("keys", keys(&config, &secrets))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match &secrets.telegram {
        None => {
            tell("telegram", vec![Finding::Advice("TELEGRAM_TOKEN is not set; the Telegram bot will not run".into())])?
        }
        Some(_) => match telegram_config(&config, &secrets) {
            Ok(telegram) => tell("telegram", runtime.block_on(image2song_telegram::doctor::examine(&telegram)))?,
            Err(fault) => tell("telegram", vec![Finding::Bad(fault.to_string())])?,
        },
    }
    match &secrets.discord {
        None => {
            tell("discord", vec![Finding::Advice("DISCORD_TOKEN is not set; the Discord bot will not run".into())])?
        }
        Some(token) => {
            let discord = serve::discord_config(&config, token);
            tell("discord", runtime.block_on(image2song_discord::doctor::examine(&discord)))?;
        }
    }
    tell("web", vec![runtime.block_on(web(&config, &secrets))])?;
    Ok(outcome)
}

fn model(global: &GlobalArgs, device: DeviceChoice) -> Finding {
    let loaded = loading::find(global.model.as_deref())
        .and_then(|dir| Ok((loading::model_from(&dir, device, Some(Language::En))?, dir)));
    match loaded {
        Err(fault) => Finding::Bad(fault.to_string()),
        Ok((model, dir)) => match loading::self_test(&model) {
            Ok(()) => Finding::Good(format!(
                "{} knows {} tags and {} songs",
                dir.display(),
                model.eye.tagger.vocabulary().len(),
                model.catalogue.len()
            )),
            Err(_) => Finding::Bad(format!("the model in {} does not answer; fetch it anew", dir.display())),
        },
    }
}

/// Whether the store's folder can be written, by writing.
fn disk(dir: &Path) -> Vec<Finding> {
    let probe = dir.join(".doctor");
    let written = std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::write(&probe, vec![0; 1 << 20]))
        .and_then(|()| std::fs::File::open(&probe)?.sync_all());
    let _ = std::fs::remove_file(&probe);
    vec![match written {
        Ok(()) => Finding::Good(format!("{} can be written", dir.display())),
        Err(fault) => Finding::Bad(format!(
            "{} cannot be written ({fault}); mend the folder or set [store] dir to another",
            dir.display()
        )),
    }]
}

fn keys(config: &Config, secrets: &Secrets) -> Vec<Finding> {
    let mut findings = Vec::new();
    let has_own =
        ["IMAGE2SONG_USER_KEY", "IMAGE2SONG_USER_KEY_FILE"].iter().any(|name| std::env::var_os(name).is_some());
    if !has_own {
        findings.push(Finding::Advice(format!(
            "IMAGE2SONG_USER_KEY is not set; a key made at the first start is kept in {}",
            config.store.dir.join("keys/user.key").display()
        )));
    }
    findings.push(match secrets.store {
        Some(_) => Finding::Good("what is stored is encrypted with IMAGE2SONG_STORE_KEY".into()),
        None => Finding::Advice(
            "IMAGE2SONG_STORE_KEY is not set, so what is stored is plain; set it, or keep the store on an encrypted disk".into(),
        ),
    });
    findings
}

async fn web(config: &Config, secrets: &Secrets) -> Finding {
    let Some(address) = config.web_listen else {
        return Finding::Advice("web.listen is empty; no page and no API".into());
    };
    if !address.ip().is_loopback() && secrets.api.is_none() {
        return Finding::Bad(format!("web.listen is {address}, which others can reach: set IMAGE2SONG_API_KEY"));
    }
    match tokio::net::TcpListener::bind(address).await {
        Ok(_) => Finding::Good(format!("{address} is free for the page and the API")),
        Err(fault) => Finding::Advice(format!(
            "{address} cannot be opened now ({fault}); if `image2song serve` runs there, all is well"
        )),
    }
}

fn write(out: &mut impl Write, part: &str, finding: &Finding, is_json: bool) -> std::io::Result<()> {
    let (state, color, text) = match finding {
        Finding::Good(text) => ("good", AnsiColor::Green, text),
        Finding::Advice(text) => ("advice", AnsiColor::Yellow, text),
        Finding::Bad(text) => ("bad", AnsiColor::Red, text),
    };
    if is_json {
        return writeln!(out, "{}", json!({ "part": part, "state": state, "text": text }));
    }
    let style = Style::new().bold().fg_color(Some(color.into()));
    writeln!(out, "{style}{state:6}{style:#} {part}: {text}")
}
