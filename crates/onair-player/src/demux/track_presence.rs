//! Detects whether a stream has video and audio, and when each of the two began. This module is
//! pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::Track;
use crate::player::state::anomaly::Anomaly;

/// A track counts as missing this long after the first packet of the other track.
const MISSING_THRESHOLD: Duration = Duration::from_secs(2);
/// Audio that begins this long after the video counts as late.
const LATE_AUDIO_THRESHOLD: Duration = Duration::from_secs(1);

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct TrackPresence {
    /// DTS and arrival time of the first video and the first audio.
    first: [Option<(Timestamp, Timestamp)>; 2],
    is_reported: bool,
}

impl TrackPresence {
    /// Records that a packet with this `dts` arrived at `now`. Returns an anomaly if a track is
    /// missing, or if the audio began late. With `live`, an initial burst comes from the server's
    /// cache.
    pub(crate) fn arrived(
        &mut self,
        track: Track,
        dts: Timestamp,
        now: Timestamp,
        live: bool,
    ) -> Option<Anomaly> {
        let [video, audio] = &mut self.first;
        let is_audio = track != Track::Video;
        let (own, other) = if is_audio { (audio, video) } else { (video, audio) };
        let begun = own.is_none();
        own.get_or_insert((dts, now));
        let Some((first, _)) = *other else {
            let (first, came) = (*own)?;
            let long = dts.since(first) >= MISSING_THRESHOLD
                && (!live || now.since(came) >= MISSING_THRESHOLD);
            if !long || std::mem::replace(&mut self.is_reported, true) {
                return None;
            }
            return Some(if is_audio { Anomaly::NoVideo } else { Anomaly::NoAudio });
        };
        let late = dts.since(first);
        (begun && is_audio && late >= LATE_AUDIO_THRESHOLD)
            .then_some(Anomaly::LateAudio(late.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Track::{Audio, Video};

    fn run(live: bool, packets: &[(Track, i64, i64)]) -> Vec<Anomaly> {
        let mut track_presence = TrackPresence::default();
        let at = Timestamp::from_millis;
        let found = packets.iter();
        found
            .filter_map(|&(track, dts, now)| track_presence.arrived(track, at(dts), at(now), live))
            .collect()
    }

    #[test]
    fn what_is_missing_or_late_is_found_once() {
        let video = |until: i64| (0..until).step_by(40).map(|ms| (Video, ms, ms));
        let alone: Vec<_> = video(9_000).collect();
        assert_eq!(run(true, &alone), [Anomaly::NoAudio]);
        // The server's cache arrives within a moment, and may begin with video only.
        let stored: Vec<_> = video(9_000).map(|(track, ms, _)| (track, ms, 5)).collect();
        assert_eq!(run(true, &stored), []);
        assert_eq!(run(false, &stored), [Anomaly::NoAudio]);
        let late: Vec<_> = video(1_800).chain([(Audio, 1_800, 1_800)]).collect();
        assert_eq!(run(true, &late), [Anomaly::LateAudio(1)]);
        assert_eq!(run(true, &[(Video, 0, 0), (Audio, 300, 300), (Audio, 5_000, 5_000)]), []);
        assert_eq!(run(true, &[(Audio, 0, 0), (Audio, 2_000, 2_000)]), [Anomaly::NoVideo]);
    }
}
