//! All timing decisions: wire time to media time, jitter, the playback position, frame pacing. This
//! module is pure.

pub(crate) mod file_timeline;
pub mod frame_pacing;
pub mod jitter;
pub mod playout;
pub(crate) mod program_date_time;
pub mod timeline;

use crate::media::Track;

/// Returns the track's value, from those of video and audio.
pub(crate) fn of_track<T>([video, audio]: &mut [T; 2], track: Track) -> &mut T {
    match track {
        Track::Video | Track::Rendition(_) => video,
        Track::Audio | Track::Extra(_) => audio,
    }
}
