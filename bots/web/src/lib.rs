//! HTTP for everybody who is not in a chat: `/v1` for programs, one page for people, health and metrics for operators.
//!
//! Takes requests, gives the answers of [`image2song_contract::api::Api`]: as JSON, or as HTML that works without
//! scripts. Everything that a request may cost (bytes, time, places) has a bound in [`options::Options`]. It does not
//! know the model, the catalogue or the store, and it writes nothing of what people send to the log.

pub mod fault;
pub mod options;
pub mod routes;
pub mod server;

mod api;
mod app;
mod around;
mod gate;
mod html;
mod intake;
mod operation;
mod page;
mod view;
