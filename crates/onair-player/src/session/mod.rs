//! Data that the threads of one player share: its config, requests, problems, figures.

pub(crate) mod audio_controls;
pub mod config;
pub(crate) mod decode_budget;
pub mod gapless;
pub(crate) mod lifetime;
pub(crate) mod packets;
pub(crate) mod report;
pub(crate) mod requests;
pub(crate) mod seek;
pub(crate) mod shared;
pub(crate) mod timeline;
