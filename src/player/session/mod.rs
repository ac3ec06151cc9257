//! Data that the threads of one player share: its config, requests, problems, figures.

pub(in crate::player) mod audio_controls;
pub mod config;
pub(in crate::player) mod decode_budget;
pub mod gapless;
pub(in crate::player) mod lifetime;
pub(in crate::player) mod packets;
pub(in crate::player) mod report;
pub(in crate::player) mod requests;
pub(in crate::player) mod seek;
pub(in crate::player) mod shared;
pub(in crate::player) mod timeline;
