//! Reads the markers of presented video and audio, to measure latency and lip sync at presentation.
//! This module runs on the presenter thread.

use std::time::Duration;

use crate::base::{Clock, Timestamp};
use crate::media::VideoFrame;
use crate::media::markers::{self, FlashReader, LipSync, OnsetReader};
use crate::player::decode::audio::PlayedAudio;

/// After this time of frames without a marker, the measured values no longer apply.
const NO_MARKER_TIMEOUT: Duration = Duration::from_secs(1);

/// Measurement of latency and lip sync at presentation.
#[derive(Debug, Default)]
pub(crate) struct Measure {
    flashes: FlashReader,
    onsets: Option<(u32, OnsetReader)>,
    lip_sync: LipSync,
    /// The time from writing the last marker to showing it, in milliseconds.
    pub(crate) latency_ms: Option<f64>,
    /// The time in milliseconds from writing the last marker to the arrival of the last byte of its
    /// frame.
    pub(crate) arrival_ms: Option<f64>,
    /// The time of the first frame without a marker since the last marker.
    unmarked_since: Option<Timestamp>,
}

impl Measure {
    /// Records that a frame that arrived at `came` is shown at `at`.
    pub(crate) fn shown(
        &mut self,
        frame: &VideoFrame,
        at: Timestamp,
        came: Option<Timestamp>,
        clock: Clock,
    ) {
        let (luma, stride, size) = (&frame.planes().y, frame.planes().luma_stride(), frame.size());
        let Some(time_ms) = markers::read_band(luma, stride, size) else {
            let since = *self.unmarked_since.get_or_insert(at);
            if at.since(since) >= NO_MARKER_TIMEOUT {
                *self = Self {
                    onsets: self.onsets.take(),
                    unmarked_since: Some(since),
                    ..Self::default()
                };
            }
            return;
        };
        self.unmarked_since = None;
        let age = |at: Timestamp| {
            let wall = clock.wall_micros(at);
            // The marker has whole milliseconds, rounded down.
            let age = markers::age_ms(time_ms, wall.div_euclid(1_000)) as f64;
            age + wall.rem_euclid(1_000) as f64 / 1_000.0
        };
        self.latency_ms = Some(age(at));
        self.arrival_ms = came.map(age);
        if self.flashes.on_frame(time_ms, markers::is_flash(luma, stride, size)) {
            self.lip_sync.flash(at);
        }
    }

    /// Records audio that is or will be played.
    pub(crate) fn on_played(&mut self, audio: &PlayedAudio<'_>) {
        let fresh = self.onsets.as_ref().is_none_or(|(rate, _)| *rate != audio.rate);
        if fresh {
            self.onsets = Some((audio.rate, OnsetReader::new(audio.rate)));
        }
        let Some((_, reader)) = &mut self.onsets else { return };
        let lip_sync = &mut self.lip_sync;
        reader.push(audio.at, audio.channels, audio.data, |at| lip_sync.onset(at));
    }

    /// Returns the median of the last 5 audio delays relative to the video, in milliseconds;
    /// positive means late audio.
    pub(crate) fn av_offset_ms(&self) -> Option<f64> {
        self.lip_sync.offset_ms()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::base::Pooled;
    use crate::media::{Color, Planes, Size};

    fn frame(time_ms: Option<u64>) -> VideoFrame {
        let mut planes = Planes::black(Size::new(320, 180));
        if let Some(time_ms) = time_ms {
            markers::draw_band(&mut planes, time_ms);
        }
        let surface = Arc::new(Pooled::unpooled(planes)).into();
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface }
    }

    #[test]
    fn nothing_is_measured_once_the_test_pattern_is_gone() {
        let clock = Clock::start_at(0);
        let mut measure = Measure::default();
        let show = |measure: &mut Measure, at_ms: i64, time_ms| {
            let at = Timestamp::from_millis(at_ms);
            measure.shown(&frame(time_ms), at, Some(at.offset(-50_000)), clock);
            (measure.latency_ms, measure.arrival_ms, measure.av_offset_ms())
        };
        let flash = Timestamp::from_millis(1_000);
        measure.lip_sync.flash(flash);
        measure.lip_sync.onset(flash.offset(20_000));
        let measured = (Some(200.0), Some(150.0), Some(20.0));
        assert_eq!(show(&mut measure, 1_200, Some(1_000)), measured);
        // Single frames without a marker change nothing, also after a pause.
        assert_eq!(show(&mut measure, 9_000, None), measured);
        assert_eq!(show(&mut measure, 9_100, Some(8_900)), measured);
        assert_eq!(show(&mut measure, 10_000, None), measured);
        assert_eq!(show(&mut measure, 10_999, None), measured);
        assert_eq!(show(&mut measure, 11_000, None), (None, None, None));
        // The test pattern returns.
        let again = (Some(100.0), Some(50.0), None);
        assert_eq!(show(&mut measure, 12_000, Some(11_900)), again);
        assert_eq!(show(&mut measure, 12_900, None), again);
    }
}
