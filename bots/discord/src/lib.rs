//! Discord for image2song: recognises a question, downloads its photos, asks the core, shows the answer.
//!
//! It ranks nothing, stores nothing and has no sentences of its own. [`run::run`] lives until its gateway connection ends
//! or it is told to stop; the contract's supervisor starts it anew.

mod adapter;
mod answer;
mod api;
mod buttons;
mod commands;
/// What the operator configures.
pub mod config;
mod connection;
/// What can be checked before the adapter runs.
pub mod doctor;
mod events;
mod inbox;
mod interactions;
mod markdown;
mod photos;
mod press;
mod privacy;
mod question;
mod reactions;
mod rest;
/// The adapter's life.
pub mod run;
mod settings;
mod typing;
