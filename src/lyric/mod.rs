//! Words of songs: tokens, vectors, the tags they stand for, and the encoder that reads them. Knows nothing of photos.

pub mod tokenize;

pub mod stop_words;

pub mod look_alikes;

pub mod vectors;

pub mod string_table;

pub mod own_tag;

pub mod packed;

pub mod error;

pub mod lexicon;

pub mod word_space;

pub mod affinity;
pub mod attention;
pub mod birnn;
pub mod word_files;
