//! An answer as Discord shows it: one embed with a field per song, and buttons.

use image2song_contract::answer::{Answer, SongLine};
use image2song_contract::ask::Intake;
use image2song_contract::locale::Locale;
use image2song_contract::phrasing;
use serenity::builder::{CreateEmbed, CreateEmbedFooter};

use crate::api::Show;
use crate::buttons;
use crate::markdown::{escape, link, spoiler};

/// Most characters of an embed's description that we use; Discord takes 4096, but 6000 in all.
const MAX_OPENING: usize = 1500;
/// Most characters of a field's name.
const MAX_NAME: usize = 256;
/// Most characters of a field.
const MAX_FIELD: usize = 1024;
/// Most characters of an embed in all.
const MAX_EMBED: usize = 6000;
/// The project's violet.
const COLOR: u32 = 0x7a_4f_d0;

/// The message that shows an answer. What is in a hidden photo stays hidden until somebody clicks.
pub fn show(answer: &Answer, intake: Intake, is_spoiler: bool, is_more: bool) -> Show {
    let hide = |text: String| if is_spoiler { spoiler(&text) } else { text };
    let opening = match is_more {
        true => answer.locale.say("more-heading"),
        false => {
            let lines = phrasing::opening(answer, intake);
            // Cut before escaping, so that no escape is torn apart; escaping makes it twice as long at most.
            let most = MAX_OPENING / 2 / lines.len().max(1);
            let lines: Vec<String> = lines.iter().map(|line| escape(&phrasing::cut(line, most))).collect();
            hide(lines.join("\n"))
        }
    };
    let mut embed = CreateEmbed::new().description(&opening).color(COLOR);
    let notice = answer.notice.map(|level| phrasing::notice(answer.locale, level)).unwrap_or_default();
    let mut left = MAX_EMBED.saturating_sub(n_chars(&opening) + n_chars(&notice));
    if !notice.is_empty() {
        embed = embed.footer(CreateEmbedFooter::new(&notice));
    }
    for (idx, song) in answer.songs.iter().enumerate() {
        let share = left / (answer.songs.len() - idx);
        let name =
            phrasing::cut(&format!("{}. {}", song.rank, escape(&phrasing::cut(&song.title, MAX_NAME / 3))), MAX_NAME);
        let value = field(song, answer.locale, share.saturating_sub(n_chars(&name)).min(MAX_FIELD), &hide);
        left = left.saturating_sub(n_chars(&name) + n_chars(&value));
        embed = embed.field(name, value, false);
    }
    Show { embed: Some(embed), rows: buttons::rows(answer), ..Show::default() }
}

/// Artist, reasons and as many links as fit.
fn field(song: &SongLine, locale: Locale, max: usize, hide: &dyn Fn(String) -> String) -> String {
    let mut text = escape(&phrasing::cut(&phrasing::credit(song, locale), 100));
    let why = phrasing::why_line(song, locale);
    if !why.is_empty() {
        text += &format!("\n{}", hide(escape(&phrasing::cut(&why, 150))));
    }
    let mut has_link = false;
    for listen in &song.links {
        let next = format!("{}{}", if has_link { " · " } else { "\n" }, link(&listen.service, &listen.url));
        if n_chars(&text) + n_chars(&next) > max {
            break;
        }
        text += &next;
        has_link = true;
    }
    text
}

fn n_chars(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use image2song_contract::answer::Link;
    use image2song_contract::fake;
    use serenity::json::{Value, json};

    use super::*;

    const INTAKE: Intake = Intake { max_bytes: 20 << 20, max_photos: 3, enough_side: 256 };

    fn embed(show: &Show) -> Value {
        json!(show.embed.as_ref().expect("an answer has an embed"))
    }

    #[test]
    fn songs_stand_in_fields_with_reasons_and_links() {
        let embed = embed(&show(&fake::answer(Locale::En), INTAKE, false, false));
        assert_eq!(embed["description"], "I see beach, sea. These songs fit:");
        let first = &embed["fields"][0];
        assert_eq!(first["name"], "1. Song \\<1\\> & \\*Sand\\* @\u{200b}everyone");
        let value = first["value"].as_str().unwrap();
        assert!(
            value.starts_with("The Fakes, 1999\nbeach → surf, sand\n[Spotify](https://example.org/Spotify?q="),
            "{value}"
        );
        assert_eq!(embed["fields"].as_array().unwrap().len(), 5);
    }

    #[test]
    fn what_a_hidden_photo_shows_stays_hidden() {
        let embed = embed(&show(&fake::answer(Locale::En), INTAKE, true, false));
        assert_eq!(embed["description"], "||I see beach, sea. These songs fit:||");
        assert!(embed["fields"][0]["value"].as_str().unwrap().contains("||beach → surf, sand||"));
    }

    #[test]
    fn the_longest_answer_fits() {
        let mut answer = fake::answer(Locale::En);
        answer.sights[0].tags = vec!["*".repeat(2000); 5];
        for song in &mut answer.songs {
            song.title = "*".repeat(3000);
            song.artist = "_".repeat(3000);
            song.reasons[0].words = vec!["[".repeat(500); 9];
            song.links = vec![Link { service: "S".into(), url: format!("https://a.example/{}", "x".repeat(480)) }; 8];
        }
        let embed = embed(&show(&answer, INTAKE, true, false));
        let length = |value: &Value| value.as_str().map_or(0, n_chars);
        let fields = embed["fields"].as_array().unwrap();
        let sum: usize = fields.iter().map(|field| length(&field["name"]) + length(&field["value"])).sum();
        assert!(sum + length(&embed["description"]) <= MAX_EMBED);
        assert!(fields.iter().all(|field| length(&field["name"]) <= 256 && length(&field["value"]) <= 1024));
    }
}
