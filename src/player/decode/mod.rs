//! Decoder threads: packets to frames and sample blocks.

pub mod audio;
pub(in crate::player) mod balance;
pub mod stretch;
pub(in crate::player) mod video;
