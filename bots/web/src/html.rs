//! Text into HTML: escaping, and templates with named places.

/// Text as it may stand between tags and in quoted attributes.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            // Not allowed in HTML, and of no use to a reader.
            c if c.is_control() && c != '\n' => {}
            c => escaped.push(c),
        }
    }
    escaped
}

/// A template with `{{name}}` replaced by values that are HTML already. One pass: what a value brings is not looked at
/// again. A name without a value stays as it is.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(template.len() * 2);
    let mut rest = template;
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let found = after.split_once("}}").and_then(|(name, left)| {
            let value = values.iter().find(|(known, _)| *known == name)?.1;
            Some((value, left))
        });
        match found {
            Some((value, left)) => {
                filled.push_str(value);
                rest = left;
            }
            None => {
                filled.push_str("{{");
                rest = after;
            }
        }
    }
    filled + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_breaks_out_of_text_or_attributes() {
        assert_eq!(escape("<b a='1' c=\"2\">&\u{0}\u{1b}x"), "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;x");
    }

    #[test]
    fn values_are_not_filled_again() {
        assert_eq!(fill("<{{a}}|{{b}}|{{c}}|{{", &[("a", "{{b}}"), ("b", "2")]), "<{{b}}|2|{{c}}|{{");
    }
}
