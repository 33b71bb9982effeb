//! Telegram for image2song: recognizes what is asked, fetches the photos, asks the core, renders what comes back.
//!
//! An update becomes a [`task::Task`], which is journaled by the core before Telegram may forget the update, and then
//! worked on by a task of its own; after a crash the journal gives it back. It knows the contract only: no model, no
//! store, no sentences of its own.

mod adapter;
mod album;
mod api;
mod ask;
mod calls;
mod commands;
pub mod config;
pub mod doctor;
mod fault;
mod files;
mod gate;
mod menu;
mod poll;
mod press;
mod privacy;
mod recognize;
mod render;
pub mod run;
mod styled;
mod task;
mod webhook;
mod wire;
mod words;
