#![no_main]
//! Any bytes as a songs file.

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "one target uses one body")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| bodies::songs(data));
