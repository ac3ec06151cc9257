//! Byte ranges of a file on a web server.

pub(in crate::player::input::http) mod blocks;
pub(in crate::player::input::http) mod download;
pub(in crate::player::input::http) mod parts;
