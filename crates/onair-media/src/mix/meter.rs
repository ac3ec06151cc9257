//! The meter of a strip or of the program. The meter measures the sample peak and the RMS over 300
//! ms. The peak rises immediately and falls as configured, and its maximum is held for 20 s. The
//! clip indicator stays on until it is reset. After half a second without audio, the meter of a
//! source drops to silence immediately. The program's meter also measures EBU R 128 loudness and
//! true peak while these are displayed.

use ebur128::{EbuR128, Mode};

use crate::mix::loudness_window::LoudnessWindow;

/// The time without audio, in seconds, after which a source reads silent.
const SILENT_AFTER_SECONDS: f32 = 0.5;
/// The hold time of the highest peak in seconds.
const PEAK_HOLD_SECONDS: f32 = 20.0;
/// The number of audible seconds with identical left and right channels after which the two count
/// as one channel.
const MONO_DETECTION_SECONDS: f32 = 1.0;
/// The lowest reading, which means silence.
pub const FLOOR_DBFS: f32 = -60.0;
/// Time constant of the RMS value in seconds.
const RMS_TIME_CONSTANT_SECONDS: f32 = 0.3;

/// The fall rate of the bar.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum MeterFall {
    #[default]
    Fast,
    /// The fall rate of the peak meter of IEC 60268-10, type I.
    Medium,
    /// The fall rate of the peak meter of IEC 60268-10, type II.
    Slow,
}

impl MeterFall {
    /// Returns the fall rate in decibels per second.
    pub const fn rate(self) -> f32 {
        match self {
            Self::Fast => 23.53,
            Self::Medium => 11.76,
            Self::Slow => 8.57,
        }
    }
}

/// The reading of a meter.
#[derive(Copy, Clone, Debug, PartialEq)]
pub struct Reading {
    /// The level of the bar in dBFS, at least -60.
    pub peak_dbfs: f32,
    /// The bar levels of the left and right channels in dBFS, or `None` if the audio is mono.
    pub channels_dbfs: Option<[f32; 2]>,
    /// The highest peak of the last 20 s in dBFS.
    pub held_dbfs: f32,
    /// True if a sample has reached full scale since the reset.
    pub clipped: bool,
    /// The RMS over about 300 ms in dBFS.
    pub rms_dbfs: f32,
    /// The highest true peak (four times oversampled) since the reset, in dBTP.
    pub true_peak_dbtp: f32,
    /// The loudness in LUFS over 400 ms. `None` means silence, or that loudness is not measured.
    pub momentary_lufs: Option<f32>,
    /// The loudness in LUFS over 3 s. `None` means silence, or that loudness is not measured.
    pub short_term_lufs: Option<f32>,
    /// The loudness in LUFS since the reset. `None` means silence, or that loudness is not
    /// measured.
    pub integrated_lufs: Option<f32>,
}

impl Default for Reading {
    fn default() -> Self {
        Self {
            peak_dbfs: FLOOR_DBFS,
            channels_dbfs: None,
            held_dbfs: FLOOR_DBFS,
            clipped: false,
            rms_dbfs: FLOOR_DBFS,
            true_peak_dbtp: FLOOR_DBFS,
            momentary_lufs: None,
            short_term_lufs: None,
            integrated_lufs: None,
        }
    }
}

/// The level meter of one strip or of the program.
#[derive(Default)]
pub struct Meter {
    reading: Reading,
    pub fall: MeterFall,
    /// Seconds without audio.
    starved: f32,
    held_for: f32,
    /// True to show one bar while left and right are identical, as from a microphone.
    joins: bool,
    /// The seconds for which left and right were identical and audible.
    same_for: f32,
    square: f32,
    /// True to measure loudness and true peak, which cost more CPU time than everything else.
    is_loud: bool,
    loudness: Option<EbuR128>,
    loudness_window: LoudnessWindow,
}

impl Meter {
    /// Creates a meter with this fall rate.
    pub fn falling(fall: MeterFall) -> Self {
        Self { fall, ..Self::default() }
    }

    /// Creates a meter for a source. The meter shows one bar if both channels have the same audio.
    pub fn of_source(fall: MeterFall) -> Self {
        Self { joins: true, ..Self::falling(fall) }
    }

    /// Sets whether to measure loudness and true peak. A new meter measures neither.
    pub fn measure_loudness(&mut self, wanted: bool) {
        if self.is_loud != wanted {
            self.is_loud = wanted;
            self.reset_loudness();
        }
    }

    /// Measures a block of interleaved audio.
    pub fn push(&mut self, block: &[f32], channels: usize, rate: u32) {
        let channels = channels.max(1);
        let seconds = (block.len() / channels) as f32 / rate.max(1) as f32;
        let peak = peak_of(block.iter());
        let dbfs = dbfs(peak);
        let fall = self.fall.rate() * seconds;
        let risen = |before: f32, now: f32| now.max(before - fall).max(FLOOR_DBFS);
        self.reading.peak_dbfs = risen(self.reading.peak_dbfs, dbfs);
        let is_joined = self.joins && channels == 2 && self.follow_sides(block, peak, seconds);
        self.reading.channels_dbfs = (channels == 2 && !is_joined).then(|| {
            let before = self.reading.channels_dbfs.unwrap_or([FLOOR_DBFS; 2]);
            let side = |at: usize| self::dbfs(peak_of(block.iter().skip(at).step_by(2)));
            let [left, right] = before;
            [risen(left, side(0)), risen(right, side(1))]
        });
        self.held_for += seconds;
        if dbfs >= self.reading.held_dbfs || self.held_for > PEAK_HOLD_SECONDS {
            self.reading.held_dbfs = self.reading.peak_dbfs;
            self.held_for = 0.0;
        }
        self.reading.clipped |= peak >= 1.0;
        let sum = block.iter().filter(|it| it.is_finite()).map(|it| it * it).sum::<f32>();
        let mean = sum / block.len().max(1) as f32;
        self.square += (mean - self.square) * (1.0 - (-seconds / RMS_TIME_CONSTANT_SECONDS).exp());
        self.reading.rms_dbfs = dbfs_of_square(self.square);
        if self.is_loud {
            self.measure(block, channels, rate);
        }
    }

    /// Returns true if left and right have been identical for a while. Silent blocks are not
    /// compared.
    fn follow_sides(&mut self, block: &[f32], peak: f32, seconds: f32) -> bool {
        let is_same = |[left, right]: &[f32; 2]| left.to_bits() == right.to_bits();
        if !block.as_chunks().0.iter().all(is_same) {
            self.same_for = 0.0;
        } else if peak > 0.0 {
            self.same_for = (self.same_for + seconds).min(MONO_DETECTION_SECONDS);
        }
        self.same_for >= MONO_DETECTION_SECONDS
    }

    /// Adds this many seconds without audio. `None` means that audio has returned. The held peak
    /// stays.
    pub fn starve(&mut self, seconds: Option<f32>) {
        self.starved =
            seconds.map_or(0.0, |seconds| (self.starved + seconds).min(SILENT_AFTER_SECONDS));
        if self.starved >= SILENT_AFTER_SECONDS {
            self.reading.peak_dbfs = FLOOR_DBFS;
            self.reading.channels_dbfs = self.reading.channels_dbfs.map(|_| [FLOOR_DBFS; 2]);
            self.reading.rms_dbfs = FLOOR_DBFS;
            self.square = 0.0;
        }
    }

    fn measure(&mut self, block: &[f32], channels: usize, rate: u32) {
        let fits = |it: &EbuR128| it.channels() as usize == channels && it.rate() == rate;
        if !self.loudness.as_ref().is_some_and(fits) {
            // A histogram needs the same memory for the integrated loudness of a day as for that of
            // a song.
            let mode = Mode::I | Mode::TRUE_PEAK | Mode::HISTOGRAM;
            let channels = u32::try_from(channels).unwrap_or(0);
            self.loudness = EbuR128::new(channels, rate, mode).ok();
            self.loudness_window = LoudnessWindow::default();
        }
        let Some(loudness) = &mut self.loudness else { return };
        if loudness.add_frames_f32(block).is_err() {
            return;
        }
        if !self.loudness_window.follow(loudness, block.len() / channels) {
            return;
        }
        let value = |it: f64| (it.is_finite() && it > -70.0).then_some(it as f32);
        self.reading.momentary_lufs = value(self.loudness_window.momentary());
        self.reading.short_term_lufs = value(self.loudness_window.short_term());
        self.reading.integrated_lufs = loudness.loudness_global().ok().and_then(value);
        let true_peak = (0..loudness.channels())
            .filter_map(|channel| loudness.true_peak(channel).ok())
            .fold(0.0, f64::max);
        self.reading.true_peak_dbtp = self::dbfs(true_peak as f32);
    }

    pub fn reading(&self) -> Reading {
        self.reading
    }

    /// Returns true if further silence would not change the reading.
    pub fn is_at_rest(&self) -> bool {
        let Reading { peak_dbfs, held_dbfs, rms_dbfs, momentary_lufs, short_term_lufs, .. } =
            self.reading;
        [peak_dbfs, held_dbfs, rms_dbfs].iter().all(|it| *it <= FLOOR_DBFS)
            && momentary_lufs.is_none()
            && short_term_lufs.is_none()
    }

    pub fn clear_clip(&mut self) {
        self.reading.clipped = false;
    }

    /// Resets integrated loudness and true peak.
    pub fn reset_loudness(&mut self) {
        match &mut self.loudness {
            // Momentary and short-term loudness continue.
            Some(loudness) if self.is_loud => {
                loudness.reset();
                self.loudness_window.begin_interval();
            }
            _ => self.loudness = None,
        }
        self.reading.true_peak_dbtp = FLOOR_DBFS;
        self.reading.integrated_lufs = None;
        if !self.is_loud {
            (self.reading.momentary_lufs, self.reading.short_term_lufs) = (None, None);
        }
    }
}

fn peak_of<'a>(samples: impl Iterator<Item = &'a f32>) -> f32 {
    samples.fold(0.0_f32, |peak, sample| peak.max(sample.abs()))
}

fn dbfs(level: f32) -> f32 {
    (20.0 * level.log10()).max(FLOOR_DBFS)
}

fn dbfs_of_square(square: f32) -> f32 {
    (10.0 * square.log10()).max(FLOOR_DBFS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn loud() -> Meter {
        let mut meter = Meter::default();
        meter.measure_loudness(true);
        meter
    }

    /// Measures a block at a rate at which one sample lasts 10 ms.
    fn slow(meter: &mut Meter, block: &[f32]) {
        meter.loudness = None;
        meter.push(block, block.len(), 100);
    }

    #[test]
    fn rises_at_once_falls_steadily_and_holds() {
        let mut meter = Meter::default();
        slow(&mut meter, &[0.0, -0.5, 0.1]);
        assert!((meter.reading().peak_dbfs + 6.02).abs() < 0.01);
        for _ in 0..100 {
            slow(&mut meter, &[0.0]);
        }
        assert!((meter.reading().peak_dbfs + 6.02 + 23.53).abs() < 0.1);
        assert!((meter.reading().held_dbfs + 6.02).abs() < 0.01);
        for _ in 0..2_000 {
            slow(&mut meter, &[0.0]);
        }
        assert_eq!(meter.reading().peak_dbfs, FLOOR_DBFS);
        assert_eq!(meter.reading().held_dbfs, FLOOR_DBFS);
    }

    #[test]
    fn falls_as_chosen_and_is_silent_without_data() {
        for (fall, rate) in
            [(MeterFall::Fast, 23.53), (MeterFall::Medium, 11.76), (MeterFall::Slow, 8.57)]
        {
            let mut meter = Meter { fall, ..Meter::default() };
            slow(&mut meter, &[0.5]);
            for _ in 0..100 {
                slow(&mut meter, &[0.0]);
            }
            let fallen = -6.02 - meter.reading().peak_dbfs;
            assert!((fallen - rate).abs() < 0.1, "{fall:?}: {fallen}");
        }
        // A pause in the audio lets the meter fall; a missing source reads silent after half a
        // second.
        let mut meter = Meter { fall: MeterFall::Slow, ..Meter::default() };
        slow(&mut meter, &[0.5]);
        for _ in 0..49 {
            slow(&mut meter, &[0.0]);
            meter.starve(Some(0.01));
        }
        assert!(meter.reading().peak_dbfs > -12.0);
        for _ in 0..2 {
            slow(&mut meter, &[0.0]);
            meter.starve(Some(0.01));
        }
        assert_eq!((meter.reading().peak_dbfs, meter.reading().rms_dbfs), (FLOOR_DBFS, FLOOR_DBFS));
        assert!((meter.reading().held_dbfs + 6.02).abs() < 0.01);
        meter.starve(None);
        slow(&mut meter, &[0.5]);
        assert!((meter.reading().peak_dbfs + 6.02).abs() < 0.01);
    }

    #[test]
    fn left_and_right_have_a_bar_each_where_the_audio_is_stereo() {
        let mut meter = Meter::default();
        meter.push(&[0.5, -0.25, 0.1, 0.2], 2, 100);
        let [left, right] = meter.reading().channels_dbfs.unwrap();
        assert!((left + 6.02).abs() < 0.01 && (right + 12.04).abs() < 0.01, "{left} {right}");
        assert_eq!(meter.reading().peak_dbfs, left);
        // Each channel falls from its last level.
        meter.push(&[0.0; 20], 2, 100);
        let fallen = meter.reading().channels_dbfs.unwrap();
        assert!((fallen[0] - left + 2.353).abs() < 0.01 && fallen[1] < right, "{fallen:?}");
        meter.starve(Some(1.0));
        assert_eq!(meter.reading().channels_dbfs, Some([FLOOR_DBFS; 2]));
        meter.push(&[0.5], 1, 100);
        assert_eq!(meter.reading().channels_dbfs, None);
    }

    #[test]
    fn one_channel_on_both_sides_has_one_bar_after_a_while() {
        let mut meter = Meter::of_source(MeterFall::default());
        let bars = |meter: &Meter| if meter.reading().channels_dbfs.is_some() { 2 } else { 1 };
        meter.push(&[0.0; 400], 2, 100);
        assert_eq!(bars(&meter), 2, "silence says nothing");
        meter.push(&[0.5, 0.5].repeat(50), 2, 100);
        assert_eq!(bars(&meter), 2, "not yet");
        meter.push(&[0.5, 0.5].repeat(60), 2, 100);
        assert_eq!(bars(&meter), 1);
        meter.push(&[0.0; 400], 2, 100);
        assert_eq!(bars(&meter), 1, "still the same source");
        meter.push(&[0.5, 0.25], 2, 100);
        assert_eq!(bars(&meter), 2, "at once");
        // The program always has two channels.
        let mut program = Meter::default();
        program.push(&[0.5, 0.5].repeat(200), 2, 100);
        assert_eq!(bars(&program), 2);
    }

    #[test]
    fn the_clip_lamp_stays_until_it_is_put_out() {
        let mut meter = Meter::default();
        slow(&mut meter, &[1.0]);
        slow(&mut meter, &[0.0]);
        assert!(meter.reading().clipped);
        meter.clear_clip();
        assert!(!meter.reading().clipped);
    }

    #[test]
    fn hostile_samples_do_no_lasting_harm() {
        let mut meter = loud();
        slow(&mut meter, &[f32::NAN, 0.5]);
        assert!(meter.reading().peak_dbfs.is_finite());
        assert!(meter.reading().rms_dbfs.is_finite());
        meter.push(&[], 2, 48_000);
        meter.push(&[0.5; 7], 2, 48_000);
        assert!(meter.reading().rms_dbfs.is_finite());
    }

    /// Tests case 1 of EBU Tech 3341: a stereo sine of 1 kHz at −23 dBFS reads −23.0 ± 0.1 LUFS.
    #[test]
    fn loudness_is_that_of_the_standard() {
        let mut meter = loud();
        let level = 10_f32.powf(-23.0 / 20.0);
        let play = |meter: &mut Meter, blocks: std::ops::Range<usize>| {
            for block in blocks {
                let sample = |index: usize| {
                    let at = (block * 480 + index) as f32 / 48_000.0;
                    level * (std::f32::consts::TAU * (1_000.0 * at).fract()).sin()
                };
                let samples: Vec<f32> = (0..480).flat_map(|index| [sample(index); 2]).collect();
                meter.push(&samples, 2, 48_000);
            }
        };
        play(&mut meter, 0..500);
        let reading = meter.reading();
        for lufs in [reading.momentary_lufs, reading.short_term_lufs, reading.integrated_lufs] {
            assert!((lufs.unwrap() + 23.0).abs() < 0.1, "{lufs:?}");
        }
        assert!((reading.true_peak_dbtp + 23.0).abs() < 0.2, "{}", reading.true_peak_dbtp);
        assert!((reading.rms_dbfs + 26.0).abs() < 0.1, "{}", reading.rms_dbfs);
        // A reset within a tenth of a second leaves the loudness of the last seconds as it is.
        play(&mut meter, 500..505);
        meter.reset_loudness();
        assert_eq!(meter.reading().integrated_lufs, None);
        play(&mut meter, 505..530);
        let reading = meter.reading();
        for lufs in [reading.momentary_lufs, reading.short_term_lufs] {
            assert!((lufs.unwrap() + 23.0).abs() < 0.1, "{lufs:?}");
        }
        assert_eq!(reading.integrated_lufs, None, "it begins again");
        meter.measure_loudness(false);
        for _ in 0..100 {
            meter.push(&[0.5; 960], 2, 48_000);
        }
        let reading = meter.reading();
        let lufs = [reading.momentary_lufs, reading.short_term_lufs, reading.integrated_lufs];
        assert_eq!((lufs, reading.true_peak_dbtp), ([None; 3], FLOOR_DBFS));
        assert!((reading.peak_dbfs + 6.02).abs() < 0.01);
    }

    /// Tests that the result equals the library's result for the whole three seconds.
    #[test]
    fn the_loudness_of_all_windows_adds_up_to_that_of_the_whole() {
        let (mut meter, mut whole) = (loud(), EbuR128::new(2, 48_000, Mode::S).unwrap());
        for block in 0..700_usize {
            // The level varies and is silent at times.
            let level = (block as f32 / 37.0).sin().max(0.0) * 0.6;
            let sample = |index: usize| {
                let at = (block * 480 + index) as f32 / 48_000.0;
                level * (std::f32::consts::TAU * (440.0 * at).fract()).sin()
            };
            let samples: Vec<f32> =
                (0..480).flat_map(|index| [sample(index), 0.3 * sample(index)]).collect();
            meter.push(&samples, 2, 48_000);
            whole.add_frames_f32(&samples).unwrap();
            if block % 10 == 9 {
                let reading = meter.reading();
                for (ours, theirs) in [
                    (reading.momentary_lufs, whole.loudness_momentary().unwrap()),
                    (reading.short_term_lufs, whole.loudness_shortterm().unwrap()),
                ] {
                    match ours {
                        Some(lufs) => {
                            assert!((f64::from(lufs) - theirs).abs() < 0.01, "{theirs} {lufs}");
                        }
                        None => assert!(theirs <= -69.9, "{theirs}"),
                    }
                }
            }
        }
    }
}
