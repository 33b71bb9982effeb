//! Untrusted text within Discord's Markdown.

/// The text so that it shows as it is: marks escaped, mentions and bare addresses broken.
pub fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\\' | '*' | '_' | '~' | '|' | '>' | '<' | '#' | '[' | ']' | '(' | ')' | '`' => {
                escaped.push('\\');
                escaped.push(c);
            }
            // An unseen space keeps @everyone from being one, and an address from becoming a link.
            '@' => escaped.push_str("@\u{200b}"),
            c if c.is_control() => escaped.push(' '),
            c => escaped.push(c),
        }
    }
    escaped.replace("://", ":\u{200b}//")
}

/// A link with a name; the address is one of ours, but may hold what would end the link.
pub fn link(name: &str, url: &str) -> String {
    let url = url.replace('(', "%28").replace(')', "%29").replace([' ', '\n', '<', '>'], "%20");
    format!("[{}]({url})", escape(name))
}

/// Hidden until somebody clicks on it; the text is escaped already, so it holds no such mark itself.
pub fn spoiler(text: &str) -> String {
    format!("||{text}||")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_show_as_they_are() {
        assert_eq!(
            escape("*a* _b_ ||c|| <@1> [x](y)"),
            "\\*a\\* \\_b\\_ \\|\\|c\\|\\| \\<@\u{200b}1\\> \\[x\\]\\(y\\)"
        );
        assert_eq!(escape("@everyone https://a.example\n# x"), "@\u{200b}everyone https:\u{200b}//a.example \\# x");
        assert_eq!(escape("Déjà vu 東京"), "Déjà vu 東京");
    }

    #[test]
    fn links_stay_closed() {
        assert_eq!(link("A [b]", "https://a.example/x(1)"), r"[A \[b\]](https://a.example/x%281%29)");
    }
}
