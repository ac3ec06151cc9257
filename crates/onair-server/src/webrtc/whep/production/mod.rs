//! Makes the frames of a stream for WebRTC, once for all viewers: `start` is the thread, `frame_maker` its work,
//! and `productions` the data that it shares with the viewers. `program_audio` is the thread for audio of the studio
//! itself. `keyframe_request` reaches the studio's encoder. `timeline` is pure.

mod audio;
mod frame_maker;
pub(crate) mod guest_audio;
pub(crate) mod keyframe_request;
pub(in crate::webrtc) mod productions;
pub(crate) mod program_audio;
pub(super) mod start;
mod timeline;
