//! What can be checked before the adapter runs, with what to do about each finding.

use std::time::Duration;

use image2song_contract::doctor::Finding;
use serenity::http::{Http, HttpBuilder, HttpError};
use serenity::model::application::ApplicationFlags;

use crate::config::Config;

const TIMEOUT: Duration = Duration::from_secs(12);

/// Checks token, network and intents. It changes nothing and opens no gateway.
pub async fn examine(config: &Config) -> Vec<Finding> {
    let http = http(config);
    let me = match tokio::time::timeout(TIMEOUT, http.get_current_user()).await {
        Ok(Ok(me)) => me,
        Ok(Err(serenity::Error::Http(HttpError::UnsuccessfulRequest(response)))) if response.status_code == 401 => {
            let advice = "Discord refuses the token; make a new one on the application's page, under Bot";
            return vec![Finding::Bad(advice.to_owned())];
        }
        Ok(Err(_)) | Err(_) => {
            let advice = "Discord does not answer; check the network and discord.api_url";
            return vec![Finding::Bad(advice.to_owned())];
        }
    };
    let mut findings = vec![Finding::Good(format!("Discord knows the bot as {}", me.name))];
    let application = tokio::time::timeout(TIMEOUT, http.get_current_application_info()).await;
    let flags = application.ok().and_then(Result::ok).and_then(|application| application.flags).unwrap_or_default();
    let content = ApplicationFlags::GATEWAY_MESSAGE_CONTENT | ApplicationFlags::GATEWAY_MESSAGE_CONTENT_LIMITED;
    findings.push(match (config.reads_content, flags.intersects(content)) {
        (true, true) => Finding::Good("message content may be read, so automatic answers can work".to_owned()),
        (true, false) => Finding::Bad(
            "discord.reads_content is on, but the application lacks the intent; switch on Message Content Intent on \
             the application's page, under Bot"
                .to_owned(),
        ),
        (false, _) => Finding::Advice(
            "discord.reads_content is off: commands, the message menu, mentions and direct messages work, automatic \
             answers do not"
                .to_owned(),
        ),
    });
    findings.push(Finding::Advice(
        "in its servers the bot needs: View Channel, Send Messages, Send Messages in Threads, Embed Links, Attach Files, \
         Read Message History"
            .to_owned(),
    ));
    findings
}

fn http(config: &Config) -> Http {
    let builder = HttpBuilder::new(config.token.header());
    match &config.api_url {
        // The crate's own limiter would go to Discord itself, whatever the address.
        Some(url) => builder.proxy(url).ratelimiter_disabled(true).build(),
        None => builder.build(),
    }
}
