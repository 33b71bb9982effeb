//! A team's own tags beside a base model: a linear head on the tagger's frozen features, learned in seconds from a few
//! photos a tag, kept in a folder of its own. Takes features of photos, gives heads and figures; reads no photo and knows
//! no song.

pub mod background;
pub mod error;
pub mod fit;
pub mod judge;
pub mod learn;
pub mod list;
pub mod store;
