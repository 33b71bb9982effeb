//! What can be checked before the adapter runs, with what to do about each finding.

use std::time::Duration;

use teloxide::prelude::{Request, Requester};

use crate::config::{Config, Mode};
use crate::fault::Fault;

const TIMEOUT: Duration = Duration::from_secs(12);

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Finding {
    /// All is well; what was found.
    Good(String),
    /// It works, but a person may want to know.
    Advice(String),
    /// It can't work; what to do.
    Bad(String),
}

/// Checks token, network, privacy mode and webhook. It changes nothing and takes no updates away.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let bot = match config.check().and_then(|()| config.bot()) {
        Ok(bot) => bot,
        Err(error) => return vec![Finding::Bad(error.to_string())],
    };
    let me = match tokio::time::timeout(TIMEOUT, bot.get_me().send()).await {
        Ok(Ok(me)) => me,
        Ok(Err(error)) if Fault::of(&error) == Fault::Token => {
            return vec![Finding::Bad("Telegram refuses the token; copy it anew from @BotFather".to_owned())];
        }
        Ok(Err(_)) | Err(_) => {
            let advice = "Telegram's server does not answer; check the network and telegram.api_url";
            return vec![Finding::Bad(advice.to_owned())];
        }
    };
    let mut findings = vec![Finding::Good(format!("Telegram knows the bot as {}", me.mention()))];
    findings.push(if me.can_read_all_group_messages {
        Finding::Good("privacy mode is off: mentions and every photo of a group arrive".to_owned())
    } else {
        let advice = "privacy mode is on: in groups only commands and replies arrive; to change that use /setprivacy at \
                      @BotFather, then remove the bot from its groups and add it again";
        Finding::Advice(advice.to_owned())
    });
    if !me.can_join_groups {
        findings.push(Finding::Advice("the bot can't be added to groups; /setjoingroups at @BotFather".to_owned()));
    }
    let webhook = tokio::time::timeout(TIMEOUT, bot.get_webhook_info().send()).await.ok().and_then(Result::ok);
    let is_set = webhook.is_some_and(|info| info.url.is_some());
    if is_set && matches!(config.mode, Mode::Poll) {
        let advice = "a webhook is set and polling is configured; `serve` will take the webhook away";
        findings.push(Finding::Advice(advice.to_owned()));
    }
    findings
}
