//! All timing decisions: wire time to media time, jitter, the playback position, frame pacing. This
//! module is pure.

pub(in crate::player) mod file_timeline;
pub mod frame_pacing;
pub mod jitter;
pub mod playout;
pub(in crate::player) mod program_date_time;
pub mod timeline;
