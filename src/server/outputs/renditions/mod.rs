//! The threads of renditions: `transcoder` decodes a stream, and `encoding` encodes a rendition.

mod encoding;
pub(in crate::server) mod measurement;
mod missing_frames;
mod news;
pub(in crate::server) mod start;
mod transcoder;
