//! Renditions of published streams: smaller sizes, encoded once for all viewers while somebody watches them. Each
//! video stream is decoded once. Keyframes and times are those of the stream, so that players can change between
//! renditions at any segment. This room has the rules and the state; `outputs/renditions` has the threads.

pub(in crate::server) mod ladder;
pub(in crate::server) mod load;
pub(in crate::server) mod playlist;
pub(in crate::server) mod playlist_productions;
pub(in crate::server) mod refusal;
pub(in crate::server) mod running;
pub(in crate::server) mod transcoders;
mod watermark;

pub use crate::server::renditions::ladder::{Ladder, LadderRule, Ladders, VideoRendition};
pub use crate::server::renditions::watermark::Watermark;
