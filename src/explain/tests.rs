//! The explanation drawn for every kind of photo and answer, without looking at it: sizes, and that nothing panics.

use image::Rgb;
use proptest::prelude::*;

use super::*;
use crate::tagger::regions::regions;

fn tag(name: &str, prob: f32, region_idx: usize) -> Tag {
    Tag { name: name.to_owned(), prob, region: regions()[region_idx] }
}

fn song(title: &str, artist: &str, evidence: &[(&str, &str)]) -> Song {
    let evidence = evidence.iter().map(|(tag, word)| Woken { tag: (*tag).to_owned(), word: (*word).to_owned() });
    Song { title: title.to_owned(), artist: artist.to_owned(), year: Some(1999), evidence: evidence.collect() }
}

fn grey(width: u32, height: u32) -> RgbImage {
    RgbImage::from_pixel(width, height, Rgb([90, 90, 90]))
}

#[test]
fn the_photo_is_shown_unchanged_between_labels() {
    let drawn = draw(&grey(900, 600), &[], &[]);
    assert_eq!(drawn.get_pixel(28 + 450, 28 + 300).0, [90, 90, 90, 255]);
    assert_eq!(drawn.get_pixel(2, 2).0, [0x14, 0x16, 0x1c, 255]);
    assert!(drawn.pixels().all(|pixel| pixel.0[3] == 255));
}

#[test]
fn small_photos_are_enlarged() {
    assert_eq!(enlarged(&grey(24, 20)).dimensions(), (640, 533));
    assert_eq!(enlarged(&grey(700, 700)).dimensions(), (700, 700));
    assert_eq!(enlarged(&grey(2000, 1000)).dimensions(), (900, 450));
    assert_eq!(enlarged(&grey(300, 100)).dimensions(), (900, 300));
}

#[test]
fn all_shapes_and_answers_are_drawn() {
    let tags: Vec<Tag> = (0..14).map(|idx| tag(&format!("tag {idx}"), 0.07 * idx as f32, idx)).collect();
    let songs = [
        song("A title ".repeat(30).trim(), "An artist ".repeat(30).trim(), &[("tag 3", "word"), ("hint", "夜")]),
        song("東京", "", &[("tag 3", "さくら"), ("tag 3", "さくら")]),
        song("", "", &[]),
    ];
    for (width, height) in [(1, 1), (1, 3000), (3000, 1), (900, 200), (200, 900), (32, 32), (900, 900)] {
        for n_tags in [0, 1, 14] {
            for n_songs in [0, 3] {
                let drawn = draw(&grey(width, height), &tags[..n_tags], &songs[..n_songs]);
                assert!(drawn.width() < 1600 && drawn.height() < 1600, "{:?}", drawn.dimensions());
            }
        }
    }
    assert!(draw(&RgbImage::new(0, 0), &tags, &songs).width() > 100);
}

#[test]
fn the_file_is_a_png_of_the_drawing() {
    let (tags, songs) = ([tag("sea", 0.5, 4)], [song("Waves", "Somebody", &[("sea", "tide")])]);
    let drawn = draw(&grey(300, 200), &tags, &songs);
    let read = image::load_from_memory(&png(&grey(300, 200), &tags, &songs)).unwrap();
    assert_eq!(read.into_rgba8(), drawn);
}

#[test]
fn tags_of_one_region_share_its_color() {
    let tags = [tag("a", 0.9, 0), tag("b", 0.8, 3), tag("c", 0.7, 0)];
    let colored = with_colors(&tags);
    assert_eq!(colored[0].color, colored[2].color);
    assert_ne!(colored[0].color, colored[1].color);
}

#[test]
fn text_is_cut_to_its_room() {
    let style = text::Style::new(20.0, COLORS[0]);
    for room in [0.0, 5.0, 40.0, 100.0, 1000.0] {
        let fitted = text::fitted("a very long title, indeed", style, room);
        assert!(text::width(&fitted, style) <= room, "{fitted:?}");
    }
    assert_eq!(text::fitted("short", style, 500.0), "short");
    assert!(text::fitted("a very long title, indeed", style, 100.0).ends_with('…'));
    assert_eq!(text::drawable("  愛 \n Ünder\tway"), Some("Ünder way".to_owned()));
    assert_eq!(text::drawable("さくら"), Some("sakura".to_owned()));
    for scraps in ["夜", "夜に駆ける", "♪ 夜", "", "!?"] {
        assert_eq!(text::drawable(scraps), None, "{scraps}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_text_and_any_region_is_drawn(
        name in "\\PC{0,30}", title in "\\PC{0,80}", word in "\\PC{0,20}",
        prob in any::<f32>(), corners in prop::array::uniform4(any::<f32>()), side in 1..80u32,
    ) {
        let region = Region { x0: corners[0], y0: corners[1], x1: corners[2], y1: corners[3] };
        let tags = [Tag { name: name.clone(), prob, region }];
        draw(&grey(side, 40), &tags, &[song(&title, &name, &[(&name, &word)])]);
    }
}
