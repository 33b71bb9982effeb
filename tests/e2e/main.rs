//! The one integration binary: what the program does with real files, from the outside.

mod encode;
mod mutate;
mod photo;

mod program;

#[path = "../../bots/web/tests/http/chromium.rs"]
mod chromium;

mod catalog;
mod deploy;
mod deployment;
mod discord;
mod documents;
mod errors;
mod feedback;
mod feedback_crash;
mod golden;
mod help;
mod model_folder;
mod photos_of_song;
mod pictures;
mod real_photos;
mod report;
mod serving;
mod sim;
mod suggest;
mod tags;
mod tags_own;
mod telegram;
mod web;
