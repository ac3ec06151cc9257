//! Recordings of publications: their files, the folder, the rules, and their playlists. `outputs/recordings` writes
//! and plays them.

pub(in crate::server) mod boundaries;
mod contents;
pub(in crate::server) mod file;
pub(in crate::server) mod folder;
pub(in crate::server) mod name;
pub(in crate::server) mod opened;
pub(in crate::server) mod parts;
pub(in crate::server) mod playlist;
pub mod rules;
pub(in crate::server) mod samples;
pub(in crate::server) mod segments;
mod tags;
pub(in crate::server) mod under_way;
pub(in crate::server) mod viewers;
