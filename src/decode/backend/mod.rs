//! The codecs.

pub(super) mod fdk_aac;
mod guard;
pub(super) mod openh264;
pub(super) mod opus;
pub(super) mod pcm;
pub(super) mod symphonia;
