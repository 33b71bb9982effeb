//! Tags in, ranked songs with reasons out. Knows nothing of pixels or platforms.
