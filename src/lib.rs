//! onair: one program that captures, sends, serves and watches live streams.
//!
//! This package contains the window and the command line. The other rooms are crates in `crates/`, and have here
//! the names that they have in `ARCHITECTURE.md`.

pub mod app;
pub mod cli;
pub mod ui;

pub use onair_base::{base, media, problem, text};
pub use onair_media::{audio, capture, compose, decode, encode, files, mix, problems};
pub use onair_net::{broadcast, net};
pub use onair_platform as platform;
pub use onair_player as player;
pub use onair_remote as remote;
pub use onair_server as server;
pub use onair_studio as studio;
pub use onair_wire as wire;
