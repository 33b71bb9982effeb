//! From an update to what it asks for. It decides what is for the bot at all, and never answers bots.

use image2song_contract::ask::{Intake, Sign, Trigger};
use image2song_contract::place::{Person, UserId};
use teloxide::types::{
    CallbackQuery, ChatMemberUpdated, MaybeAnonymousUser, Message, MessageEntity, MessageEntityKind,
    MessageReactionUpdated, PhotoSize, ReactionType, Update, UpdateKind, User,
};

use crate::styled::short;
use crate::task::{Command, PhotoRef, Question, Spot, Task};
use crate::words::{Name, Words};

/// Endings of names of files that are photos, also of those that can't be read: they get their own sentence.
const ENDINGS: [&str; 11] = ["jpg", "jpeg", "png", "webp", "gif", "bmp", "heic", "heif", "avif", "tif", "tiff"];
/// Most UTF-16 units of a hint and of a file's name: a task has to fit into the journal.
const MAX_HINT: usize = 500;
const MAX_NAME: usize = 100;
/// The library's mark for a file whose size was not told.
const UNKNOWN_SIZE: u32 = u32::MAX;

/// What an update asks for; `None` if it is not for the bot.
pub fn task(update: &Update, me: &Name, intake: Intake) -> Option<Task> {
    match &update.kind {
        UpdateKind::Message(message) => of_message(message, me, intake),
        UpdateKind::CallbackQuery(query) => Some(of_press(query)),
        UpdateKind::MessageReaction(reaction) => of_reaction(reaction, u64::from(update.id.0)),
        UpdateKind::MyChatMember(change) => of_membership(change),
        _ => None,
    }
}

/// Who wrote a message; `None` of a bot. For an administrator who hides and for a channel it is the chat that speaks.
fn author(message: &Message) -> Option<Person> {
    if message.is_automatic_forward() || message.via_bot.is_some() {
        return None;
    }
    let from = message.from.as_ref()?;
    if let Some(chat) = message.sender_chat.as_ref().filter(|_| from.is_anonymous() || from.is_channel()) {
        return Some(Person { user: UserId(chat.id.to_string()), language: None, is_manager: from.is_anonymous() });
    }
    (!from.is_bot).then(|| person(from, message.chat.is_private()))
}

fn person(user: &User, is_manager: bool) -> Person {
    Person { user: UserId(user.id.to_string()), language: user.language_code.clone(), is_manager }
}

fn topic(message: &Message) -> Option<i32> {
    let thread = message.thread_id.filter(|_| message.is_topic_message)?;
    // The general topic has the number 1 and must not be named.
    Some(thread.0.0).filter(|number| *number != 1)
}

fn of_message(message: &Message, me: &Name, intake: Intake) -> Option<Task> {
    if let Some(to) = message.migrate_to_chat_id() {
        return Some(Task::Moved { from: message.chat.id, to: *to });
    }
    if let Some(from) = message.migrate_from_chat_id() {
        return Some(Task::Moved { from: *from, to: message.chat.id });
    }
    if !message.chat.is_chat() {
        return None;
    }
    let is_private = message.chat.is_private();
    let spot = Spot {
        chat: message.chat.id,
        message: message.id.0,
        topic: topic(message),
        is_private,
        person: author(message)?,
    };
    let words = Words::of(message, me);
    if words.is_for_another {
        return None;
    }
    let request = Request { spot: &spot, message, words: &words, me, intake };
    let replied = message.reply_to_message();
    match words.command.as_deref() {
        Some("songs" | "song") => {
            let is_beside = !matches!(media(message, intake), Media::None);
            Some(request.about(if is_beside { Some(message) } else { replied }, Trigger::Asked))
        }
        Some("start") if words.hint == "privacy" => Some(Task::Command(spot, Command::Privacy)),
        Some("start" | "help") => Some(Task::Command(spot, Command::Help)),
        Some("about") => Some(Task::Command(spot, Command::About)),
        Some("privacy") => Some(Task::Command(spot, Command::Privacy)),
        Some("settings") => Some(Task::Command(spot, Command::Settings)),
        Some(_) => is_private.then_some(Task::Command(spot, Command::Help)),
        None => request.without_command(),
    }
}

/// A message of a person, on its way to become a task.
struct Request<'a> {
    spot: &'a Spot,
    message: &'a Message,
    words: &'a Words,
    me: &'a Name,
    intake: Intake,
}

impl Request<'_> {
    fn without_command(&self) -> Option<Task> {
        let (message, replied) = (self.message, self.message.reply_to_message());
        let is_to_me = replied.is_some_and(|replied| self.is_mine(replied));
        match (media(message, self.intake), self.spot.is_private || self.words.is_mentioned) {
            // A service message.
            (Media::None, true) if message.text().is_none() => None,
            (Media::None, true) => Some(self.about(replied, Trigger::Asked)),
            (_, true) => Some(self.about(Some(message), Trigger::Asked)),
            (Media::Photo(_), false) if is_to_me => Some(self.about(Some(message), Trigger::Asked)),
            (Media::Photo(_), false) => Some(self.about(Some(message), Trigger::Automatic)),
            (_, false) => None,
        }
    }

    /// The task about what `source` carries.
    fn about(&self, source: Option<&Message>, trigger: Trigger) -> Task {
        let spot = self.spot.clone();
        // The bot's own explanation pictures are no photos to ask about.
        let Some(source) = source.filter(|source| !self.is_mine(source)) else { return Task::NoPhoto(spot) };
        match media(source, self.intake) {
            Media::Photo(photo) => Task::Ask(Question {
                spot,
                photos: vec![photo],
                hint: short(&self.words.hint, MAX_HINT),
                trigger,
                album: self.message.media_group_id().map(|album| album.0.clone()),
                has_spoiler: source.has_media_spoiler(),
            }),
            Media::Other => Task::NotAPhoto(spot),
            Media::None => Task::NoPhoto(spot),
        }
    }

    fn is_mine(&self, message: &Message) -> bool {
        message.from.as_ref().is_some_and(|from| from.id == self.me.id)
    }
}

/// What a message carries.
enum Media {
    Photo(PhotoRef),
    /// A film, a sticker, a sound, another file.
    Other,
    None,
}

fn media(message: &Message, intake: Intake) -> Media {
    if let Some(size) = message.photo().and_then(|sizes| enough(sizes, intake)) {
        let n_bytes = known(size.file.size);
        return Media::Photo(PhotoRef { file_id: size.file.id.0.clone(), name: String::new(), n_bytes });
    }
    if let Some(document) = message.document() {
        let name = short(document.file_name.as_deref().unwrap_or_default(), MAX_NAME);
        let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
        let is_image = match &document.mime_type {
            Some(mime) => mime.type_() == "image" || (mime.subtype() == "octet-stream" && ENDINGS.contains(&&*ending)),
            None => ENDINGS.contains(&&*ending),
        };
        if !is_image {
            return Media::Other;
        }
        let n_bytes = known(document.file.size);
        return Media::Photo(PhotoRef { file_id: document.file.id.0.clone(), name, n_bytes });
    }
    let is_other = message.animation().is_some()
        || message.video().is_some()
        || message.video_note().is_some()
        || message.sticker().is_some()
        || message.audio().is_some()
        || message.voice().is_some();
    if is_other { Media::Other } else { Media::None }
}

fn known(n_bytes: u32) -> Option<u64> {
    (n_bytes != UNKNOWN_SIZE).then_some(u64::from(n_bytes))
}

/// The smallest copy of a photo that is large enough, else the largest; by area, for their order is not promised.
fn enough(sizes: &[PhotoSize], intake: Intake) -> Option<&PhotoSize> {
    let area = |size: &&PhotoSize| u64::from(size.width) * u64::from(size.height);
    let is_enough = |size: &&PhotoSize| size.width.min(size.height) >= intake.enough_side;
    sizes.iter().filter(is_enough).min_by_key(area).or_else(|| sizes.iter().max_by_key(area))
}

fn of_press(query: &CallbackQuery) -> Task {
    let message = query.message.as_ref();
    let is_private = message.is_none_or(|message| message.chat().is_private());
    let spot = Spot {
        chat: message.map_or(query.from.id.into(), |message| message.chat().id),
        message: message.map_or(0, |message| message.id().0),
        topic: message.and_then(|message| message.regular_message()).and_then(topic),
        is_private,
        person: person(&query.from, is_private),
    };
    let entities = query.regular_message().and_then(|message| message.entities().or(message.caption_entities()));
    let is_cover = |entity: &MessageEntity| entity.kind == MessageEntityKind::Spoiler;
    let has_spoiler = entities.is_some_and(|entities| entities.iter().any(is_cover));
    let text = query.regular_message().and_then(|message| message.text()).unwrap_or_default();
    let reasons: Vec<&str> = text.lines().filter(|line| line.contains('→')).collect();
    let (data, reasons) = (query.data.clone().unwrap_or_default(), reasons.join("; "));
    Task::Press { spot, query: query.id.0.clone(), data, has_spoiler, reasons }
}

fn of_reaction(reaction: &MessageReactionUpdated, update: u64) -> Option<Task> {
    let is_private = reaction.chat.is_private();
    let person = match &reaction.actor {
        MaybeAnonymousUser::User(user) if user.is_bot => return None,
        MaybeAnonymousUser::User(user) => person(user, is_private),
        MaybeAnonymousUser::Chat(chat) => {
            Person { user: UserId(chat.id.to_string()), language: None, is_manager: false }
        }
    };
    let signs = |reactions: &[ReactionType]| -> Vec<Sign> {
        reactions.iter().filter_map(|reaction| Sign::of_emoji(reaction.emoji()?)).collect()
    };
    let (old, new) = (signs(&reaction.old_reaction), signs(&reaction.new_reaction));
    let mut changes: Vec<(Sign, bool)> = Vec::new();
    // What was taken away comes first, so that a changed mind ends as what it is now.
    for (from, to, is_added) in [(&old, &new, false), (&new, &old, true)] {
        for sign in from.iter().filter(|sign| !to.contains(sign)) {
            if !changes.contains(&(*sign, is_added)) {
                changes.push((*sign, is_added));
            }
        }
    }
    let spot = Spot { chat: reaction.chat.id, message: reaction.message_id.0, topic: None, is_private, person };
    let at_s = u64::try_from(reaction.date.timestamp()).unwrap_or_default();
    (!changes.is_empty()).then_some(Task::React { spot, changes, at_s, update })
}

fn of_membership(change: &ChatMemberUpdated) -> Option<Task> {
    let chat = &change.chat;
    if !(chat.is_group() || chat.is_supergroup()) {
        return None;
    }
    let (was_in, is_in) = (change.old_chat_member.is_present(), change.new_chat_member.is_present());
    let at_s = u64::try_from(change.date.timestamp()).unwrap_or_default();
    let person = person(&change.from, false);
    let spot = Spot { chat: chat.id, message: 0, topic: None, is_private: false, person };
    match (was_in, is_in) {
        (true, false) => Some(Task::Left { chat: chat.id, at_s }),
        (false, true) => Some(Task::Added { spot, at_s }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use teloxide::types::UserId as Id;

    use super::*;

    const INTAKE: Intake = Intake { max_bytes: 20 << 20, max_photos: 3, enough_side: 256 };

    fn of(update: Value) -> Option<Task> {
        let update: Update = serde_json::from_str(&update.to_string()).unwrap();
        task(&update, &Name { id: Id(9), username: "song_bot".to_owned() }, INTAKE)
    }

    fn message(fields: Value) -> Value {
        let mut message = json!({
            "message_id": 5, "date": 1, "chat": { "id": -7, "type": "supergroup", "title": "t" },
            "from": { "id": 42, "is_bot": false, "first_name": "Ada" },
        });
        message.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        message
    }

    fn size(id: &str, width: u32, height: u32) -> Value {
        json!({ "file_id": id, "file_unique_id": id, "file_size": 9, "width": width, "height": height })
    }

    fn command(text: &str) -> Value {
        let length = text.split(' ').next().unwrap_or_default().len();
        json!({ "text": text, "entities": [{ "type": "bot_command", "offset": 0, "length": length }] })
    }

    #[track_caller]
    fn check(fields: Value, expected: Option<&str>) {
        let found = of(json!({ "update_id": 1, "message": message(fields.clone()) }));
        assert_eq!(found.as_ref().map(Task::name), expected, "{fields}");
    }

    #[test]
    fn the_smallest_copy_that_is_large_enough_is_taken() {
        let sizes = [size("c", 1280, 960), size("a", 90, 67), size("b", 400, 300), size("d", 2000, 255)];
        let Some(Task::Ask(question)) = of(json!({ "update_id": 1, "message": message(json!({ "photo": sizes })) }))
        else {
            panic!("a photo is a question")
        };
        assert_eq!(question.photos[0].file_id, "b");
        let small = [size("a", 90, 67), size("b", 200, 100)];
        let Some(Task::Ask(question)) = of(json!({ "update_id": 1, "message": message(json!({ "photo": small })) }))
        else {
            panic!("a small photo is a question too")
        };
        assert_eq!(question.photos[0].file_id, "b");
    }

    #[test]
    fn groups_are_quiet_unless_asked() {
        let photo = json!({ "photo": [size("a", 900, 900)] });
        check(json!({ "text": "hello" }), None);
        check(
            json!({ "sticker": {
            "file_id": "s", "file_unique_id": "s", "width": 1, "height": 1, "is_animated": false, "is_video": false,
            "type": "regular",
        } }),
            None,
        );
        check(photo.clone(), Some("automatic"));
        check(command("/songs"), Some("no-photo"));
        check(command("/songs@other_bot"), None);
        check(command("/unknown"), None);
        check(command("/settings"), Some("command"));
        let mut reply = command("/songs calm");
        reply["reply_to_message"] = message(photo.clone());
        check(reply.clone(), Some("group"));
        // Another bot's photo may be asked about, the bot's own may not.
        reply["reply_to_message"]["from"] = json!({ "id": 10, "is_bot": true, "first_name": "b" });
        check(reply.clone(), Some("group"));
        reply["reply_to_message"]["from"]["id"] = json!(9);
        check(reply, Some("no-photo"));
        let mut to_me = photo;
        to_me["reply_to_message"] = message(json!({
            "text": "x", "from": { "id": 9, "is_bot": true, "first_name": "b" },
        }));
        check(to_me, Some("group"));
    }

    #[test]
    fn bots_and_automatic_forwards_are_ignored() {
        let photo = [size("a", 900, 900)];
        check(json!({ "photo": photo, "from": { "id": 10, "is_bot": true, "first_name": "b" } }), None);
        check(json!({ "photo": photo, "via_bot": { "id": 10, "is_bot": true, "first_name": "b" } }), None);
        check(json!({ "photo": photo, "is_automatic_forward": true }), None);
        let mut anonymous = command("/settings");
        let group = json!({ "id": -7, "type": "supergroup", "title": "t" });
        anonymous["from"] = json!({
            "id": 1_087_968_824, "is_bot": true, "first_name": "Group", "username": "GroupAnonymousBot",
        });
        anonymous["sender_chat"] = group;
        let Some(Task::Command(spot, Command::Settings)) = of(json!({ "update_id": 1, "message": message(anonymous) }))
        else {
            panic!("an anonymous administrator may set things")
        };
        assert_eq!((spot.person.user.0.as_str(), spot.person.is_manager), ("-7", true));
    }

    #[test]
    fn files_are_photos_by_type_or_name() {
        let file = |mime: Option<&str>, name: &str| {
            let mut document = json!({ "file_id": "d", "file_unique_id": "d", "file_name": name });
            if let Some(mime) = mime {
                document["mime_type"] = json!(mime);
            }
            json!({ "document": document, "chat": { "id": 42, "type": "private" } })
        };
        check(file(Some("image/heic"), "a"), Some("private"));
        check(file(None, "a.JPG"), Some("private"));
        check(file(Some("application/octet-stream"), "a.heic"), Some("private"));
        check(file(Some("application/pdf"), "a.jpg"), Some("not-a-photo"));
        check(file(None, "a.txt"), Some("not-a-photo"));
        let Some(Task::Ask(question)) =
            of(json!({ "update_id": 1, "message": message(file(Some("image/png"), "a.png")) }))
        else {
            panic!("an image file is a question")
        };
        assert_eq!((question.photos[0].n_bytes, question.photos[0].name.as_str()), (None, "a.png"));
    }

    #[test]
    fn reactions_are_differences() {
        let reaction = |old: &[&str], new: &[&str]| {
            let list = |emoji: &[&str]| -> Vec<Value> {
                emoji.iter().map(|emoji| json!({ "type": "emoji", "emoji": emoji })).collect()
            };
            let update = json!({ "update_id": 3, "message_reaction": {
                "chat": { "id": -7, "type": "supergroup", "title": "t" }, "message_id": 5, "date": 1,
                "user": { "id": 42, "is_bot": false, "first_name": "Ada" },
                "old_reaction": list(old), "new_reaction": list(new),
            } });
            match of(update) {
                Some(Task::React { changes, .. }) => changes,
                _ => Vec::new(),
            }
        };
        assert_eq!(reaction(&[], &["👍🏽"]), [(Sign::Up, true)]);
        assert_eq!(reaction(&["👍"], &["👎"]), [(Sign::Up, false), (Sign::Down, true)]);
        assert_eq!(reaction(&["👍"], &["👍", "🔥"]), []);
        assert_eq!(reaction(&["👍"], &["🔥"]), []);
        assert_eq!(reaction(&[], &["🤔"]), []);
    }
}
