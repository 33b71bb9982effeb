//! Inline keyboards: their limits, and the buttons that a person sees.

use serde_json::Value;

use crate::telegram::fault::Refusal;

const MAX_BUTTONS: usize = 100;
const MAX_BUTTONS_IN_ROW: usize = 8;
const MAX_DATA_BYTES: usize = 64;
const ACTIONS: [&str; 10] = [
    "url",
    "callback_data",
    "web_app",
    "login_url",
    "switch_inline_query",
    "switch_inline_query_current_chat",
    "switch_inline_query_chosen_chat",
    "copy_text",
    "callback_game",
    "pay",
];

/// A button below a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Button {
    /// What is written on it.
    pub text: String,
    /// What a press sends.
    pub data: Option<String>,
    /// What a press opens.
    pub url: Option<String>,
}

/// The rows of buttons of a `reply_markup`.
///
/// # Errors
///
/// The refusal of the first button that breaks a limit.
pub(super) fn read(markup: Option<&Value>) -> Result<Vec<Vec<Button>>, Refusal> {
    let Some(markup) = markup else { return Ok(Vec::new()) };
    let Some(rows) = markup.get("inline_keyboard").and_then(Value::as_array) else {
        return Err(Refusal::bad_request("object expected as reply markup"));
    };
    let mut keyboard = Vec::new();
    for row in rows {
        let Some(row) = row.as_array() else {
            return Err(Refusal::bad_request(
                "field \"inline_keyboard\" of the InlineKeyboardMarkup must be an Array of Arrays",
            ));
        };
        let buttons = row.iter().map(button).collect::<Result<Vec<Button>, Refusal>>()?;
        if buttons.len() > MAX_BUTTONS_IN_ROW {
            return Err(Refusal::bad_request("BUTTONS_TOO_MUCH"));
        }
        if !buttons.is_empty() {
            keyboard.push(buttons);
        }
    }
    if keyboard.iter().map(Vec::len).sum::<usize>() > MAX_BUTTONS {
        return Err(Refusal::bad_request("REPLY_MARKUP_TOO_LONG"));
    }
    Ok(keyboard)
}

fn button(button: &Value) -> Result<Button, Refusal> {
    let field = |name: &str| button.get(name).and_then(Value::as_str).map(str::to_owned);
    let invalid = |what: &str| Refusal::bad_request(&format!("can't parse inline keyboard button: {what}"));
    let text = field("text").filter(|text| !text.trim().is_empty());
    let text = text.ok_or_else(|| invalid("Field \"text\" must be non-empty"))?;
    match ACTIONS.iter().filter(|action| button.get(**action).is_some()).count() {
        0 => return Err(invalid("Text buttons are unallowed in the inline keyboard")),
        1 => {}
        _ => return Err(invalid("a button must have exactly one action")),
    }
    let (data, url) = (field("callback_data"), field("url"));
    if data.as_ref().is_some_and(|data| data.is_empty() || data.len() > MAX_DATA_BYTES) {
        return Err(Refusal::bad_request("BUTTON_DATA_INVALID"));
    }
    if let Some(url) = url.as_ref().filter(|url| !is_link(url)) {
        return Err(Refusal::bad_request(&format!(
            "inline keyboard button URL '{url}' is invalid: Unsupported URL protocol"
        )));
    }
    Ok(Button { text, data, url })
}

/// Whether a link is one that Telegram opens.
pub(super) fn is_link(url: &str) -> bool {
    let host = ["https://", "http://", "tg://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    host.is_some_and(|host| !host.is_empty() && !url.contains(char::is_whitespace))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(rows: Value, expected: Result<usize, &str>) {
        let read = read(Some(&json!({ "inline_keyboard": rows })));
        let read = read.map(|rows| rows.iter().map(Vec::len).sum()).map_err(|refusal| refusal.description);
        assert_eq!(read, expected.map_err(|description| format!("Bad Request: {description}")));
    }

    #[test]
    fn keyboards_have_limits() {
        let button = |data: &str| json!({ "text": "x", "callback_data": data });
        check(json!([[button("a"), { "text": "y", "url": "https://e.org" }], []]), Ok(2));
        check(json!([[button(&"é".repeat(32))]]), Ok(1));
        check(json!([[button(&"é".repeat(33))]]), Err("BUTTON_DATA_INVALID"));
        check(json!([[button("")]]), Err("BUTTON_DATA_INVALID"));
        check(json!([vec![button("a"); 9]]), Err("BUTTONS_TOO_MUCH"));
        check(json!(vec![vec![button("a"); 8]; 13]), Err("REPLY_MARKUP_TOO_LONG"));
        check(
            json!([[{ "text": "x" }]]),
            Err("can't parse inline keyboard button: Text buttons are unallowed in the inline keyboard"),
        );
        check(
            json!([[{ "text": "x", "url": "https://e.org", "callback_data": "a" }]]),
            Err("can't parse inline keyboard button: a button must have exactly one action"),
        );
        check(
            json!([[{ "text": "x", "url": "javascript:1" }]]),
            Err("inline keyboard button URL 'javascript:1' is invalid: Unsupported URL protocol"),
        );
    }
}
