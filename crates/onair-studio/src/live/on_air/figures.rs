//! Computes the figures of a broadcast for the window and, every second, for the command line.

use crate::base::Timestamp;
use crate::broadcast::publisher;
use crate::mix::FLOOR_DBFS;
use crate::studio::event::stats;
use crate::studio::event::stats::Stats;
use crate::studio::live::on_air::OnAir;
use crate::studio::live::outputs::Outputs;
use crate::studio::live::outputs::target::{TargetOutput, carried};
use crate::studio::live::second_rendition::SecondRendition;
use crate::studio::live::view::{EncoderView, LiveFigures};
use crate::studio::program::Program;

/// Number of seconds over which the displayed frame rate is averaged.
const FPS_WINDOW_SECONDS: usize = 3;
/// Maximum number of seconds of frame times that are displayed.
const MAX_FRAME_TIME_SECONDS: usize = 600;

/// Returns the totals of a target.
fn totals(figures: &publisher::Figures) -> LiveFigures {
    LiveFigures {
        on_air_for: figures.live_for,
        dropped_frames: figures.dropped_frames,
        dropped_audio: figures.dropped_audio,
        lost_frames: figures.lost_frames,
        total_frames: figures.total_frames,
        reconnects: figures.reconnects,
        sent_bytes: figures.sent_bytes,
        ..LiveFigures::default()
    }
}

/// Adds the totals of another target.
fn add_totals(all: &mut LiveFigures, other: &LiveFigures) {
    all.on_air_for = all.on_air_for.max(other.on_air_for);
    all.dropped_frames = all.dropped_frames.max(other.dropped_frames);
    all.lost_frames = all.lost_frames.max(other.lost_frames);
    all.dropped_audio = all.dropped_audio.max(other.dropped_audio);
    all.total_frames = all.total_frames.max(other.total_frames);
    all.reconnects = all.reconnects.max(other.reconnects);
    all.sent_bytes += other.sent_bytes;
}

/// Returns the mean of the values. It is 0 for no values, because the sum of no floats would be −0.
fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let number = values.len().max(1) as f64;
    values.fold(0.0, |sum, value| sum + value) / number
}

/// Returns the frame rate of a second with `new` frames. `by_timestamps` is the rate of all frames
/// by their timestamps. It is the rate of the second in which the first frames came: that second is
/// partial, and several frames come at once.
fn frame_rate(frames_before: u64, new: u64, seconds: f64, by_timestamps: Option<f64>) -> f64 {
    match (frames_before, new) {
        (_, 0) => 0.0,
        (0, _) => by_timestamps.unwrap_or(0.0),
        _ if seconds > 0.0 => new as f64 / seconds,
        _ => 0.0,
    }
}

/// Returns the frame rate of a second, or `None` for the second in which the first frames came:
/// that second is partial, and several frames come at once.
fn whole_second(frames_before: u64, fps: f64) -> Option<f64> {
    (frames_before > 0).then_some(fps)
}

impl OnAir {
    /// Returns the video encoder, if one runs.
    pub fn encoder(&self) -> Option<EncoderView> {
        let figures = self.video.as_ref()?.figures();
        Some(EncoderView { name: figures.name, profile: figures.profile })
    }

    /// Returns the figures for the window: totals over all targets, or the worst value. During the
    /// broadcast, they include targets that were switched off or restarted, so no total decreases.
    pub fn live_figures(&self) -> LiveFigures {
        self.figures(self.is_publishing())
    }

    /// Returns the figures for the summary of the broadcast.
    pub fn summary_figures(&self) -> LiveFigures {
        self.figures(true)
    }

    /// Returns the figures, of the `whole` broadcast or only of its present targets.
    fn figures(&self, whole: bool) -> LiveFigures {
        let encoded = match (&self.video, &self.audio) {
            (Some(video), _) => video.figures().encoded,
            (None, Some(audio)) => audio.figures().encoded,
            (None, None) => match self.hub.figures() {
                // A file may contain only audio.
                figures if figures.frames == 0 => figures.audio_packets,
                figures => figures.frames,
            },
        };
        let fps = mean(self.lately.iter().copied());
        let wanted_fps = match &self.video {
            Some(_) => self.frame_rate.as_f64() / f64::from(self.adaptation.frame_step().max(1)),
            None => 0.0,
        };
        let mut all = LiveFigures {
            encoded,
            fps,
            fps_pending: self.lately.is_empty(),
            wanted_fps,
            encode_time: self.encode_time,
            frame_times: self.frame_times.iter().copied().collect(),
            skipped_frames: self.skipped,
            ..LiveFigures::default()
        };
        for sent in self.targets() {
            let figures = sent.publisher.figures();
            add_totals(&mut all, &totals(&figures));
            all.bitrate = all.bitrate.max(carried(&figures));
            all.queued = all.queued.max(figures.queued);
            all.round_trip = all.round_trip.max(figures.round_trip);
            let loss = figures.loss.map(|loss| all.loss.unwrap_or_default().max(loss));
            all.loss = loss.or(all.loss);
        }
        if whole {
            add_totals(&mut all, &self.left);
            all.on_air_for = all.on_air_for.max(self.time_on_air.total);
        }
        all
    }

    /// Counts the time on air up to now.
    pub(super) fn count_time_on_air(&mut self, now: Timestamp) {
        let live_for = self.targets().map(|sent| sent.publisher.figures().live_for).max();
        let live_for = live_for.unwrap_or_default().max(self.left.on_air_for);
        self.time_on_air.count(live_for, self.is_publishing(), now);
    }

    /// Keeps the totals of targets that are removed from the broadcast.
    pub(super) fn keep_totals(&mut self, removed: &Outputs) {
        for sent in removed.all::<TargetOutput>() {
            add_totals(&mut self.left, &totals(&sent.publisher.figures()));
        }
    }

    /// Counts the frames since the last call, for the frame rate.
    fn count_frames(&mut self, now: Timestamp) {
        let (count, by_timestamps) = match &self.video {
            Some(video) => (video.figures().encoded, video.mean_frame_rate()),
            None => (self.hub.figures().frames, None),
        };
        let (last, at, _) = self.fps;
        let seconds = now.since(at).as_secs_f64();
        let fps = frame_rate(last, count.saturating_sub(last), seconds, by_timestamps);
        self.fps = (count, now, fps);
        let is_mixed = std::mem::take(&mut self.is_mixed_second);
        self.lately.extend(whole_second(last, fps).filter(|_| !is_mixed));
        if self.lately.len() > FPS_WINDOW_SECONDS {
            self.lately.pop_front();
        }
    }

    /// Returns the figures of one second.
    pub fn stats(
        &mut self,
        program: Option<&Program>,
        (cpu, rss_bytes): (f32, u64),
        now: Timestamp,
    ) -> Stats {
        self.count_frames(now);
        let (video, audio) = program.map(|it| self.encoded(it, now)).unwrap_or_default();
        let targets = self.outputs.all_mut().map(|sent: &mut TargetOutput| sent.figures());
        let targets = targets.collect();
        let (strips, canvas, guests, delay) = (Vec::new(), None, None, self.held());
        Stats { video, audio, strips, targets, canvas, guests, delay, cpu, rss_bytes }
    }

    /// Returns the figures of the program's video and audio, with those of their encoders.
    fn encoded(
        &mut self,
        program: &Program,
        now: Timestamp,
    ) -> (Option<stats::Video>, Option<stats::Audio>) {
        let composed = program.compositor().figures();
        let mixed = program.mixer().figures();
        let fps = self.fps.2;
        let video = self.video.as_ref().map(|encoder| {
            let figures = encoder.figures();
            let (encoded, busy) =
                std::mem::replace(&mut self.encoding, (figures.encoded, figures.busy));
            let (new, took) =
                (figures.encoded.saturating_sub(encoded), figures.busy.saturating_sub(busy));
            let undrawn = composed.skipped.saturating_sub(self.began.skipped);
            let skipped = figures.skipped + undrawn;
            let per_frame = u32::try_from(new).ok().and_then(|new| took.checked_div(new));
            self.skipped = skipped;
            self.encode_time = per_frame;
            if let Some(encode_time) = per_frame {
                let frame_time = (composed.draw_time + encode_time).as_secs_f32() * 1_000.0;
                self.frame_times.push_back(frame_time);
                if self.frame_times.len() > MAX_FRAME_TIME_SECONDS {
                    self.frame_times.pop_front();
                }
            }
            stats::Video {
                captured: composed.captured.saturating_sub(self.began.captured),
                encoded: figures.encoded,
                skipped,
                undrawn,
                second_skipped: self.second.as_ref().map_or(0, SecondRendition::skipped),
                fps,
                bitrate: self.video_rate.rate(figures.bytes, now),
                allowed: figures.bitrate.0,
                size: Some(figures.size),
                second: self
                    .second
                    .as_ref()
                    .and_then(SecondRendition::now)
                    .map(|(size, bitrate)| (size, bitrate.0)),
                keyframes: figures.keyframes,
                encode_ms: per_frame.map(|time| time.as_secs_f64() * 1_000.0),
            }
        });
        let meter = program.mixer().meter();
        let audio = self.audio.as_ref().map(|encoder| stats::Audio {
            samples: mixed.samples.saturating_sub(self.began.samples),
            bitrate: self.audio_rate.rate(encoder.figures().bytes, now),
            level_dbfs: meter.peak_dbfs,
            held_dbfs: meter.held_dbfs,
            clipped: meter.clipped,
            rms_dbfs: meter.rms_dbfs,
            true_peak_dbtp: (meter.true_peak_dbtp > FLOOR_DBFS).then_some(meter.true_peak_dbtp),
            momentary_lufs: meter.momentary_lufs,
            short_term_lufs: meter.short_term_lufs,
            integrated_lufs: meter.integrated_lufs,
            drift_ppm: program.audio_report().drift_ppm,
        });
        (video, audio)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn before_the_first_second_the_frame_rate_has_no_sign() {
        assert_eq!(format!("{:.1}", mean([].into_iter())), "0.0");
        assert_eq!(mean([24.0, 30.0].into_iter()), 27.0);
    }

    #[test]
    fn the_partial_second_of_the_first_frames_has_the_rate_of_their_timestamps() {
        // 12 frames in 0.29 s would be 41 fps.
        assert_eq!(frame_rate(0, 12, 0.29, Some(30.0)), 30.0);
        assert_eq!(frame_rate(12, 15, 0.5, Some(29.5)), 30.0);
        // One frame has no rate.
        assert_eq!(frame_rate(0, 1, 0.02, None), 0.0);
        assert_eq!(frame_rate(42, 0, 1.0, Some(29.5)), 0.0);
        assert_eq!(frame_rate(42, 30, 0.0, Some(29.5)), 0.0);
    }

    #[test]
    fn the_partial_second_of_the_first_frames_does_not_count() {
        // 12 frames came in the first 0.29 s, and then 30 in each second.
        let seconds = [(0, 41.0), (12, 30.0), (42, 30.0)];
        let counted = seconds.into_iter().filter_map(|(before, fps)| whole_second(before, fps));
        assert_eq!(counted.collect::<Vec<f64>>(), [30.0, 30.0]);
    }
}
