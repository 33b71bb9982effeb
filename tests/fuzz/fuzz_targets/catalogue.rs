#![no_main]
//! Any bytes as the payload of a catalogue file, and as a whole file.

#[path = "../bodies.rs"]
#[allow(dead_code, reason = "one target uses one body")]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bodies::catalogue_file(data);
    bodies::catalogue_payload(data);
});
