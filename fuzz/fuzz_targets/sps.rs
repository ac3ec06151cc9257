#![no_main]

#[path = "../media_bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bodies::sps(data);
});
