//! Which variant of a master playlist is played: the best that the measured bandwidth carries. Pure.

use std::time::Duration;

use crate::wire::hls::Variant;

/// A variant may take so much of what was measured to be stayed with, and to be gone up to.
const STAY: f64 = 0.9;
const UP: f64 = 0.7;
/// How much a new measurement counts.
const WEIGHT: f64 = 0.4;
/// Less than this says nothing of a line.
const LEAST: usize = 8 << 10;

/// What is known of the way to the server.
#[derive(Debug, Default)]
pub(super) struct Bandwidth {
    /// Bits a second.
    estimate: Option<f64>,
}

impl Bandwidth {
    /// So many bytes came in this time.
    pub fn note(&mut self, bytes: usize, took: Duration) {
        if bytes < LEAST {
            return;
        }
        let rate = bytes as f64 * 8.0 / took.as_secs_f64().max(0.001);
        let weight = |old: f64| old + (rate - old) * WEIGHT;
        self.estimate = Some(self.estimate.map_or(rate, weight));
    }

    /// Which variant to play next; `now` is the one that is played.
    pub fn choose(&self, variants: &[Variant], now: usize) -> usize {
        let Some(estimate) = self.estimate else { return now };
        let playing = variants.get(now).map_or(0, |variant| variant.bandwidth);
        let fits = |variant: &Variant| {
            let share = if variant.bandwidth > playing { UP } else { STAY };
            variant.bandwidth as f64 <= estimate * share
        };
        let candidates = || candidates(variants);
        let best =
            candidates().filter(|(_, variant)| fits(variant)).max_by_key(|(_, v)| v.bandwidth);
        let least = || candidates().min_by_key(|(_, variant)| variant.bandwidth);
        best.or_else(least).map_or(now, |(at, _)| at)
    }
}

/// Those with a picture that can be shown here; all, where there is none.
fn candidates(variants: &[Variant]) -> impl Iterator<Item = (usize, &Variant)> {
    let good = |variant: &Variant| variant.is_playable() && !variant.is_sound_only();
    let any = variants.iter().any(good);
    variants.iter().enumerate().filter(move |(_, variant)| !any || good(variant))
}

/// The one to begin with: the first that the list names, as its author wished.
pub(super) fn first(variants: &[Variant]) -> usize {
    candidates(variants).next().map_or(0, |(at, _)| at)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(bandwidth: u64, codecs: &str) -> Variant {
        Variant {
            uri: String::new(),
            bandwidth,
            resolution: codecs.contains("avc1").then_some((16, 16)),
            codecs: Some(codecs.to_owned()),
            audio: None,
        }
    }

    #[test]
    fn the_line_decides_and_does_not_waver() {
        let variants = [
            variant(9_000_000, "hvc1.1"),
            variant(1_000_000, "avc1.4d,mp4a.40.2"),
            variant(3_000_000, "avc1.4d,mp4a.40.2"),
            variant(64_000, "mp4a.40.2"),
        ];
        assert_eq!(first(&variants), 1);
        let mut line = Bandwidth::default();
        assert_eq!(line.choose(&variants, 1), 1);
        let second = Duration::from_secs(1);
        let mut at = |kbps: usize, times: usize, now| {
            (0..times).for_each(|_| line.note(kbps * 125, second));
            line.choose(&variants, now)
        };
        assert_eq!(at(4_000, 1, 1), 1, "not enough to go up");
        assert_eq!(at(5_000, 12, 1), 2);
        assert_eq!(at(3_500, 20, 2), 2, "enough to stay");
        assert_eq!(at(2_000, 20, 2), 1);
        assert_eq!(at(100, 30, 1), 1, "the least of them, and not the sound alone");
        assert_eq!(first(&variants[3..]), 0);
    }
}
