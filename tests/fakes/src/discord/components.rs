//! Buttons and menus under a message: what Discord takes.

use serde_json::Value;

use super::body::{length, list};
use super::refusal::Refusal;

const MAX_ROWS: usize = 5;
const MAX_BUTTONS: usize = 5;
const MAX_CUSTOM_ID: usize = 100;
const MAX_LABEL: usize = 80;
const MAX_URL: usize = 512;

const ROW: u64 = 1;
const BUTTON: u64 = 2;
const LINK: u64 = 5;

/// Number of rows, when all of them are right.
///
/// # Errors
/// Code 50035 with the place of the first fault.
pub fn check(components: Option<&Value>) -> Result<usize, Refusal> {
    let rows = list(components, "components", MAX_ROWS)?;
    let mut ids = Vec::new();
    for (row_idx, row) in rows.iter().enumerate() {
        let place = format!("components.{row_idx}");
        if number(row, "type") != ROW {
            return Err(Refusal::form(&place, "UNION_TYPE_CHOICES", "Value of field \"type\" must be one of (1,)."));
        }
        let place = format!("{place}.components");
        let items = list(row.get("components"), &place, MAX_BUTTONS)?;
        if items.is_empty() {
            return Err(Refusal::form(&place, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 5 in length."));
        }
        for (idx, item) in items.iter().enumerate() {
            let place = format!("{place}.{idx}");
            match number(item, "type") {
                BUTTON => check_button(item, &place)?,
                3 | 5..=8 if items.len() == 1 => check_menu(item, &place)?,
                _ => return Err(Refusal::form(&place, "COMPONENT_LAYOUT_WIDTH_EXCEEDED", "The row is too wide.")),
            }
            ids.extend(item.get("custom_id").and_then(Value::as_str));
        }
    }
    ids.sort_unstable();
    if ids.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Refusal::form(
            "components",
            "COMPONENT_CUSTOM_ID_DUPLICATED",
            "Component custom id is duplicated.",
        ));
    }
    Ok(rows.len())
}

fn number(value: &Value, key: &str) -> u64 {
    value.get(key).and_then(Value::as_u64).unwrap_or_default()
}

fn check_button(button: &Value, place: &str) -> Result<(), Refusal> {
    let at = |part: &str| format!("{place}.{part}");
    let n_label = length(button.get("label"), &at("label"), MAX_LABEL)?;
    if n_label == 0 && button.get("emoji").is_none_or(Value::is_null) {
        return Err(Refusal::form(
            place,
            "BUTTON_COMPONENT_INVALID_EMOJI_OR_LABEL",
            "A button needs a label or emoji.",
        ));
    }
    let has_id = button.get("custom_id").is_some_and(|id| !id.is_null());
    match number(button, "style") {
        LINK => {
            let n_url = length(button.get("url"), &at("url"), MAX_URL)?;
            let is_web = button.get("url").and_then(Value::as_str).is_some_and(|url| url.starts_with("http"));
            if n_url == 0 || !is_web || has_id {
                return Err(Refusal::form(
                    &at("url"),
                    "BASE_TYPE_REQUIRED",
                    "A link button has a url and no custom id.",
                ));
            }
            Ok(())
        }
        1..=4 => check_custom_id(button, place),
        _ => Err(Refusal::form(&at("style"), "BASE_TYPE_CHOICES", "Value must be one of {1, 2, 3, 4, 5}.")),
    }
}

fn check_custom_id(item: &Value, place: &str) -> Result<(), Refusal> {
    let place = format!("{place}.custom_id");
    match length(item.get("custom_id"), &place, MAX_CUSTOM_ID)? {
        0 => Err(Refusal::form(&place, "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")),
        _ => Ok(()),
    }
}

fn check_menu(menu: &Value, place: &str) -> Result<(), Refusal> {
    check_custom_id(menu, place)?;
    length(menu.get("placeholder"), &format!("{place}.placeholder"), 150)?;
    let options = list(menu.get("options"), &format!("{place}.options"), 25)?;
    if number(menu, "type") == 3 && options.is_empty() {
        return Err(Refusal::form(&format!("{place}.options"), "BASE_TYPE_BAD_LENGTH", "Must have 1 to 25 options."));
    }
    let mut values = Vec::new();
    for (idx, option) in options.iter().enumerate() {
        let at = |part: &str| format!("{place}.options.{idx}.{part}");
        length(option.get("description"), &at("description"), 100)?;
        if length(option.get("label"), &at("label"), 100)? == 0 || length(option.get("value"), &at("value"), 100)? == 0
        {
            return Err(Refusal::form(&at("label"), "BASE_TYPE_REQUIRED", "This field is required"));
        }
        values.push(option.get("value").and_then(Value::as_str));
    }
    values.sort_unstable();
    if values.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Refusal::form(
            place,
            "SELECT_COMPONENT_OPTION_VALUE_DUPLICATED",
            "The specified option value is duplicated",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(items: Value) -> Value {
        json!([{ "type": 1, "components": items }])
    }

    fn button(id: &str) -> Value {
        json!({ "type": 2, "style": 2, "label": "x", "custom_id": id })
    }

    #[track_caller]
    fn check_refused(components: Value, place: &str) {
        let refusal = check(Some(&components)).expect_err("this must be refused");
        let pointer = format!("/{}/_errors", place.replace('.', "/"));
        assert!(refusal.errors.pointer(&pointer).is_some(), "{}", refusal.errors);
    }

    #[test]
    fn right_components_pass() {
        assert!(matches!(check(None), Ok(0)));
        let five = (0..5).map(|n| button(&n.to_string())).collect::<Vec<_>>();
        assert!(matches!(check(Some(&row(json!(five)))), Ok(1)));
        let menu = json!({ "type": 3, "custom_id": "m", "options": [{ "label": "a", "value": "a" }] });
        assert!(matches!(check(Some(&row(json!([menu])))), Ok(1)));
        let link = json!({ "type": 2, "style": 5, "label": "x", "url": "https://a.example" });
        assert!(matches!(check(Some(&row(json!([link])))), Ok(1)));
    }

    #[test]
    fn wrong_components_are_refused_at_their_place() {
        check_refused(json!([0, 1, 2, 3, 4, 5].map(|n| row(json!([button(&n.to_string())]))[0].clone())), "components");
        let six = (0..6).map(|n| button(&n.to_string())).collect::<Vec<_>>();
        check_refused(row(json!(six)), "components.0.components");
        check_refused(row(json!([])), "components.0.components");
        check_refused(row(json!([button("a"), button("a")])), "components");
        check_refused(row(json!([button("")])), "components.0.components.0.custom_id");
        check_refused(row(json!([button(&"a".repeat(101))])), "components.0.components.0.custom_id");
        let long = json!({ "type": 2, "style": 1, "label": "x".repeat(81), "custom_id": "a" });
        check_refused(row(json!([long])), "components.0.components.0.label");
        let bare = json!({ "type": 2, "style": 1, "custom_id": "a" });
        check_refused(row(json!([bare])), "components.0.components.0");
        let link = json!({ "type": 2, "style": 5, "label": "x", "url": "https://a.example", "custom_id": "a" });
        check_refused(row(json!([link])), "components.0.components.0.url");
        check_refused(json!([button("a")]), "components.0");
    }
}
