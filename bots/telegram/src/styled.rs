//! Text for Telegram, written twice at once: with tags, and plain for the case that Telegram can't read the tags.

use image2song_contract::html::escape;

/// Most UTF-16 units of a message and of a caption.
pub const MAX_TEXT: usize = 4096;
/// See [`MAX_TEXT`].
pub const MAX_CAPTION: usize = 1024;

/// A text that grows piece by piece; whatever is pushed is escaped.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Styled {
    html: String,
    plain: String,
}

impl Styled {
    /// Lines of plain words.
    pub fn of(text: &str) -> Self {
        let mut styled = Self::default();
        styled.text(text);
        styled
    }

    /// With Telegram's tags.
    pub fn html(&self) -> &str {
        &self.html
    }

    /// Without any.
    pub fn plain(&self) -> &str {
        &self.plain
    }

    /// Adds words.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.plain.push_str(text);
        self.html.push_str(&escape(text));
        self
    }

    /// Adds bold words.
    pub fn bold(&mut self, text: &str) -> &mut Self {
        self.tagged("b", text)
    }

    /// Adds slanted words.
    pub fn italic(&mut self, text: &str) -> &mut Self {
        self.tagged("i", text)
    }

    /// Adds words that show when they are tapped.
    pub fn spoiler(&mut self, text: &str) -> &mut Self {
        self.tagged("tg-spoiler", text)
    }

    fn tagged(&mut self, tag: &str, text: &str) -> &mut Self {
        // An empty tag is one that Telegram may stumble over.
        if text.trim().is_empty() {
            return self.text(text);
        }
        self.plain.push_str(text);
        self.html.push_str(&format!("<{tag}>{}</{tag}>", escape(text)));
        self
    }

    /// Adds a link; the plain form has its name only.
    pub fn link(&mut self, name: &str, url: &str) -> &mut Self {
        self.plain.push_str(name);
        self.html.push_str(&format!("<a href=\"{}\">{}</a>", escape(url), escape(name)));
        self
    }

    /// Ends the line.
    pub fn newline(&mut self) -> &mut Self {
        self.text("\n")
    }
}

/// The start of a text that has at most so many UTF-16 units, with an ellipsis where something was cut.
pub fn short(text: &str, n_most: usize) -> String {
    if text.encode_utf16().count() <= n_most {
        return text.to_owned();
    }
    let mut kept = String::new();
    let mut n_units = 1;
    for c in text.chars() {
        n_units += c.len_utf16();
        if n_units > n_most {
            break;
        }
        kept.push(c);
    }
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn untrusted_words_stay_words() {
        let mut styled = Styled::of("1 < 2 & \"so\" ");
        styled.bold("<b>").link("x>", "https://e.org/?a=\"b\"&c").italic(" ").spoiler("s");
        assert_eq!(
            styled.html(),
            "1 &lt; 2 &amp; &quot;so&quot; <b>&lt;b&gt;</b><a href=\"https://e.org/?a=&quot;b&quot;&amp;c\">x&gt;</a> \
             <tg-spoiler>s</tg-spoiler>"
        );
        assert_eq!(styled.plain(), "1 < 2 & \"so\" <b>x> s");
    }

    #[test]
    fn long_words_are_cut_as_telegram_counts() {
        assert_eq!(short("日本語", 3), "日本語");
        assert_eq!(short("😀😀😀", 5), "😀😀…");
        assert_eq!(short("abc", 2), "a…");
    }
}
