//! The codecs.

pub(super) mod fdk_aac;
#[cfg(feature = "ffmpeg")]
pub(super) mod ffmpeg;
#[cfg(not(feature = "ffmpeg"))]
#[path = "no_ffmpeg.rs"]
pub(super) mod ffmpeg;
mod guard;
pub(super) mod openh264;
pub(super) mod opus;
pub(super) mod pcm;
pub(super) mod symphonia;
