//! Photos of a question: which files, from where, and what to do when a link is dead.

use image2song_contract::answer::{PhotoFault, PhotoSight};
use image2song_contract::ask::{Intake, Photo};
use image2song_contract::fetch::FetchError;
use serenity::model::channel::{Attachment, Message};
use serenity::model::id::{ChannelId, MessageId};

use crate::adapter::Adapter;

/// A file smaller than this is taken as it is: asking for a smaller copy would not be faster.
const SMALL: u64 = 256 << 10;

/// A file that somebody attached.
#[derive(Debug, Clone)]
pub struct Link {
    name: String,
    url: String,
    proxy_url: String,
    n_bytes: u64,
    sides: Option<(u32, u32)>,
}

/// Files that may be photos, in their order. What Discord calls a video or a sound is none; all else is looked at,
/// whatever its name says.
pub fn links(attachments: &[Attachment]) -> Vec<Link> {
    let is_other = |kind: &str| ["video/", "audio/"].iter().any(|start| kind.starts_with(start));
    let wanted = attachments.iter().filter(|file| !file.content_type.as_deref().is_some_and(is_other));
    wanted
        .map(|file| Link {
            name: file.filename.clone(),
            url: file.url.clone(),
            proxy_url: file.proxy_url.clone(),
            n_bytes: file.size.into(),
            sides: file.dimensions().filter(|(width, height)| *width > 0 && *height > 0),
        })
        .collect()
}

/// Files of a message: its own, else those it forwards.
pub fn of_message(message: &Message) -> &[Attachment] {
    match (message.attachments.as_slice(), message.message_snapshots.first()) {
        ([], Some(snapshot)) => &snapshot.attachments,
        (own, _) => own,
    }
}

impl Link {
    /// Whether the sender hid it.
    fn is_spoiler(&self) -> bool {
        self.name.starts_with("SPOILER_")
    }

    /// Name to call it by, without the mark that hides it.
    fn title(&self) -> String {
        self.name.trim_start_matches("SPOILER_").to_owned()
    }

    /// Whether the core cannot read it, but the media proxy can turn it into what it reads.
    fn needs_conversion(&self) -> bool {
        let name = self.name.to_ascii_lowercase();
        [".heic", ".heif", ".avif"].iter().any(|ending| name.ends_with(ending))
    }

    /// Address of a copy that is large enough, where one is worth asking for.
    fn smaller(&self, intake: Intake) -> Option<String> {
        let sides = self.sides.filter(|_| self.n_bytes > SMALL || self.needs_conversion());
        let mut wanted = String::new();
        if let Some((width, height)) = sides {
            let short = width.min(height);
            let enough = intake.enough_side.max(1);
            if short <= enough + enough / 4 && !self.needs_conversion() {
                return None;
            }
            let short = short.max(1);
            let scaled = |side: u32| (u64::from(side) * u64::from(enough.min(short)) / u64::from(short)).clamp(1, 4096);
            wanted = format!("width={}&height={}", scaled(width), scaled(height));
        }
        if self.needs_conversion() {
            let and = if wanted.is_empty() { "" } else { "&" };
            wanted += &format!("{and}format=jpeg");
        }
        if wanted.is_empty() || self.proxy_url.is_empty() {
            return None;
        }
        let joint = match self.proxy_url.chars().last() {
            Some('&' | '?') => "",
            _ if self.proxy_url.contains('?') => "&",
            _ => "?",
        };
        Some(format!("{}{joint}{wanted}", self.proxy_url))
    }
}

/// What became of the files of a question.
#[derive(Debug, Default)]
pub struct Loaded {
    /// Downloaded ones.
    pub photos: Vec<Photo>,
    /// Those that could not be.
    pub faults: Vec<PhotoSight>,
    /// How many there were beyond the most that are taken.
    pub n_left_out: usize,
    /// Whether one of them was hidden.
    pub is_spoiler: bool,
}

impl Loaded {
    /// Why nothing was downloaded, if so.
    pub fn fault(&self) -> Option<PhotoFault> {
        let first = self.faults.first().and_then(|sight| sight.fault);
        self.photos.is_empty().then(|| first.unwrap_or(PhotoFault::NotAPhoto))
    }
}

impl Adapter {
    /// Downloads the files of a question. When a link is dead, `source` is read again, once, for fresh ones.
    pub async fn load(&self, links: &[Link], source: Option<(ChannelId, MessageId)>) -> Loaded {
        let intake = self.bot.intake();
        let mut loaded = Loaded { n_left_out: links.len().saturating_sub(intake.max_photos), ..Loaded::default() };
        let taken = &links[..links.len().min(intake.max_photos)];
        let mut fresh: Option<Vec<Link>> = None;
        for (idx, link) in taken.iter().enumerate() {
            loaded.is_spoiler |= link.is_spoiler();
            let name = if links.len() > 1 { link.title() } else { String::new() };
            let mut photo = self.download(link, &name, intake).await;
            if let (Err(FetchError::Gone(_)), Some((channel, message))) = (&photo, source) {
                if fresh.is_none() {
                    let again = self.api.read(channel, message).await;
                    fresh = Some(again.map(|message| self::links(of_message(&message))).unwrap_or_default());
                }
                if let Some(link) = fresh.as_ref().and_then(|links| links.get(idx)) {
                    photo = self.download(link, &name, intake).await;
                }
            }
            match photo {
                Ok(photo) => loaded.photos.push(photo),
                Err(error) => {
                    self.health.count("download", error.name());
                    let fault = match error {
                        FetchError::TooLarge(_) => PhotoFault::TooLarge,
                        _ => PhotoFault::Unreachable,
                    };
                    let name = if name.is_empty() { (idx + 1).to_string() } else { name };
                    loaded.faults.push(PhotoSight { name, tags: Vec::new(), fault: Some(fault) });
                }
            }
        }
        loaded
    }

    /// The smaller copy where there is one, else the file itself.
    async fn download(&self, link: &Link, name: &str, intake: Intake) -> Result<Photo, FetchError> {
        let name = name.to_owned();
        if let Some(url) = link.smaller(intake)
            && let Ok(bytes) = self.fetcher.get(&url).await
        {
            return Ok(Photo { name, bytes });
        }
        if link.n_bytes > intake.max_bytes.min(self.fetcher.max_bytes()) {
            return Err(FetchError::TooLarge(intake.max_bytes));
        }
        Ok(Photo { name, bytes: self.fetcher.get(&link.url).await? })
    }
}

/// The reference by which a question's photos are found again: channel and message (0 where no message holds them),
/// and the key under which the links are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The message with the photos.
    pub source: Option<(ChannelId, MessageId)>,
    /// The question's key.
    pub key: String,
}

impl Origin {
    /// As text for the core.
    pub fn text(&self) -> String {
        match self.source {
            Some((channel, message)) => format!("{channel}/{message}/{}", self.key),
            None => format!("0/0/{}", self.key),
        }
    }

    /// From the core's text.
    pub fn parse(text: &str) -> Option<Origin> {
        let mut parts = text.splitn(3, '/');
        let mut id = || parts.next()?.parse::<u64>().ok();
        let (channel, message) = (id()?, id()?);
        let source = (channel > 0 && message > 0).then(|| (ChannelId::new(channel), MessageId::new(message)));
        Some(Origin { source, key: parts.next()?.to_owned() })
    }
}

impl Adapter {
    /// Photos of an earlier question, downloaded once more; none when nothing leads to them any longer.
    pub async fn load_again(&self, origin: &str) -> Vec<Photo> {
        let Some(origin) = Origin::parse(origin) else { return Vec::new() };
        let known = match (self.links.get(&origin.key), origin.source) {
            (Some(links), _) => links,
            (None, Some((channel, message))) => match self.api.read(channel, message).await {
                Ok(message) => links(of_message(&message)),
                Err(_) => Vec::new(),
            },
            (None, None) => Vec::new(),
        };
        self.load(&known, origin.source).await.photos
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTAKE: Intake = Intake { max_bytes: 20 << 20, max_photos: 3, enough_side: 256 };

    fn link(name: &str, n_bytes: u64, sides: Option<(u32, u32)>) -> Link {
        let (url, proxy_url) = ("https://c.example/a?ex=1&".to_owned(), "https://m.example/a?ex=1&".to_owned());
        Link { name: name.to_owned(), url, proxy_url, n_bytes, sides }
    }

    #[test]
    fn a_smaller_copy_is_asked_for_where_it_helps() {
        let wanted = |name, n_bytes, sides| link(name, n_bytes, sides).smaller(INTAKE);
        let large = wanted("a.jpg", 5 << 20, Some((4000, 3000)));
        assert_eq!(large.as_deref(), Some("https://m.example/a?ex=1&width=341&height=256"));
        assert_eq!(wanted("a.jpg", 5 << 20, Some((300, 200))), None);
        assert_eq!(wanted("a.jpg", 1 << 10, Some((4000, 3000))), None);
        assert_eq!(wanted("a.jpg", 5 << 20, None), None);
        let heic = wanted("A.HEIC", 1 << 10, None);
        assert_eq!(heic.as_deref(), Some("https://m.example/a?ex=1&format=jpeg"));
        let measured = wanted("a.heic", 1 << 10, Some((100, 200)));
        assert_eq!(measured.as_deref(), Some("https://m.example/a?ex=1&width=100&height=200&format=jpeg"));
    }

    #[test]
    fn origins_come_back() {
        let source = Some((ChannelId::new(5), MessageId::new(6)));
        for origin in [Origin { source, key: "i:7".into() }, Origin { source: None, key: "m:7".into() }] {
            assert_eq!(Origin::parse(&origin.text()), Some(origin));
        }
        for text in ["", "a/b/c", "5/6"] {
            assert_eq!(Origin::parse(text), None, "{text}");
        }
    }
}
