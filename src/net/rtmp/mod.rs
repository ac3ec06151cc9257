//! RTMP over a socket: drives the sans-IO client session of `wire`.

mod client;

pub use client::{Client, Options, Progress};
