use std::io::Write;

use proptest::prelude::*;

use super::*;
use crate::test_data::data_dir;

fn read(lines: &str) -> Result<(SongSource, Faults), CatalogueError> {
    SongSource::read_lines("songs.jsonl", lines.as_bytes(), &Tokenizer::from_stopwords("[en]\nthe a\n"))
}

#[test]
fn songs_come_with_their_words() {
    let line = r#"{"id":"a-b","title":" Sea \n Song ","artist":"B","year":1999,"language":"en-US","genres":["Pop"],
        "explicit":true,"popularity":0.5,"words":["the","waves","Waves","lovе"],"more":1}"#;
    let (source, faults) = read(&line.replace('\n', "")).unwrap();
    assert_eq!(faults.n_lines, 0);
    let song = &source.songs[0];
    assert_eq!((song.id.as_str(), song.title.as_str(), song.language.as_str()), ("a-b", "Sea Song", "en"));
    assert_eq!((song.year, song.genres.join(","), song.explicit), (Some(1999), "pop".to_owned(), true));
    assert_eq!(song.words, SongWords::Lyric(vec![0, 0, 1]));
    assert_eq!(source.words.iter().collect::<Vec<_>>(), ["waves", "love"]);
}

#[test]
fn keywords_do_where_words_are_absent() {
    let lines = r#"{"title":"Sea","artist":"B","language":"en","keywords":["surf","the","sand"]}

{"title":"Sea","artist":"B","language":"en","keywords":[["surf",0.5],["salt water",0.25],["Surf",0.75]]}"#;
    let (source, _) = read(lines).unwrap();
    assert_eq!((source.songs[0].id.as_str(), source.songs[1].id.as_str()), ("b-sea", "b-sea-2"));
    assert_eq!(source.songs[0].words, SongWords::Bag(vec![(0, 1.0), (1, 1.0 / 1.1)]));
    assert_eq!(source.songs[1].words, SongWords::Bag(vec![(0, 0.75), (2, 0.25), (3, 0.25)]));
}

#[test]
fn every_faulty_line_is_named() {
    let good = r#"{"id":"x","title":"T","artist":"A","language":"en","words":["sea"]}"#;
    for (line, fault) in [
        ("{}", "missing: title, artist, language, words (or keywords)"),
        (r#"{"title":"T","language":"en","words":[]}"#, "missing: artist"),
        ("sea", "not a JSON object as expected: expected value (column 1)"),
        (r#"{"title":7}"#, "not a JSON object as expected: invalid type: integer `7`, expected a string (column 10)"),
        (&good.replace("\"T\"", "\" \""), "title is empty"),
        (&good.replace("en", "english"), "language is \"english\", expected is an ISO 639-1 code such as \"en\""),
        (good, "id \"x\" stands on line 1 too; each song needs its own"),
        (
            &good.replace("\"x\"", "\"y\"").replace("sea", "the"),
            "no word is left without the stop words of \"en\"; give words or keywords",
        ),
        (&good.replace("\"x\"", "\"y\",\"popularity\":2"), "popularity is 2, allowed is 0 to 1"),
    ] {
        let (source, faults) = read(&format!("{good}\n{line}")).unwrap();
        assert_eq!(source.songs.len(), 1);
        assert_eq!(faults.first, [super::super::error::LineFault { line: 2, fault: fault.to_owned() }], "{line}");
    }
    let error = read(&"{}\n".repeat(30)).unwrap_err().to_string();
    assert!(error.starts_with("songs.jsonl: line 1: missing: title"), "{error}");
    assert!(error.ends_with("\n  and 10 more lines"), "{error}");
    assert!(read("\n \n").unwrap_err().to_string().contains("holds no song"));
}

#[test]
fn endless_lines_are_refused() {
    let error = SongSource::read_lines("x", BufReader::new(std::io::repeat(b'a')), &Tokenizer::default()).unwrap_err();
    assert_eq!(error.to_string(), "x, line 1: more than 1048576 bytes in a line; split the file");
}

#[test]
fn gzip_is_known_by_its_content() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("songs");
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(br#"{"title":"T","artist":"A","language":"en","words":["sea"]}"#).unwrap();
    let bytes = encoder.finish().unwrap();
    std::fs::write(&path, &bytes).unwrap();
    assert_eq!(SongSource::read(&path, &Tokenizer::default()).unwrap().songs.len(), 1);
    std::fs::write(&path, &bytes[..bytes.len() - 9]).unwrap();
    let error = SongSource::read(&path, &Tokenizer::default()).unwrap_err().to_string();
    assert!(error.starts_with("cannot read ") && error.ends_with("songs"), "{error}");
}

proptest! {
    #[test]
    fn any_bytes_can_be_read(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = SongSource::read_lines("x", bytes.as_slice(), &Tokenizer::default());
    }
}

#[test]
fn the_data_folder_is_read_as_it_is() {
    let Some(songs) = data_dir("songs") else { return };
    let tokenizer = Tokenizer::from_stopwords(&std::fs::read_to_string(songs.join("stopwords.txt")).unwrap());
    let source = SongSource::read(&songs.join("songs.jsonl.gz"), &tokenizer).unwrap();
    assert_eq!(source.songs.len(), 25_000);
    let n_tokens: usize = source
        .songs
        .iter()
        .map(|song| match &song.words {
            SongWords::Lyric(words) => words.len(),
            SongWords::Bag(_) => 0,
        })
        .sum();
    // Of the 1,789,493 tokens of the file all but those that fold to a stop word stay.
    assert!((1_785_000..=1_789_493).contains(&n_tokens), "{n_tokens}");
}
