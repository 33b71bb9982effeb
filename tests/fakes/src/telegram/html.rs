//! Telegram's subset of HTML, checked as the server checks it and with its words for each fault.

/// A text after its tags were read.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Parsed {
    /// What a person reads, trimmed.
    pub text: String,
    /// Targets of the links.
    pub links: Vec<String>,
}

const TAGS: [&str; 17] = [
    "a",
    "b",
    "strong",
    "i",
    "em",
    "s",
    "strike",
    "del",
    "u",
    "ins",
    "tg-spoiler",
    "tg-emoji",
    "span",
    "pre",
    "code",
    "blockquote",
    "tg-time",
];

/// Reads a text with tags.
///
/// # Errors
///
/// The server's description of the first fault, without its prefix.
pub(super) fn parse(source: &str) -> Result<Parsed, String> {
    let mut text = String::new();
    let mut links = Vec::new();
    let mut open: Vec<&str> = Vec::new();
    let mut at = 0;
    while let Some(c) = source[at..].chars().next() {
        match c {
            '&' => {
                let (decoded, n_bytes) = entity(&source[at..]);
                text.push(decoded);
                at += n_bytes;
            }
            '<' if source[at + 1..].starts_with('/') => {
                at = end_tag(source, at, &mut open)?;
            }
            '<' => {
                let (name, attributes, next) = start_tag(source, at)?;
                if name == "a" {
                    links.extend(attributes.into_iter().filter(|(name, _)| name == "href").map(|(_, value)| value));
                }
                open.push(name);
                at = next;
            }
            _ => {
                text.push(c);
                at += c.len_utf8();
            }
        }
    }
    match open.last() {
        Some(name) => Err(format!("Can't find end tag corresponding to start tag \"{name}\"")),
        None => Ok(Parsed { text: text.trim().to_owned(), links }),
    }
}

/// The character that a text beginning with `&` starts with, and its length in bytes. What is no entity stays a `&`.
fn entity(rest: &str) -> (char, usize) {
    let plain = ('&', 1);
    let Some(end) = rest.find(';').filter(|end| *end <= 10) else { return plain };
    let decoded = match &rest[1..end] {
        "lt" => Some('<'),
        "gt" => Some('>'),
        "amp" => Some('&'),
        "quot" => Some('"'),
        name => match (name.strip_prefix("#x"), name.strip_prefix('#')) {
            (Some(hex), _) => u32::from_str_radix(hex, 16).ok().and_then(char::from_u32),
            (None, Some(decimal)) => decimal.parse().ok().and_then(char::from_u32),
            (None, None) => None,
        },
    };
    decoded.map_or(plain, |c| (c, end + 1))
}

/// Closes the innermost tag. Gives the position after it.
fn end_tag(source: &str, at: usize, open: &mut Vec<&str>) -> Result<usize, String> {
    let Some(expected) = open.pop() else { return Err(format!("Unexpected end tag at byte offset {at}")) };
    let Some(end) = source[at..].find('>') else { return Err(format!("Unclosed end tag at byte offset {at}")) };
    let found = source[at + 2..at + end].trim().to_ascii_lowercase();
    // The server takes `</>` as the end of whatever is open.
    if !found.is_empty() && found != expected {
        return Err(format!("Unmatched end tag at byte offset {at}, expected \"</{expected}>\", found \"</{found}>\""));
    }
    Ok(at + end + 1)
}

/// Name, attributes and the position after the tag.
type StartTag<'a> = (&'a str, Vec<(String, String)>, usize);

fn start_tag(source: &str, at: usize) -> Result<StartTag<'static>, String> {
    let rest = &source[at + 1..];
    let Some(n_name) = rest.find(|c: char| c.is_whitespace() || c == '>') else {
        return Err(format!("Unclosed start tag at byte offset {at}"));
    };
    let written = rest[..n_name].to_ascii_lowercase();
    let Some(name) = TAGS.into_iter().find(|tag| *tag == written) else {
        return Err(format!("Unsupported start tag \"{written}\" at byte offset {at}"));
    };
    let mut attributes = Vec::new();
    let mut next = at + 1 + n_name;
    loop {
        next += source[next..].len() - source[next..].trim_start().len();
        let rest = &source[next..];
        if rest.starts_with('>') {
            break;
        }
        let (attribute, value, n_bytes) = attribute(rest, name, at)?;
        attributes.push((attribute, value));
        next += n_bytes;
    }
    let class = attributes.iter().find(|(name, _)| name == "class").map(|(_, value)| value.as_str());
    if name == "span" && class != Some("tg-spoiler") {
        return Err(format!("Tag \"span\" must have class \"tg-spoiler\" at byte offset {at}"));
    }
    Ok((name, attributes, next + 1))
}

/// Name, decoded value and length of the attribute that the text starts with.
fn attribute(rest: &str, tag: &str, at: usize) -> Result<(String, String, usize), String> {
    let n_name = rest.find(|c: char| c.is_whitespace() || matches!(c, '=' | '>' | '/' | '"' | '\'')).unwrap_or(0);
    if n_name == 0 {
        return Err(format!("Empty attribute name in the tag \"{tag}\" at byte offset {at}"));
    }
    let name = rest[..n_name].to_ascii_lowercase();
    let after = &rest[n_name..];
    if !after.starts_with('=') {
        // An attribute without a value, as in `<blockquote expandable>`.
        return Ok((name, String::new(), n_name));
    }
    let quoted = &after[1..];
    let Some(quote) = quoted.chars().next().filter(|c| matches!(c, '"' | '\'')) else {
        return Err(format!("Unexpected end of name token at byte offset {at}"));
    };
    let Some(n_value) = quoted[1..].find(quote) else {
        return Err(format!("Unclosed start tag at byte offset {at}"));
    };
    let mut value = String::new();
    let mut raw = &quoted[1..1 + n_value];
    while let Some(c) = raw.chars().next() {
        let (decoded, n_bytes) = if c == '&' { entity(raw) } else { (c, c.len_utf8()) };
        value.push(decoded);
        raw = &raw[n_bytes..];
    }
    Ok((name, value, n_name + 1 + n_value + 2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(source: &str, expected: Result<(&str, &[&str]), &str>) {
        let parsed = parse(source);
        let parsed = parsed.as_ref().map(|parsed| (parsed.text.as_str(), parsed.links.clone()));
        let expected = expected.map(|(text, links)| (text, links.iter().map(|link| (*link).to_owned()).collect()));
        assert_eq!(parsed.map_err(String::as_str), expected, "{source}");
    }

    #[test]
    fn texts_are_read_as_the_server_reads_them() {
        check(" plain & simple ", Ok(("plain & simple", &[])));
        check("<b>1 &lt; 2</b> <i>&amp;&quot;&#39;&#x41;</i>", Ok(("1 < 2 &\"'A", &[])));
        check("<a href=\"https://e.org/?a=1&amp;b=%22\">x</a>", Ok(("x", &["https://e.org/?a=1&b=%22"])));
        check("<blockquote expandable>q</blockquote>", Ok(("q", &[])));
        check("<b><i>both</i></b>", Ok(("both", &[])));
    }

    #[test]
    fn faults_have_the_words_of_the_server() {
        check("a <3 b", Err("Unsupported start tag \"3\" at byte offset 2"));
        check("a < b", Err("Unsupported start tag \"\" at byte offset 2"));
        check("<br>", Err("Unsupported start tag \"br\" at byte offset 0"));
        check("<b", Err("Unclosed start tag at byte offset 0"));
        check("<b>x", Err("Can't find end tag corresponding to start tag \"b\""));
        check("<b>x</i>", Err("Unmatched end tag at byte offset 4, expected \"</b>\", found \"</i>\""));
        check("x</b>", Err("Unexpected end tag at byte offset 1"));
        check("<span>x</span>", Err("Tag \"span\" must have class \"tg-spoiler\" at byte offset 0"));
        check("<a href=\"x>y</a>", Err("Unclosed start tag at byte offset 0"));
        check("<a href=\"x\"y\">z</a>", Err("Empty attribute name in the tag \"a\" at byte offset 0"));
    }
}
