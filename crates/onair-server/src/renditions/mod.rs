//! Renditions of published streams: smaller sizes, encoded once for all viewers while somebody watches them. Each
//! video stream is decoded once. Keyframes and times are those of the stream, so that players can change between
//! renditions at any segment. This room has the rules and the state; `outputs/renditions` has the threads.

pub(crate) mod ladder;
pub(crate) mod load;
pub(crate) mod playlist;
pub(crate) mod playlist_productions;
pub(crate) mod refusal;
pub(crate) mod running;
pub(crate) mod transcoders;
mod watermark;

pub use crate::server::renditions::ladder::{Ladder, LadderRule, Ladders, VideoRendition};
pub use crate::server::renditions::watermark::Watermark;
