//! The column of songs: each with the tags and the words they woke in it. One walk lays out and draws, so that the
//! height that was reserved is the height that is used.

use super::canvas::{Area, Canvas, Ink};
use super::text::{self, Style};
use super::{Colored, Song};

const WHITE: Ink = Ink::opaque(0xf4, 0xf5, 0xf7);
const GREY: Ink = Ink::opaque(0x9c, 0xa3, 0xaf);
const HEADING: Style = Style::bold(17.0, GREY);
const NUMBER: Style = Style::bold(21.0, GREY);
const TITLE: Style = Style::bold(24.0, WHITE);
const ARTIST: Style = Style::new(18.0, GREY);
const WORD: Style = Style::new(19.0, WHITE);
const CARD: Ink = Ink::opaque(0x1e, 0x21, 0x2a);

/// A card is at least this wide; a wider panel gets two columns.
const MIN_CARD: f32 = 400.0;
const PADDING: f32 = 14.0;
const GAP: f32 = 12.0;
const NUMBER_WIDTH: f32 = 26.0;
const LINE: f32 = 26.0;
const DOT: f32 = 4.5;
const ARROW: f32 = 14.0;

/// Where a panel is measured or drawn: nothing is painted without a canvas.
struct Pen<'a> {
    canvas: Option<&'a mut Canvas>,
}

impl Pen<'_> {
    fn text(&mut self, text: &str, x: f32, y: f32, style: Style) -> f32 {
        match &mut self.canvas {
            Some(canvas) => text::draw(canvas, text, x, y, style),
            None => text::width(text, style),
        }
    }
}

/// Height that the panel takes at a width, in pixels.
pub fn height(tags: &[Colored<'_>], songs: &[Song], width: f32) -> f32 {
    lay_out(&mut Pen { canvas: None }, tags, songs, Area { x: 0.0, y: 0.0, width, height: 0.0 })
}

/// Draws the panel from the upper left corner of `area` on.
pub fn draw(canvas: &mut Canvas, tags: &[Colored<'_>], songs: &[Song], area: Area) {
    lay_out(&mut Pen { canvas: Some(canvas) }, tags, songs, area);
}

/// Lays out heading and cards; returns the height.
fn lay_out(pen: &mut Pen<'_>, tags: &[Colored<'_>], songs: &[Song], area: Area) -> f32 {
    let heading = match (tags.is_empty(), songs.is_empty()) {
        (_, true) => "No song fits this photo",
        (true, false) => "Nothing recognized for sure; songs that fit in general",
        (false, false) => "What the photo shows, the words it wakes, the songs",
    };
    pen.text(&text::fitted(heading, HEADING, area.width), area.x, area.y, HEADING);
    let n_columns = ((area.width + GAP) / (MIN_CARD + GAP)).floor().max(1.0) as usize;
    let card_width = (area.width - GAP * (n_columns - 1) as f32) / n_columns as f32;
    let mut bottoms = vec![area.y + LINE + 4.0; n_columns];
    for (idx, song) in songs.iter().enumerate() {
        // The next card goes where there is most room, the first column on a tie.
        let column = (0..n_columns).min_by(|a, b| bottoms[*a].total_cmp(&bottoms[*b])).unwrap_or(0);
        let x = area.x + column as f32 * (card_width + GAP);
        let y = bottoms[column];
        let height = card(&mut Pen { canvas: None }, tags, song, idx + 1, x, y, card_width);
        if let Some(canvas) = &mut pen.canvas {
            canvas.fill(Area { x, y, width: card_width, height }, 10.0, CARD);
            card(pen, tags, song, idx + 1, x, y, card_width);
        }
        bottoms[column] = y + height + GAP;
    }
    let bottom = bottoms.into_iter().fold(0.0, f32::max);
    bottom - if songs.is_empty() { 0.0 } else { GAP } - area.y
}

/// One song: number, title, artist and year, then its reasons; returns the height.
fn card(pen: &mut Pen<'_>, tags: &[Colored<'_>], song: &Song, number: usize, x: f32, y: f32, width: f32) -> f32 {
    let left = x + PADDING + NUMBER_WIDTH;
    let right = x + width - PADDING;
    let title = text::drawable(&song.title).unwrap_or_else(|| script_name(&song.title).to_owned());
    let by = match (text::drawable(&song.artist), song.year) {
        (Some(artist), Some(year)) => format!("{artist} · {year}"),
        (Some(artist), None) => artist,
        (None, Some(year)) => year.to_string(),
        (None, None) => String::new(),
    };
    let mut at = y + PADDING - 3.0;
    pen.text(&number.to_string(), x + PADDING, at + 2.5, NUMBER);
    pen.text(&text::fitted(&title, TITLE, right - left), left, at, TITLE);
    at += 28.0;
    if !by.is_empty() {
        pen.text(&text::fitted(&by, ARTIST, right - left), left, at, ARTIST);
        at += 24.0;
    }
    let reasons = reasons(tags, song);
    if !reasons.is_empty() {
        at = reason_lines(pen, &reasons, left, at + 4.0, right);
    }
    at + PADDING - 3.0 - y
}

/// A tag and all words it woke in one song.
struct Reason {
    tag: String,
    color: Ink,
    words: String,
}

/// The evidence by tag, in order of first mention; repeated words and undrawable ones once or not at all.
fn reasons(tags: &[Colored<'_>], song: &Song) -> Vec<Reason> {
    let mut groups: Vec<(&str, Vec<String>)> = Vec::new();
    for woken in &song.evidence {
        let word = text::drawable(&woken.word).unwrap_or_else(|| script_name(&woken.word).to_owned());
        match groups.iter_mut().find(|group| group.0 == woken.tag) {
            Some(group) if group.1.contains(&word) => {}
            Some(group) => group.1.push(word),
            None => groups.push((&woken.tag, vec![word])),
        }
    }
    groups
        .into_iter()
        .map(|(tag, words)| Reason {
            tag: text::drawable(tag).unwrap_or_else(|| "tag".to_owned()),
            color: tags.iter().find(|colored| colored.tag.name == tag).map_or(GREY, |colored| colored.color),
            words: words.join(", "),
        })
        .collect()
}

/// Draws reasons in a row, broken where the next does not fit; returns the lower edge.
fn reason_lines(pen: &mut Pen<'_>, reasons: &[Reason], left: f32, top: f32, right: f32) -> f32 {
    let (mut x, mut y) = (left, top);
    for reason in reasons {
        let tag_style = Style::bold(19.0, reason.color);
        let before_tag = 2.0 * DOT + 6.0;
        let room = right - left;
        let tag = text::fitted(&reason.tag, tag_style, (room - before_tag) * 0.6);
        let before_words = before_tag + text::width(&tag, tag_style) + 7.0 + ARROW + 7.0;
        let words = text::fitted(&reason.words, WORD, room - before_words);
        let width = before_words + text::width(&words, WORD);
        if x > left && x + width > right {
            x = left;
            y += LINE;
        }
        if let Some(canvas) = &mut pen.canvas {
            let middle = y + LINE / 2.0 - 1.0;
            canvas.dot(x + DOT, middle, DOT, reason.color);
            canvas.arrow(x + before_words - 7.0 - ARROW, middle + 1.0, ARROW, GREY);
        }
        pen.text(&tag, x + before_tag, y + 2.0, tag_style);
        pen.text(&words, x + before_words, y + 2.0, WORD);
        x += width + 20.0;
    }
    y + LINE
}

/// What to say where no letter can be drawn.
fn script_name(text: &str) -> &'static str {
    let has = |range: std::ops::RangeInclusive<char>| text.chars().any(|letter| range.contains(&letter));
    if has('\u{3041}'..='\u{30ff}') {
        "(in Japanese)"
    } else if has('\u{4e00}'..='\u{9fff}') || has('\u{3400}'..='\u{4dbf}') {
        "(in Chinese characters)"
    } else if has('\u{590}'..='\u{5ff}') {
        "(in Hebrew)"
    } else if has('\u{600}'..='\u{6ff}') {
        "(in Arabic)"
    } else if has('\u{900}'..='\u{97f}') {
        "(in Devanagari)"
    } else if has('\u{e00}'..='\u{e7f}') {
        "(in Thai)"
    } else if text.trim().is_empty() {
        "(untitled)"
    } else {
        "(in another script)"
    }
}
