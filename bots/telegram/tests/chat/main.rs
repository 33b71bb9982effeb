//! The adapter against the strict stand-in for Telegram, with the contract's fake core: what people in chats see.

mod albums;
mod ask;
mod faults;
mod groups;
mod lifecycle;
mod press;
mod secrecy;
mod settings;
mod webhook;
mod world;
