//! Byte ranges of a file on a web server.

pub(in crate::input::http) mod blocks;
pub(in crate::input::http) mod download;
pub(in crate::input::http) mod parts;
