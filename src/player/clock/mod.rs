//! What decides about time: wire time to media time, jitter, the playing position, frame pacing. Pure.

pub(in crate::player) mod file_timeline;
pub mod frame_pacing;
pub mod jitter;
pub mod playout;
pub(in crate::player) mod program_date_time;
pub mod timeline;
