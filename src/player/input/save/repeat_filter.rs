//! The filter of a saved file for packets that the file already contains. Playlists are read again
//! from an earlier position after a seek and after a loss. This module is pure.

use std::time::Duration;

use crate::media::Track;

/// The saved packets of a track. All times are DTS of the source in microseconds.
#[derive(Copy, Clone, Debug, Default)]
struct SavedTrack {
    /// The newest saved packet.
    newest: Option<i64>,
    /// The oldest packet that counts as repeated, while repeated packets are expected.
    oldest: Option<i64>,
    /// The first of the packets among which repeated ones are expected.
    first: Option<i64>,
}

impl SavedTrack {
    fn is_repeated(&mut self, dts: i64) -> bool {
        if let (Some(newest), Some(oldest)) = (self.newest, self.oldest) {
            // An earlier packet than the first one belongs to another part of the stream.
            let first = *self.first.get_or_insert(dts);
            if (oldest.max(first)..=newest).contains(&dts) {
                return true;
            }
        }
        *self = Self { newest: Some(dts), ..Self::default() };
        false
    }
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct RepeatFilter {
    tracks: [SavedTrack; 2],
}

impl RepeatFilter {
    /// Expects saved packets again, which are at most this much older than the newest one.
    pub(super) fn expect(&mut self, age: Duration) {
        let age = i64::try_from(age.as_micros()).unwrap_or(i64::MAX);
        for track in &mut self.tracks {
            track.oldest = track.newest.map(|newest| newest.saturating_sub(age));
            track.first = None;
        }
    }

    /// Returns true if the file already contains this packet. Otherwise, the packet counts as saved.
    pub(super) fn is_repeated(&mut self, track: Track, dts: i64) -> bool {
        let [video, audio] = &mut self.tracks;
        match track {
            Track::Video => video.is_repeated(dts),
            Track::Audio | Track::Extra(_) => audio.is_repeated(dts),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the video packets that are saved of these seconds of a stream.
    fn saved(filter: &mut RepeatFilter, seconds: impl IntoIterator<Item = i64>) -> Vec<i64> {
        let is_new = |second: &i64| !filter.is_repeated(Track::Video, second * 1_000_000);
        seconds.into_iter().filter(is_new).collect()
    }

    #[test]
    fn what_comes_again_is_saved_once() {
        let mut filter = RepeatFilter::default();
        filter.expect(Duration::MAX);
        assert_eq!(saved(&mut filter, 100..105), [100, 101, 102, 103, 104]);
        // Without a seek, a step back is another part of the stream.
        assert_eq!(saved(&mut filter, [104, 90, 91]), [104, 90, 91]);
        assert_eq!(saved(&mut filter, 92..110).len(), 18);
        filter.expect(Duration::MAX);
        assert_eq!(saved(&mut filter, 95..100), Vec::<i64>::new());
        // Another seek before the end of the repetition.
        filter.expect(Duration::MAX);
        assert_eq!(saved(&mut filter, 93..112), [110, 111]);
        // A seek that skips a part.
        filter.expect(Duration::MAX);
        assert_eq!(saved(&mut filter, [120, 119]), [120, 119]);
        // The other track has its own times.
        assert!(!filter.is_repeated(Track::Audio, 100_000_000));
    }

    #[test]
    fn what_begins_anew_is_saved() {
        let mut filter = RepeatFilter::default();
        saved(&mut filter, 0..100);
        filter.expect(Duration::from_secs(60));
        assert_eq!(saved(&mut filter, 0..3), [0, 1, 2], "older than the limit");
        saved(&mut filter, 3..100);
        filter.expect(Duration::MAX);
        assert_eq!(saved(&mut filter, [90, 91, 5, 6]), [5, 6], "older than the first packet");
    }
}
