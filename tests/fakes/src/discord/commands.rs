//! Commands that applications register, and what else they can ask about themselves.

use serde_json::{Value, json};

use super::body::list;
use super::record::Act;
use super::refusal::Refusal;
use super::world::World;

/// Languages in which names and descriptions may be given.
const LOCALES: [&str; 32] = [
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
    "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
];

/// Largest sum of names, descriptions and values of one command, in code points.
const MAX_SUM: usize = 8000;

impl World {
    /// Replaces all commands; they come back with ids and with the type that the sender may leave out.
    ///
    /// # Errors
    /// Code 50035 with the place of the first fault.
    pub fn register(&mut self, json: &Value) -> Result<Value, Refusal> {
        let commands = list(Some(json), "commands", 130)?;
        let mut registered = Vec::new();
        for (idx, command) in commands.iter().enumerate() {
            let mut command = command.clone();
            command["type"] = json!(command["type"].as_u64().unwrap_or(1));
            check(&command, &idx.to_string())?;
            let same = |known: &&Value| known["name"] == command["name"] && known["type"] == command["type"];
            let id = match self.commands.iter().find(same) {
                Some(known) => known["id"].clone(),
                None => json!(self.ids.next_id().to_string()),
            };
            command["id"] = id;
            command["application_id"] = json!(self.application.to_string());
            command["version"] = json!(self.ids.next_id().to_string());
            command["description"] = json!(command["description"].as_str().unwrap_or_default());
            registered.push(command);
        }
        let mut names: Vec<String> = registered.iter().map(|it| format!("{} {}", it["type"], it["name"])).collect();
        names.sort_unstable();
        if names.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(Refusal::form("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Names must be unique."));
        }
        self.commands = registered.clone();
        self.note(Act::Commands(registered.len()));
        Ok(Value::from(registered))
    }

    /// JSON of the application.
    pub fn application_json(&self) -> Value {
        let flags = if self.options.has_message_content { 1 << 19 } else { 0 };
        json!({
            "id": self.application.to_string(), "name": "image2song", "description": "", "icon": null, "flags": flags,
            "bot_public": true, "bot_require_code_grant": false, "verify_key": "00", "bot": self.user_json(self.bot)
        })
    }

    /// JSON of the server's roles: everyone, and the bot's own.
    pub fn roles_json(&self) -> Value {
        let role = |id: u64, name: &str, tags: Value| {
            json!({
                "id": id.to_string(), "name": name, "color": 0, "hoist": false, "position": 0, "permissions": "0",
                "colors": { "primary_color": 0, "secondary_color": null, "tertiary_color": null },
                "managed": !tags.is_null(), "mentionable": true, "flags": 0, "icon": null, "unicode_emoji": null,
                "tags": if tags.is_null() { json!({}) } else { tags }
            })
        };
        let own = json!({ "bot_id": self.bot });
        json!([role(self.guild, "@everyone", Value::Null), role(self.role, "image2song", own)])
    }
}

fn check(command: &Value, place: &str) -> Result<(), Refusal> {
    let at = |part: &str| format!("{place}.{part}");
    let is_slash = command["type"] == json!(1);
    check_name(&command["name"], &at("name"), is_slash)?;
    if !matches!(command["type"].as_u64(), Some(1..=3)) {
        return Err(Refusal::form(&at("type"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3}."));
    }
    let description = command["description"].as_str().unwrap_or_default();
    if is_slash {
        check_text(&command["description"], &at("description"), 100)?;
    } else if !description.is_empty() || command["options"].as_array().is_some_and(|options| !options.is_empty()) {
        let text = "Context menu commands cannot have description or options";
        return Err(Refusal::form(&at("description"), "APPLICATION_COMMAND_INVALID_DESCRIPTION", text));
    }
    check_localized(command, place, is_slash)?;
    for (key, known) in [("contexts", 3), ("integration_types", 2)] {
        let items = list(command.get(key), &at(key), known)?;
        if items.iter().any(|item| item.as_u64().is_none_or(|item| item >= known as u64)) {
            return Err(Refusal::form(&at(key), "BASE_TYPE_CHOICES", "Value is unknown."));
        }
    }
    let options = list(command.get("options"), &at("options"), 25)?;
    let mut had_optional = false;
    for (idx, option) in options.iter().enumerate() {
        let place = format!("{place}.options.{idx}");
        check_option(option, &place)?;
        let is_required = option["required"] == json!(true);
        if is_required && had_optional {
            let text = "Required options must be placed before non-required options";
            return Err(Refusal::form(&place, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", text));
        }
        had_optional |= !is_required;
    }
    if sum(command) > MAX_SUM {
        return Err(Refusal::form(place, "APPLICATION_COMMAND_TOO_LARGE", "The command exceeds 8000 characters."));
    }
    Ok(())
}

fn check_option(option: &Value, place: &str) -> Result<(), Refusal> {
    let at = |part: &str| format!("{place}.{part}");
    check_name(&option["name"], &at("name"), true)?;
    check_text(&option["description"], &at("description"), 100)?;
    check_localized(option, place, true)?;
    if !matches!(option["type"].as_u64(), Some(1..=11)) {
        return Err(Refusal::form(&at("type"), "BASE_TYPE_CHOICES", "Value is unknown."));
    }
    for (idx, choice) in list(option.get("choices"), &at("choices"), 25)?.iter().enumerate() {
        let place = format!("{place}.choices.{idx}");
        check_text(&choice["name"], &format!("{place}.name"), 100)?;
        for (locale, name) in choice["name_localizations"].as_object().into_iter().flatten() {
            check_locale(locale, &place)?;
            check_text(name, &place, 100)?;
        }
    }
    Ok(())
}

fn check_localized(item: &Value, place: &str, is_slash: bool) -> Result<(), Refusal> {
    for (locale, name) in item["name_localizations"].as_object().into_iter().flatten() {
        let place = format!("{place}.name_localizations.{locale}");
        check_locale(locale, &place)?;
        check_name(name, &place, is_slash)?;
    }
    for (locale, text) in item["description_localizations"].as_object().into_iter().flatten() {
        let place = format!("{place}.description_localizations.{locale}");
        check_locale(locale, &place)?;
        check_text(text, &place, 100)?;
    }
    Ok(())
}

fn check_locale(locale: &str, place: &str) -> Result<(), Refusal> {
    match LOCALES.contains(&locale) {
        true => Ok(()),
        false => Err(Refusal::form(place, "BASE_TYPE_CHOICES", "This locale is not known.")),
    }
}

fn check_text(text: &Value, place: &str, max: usize) -> Result<(), Refusal> {
    match text.as_str().map(|text| text.chars().count()) {
        Some(n) if (1..=max).contains(&n) => Ok(()),
        _ => {
            let text = format!("Must be between 1 and {max} in length.");
            Err(Refusal::form(place, "BASE_TYPE_BAD_LENGTH", &text))
        }
    }
}

/// Slash commands and options are lower-case words with `-` and `_`; menu commands may hold spaces.
fn check_name(name: &Value, place: &str, is_slash: bool) -> Result<(), Refusal> {
    check_text(name, place, 32)?;
    let name = name.as_str().unwrap_or_default();
    let is_word = name.chars().all(|c| c.is_alphanumeric() || "-_'".contains(c) || is_mark(c));
    if is_slash && (!is_word || name != name.to_lowercase()) {
        let text = "Application command names must be lower-case words.";
        return Err(Refusal::form(place, "APPLICATION_COMMAND_INVALID_NAME", text));
    }
    Ok(())
}

/// Vowel signs of Thai and Devanagari, which names may hold.
fn is_mark(c: char) -> bool {
    matches!(c, '\u{0900}'..='\u{097f}' | '\u{0e00}'..='\u{0e7f}')
}

fn sum(item: &Value) -> usize {
    let own = ["name", "description", "value"].iter().filter_map(|key| item[*key].as_str());
    let parts = ["options", "choices"].iter().filter_map(|key| item[*key].as_array()).flatten();
    own.map(|text| text.chars().count()).sum::<usize>() + parts.map(sum).sum::<usize>()
}
