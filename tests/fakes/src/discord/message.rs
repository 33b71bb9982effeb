//! Messages: what is kept of them, and how they look to the bot.

use serde_json::{Value, json};

use super::ids::{Channel, InteractionId, MessageId, User, timestamp, unix_now};
use super::post::{Photo, Post, Sender};
use super::record::{Posted, Sent};
use super::world::{References, World};

/// A file of a message.
#[derive(Debug, Clone)]
pub struct Attached {
    /// Its id.
    pub id: u64,
    /// Path of its link, the key of the file itself.
    pub path: String,
    /// Alternative text.
    pub alt: Option<String>,
}

/// A message.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Where it stands.
    pub channel: Channel,
    /// Who wrote it.
    pub author: User,
    /// Text.
    pub text: String,
    /// Files.
    pub files: Vec<Attached>,
    /// Embeds.
    pub embeds: Vec<Value>,
    /// Rows of components.
    pub components: Vec<Value>,
    /// What it answers, and whether that one's author is mentioned.
    pub reply_to: Option<(MessageId, bool)>,
    /// What it forwards.
    pub forward: Option<MessageId>,
    /// Who it seems to come from.
    pub sender: Sender,
    /// The interaction it answers.
    pub interaction: Option<InteractionId>,
    /// Whether only one person sees it.
    pub is_ephemeral: bool,
    /// Whether it is a deferred answer still without content.
    pub is_thinking: bool,
    /// Whether it was taken back.
    pub is_deleted: bool,
    /// How often it was changed.
    pub n_edits: usize,
    /// The sender's own mark, by which a repeated message is known.
    pub nonce: Option<String>,
    /// When it was written, in seconds since 1970.
    pub written: f64,
}

impl Stored {
    /// An empty message.
    pub fn new(channel: Channel, author: User) -> Stored {
        Stored {
            channel,
            author,
            text: String::new(),
            files: Vec::new(),
            embeds: Vec::new(),
            components: Vec::new(),
            reply_to: None,
            forward: None,
            sender: Sender::Person,
            interaction: None,
            is_ephemeral: false,
            is_thinking: false,
            is_deleted: false,
            n_edits: 0,
            nonce: None,
            written: unix_now(),
        }
    }
}

/// Whether a message is to be shown whole to somebody who may not read content, unless it is excepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct View {
    /// Whether content may be read.
    pub has_content: bool,
    /// Whether it comes by the gateway, which tells the server and the member.
    pub is_event: bool,
}

impl World {
    /// Writes a message; people's messages are checked by nobody.
    pub fn write(&mut self, post: Post) -> MessageId {
        let id = MessageId(self.ids.next_id());
        let files = post.photos.into_iter().map(|photo| self.attach(post.channel, photo, None)).collect();
        let mut stored = Stored::new(post.channel, post.author);
        stored.text = post.text;
        stored.files = files;
        stored.reply_to = post.reply_to.map(|to| (to, post.pings_author));
        stored.forward = post.forward;
        stored.sender = post.sender;
        self.messages.insert(id, stored);
        self.announce_message("MESSAGE_CREATE", id);
        id
    }

    /// Stores a file under a channel.
    pub fn attach(&mut self, channel: Channel, photo: Photo, alt: Option<String>) -> Attached {
        let id = self.ids.next_id();
        let path = format!("/attachments/{channel}/{id}/{}", photo.name);
        self.files.insert(path.clone(), photo);
        Attached { id, path, alt }
    }

    /// JSON of a file, with a fresh link.
    pub fn attachment_json(&self, file: &Attached) -> Value {
        let photo = &self.files[&file.path];
        let now = unix_now() as u64;
        let expiry = now + self.options.link_life.as_secs();
        let sign = format!("?ex={expiry:x}&is={now:x}&hm={:064x}&", self.link_generation);
        let mut json = json!({
            "id": file.id.to_string(),
            "filename": photo.name,
            "size": photo.told_bytes.unwrap_or(photo.bytes.len() as u64),
            "url": format!("{}{}{sign}", self.urls.rest, file.path),
            "proxy_url": format!("{}{}{sign}", self.urls.media, file.path),
            "content_type": photo.content_type,
        });
        if let Some((width, height)) = photo.size {
            json["width"] = json!(width);
            json["height"] = json!(height);
        }
        if let Some(alt) = &file.alt {
            json["description"] = json!(alt);
        }
        json
    }

    /// JSON of a person.
    pub fn user_json(&self, user: User) -> Value {
        let person = &self.people[&user];
        json!({
            "id": user, "username": person.name, "discriminator": "0", "global_name": null, "avatar": null,
            "bot": person.is_bot, "public_flags": 0
        })
    }

    /// Whether the bot is mentioned, in a way that opens the content to it.
    fn mentions_bot(&self, message: &Stored) -> bool {
        let pinged = message.reply_to.filter(|(_, pings)| *pings).and_then(|(to, _)| self.messages.get(&to));
        let is_own = pinged.is_some_and(|to| to.author == self.bot && to.interaction.is_none());
        is_own || self.mentioned(message).contains(&self.bot)
    }

    /// People mentioned in the text.
    fn mentioned(&self, message: &Stored) -> Vec<User> {
        let is_in = |user: &&User| ["<@", "<@!"].iter().any(|open| message.text.contains(&format!("{open}{user}>")));
        let mut users: Vec<User> = self.people.keys().filter(is_in).copied().collect();
        users.sort_unstable();
        users
    }

    /// Whether the bot may read what the message holds.
    fn is_open(&self, message: &Stored, view: View) -> bool {
        let is_direct = self.place(message.channel).is_some_and(|place| place.guild.is_none());
        view.has_content || is_direct || message.author == self.bot || self.mentions_bot(message)
    }

    /// JSON of a message.
    pub fn message_json(&self, id: MessageId, view: View) -> Value {
        let stored = &self.messages[&id];
        let is_open = self.is_open(stored, view);
        let mut json = self.content_json(stored, is_open);
        let mut mentions = self.mentioned(stored);
        if let Some(to) = stored.reply_to.filter(|(_, pings)| *pings).and_then(|(to, _)| self.messages.get(&to)) {
            mentions.push(to.author);
        }
        mentions.dedup();
        json["id"] = id.into();
        json["channel_id"] = stored.channel.into();
        json["author"] = self.user_json(stored.author);
        json["tts"] = json!(false);
        json["pinned"] = json!(false);
        json["mention_everyone"] = json!(stored.text.contains("@everyone"));
        json["mentions"] = mentions.iter().map(|user| self.user_json(*user)).collect();
        json["type"] = json!(self.message_type(stored));
        json["flags"] = json!(flags(stored));
        if let Some(guild) = self.place(stored.channel).and_then(|place| place.guild).filter(|_| view.is_event) {
            json["guild_id"] = json!(guild.to_string());
            json["member"] = member_json(None, 0);
        }
        if stored.sender == Sender::Webhook || stored.interaction.is_some() {
            json["webhook_id"] = json!(self.application.to_string());
        }
        if stored.interaction.is_some() {
            json["application_id"] = json!(self.application.to_string());
        }
        self.add_references(stored, view, &mut json);
        json
    }

    /// The parts that the content intent guards, and times.
    fn content_json(&self, stored: &Stored, is_open: bool) -> Value {
        let shown = |values: &[Value]| if is_open { Value::from(values.to_vec()) } else { json!([]) };
        let files: Vec<Value> = stored.files.iter().map(|file| self.attachment_json(file)).collect();
        let role = format!("<@&{}>", self.role);
        let edited = (stored.n_edits > 0).then(|| timestamp(unix_now()));
        json!({
            "content": if is_open { stored.text.as_str() } else { "" },
            "attachments": shown(&files),
            "embeds": shown(&stored.embeds),
            "components": shown(&stored.components),
            "mention_roles": if stored.text.contains(&role) { json!([self.role.to_string()]) } else { json!([]) },
            "timestamp": timestamp(stored.written),
            "edited_timestamp": edited,
        })
    }

    fn message_type(&self, stored: &Stored) -> u8 {
        match stored.sender {
            Sender::System => 7,
            _ if stored.interaction.is_some() && !stored.components.is_empty() => 0,
            _ if stored.reply_to.is_some() => 19,
            _ => 0,
        }
    }

    fn add_references(&self, stored: &Stored, view: View, json: &mut Value) {
        let guild = self.place(stored.channel).and_then(|place| place.guild).map(|guild| guild.to_string());
        if let Some((to, _)) = stored.reply_to {
            json["message_reference"] =
                json!({ "type": 0, "message_id": to, "channel_id": stored.channel, "guild_id": guild });
            let view = match self.options.references {
                References::Absent => return,
                References::Blank => View { is_event: false, ..view },
                References::Whole => View { has_content: true, is_event: false },
            };
            json["referenced_message"] = match self.messages.get(&to).filter(|to| !to.is_deleted) {
                Some(_) => {
                    let mut whole = self.message_json(to, view);
                    // One level only: what an answered message answers is not told.
                    whole.as_object_mut().map(|fields| fields.remove("referenced_message"));
                    whole
                }
                None => Value::Null,
            };
        }
        if let Some(from) = stored.forward {
            let source = &self.messages[&from];
            let is_open = self.is_open(stored, view);
            let mut snapshot = self.content_json(source, is_open);
            snapshot["type"] = json!(0);
            snapshot["flags"] = json!(0);
            snapshot["mentions"] = json!([]);
            json["message_reference"] =
                json!({ "type": 1, "message_id": from, "channel_id": source.channel, "guild_id": guild });
            json["message_snapshots"] = json!([{ "message": snapshot }]);
        }
    }

    /// A message of the bot as people see it.
    pub fn posted(&self, id: MessageId) -> Posted {
        let stored = &self.messages[&id];
        let files = stored.files.iter().map(|file| {
            let photo = &self.files[&file.path];
            Sent { name: photo.name.clone(), bytes: photo.bytes.clone(), alt: file.alt.clone() }
        });
        Posted {
            id,
            channel: stored.channel,
            text: stored.text.clone(),
            embeds: stored.embeds.clone(),
            components: stored.components.clone(),
            files: files.collect(),
            reply_to: stored.reply_to.map(|(to, _)| to),
            interaction: stored.interaction,
            is_ephemeral: stored.is_ephemeral,
            is_deleted: stored.is_deleted,
            n_edits: stored.n_edits,
        }
    }
}

fn flags(stored: &Stored) -> u64 {
    let bits = [(stored.forward.is_some(), 14), (stored.is_ephemeral, 6), (stored.is_thinking, 7)];
    bits.iter().filter(|(is_set, _)| *is_set).map(|(_, bit)| 1 << bit).sum()
}

/// JSON of a member: with the person and rights in interactions, without in messages.
pub fn member_json(user: Option<Value>, permissions: u64) -> Value {
    let mut json = json!({
        "roles": [], "joined_at": timestamp(1_700_000_000.0), "deaf": false, "mute": false, "flags": 0,
        "nick": null, "avatar": null, "pending": false, "premium_since": null, "communication_disabled_until": null
    });
    if let Some(user) = user {
        json["user"] = user;
        json["permissions"] = json!(permissions.to_string());
    }
    json
}
