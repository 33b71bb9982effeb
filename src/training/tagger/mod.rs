//! Training of the tagger: photos with masked labels and soft tags in, weights out.

pub mod network;
