//! Answers to interactions: first ones, changes, follow-ups.

use std::time::Duration;

use serde_json::{Value, json};

use super::body::{self, Body, Kind};
use super::ids::{InteractionId, MessageId};
use super::interaction::Used;
use super::message::{Stored, View};
use super::record::Act;
use super::refusal::Refusal;
use super::world::World;

/// Follow-ups for an application that is installed by the user only.
const MAX_FOLLOW_UPS: usize = 5;

/// Whole, as answers to the bot's own requests are.
const WHOLE: View = View { has_content: true, is_event: false };

impl World {
    /// First answer. The created message, where there is one.
    ///
    /// # Errors
    /// 40060 for a second answer, 10062 for a late one or an unknown interaction, 50035 for a wrong body.
    pub fn answer_first(&mut self, id: InteractionId, token: &str, body: &Body) -> Result<Option<MessageId>, Refusal> {
        let within = self.options.acknowledge_within;
        let interaction = self.interactions.get_mut(&id).filter(|it| it.token == token);
        let Some(interaction) = interaction else {
            self.violations.push("a first answer to an unknown interaction".to_owned());
            return Err(Refusal::unknown_interaction());
        };
        let after = interaction.born.elapsed();
        if interaction.acknowledged.is_some() {
            self.violations.push("a second first answer to an interaction".to_owned());
            return Err(Refusal::new(400, 40_060, "Interaction has already been acknowledged."));
        }
        if after > within {
            interaction.is_complained = true;
            self.violations.push(format!("an interaction was acknowledged after {} ms", after.as_millis()));
            return Err(Refusal::unknown_interaction());
        }
        let kind = body.json["type"].as_u64().unwrap_or_default();
        let is_component = matches!(interaction.used, Used::Component(_));
        if !(matches!(kind, 4 | 5) || (is_component && matches!(kind, 6 | 7))) {
            return Err(Refusal::form("type", "BASE_TYPE_CHOICES", "Value must be one of {4, 5, 6, 7, 9, 10, 12}."));
        }
        let data = Body { json: body.json.get("data").cloned().unwrap_or(json!({})), uploads: body.uploads.clone() };
        body::check(Kind::Callback, &data, &mut self.violations)?;
        self.fill_first(id, kind, after, data)
    }

    fn fill_first(
        &mut self,
        id: InteractionId,
        kind: u64,
        after: Duration,
        data: Body,
    ) -> Result<Option<MessageId>, Refusal> {
        let interaction = self.interactions[&id].clone();
        let is_ephemeral = data.json["flags"].as_u64().unwrap_or_default() & (1 << 6) != 0;
        let message = match kind {
            4 | 5 => {
                let mut stored = Stored::new(interaction.channel, self.bot);
                stored.interaction = Some(id);
                stored.is_ephemeral = is_ephemeral;
                stored.is_thinking = kind == 5;
                let message = MessageId(self.ids.next_id());
                self.messages.insert(message, stored);
                self.apply(message, &data);
                Some(message)
            }
            7 => {
                self.apply(interaction.original.expect("a component stands under a message"), &data);
                interaction.original
            }
            _ => interaction.original,
        };
        let state = self.interactions.get_mut(&id).expect("it was there above");
        state.acknowledged = Some(kind);
        state.original = message;
        state.is_ephemeral = is_ephemeral;
        self.note(Act::Acknowledged { interaction: id, kind, after });
        match (kind, message) {
            (4, Some(message)) => self.show_new(message),
            (7, Some(message)) => self.show_change(message),
            _ => {}
        }
        Ok(message)
    }

    /// The interaction behind a token, when it may still be answered.
    ///
    /// # Errors
    /// 50027 for a token that is unknown or too old, 10015 before the first answer.
    pub fn by_token(&mut self, token: &str) -> Result<InteractionId, Refusal> {
        let found = self.interactions.iter().find(|(_, it)| it.token == token);
        let Some((id, interaction)) = found.filter(|(_, it)| it.born.elapsed() <= self.options.token_life) else {
            return Err(Refusal::new(401, 50_027, "Invalid Webhook Token"));
        };
        if interaction.acknowledged.is_none() {
            self.violations.push("an interaction was answered by its token before it was acknowledged".to_owned());
            return Err(Refusal::new(404, 10_015, "Unknown Webhook"));
        }
        Ok(*id)
    }

    /// The message that an answer's route names: `@original` or an id.
    ///
    /// # Errors
    /// 10008 when it is no answer to the interaction.
    pub fn answer_message(&mut self, id: InteractionId, name: &str) -> Result<MessageId, Refusal> {
        let message = match name {
            "@original" => self.interactions[&id].original,
            name => name.parse().ok().map(MessageId),
        };
        let is_own = |message: &MessageId| {
            let is_original = self.interactions[&id].original == Some(*message);
            let stored = self.messages.get(message);
            stored.is_some_and(|stored| !stored.is_deleted && (is_original || stored.interaction == Some(id)))
        };
        message.filter(is_own).ok_or_else(Refusal::unknown_message)
    }

    /// Changes an answer; a deferred one gets its content so.
    ///
    /// # Errors
    /// As [`World::by_token`], [`World::answer_message`], and for a wrong body.
    pub fn edit_answer(&mut self, token: &str, name: &str, body: &Body) -> Result<Value, Refusal> {
        let id = self.by_token(token)?;
        let message = self.answer_message(id, name)?;
        body::check(Kind::WebhookEdit, body, &mut self.violations)?;
        let was_thinking = std::mem::take(&mut self.messages.get_mut(&message).expect("found above").is_thinking);
        self.apply(message, body);
        if was_thinking {
            self.show_new(message);
        } else {
            self.show_change(message);
        }
        Ok(self.message_json(message, WHOLE))
    }

    /// A further answer.
    ///
    /// # Errors
    /// As [`World::by_token`], for a wrong body, and after the fifth for an application of the user only.
    pub fn follow_up(&mut self, token: &str, body: &Body) -> Result<Value, Refusal> {
        let id = self.by_token(token)?;
        body::check(Kind::Webhook, body, &mut self.violations)?;
        let interaction = self.interactions[&id].clone();
        let has_bot = self.place(interaction.channel).is_some_and(|place| place.has_bot || place.guild.is_none());
        if !has_bot && interaction.n_follow_ups >= MAX_FOLLOW_UPS {
            self.violations.push("a sixth follow-up where the bot is not a member".to_owned());
            return Err(Refusal::new(
                400,
                40_094,
                "This interaction has reached the maximum number of follow-up messages",
            ));
        }
        if interaction.original.is_some_and(|original| self.messages[&original].is_thinking) {
            self.violations.push("a follow-up came before the deferred answer".to_owned());
        }
        self.interactions.get_mut(&id).expect("found above").n_follow_ups += 1;
        let mut stored = Stored::new(interaction.channel, self.bot);
        stored.interaction = Some(id);
        stored.is_ephemeral = body.json["flags"].as_u64().unwrap_or_default() & (1 << 6) != 0;
        let message = MessageId(self.ids.next_id());
        self.messages.insert(message, stored);
        self.apply(message, body);
        self.show_new(message);
        Ok(self.message_json(message, WHOLE))
    }

    /// Takes an answer back.
    ///
    /// # Errors
    /// As [`World::by_token`] and [`World::answer_message`].
    pub fn delete_answer(&mut self, token: &str, name: &str) -> Result<(), Refusal> {
        let id = self.by_token(token)?;
        let message = self.answer_message(id, name)?;
        self.remove(message);
        Ok(())
    }

    /// Complains of interactions that nobody acknowledged in time.
    pub fn complain_of_silence(&mut self) {
        let within = self.options.acknowledge_within;
        for interaction in self.interactions.values_mut() {
            if interaction.acknowledged.is_none() && interaction.born.elapsed() > within && !interaction.is_complained {
                interaction.is_complained = true;
                self.violations.push("an interaction was never acknowledged".to_owned());
            }
        }
    }
}
