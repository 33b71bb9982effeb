//! Bytes in, a checked upright RGB photo out. Knows nothing of models.
