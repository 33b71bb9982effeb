//! A model in the parts that an answer needs.

use std::sync::Arc;

use crate::catalogue::load::Catalogue;
use crate::lyric::lexicon::Lexicon;
use crate::matcher::suggest::Matcher;
use crate::matcher::tastes::Tastes;
use crate::tagger::Tagger;
use crate::tagger::vocabulary::{TagId, Vocabulary};

/// The part of a model that reads photos.
pub struct Eye {
    /// Gives a photo its tags.
    pub tagger: Tagger,
    /// What the tags are called.
    pub names: TagNames,
}

/// Hashes of the files that make a part of a model: models whose prints are the same can share the part.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Prints {
    /// Of [`Model::eye`].
    pub eye: String,
    /// Of [`Model::matcher`].
    pub matcher: String,
    /// Of [`Model::catalogue`].
    pub catalogue: String,
    /// Of the model's own tags, by whose numbers kept answers name them; those of an add-on stand behind them.
    pub vocabulary: String,
}

/// The whole model.
pub struct Model {
    /// Its name and version.
    pub version: String,
    /// What its parts are made of.
    pub prints: Prints,
    /// Gives a photo its tags.
    pub eye: Arc<Eye>,
    /// Finds the songs for tags.
    pub matcher: Arc<Matcher>,
    /// The songs.
    pub catalogue: Arc<Catalogue>,
    /// What communities like, as far as the model was fine-tuned.
    pub tastes: Tastes,
}

/// What tags are called in the user's language.
pub struct TagNames {
    code: &'static str,
    lexicon: Option<Lexicon>,
    vocabulary: Vocabulary,
}

impl TagNames {
    /// Names in a language of the lexicon by its ISO 639-1 code; without a lexicon those of the vocabulary.
    pub fn new(vocabulary: Vocabulary, lexicon: Option<Lexicon>, code: &'static str) -> Self {
        Self { code, lexicon, vocabulary }
    }

    /// What to show for a tag in another language.
    pub fn shown_in(&self, tag: TagId, code: &str) -> &str {
        match &self.lexicon {
            Some(lexicon) => lexicon.name(tag.0, code),
            None => self.vocabulary.name(tag),
        }
    }

    /// The tag of this name in the vocabulary.
    pub fn tag(&self, name: &str) -> Option<TagId> {
        self.vocabulary.id(name)
    }

    /// What to show for a tag.
    pub fn shown(&self, tag: TagId) -> &str {
        match &self.lexicon {
            Some(lexicon) => lexicon.name(tag.0, self.code),
            None => self.vocabulary.name(tag),
        }
    }

    /// What to show for a tag named as in the vocabulary; other names come back as they are.
    pub fn shown_for<'a>(&'a self, name: &'a str) -> &'a str {
        self.vocabulary.id(name).map_or(name, |tag| self.shown(tag))
    }

    /// The name of a tag in the vocabulary, the same in every language.
    pub fn stable(&self, tag: TagId) -> &str {
        self.vocabulary.name(tag)
    }
}
