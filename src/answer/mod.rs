//! Answers: from the bytes of a photo to songs with reasons, in the forms for people's bots and for programs. Takes a
//! loaded model; knows no command line, no network and no store.

pub mod compose;
pub mod drawing;
pub mod fault;
pub mod json;
pub mod links;
pub mod model;
pub mod sight;
