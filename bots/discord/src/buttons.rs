//! What stands under an answer: a thumb up and down per song, and what concerns the whole answer.

use image2song_contract::answer::Answer;
use image2song_contract::payload::{Payload, Verb};
use serenity::builder::{CreateActionRow, CreateButton};
use serenity::model::application::ButtonStyle;

/// A row of Discord holds five.
const PER_ROW: usize = 5;

/// At most five rows: up, down (two each for more than five songs), and the whole answer.
pub fn rows(answer: &Answer) -> Vec<CreateActionRow> {
    let payload = |verb, rank| Payload { verb, slate: answer.slate, rank }.to_string();
    let mut rows = Vec::new();
    for songs in answer.songs.chunks(PER_ROW).take(2) {
        for (verb, thumb) in [(Verb::Up, "👍"), (Verb::Down, "👎")] {
            let button = |rank: u8| {
                CreateButton::new(payload(verb, rank)).label(format!("{thumb} {rank}")).style(ButtonStyle::Secondary)
            };
            rows.push(CreateActionRow::Buttons(songs.iter().map(|song| button(song.rank)).collect()));
        }
    }
    let whole = [
        (Verb::More, "button-more", ButtonStyle::Primary),
        (Verb::Why, "button-why", ButtonStyle::Secondary),
        (Verb::Delete, "button-delete", ButtonStyle::Danger),
    ];
    let whole = whole
        .map(|(verb, label, style)| CreateButton::new(payload(verb, 0)).label(answer.locale.say(label)).style(style));
    rows.push(CreateActionRow::Buttons(whole.into()));
    rows
}
