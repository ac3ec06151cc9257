#![no_main]

#[path = "../webrtc_bodies.rs"]
mod bodies;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    bodies::stun(data);
});
