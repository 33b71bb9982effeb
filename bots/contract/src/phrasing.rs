//! Answers and refusals as plain sentences. Adapters escape them and add their platform's marks, buttons and links.

use crate::answer::{Answer, PhotoFault, Reason, Refusal, SongLine, Vote};
use crate::ask::Intake;
use crate::locale::{Locale, Value};
use crate::payload::Verb;
use crate::settings::{Level, Privacy};

/// Most tags named of one photo.
const N_TAGS: usize = 5;
/// Most reasons named of one song, and most words of a reason.
const N_REASONS: usize = 3;
const N_WORDS: usize = 4;
/// Most characters of an alternative text; both platforms take as many.
const MAX_ALT: usize = 1000;

/// The sentences above the songs: what was seen in which photo, and whether it is a guess.
pub fn opening(answer: &Answer, intake: Intake) -> Vec<String> {
    let locale = answer.locale;
    let mut lines = Vec::new();
    match answer.sights.as_slice() {
        [only] if only.fault.is_none() => {
            if answer.is_sure && !only.tags.is_empty() {
                let tags = list(locale, &only.tags, N_TAGS);
                lines.push(locale.tell("seen", &[("tags", Value::Text(&tags))]));
            }
        }
        sights => {
            let n = sights.len() as u64;
            lines.push(locale.tell("seen-photos", &[("n", Value::Number(n))]));
            for sight in sights {
                let name = ("name", Value::Text(&sight.name));
                lines.push(match sight.fault {
                    Some(fault) => {
                        let reason = photo_fault(locale, fault, intake);
                        locale.tell("photo-fault", &[name, ("reason", Value::Text(&reason))])
                    }
                    None if sight.tags.is_empty() => locale.tell("photo-nothing", &[name]),
                    None => {
                        let tags = list(locale, &sight.tags, N_TAGS);
                        locale.tell("photo-sees", &[name, ("tags", Value::Text(&tags))])
                    }
                });
            }
        }
    }
    if !answer.is_sure {
        lines.push(locale.say("unsure"));
    }
    if answer.n_left_out > 0 {
        let n = Value::Number(answer.n_left_out as u64);
        lines.push(locale.tell("left-out", &[("n", n), ("max", Value::Number(intake.max_photos as u64))]));
    }
    lines
}

/// `Artist, 1999` or `Artist`, with a mark for an explicit lyric.
pub fn credit(song: &SongLine, locale: Locale) -> String {
    let mut text = song.artist.clone();
    if let Some(year) = song.year {
        text += &format!(", {year}");
    }
    if song.is_explicit {
        text += &format!(" [{}]", locale.say("explicit"));
    }
    text
}

/// The reasons to show of a song, each as the tag's name (or "your words") and its words.
pub fn reasons(song: &SongLine, locale: Locale) -> Vec<(String, Vec<String>)> {
    let shown = |reason: &Reason| {
        let tag = if reason.tag.is_empty() { locale.say("own-words") } else { reason.tag.clone() };
        (tag, reason.words.iter().take(N_WORDS).cloned().collect())
    };
    song.reasons.iter().filter(|reason| !reason.words.is_empty()).take(N_REASONS).map(shown).collect()
}

/// `beach → surf, sand; night → moon`, plain.
pub fn why_line(song: &SongLine, locale: Locale) -> String {
    let parts: Vec<String> =
        reasons(song, locale).iter().map(|(tag, words)| format!("{tag} → {}", list(locale, words, N_WORDS))).collect();
    parts.join("; ")
}

/// What is kept of presses, for somebody who sees an answer for the first time.
pub fn notice(locale: Locale, level: Level) -> String {
    locale.say(&format!("notice-{}", level.name()))
}

/// What the explanation picture shows, for who does not see it.
pub fn alt_text(songs: &[SongLine], locale: Locale) -> String {
    let reasons: Vec<String> =
        songs.iter().map(|song| format!("{} – {}: {}", song.title, song.artist, why_line(song, locale))).collect();
    let text = locale.tell("why-alt", &[("reasons", Value::Text(&reasons.join(". ")))]);
    cut(&text, MAX_ALT)
}

/// Why there is no answer.
pub fn refusal(refusal: &Refusal, locale: Locale, intake: Intake) -> String {
    let seconds = |time: &std::time::Duration| Value::Number(time.as_secs_f64().ceil().max(1.0) as u64);
    match refusal {
        Refusal::BadPhoto(fault) => photo_fault(locale, *fault, intake),
        Refusal::Busy { retry_after } => locale.tell("busy", &[("seconds", seconds(retry_after))]),
        Refusal::Cooldown { wait } => locale.tell("cooldown", &[("seconds", seconds(wait))]),
        Refusal::Internal { id } => locale.tell("internal", &[("id", Value::Text(id))]),
        Refusal::NothingFits | Refusal::SwitchedOff | Refusal::TooOld | Refusal::NotAllowed => {
            locale.say(refusal.name())
        }
    }
}

/// What a vote came to.
pub fn voted(locale: Locale, vote: Vote, level: Level) -> String {
    locale.say(match (vote, level) {
        (Vote::None, _) => "voted-none",
        (_, Level::Off) => "voted-off",
        (Vote::Up, _) => "voted-up",
        (Vote::Down, _) => "voted-down",
    })
}

/// Why a press came to nothing.
pub fn press_refusal(refused: &Refusal, verb: Verb, locale: Locale, intake: Intake) -> String {
    match refused {
        Refusal::NotAllowed if verb == Verb::Delete => locale.say("not-yours"),
        refused => refusal(refused, locale, intake),
    }
}

/// Why a photo cannot be used.
pub fn photo_fault(locale: Locale, fault: PhotoFault, intake: Intake) -> String {
    locale.tell(fault.name(), &[("mib", Value::Number(intake.max_bytes >> 20))])
}

/// The lines of `/privacy`.
pub fn privacy(locale: Locale, privacy: &Privacy) -> Vec<String> {
    let level = |level: Level| locale.say(&format!("level-{}", level.name()));
    let chosen = privacy.chosen.map_or_else(|| locale.say("level-unset"), level);
    let (effective, community) = (level(privacy.effective), level(privacy.community));
    vec![
        locale.say("privacy-photos"),
        locale.tell(
            "privacy-level",
            &[
                ("level", Value::Text(&effective)),
                ("chosen", Value::Text(&chosen)),
                ("community", Value::Text(&community)),
            ],
        ),
        locale.tell(
            "privacy-records",
            &[("n", Value::Number(privacy.n_records as u64)), ("days", Value::Number(privacy.retention_days.into()))],
        ),
        locale.say("privacy-discord"),
    ]
}

/// Names one after the other as the language writes lists.
pub fn list(locale: Locale, names: &[String], n_most: usize) -> String {
    let separator = match locale {
        Locale::Ja | Locale::Zh => "、",
        _ => ", ",
    };
    names.iter().take(n_most).map(String::as_str).collect::<Vec<_>>().join(separator)
}

/// The first characters of a text, with an ellipsis where something was cut; never within a character.
pub fn cut(text: &str, n_most: usize) -> String {
    if text.chars().count() <= n_most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(n_most.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake;

    const INTAKE: Intake = Intake { max_bytes: 20 << 20, max_photos: 3, enough_side: 256 };

    #[test]
    fn an_answer_says_what_was_seen() {
        let answer = fake::answer(Locale::En);
        assert_eq!(opening(&answer, INTAKE), ["I see beach, sea. These songs fit:"]);
        assert_eq!(credit(&answer.songs[0], Locale::En), "The Fakes, 1999");
        assert_eq!(why_line(&answer.songs[0], Locale::En), "beach → surf, sand");
    }

    #[test]
    fn an_unsure_answer_says_so_and_every_photo_has_its_line() {
        let mut answer = fake::answer(Locale::En);
        answer.is_sure = false;
        assert!(opening(&answer, INTAKE)[0].contains("not sure"));
        let mut broken = answer.sights[0].clone();
        (broken.name, broken.fault) = ("two.heic".into(), Some(PhotoFault::UnknownFormat));
        answer.sights.push(broken);
        answer.n_left_out = 2;
        let lines = opening(&answer, INTAKE);
        assert!(lines[2].starts_with("two.heic: I cannot read"), "{lines:?}");
        assert!(lines.last().is_some_and(|line| line.contains("2 more photos")), "{lines:?}");
    }

    #[test]
    fn every_refusal_has_its_sentence_in_every_language() {
        use std::time::Duration;
        let faults = [
            PhotoFault::NotAPhoto,
            PhotoFault::UnknownFormat,
            PhotoFault::TooLarge,
            PhotoFault::Damaged,
            PhotoFault::Unreachable,
        ];
        let mut refusals: Vec<Refusal> = faults.map(Refusal::BadPhoto).into();
        refusals.extend([
            Refusal::NothingFits,
            Refusal::Busy { retry_after: Duration::from_millis(1200) },
            Refusal::Cooldown { wait: Duration::ZERO },
            Refusal::SwitchedOff,
            Refusal::TooOld,
            Refusal::NotAllowed,
            Refusal::Internal { id: "a1".into() },
        ]);
        for locale in Locale::ALL {
            let known = locale.messages();
            for one in &refusals {
                assert!(known.iter().any(|message| message == one.name()), "{locale}: {}", one.name());
                assert!(!refusal(one, locale, INTAKE).contains('{'));
            }
            for level in Level::ALL {
                assert_ne!(notice(locale, level), format!("notice-{}", level.name()));
            }
        }
    }

    #[test]
    fn long_texts_are_cut_between_characters() {
        assert_eq!(cut("日本語です", 4), "日本語…");
        assert_eq!(cut("short", 5), "short");
    }
}
