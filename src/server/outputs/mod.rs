//! Everything that takes the packets of a published stream and makes something of them: segments, renditions and
//! recordings.

pub(in crate::server) mod hls;
pub(in crate::server) mod playlist_makers;
pub(in crate::server) mod recordings;
pub(in crate::server) mod renditions;
pub(in crate::server) mod viewers;
