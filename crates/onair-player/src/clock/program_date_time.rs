//! The sender's wall-clock time of the presented media, if the stream declares it (HLS,
//! `EXT-X-PROGRAM-DATE-TIME`). The feed stores the time of new media. The presenter reads the time
//! of displayed media, which is older by the length of the buffer.
//!
//! This module is pure: time is an argument.

use std::collections::VecDeque;

use crate::base::Timestamp;

/// Maximum number of stored values. A playlist repeats its value with each segment or part; only
/// changes are stored.
const MAX_DATES: usize = 64;
/// A difference smaller than this, in microseconds, comes from rounding in the playlist and is not
/// a change.
const ROUNDING_TOLERANCE_MICROS: i64 = 10_000;

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct ProgramDateTime {
    /// Wall-clock time minus media time in microseconds, from this media time on; `None` if not
    /// declared. The oldest entry is first.
    known: VecDeque<(Timestamp, Option<i64>)>,
}

impl ProgramDateTime {
    /// Sets the wall-clock time of the media at `media`, in microseconds since 1970. `None` means
    /// that the media has no wall-clock time.
    pub(crate) fn note(&mut self, media: Timestamp, made: Option<i64>) {
        // Entries after this time are from a position that playback has left.
        self.known.retain(|(from, _)| *from < media);
        let ahead = made.map(|made| made.saturating_sub(media.as_micros()));
        let same = self.known.back().is_some_and(|(_, before)| match (before, ahead) {
            (Some(before), Some(ahead)) => {
                before.abs_diff(ahead) < ROUNDING_TOLERANCE_MICROS.unsigned_abs()
            }
            (before, ahead) => *before == ahead,
        });
        if same || self.known.is_empty() && ahead.is_none() {
            return;
        }
        if self.known.len() >= MAX_DATES {
            self.known.pop_front();
        }
        self.known.push_back((media, ahead));
    }

    /// Returns the wall-clock time of the media at `media`, in microseconds since 1970.
    pub(crate) fn of(&self, media: Timestamp) -> Option<i64> {
        let of = self.known.iter().rev().find(|(from, _)| *from <= media);
        // Audio may begin slightly before the frame to which the time belongs.
        let (_, ahead) = of.or(self.known.front())?;
        ahead.map(|ahead| ahead.saturating_add(media.as_micros()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNIX_TIME_MICROS: i64 = 1_700_000_000_000_000;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_millis(ms)
    }

    #[test]
    fn shown_frames_have_their_date_though_later_packets_are_of_another_time() {
        let mut dated = ProgramDateTime::default();
        assert_eq!(dated.of(at(5)), None);
        dated.note(at(0), None);
        assert_eq!(dated.of(at(5)), None);
        for second in 1..5 {
            // The values are rounded, as in playlists.
            dated
                .note(at(second * 1_000), Some(UNIX_TIME_MICROS + second * 1_000_000 + second % 2));
        }
        assert_eq!(dated.known.len(), 1);
        assert_eq!(dated.of(at(990)), Some(UNIX_TIME_MICROS + 990_001));
        assert_eq!(dated.of(at(4_500)), Some(UNIX_TIME_MICROS + 4_500_001));
        // An hour is skipped, then no time is declared, while earlier media is still on the screen.
        dated.note(at(5_000), Some(UNIX_TIME_MICROS + 3_605_000_000));
        dated.note(at(6_000), None);
        assert_eq!(dated.of(at(4_999)), Some(UNIX_TIME_MICROS + 4_999_001));
        assert_eq!(dated.of(at(5_001)), Some(UNIX_TIME_MICROS + 3_605_001_000));
        assert_eq!(dated.of(at(6_500)), None);
        // A seek to another position, which plays from here.
        dated.note(at(4_000), Some(UNIX_TIME_MICROS));
        assert_eq!(dated.of(at(6_500)), Some(UNIX_TIME_MICROS + 2_500_000));
    }

    #[test]
    fn nothing_piles_up_and_no_time_is_too_far() {
        let mut dated = ProgramDateTime::default();
        for step in 0..1_000 {
            dated.note(at(step), Some(if step % 2 == 0 { i64::MAX } else { i64::MIN }));
        }
        assert_eq!(dated.known.len(), MAX_DATES);
        assert!(dated.of(at(999)).is_some());
    }
}
