//! Suggestions as the plain types of the contract.

use image2song_contract::answer::{Link, Reason, SongLine};
use image2song_contract::locale::Locale;
use image2song_contract::payload::SlateId;

use super::core::Core;
use super::redirect::Service;
use crate::answer::links::Links;
use crate::answer::model::Model;
use crate::answer::sight::SeenTag;
use crate::matcher::explain::Evidence;
use crate::matcher::suggest::Suggestion;

/// Name of the tag under which evidence of the asker's own words comes.
const HINT: &str = "hint";

impl Core {
    /// The songs of a slate as lines.
    pub(super) fn lines(
        &self,
        model: &Model,
        slate: SlateId,
        suggestions: &[Suggestion],
        locale: Locale,
    ) -> Vec<SongLine> {
        let line = |(idx, suggestion): (usize, &Suggestion)| {
            let song = model.catalogue.song(suggestion.song);
            let rank = idx as u8 + 1;
            SongLine {
                rank,
                title: song.title.to_owned(),
                artist: song.artist.to_owned(),
                year: song.year,
                is_explicit: song.explicit,
                reasons: reasons(model, &suggestion.evidence, locale),
                links: self.links(slate, rank, &Links::to(song.artist, song.title)),
            }
        };
        suggestions.iter().enumerate().map(line).collect()
    }

    fn links(&self, slate: SlateId, rank: u8, links: &Links) -> Vec<Link> {
        let link = |((name, direct), service): ((&str, &str), Service)| {
            let url = match &self.options.public_url {
                Some(base) => format!("{base}/go/{}", self.signer.token(slate, rank, service)),
                None => direct.to_owned(),
            };
            Link { service: name.to_owned(), url }
        };
        links.named().into_iter().zip(Service::ALL).map(link).collect()
    }
}

/// Names of tags in a language.
pub(super) fn names(model: &Model, tags: &[SeenTag], locale: Locale) -> Vec<String> {
    let names = &model.eye.names;
    tags.iter().map(|seen| names.shown_in(seen.tag, locale.code()).to_owned()).collect()
}

/// Evidence grouped by its tag, strongest tag first.
fn reasons(model: &Model, evidence: &[Evidence], locale: Locale) -> Vec<Reason> {
    let names = &model.eye.names;
    let mut reasons: Vec<Reason> = Vec::new();
    for one in evidence {
        let tag = match names.tag(&one.tag) {
            _ if one.tag == HINT => String::new(),
            Some(tag) => names.shown_in(tag, locale.code()).to_owned(),
            None => one.tag.clone(),
        };
        match reasons.iter_mut().find(|reason| reason.tag == tag) {
            Some(reason) => reason.words.push(one.word.clone()),
            None => reasons.push(Reason { tag, words: vec![one.word.clone()] }),
        }
    }
    reasons
}
