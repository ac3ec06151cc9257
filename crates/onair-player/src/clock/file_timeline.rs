//! The timeline of a file's video and audio, for seeking and looping: the start and the length of
//! one pass, so that no frame is lost at the loop point and the audio has no gap. This module is
//! pure.

use std::time::Duration;

/// Audio that begins or ends within this time of the video, in µs, is treated as simultaneous with
/// the video. The difference is priming (an AAC frame before the first one), or padding of the last
/// frame.
const PRIMING_TOLERANCE_MICROS: i64 = 100_000;
/// The assumed duration of a frame that is the only one of its track, in µs.
const SINGLE_FRAME_MICROS: i64 = 33_333;
/// Up to this value, in µs, a difference between the last frame interval and the average counts as
/// rounding to milliseconds.
const ROUNDING_TOLERANCE_MICROS: i64 = 2_000;
/// The maximum duration of the last frame in µs.
const MAX_LAST_FRAME_MICROS: i64 = 10_000_000;

/// The range and the number of one track's timestamps, which are in microseconds and can be added
/// in any order.
#[derive(Copy, Clone, Debug, Default)]
pub(crate) struct FileTimeline {
    count: i64,
    first: i64,
    last: i64,
    before: i64,
}

impl FileTimeline {
    pub(crate) fn add(&mut self, at: i64) {
        if self.count == 0 {
            (self.first, self.last, self.before) = (at, at, at);
        } else if at > self.last {
            (self.before, self.last) = (self.last, at);
        } else {
            self.before = if self.before == self.last { at } else { self.before.max(at) };
            self.first = self.first.min(at);
        }
        self.count += 1;
    }

    /// Returns the duration of the last frame: the average, or, if durations vary, that of the
    /// previous frame.
    fn lasts(&self) -> i64 {
        if self.count < 2 {
            return SINGLE_FRAME_MICROS;
        }
        let step = self.last.saturating_sub(self.before);
        let even = self.last.saturating_sub(self.first) as f64 / (self.count - 1) as f64;
        let even = even.round() as i64;
        let lasts = if (step - even).abs() <= ROUNDING_TOLERANCE_MICROS { even } else { step };
        lasts.clamp(1_000, MAX_LAST_FRAME_MICROS)
    }

    fn whole(&self) -> Option<Self> {
        (self.count > 0).then_some(*self)
    }
}

/// The presented part of a file: from its first frame to the end of its last frame, with its audio
/// except the priming. Times are microseconds of the file's own timeline.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) begins: i64,
    pub(crate) ends: i64,
}

impl Span {
    /// Returns the span of these tracks, or `None` if both are empty.
    pub(crate) fn of(video: &FileTimeline, audio: &FileTimeline) -> Option<Self> {
        let end = |course: &FileTimeline| course.last.saturating_add(course.lasts());
        let (begins, ends) = match (video.whole(), audio.whole()) {
            (None, None) => return None,
            (Some(one), None) | (None, Some(one)) => (one.first, end(&one)),
            (Some(video), Some(audio)) => {
                let early = video.first.saturating_sub(audio.first);
                let begins =
                    if early > PRIMING_TOLERANCE_MICROS { audio.first } else { video.first };
                let (video_end, audio_end) = (end(&video), end(&audio));
                let longer = audio_end.saturating_sub(video_end);
                let ends = match longer {
                    // The audio continues after the last frame.
                    PRIMING_TOLERANCE_MICROS.. => audio_end,
                    // The last frame is shown for slightly less time.
                    _ if longer < 0 && -longer <= video.lasts() / 2 => audio_end,
                    _ => video_end,
                };
                (begins, ends)
            }
        };
        (ends > begins).then_some(Self { begins, ends })
    }

    pub(crate) fn micros(self) -> i64 {
        self.ends.saturating_sub(self.begins)
    }

    pub(crate) fn length(self) -> Duration {
        Duration::from_micros(u64::try_from(self.micros()).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn course(first: i64, step: f64, count: i64) -> FileTimeline {
        let mut course = FileTimeline::default();
        // The order of frames in a file with B-frames.
        for pair in (0..count).collect::<Vec<_>>().chunks(2) {
            for number in pair.iter().rev() {
                course.add(first + (*number as f64 * step) as i64);
            }
        }
        course
    }

    fn span(video: FileTimeline, audio: FileTimeline) -> (i64, i64) {
        let span = Span::of(&video, &audio).unwrap();
        (span.begins, span.ends)
    }

    #[test]
    fn a_round_lasts_from_the_first_frame_to_the_end_of_the_last() {
        let video = course(21_333, 40_000.0, 250);
        let none = FileTimeline::default();
        assert_eq!(span(video, none), (21_333, 10_021_333));
        // AAC with a priming frame before the first, and padding in the last.
        let audio = course(0, 1_024.0 / 0.048, 470);
        assert_eq!(span(video, audio), (21_333, 10_021_333));
        assert_eq!(span(none, audio), (0, 10_026_666));
        // Timestamps in whole milliseconds, rounded down.
        let mut rounded = FileTimeline::default();
        (0..300).for_each(|number| rounded.add(number * 100 / 3 * 1_000));
        assert!((span(rounded, none).1 - 10_000_000).abs() < 1_000, "{rounded:?}");
        assert_eq!(Span::of(&none, &none), None);
    }

    #[test]
    fn audio_that_is_shorter_or_longer_than_the_frames_says_how_long_a_round_is() {
        let video = course(0, 40_000.0, 100);
        let audio = |count| course(0, 20_000.0, count);
        // The loop ends with the audio if that shortens the last frame only slightly. Otherwise,
        // silence follows.
        assert_eq!(span(video, audio(199)), (0, 3_980_000));
        assert_eq!(span(video, audio(198)), (0, 4_000_000));
        assert_eq!(span(video, audio(203)), (0, 4_000_000));
        assert_eq!(span(video, audio(300)), (0, 6_000_000));
        // The audio begins long before the video.
        assert_eq!(span(course(500_000, 40_000.0, 100), audio(300)), (0, 6_000_000));
    }

    #[test]
    fn whatever_comes_ends_later_than_it_begins() {
        for stamps in [vec![i64::MAX, i64::MIN], vec![5, 5, 5], vec![0], vec![i64::MIN; 3]] {
            let mut course = FileTimeline::default();
            stamps.into_iter().for_each(|at| course.add(at));
            if let Some(span) = Span::of(&course, &FileTimeline::default()) {
                assert!(span.micros() > 0);
            }
        }
    }
}
