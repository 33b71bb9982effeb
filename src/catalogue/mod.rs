//! The songs that can be suggested. Knows nothing of photos or of ranking.
