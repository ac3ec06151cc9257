//! The codec backends. Third-party codecs in safe Rust can still panic on unexpected bytes. A panic
//! costs one packet, but does not end the thread.

pub(in crate::decode) mod fdk_aac;
#[cfg(feature = "ffmpeg")]
pub(in crate::decode) mod ffmpeg;
#[cfg(not(feature = "ffmpeg"))]
#[path = "no_ffmpeg.rs"]
pub(in crate::decode) mod ffmpeg;
pub(in crate::decode) mod openh264;
pub(in crate::decode) mod opus;
pub(in crate::decode) mod pcm;
pub(in crate::decode) mod symphonia;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::decode::error::Error;
use crate::text::problem::problem;

/// Runs `work`, and treats a panic in it as a damaged packet. After a panic, the caller must
/// rebuild the state that `work` used.
fn guarded<T>(codec: &'static str, work: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(Error::Damaged { codec, reason: problem!("decode-crashed") }))
}
