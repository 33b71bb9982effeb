//! The last guard before a log line is written: what looks like a bot token is blotted out, whoever let it through.

use std::io::{self, Write};

/// A writer that blots out tokens line by line.
pub struct Redacting<W: Write> {
    inner: W,
    line: Vec<u8>,
}

/// Longest line held back; a longer one is written in pieces of this size.
const MAX_LINE: usize = 64 << 10;

impl<W: Write> Redacting<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, line: Vec::new() }
    }

    fn give(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        self.inner.write_all(redacted(&String::from_utf8_lossy(&line)).as_bytes())
    }
}

impl<W: Write> Write for Redacting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            self.line.extend_from_slice(part);
            if part.ends_with(b"\n") || self.line.len() > MAX_LINE {
                self.give()?;
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if !self.line.is_empty() {
            self.give()?;
        }
        self.inner.flush()
    }
}

impl<W: Write> Drop for Redacting<W> {
    fn drop(&mut self) {
        // A log that cannot be written has nobody to tell.
        let _ = self.flush();
    }
}

/// The text without what looks like a Telegram token (digits, a colon, 35 letters) or a Discord one (three parts joined by
/// dots, the first and last long).
pub fn redacted(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || "_-.:".contains(c);
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(is_part) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|c| !is_part(c)).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        clean.push_str(before);
        clean.push_str(if is_telegram(word) || is_discord(word) { "[token]" } else { word });
        rest = after;
    }
    clean.push_str(rest);
    clean
}

fn is_telegram(word: &str) -> bool {
    let secret = |part: &str| part.chars().take_while(|c| c.is_ascii_alphanumeric() || "_-".contains(*c)).count() >= 30;
    word.char_indices().filter(|(_, c)| *c == ':').any(|(at, _)| {
        let digits = word[..at].chars().rev().take_while(char::is_ascii_digit).count();
        digits >= 6 && secret(&word[at + 1..])
    })
}

fn is_discord(word: &str) -> bool {
    let parts: Vec<&str> = word.split(['.', ':']).collect();
    parts.windows(3).any(|p| p[0].len() >= 18 && (5..=8).contains(&p[1].len()) && p[2].len() >= 25)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TELEGRAM: &str = "123456789:AAEhBOweik6ad9r_QXMENQjcrGbqCr4K-bc";
    const DISCORD: &str = "MTIzNDU2Nzg5MDEyMzQ1Njc4.GabcDE.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKL";

    #[test]
    fn tokens_are_blotted_out_wherever_they_stand() {
        for token in [TELEGRAM, DISCORD] {
            for text in [
                token.to_owned(),
                format!("GET http://127.0.0.1/bot{token}/GetMe failed"),
                format!("{{\"token\":\"Bot {token}\"}}"),
                format!("token={token}\n"),
            ] {
                let clean = redacted(&text);
                assert!(!clean.contains(token) && clean.contains("[token]"), "{clean}");
            }
        }
    }

    #[test]
    fn other_text_stays() {
        for text in [
            "2026-11-24T18:00:00.123456Z WARN image2song::engine: late",
            "sha256 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
            "http://127.0.0.1:12345/api/v10/channels/1234567890123456789/messages",
            "",
            "日本語 🎵",
        ] {
            assert_eq!(redacted(text), text);
        }
    }

    #[test]
    fn a_writer_holds_lines_together() {
        let mut out = Vec::new();
        {
            let mut writer = Redacting::new(&mut out);
            let (one, two) = TELEGRAM.split_at(20);
            write!(writer, "a {one}").unwrap();
            write!(writer, "{two}\nb").unwrap();
        }
        assert_eq!(String::from_utf8(out).unwrap(), "a [token]\nb");
    }
}
