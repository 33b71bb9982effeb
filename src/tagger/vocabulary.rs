//! The tag list of a model: one tag a line, in the order of the head's outputs.

use std::collections::HashMap;

/// Index of a tag in its [`Vocabulary`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TagId(pub u16);

/// Why a tag list cannot be used.
#[derive(Debug, thiserror::Error, PartialEq)]
pub enum VocabularyError {
    /// No line holds a tag.
    #[error("the tag list is empty; write one tag a line")]
    Empty,
    /// The same tag stands on two lines.
    #[error("tag {tag:?} stands on lines {first} and {second}; each tag may stand once")]
    Repeated {
        /// The tag.
        tag: String,
        /// Line of its first mention, from 1.
        first: usize,
        /// Line of its second mention, from 1.
        second: usize,
    },
    /// More tags than an id can count.
    #[error("the tag list has {found} tags, at most {max} are allowed")]
    TooMany {
        /// Tags found.
        found: usize,
        /// Tags allowed.
        max: usize,
    },
}

/// The tags a tagger can give, in the order of its outputs.
#[derive(Debug, Clone, PartialEq)]
pub struct Vocabulary {
    names: Vec<String>,
    ids: HashMap<String, TagId>,
}

impl Vocabulary {
    /// Most tags a vocabulary can hold.
    pub const MAX_TAGS: usize = 4096;

    /// Reads a tag list, one tag a line; empty lines are skipped.
    ///
    /// # Errors
    /// The list is empty, too long or repeats a tag.
    pub fn parse(text: &str) -> Result<Self, VocabularyError> {
        let mut names = Vec::new();
        let mut ids = HashMap::new();
        let mut lines = HashMap::new();
        for (line_idx, line) in text.lines().enumerate() {
            let name = line.trim();
            if name.is_empty() {
                continue;
            }
            if let Some(first) = lines.insert(name.to_owned(), line_idx + 1) {
                return Err(VocabularyError::Repeated { tag: name.to_owned(), first, second: line_idx + 1 });
            }
            if names.len() < Self::MAX_TAGS {
                ids.insert(name.to_owned(), TagId(names.len() as u16));
            }
            names.push(name.to_owned());
        }
        match names.len() {
            0 => Err(VocabularyError::Empty),
            found if found > Self::MAX_TAGS => Err(VocabularyError::TooMany { found, max: Self::MAX_TAGS }),
            _ => Ok(Self { names, ids }),
        }
    }

    /// Its first `n` tags, all if there are fewer.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn first(&self, n: usize) -> Self {
        assert!(n > 0, "a vocabulary is never empty");
        let names: Vec<String> = self.names.iter().take(n).cloned().collect();
        let ids =
            self.ids.iter().filter(|(_, id)| usize::from(id.0) < n).map(|(name, id)| (name.clone(), *id)).collect();
        Self { names, ids }
    }

    /// The same with further tags at its end.
    ///
    /// # Errors
    /// A name stands twice, counted as lines of one list, or the tags are too many.
    pub fn with(mut self, names: &[String]) -> Result<Self, VocabularyError> {
        for name in names {
            let (line, max) = (self.names.len() + 1, Self::MAX_TAGS);
            if line > max {
                return Err(VocabularyError::TooMany { found: line - 1 + names.len(), max });
            }
            if let Some(first) = self.ids.insert(name.clone(), TagId((line - 1) as u16)) {
                let first = usize::from(first.0) + 1;
                return Err(VocabularyError::Repeated { tag: name.clone(), first, second: line });
            }
            self.names.push(name.clone());
        }
        Ok(self)
    }

    /// How many tags there are; at least 1.
    #[allow(clippy::len_without_is_empty, reason = "a vocabulary is never empty")]
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// The tag's name.
    ///
    /// # Panics
    /// If the id is not of this vocabulary.
    pub fn name(&self, tag: TagId) -> &str {
        &self.names[usize::from(tag.0)]
    }

    /// The id of a tag, if the vocabulary has it.
    pub fn id(&self, name: &str) -> Option<TagId> {
        self.ids.get(name).copied()
    }

    /// All names, in order of their ids.
    pub fn names(&self) -> &[String] {
        &self.names
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_keep_their_order() {
        let vocabulary = Vocabulary::parse("beach\n\nsea \n").unwrap();
        assert_eq!(vocabulary.names(), ["beach", "sea"]);
        assert_eq!(vocabulary.id("sea"), Some(TagId(1)));
        assert_eq!(vocabulary.id("snow"), None);
    }

    #[test]
    fn unusable_lists_are_refused() {
        assert_eq!(Vocabulary::parse(" \n"), Err(VocabularyError::Empty));
        let twice = Vocabulary::parse("sea\nsand\nsea");
        assert_eq!(twice, Err(VocabularyError::Repeated { tag: "sea".into(), first: 1, second: 3 }));
    }
}
