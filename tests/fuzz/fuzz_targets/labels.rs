#![no_main]
//! Any bytes as one of the files of a photo folder.

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "one target uses one body")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::labels(data));
