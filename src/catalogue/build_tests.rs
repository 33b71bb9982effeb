use proptest::prelude::*;

use super::*;
use crate::catalogue::census::{Census, most_frequent};
use crate::catalogue::load::Catalogue;
use crate::catalogue::song::SongIdx;
use crate::lyric::lexicon::Lexicon;
use crate::lyric::vectors::WordVectors;
use crate::test_data::data_dir;

const SONGS: &str = r#"{"id":"one","title":"Sea of Sand","artist":"Ana","year":1999,"language":"en","genres":["pop","rock"],"popularity":0.75,"words":["sand","sea","waves","sea","unheard","stone"]}
{"id":"two","title":"Plage d'été","artist":"Bô & Ana","language":"fr","explicit":true,"genres":["rock"],"words":["stone","plage"]}
{"title":"Allstar","artist":"Ana","language":"en","keywords":["stone","sea"]}
"#;

fn space() -> WordSpace {
    let words = ["sea", "sand", "stone", "waves"];
    let vectors = WordVectors::from_rows(words, &[1.0, 0.0, 0.0, 1.0, 1.0, 1.0, -1.0, 1.0]).unwrap();
    let cells = "x | x\tx | x\tplage | plage\t".to_owned() + &["x | x"; 6].join("\t");
    WordSpace::new(vectors, Lexicon::parse(&format!("beach\t{cells}\n"), "", &["beach".to_owned()]).unwrap())
}

fn sample_file() -> Vec<u8> {
    let tokenizer = Tokenizer::default();
    let (source, _) = SongSource::read_lines("x", SONGS.as_bytes(), &tokenizer).unwrap();
    build(&source, &space(), &tokenizer).unwrap()
}

fn words(catalogue: &Catalogue, song: u32) -> Vec<&str> {
    catalogue.keywords(SongIdx(song)).iter().map(|keyword| catalogue.word(keyword.word)).collect()
}

#[test]
fn a_catalogue_keeps_facts_and_keywords() {
    let catalogue = Catalogue::from_bytes(&sample_file()).unwrap();
    assert_eq!(catalogue.len(), 3);
    let one = catalogue.song(SongIdx(0));
    assert_eq!((one.id, one.title, one.artist), ("one", "Sea of Sand", "Ana"));
    assert_eq!((one.year, one.language, one.explicit), (Some(1999), "en", false));
    assert_eq!((one.genres, one.popularity), (vec!["pop", "rock"], Some(0.75)));
    let two = catalogue.song(SongIdx(1));
    assert_eq!((two.year, two.popularity, two.explicit), (None, None, true));
    assert_eq!(catalogue.by_id("ana-allstar"), Some(SongIdx(2)));
    assert_eq!(catalogue.artist_idx(SongIdx(0)), catalogue.artist_idx(SongIdx(2)));
    assert_eq!(catalogue.languages().collect::<Vec<_>>(), [("en", 2), ("fr", 1)]);
    assert_eq!(words(&catalogue, 2), ["stone", "sea"]);
    let title_words = catalogue.title_words(SongIdx(0)).iter().map(|&word| catalogue.word(word));
    assert_eq!(title_words.collect::<Vec<_>>(), ["sea", "sand"]);
    assert_eq!(catalogue.word_id("unheard"), None);
}

#[test]
fn keywords_stand_by_weight_then_by_word() {
    let catalogue = Catalogue::from_bytes(&sample_file()).unwrap();
    // Once in one of two songs weigh `sand` and `waves` the same; `sea` and `stone` are in both.
    assert_eq!(words(&catalogue, 0)[..2], ["sand", "waves"]);
    assert_eq!(words(&catalogue, 1), ["plage", "stone"]);
    for song in catalogue.songs() {
        let keywords = catalogue.keywords(song);
        assert_eq!(keywords[0].weight, 1.0);
        assert!(keywords.windows(2).all(|two| (two[1].weight, two[0].word) < (two[0].weight, two[1].word)
            || two[0].weight > two[1].weight));
    }
}

#[test]
fn rarity_is_of_the_language() {
    let catalogue = Catalogue::from_bytes(&sample_file()).unwrap();
    assert_eq!((catalogue.n_songs_with("en", "sea"), catalogue.n_songs_with("fr", "sea")), (2, 0));
    assert!(catalogue.rarity("en", "sand") > catalogue.rarity("en", "sea"));
    assert_eq!(catalogue.rarity("ja", "sea"), 0.0);
}

#[test]
fn songs_are_counted_by_kind() {
    let catalogue = Catalogue::from_bytes(&sample_file()).unwrap();
    let census = Census::of(&catalogue, catalogue.songs());
    assert_eq!((census.songs, census.explicit), (3, 1));
    assert_eq!(census.decades, [(1990, 1)].into());
    assert_eq!(most_frequent(&census.languages), [("en", 2), ("fr", 1)]);
    assert_eq!(most_frequent(&census.genres), [("rock", 2), ("pop", 1)]);
}

#[test]
fn equal_songs_give_equal_bytes() {
    assert_eq!(sample_file(), sample_file());
}

#[test]
fn songs_are_found_by_name() {
    let catalogue = Catalogue::from_bytes(&sample_file()).unwrap();
    for (text, expected) in [
        ("sea of sand", vec![0]),
        ("SEE of sand", vec![0]),
        ("Plage d’ete", vec![1]),
        ("plaeg", vec![1]),
        ("bo and ana", vec![1]),
        ("all star", vec![2]),
        ("alls", vec![2]),
        ("ana sand", vec![0]),
        ("nothing like it", vec![]),
        ("", vec![]),
        ("!?", vec![]),
    ] {
        let found: Vec<u32> = catalogue.search(text, 1).into_iter().map(|song| song.0).collect();
        assert_eq!(found, expected, "{text}");
    }
    assert_eq!(catalogue.search("ana", 9).len(), 3);
}

#[test]
fn a_damaged_file_is_refused() {
    let file = sample_file();
    for position in 0..file.len() {
        assert!(Catalogue::from_bytes(&file[..position]).is_err(), "cut at {position}");
        let mut changed = file.clone();
        changed[position] ^= 0x55;
        assert!(Catalogue::from_bytes(&changed).is_err(), "changed at {position}");
    }
    let dir = tempfile::tempdir().unwrap();
    crate::catalogue::load::write_catalogue(dir.path(), &file[..90]).unwrap();
    let error = Catalogue::load(dir.path()).unwrap_err().to_string();
    assert!(error.contains("catalogue.bin") && error.contains("image2song catalog build"), "{error}");
}

proptest! {
    /// What a checksum lets through must not panic either: payloads that are packed anew after a change.
    #[test]
    fn a_changed_payload_never_panics(position in 0_usize..4000, byte in any::<u8>(), n_cut in 0_usize..40) {
        let kind = crate::catalogue::format::KIND;
        let mut payload = kind.unpack(&sample_file()).unwrap();
        let position = position % payload.len();
        payload[position] = byte;
        payload.truncate(payload.len() - n_cut % payload.len());
        if let Ok(catalogue) = Catalogue::from_bytes(&kind.pack(&payload).unwrap()) {
            for song in catalogue.songs() {
                let shown = catalogue.song(song);
                catalogue.rarity(shown.language, "sea");
                words(&catalogue, song.0);
                catalogue.title_words(song).iter().for_each(|&word| assert!(!catalogue.word(word).contains('\n')));
            }
            catalogue.search("sea sand", 3);
        }
    }

    #[test]
    fn any_bytes_can_be_loaded(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Catalogue::from_bytes(&bytes).is_err());
    }
}

#[test]
fn the_data_folder_becomes_a_small_catalogue() {
    let (Some(dir), Some(songs), Some(photos)) = (data_dir(""), data_dir("songs"), data_dir("photos")) else { return };
    let tags = std::fs::read_to_string(photos.join("tags.txt")).unwrap();
    let tags: Vec<String> = tags.lines().map(str::to_owned).collect();
    let space = WordSpace::read_training(&dir, &tags).unwrap();
    let tokenizer = Tokenizer::from_stopwords(&std::fs::read_to_string(songs.join("stopwords.txt")).unwrap());
    let source = SongSource::read(&songs.join("songs.jsonl.gz"), &tokenizer).unwrap();
    let file = build(&source, &space, &tokenizer).unwrap();
    assert!(file.len() <= 5_000_000, "{}", file.len());
    let catalogue = Catalogue::from_bytes(&file).unwrap();
    assert_eq!(catalogue.len(), 25_000);
    for (song, source_song) in catalogue.songs().zip(&source.songs) {
        assert_eq!(catalogue.song(song).id, source_song.id);
        assert!((1..=40).contains(&catalogue.keywords(song).len()));
    }
    let first = |text: &str| catalogue.search(text, 1).first().map(|&song| catalogue.title(song).to_owned());
    assert_eq!(first("coming up clsoe til tuesday").as_deref(), Some("Coming Up Close"));
    eprintln!("catalogue file: {} bytes, {} words", file.len(), catalogue.n_words());
}
