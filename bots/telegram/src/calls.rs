//! What the adapter says and does in chats, one method of the Bot API each.

use std::sync::Arc;
use std::time::Duration;

use teloxide::payloads::setters::*;
use teloxide::prelude::Requester;
use teloxide::types::{
    CallbackQueryId, ChatAction, ChatId, InlineKeyboardMarkup, InputFile, LinkPreviewOptions, MessageId, ParseMode,
    ReplyParameters, UserId,
};
use tokio::task::JoinHandle;

use crate::api::Api;
use crate::fault::Fault;
use crate::styled::{MAX_CAPTION, MAX_TEXT, Styled, short};
use crate::task::Spot;
use crate::wire::upload;

/// Telegram shows "typing" for about five seconds.
const TYPING_INTERVAL: Duration = Duration::from_secs(4);
/// Telegram forgets a press after some fifteen seconds; a call that hangs is given up before.
const PRESS_TIMEOUT: Duration = Duration::from_secs(14);
/// Most UTF-16 units of the words that a press pops up.
const MAX_TOAST: usize = 200;

/// No preview of the first link's page.
const NO_PREVIEW: LinkPreviewOptions = LinkPreviewOptions {
    is_disabled: true,
    url: None,
    prefer_small_media: false,
    prefer_large_media: false,
    show_above_text: false,
};

/// "Typing" is shown as long as this lives.
pub struct Typing(JoinHandle<()>);

impl Drop for Typing {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Shows "typing" at a place; that it fails is nobody's business.
pub fn typing(api: &Arc<Api>, spot: &Spot) -> Typing {
    let (api, chat, thread) = (Arc::clone(api), spot.chat, spot.thread());
    Typing(tokio::spawn(async move {
        loop {
            if !api.is_closed(chat) {
                let mut request = api.bot().send_chat_action(chat, ChatAction::Typing);
                request.message_thread_id = thread;
                if let Err(fault) = api.call(request).await {
                    api.note("sendChatAction", fault);
                }
            }
            tokio::time::sleep(TYPING_INTERVAL).await;
        }
    }))
}

/// The message that is answered, which may have gone meanwhile. In a group with a new id numbers begin anew, so that
/// there the old one would name a stranger's message.
fn reply_to(spot: &Spot, chat: ChatId) -> Option<ReplyParameters> {
    let reply = ReplyParameters::new(MessageId(spot.message)).allow_sending_without_reply();
    (spot.message != 0 && spot.chat == chat).then_some(reply)
}

impl Api {
    /// Answers a message. Gives chat and number of the new message.
    pub async fn reply(
        &self,
        spot: &Spot,
        text: &Styled,
        buttons: Option<InlineKeyboardMarkup>,
    ) -> Result<(ChatId, i32), Fault> {
        let send = |words: &str, mode: Option<ParseMode>| {
            let (words, buttons) = (words.to_owned(), buttons.clone());
            self.deliver("sendMessage", spot.chat, move |chat| {
                let mut request = self.bot().send_message(chat, words.clone()).link_preview_options(NO_PREVIEW);
                request.parse_mode = mode;
                request.reply_parameters = reply_to(spot, chat);
                request.message_thread_id = spot.thread();
                request.reply_markup = buttons.clone().map(Into::into);
                self.call(request)
            })
        };
        let sent = match send(text.html(), Some(ParseMode::Html)).await {
            Err(Fault::Entities) => send(&short(text.plain(), MAX_TEXT), None).await?,
            sent => sent?,
        };
        Ok((sent.chat.id, sent.id.0))
    }

    /// Writes new words and buttons into a message of the bot; that nothing is new is fine.
    pub async fn edit(&self, spot: &Spot, text: &Styled, buttons: Option<InlineKeyboardMarkup>) -> Result<(), Fault> {
        let edit = |words: &str, mode: Option<ParseMode>| {
            let (words, buttons) = (words.to_owned(), buttons.clone());
            // The message does not follow its group to a new id.
            self.deliver("editMessageText", spot.chat, move |_| {
                let request = self.bot().edit_message_text(spot.chat, MessageId(spot.message), words.clone());
                let mut request = request.link_preview_options(NO_PREVIEW);
                request.parse_mode = mode;
                request.reply_markup = buttons.clone();
                self.call(request)
            })
        };
        let edited = match edit(text.html(), Some(ParseMode::Html)).await {
            Err(Fault::Entities) => edit(text.plain(), None).await,
            edited => edited,
        };
        edited.map(drop).or_else(|fault| if fault == Fault::Done { Ok(()) } else { Err(fault) })
    }

    /// Takes away a message of the bot.
    pub async fn delete(&self, spot: &Spot) -> Result<(), Fault> {
        let delete = |_| self.call(self.bot().delete_message(spot.chat, MessageId(spot.message)));
        let deleted = self.deliver("deleteMessage", spot.chat, delete).await;
        deleted.map(drop).or_else(|fault| if fault == Fault::Done { Ok(()) } else { Err(fault) })
    }

    /// Answers with a picture; its description is the caption, for Telegram has no other place for it.
    pub async fn picture(&self, spot: &Spot, png: InputFile, caption: &Styled, has_spoiler: bool) -> Result<(), Fault> {
        let send = |words: String, mode: Option<ParseMode>| {
            let png = png.clone();
            self.deliver("sendPhoto", spot.chat, move |chat| {
                let mut request = self.bot().send_photo(chat, png.clone()).caption(words.clone());
                request.parse_mode = mode;
                request.reply_parameters = reply_to(spot, chat);
                request.message_thread_id = spot.thread();
                request.has_spoiler = has_spoiler.then_some(true);
                upload(request)
            })
        };
        match send(caption.html().to_owned(), Some(ParseMode::Html)).await {
            Err(Fault::Entities) => send(short(caption.plain(), MAX_CAPTION), None).await.map(drop),
            sent => sent.map(drop),
        }
    }

    /// Sends a file into a private chat.
    pub async fn file(&self, chat: ChatId, file: InputFile, caption: &str) -> Result<(), Fault> {
        let send = |chat| upload(self.bot().send_document(chat, file.clone()).caption(caption));
        self.deliver("sendDocument", chat, send).await.map(drop)
    }

    /// Ends the waiting of a press with some words, in a window if the person must not miss them. A press that is too
    /// old for that was taken all the same.
    pub async fn answer_press(&self, query: &str, words: &str, is_window: bool) {
        let mut request = self.bot().answer_callback_query(CallbackQueryId(query.to_owned()));
        if !words.is_empty() {
            request = request.text(short(words, MAX_TOAST)).show_alert(is_window);
        }
        match tokio::time::timeout(PRESS_TIMEOUT, self.call(request)).await {
            Ok(Ok(_)) => {}
            Ok(Err(fault)) => self.note("answerCallbackQuery", fault),
            Err(_) => self.note("answerCallbackQuery", Fault::TooOld),
        }
    }

    /// Whether somebody manages a group, as Telegram says now.
    pub async fn is_manager(&self, chat: ChatId, user: &str) -> bool {
        let Ok(user) = user.parse() else { return false };
        let ask = |chat| self.call(self.bot().get_chat_member(chat, UserId(user)));
        self.deliver("getChatMember", chat, ask).await.is_ok_and(|member| member.is_privileged())
    }
}
