//! The playlists of recordings: of one file, and of all files of a broadcast.

pub(crate) mod broadcast;
pub(crate) mod recording;
