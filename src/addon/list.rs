//! The list of tags that a team writes: TOML with a table `[[tag]]` each, or JSON Lines with an object each.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::AddonError;
use crate::lyric::lexicon::LANGUAGES;
use crate::lyric::own_tag::OwnTag;

/// Most tags of an add-on, and most letters of a name.
pub const MAX_TAGS: usize = 256;
const MAX_LETTERS: usize = 60;

/// A tag to learn.
#[derive(Debug, Clone, PartialEq)]
pub struct ListedTag {
    /// Name and words.
    pub own: OwnTag,
    /// Photos or folders of photos that show it.
    pub photos: Vec<PathBuf>,
    /// Photos or folders that do not show it, though one could think so.
    pub not: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawList {
    #[serde(default)]
    tag: Vec<RawTag>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTag {
    name: String,
    #[serde(default)]
    names: BTreeMap<String, String>,
    #[serde(default)]
    words: Vec<RawWord>,
    photos: Vec<PathBuf>,
    #[serde(default)]
    not: Vec<PathBuf>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum RawWord {
    Plain(String),
    Weighted(String, f32),
}

/// Reads a list, told by its ending: `.jsonl` is JSON Lines, anything else TOML. Paths come back relative to where the
/// program runs, names and words in lower case.
///
/// # Errors
/// The file cannot be read or does not follow the format.
pub fn read(path: &Path) -> Result<Vec<ListedTag>, AddonError> {
    let text =
        std::fs::read_to_string(path).map_err(|source| AddonError::Unreadable { path: path.to_owned(), source })?;
    let is_lines = path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("jsonl"));
    let raw = if is_lines {
        lines(&text)
    } else {
        toml::from_str(&text).map(|list: RawList| list.tag).map_err(|e| e.to_string())
    };
    let folder = path.parent().unwrap_or(Path::new(""));
    let fault = |fault: String| AddonError::List { path: path.to_owned(), fault };
    checked(raw.map_err(fault)?, folder).map_err(|reason| AddonError::List { path: path.to_owned(), fault: reason })
}

fn lines(text: &str) -> Result<Vec<RawTag>, String> {
    let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    numbered.map(|(at, line)| serde_json::from_str(line).map_err(|error| format!("line {}: {error}", at + 1))).collect()
}

fn checked(raw: Vec<RawTag>, folder: &Path) -> Result<Vec<ListedTag>, String> {
    if raw.is_empty() || raw.len() > MAX_TAGS {
        return Err(format!(
            "it has {} tags; 1 to {MAX_TAGS} are allowed, each a table [[tag]] with name and photos",
            raw.len()
        ));
    }
    let mut seen = HashSet::new();
    let mut tags = Vec::with_capacity(raw.len());
    for tag in raw {
        let name = tag.name.trim().to_lowercase();
        let is_plain = !name.is_empty() && name.chars().count() <= MAX_LETTERS && !name.chars().any(char::is_control);
        if !is_plain {
            return Err(format!("a tag is called {:?}; 1 to {MAX_LETTERS} letters in one line are allowed", tag.name));
        }
        if name == "hint" {
            return Err(
                "a tag is called \"hint\", which answers use for the words of --hint; choose another".to_owned()
            );
        }
        if !seen.insert(name.clone()) {
            return Err(format!("the tag {name:?} stands twice; put its photos together"));
        }
        if tag.photos.is_empty() {
            return Err(format!("the tag {name:?} has no photos; name some files or a folder under photos"));
        }
        if let Some(unknown) = tag.names.keys().find(|code| !LANGUAGES.contains(&code.as_str())) {
            return Err(format!(
                "the tag {name:?} has a name in language {unknown:?}; {} are allowed, English is name itself",
                LANGUAGES.join(" ")
            ));
        }
        let words = words(tag.words).map_err(|fault| format!("the tag {name:?}: {fault}"))?;
        let within = |paths: Vec<PathBuf>| paths.into_iter().map(|path| folder.join(path)).collect();
        let own = OwnTag { name, names: tag.names, words };
        tags.push(ListedTag { own, photos: within(tag.photos), not: within(tag.not) });
    }
    Ok(tags)
}

fn words(raw: Vec<RawWord>) -> Result<Vec<(String, f32)>, String> {
    let mut words = Vec::with_capacity(raw.len());
    for word in raw {
        let (word, weight) = match word {
            RawWord::Plain(word) => (word, 1.0),
            RawWord::Weighted(word, weight) => (word, weight),
        };
        if !(weight > 0.0 && weight <= 1.0) {
            return Err(format!("the weight of {word:?} is {weight}; above 0 to 1 is allowed"));
        }
        words.push((word.trim().to_lowercase(), weight));
    }
    words.sort_by(|a, b| b.1.total_cmp(&a.1));
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_as(name: &str, text: &str) -> Result<Vec<ListedTag>, String> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        let strip = |paths: &mut Vec<PathBuf>| {
            paths.iter_mut().for_each(|path| *path = path.strip_prefix(dir.path()).unwrap().to_owned());
        };
        let mut tags = read(&path).map_err(|error| error.to_string().replace(&path.display().to_string(), "FILE"))?;
        tags.iter_mut().for_each(|tag| {
            strip(&mut tag.photos);
            strip(&mut tag.not);
        });
        Ok(tags)
    }

    #[test]
    fn both_forms_say_the_same() {
        let toml = "[[tag]]\nname = \"Sneaker\"\nnames = { de = \"Turnschuh\" }\nwords = [[\"street\", 0.5], \"shoes\"]\n\
                    photos = [\"a\", \"b/1.jpg\"]\nnot = [\"boots\"]\n[[tag]]\nname = \"mug\"\nphotos = [\"mugs\"]\n";
        let json = "{\"name\":\"Sneaker\",\"names\":{\"de\":\"Turnschuh\"},\"words\":[[\"street\",0.5],\"shoes\"],\
                    \"photos\":[\"a\",\"b/1.jpg\"],\"not\":[\"boots\"]}\n\n{\"name\":\"mug\",\"photos\":[\"mugs\"]}\n";
        let tags = read_as("tags.toml", toml).unwrap();
        assert_eq!(tags, read_as("tags.jsonl", json).unwrap());
        assert_eq!(tags[0].own.name, "sneaker");
        assert_eq!(tags[0].own.words, [("shoes".to_owned(), 1.0), ("street".to_owned(), 0.5)]);
        assert_eq!(tags[0].photos, [PathBuf::from("a"), PathBuf::from("b/1.jpg")]);
        assert_eq!((tags[0].not.len(), tags[1].not.len()), (1, 0));
    }

    #[test]
    fn wrong_lists_are_refused_with_what_is_allowed() {
        for (text, part) in [
            ("", "0 tags; 1 to 256"),
            ("[[tag]]\nname = \"x\"\n", "missing field `photos`"),
            ("[[tag]]\nname = \"x\"\nphoto = [\"a\"]\n", "unknown field `photo`"),
            ("[[tag]]\nname = \"x\"\nphotos = []\n", "\"x\" has no photos"),
            ("[[tag]]\nname = \" \"\nphotos = [\"a\"]\n", "1 to 60 letters"),
            ("[[tag]]\nname = \"Hint\"\nphotos = [\"a\"]\n", "--hint"),
            ("[[tag]]\nname = \"x\"\nphotos = [\"a\"]\n[[tag]]\nname = \"X\"\nphotos = [\"a\"]\n", "stands twice"),
            ("[[tag]]\nname = \"x\"\nnames = { sv = \"y\" }\nphotos = [\"a\"]\n", "es pt fr"),
            ("[[tag]]\nname = \"x\"\nwords = [[\"y\", 2.0]]\nphotos = [\"a\"]\n", "above 0 to 1"),
        ] {
            let message = read_as("tags.toml", text).unwrap_err();
            assert!(message.contains(part) && message.contains("docs/TAGS.md"), "{text}: {message}");
        }
        let message = read_as("tags.jsonl", "{\"name\":\"x\",\"photos\":[\"a\"]}\nno\n").unwrap_err();
        assert!(message.contains("FILE: line 2"), "{message}");
        assert!(matches!(read(Path::new("/nowhere/tags.toml")), Err(AddonError::Unreadable { .. })));
    }
}
