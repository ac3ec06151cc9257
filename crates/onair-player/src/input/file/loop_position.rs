//! Loops through a file or a list: each part continues where the previous one ended.

use std::time::Duration;

use crate::player::clock::file_timeline::{FileTimeline, Span};
use crate::player::input::feed::InputFeed;
use crate::wire::container::flv::TagKind;

/// The DTS of a file's first instant, in microseconds. It leaves room for earlier packets and audio
/// priming.
pub(crate) const FIRST_DTS_MICROS: i64 = 10_000_000;

/// One pass through a looped file.
#[derive(Debug, Default)]
pub(super) struct LoopPass {
    /// Start of the pass, in microseconds after [`FIRST_DTS_MICROS`].
    pub(super) at: i64,
    /// The length of a complete pass, if known in advance.
    pub(super) length: Option<i64>,
    /// The received video packets, by their times in the file.
    video: FileTimeline,
    /// The received audio packets, by their times in the file.
    audio: FileTimeline,
    /// The last time of each track in milliseconds, and whether the times of a track have jumped.
    last: [Option<u32>; 2],
    jumped: bool,
    /// True if this is not the first pass.
    pub(super) again: bool,
    /// True if the timestamps jumped in an earlier pass, so that the times of that pass are
    /// unknown.
    loose: bool,
}

impl LoopPass {
    /// Returns the shift from file time to playback time.
    pub(super) fn shift(&self, begins: i64) -> i64 {
        FIRST_DTS_MICROS.saturating_add(self.at).saturating_sub(begins)
    }

    /// Records the time of a tag in the file.
    pub(super) fn note(&mut self, kind: TagKind, time_ms: u32, pts: i64) {
        let [video, audio] = &mut self.last;
        let (last, course) = match kind {
            TagKind::Video => (video, &mut self.video),
            TagKind::Audio => (audio, &mut self.audio),
            TagKind::Script => return,
        };
        // A step outside this range, in milliseconds, is a jump.
        let untidy = |last: u32| !(-100..5_000).contains(&time_ms.wrapping_sub(last).cast_signed());
        self.jumped |= last.is_some_and(untidy);
        *last = Some(time_ms);
        course.add(pts);
    }

    /// Starts the next pass where this one ends. Returns false if no packet has arrived, or if the
    /// times have become too large.
    pub(super) fn next(&mut self) -> bool {
        // If the times jumped, the known length does not apply.
        let known = self.length.filter(|_| !self.jumped);
        let length = known.or_else(|| self.came().map(Span::micros));
        let Some(length) = length else { return false };
        let loose = self.is_loose();
        *self = Self { at: self.at.saturating_add(length), again: true, loose, ..Self::default() };
        // The limit is tens of thousands of years.
        self.at < i64::MAX / 4
    }

    /// Returns the span of the received packets.
    fn came(&self) -> Option<Span> {
        Span::of(&self.video, &self.audio)
    }

    /// Returns the span if its times match the file, without jumps.
    pub(super) fn measured(&self) -> Option<Span> {
        self.came().filter(|_| !self.jumped)
    }

    /// Returns true if times have jumped.
    pub(super) const fn is_loose(&self) -> bool {
        self.loose || self.jumped
    }

    /// Sets the position of the next packet: at `from` in the file, or after the last pass.
    pub(super) fn begin(&self, feed: &mut InputFeed, from: Option<Duration>, firm: bool) {
        feed.shared.timeline.set_round(Duration::from_micros(u64::try_from(self.at).unwrap_or(0)));
        let now = feed.shared.clock.now();
        let place = from.map_or(0, micros);
        match from {
            Some(from) => feed.move_to(FIRST_DTS_MICROS.saturating_add(place), from, firm, now),
            None if self.loose => {}
            None if self.again => feed.seam(FIRST_DTS_MICROS.saturating_add(self.at)),
            None => feed.begin(FIRST_DTS_MICROS, firm, now),
        }
    }
}

pub(crate) fn micros(time: Duration) -> i64 {
    i64::try_from(time.as_micros()).unwrap_or(i64::MAX / 4)
}

/// Returns true if nobody has requested a stop or a seek.
pub(super) fn goes_on(feed: &InputFeed) -> bool {
    !feed.shared.lifetime.stop.is_set() && !feed.shared.requests.is_wanted()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_goes_on_where_it_ended() {
        let mut round = LoopPass::default();
        assert!(!round.next(), "nothing has come");
        // The first two are encoder priming and a frame that is shown later.
        for number in 0..48 {
            round.note(TagKind::Audio, number * 64 / 3, i64::from(number * 64 / 3) * 1_000);
        }
        for number in 0..25 {
            round.note(TagKind::Video, number * 40, i64::from(number * 40 + 21) * 1_000);
        }
        assert_eq!(round.shift(21_000), FIRST_DTS_MICROS - 21_000);
        assert!(round.next());
        assert_eq!(round.shift(21_000), FIRST_DTS_MICROS - 21_000 + 1_000_000);
        // The length is known for a file with an index.
        round.length = Some(999_999);
        assert!(round.next() && !round.next());
        assert_eq!(round.at, 1_999_999);
    }
}
