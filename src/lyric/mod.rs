//! Words of songs: tokens, vectors, the tags they stand for, and the encoder that reads them. Knows nothing of photos.

pub mod birnn;

pub mod attention;

pub mod affinity;
