//! What comes from the web, as stream events: an FLV body that never ends or one that does, a transport
//! stream, what a playlist leads to, or a film that is read at any place. What it is is told by its first bytes, not by its name. Used
//! on the feed thread and by the probe.

mod bisection;
mod body;
mod byte_seek;
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
