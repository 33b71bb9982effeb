//! The adapter against a strict Discord on loopback and a core without a model.

mod asking;
mod chat;
mod life;
mod panels;
mod pressing;
mod trouble;
