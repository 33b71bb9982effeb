//! What people do, and what goes wrong: the side of the stand-in that tests drive.

use serde_json::{Value, json};

use crate::telegram::Telegram;
use crate::telegram::fault::Fault;
use crate::telegram::incoming::{self, Incoming};
use crate::telegram::params;
use crate::telegram::people::{Chat, ChatId, ChatKind, User};
use crate::telegram::record::Query;
use crate::telegram::state::{State, now_s};

/// A message that was posted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Posted {
    /// Its number in the chat.
    pub id: i64,
    /// Whether the bot is told of it.
    pub is_delivered: bool,
}

/// Chats and their members.
impl Telegram {
    /// A person opens the chat with the bot.
    pub fn private(&self, user: &User) -> ChatId {
        let mut chat = Chat::new(user.id, ChatKind::Private, &user.first_name);
        chat.members.insert(user.id, (user.clone(), "member"));
        self.add(chat)
    }

    /// A small group of the old kind.
    pub fn group(&self, title: &str) -> ChatId {
        let number = self.shared.lock().next_id() as i64;
        self.add(Chat::new(-4_000_000 - number, ChatKind::Group, title))
    }

    /// A large group.
    pub fn supergroup(&self, title: &str) -> ChatId {
        let number = self.shared.lock().next_id() as i64;
        self.add(Chat::new(-1_001_000_000_000 - number, ChatKind::Supergroup, title))
    }

    /// A large group with these topics beside the general one.
    pub fn forum(&self, title: &str, topics: &[i64]) -> ChatId {
        let number = self.shared.lock().next_id() as i64;
        let mut chat = Chat::new(-1_001_000_000_000 - number, ChatKind::Forum, title);
        chat.topics = topics.iter().map(|topic| (*topic, false)).collect();
        self.add(chat)
    }

    /// A channel with the bot in it.
    pub fn channel(&self, title: &str) -> ChatId {
        let number = self.shared.lock().next_id() as i64;
        self.add(Chat::new(-1_001_000_000_000 - number, ChatKind::Channel, title))
    }

    fn add(&self, chat: Chat) -> ChatId {
        let id = chat.id;
        self.shared.lock().chats.insert(id, chat);
        ChatId(id)
    }

    fn with_chat(&self, chat: ChatId, change: impl FnOnce(&mut Chat)) {
        change(self.shared.lock().chats.get_mut(&chat.0).expect("the script made this chat"));
    }

    /// A member joins with a status: `creator`, `administrator` or `member`.
    pub fn join(&self, chat: ChatId, user: &User, status: &'static str) {
        self.with_chat(chat, |chat| {
            chat.members.insert(user.id, (user.clone(), status));
        });
    }

    /// The bot becomes an administrator: it sees all messages and reactions.
    pub fn make_bot_admin(&self, chat: ChatId) {
        self.with_chat(chat, |chat| chat.is_bot_admin = true);
    }

    /// Privacy mode is switched off.
    pub fn let_bot_read_all(&self) {
        self.shared.lock().reads_all = true;
    }

    /// From now on sending there is refused, as with `Forbidden: bot was blocked by the user`.
    pub fn refuse_in(&self, chat: ChatId, code: u16, description: &str) {
        self.with_chat(chat, |chat| chat.refusal = Some((code, description.to_owned())));
    }

    /// Sending there works again.
    pub fn accept_in(&self, chat: ChatId) {
        self.with_chat(chat, |chat| chat.refusal = None);
    }

    /// The bot is added to a group, and told so.
    pub fn add_bot(&self, chat: ChatId, by: &User) {
        self.accept_in(chat);
        self.change_membership(chat, by, "left", "member");
    }

    /// The bot is thrown out of a group: it is told, and sending is refused.
    pub fn kick_bot(&self, chat: ChatId, by: &User) {
        self.refuse_in(chat, 403, "Forbidden: bot was kicked from the supergroup chat");
        self.change_membership(chat, by, "member", "kicked");
    }

    fn change_membership(&self, chat: ChatId, by: &User, old: &str, new: &str) {
        {
            let mut state = self.shared.lock();
            let member = |status: &str| json!({ "status": status, "user": state.bot.value(), "until_date": 0 });
            let change = json!({
                "chat": state.chats[&chat.0].value(), "from": by.value(), "date": now_s(),
                "old_chat_member": member(old), "new_chat_member": member(new),
            });
            state.push_update("my_chat_member", change);
        }
        self.shared.notify();
    }

    /// Nobody may write in a topic any more.
    pub fn close_topic(&self, chat: ChatId, topic: i64) {
        self.with_chat(chat, |chat| {
            chat.topics.insert(topic, true);
        });
    }

    /// A small group becomes a large one: both chats say so, and the old one refuses from now on.
    pub fn migrate(&self, chat: ChatId) -> ChatId {
        let title = self.shared.lock().chats[&chat.0].title.clone();
        let new = self.supergroup(&title);
        let mut state = self.shared.lock();
        let members = state.chats[&chat.0].members.clone();
        for (at, field, other) in [(chat, "migrate_to_chat_id", new), (new, "migrate_from_chat_id", chat)] {
            let id = incoming::compose(&mut state, at, None, &Incoming::default());
            let message = state.messages.get_mut(&(at.0, id)).expect("it was composed above");
            message[field] = json!(other.0);
            let message = message.clone();
            state.push_update("message", message);
        }
        if let Some(new) = state.chats.get_mut(&new.0) {
            new.members = members;
        }
        if let Some(old) = state.chats.get_mut(&chat.0) {
            old.migrated_to = Some(new.0);
        }
        drop(state);
        self.shared.notify();
        new
    }
}

/// Messages.
impl Telegram {
    /// Posts a message and tells the bot, if it is one that it gets to see.
    pub fn post(&self, chat: ChatId, from: &User, incoming: &Incoming) -> Posted {
        self.publish(chat, Some(from), incoming, "message")
    }

    fn publish(&self, chat: ChatId, from: Option<&User>, incoming: &Incoming, kind: &str) -> Posted {
        let posted = {
            let mut state = self.shared.lock();
            let id = incoming::compose(&mut state, chat, from, incoming);
            let message = state.messages[&(chat.0, id)].clone();
            let is_delivered = incoming::is_for_bot(&state, chat, &message) && state.push_update(kind, message);
            Posted { id, is_delivered }
        };
        self.shared.notify();
        posted
    }

    /// A photo; an empty caption is none.
    pub fn photo(&self, chat: ChatId, from: &User, jpeg: &[u8], caption: &str) -> Posted {
        self.post(chat, from, &Incoming::photo(jpeg).caption(caption))
    }

    /// A photo sent as a file.
    pub fn document(&self, chat: ChatId, from: &User, name: &str, mime_type: &str, bytes: &[u8]) -> Posted {
        self.post(chat, from, &Incoming::document(name, mime_type, bytes))
    }

    /// Photos sent together, the caption below the first.
    pub fn album(&self, chat: ChatId, from: &User, jpegs: &[&[u8]], caption: &str) -> Vec<Posted> {
        let group = format!("135{}", self.shared.lock().next_id());
        let caption_of = |idx: usize| if idx == 0 { caption } else { "" };
        let members = jpegs.iter().enumerate();
        let incoming = |(idx, jpeg): (usize, &&[u8])| {
            self.post(chat, from, &Incoming::photo(jpeg).caption(caption_of(idx)).album(&group))
        };
        members.map(incoming).collect()
    }

    /// A text, usually one that starts with a command.
    pub fn command(&self, chat: ChatId, from: &User, text: &str) -> Posted {
        self.post(chat, from, &Incoming::text(text))
    }

    /// A command in answer to a message.
    pub fn reply_with_command(&self, chat: ChatId, from: &User, message_id: i64, text: &str) -> Posted {
        self.post(chat, from, &Incoming::text(text).reply_to(message_id))
    }

    /// A post of a channel, which has no sender.
    pub fn channel_post(&self, chat: ChatId, incoming: &Incoming) -> Posted {
        self.publish(chat, None, incoming, "channel_post")
    }

    /// The caption of a message changes.
    pub fn edited(&self, chat: ChatId, message_id: i64, caption: &str) {
        {
            let mut state = self.shared.lock();
            let message = state.messages.get_mut(&(chat.0, message_id)).expect("the script posted this message");
            message["caption"] = json!(caption);
            message["edit_date"] = json!(now_s());
            let message = message.clone();
            state.push_update("edited_message", message);
        }
        self.shared.notify();
    }

    /// A person deletes a message; bots are not told.
    pub fn delete(&self, chat: ChatId, message_id: i64) {
        self.shared.lock().messages.remove(&(chat.0, message_id));
    }

    /// An update of any shape, also one that no bot can read.
    pub fn raw_update(&self, update: Value) {
        self.shared.lock().push_raw_update(update);
        self.shared.notify();
    }
}

/// Presses and reactions.
impl Telegram {
    /// A person presses a button of a message. Gives the id of the query.
    pub fn press(&self, chat: ChatId, from: &User, message_id: i64, data: &str) -> String {
        self.query_from(chat, from, message_id, data, |_| Query::default())
    }

    /// A press that is so old that it can't be answered any more.
    pub fn press_long_ago(&self, chat: ChatId, from: &User, message_id: i64, data: &str) -> String {
        self.query_from(chat, from, message_id, data, |_| Query { is_expired: true, ..Query::default() })
    }

    /// A press below a message so old that the server shows no more than its number.
    pub fn press_inaccessible(&self, chat: ChatId, from: &User, message_id: i64, data: &str) -> String {
        let reduce = |message: &mut Value| {
            *message = json!({ "chat": message["chat"], "message_id": message["message_id"], "date": 0 });
            Query::default()
        };
        self.query_from(chat, from, message_id, data, reduce)
    }

    fn query_from(
        &self,
        chat: ChatId,
        from: &User,
        message_id: i64,
        data: &str,
        query: impl FnOnce(&mut Value) -> Query,
    ) -> String {
        let id = {
            let mut state = self.shared.lock();
            let mut message = state.messages.get(&(chat.0, message_id)).cloned().expect("there is such a message");
            let query = query(&mut message);
            let id = format!("43816{}", state.next_id());
            state.queries.insert(id.clone(), query);
            let update = json!({
                "id": id, "from": from.value(), "chat_instance": format!("-{}", chat.0), "data": data,
                "message": message,
            });
            state.push_update("callback_query", update);
            id
        };
        self.shared.notify();
        id
    }

    /// A person's reactions to a message become these emoji. Tells whether the bot hears of it: in groups only as an
    /// administrator, and everywhere only if it asked for this kind of update.
    pub fn react(&self, chat: ChatId, from: &User, message_id: i64, emoji: &[&str]) -> bool {
        let is_delivered = {
            let mut state = self.shared.lock();
            let new: Vec<Value> = emoji.iter().map(|emoji| json!({ "type": "emoji", "emoji": emoji })).collect();
            let old = state.reactions.insert((chat.0, message_id, from.id), new.clone()).unwrap_or_default();
            let update = json!({
                "chat": state.chats[&chat.0].value(), "message_id": message_id, "user": from.value(),
                "date": now_s(), "old_reaction": old, "new_reaction": new,
            });
            hears_reactions(&state, chat) && state.push_update("message_reaction", update)
        };
        self.shared.notify();
        is_delivered
    }

    /// Reactions whose authors are hidden come as numbers.
    pub fn count_reactions(&self, chat: ChatId, message_id: i64, emoji: &str, total: u64) -> bool {
        let is_delivered = {
            let mut state = self.shared.lock();
            let update = json!({
                "chat": state.chats[&chat.0].value(), "message_id": message_id, "date": now_s(),
                "reactions": [{ "type": { "type": "emoji", "emoji": emoji }, "total_count": total }],
            });
            hears_reactions(&state, chat) && state.push_update("message_reaction_count", update)
        };
        self.shared.notify();
        is_delivered
    }
}

fn hears_reactions(state: &State, chat: ChatId) -> bool {
    let chat = &state.chats[&chat.0];
    !chat.is_group() || chat.is_bot_admin
}

/// Faults.
impl Telegram {
    /// The next call of a method goes wrong; `download` means fetching a file.
    ///
    /// # Panics
    ///
    /// If there is no such method.
    pub fn fail(&self, method: &str, fault: Fault) {
        let method = if method == "download" { "download" } else { params::method(method).expect("a known method") };
        let mut state = self.shared.lock();
        match state.faults.iter_mut().find(|(name, _)| *name == method) {
            Some((_, faults)) => faults.push_back(fault),
            None => state.faults.push((method, [fault].into())),
        }
    }

    /// The next calls of a method go wrong, each in the same way.
    pub fn fail_times(&self, method: &str, n_times: usize, fault: &Fault) {
        for _ in 0..n_times {
            self.fail(method, fault.clone());
        }
    }
}
