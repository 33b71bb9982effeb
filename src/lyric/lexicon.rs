//! What each tag is called in nine languages besides English, by which words songs name it, and what it evokes.

use std::collections::HashMap;
use std::path::Path;

use super::error::LyricError;
use super::own_tag::OwnTag;
use super::word_files::text_or_empty;

/// The languages of the columns of `tags.tsv`, in their order.
pub const LANGUAGES: [&str; 9] = ["es", "pt", "fr", "de", "it", "nl", "ja", "ko", "zh"];

/// English, whose forms follow from the tag's name.
const ENGLISH: usize = LANGUAGES.len();

/// Plurals that no ending gives.
const IRREGULAR: [(&str, &str); 12] = [
    ("child", "children"),
    ("fish", "fishes"),
    ("foot", "feet"),
    ("goose", "geese"),
    ("knife", "knives"),
    ("leaf", "leaves"),
    ("man", "men"),
    ("mouse", "mice"),
    ("person", "people"),
    ("scarf", "scarves"),
    ("wolf", "wolves"),
    ("woman", "women"),
];

/// Names and word forms of one tag.
#[derive(Debug, Clone, Default)]
struct Entry {
    /// By language, English last; empty where the lexicon has none.
    names: [String; LANGUAGES.len() + 1],
    forms: [Vec<String>; LANGUAGES.len() + 1],
    evokes: Vec<(String, f32)>,
}

/// The lexicon of a vocabulary; tags are numbered as there.
#[derive(Debug, Clone, Default)]
pub struct Lexicon {
    entries: Vec<Entry>,
    /// By language: the tags that a word can stand for, closest first.
    tags_by_form: [HashMap<String, Vec<u16>>; LANGUAGES.len() + 1],
    /// The tags that an English word is evoked by, strongest first.
    tags_by_evoked: HashMap<String, Vec<(u16, f32)>>,
}

impl Lexicon {
    /// Reads `tags.tsv` and `evokes.tsv` of a folder. A file that is not there counts as empty, and a tag without a
    /// row keeps its English name and forms; rows of tags outside the vocabulary are passed over.
    ///
    /// # Errors
    /// A file cannot be read, or a line is not as it should be.
    pub fn load(dir: &Path, vocabulary: &[String]) -> Result<Self, LyricError> {
        let read = |name: &str| text_or_empty(&dir.join(name));
        Self::parse(&read("tags.tsv")?, &read("evokes.tsv")?, vocabulary)
    }

    /// The lexicon of these two texts.
    ///
    /// # Errors
    /// A line is not as it should be.
    pub fn parse(tags: &str, evokes: &str, vocabulary: &[String]) -> Result<Self, LyricError> {
        let tag_ids: HashMap<&str, usize> =
            vocabulary.iter().enumerate().map(|(id, name)| (name.as_str(), id)).collect();
        let mut entries: Vec<Entry> = vocabulary.iter().map(|name| english_entry(name)).collect();
        for (line_idx, line) in tags.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let bad_line = |fault| LyricError::BadLine { file: "tags.tsv".to_owned(), line: line_idx + 1, fault };
            let (name, cells) = line.split_once('\t').unwrap_or((line, ""));
            if let Some(&tag) = tag_ids.get(name) {
                read_cells(&mut entries[tag], cells).map_err(bad_line)?;
            }
        }
        for (line_idx, line) in evokes.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let bad_line = |fault| LyricError::BadLine { file: "evokes.tsv".to_owned(), line: line_idx + 1, fault };
            let (name, row) = line.split_once('\t').unwrap_or((line, ""));
            if let Some(&tag) = tag_ids.get(name) {
                entries[tag].evokes = read_evoked(row).map_err(bad_line)?;
            }
        }
        let mut lexicon = Self { entries, ..Self::default() };
        lexicon.index_forms();
        lexicon.index_evoked();
        Ok(lexicon)
    }

    /// The same with a team's own tags behind those that are there. A name of one word, in lower case, is a form.
    pub fn with(mut self, tags: &[OwnTag]) -> Self {
        for tag in tags {
            let mut entry = english_entry(&tag.name);
            for (code, name) in &tag.names {
                let Some(column) = column(code).filter(|column| *column != ENGLISH) else { continue };
                entry.names[column] = name.clone();
                if !name.contains(char::is_whitespace) {
                    entry.forms[column] = vec![name.to_lowercase()];
                }
            }
            entry.evokes = tag.words.clone();
            entry.evokes.sort_by(|a, b| b.1.total_cmp(&a.1));
            self.entries.push(entry);
        }
        self.tags_by_evoked.clear();
        self.index_forms();
        self.index_evoked();
        self
    }

    /// How many tags there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no tag.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What to call the tag in this language (ISO 639-1); its English name where the lexicon does not say.
    ///
    /// # Panics
    /// If the tag is not of this vocabulary.
    pub fn name(&self, tag: u16, language: &str) -> &str {
        let names = &self.entries[usize::from(tag)].names;
        let own = column(language).map_or("", |column| names[column].as_str());
        if own.is_empty() { &names[ENGLISH] } else { own }
    }

    /// The song words of this language that mean the tag, closest first; none for a language without a column.
    ///
    /// # Panics
    /// If the tag is not of this vocabulary.
    pub fn forms(&self, tag: u16, language: &str) -> &[String] {
        let forms = &self.entries[usize::from(tag)].forms;
        column(language).map_or(&[], |column| &forms[column])
    }

    /// The tag that a song word of this language means best: the one that has it earliest among its forms.
    pub fn tag_of(&self, language: &str, word: &str) -> Option<u16> {
        self.tags_of(language, word).first().copied()
    }

    /// All tags that a song word of this language can mean, closest first (`arena` is sand, then beach and desert).
    pub fn tags_of(&self, language: &str, word: &str) -> &[u16] {
        column(language).and_then(|column| self.tags_by_form[column].get(word)).map_or(&[], Vec::as_slice)
    }

    /// The English words that songs fitting the tag use, with weights in (0, 1], heaviest first.
    ///
    /// # Panics
    /// If the tag is not of this vocabulary.
    pub fn evokes(&self, tag: u16) -> &[(String, f32)] {
        &self.entries[usize::from(tag)].evokes
    }

    /// The tags that evoke this English word, with the weights, heaviest first.
    pub fn evoked_by(&self, word: &str) -> &[(u16, f32)] {
        self.tags_by_evoked.get(word).map_or(&[], Vec::as_slice)
    }

    /// Whether a song word of this language means a tag or, in English, is evoked by one.
    pub fn knows(&self, language: &str, word: &str) -> bool {
        !self.tags_of(language, word).is_empty() || (language == "en" && self.tags_by_evoked.contains_key(word))
    }

    fn index_forms(&mut self) {
        for column in 0..=ENGLISH {
            let mut by_form: HashMap<String, Vec<(usize, u16)>> = HashMap::new();
            for (tag, entry) in self.entries.iter().enumerate() {
                for (place, form) in entry.forms[column].iter().enumerate() {
                    by_form.entry(form.clone()).or_default().push((place, tag as u16));
                }
            }
            self.tags_by_form[column] = by_form
                .into_iter()
                .map(|(form, mut places)| {
                    places.sort_unstable();
                    (form, places.into_iter().map(|(_, tag)| tag).collect())
                })
                .collect();
        }
    }

    fn index_evoked(&mut self) {
        for (tag, entry) in self.entries.iter().enumerate() {
            for (word, weight) in &entry.evokes {
                self.tags_by_evoked.entry(word.clone()).or_default().push((tag as u16, *weight));
            }
        }
        for tags in self.tags_by_evoked.values_mut() {
            tags.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        }
    }
}

fn column(language: &str) -> Option<usize> {
    if language == "en" {
        return Some(ENGLISH);
    }
    LANGUAGES.iter().position(|&known| known == language)
}

/// What a tag's name alone says: a name of one word is a form, and so is its plural; a longer name is a phrase, and its
/// words alone mean other things.
fn english_entry(name: &str) -> Entry {
    let mut entry = Entry::default();
    entry.names[ENGLISH] = name.to_owned();
    if !name.contains(char::is_whitespace) {
        entry.forms[ENGLISH] = vec![name.to_owned(), plural(name)];
    }
    entry
}

fn plural(noun: &str) -> String {
    if let Some((_, plural)) = IRREGULAR.iter().find(|(singular, _)| *singular == noun) {
        return (*plural).to_owned();
    }
    let before_y = noun.strip_suffix('y').filter(|stem| !stem.ends_with(['a', 'e', 'i', 'o', 'u']));
    match before_y {
        Some(stem) => format!("{stem}ies"),
        None if noun.ends_with(['s', 'x', 'z']) || noun.ends_with("ch") || noun.ends_with("sh") => format!("{noun}es"),
        None => format!("{noun}s"),
    }
}

/// Cells `<name> | <form>,<form>,...`, one a language.
fn read_cells(entry: &mut Entry, cells: &str) -> Result<(), String> {
    let cells: Vec<&str> = cells.split('\t').collect();
    if cells.len() != LANGUAGES.len() {
        return Err(format!("{} cells behind the tag; write one for each of {LANGUAGES:?}", cells.len()));
    }
    for (column, cell) in cells.into_iter().enumerate() {
        let (name, forms) = cell
            .split_once(" | ")
            .ok_or_else(|| format!("cell {cell:?} of {} is not \"name | form,form\"", LANGUAGES[column]))?;
        entry.names[column] = name.trim().to_owned();
        entry.forms[column] =
            forms.split(',').map(str::trim).filter(|form| !form.is_empty()).map(str::to_owned).collect();
    }
    Ok(())
}

/// Words with weights, `<word>:<weight>,...`.
fn read_evoked(row: &str) -> Result<Vec<(String, f32)>, String> {
    let mut evoked = Vec::new();
    for pair in row.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (word, weight) = pair.rsplit_once(':').ok_or_else(|| format!("{pair:?} is not \"word:weight\""))?;
        let weight: f32 = weight.parse().map_err(|_| format!("the weight of {pair:?} is no number"))?;
        if !(weight > 0.0 && weight <= 1.0) {
            return Err(format!("the weight of {pair:?} is not in (0, 1]"));
        }
        evoked.push((word.to_owned(), weight));
    }
    evoked.sort_by(|a: &(String, f32), b| b.1.total_cmp(&a.1));
    Ok(evoked)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::test_data::data_dir;

    const TAGS: &str = "\
beach\tplaya | playa,arena\tpraia | praia\tplage | plage,sable\tStrand | strand\tspiaggia | spiaggia\tstrand | strand\t\
浜 | 浜\t해변 | 해변,해변은\t海滩 | 海滩
sand\tarena | arena\tareia | areia\tsable | sable\tSand | sand\tsabbia | sabbia\tzand | zand\t砂 | 砂\t모래 | 모래\t沙 | 沙
moon\tluna | luna\tlua | lua\tlune | lune\tMond | mond\tluna | luna\tmaan | maan\t月 | 月\t달 | 달은\t月 | 月
";

    fn vocabulary(tags: &[&str]) -> Vec<String> {
        tags.iter().map(|&tag| tag.to_owned()).collect()
    }

    fn sample() -> Lexicon {
        let tags = vocabulary(&["beach", "sand", "gas station", "city"]);
        Lexicon::parse(TAGS, "beach\tsand:0.6,wave:0.9\ncity\twave:0.35\n", &tags).unwrap()
    }

    #[test]
    fn tags_have_names_and_forms() {
        let lexicon = sample();
        assert_eq!(lexicon.name(0, "fr"), "plage");
        assert_eq!(lexicon.name(2, "fr"), "gas station");
        assert_eq!(lexicon.name(0, "sv"), "beach");
        assert_eq!(lexicon.forms(0, "es"), ["playa", "arena"]);
        assert_eq!(lexicon.forms(0, "en"), ["beach", "beaches"]);
        assert_eq!(lexicon.forms(3, "en"), ["city", "cities"]);
        assert!(lexicon.forms(2, "en").is_empty() && lexicon.forms(0, "sv").is_empty());
    }

    #[test]
    fn words_lead_to_tags() {
        let lexicon = sample();
        assert_eq!(lexicon.tags_of("es", "arena"), [1, 0]);
        assert_eq!(lexicon.tag_of("fr", "plage"), Some(0));
        assert_eq!(lexicon.tag_of("fr", "playa"), None);
        assert_eq!(lexicon.tag_of("en", "cities"), Some(3));
        assert_eq!(lexicon.evokes(0), [("wave".to_owned(), 0.9), ("sand".to_owned(), 0.6)]);
        assert_eq!(lexicon.evoked_by("wave"), [(0, 0.9), (3, 0.35)]);
        assert!(lexicon.knows("en", "wave") && !lexicon.knows("fr", "wave") && lexicon.knows("ja", "砂"));
    }

    #[test]
    fn own_tags_stand_behind_those_of_the_model() {
        let before = sample();
        let names = [("fr".to_owned(), "Planche".to_owned()), ("de".to_owned(), "Surf Brett".to_owned())].into();
        let words = vec![("sea".to_owned(), 0.4), ("wave".to_owned(), 0.6)];
        let lexicon = before.clone().with(&[OwnTag { name: "surfboard".to_owned(), names, words }]);
        assert_eq!((before.len(), lexicon.len()), (4, 5));
        assert_eq!((lexicon.name(4, "fr"), lexicon.name(4, "es")), ("Planche", "surfboard"));
        assert_eq!(lexicon.tag_of("fr", "planche"), Some(4));
        assert!(lexicon.forms(4, "de").is_empty(), "two words are no song word");
        assert_eq!(lexicon.tag_of("en", "surfboards"), Some(4));
        assert_eq!(lexicon.evoked_by("wave"), [(0, 0.9), (4, 0.6), (3, 0.35)]);
        assert_eq!(lexicon.tags_of("es", "arena"), before.tags_of("es", "arena"));
    }

    #[test]
    fn wrong_lines_are_named() {
        let tags = vocabulary(&["sea"]);
        for (lines, evokes, message) in [
            ("sea\tmar | mar\n", "", "tags.tsv, line 1: 1 cells behind the tag"),
            ("\nsea\ta\ta\ta\ta\ta\ta\ta\ta\ta\n", "", "tags.tsv, line 2: cell \"a\" of es is not"),
            ("", "sea\tsalt\n", "evokes.tsv, line 1: \"salt\" is not"),
            ("", "sea\tsalt:much\n", "evokes.tsv, line 1: the weight of \"salt:much\" is no number"),
            ("", "sea\tsalt:1.5\n", "evokes.tsv, line 1: the weight of \"salt:1.5\" is not in (0, 1]"),
        ] {
            let error = Lexicon::parse(lines, evokes, &tags).unwrap_err().to_string();
            assert!(error.starts_with(message), "{error}");
        }
    }

    #[test]
    fn the_data_folder_has_every_tag() {
        let (Some(dir), Some(photos)) = (data_dir("lexicon"), data_dir("photos")) else { return };
        let tags: Vec<String> =
            std::fs::read_to_string(photos.join("tags.txt")).unwrap().lines().map(str::to_owned).collect();
        let lexicon = Lexicon::load(&dir, &tags).unwrap();
        for tag in 0..tags.len() as u16 {
            assert!(LANGUAGES.iter().all(|language| !lexicon.forms(tag, language).is_empty()));
            assert!((4..=12).contains(&lexicon.evokes(tag).len()), "{}", tags[usize::from(tag)]);
        }
        let sand = tags.iter().position(|tag| tag == "sand").unwrap() as u16;
        assert_eq!(lexicon.tag_of("fr", "sable"), Some(sand));
    }

    #[test]
    fn a_folder_without_files_gives_english_names() {
        let dir = tempfile::tempdir().unwrap();
        let lexicon = Lexicon::load(dir.path(), &vocabulary(&["wolf"])).unwrap();
        assert_eq!(lexicon.forms(0, "en"), ["wolf", "wolves"]);
        assert!(lexicon.evokes(0).is_empty());
    }
}
