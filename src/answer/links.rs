//! Where to listen: search links, made from artist and title alone, so that no service has to be asked.

use serde::Serialize;

/// One search link per service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Links {
    /// Spotify.
    pub spotify: String,
    /// YouTube.
    pub youtube: String,
    /// Apple Music.
    pub apple: String,
    /// Deezer.
    pub deezer: String,
}

impl Links {
    /// Links that search for a song by its main artist and its title.
    pub fn to(artist: &str, title: &str) -> Self {
        let words = format!("{} {title}", main_artist(artist));
        let (in_path, in_query) = (encode(&path_words(&words)), encode(&plain_words(&words)));
        Self {
            spotify: format!("https://open.spotify.com/search/{in_path}"),
            youtube: format!("https://www.youtube.com/results?search_query={in_query}"),
            apple: format!("https://music.apple.com/search?term={in_query}"),
            deezer: format!("https://www.deezer.com/search/{in_path}"),
        }
    }

    /// Name and link of each service.
    pub fn named(&self) -> [(&'static str, &str); 4] {
        [("Spotify", &self.spotify), ("YouTube", &self.youtube), ("Apple Music", &self.apple), ("Deezer", &self.deezer)]
    }
}

/// The artist without guests, whom each service credits in its own way.
fn main_artist(artist: &str) -> &str {
    let starts_guests = |word: &str| {
        let word = word.trim_start_matches(['(', '[']).to_ascii_lowercase();
        matches!(word.as_str(), "feat" | "feat." | "ft" | "ft." | "featuring")
    };
    let mut start = 0;
    for word in artist.split(' ') {
        if start > 0 && starts_guests(word) {
            return &artist[..start];
        }
        start += word.len() + 1;
    }
    artist
}

/// The words with single spaces and without control characters.
fn plain_words(text: &str) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The same for a link that carries them in its path: a slash would start a new part there even when encoded, and some
/// of these pages decode a path twice, which fails on a percent sign. A search does not miss either.
fn path_words(text: &str) -> String {
    plain_words(&text.replace(['/', '\\', '%'], " "))
}

/// Percent-encodes all bytes but the unreserved ones of RFC 3986.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len() * 2);
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_encoded() {
        let links = Links::to("AC/DC", "Can't Stop & Won't 100%");
        assert_eq!(links.spotify, "https://open.spotify.com/search/AC%20DC%20Can%27t%20Stop%20%26%20Won%27t%20100");
        assert_eq!(
            links.youtube,
            "https://www.youtube.com/results?search_query=AC%2FDC%20Can%27t%20Stop%20%26%20Won%27t%20100%25"
        );
        assert_eq!(
            Links::to("宇多田", "光").deezer,
            "https://www.deezer.com/search/%E5%AE%87%E5%A4%9A%E7%94%B0%20%E5%85%89"
        );
        assert_eq!(Links::to("Rihanna (feat. Jay-Z)", "X").spotify, "https://open.spotify.com/search/Rihanna%20X");
        assert_eq!(Links::to("Feat Ft.", "X").spotify, "https://open.spotify.com/search/Feat%20X");
        assert_eq!(Links::to("", "a\n b?#").apple, "https://music.apple.com/search?term=a%20b%3F%23");
    }

    proptest! {
        #[test]
        fn links_hold_only_url_characters(artist in any::<String>(), title in any::<String>()) {
            for (_, link) in Links::to(&artist, &title).named() {
                let is_clean = link.bytes().all(|b| b.is_ascii_alphanumeric() || b":/?=%-._~".contains(&b));
                prop_assert!(is_clean, "{}", link);
            }
        }
    }
}
