//! onair: one program that captures, sends, serves and watches live streams.
//!
//! `ARCHITECTURE.md` describes the rooms and their floors, and `tests/architecture.rs` enforces
//! them: a file imports only from lower floors or from its own room.

pub mod app;
pub mod audio;
pub mod base;
pub mod broadcast;
pub mod capture;
pub mod cli;
pub mod compose;
pub mod decode;
pub mod encode;
pub mod files;
pub mod media;
pub mod mix;
pub mod net;
pub mod player;
pub mod server;
pub mod studio;
pub mod text;
pub mod ui;
pub mod wire;

// floor 0

// floor 1

// floor 2

// floor 3

// floor 4

// floor 5

// floor 6

// floor 7
