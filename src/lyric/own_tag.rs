//! A tag that a team adds to a model's vocabulary: what it is called and what it evokes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Name and words of a tag of a team's own.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OwnTag {
    /// English name, unique in the vocabulary.
    pub name: String,
    /// English words that songs fitting the tag use, with weights in (0, 1], heaviest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<(String, f32)>,
    /// Names in other languages by ISO 639-1 code; a name of one word is a song word that means the tag, too.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub names: BTreeMap<String, String>,
}
