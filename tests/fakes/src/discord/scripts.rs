//! What scripts do with a running fake: act for people, order troubles, wait, and look at what was written down.

use std::time::Duration;

use serde_json::{Value, json};

use super::Discord;
use super::fault::{Fault, Planned};
use super::files::SOON;
use super::ids::{Channel, InteractionId, MessageId, User};
use super::post::{MEMBER, Photo, Post, Slash};
use super::record::{Act, Call, Posted, Seen};
use super::session::Frame;
use super::world::{BOT_RIGHTS, GatewayMood, Person, Place, World};

/// People and channels.
impl Discord {
    /// A new person.
    pub fn person(&self, name: &str) -> User {
        self.shared.change(|world| {
            let user = User(world.ids.next_id());
            world.people.insert(user, Person { name: name.to_owned(), is_bot: false });
            user
        })
    }

    /// The bot itself.
    pub fn bot(&self) -> User {
        self.shared.look(|world| world.bot)
    }

    /// The server that the bot is a member of.
    pub fn guild(&self) -> u64 {
        self.shared.look(|world| world.guild)
    }

    /// Text that mentions the bot.
    pub fn mention(&self) -> String {
        format!("<@{}>", self.bot())
    }

    /// Text that mentions the bot's own role.
    pub fn role_mention(&self) -> String {
        format!("<@&{}>", self.shared.look(|world| world.role))
    }

    /// A new channel of the server.
    pub fn channel(&self) -> Channel {
        self.place(|world| Place { guild: Some(world.guild), has_bot: true, rights: BOT_RIGHTS, is_closed: false })
    }

    /// A new channel of a server where the bot is not a member.
    pub fn foreign_channel(&self) -> Channel {
        self.place(|world| Place { guild: Some(world.guild + 1), has_bot: false, rights: 0, is_closed: false })
    }

    /// A new channel of direct messages with the bot.
    pub fn direct(&self) -> Channel {
        self.place(|_| Place { guild: None, has_bot: true, rights: BOT_RIGHTS, is_closed: false })
    }

    fn place(&self, place: impl Fn(&World) -> Place) -> Channel {
        self.shared.change(|world| {
            let channel = Channel(world.ids.next_id());
            let place = place(world);
            world.places.insert(channel, place);
            channel
        })
    }

    /// Leaves the bot these rights in a channel.
    pub fn set_rights(&self, channel: Channel, rights: u64) {
        self.shared
            .change(|world| world.places.get_mut(&channel).expect("scripts name their channels").rights = rights);
    }

    /// Closes a channel of direct messages to the bot.
    pub fn close_direct(&self, channel: Channel) {
        self.shared
            .change(|world| world.places.get_mut(&channel).expect("scripts name their channels").is_closed = true);
    }
}

/// What people do.
impl Discord {
    /// Somebody writes, with files.
    pub fn say(&self, channel: Channel, author: User, text: &str, photos: Vec<Photo>) -> MessageId {
        self.post(Post { photos, ..Post::new(channel, author).text(text) })
    }

    /// A message of any kind.
    pub fn post(&self, post: Post) -> MessageId {
        self.shared.change(|world| world.write(post))
    }

    /// The author changes the text of a message.
    pub fn edit(&self, message: MessageId, text: &str) {
        self.shared.change(|world| {
            let stored = world.messages.get_mut(&message).expect("scripts name their messages");
            stored.text = text.to_owned();
            stored.n_edits += 1;
            world.announce_message("MESSAGE_UPDATE", message);
        });
    }

    /// A message is deleted.
    pub fn delete(&self, message: MessageId) {
        self.shared.change(|world| {
            world.messages.get_mut(&message).expect("scripts name their messages").is_deleted = true;
            world.announce_deleted(message);
        });
    }

    /// Somebody uses a slash command.
    pub fn slash(&self, channel: Channel, user: User, slash: Slash) -> InteractionId {
        self.shared.change(|world| world.use_slash(channel, user, slash))
    }

    /// Somebody uses a command of a message's menu, with the client in a language.
    pub fn message_command(&self, name: &str, user: User, target: MessageId, locale: &str) -> InteractionId {
        self.shared.change(|world| world.use_message_command(name, user, target, locale))
    }

    /// Somebody presses a button, with the client in English.
    pub fn press(&self, message: MessageId, user: User, custom_id: &str) -> InteractionId {
        self.press_as(message, user, custom_id, "en-US", MEMBER)
    }

    /// Somebody with these rights presses a button, with the client in a language.
    pub fn press_as(
        &self,
        message: MessageId,
        user: User,
        custom_id: &str,
        locale: &str,
        rights: u64,
    ) -> InteractionId {
        let data = json!({ "custom_id": custom_id, "component_type": 2 });
        self.shared.change(|world| world.use_component(message, user, data, (locale, rights)))
    }

    /// Somebody with these rights chooses from a menu.
    pub fn choose(
        &self,
        message: MessageId,
        user: User,
        custom_id: &str,
        values: &[&str],
        rights: u64,
    ) -> InteractionId {
        let data = json!({ "custom_id": custom_id, "component_type": 3, "values": values });
        self.shared.change(|world| world.use_component(message, user, data, ("en-US", rights)))
    }

    /// Somebody reacts.
    pub fn react(&self, message: MessageId, user: User, emoji: &str) {
        self.shared.change(|world| world.announce_reaction(message, user, emoji, true));
    }

    /// Somebody takes a reaction back.
    pub fn unreact(&self, message: MessageId, user: User, emoji: &str) {
        self.shared.change(|world| world.announce_reaction(message, user, emoji, false));
    }

    /// A manager takes away all reactions under a message, or all with an emoji.
    pub fn clear_reactions(&self, message: MessageId, emoji: Option<&str>) {
        self.shared.change(|world| {
            let channel = world.messages[&message].channel;
            let mut data = json!({ "channel_id": channel.to_string(), "message_id": message.to_string() });
            if let Some(guild) = world.place(channel).and_then(|place| place.guild) {
                data["guild_id"] = json!(guild.to_string());
            }
            let name = match emoji {
                Some(emoji) => {
                    data["emoji"] = json!({ "id": null, "name": emoji });
                    "MESSAGE_REACTION_REMOVE_EMOJI"
                }
                None => "MESSAGE_REACTION_REMOVE_ALL",
            };
            world.emit(name, |_, _| Some(data.clone()));
        });
    }

    /// The bot is thrown out of the server.
    pub fn leave_guild(&self) {
        self.shared.change(|world| {
            let data = json!({ "id": world.guild.to_string() });
            world.emit("GUILD_DELETE", |_, _| Some(data.clone()));
        });
    }

    /// Sends an event as it stands, right or wrong.
    pub fn raw_event(&self, name: &str, data: &Value) {
        self.shared.change(|world| world.emit(name, |_, _| Some(data.clone())));
    }
}

/// Troubles.
impl Discord {
    /// The next requests of a kind fail so.
    pub fn fail(&self, call: Call, n_times: usize, fault: Fault) {
        self.shared.change(|world| world.faults.push(Planned { call: Some(call), n_times, fault }));
    }

    /// The next requests fail so, whatever they are.
    pub fn fail_all(&self, n_times: usize, fault: Fault) {
        self.shared.change(|world| world.faults.push(Planned { call: None, n_times, fault }));
    }

    /// All links that were told so far are dead.
    pub fn expire_links(&self) {
        self.shared.change(|world| world.link_generation += 1);
    }

    /// All connections break.
    pub fn drop_sockets(&self) {
        self.to_sockets(&Frame::Cut);
    }

    /// All connections are closed, with this code or without one.
    pub fn close(&self, code: Option<u16>) {
        self.to_sockets(&Frame::Close(code));
    }

    /// Everything since READY is sent once more, with its old numbers, as a resume from the first event does.
    pub fn replay(&self) {
        self.shared.change(|world| {
            for session in world.sessions.values() {
                for payload in &session.log[1..] {
                    if let Some(outlet) = &session.outlet {
                        let _ = outlet.send(Frame::Json(payload.clone()));
                    }
                }
            }
        });
    }

    /// The gateway asks to reconnect.
    pub fn op7(&self) {
        self.to_sockets(&Frame::Json(json!({ "op": 7, "s": null, "t": null, "d": null })));
    }

    /// The gateway says that the session is no longer good, or may be resumed.
    pub fn op9(&self, is_resumable: bool) {
        self.to_sockets(&Frame::Json(json!({ "op": 9, "s": null, "t": null, "d": is_resumable })));
    }

    /// How the gateway behaves from now on.
    pub fn set_gateway(&self, mood: GatewayMood) {
        self.shared.change(|world| world.gateway = mood);
    }

    fn to_sockets(&self, frame: &Frame) {
        self.shared.change(|world| {
            for session in world.sessions.values() {
                if let Some(outlet) = &session.outlet {
                    let _ = outlet.send(frame.clone());
                }
            }
        });
    }
}

/// Waiting and looking.
impl Discord {
    /// Waits until `ready` gives something of the world.
    ///
    /// # Panics
    /// After a time in which even a busy machine would have come so far; the message tells what the bot did.
    pub async fn wait<T>(&self, what: &str, ready: impl FnMut(&mut World) -> Option<T>) -> T {
        match self.shared.wait(SOON, ready).await {
            Some(found) => found,
            None => panic!("no {what}; the bot did {:#?}\nviolations {:#?}", self.acts(), self.violations()),
        }
    }

    /// Waits until a client listens.
    pub async fn wait_for_session(&self) {
        self.wait("session", |world| world.sessions.values().any(|it| it.outlet.is_some()).then_some(())).await;
    }

    /// Waits until commands are registered and a client listens.
    pub async fn wait_for_commands(&self) {
        self.wait("commands", |world| (!world.commands.is_empty()).then_some(())).await;
        self.wait_for_session().await;
    }

    /// Waits for the next thing the bot did that this gives something for; all before it are passed over.
    pub async fn next_act<T>(&self, what: &str, mut wanted: impl FnMut(&World, &Act) -> Option<T>) -> T {
        self.wait(what, |world| {
            for idx in world.n_taken..world.acts.len() {
                if let Some(found) = wanted(world, &world.acts[idx].1) {
                    world.n_taken = idx + 1;
                    return Some(found);
                }
            }
            None
        })
        .await
    }

    /// Waits for the bot's next message or filled answer.
    pub async fn next_message(&self) -> Posted {
        self.next_act("message", |world, act| match act {
            Act::Posted(id) => Some(world.posted(*id)),
            _ => None,
        })
        .await
    }

    /// Waits for the bot's next message, or change of one.
    pub async fn next_message_or_edit(&self) -> Posted {
        self.next_act("message or change", |world, act| match act {
            Act::Posted(id) | Act::Edited(id) => Some(world.posted(*id)),
            _ => None,
        })
        .await
    }

    /// The message as it stands now.
    pub fn message(&self, id: MessageId) -> Posted {
        self.shared.look(|world| world.posted(id))
    }

    /// All messages of the bot, also those taken back.
    pub fn bot_messages(&self) -> Vec<Posted> {
        self.shared.look(|world| {
            let own = world.messages.iter().filter(|(_, it)| it.author == world.bot && !it.is_thinking);
            own.map(|(id, _)| world.posted(*id)).collect()
        })
    }

    /// All the bot did.
    pub fn acts(&self) -> Vec<Act> {
        self.shared.look(|world| world.acts.iter().map(|(_, act)| act.clone()).collect())
    }

    /// How often the bot did something of a kind.
    pub fn n_acts(&self, is_wanted: impl Fn(&Act) -> bool) -> usize {
        self.acts().iter().filter(|act| is_wanted(act)).count()
    }

    /// All requests of a kind.
    pub fn calls(&self, call: Call) -> Vec<Seen> {
        self.shared.look(|world| world.calls.iter().filter(|seen| seen.call == call).cloned().collect())
    }

    /// The registered commands.
    pub fn commands(&self) -> Vec<Value> {
        self.shared.look(|world| world.commands.clone())
    }

    /// What the real Discord, or this project, would not have stood.
    pub fn violations(&self) -> Vec<String> {
        self.shared.change(|world| {
            world.complain_of_silence();
            world.violations.clone()
        })
    }

    /// Waits a while that is long enough for the bot to do wrong, where a test shows that nothing happens.
    pub async fn rest(&self, time: Duration) {
        tokio::time::sleep(time).await;
    }
}
