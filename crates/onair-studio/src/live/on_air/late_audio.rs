//! The wait for late audio at the end of a broadcast.

use std::time::Duration;

use super::OnAir;

/// Time limit for late audio when onair quits.
pub const QUIT_AUDIO_WAIT: Duration = Duration::from_secs(1);

impl OnAir {
    /// Returns the longest time for which the end of a broadcast waits for late audio.
    pub const fn max_audio_wait(quits: bool) -> Duration {
        if quits { QUIT_AUDIO_WAIT } else { Duration::MAX }
    }

    /// Returns the time for which the end of this broadcast waits for late audio: zero if no output
    /// needs the audio. A recording that is ending in the background needs it.
    pub fn late_audio_wait(&self, quits: bool) -> Duration {
        let is_recorded = || self.ending_tracks.iter().any(|tracks| tracks.strong_count() > 0);
        if self.outputs.need_last_audio() || is_recorded() {
            Self::max_audio_wait(quits)
        } else {
            Duration::ZERO
        }
    }
}
