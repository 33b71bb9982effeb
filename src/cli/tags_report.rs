//! What `tags add` says of the tags that it learned.

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde_json::{Value, json};

use super::output_json::write_line;
use crate::addon::judge::{FEW, Figures};
use crate::answer::fault::PhotoFault;
use crate::answer::json::{millis, rounded};
use crate::lyric::own_tag::OwnTag;

/// An add-on after its tags were learned.
pub struct Report<'a> {
    /// How it was named on the command line.
    pub named: &'a Path,
    /// Its folder.
    pub dir: &'a Path,
    /// Its version.
    pub version: &'a str,
    /// All of its tags.
    pub tags: Vec<TagReport<'a>>,
    /// Photos that could not be used.
    pub failed: &'a [(String, PhotoFault)],
    /// Time from begin to end.
    pub total: Duration,
}

/// A tag of an add-on.
pub struct TagReport<'a> {
    /// The tag.
    pub tag: &'a OwnTag,
    /// How well it does.
    pub figures: &'a Figures,
    /// Whether it was in the list, so that it is new or was replaced.
    pub is_new: bool,
    /// Words nearest to it, if it was in the list.
    pub near: &'a [String],
}

impl Report<'_> {
    /// For programs.
    ///
    /// # Errors
    /// It cannot be written; so for both.
    pub fn json(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let failed: Vec<Value> = self
            .failed
            .iter()
            .map(|(photo, fault)| json!({ "photo": photo, "error": { "kind": fault.kind, "message": fault.message } }))
            .collect();
        let tags: Vec<Value> = self.tags.iter().map(TagReport::value).collect();
        let report = json!({
            "addon": self.dir.display().to_string(),
            "version": self.version,
            "tags": tags,
            "failed": failed,
            "ms": millis(self.total),
        });
        write_line(out, &report)
    }

    /// For people.
    pub fn text(&self, out: &mut impl Write) -> anyhow::Result<()> {
        let (bold, dim) = (Style::new().bold(), Style::new().dimmed());
        let yellow = Style::new().fg_color(Some(AnsiColor::Yellow.into()));
        for TagReport { tag, figures, is_new, near } in &self.tags {
            let how = if *is_new { "" } else { "  (learned before, now beside the new ones)" };
            writeln!(out, "{bold}{}{bold:#}{dim}{how}{dim:#}", tag.name)?;
            let Figures { n_examples, n_others, average_precision, n_found, n_wrong, threshold, .. } = figures;
            writeln!(
                out,
                "  average precision {average_precision:.2}; from {:.0} % on {n_found} of {n_examples} examples are found, \
                 {n_wrong} of {n_others} others taken for it",
                threshold * 100.0
            )?;
            if !near.is_empty() {
                writeln!(out, "  {dim}wakes words such as {}{dim:#}", near.join(", "))?;
            }
            if *n_examples < FEW {
                writeln!(out, "  {yellow}{n_examples} examples are few: these figures are rough{yellow:#}")?;
            }
        }
        for (photo, fault) in self.failed {
            writeln!(out, "{yellow}left out{yellow:#} {photo}: {}", fault.message)?;
        }
        let (n, named) = (self.tags.len(), self.named.display());
        let tags = if n == 1 { "tag" } else { "tags" };
        writeln!(
            out,
            "{n} {tags} in {} after {:.1} s; use them with --addon {named} or IMAGE2SONG_ADDON={named}",
            self.dir.display(),
            self.total.as_secs_f64()
        )?;
        Ok(out.flush()?)
    }
}

impl TagReport<'_> {
    fn value(&self) -> Value {
        let Figures { n_examples, n_counterexamples, n_others, n_found, n_wrong, .. } = self.figures;
        json!({
            "tag": self.tag.name,
            "new": self.is_new,
            "examples": n_examples,
            "counterexamples": n_counterexamples,
            "others": n_others,
            "few": *n_examples < FEW,
            "average_precision": rounded(self.figures.average_precision as f32),
            "threshold": rounded(self.figures.threshold),
            "found": n_found,
            "wrong": n_wrong,
            "precision": self.figures.precision().map(|precision| rounded(precision as f32)),
            "recall": rounded(self.figures.recall() as f32),
            "near": self.near,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_programs_are_told_the_same() {
        let tag = OwnTag { name: "sneaker".into(), ..OwnTag::default() };
        let figures = Figures {
            n_examples: 5,
            n_counterexamples: 2,
            n_others: 402,
            average_precision: 0.8125,
            threshold: 0.5,
            n_found: 4,
            n_wrong: 1,
        };
        let near = ["shoes".to_owned(), "boots".to_owned()];
        let failed = [("a.heic".to_owned(), PhotoFault::new("unsupported_format", "this is HEIC"))];
        let report = Report {
            named: Path::new("own"),
            dir: Path::new("models/addons/own"),
            version: "abc",
            tags: vec![TagReport { tag: &tag, figures: &figures, is_new: true, near: &near }],
            failed: &failed,
            total: Duration::from_millis(2500),
        };
        let mut text = Vec::new();
        report.text(&mut anstream::StripStream::new(&mut text)).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(
            text,
            "sneaker\n  average precision 0.81; from 50 % on 4 of 5 examples are found, 1 of 402 others taken for it\n  \
             wakes words such as shoes, boots\n  5 examples are few: these figures are rough\nleft out a.heic: this is \
             HEIC\n1 tag in models/addons/own after 2.5 s; use them with --addon own or IMAGE2SONG_ADDON=own\n"
        );
        let mut line = Vec::new();
        report.json(&mut line).unwrap();
        let value: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(value["tags"][0]["precision"], 0.8);
        assert_eq!(
            (&value["tags"][0]["few"], &value["failed"][0]["error"]["kind"]),
            (&json!(true), &json!("unsupported_format"))
        );
    }
}
