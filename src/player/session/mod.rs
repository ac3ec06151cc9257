//! What the threads of one player share: its config, requests, problems, figures.

pub mod config;
pub(in crate::player) mod decode_budget;
pub mod gapless;
pub(in crate::player) mod problems;
pub(in crate::player) mod requests;
pub(in crate::player) mod seek;
pub(in crate::player) mod shared;
