//! What a target gets of the program: its audio, and the sizes of its video.

mod renditions;
pub(super) mod simulcast;
pub(in crate::ui) mod target_audio;
