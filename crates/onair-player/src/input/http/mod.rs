//! Web streams as stream events: an FLV body with or without an end, MPEG-TS, the content of a
//! playlist, or a media file with random access. The first bytes, not the name, determine the
//! format. The feed thread and the probe use this module.

mod bisection;
mod body;
pub(in crate::input) mod byte_seek;
mod hls;
mod index_seek;
mod indexed_file;
mod pull;
mod pull_error;
mod range;
pub(crate) mod range_retry;
mod request;
mod sniff;

pub(crate) use pull::Pull;
pub(crate) use pull_error::PullError;
pub(crate) use request::{Item, PullRequest};
