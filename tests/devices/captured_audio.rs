//! The audio of a source after the mixer, and measurements of the tones in it.

use std::sync::Arc;
use std::time::Duration;

use onair::audio::speaker::SpeakerOutput;
use onair::audio::{self, AudioChoice};
use onair::base::queue::{self, Full, Receiver};
use onair::base::{Clock, Stop, Timestamp};
use onair::media::SampleBlock;
use onair::media::playback_control::EndBehavior;
use onair::media::source_status::{SourceReport, SourceStatus};
use onair::mix::{self, Mixer, Strip, StripId};

use super::{LIMIT, grid};

/// An audio source that plays in a mixer.
pub struct CapturedAudio {
    pub status: Arc<SourceStatus>,
    pub changes: Receiver<SourceReport>,
    pub rx: Receiver<SampleBlock>,
    pub mixer: Mixer,
}

impl CapturedAudio {
    pub fn open(clock: Clock, choice: &AudioChoice) -> Self {
        let context = audio::Context {
            clock,
            grid: grid(),
            rate: 48_000,
            channels: 2,
            at_end: EndBehavior::Loop,
        };
        let source = audio::open(choice, &context).unwrap();
        let changes = source.status.changes().unwrap();
        let config = mix::Config { rate: 48_000, channels: 2, origin: Timestamp::ZERO, clock };
        let mixer = Mixer::spawn(config).unwrap();
        mixer.set_strip(StripId::MAIN, Strip::default());
        mixer.set_feed(StripId::MAIN, Some(source.feed));
        let (tx, rx) = queue::bounded("test", 4_096, Full::DropOldest);
        mixer.attach_encoder(tx);
        Self { status: source.status, changes, rx, mixer }
    }

    /// Drops earlier audio, and waits until the tone is audible.
    #[track_caller]
    pub fn again(&self, hertz: f64) {
        while self.rx.try_recv().is_ok() {}
        hear(&self.rx, hertz);
    }

    /// Checks that a second of intact audio contains the first tone and not the other one.
    #[track_caller]
    pub fn holds_alone(&self, hertz: f64, other: f64) {
        while self.rx.try_recv().is_ok() {}
        let parts = whole_parts(&self.rx, 25, |_| true);
        let median_of = |hertz| median(parts.iter().map(|part| loudness(part, hertz)));
        let (tone, leak) = (median_of(hertz), median_of(other));
        let most = parts.iter().map(|part| loudness(part, other)).fold(0.0, f64::max);
        eprintln!("  {hertz} Hz {tone:.3}, {other} Hz {leak:.5}, at most {most:.5}");
        assert!((0.4..0.6).contains(&tone) && leak < 0.002 && most < 0.05, "{tone} {leak} {most}");
    }

    pub fn close(self) {
        self.mixer.join(Duration::from_secs(30)).unwrap();
    }
}

/// Waits until the tone is audible.
#[track_caller]
pub fn hear(rx: &Receiver<SampleBlock>, hertz: f64) {
    whole_parts(rx, 3, |part| loudness(part, hertz) > 0.4);
}

/// Returns the amplitude of the tone, measured over a second of intact audio.
#[track_caller]
pub fn tone(rx: &Receiver<SampleBlock>, hertz: f64) -> f64 {
    median(whole_parts(rx, 25, |_| true).iter().map(|part| loudness(part, hertz)))
}

/// Samples of one channel in a part: 40 ms.
const PART: usize = 1_920;
/// A run of this many silent samples is a hole: no tone has it.
const HOLE: usize = 8;
/// The largest step between neighboring samples of these tones.
const STEP: f32 = 0.12;

/// Returns the next `count` parts that are right. A busy computer can lose samples, and the
/// amplitude of the rest says nothing. Therefore, parts with a hole or a step do not count.
#[track_caller]
fn whole_parts(
    rx: &Receiver<SampleBlock>,
    count: usize,
    is_right: impl Fn(&[f32]) -> bool,
) -> Vec<Vec<f32>> {
    let clock = Clock::start();
    let (mut left, mut found, mut holes, mut wrong) = (Vec::new(), Vec::new(), 0, 0);
    while found.len() < count {
        let limit = Timestamp::ZERO + LIMIT;
        assert!(clock.now() < limit, "{} right, {wrong} wrong, {holes} with holes", found.len());
        let block = rx.recv_timeout(LIMIT).unwrap();
        left.extend(block.data.chunks_exact(2).map(|frame| frame[0]));
        if left.len() < PART {
            continue;
        }
        let part: Vec<f32> = left.drain(..PART).collect();
        if !is_whole(&part) {
            holes += 1;
        } else if is_right(&part) {
            found.push(part);
        } else {
            wrong += 1;
        }
    }
    found
}

fn is_whole(part: &[f32]) -> bool {
    let has_hole = part.windows(HOLE).any(|some| some.iter().all(|it| it.abs() < 1e-4));
    !has_hole && part.windows(2).all(|pair| (pair[1] - pair[0]).abs() < STEP)
}

/// Returns the amplitude of a frequency in a part. A Hann window reduces leakage from other tones.
fn loudness(part: &[f32], hertz: f64) -> f64 {
    let tau = std::f64::consts::TAU;
    let (mut re, mut im) = (0.0, 0.0);
    for (index, sample) in part.iter().enumerate() {
        let phase = index as f64 * hertz / 48_000.0 * tau;
        let weight = 1.0 - (index as f64 * tau / part.len() as f64).cos();
        re += f64::from(*sample) * weight * phase.cos();
        im += f64::from(*sample) * weight * phase.sin();
    }
    re.hypot(im) * 2.0 / part.len() as f64
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// Returns the amplitude of a frequency in the left channel.
pub fn amplitude(sound: &[f32], hertz: f64) -> f64 {
    let (mut re, mut im) = (0.0, 0.0);
    let frames = sound.len() / 2;
    for (index, frame) in sound.chunks_exact(2).enumerate() {
        let phase = index as f64 * hertz / 48_000.0 * std::f64::consts::TAU;
        re += f64::from(frame[0]) * phase.cos();
        im += f64::from(frame[0]) * phase.sin();
    }
    re.hypot(im) * 2.0 / frames as f64
}

/// Keeps an output filled with a 660 Hz tone until it is stopped.
pub fn hum(mut output: SpeakerOutput, stop: &Stop) {
    let mut index = 0_u32;
    while !stop.wait(Duration::from_millis(5)) {
        while output.queued_time() < Duration::from_millis(250) && output.failed().is_none() {
            let block: Vec<f32> = (0..480)
                .flat_map(|_| {
                    let phase = f64::from(index % 48_000) * 660.0 / 48_000.0;
                    index += 1;
                    [(phase * std::f64::consts::TAU).sin() as f32 * 0.5; 2]
                })
                .collect();
            if output.write(&block) == 0 {
                break;
            }
        }
    }
}
