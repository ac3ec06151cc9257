//! Recordings of publications: their files, the folder, the rules, and their playlists. `outputs/recordings` writes
//! and plays them.

pub(crate) mod boundaries;
mod contents;
pub(crate) mod file;
pub(crate) mod folder;
pub(crate) mod name;
pub(crate) mod opened;
pub(crate) mod parts;
pub(crate) mod playlist;
pub mod rules;
pub(crate) mod samples;
pub(crate) mod segments;
mod tags;
pub(crate) mod under_way;
pub(crate) mod viewers;
