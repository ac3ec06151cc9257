//! The threads of renditions: `transcoder` decodes a stream, and `encoding` encodes a rendition.

mod encoding;
pub(crate) mod measurement;
mod missing_frames;
mod news;
pub(crate) mod start;
mod transcoder;
