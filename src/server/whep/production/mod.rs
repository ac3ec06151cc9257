//! Makes the frames of a stream for WebRTC, once for all viewers: `start` is the thread, `frame_maker` its work,
//! and `productions` the data that it shares with the viewers. `timeline` is pure.

mod audio;
mod frame_maker;
pub(super) mod productions;
pub(super) mod start;
mod timeline;
