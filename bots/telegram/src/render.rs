//! Answers as one Telegram message: text with links, and the buttons below.

use image2song_contract::answer::{Answer, SongLine};
use image2song_contract::ask::Intake;
use image2song_contract::locale::Locale;
use image2song_contract::payload::{Payload, SlateId, Verb};
use image2song_contract::phrasing;
use teloxide::types::{InlineKeyboardButton, InlineKeyboardMarkup};

use crate::styled::{Styled, short};

/// Lengths in UTF-16 units that keep five songs with their links below Telegram's limit, whatever they are called.
const MAX_LINE: usize = 160;
const MAX_TITLE: usize = 100;
const MAX_CREDIT: usize = 100;
const MAX_WHY: usize = 180;
const MAX_NOTICE: usize = 300;
const MAX_LINKS: usize = 8;
const MAX_SERVICE: usize = 16;

/// The text of an answer; `hides` puts what names the photo's content under a cover, as the photo is under one.
pub fn answer(answer: &Answer, intake: Intake, hides: bool) -> Styled {
    let mut text = Styled::default();
    for line in phrasing::opening(answer, intake) {
        covered(&mut text, &short(&line, MAX_LINE), hides);
        text.newline();
    }
    songs(&mut text, answer, hides);
    text
}

/// The text of further songs.
pub fn more(answer: &Answer, hides: bool) -> Styled {
    let mut text = Styled::of(&answer.locale.say("more-heading"));
    text.newline();
    songs(&mut text, answer, hides);
    text
}

fn songs(text: &mut Styled, answer: &Answer, hides: bool) {
    for one in &answer.songs {
        text.newline();
        song(text, one, answer.locale, hides);
    }
    if let Some(level) = answer.notice {
        text.newline().italic(&short(&phrasing::notice(answer.locale, level), MAX_NOTICE));
    }
}

fn song(text: &mut Styled, song: &SongLine, locale: Locale, hides: bool) {
    text.bold(&format!("{}. {}", song.rank, short(&song.title, MAX_TITLE)));
    text.text(" · ").text(&short(&phrasing::credit(song, locale), MAX_CREDIT)).newline();
    let why = phrasing::why_line(song, locale);
    if !why.is_empty() {
        covered(text, &short(&why, MAX_WHY), hides);
        text.newline();
    }
    for (idx, link) in song.links.iter().take(MAX_LINKS).enumerate() {
        if idx > 0 {
            text.text(" · ");
        }
        text.link(&short(&link.service, MAX_SERVICE), &link.url);
    }
    text.newline();
}

fn covered(text: &mut Styled, words: &str, hides: bool) {
    if hides {
        text.spoiler(words);
    } else {
        text.text(words);
    }
}

/// The buttons below an answer.
pub fn buttons(answer: &Answer) -> InlineKeyboardMarkup {
    let (slate, locale) = (answer.slate, answer.locale);
    let votes = |verb: Verb, thumb: &str| -> Vec<InlineKeyboardButton> {
        answer.songs.iter().map(|song| button(format!("{thumb} {}", song.rank), verb, slate, song.rank)).collect()
    };
    let whole = |name: &str, verb: Verb| button(locale.say(name), verb, slate, 0);
    InlineKeyboardMarkup::new([
        votes(Verb::Up, "👍"),
        votes(Verb::Down, "👎"),
        vec![whole("button-more", Verb::More), whole("button-why", Verb::Why), whole("button-delete", Verb::Delete)],
    ])
}

fn button(text: String, verb: Verb, slate: SlateId, rank: u8) -> InlineKeyboardButton {
    InlineKeyboardButton::callback(text, Payload { verb, slate, rank }.to_string())
}

#[cfg(test)]
mod tests {
    use image2song_contract::fake;
    use image2song_contract::settings::Level;

    use super::*;
    use crate::styled::MAX_TEXT;

    const INTAKE: Intake = Intake { max_bytes: 20 << 20, max_photos: 3, enough_side: 256 };

    #[test]
    fn an_answer_reads_like_this() {
        let mut one = fake::answer(Locale::En);
        one.songs.truncate(1);
        one.notice = Some(Level::Off);
        let text = answer(&one, INTAKE, false);
        assert_eq!(
            text.plain(),
            "I see beach, sea. These songs fit:\n\n1. Song <1> & *Sand* @everyone · The Fakes, 1999\nbeach → surf, \
             sand\nSpotify · YouTube · Apple Music · Deezer\n\n👍 and 👎 only steer the next songs here; nothing is \
             learned from them. /privacy"
        );
        assert!(text.html().contains("<b>1. Song &lt;1&gt; &amp; *Sand* @everyone</b>"));
        assert!(text.html().contains("<a href=\"https://example.org/Spotify?q=%220%22\">Spotify</a>"));
    }

    #[test]
    fn what_is_under_a_cover_stays_there() {
        let text = answer(&fake::answer(Locale::En), INTAKE, true);
        for part in ["I see beach, sea. These songs fit:", "beach → surf, sand"] {
            assert!(text.html().contains(&format!("<tg-spoiler>{part}</tg-spoiler>")), "{}", text.html());
        }
    }

    #[test]
    fn the_longest_answer_fits() {
        let mut long = fake::answer(Locale::En);
        let endless = "😀<&".repeat(3000);
        let links: Vec<_> = (0..20).map(|_| long.songs[0].links[0].clone()).collect();
        for song in &mut long.songs {
            (song.title, song.artist, song.links) = (endless.clone(), endless.clone(), links.clone());
            song.links.iter_mut().for_each(|link| link.service = endless.clone());
            song.reasons[0].tag = endless.clone();
        }
        let mut sight = long.sights[0].clone();
        sight.name = endless;
        long.sights = vec![sight; 3];
        (long.is_sure, long.n_left_out, long.notice) = (false, 7, Some(Level::Training));
        assert!(answer(&long, INTAKE, false).plain().encode_utf16().count() <= MAX_TEXT);
    }

    #[test]
    fn there_are_buttons_for_every_song_and_for_the_answer() {
        let markup = buttons(&fake::answer(Locale::En));
        let texts: Vec<Vec<&str>> =
            markup.inline_keyboard.iter().map(|row| row.iter().map(|button| button.text.as_str()).collect()).collect();
        assert_eq!(
            texts,
            [
                vec!["👍 1", "👍 2", "👍 3", "👍 4", "👍 5"],
                vec!["👎 1", "👎 2", "👎 3", "👎 4", "👎 5"],
                vec!["More", "Why?", "Delete"],
            ]
        );
    }
}
