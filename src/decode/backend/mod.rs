//! The codecs.

pub(super) mod fdk_aac;
pub(super) mod openh264;
