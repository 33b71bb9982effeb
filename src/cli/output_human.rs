//! Answers for people: short, fitted to the width, styled on a terminal and plain everywhere else.

use std::io::{self, Write};

use anstyle::{AnsiColor, Color, Style};
use console::measure_text_width;

use crate::answer::fault::PhotoFault;
use crate::answer::links::Links;
use crate::answer::model::TagNames;
use crate::answer::sight::SeenTag;
use crate::catalogue::song::Song;
use crate::matcher::explain::Evidence;
use crate::tagger::regions::Region;

use super::terminal::Terminal;

/// Most tags named in a reason, and most words of each.
const MAX_REASON_TAGS: usize = 3;
const MAX_REASON_WORDS: usize = 3;
/// Length of the bar of a certain tag.
const BAR_WIDTH: usize = 20;
/// The tag name under which evidence of a hint comes.
const HINT: &str = "hint";

const TITLE: Style = Style::new().bold();
const QUIET: Style = Style::new().dimmed();
const WORD: Style = Style::new().italic();
const TAG: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Cyan)));
const UNSURE: Style = Style::new().fg_color(Some(Color::Ansi(AnsiColor::Yellow)));
const FAULT: Style = Style::new().bold().fg_color(Some(Color::Ansi(AnsiColor::Red)));

/// Writes answers to a place with the abilities of a [`Terminal`].
pub struct Page<'a, W> {
    out: W,
    terminal: Terminal,
    names: &'a TagNames,
    has_begun: bool,
}

impl<'a, W: Write> Page<'a, W> {
    /// A page that calls tags by the given names.
    pub fn new(out: W, terminal: Terminal, names: &'a TagNames) -> Self {
        Self { out, terminal, names, has_begun: false }
    }

    /// Begins the answer for a photo: its name, a line apart from the answer before.
    ///
    /// # Errors
    /// It cannot be written; so for all methods.
    pub fn photo(&mut self, name: &str) -> io::Result<()> {
        if self.has_begun {
            writeln!(self.out)?;
        }
        self.has_begun = true;
        writeln!(self.out, "{}", self.styled(TITLE, &printable(name)))
    }

    /// The tags of the photo just named, in one flow.
    pub fn seen(&mut self, tags: &[SeenTag]) -> io::Result<()> {
        self.tags(2, tags)
    }

    fn tags(&mut self, indent: usize, tags: &[SeenTag]) -> io::Result<()> {
        let item = |seen: &SeenTag| {
            let percent = format!(" {:.0} %", seen.prob * 100.0);
            format!("{}{}", self.styled(TAG, self.names.shown(seen.tag)), self.styled(QUIET, &percent))
        };
        let items: Vec<String> = tags.iter().map(item).collect();
        self.flow(indent, &items)
    }

    /// Says kindly that the songs are guesses.
    pub fn unsure(&mut self) -> io::Result<()> {
        let text = "I am not sure what this photo shows, so take these as guesses. A few words with --hint help me.";
        self.sentence(UNSURE, text)
    }

    /// A sentence of its own.
    pub fn note(&mut self, text: &str) -> io::Result<()> {
        self.sentence(QUIET, text)
    }

    fn sentence(&mut self, style: Style, text: &str) -> io::Result<()> {
        for line in wrapped(text, self.terminal.width.saturating_sub(2)) {
            writeln!(self.out, "  {}", self.styled(style, &line))?;
        }
        Ok(())
    }

    /// A suggested song: title and artist, the reason, where to listen.
    pub fn suggestion(&mut self, rank: usize, song: &Song, evidence: &[Evidence], links: &Links) -> io::Result<()> {
        writeln!(self.out)?;
        let number = self.styled(QUIET, &format!("{rank:>2}"));
        self.headed(&number, 4, &self.song_items(song))?;
        self.reason(4, evidence)?;
        self.listen(links)
    }

    /// A song by itself.
    pub fn song(&mut self, song: &Song) -> io::Result<()> {
        self.has_begun = true;
        self.flow(0, &self.song_items(song))
    }

    /// A photo that fits a song: its name and score, what it shows, the reason.
    pub fn fitting_photo(
        &mut self,
        rank: usize,
        name: &str,
        score: f32,
        tags: &[SeenTag],
        evidence: &[Evidence],
    ) -> io::Result<()> {
        writeln!(self.out)?;
        let number = self.styled(QUIET, &format!("{rank:>2}"));
        let items = [self.styled(TITLE, &printable(name)), self.styled(QUIET, &format!("score {score:.2}"))];
        self.headed(&number, 4, &items)?;
        if evidence.is_empty() { self.tags(4, tags) } else { self.reason(4, evidence) }
    }

    /// All tags of a photo as a table: name, bar, probability, place.
    pub fn tag_table(&mut self, tags: &[SeenTag]) -> io::Result<()> {
        let name_width = tags.iter().map(|seen| measure_text_width(self.names.shown(seen.tag))).max().unwrap_or(0);
        for seen in tags {
            let name = self.names.shown(seen.tag);
            let gap = " ".repeat(name_width - measure_text_width(name));
            let bar = bar(seen.prob);
            let bar_gap = " ".repeat(BAR_WIDTH - measure_text_width(&bar));
            let percent = format!("{:>3.0} %", seen.prob * 100.0);
            let place = self.styled(QUIET, place(&seen.region));
            writeln!(self.out, "  {name}{gap}  {}{bar_gap} {percent}  {place}", self.styled(TAG, &bar))?;
        }
        Ok(())
    }

    /// Why a photo has no answer.
    pub fn fault(&mut self, fault: &PhotoFault) -> io::Result<()> {
        let text = format!("no answer: {}", printable(&fault.message));
        for (idx, line) in wrapped(&text, self.terminal.width.saturating_sub(2)).iter().enumerate() {
            let (head, rest) = line.split_at(if idx == 0 { "no answer:".len() } else { 0 });
            writeln!(self.out, "  {}{rest}", self.styled(FAULT, head))?;
        }
        Ok(())
    }

    /// Hands everything written so far on.
    pub fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }

    fn song_items(&self, song: &Song) -> Vec<String> {
        let mut items = vec![self.styled(TITLE, &printable(song.title)), printable(song.artist)];
        items.extend(song.year.map(|year| self.styled(QUIET, &year.to_string())));
        items
    }

    /// The reason: each tag with the words it woke, "beach → surf, sand".
    fn reason(&mut self, indent: usize, evidence: &[Evidence]) -> io::Result<()> {
        let item = |(tag, words): &(&str, Vec<&str>)| {
            let tag = self.styled(TAG, if *tag == HINT { "your hint" } else { self.names.shown_for(tag) });
            let words: Vec<String> = words.iter().map(|word| self.styled(WORD, &printable(word))).collect();
            format!("{tag} → {}", words.join(", "))
        };
        let items: Vec<String> = by_tag(evidence).iter().map(item).collect();
        self.flow(indent, &items)
    }

    /// Where to listen: words that carry links where that is possible, otherwise one link a line.
    fn listen(&mut self, links: &Links) -> io::Result<()> {
        if self.terminal.has_links {
            let named = links.named();
            let items: Vec<String> = named
                .iter()
                .map(|(name, link)| format!("\x1b]8;;{link}\x1b\\{}\x1b]8;;\x1b\\", self.styled(QUIET, name)))
                .collect();
            return self.flow(4, &items);
        }
        for (_, link) in links.named() {
            writeln!(self.out, "    {}", self.styled(QUIET, link))?;
        }
        Ok(())
    }

    /// Items after a head that stands in the margin.
    fn headed(&mut self, head: &str, indent: usize, items: &[String]) -> io::Result<()> {
        let gap = " ".repeat(indent.saturating_sub(measure_text_width(head)));
        write!(self.out, "{head}{gap}")?;
        self.flow_from(indent, indent, items)
    }

    /// Items one after another with a dot between, on as many lines as the width asks for.
    fn flow(&mut self, indent: usize, items: &[String]) -> io::Result<()> {
        if items.is_empty() {
            return Ok(());
        }
        write!(self.out, "{}", " ".repeat(indent))?;
        self.flow_from(indent, indent, items)
    }

    fn flow_from(&mut self, mut column: usize, indent: usize, items: &[String]) -> io::Result<()> {
        let dot = self.styled(QUIET, " · ");
        for (item_idx, item) in items.iter().enumerate() {
            let width = measure_text_width(item);
            if item_idx > 0 && column + 3 + width > self.terminal.width {
                write!(self.out, "\n{}", " ".repeat(indent))?;
                column = indent;
            } else if item_idx > 0 {
                write!(self.out, "{dot}")?;
                column += 3;
            }
            write!(self.out, "{item}")?;
            column += width;
        }
        writeln!(self.out)
    }

    fn styled(&self, style: Style, text: &str) -> String {
        if self.terminal.is_styled && !text.is_empty() { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

/// The evidence by tag, the tags in the order of their strongest word, a word only once.
fn by_tag(evidence: &[Evidence]) -> Vec<(&str, Vec<&str>)> {
    let mut tags: Vec<(&str, Vec<&str>)> = Vec::new();
    for Evidence { tag, word, .. } in evidence {
        if tags.iter().any(|(_, words)| words.contains(&word.as_str())) {
            continue;
        }
        match tags.iter().position(|(known, _)| known == tag) {
            Some(known) if tags[known].1.len() < MAX_REASON_WORDS => tags[known].1.push(word),
            None if tags.len() < MAX_REASON_TAGS => tags.push((tag, vec![word])),
            _ => {}
        }
    }
    tags
}

/// A bar of [`BAR_WIDTH`] columns for probability 1, in eighths of a column.
fn bar(prob: f32) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = (prob.clamp(0.0, 1.0) * BAR_WIDTH as f32 * 8.0).round() as usize;
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

/// Where a region lies, in words. The four large windows and the nine small ones each have their own.
fn place(region: &Region) -> &'static str {
    let (width, x, y) = (region.x1 - region.x0, region.x0 + region.x1, region.y0 + region.y1);
    let third = |sum: f32| {
        if sum < 0.9 {
            0
        } else if sum > 1.1 {
            2
        } else {
            1
        }
    };
    match (third(y), third(x)) {
        (1, 1) if width > 0.9 => "whole photo",
        (0, 0) if width > 0.6 => "upper left",
        (0, 2) if width > 0.6 => "upper right",
        (2, 0) if width > 0.6 => "lower left",
        (2, 2) if width > 0.6 => "lower right",
        (0, 0) => "top left",
        (0, 1) => "top",
        (0, _) => "top right",
        (1, 0) => "left",
        (1, 1) => "center",
        (1, _) => "right",
        (_, 0) => "bottom left",
        (_, 1) => "bottom",
        _ => "bottom right",
    }
}

/// The text without control characters, which could steer the terminal.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// The text in lines of at most `width` columns, broken at spaces.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always a line");
        if line.is_empty() {
            line.push_str(word);
        } else if measure_text_width(line) + 1 + measure_text_width(word) <= width {
            line.push(' ');
            line.push_str(word);
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tagger::regions::regions;

    fn evidence(pairs: &[(&str, &str)]) -> Vec<Evidence> {
        let one = |(tag, word): &(&str, &str)| Evidence { tag: (*tag).into(), word: (*word).into(), weight: 0.1 };
        pairs.iter().map(one).collect()
    }

    #[test]
    fn evidence_is_grouped_by_tag() {
        let all =
            evidence(&[("beach", "surf"), ("sunset", "sun"), ("beach", "sand"), ("sea", "surf"), ("sea", "wave")]);
        assert_eq!(by_tag(&all), [("beach", vec!["surf", "sand"]), ("sunset", vec!["sun"]), ("sea", vec!["wave"])]);
    }

    #[test]
    fn every_region_has_its_own_place() {
        let places: std::collections::HashSet<&str> = regions().iter().map(place).collect();
        assert_eq!(places.len(), regions().len());
        assert_eq!(place(&regions()[0]), "whole photo");
        assert_eq!(place(&regions()[4]), "lower right");
        assert_eq!(place(&regions()[9]), "center");
    }

    #[test]
    fn bars_grow_with_probability() {
        assert_eq!(bar(0.0), "");
        assert_eq!(bar(1.0).chars().count(), BAR_WIDTH);
        assert_eq!(bar(0.5), "█".repeat(10));
        assert_eq!(bar(f32::NAN), "");
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(printable("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
    }

    #[test]
    fn sentences_wrap_at_spaces() {
        assert_eq!(wrapped("one two three", 7), ["one two", "three"]);
    }
}
