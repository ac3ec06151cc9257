//! onair: one program that captures, sends, serves and watches live streams.
//!
//! The rooms of the house and the floors they stand on are described in `ARCHITECTURE.md` and
//! enforced by `tests/architecture.rs`: a file imports only from strictly lower floors or from its
//! own room.

// floor 0
pub mod base;
// floor 1
pub mod media;
// floor 2
pub mod wire;
// floor 3
pub mod audio;
pub mod capture;
pub mod compose;
pub mod decode;
pub mod encode;
pub mod files;
pub mod mix;
pub mod net;
// floor 4
pub mod broadcast;
pub mod player;
pub mod server;
// floor 5
pub mod studio;
// floor 6
pub mod ui;
// floor 7
pub mod app;
pub mod cli;
