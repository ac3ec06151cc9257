//! The playlists of recordings: of one file, and of all files of a broadcast.

pub(in crate::server) mod broadcast;
pub(in crate::server) mod recording;
