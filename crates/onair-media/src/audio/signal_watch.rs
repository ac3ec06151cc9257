//! Watches the audio of a microphone. Digital silence, other silence, a quiet voice and clipping
//! each raise an alarm in the status of the source. This code runs on the mixer's thread, and takes
//! a lock only when an alarm changes.

use std::sync::Arc;
use std::time::Duration;

use crate::audio::source::Source;
use crate::base::Timestamp;
use crate::media::source_status::{SourceAlarm, SourceState, SourceStatus};
use crate::media::{AudioFeed, Pulled};

/// The duration of zeros, in seconds, after which the microphone counts as switched off.
const ZERO_SIGNAL_SECONDS: f64 = 5.0;
/// Maximum length of a pause in speech in seconds.
const MAX_SPEECH_PAUSE_SECONDS: f64 = 30.0;
/// The duration in seconds up to which a gap changes nothing; short gaps occur on a busy computer.
const MAX_GAP_SECONDS: f64 = 2.0;
/// The peak level below which audio is not a voice (−60 dBFS).
const SILENCE_THRESHOLD: f32 = 0.001;
/// The peak level below which a voice cannot be understood (−40 dBFS).
const QUIET_THRESHOLD: f32 = 0.01;
/// The sample level that counts as full scale.
const FULL_SCALE_THRESHOLD: f32 = 0.995;
/// The length of a run of samples at full scale that counts as a clip.
const MIN_CLIP_SAMPLES: u32 = 4;
/// The number of clips within [`CLIP_WINDOW_SECONDS`] that raises the alarm.
const ALARM_CLIP_COUNT: u32 = 5;
/// The window in which clips are counted, in seconds.
const CLIP_WINDOW_SECONDS: f64 = 2.0;
/// The time in seconds for which the alarm stays on after the last clipping.
const CLIP_ALARM_SECONDS: f64 = 5.0;

/// Adds the watch to a source of this rate and channel count.
pub(super) fn over(source: Source, rate: u32, channels: u16) -> Source {
    let Source { feed, status, transport } = source;
    let channels = usize::from(channels.max(1));
    let watch = SignalWatch { channels, ..SignalWatch::new(Arc::clone(&status), rate) };
    Source { feed: Box::new(Watched { feed, watch }), status, transport }
}

struct Watched {
    feed: Box<dyn AudioFeed>,
    watch: SignalWatch,
}

impl AudioFeed for Watched {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        let pulled = self.feed.pull(at, out);
        match pulled {
            Pulled::Audio => self.watch.hear(out),
            Pulled::Silence => self.watch.miss(out),
        }
        pulled
    }

    fn delay(&self) -> Duration {
        self.feed.delay()
    }
}

pub(super) struct SignalWatch {
    status: Arc<SourceStatus>,
    rate: f64,
    /// The number of interleaved channels, for the detection of clips.
    channels: usize,
    /// The alarm for silence, if only silence is watched.
    silence: Option<SourceAlarm>,
    reported: Option<SourceAlarm>,
    /// Seconds of zeros so far.
    zero: f64,
    /// Seconds of levels below [`SILENCE_THRESHOLD`] so far.
    silent: f64,
    /// Seconds of levels below [`QUIET_THRESHOLD`] so far.
    quiet: f64,
    /// Seconds without data.
    missing: f64,
    /// Number of consecutive frames with a full-scale sample. With one microphone per channel, only
    /// one of the channels can clip.
    flat: u32,
    clips: u32,
    /// Seconds since the count of clips began.
    counting: f64,
    /// Seconds since the last clip.
    since_clip: f64,
}

impl SignalWatch {
    /// Creates a watch that reports only silence, as this alarm.
    pub(super) fn for_silence(status: Arc<SourceStatus>, rate: u32, silence: SourceAlarm) -> Self {
        Self { silence: Some(silence), ..Self::new(status, rate) }
    }

    fn new(status: Arc<SourceStatus>, rate: u32) -> Self {
        Self {
            status,
            rate: f64::from(rate.max(1)),
            channels: 1,
            silence: None,
            reported: None,
            zero: 0.0,
            silent: 0.0,
            quiet: 0.0,
            missing: 0.0,
            flat: 0,
            clips: 0,
            counting: 0.0,
            since_clip: f64::MAX,
        }
    }

    /// Returns the duration of a block of the mixer in seconds, which is at most ten milliseconds
    /// for any number of channels.
    fn seconds(&self, block: &[f32]) -> f64 {
        0.01_f64.min(block.len() as f64 / self.rate)
    }

    /// Handles a block without data. The source's state contains the reason. If the source is open,
    /// the block is a short gap, or the file has ended or is paused. After a short gap, the counters
    /// continue.
    pub(super) fn miss(&mut self, block: &[f32]) {
        self.missing += self.seconds(block);
        if self.missing >= MAX_GAP_SECONDS || self.status.state() != SourceState::Open {
            self.rest();
        }
    }

    /// Resets the counters and withdraws the alarms.
    pub(super) fn rest(&mut self) {
        if self.reported.take().is_some() {
            self.status.update(|report| report.alarm = None);
        }
        (self.zero, self.silent, self.quiet) = (0.0, 0.0, 0.0);
        (self.flat, self.clips, self.counting, self.since_clip) = (0, 0, 0.0, f64::MAX);
    }

    /// Analyzes a block of the mixer, which has at most ten milliseconds of interleaved audio.
    pub(super) fn hear(&mut self, block: &[f32]) {
        let mut peak = 0.0_f32;
        for frame in block.chunks(self.channels) {
            let size = frame.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
            peak = peak.max(size);
            if size >= FULL_SCALE_THRESHOLD {
                // Full scale without a pause reaches the end of the counter after some hours.
                self.flat = self.flat.saturating_add(1);
                if self.flat == MIN_CLIP_SAMPLES {
                    self.clips += 1;
                }
            } else {
                self.flat = 0;
            }
        }
        self.missing = 0.0;
        let lasts = self.seconds(block);
        let count = |sum: &mut f64, still: bool| *sum = if still { *sum + lasts } else { 0.0 };
        count(&mut self.zero, peak == 0.0);
        count(&mut self.silent, peak < SILENCE_THRESHOLD);
        count(&mut self.quiet, peak < QUIET_THRESHOLD);
        self.counting += lasts;
        self.since_clip += lasts;
        if self.clips >= ALARM_CLIP_COUNT {
            self.since_clip = 0.0;
            (self.clips, self.counting) = (0, 0.0);
        } else if self.counting > CLIP_WINDOW_SECONDS {
            (self.clips, self.counting) = (0, 0.0);
        }
        let voice = self.silence.is_none();
        let alarm = if self.zero >= ZERO_SIGNAL_SECONDS {
            Some(self.silence.unwrap_or(SourceAlarm::Zero))
        } else if self.silent >= MAX_SPEECH_PAUSE_SECONDS {
            Some(self.silence.unwrap_or(SourceAlarm::Silent))
        } else if voice && self.quiet >= MAX_SPEECH_PAUSE_SECONDS {
            Some(SourceAlarm::Quiet)
        } else if voice && self.since_clip < CLIP_ALARM_SECONDS {
            Some(SourceAlarm::Clipped)
        } else {
            None
        };
        if alarm != self.reported {
            self.reported = alarm;
            self.status.update(|report| report.alarm = alarm);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::source_status::SourceFormat;

    /// Returns the alarm after each second of a 200 Hz tone whose amplitude depends on the second.
    /// An amplitude above 1 clips.
    fn alarms(seconds: u32, amplitude: impl Fn(u32) -> f32) -> Vec<Option<SourceAlarm>> {
        let status = SourceStatus::new("", "Microphone");
        status.open(SourceFormat::Unknown);
        let mut watch = SignalWatch::new(Arc::clone(&status), 48_000);
        let mut found = Vec::new();
        for second in 0..seconds {
            for block in 0..100 {
                let samples: Vec<f32> = (0..480)
                    .map(|index| {
                        let phase = (block * 480 + index) as f32 / 48_000.0 * 200.0;
                        let sample = (phase * std::f32::consts::TAU).sin() * amplitude(second);
                        sample.clamp(-1.0, 1.0)
                    })
                    .collect();
                watch.hear(&samples);
            }
            found.push(status.report().alarm);
        }
        found
    }

    #[test]
    fn a_switched_off_microphone_is_reported_and_the_report_ends() {
        let found = alarms(8, |second| if second < 6 { 0.0 } else { 0.3 });
        assert_eq!(found[3], None);
        assert_eq!(found[5], Some(SourceAlarm::Zero));
        assert_eq!(found[6..], [None; 2]);
    }

    #[test]
    fn quiet_microphones_are_reported_after_a_while() {
        let silent = alarms(32, |_| 0.000_5);
        assert_eq!((silent[28], silent[31]), (None, Some(SourceAlarm::Silent)));
        let quiet = alarms(32, |_| 0.005);
        assert_eq!((quiet[28], quiet[31]), (None, Some(SourceAlarm::Quiet)));
        // Speech with pauses raises no alarm.
        let speech = alarms(60, |second| if second % 10 < 8 { 0.000_5 } else { 0.2 });
        assert!(speech.iter().all(Option::is_none));
    }

    #[test]
    fn a_source_without_a_voice_is_reported_only_as_silent_with_its_own_alarm() {
        let status = SourceStatus::new("", "Speakers");
        status.open(SourceFormat::Unknown);
        let alarm = SourceAlarm::SystemSilent;
        let raised = |level: f32, seconds: usize| {
            let mut watch = SignalWatch::for_silence(Arc::clone(&status), 48_000, alarm);
            (0..seconds * 100).for_each(|_| watch.hear(&[level; 480]));
            watch.reported
        };
        assert_eq!((raised(0.0, 4), raised(0.0, 6)), (None, Some(alarm)));
        assert_eq!((raised(0.000_5, 29), raised(0.000_5, 31)), (None, Some(alarm)));
        assert_eq!((raised(0.005, 40), raised(1.0, 40)), (None, None), "quiet or loud on purpose");
    }

    #[test]
    fn a_long_gap_restarts_the_watch_and_a_short_one_does_not() {
        let status = SourceStatus::new("", "Microphone");
        status.open(SourceFormat::Unknown);
        let alarm_with_gaps_of = |blocks: u32| {
            let mut watch = SignalWatch::new(Arc::clone(&status), 48_000);
            for _ in 0..40 {
                (0..100).for_each(|_| watch.hear(&[0.005; 480]));
                (0..blocks).for_each(|_| watch.miss(&[0.0; 480]));
            }
            watch.reported
        };
        assert_eq!(alarm_with_gaps_of(5), Some(SourceAlarm::Quiet));
        assert_eq!(alarm_with_gaps_of(250), None);
    }

    #[test]
    fn a_clipped_voice_is_reported_and_a_loud_one_is_not() {
        assert!(alarms(5, |_| 0.97).iter().all(Option::is_none));
        let found = alarms(12, |second| if second < 3 { 1.5 } else { 0.3 });
        assert_eq!(
            (found[0], found[2], found[11]),
            (Some(SourceAlarm::Clipped), Some(SourceAlarm::Clipped), None)
        );
    }

    #[test]
    fn a_voice_clipped_in_one_channel_is_reported() {
        let status = SourceStatus::new("", "Microphone");
        status.open(SourceFormat::Unknown);
        let mut watch =
            SignalWatch { channels: 2, ..SignalWatch::new(Arc::clone(&status), 48_000) };
        let cut_off = [[1.0_f32, 0.1]; 5];
        let samples = [cut_off, [[0.1, 0.1]; 5]].concat().concat();
        watch.hear(&samples.repeat(5));
        assert_eq!(status.report().alarm, Some(SourceAlarm::Clipped));
    }

    #[test]
    fn full_scale_for_many_hours_is_one_clip() {
        let status = SourceStatus::new("", "Microphone");
        status.open(SourceFormat::Unknown);
        let mut watch = SignalWatch::new(Arc::clone(&status), 48_000);
        watch.hear(&[1.0; 480]);
        watch.flat = u32::MAX - 1;
        watch.hear(&[1.0; 480]);
        assert_eq!((watch.flat, watch.clips), (u32::MAX, 1));
    }

    #[test]
    fn reports_end_when_no_more_audio_comes() {
        let status = SourceStatus::new("", "Microphone");
        status.open(SourceFormat::Unknown);
        let mut watch = SignalWatch::new(Arc::clone(&status), 48_000);
        (0..600).for_each(|_| watch.hear(&[0.0; 480]));
        assert_eq!(status.report().alarm, Some(SourceAlarm::Zero));
        (0..100).for_each(|_| watch.miss(&[0.0; 480]));
        assert_eq!(status.report().alarm, Some(SourceAlarm::Zero), "a short gap");
        (0..150).for_each(|_| watch.miss(&[0.0; 480]));
        assert_eq!(status.report().alarm, None);
        (0..100).for_each(|_| watch.hear(&[0.3; 480]));
        assert_eq!(status.report().alarm, None);
    }

    #[test]
    fn a_state_takes_the_alarm_away() {
        let status = SourceStatus::new("", "Microphone");
        let mut watch = SignalWatch::new(Arc::clone(&status), 48_000);
        for _ in 0..600 {
            watch.hear(&[0.0; 480]);
        }
        assert_eq!(status.report().alarm, Some(SourceAlarm::Zero));
        status.down(SourceState::Lost, "gone", "");
        watch.miss(&[0.0; 480]);
        assert_eq!(status.report().alarm, None);
        for _ in 0..600 {
            watch.hear(&[0.0; 480]);
        }
        assert_eq!(status.report().alarm, Some(SourceAlarm::Zero), "told again");
    }
}
