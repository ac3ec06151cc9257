//! RTMP over a socket: drives the sans-IO client session of `wire`.

mod client;
pub mod tunnel;

pub use client::{Client, Options, Progress};
