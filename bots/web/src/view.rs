//! An answer as HTML: the photo with its regions, the songs, and which tag woke which words.

use std::collections::BTreeMap;

use data_encoding::BASE64;
use image2song_contract::html::escape;
use image2song_contract::locale::Locale;
use serde::Deserialize;

/// Largest photo that comes back within a page; with the script none has to.
const MAX_EMBEDDED: usize = 6 << 20;
/// Most regions drawn: more frames than this hide the photo.
const MAX_REGIONS: usize = 6;
/// Most tags named of one region, and words of one reason.
const MAX_TAGS: usize = 4;
const MAX_WORDS: usize = 5;

/// The answer of `suggest`, as docs/json.md describes it; what the page does not show is not read.
#[derive(Debug, Deserialize)]
struct Answer {
    sure: bool,
    tags: Vec<Tag>,
    suggestions: Vec<Suggestion>,
}

#[derive(Debug, Deserialize)]
struct Tag {
    tag: String,
    prob: f64,
    region: [f64; 4],
}

#[derive(Debug, Deserialize)]
struct Suggestion {
    song: Song,
    evidence: Vec<Evidence>,
    links: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
struct Song {
    title: String,
    artist: String,
    year: Option<u16>,
    language: String,
    explicit: bool,
}

#[derive(Debug, Deserialize)]
struct Evidence {
    tag: String,
    word: String,
}

/// Where the picture under the regions comes from.
#[derive(Debug)]
pub(crate) enum Picture<'a> {
    /// The script has the file and puts it in.
    OfScript,
    /// Back to the browser within the page, with its type.
    Embedded(&'static str, &'a [u8]),
    /// Too large for that, or of no type that browsers show.
    Missing,
}

impl<'a> Picture<'a> {
    /// Of a photo's bytes.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let kind = match bytes {
            [0xff, 0xd8, 0xff, ..] => "image/jpeg",
            [0x89, b'P', b'N', b'G', ..] => "image/png",
            [b'G', b'I', b'F', b'8', ..] => "image/gif",
            [b'B', b'M', ..] => "image/bmp",
            [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => "image/webp",
            _ => return Self::Missing,
        };
        if bytes.len() > MAX_EMBEDDED { Self::Missing } else { Self::Embedded(kind, bytes) }
    }
}

/// A region with the tags that were loudest there.
struct Shown<'a> {
    region: [f64; 4],
    tags: Vec<&'a Tag>,
}

/// The songs of an answer, with the photo.
pub(crate) fn songs(json: &str, picture: Picture<'_>, locale: Locale) -> Result<String, serde_json::Error> {
    let answer: Answer = serde_json::from_str(json)?;
    let shown = regions(&answer);
    let heading = |name| escape(&locale.say(name));
    let mut html = format!("<section id=\"answer\" tabindex=\"-1\" aria-label=\"{}\">\n", heading("web-answer"));
    html += &figure(&answer, &shown, &picture, locale);
    html += "<div class=\"found\">\n";
    if !answer.sure {
        html += &format!("<p class=\"note\">{}</p>\n", heading("unsure"));
    }
    if answer.suggestions.is_empty() {
        html += &format!("<p class=\"note\">{}</p>\n", heading("nothing-fits"));
    } else {
        html += &format!("<h2>{}</h2>\n<ol class=\"songs\">\n", heading("web-songs"));
        html.extend(answer.suggestions.iter().map(|one| song(one, &shown, locale)));
        html += "</ol>\n";
    }
    Ok(html + "</div>\n</section>\n")
}

/// Why there are none.
pub(crate) fn fault(sentence: &str) -> String {
    format!(
        "<section id=\"answer\" tabindex=\"-1\"><p class=\"note fault\" role=\"alert\">{}</p></section>\n",
        escape(sentence)
    )
}

/// Regions of the tags that woke words, in the order of the songs; of all tags if none did.
fn regions(answer: &Answer) -> Vec<Shown<'_>> {
    let woke = answer.suggestions.iter().flat_map(|one| &one.evidence);
    let mut tags: Vec<&Tag> = Vec::new();
    for evidence in woke {
        let tag = answer.tags.iter().find(|tag| tag.tag == evidence.tag);
        tags.extend(tag.filter(|tag| !tags.iter().any(|known| known.tag == tag.tag)));
    }
    if tags.is_empty() {
        tags = answer.tags.iter().collect();
    }
    let mut shown: Vec<Shown<'_>> = Vec::new();
    for tag in tags {
        match shown.iter().position(|known| known.region == tag.region) {
            Some(idx) => shown[idx].tags.push(tag),
            None if shown.len() < MAX_REGIONS => shown.push(Shown { region: tag.region, tags: vec![tag] }),
            None => {}
        }
    }
    shown
}

/// The photo under numbered frames, and a list that says what each number is.
fn figure(answer: &Answer, shown: &[Shown<'_>], picture: &Picture<'_>, locale: Locale) -> String {
    let alt = escape(&locale.say("web-photo-alt"));
    let image = match picture {
        Picture::OfScript => format!("<img id=\"shown\" alt=\"{alt}\">"),
        Picture::Embedded(kind, bytes) => {
            format!("<img src=\"data:{kind};base64,{}\" alt=\"{alt}\">", BASE64.encode(bytes))
        }
        Picture::Missing => "<div class=\"blank\"></div>".to_owned(),
    };
    let mut html =
        format!("<figure>\n<div class=\"frame\">{image}\n<svg aria-hidden=\"true\" width=\"100%\" height=\"100%\">");
    for (idx, one) in shown.iter().enumerate() {
        html += &frame(idx, one.region, &shown[..idx]);
    }
    html += "</svg></div>\n";
    if !shown.is_empty() {
        html += &format!("<figcaption><p>{}</p>\n<ul class=\"regions\">\n", escape(&locale.say("web-regions")));
        for (idx, one) in shown.iter().enumerate() {
            let name = |tag: &&Tag| format!("{} <small>{:.0}\u{202f}%</small>", escape(&tag.tag), tag.prob * 100.0);
            let names: Vec<String> = one.tags.iter().take(MAX_TAGS).map(name).collect();
            let mut words: Vec<&str> = Vec::new();
            let of_region = |evidence: &&Evidence| one.tags.iter().any(|tag| tag.tag == evidence.tag);
            for evidence in answer.suggestions.iter().flat_map(|one| &one.evidence).filter(of_region) {
                if !words.contains(&evidence.word.as_str()) && words.len() < 2 * MAX_WORDS {
                    words.push(&evidence.word);
                }
            }
            html += &format!("<li>{} <span>{}{}</span></li>\n", badge(idx), names.join(", "), woken(&words));
        }
        html += "</ul></figcaption>\n";
    }
    html + "</figure>\n"
}

/// ` → surf, sand`.
fn woken(words: &[&str]) -> String {
    match words {
        [] => String::new(),
        words => format!(" <span class=\"arrow\">→</span> <i>{}</i>", escape(&words.join(", "))),
    }
}

fn badge(idx: usize) -> String {
    format!("<span class=\"badge c{idx}\">{}</span>", idx + 1)
}

/// A frame in percent of the photo, with its number in the upper left corner, beside those that are there already.
fn frame(idx: usize, region: [f64; 4], before: &[Shown<'_>]) -> String {
    let [x0, y0, x1, y1] = region.map(|edge| (edge.clamp(0.0, 1.0) * 10_000.0).round() / 100.0);
    let n_there = before.iter().filter(|one| one.region[..2] == region[..2]).count();
    let (dx, dy) = (16 + 26 * n_there, 16);
    format!(
        "<rect class=\"c{idx}\" x=\"{x0}%\" y=\"{y0}%\" width=\"{:.2}%\" height=\"{:.2}%\" rx=\"6\"/>\
         <g class=\"c{idx}\" transform=\"translate({dx} {dy})\"><circle cx=\"{x0}%\" cy=\"{y0}%\" r=\"11\"/>\
         <text x=\"{x0}%\" y=\"{y0}%\" dy=\"4.5\">{}</text></g>",
        (x1 - x0).max(0.0),
        (y1 - y0).max(0.0),
        idx + 1
    )
}

fn song(one: &Suggestion, shown: &[Shown<'_>], locale: Locale) -> String {
    let Song { title, artist, year, language, explicit } = &one.song;
    let lang = escape(language);
    let mut html = format!("<li>\n<h3 lang=\"{lang}\">{}</h3>\n<p class=\"by\">{}", escape(title), escape(artist));
    if let Some(year) = year {
        html += &format!(", {year}");
    }
    if *explicit {
        html += &format!(" <small class=\"mark\">{}</small>", escape(&locale.say("explicit")));
    }
    html += "</p>\n<ul class=\"why\">\n";
    let mut tags: Vec<&str> = Vec::new();
    for evidence in &one.evidence {
        if !tags.contains(&evidence.tag.as_str()) {
            tags.push(&evidence.tag);
        }
    }
    for tag in tags {
        let of_tag = one.evidence.iter().filter(|evidence| evidence.tag == tag);
        let words: Vec<&str> = of_tag.map(|evidence| evidence.word.as_str()).take(MAX_WORDS).collect();
        let mark = shown.iter().position(|region| region.tags.iter().any(|known| known.tag == tag));
        let name = if tag == "hint" { locale.say("own-words") } else { tag.to_owned() };
        html += &format!("<li>{} {}{}</li>\n", mark.map(badge).unwrap_or_default(), escape(&name), woken(&words));
    }
    html += "</ul>\n<p class=\"links\">";
    for (service, url) in &one.links {
        if url.starts_with("https://") || url.starts_with("http://") {
            html += &format!(
                "<a href=\"{}\" target=\"_blank\" rel=\"noopener noreferrer\" aria-label=\"{}: {}\">{}</a> ",
                escape(url),
                escape(service_name(service)),
                escape(title),
                escape(service_name(service))
            );
        }
    }
    html + "</p>\n</li>\n"
}

fn service_name(service: &str) -> &str {
    match service {
        "spotify" => "Spotify",
        "youtube" => "YouTube",
        "apple" => "Apple Music",
        "deezer" => "Deezer",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"photo":"<a>.jpg","sure":false,
        "tags":[{"tag":"be<ach","prob":0.93,"region":[0,0.3333,0.6667,1]},{"tag":"sea","prob":0.8,"region":[0,0.3333,0.6667,1]},
                {"tag":"dog","prob":0.7,"region":[0,0.3333,1,1]},{"tag":"unused","prob":0.6,"region":[0,0,1,1]}],
        "suggestions":[{"rank":1,"song":{"id":"x","title":"<script>alert(1)</script>","artist":"A & \"B\"","year":null,
          "language":"en","genres":[],"explicit":true},"score":1,
          "evidence":[{"tag":"be<ach","word":"surf","weight":0.4},{"tag":"dog","word":"<i>","weight":0.3},
                      {"tag":"hint","word":"rain","weight":0.2},{"tag":"be<ach","word":"sand","weight":0.1}],
          "links":{"spotify":"https://example.org/?q=\"><b>","deezer":"javascript:alert(1)"}}]}"#;

    #[test]
    fn nothing_of_an_answer_becomes_markup() {
        let html = songs(JSON, Picture::OfScript, Locale::En).unwrap();
        for forbidden in ["<script", "javascript:", "<i><i>", "\"><b>", "be<ach", "A & \""] {
            assert!(!html.contains(forbidden), "{forbidden} in {html}");
        }
        assert!(html.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }

    #[test]
    fn regions_are_those_that_woke_words_and_numbers_tie_them_to_the_reasons() {
        let answer: Answer = serde_json::from_str(JSON).unwrap();
        let shown = regions(&answer);
        let tags: Vec<Vec<&str>> =
            shown.iter().map(|one| one.tags.iter().map(|tag| tag.tag.as_str()).collect()).collect();
        assert_eq!(tags, [vec!["be<ach"], vec!["dog"]]);
        let html = songs(JSON, Picture::OfScript, Locale::En).unwrap();
        assert!(html.contains("x=\"0%\" y=\"33.33%\" width=\"66.67%\" height=\"66.67%\""), "{html}");
        // Two frames with one corner: the second number stands beside the first.
        assert!(html.contains("translate(16 16)") && html.contains("translate(42 16)"), "{html}");
        assert!(
            html.contains(
                "<span class=\"badge c0\">1</span> be&lt;ach <span class=\"arrow\">→</span> <i>surf, sand</i>"
            )
        );
        assert!(html.contains("your words <span class=\"arrow\">→</span> <i>rain</i>"));
    }

    #[test]
    fn only_photos_of_a_known_type_and_size_come_back() {
        assert!(matches!(Picture::of(b"\xff\xd8\xff\xe0"), Picture::Embedded("image/jpeg", _)));
        assert!(matches!(Picture::of(b"RIFF\0\0\0\0WEBPVP8 "), Picture::Embedded("image/webp", _)));
        assert!(matches!(Picture::of(b"<svg onload=alert(1)>"), Picture::Missing));
        let mut large = vec![0; MAX_EMBEDDED + 1];
        large[..3].copy_from_slice(b"\xff\xd8\xff");
        assert!(matches!(Picture::of(&large), Picture::Missing));
    }
}
