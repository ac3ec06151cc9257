//! Chooses the frame size for a bitrate. If the bitrate is too low for the full size, frames get
//! three quarters or half of the full width and height. When the bitrate has been high enough for a
//! while, the size grows again. This module is pure: it takes bitrates and times, and returns a
//! size.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{BitsPerSecond, FrameRate, Size};

/// The size steps, as fractions of each side: numerator and denominator.
const SIZE_STEPS: [(u32, u32); 3] = [(1, 1), (3, 4), (1, 2)];
/// Minimum side length in pixels.
const MIN_SIDE: u32 = 16;
/// The bits per pixel below which a smaller frame looks better.
const MIN_BITS_PER_PIXEL: f64 = 0.045;
/// The share of the chosen bitrate below which a smaller frame looks better, if that bitrate was
/// low from the start.
const MIN_CHOSEN_BITRATE_SHARE: f64 = 0.5;
/// The time for which the bitrate must be too low before the size is reduced.
const STEP_DOWN_DELAY: Duration = Duration::from_millis(1_500);
/// The size grows if the bitrate is at least this multiple of what the larger size needs.
const UP_BITRATE_FACTOR: f64 = 1.4;
/// The time for which the bitrate must be high enough before the size grows.
const STEP_UP_DELAY: Duration = Duration::from_secs(8);
/// A step up that is reverted within this time has failed, and the next step up waits twice as
/// long, up to [`MAX_STEP_UP_DELAY`].
const UP_TRIAL_DURATION: Duration = Duration::from_secs(20);
/// The maximum wait before a step up.
const MAX_STEP_UP_DELAY: Duration = Duration::from_secs(64);

/// Chooses the frame size of one encode.
#[derive(Clone, Debug)]
pub struct SizeSteps {
    full: Size,
    rate: f64,
    /// The bits per pixel that are sufficient for a size.
    enough: f64,
    step: usize,
    scant_since: Option<Timestamp>,
    ample_since: Option<Timestamp>,
    /// The time of the last step up, unless that step was reverted.
    last_up: Option<Timestamp>,
    patience: Duration,
}

impl SizeSteps {
    /// Starts with frames of this size and rate. `chosen` is the bitrate that is sufficient for
    /// this size and rate.
    pub fn new(full: Size, rate: FrameRate, chosen: BitsPerSecond) -> Self {
        let rate = rate.as_f64().max(1.0);
        let density = f64::from(chosen.0) / (full.pixels().max(1) as f64 * rate);
        Self {
            full,
            rate,
            enough: MIN_BITS_PER_PIXEL.min(density * MIN_CHOSEN_BITRATE_SHARE),
            step: 0,
            scant_since: None,
            ample_since: None,
            last_up: None,
            patience: STEP_UP_DELAY,
        }
    }

    /// Begins with the size for this bitrate.
    pub fn begin_with(mut self, bitrate: BitsPerSecond) -> Self {
        self.step = self.deserved(bitrate, 1);
        self
    }

    /// Returns the current size.
    pub fn size(&self) -> Size {
        stepped(self.full, self.step)
    }

    /// Returns the bits per second that a step needs if one in `frame_step` frames is encoded.
    fn need(&self, step: usize, frame_step: u32) -> f64 {
        let pixels = stepped(self.full, step).pixels() as f64;
        self.enough * pixels * self.rate / f64::from(frame_step.max(1))
    }

    /// Returns the step with the largest size for which this bitrate is sufficient, or the step
    /// with the smallest size.
    fn deserved(&self, bitrate: BitsPerSecond, frame_step: u32) -> usize {
        let fits = |step: &usize| f64::from(bitrate.0) >= self.need(*step, frame_step);
        (0..SIZE_STEPS.len()).find(fits).unwrap_or(SIZE_STEPS.len() - 1)
    }

    /// Takes the current bitrate, a few times per second, and returns the size to use from now on.
    pub fn note(&mut self, now: Timestamp, bitrate: BitsPerSecond, frame_step: u32) -> Size {
        let deserved = self.deserved(bitrate, frame_step);
        if deserved > self.step {
            self.ample_since = None;
            let since = *self.scant_since.get_or_insert(now);
            if now.since(since) >= STEP_DOWN_DELAY {
                if let Some(up) = self.last_up.take() {
                    let failed = now.since(up) < UP_TRIAL_DURATION;
                    let longer = (self.patience * 2).min(MAX_STEP_UP_DELAY);
                    self.patience = if failed { longer } else { STEP_UP_DELAY };
                }
                (self.step, self.scant_since) = (deserved, None);
            }
            return self.size();
        }
        self.scant_since = None;
        let larger = self.step.checked_sub(1);
        let ample = larger.filter(|step| {
            f64::from(bitrate.0) >= UP_BITRATE_FACTOR * self.need(*step, frame_step)
        });
        let Some(larger) = ample else {
            self.ample_since = None;
            return self.size();
        };
        let since = *self.ample_since.get_or_insert(now);
        if now.since(since) >= self.patience {
            if self.last_up.is_some_and(|up| now.since(up) >= UP_TRIAL_DURATION) {
                self.patience = STEP_UP_DELAY;
            }
            self.step = larger;
            (self.last_up, self.ample_since) = (Some(now), Some(now));
        }
        self.size()
    }
}

/// Returns the frame size of a step: even sides, and the same aspect ratio if possible.
fn stepped(full: Size, step: usize) -> Size {
    let (part, whole) = SIZE_STEPS.get(step).copied().unwrap_or((1, 1));
    if part == whole {
        return full;
    }
    // The sides are split into units that keep the aspect ratio.
    let (mut unit, mut rest) = (full.width / 2, full.height / 2);
    while rest != 0 {
        (unit, rest) = (rest, unit % rest);
    }
    let units = (unit * part + whole / 2) / whole;
    let near = Size::new(full.width / unit.max(1) * units, full.height / unit.max(1) * units);
    if unit >= 8 && near.width.min(near.height) >= MIN_SIDE {
        return near;
    }
    let even = |side: u32| ((side * part / whole + 1) & !1).max(MIN_SIDE);
    Size::new(even(full.width), even(full.height))
}

#[cfg(test)]
mod tests {
    use super::*;

    const HD_SIZE: Size = Size::new(1280, 720);

    fn steps() -> SizeSteps {
        SizeSteps::new(HD_SIZE, FrameRate::FPS_30, BitsPerSecond(2_500_000))
    }

    struct Run {
        steps: SizeSteps,
        at: Timestamp,
        changes: Vec<u32>,
    }

    impl Run {
        fn new() -> Self {
            Self { steps: steps(), at: Timestamp::ZERO, changes: vec![720] }
        }

        fn hold(&mut self, seconds: f64, kbps: u32) {
            for _ in 0..(seconds * 4.0) as u32 {
                self.at += Duration::from_millis(250);
                let height = self.steps.note(self.at, BitsPerSecond(kbps * 1_000), 1).height;
                if self.changes.last() != Some(&height) {
                    self.changes.push(height);
                }
            }
        }
    }

    #[test]
    fn sizes_are_even_and_keep_their_shape() {
        let sizes = |full: Size| [stepped(full, 0), stepped(full, 1), stepped(full, 2)];
        let of = |width, height| Size::new(width, height);
        assert_eq!(sizes(HD_SIZE), [HD_SIZE, of(960, 540), of(640, 360)]);
        assert_eq!(sizes(of(1920, 1080)), [of(1920, 1080), of(1440, 810), of(960, 540)]);
        assert_eq!(sizes(of(854, 480)), [of(854, 480), of(640, 360), of(428, 240)]);
        assert_eq!(sizes(of(480, 270)), [of(480, 270), of(352, 198), of(256, 144)]);
        for (width, height) in [(16, 16), (18, 34), (720, 1280), (8192, 4096), (1366, 768)] {
            for size in sizes(of(width, height)) {
                assert!(size.is_valid() && size.width >= 16 && size.height >= 16, "{size}");
                assert!(size.width <= width && size.height <= height, "{size}");
            }
        }
    }

    #[test]
    fn what_a_size_deserves_decides() {
        let mut run = Run::new();
        run.hold(30.0, 2_500);
        run.hold(30.0, 1_300);
        assert_eq!(run.changes, [720], "enough");
        run.hold(1.0, 300);
        run.hold(30.0, 1_300);
        assert_eq!(run.changes, [720], "a moment is no reason");
        run.hold(5.0, 1_000);
        assert_eq!(run.changes, [720, 540]);
        run.hold(5.0, 500);
        assert_eq!(run.changes, [720, 540, 360]);
        run.hold(60.0, 100);
        assert_eq!(run.changes, [720, 540, 360], "no smaller than half");
        assert_eq!(steps().begin_with(BitsPerSecond(500_000)).size().height, 360);
        assert_eq!(steps().begin_with(BitsPerSecond(2_000_000)).size(), HD_SIZE);
    }

    #[test]
    fn from_full_it_may_go_to_half_at_once_and_comes_back_step_by_step() {
        let mut run = Run::new();
        run.hold(3.0, 400);
        assert_eq!(run.changes, [720, 360]);
        run.hold(7.0, 2_500);
        assert_eq!(run.changes, [720, 360], "it must hold for a while");
        run.hold(2.0, 2_500);
        assert_eq!(run.changes, [720, 360, 540]);
        run.hold(10.0, 2_500);
        assert_eq!(run.changes, [720, 360, 540, 720]);
    }

    #[test]
    fn just_enough_is_not_enough_to_come_back() {
        let mut run = Run::new();
        run.hold(3.0, 1_000);
        run.hold(300.0, 1_500);
        assert_eq!(run.changes, [720, 540]);
        run.hold(10.0, 1_800);
        assert_eq!(run.changes, [720, 540, 720]);
    }

    #[test]
    fn what_had_to_be_taken_back_is_tried_less_and_less_often() {
        let mut run = Run::new();
        for _ in 0..40 {
            run.hold(8.25, 2_000);
            run.hold(2.0, 1_000);
        }
        // Without longer waits, the size would change about forty times.
        assert!(run.changes.len() <= 6, "{:?}", run.changes);
        run.hold(80.0, 2_500);
        assert_eq!(run.changes.last(), Some(&720));
    }

    #[test]
    fn the_wait_grows_up_to_its_limit_and_is_short_again_after_a_success() {
        let mut run = Run::new();
        let mut waits = Vec::new();
        run.hold(2.0, 1_000);
        for _ in 0..6 {
            let begun = run.at;
            while run.steps.size() != HD_SIZE {
                run.hold(0.25, 2_500);
            }
            waits.push(run.at.since(begun).as_secs());
            run.hold(2.0, 1_000);
        }
        assert_eq!(waits, [8, 16, 32, 64, 64, 64]);
        run.hold(90.0, 2_500);
        run.hold(2.0, 1_000);
        run.hold(8.5, 2_500);
        assert_eq!(run.changes.last(), Some(&720));
    }

    #[test]
    fn a_person_who_chose_little_gets_what_was_chosen() {
        let little = BitsPerSecond(800_000);
        let mut steps = SizeSteps::new(HD_SIZE, FrameRate::FPS_30, little);
        for second in 0..60 {
            assert_eq!(steps.note(Timestamp::from_millis(second * 1_000), little, 1), HD_SIZE);
        }
        // Half the frames need half the bits.
        let half = BitsPerSecond(380_000);
        for second in 60..120 {
            let at = Timestamp::from_millis(second * 1_000);
            assert_eq!(steps.clone().note(at, half, 2), HD_SIZE);
        }
        let size = (60..70).map(|it| steps.note(Timestamp::from_millis(it * 1_000), half, 1));
        assert_eq!(size.last(), Some(Size::new(960, 540)));
    }
}
