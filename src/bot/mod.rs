//! The program as the adapters see it: implements the contract's ports over the engine, the kept state and the feedback
//! log. Takes questions and presses, decides what may be kept; knows no platform's wire format and renders nothing.

mod api;
mod arms;
mod ask;
mod cooldown;
pub mod core;
mod hint;
mod keep;
mod memory;
mod people;
mod press;
pub mod redirect;
mod songbot;
mod words;
