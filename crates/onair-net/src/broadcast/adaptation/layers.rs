//! The layers of a stream that is sent in several sizes at once (simulcast): their sizes and
//! bitrates, and how many of them the link and the computer can afford. This module is pure.
//!
//! The link is estimated as a whole, so the layers share it: the stream itself gets the part that
//! its layers leave. If that is too little, the smallest layer ends first, because its viewers lose
//! the least, and then the next one. A layer that has ended returns after a calm time, which grows
//! with each return that fails.

use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::adaptation::Sample;
use crate::media::{BitsPerSecond, Size};

/// The bitrates of the smaller layers as shares of the bitrate of the stream. Half the width and
/// height is a quarter of the pixels, which compress a little worse.
const SHARES: [f64; 2] = [0.3, 0.1];
/// The lowest bitrate of a layer.
const MIN_BITRATE: u32 = 60_000;
/// Below this share of the chosen bitrate, the smallest layer ends.
const LOW_SHARE: f64 = 0.55;
/// From this share of the chosen bitrate on, a layer may return.
const HIGH_SHARE: f64 = 0.9;
/// If the encoders skip more than this share of the frames, the computer does not keep up.
const MAX_SKIPPED_SHARE: f64 = 0.05;
/// The time over which skipped frames are counted.
const SKIPS_WINDOW: Duration = Duration::from_secs(2);
/// Minimum interval between the ends of two layers, because the first one must take effect.
const MIN_STEP_INTERVAL: Duration = Duration::from_secs(3);
/// The calm time before a layer returns. It doubles after each failed return.
const MIN_HOLD: Duration = Duration::from_secs(12);
const MAX_HOLD: Duration = Duration::from_secs(300);
/// A return that is followed by the end of a layer within this time has failed.
const RETURN_TRIAL_DURATION: Duration = Duration::from_secs(30);

/// Returns the size of a layer; 0 is the stream itself, and each further layer has half the width
/// and height of the one before.
pub fn layer_size(main: Size, layer: usize) -> Size {
    let scaled = |side: u32| ((side >> layer.min(8)) & !1).max(2);
    Size::new(scaled(main.width), scaled(main.height))
}

/// Returns the bitrate of a smaller layer, from 1 on, of a stream with this bitrate.
pub fn layer_bitrate(main: BitsPerSecond, layer: usize) -> BitsPerSecond {
    let share = SHARES.get(layer.wrapping_sub(1)).copied().unwrap_or(0.0);
    BitsPerSecond(((f64::from(main.0) * share) as u32).max(MIN_BITRATE))
}

/// Returns a sample of a link as it would be without its smaller layers. `main` is the bitrate of
/// the stream itself.
pub fn without_layers(sample: Sample, main: BitsPerSecond, smaller: usize) -> Sample {
    let layers: u64 = (1..=smaller).map(|layer| u64::from(layer_bitrate(main, layer).0)).sum();
    let main = u64::from(main.0).max(1);
    let carried = u128::from(sample.carried) * u128::from(main) / u128::from(main + layers);
    Sample { carried: u64::try_from(carried).unwrap_or(u64::MAX), ..sample }
}

/// What is known about the link and the computer.
#[derive(Copy, Clone, Debug)]
pub struct LayerTerms {
    /// The bitrate that the links of the layers allow, as a share of the chosen bitrate.
    pub share: f64,
    /// The frames that the encoders should have encoded since the beginning.
    pub due: u64,
    /// The frames of these that they have skipped.
    pub skipped: u64,
}

/// Chooses the number of smaller layers.
#[derive(Clone, Debug)]
pub struct LayerChoice {
    most: usize,
    changed: Timestamp,
    hold: Duration,
    returned: Option<Timestamp>,
    calm_since: Option<Timestamp>,
    /// The frames that were due and skipped at the beginning of the window.
    window: Option<(Timestamp, u64, u64)>,
}

impl Default for LayerChoice {
    fn default() -> Self {
        Self {
            most: SHARES.len(),
            changed: Timestamp::ZERO,
            hold: MIN_HOLD,
            returned: None,
            calm_since: None,
            window: None,
        }
    }
}

impl LayerChoice {
    /// Takes the present terms, and returns the number of smaller layers to send, of `wanted` ones.
    pub fn note(&mut self, now: Timestamp, wanted: usize, terms: LayerTerms) -> usize {
        let wanted = wanted.min(SHARES.len());
        let is_slow = terms.share < LOW_SHARE || self.is_overloaded(now, terms);
        if is_slow {
            self.calm_since = None;
            let sent = self.most.min(wanted);
            if sent > 0 && now.since(self.changed) >= MIN_STEP_INTERVAL {
                let failed = self.returned.is_some_and(|at| now.since(at) < RETURN_TRIAL_DURATION);
                self.hold = if failed { (self.hold * 2).min(MAX_HOLD) } else { MIN_HOLD };
                (self.most, self.changed, self.returned) = (sent - 1, now, None);
            }
        } else if terms.share >= HIGH_SHARE {
            let calm = *self.calm_since.get_or_insert(now);
            if self.most < SHARES.len() && now.since(calm) >= self.hold {
                (self.most, self.changed) = (self.most + 1, now);
                (self.returned, self.calm_since) = (Some(now), Some(now));
            }
        } else {
            self.calm_since = None;
        }
        self.most.min(wanted)
    }

    /// Returns true at the end of a window in which the encoders have skipped too many frames.
    fn is_overloaded(&mut self, now: Timestamp, terms: LayerTerms) -> bool {
        let start = (now, terms.due, terms.skipped);
        let (begun, due, skipped) = *self.window.get_or_insert(start);
        if now.since(begun) < SKIPS_WINDOW {
            return false;
        }
        self.window = Some(start);
        let (due, skipped) = (terms.due.saturating_sub(due), terms.skipped.saturating_sub(skipped));
        skipped as f64 > due as f64 * MAX_SKIPPED_SHARE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::adaptation::{Adapter, SAMPLE_INTERVAL};

    #[test]
    fn layers_have_half_and_a_quarter_of_the_size_and_share_the_bitrate() {
        let sizes = |width, height| {
            let main = Size::new(width, height);
            [0, 1, 2].map(|layer| (layer_size(main, layer).width, layer_size(main, layer).height))
        };
        assert_eq!(sizes(1_280, 720), [(1_280, 720), (640, 360), (320, 180)]);
        assert_eq!(sizes(854, 482), [(854, 482), (426, 240), (212, 120)], "even sides");
        let main = BitsPerSecond(2_500_000);
        assert_eq!([1, 2].map(|it| layer_bitrate(main, it).0), [750_000, 250_000]);
        assert_eq!(layer_bitrate(BitsPerSecond(100_000), 2).0, 60_000);
        let sample = Sample {
            at: Timestamp::ZERO,
            live: true,
            queued: Duration::ZERO,
            carried: 3_500_000,
            silent: Duration::ZERO,
        };
        assert_eq!(without_layers(sample, main, 2).carried, 2_500_000);
        assert_eq!(without_layers(sample, main, 0).carried, 3_500_000);
    }

    /// Runs a choice, and returns the numbers of layers after each second.
    fn run(
        choice: &mut LayerChoice,
        from: u64,
        seconds: u64,
        share: f64,
        skips: u64,
    ) -> Vec<usize> {
        let mut counts = Vec::new();
        for second in from..from + seconds {
            let now = Timestamp::from_millis(i64::try_from(second).unwrap() * 1_000);
            let terms = LayerTerms { share, due: second * 60, skipped: second * skips };
            counts.push(choice.note(now, 2, terms));
        }
        counts
    }

    #[test]
    fn the_smallest_layer_ends_first_and_returns_after_a_calm_time() {
        let mut choice = LayerChoice::default();
        assert!(run(&mut choice, 10, 60, 1.0, 0).iter().all(|count| *count == 2));
        assert_eq!(run(&mut choice, 70, 4, 0.5, 0), [1, 1, 1, 0]);
        // Between the two limits, everything stays.
        assert!(run(&mut choice, 80, 60, 0.7, 0).iter().all(|count| *count == 0));
        let back = run(&mut choice, 140, 30, 1.0, 0);
        assert_eq!((back[11], back[12], back[23], back[24]), (0, 1, 1, 2), "{back:?}");
        // A return that fails makes the next one later.
        assert_eq!(run(&mut choice, 170, 1, 0.5, 0), [1]);
        let again = run(&mut choice, 171, 30, 1.0, 0);
        assert_eq!((again[23], again[24]), (1, 2), "{again:?}");
    }

    #[test]
    fn a_computer_that_skips_frames_sends_fewer_layers() {
        let mut choice = LayerChoice::default();
        assert!(run(&mut choice, 10, 20, 1.0, 2).iter().all(|count| *count == 2), "few frames");
        let counts = run(&mut choice, 30, 10, 1.0, 30);
        assert_eq!(counts.last(), Some(&0), "{counts:?}");
        assert!(counts.windows(2).all(|two| two[0] - two[1] <= 1), "{counts:?}");
    }

    /// A link whose width is given, over which a stream with its layers goes. The encoders follow
    /// the steering, as on air.
    struct Link {
        adapter: Adapter,
        choice: LayerChoice,
        layers: usize,
        at: Timestamp,
        waiting_bits: f64,
    }

    impl Link {
        fn total(&self) -> f64 {
            let main = self.adapter.bitrate();
            let layers: u32 = (1..=self.layers).map(|it| layer_bitrate(main, it).0).sum();
            f64::from(main.0 + layers + 128_000)
        }

        /// Runs for a time, and returns the time until the link first carried everything that was made. Later
        /// tries of a higher bitrate may make more for a moment.
        fn run(&mut self, seconds: f64, width: f64) -> Option<Duration> {
            let begun = self.at;
            let mut fits = None;
            for _ in 0..(seconds * 4.0) as u32 {
                self.at += SAMPLE_INTERVAL;
                let (made, room) = (self.total() * 0.25, width * 0.25);
                let carried = (self.waiting_bits + made).min(room);
                // Frames of layers and of the stream are dropped when the backlog is too long.
                self.waiting_bits = (self.waiting_bits + made - carried).min(self.total());
                let queued = Duration::from_secs_f64(self.waiting_bits / self.total());
                let sample = Sample {
                    at: self.at,
                    live: true,
                    queued,
                    carried: (carried * 4.0) as u64,
                    silent: Duration::ZERO,
                };
                let main = self.adapter.bitrate();
                self.adapter.note(without_layers(sample, main, self.layers));
                let share = f64::from(self.adapter.bitrate().0) / 2_500_000.0;
                let terms = LayerTerms { share, due: 0, skipped: 0 };
                self.layers = self.choice.note(self.at, 2, terms);
                if self.total() <= width {
                    fits.get_or_insert(self.at.since(begun));
                }
            }
            fits
        }
    }

    #[test]
    fn the_bitrate_of_all_layers_follows_a_link_that_halves_and_comes_back() {
        let rate = BitsPerSecond;
        let adapter = Adapter::new(rate(2_500_000), rate(300_000), rate(128_000));
        let choice = LayerChoice::default();
        let at = Timestamp::ZERO;
        let mut link = Link { adapter, choice, layers: 2, at, waiting_bits: 0.0 };
        link.run(20.0, 3_800_000.0);
        assert_eq!((link.adapter.bitrate().0, link.layers), (2_500_000, 2));
        let took = link.run(12.0, 1_900_000.0).expect("the layers fit into half of the link");
        assert!(took <= Duration::from_secs(2), "{took:?}");
        assert!(link.total() > 1_000_000.0, "not less than needed: {}", link.total());
        let half = link.adapter.bitrate();
        link.run(60.0, 3_800_000.0);
        assert!(link.adapter.bitrate() > half, "{:?} after {half:?}", link.adapter.bitrate());
        assert_eq!((link.adapter.bitrate().0, link.layers), (2_500_000, 2), "it is all back");
    }
}
