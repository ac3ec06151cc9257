//! Web streams as stream events: an FLV body with or without an end, MPEG-TS, the content of a
//! playlist, or a media file with random access. The first bytes, not the name, determine the
//! format. The feed thread and the probe use this module.

mod bisection;
mod body;
pub(in crate::player::input) mod byte_seek;
mod hls;
mod index_seek;
mod indexed_file;
mod pull;
mod pull_error;
mod range;
pub(in crate::player) mod range_retry;
mod request;
mod sniff;

pub(in crate::player) use pull::Pull;
pub(in crate::player) use pull_error::PullError;
pub(in crate::player) use request::{Item, PullRequest};
