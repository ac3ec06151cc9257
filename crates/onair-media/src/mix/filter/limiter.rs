//! The limiter, which looks ahead: the gain is reduced before a peak arrives, and no output exceeds
//! the threshold. The gain for a peak is held for the look-ahead time (a sliding minimum), and then
//! averaged over the same time. The reduction is therefore complete exactly when the peak arrives,
//! and has no step.

use std::collections::VecDeque;

use crate::mix::block::{Shape, factor, loudest, within};

/// The look-ahead time in seconds.
const LOOKAHEAD_SECONDS: f32 = 0.005;

/// The minimum reduction that has an effect.
const MIN_REDUCTION: f32 = 1e-6;

pub struct Limiter {
    threshold: f32,
    /// The fraction of a reduction that remains after one frame.
    release: f32,
    /// Number of look-ahead frames.
    ahead: usize,
    /// Delayed audio, interleaved.
    waiting: Vec<f32>,
    /// The needed reductions in the window (1 minus the gain), each with its frame, largest first.
    /// Reductions before a later and larger one are dropped.
    needed: VecDeque<(u64, f32)>,
    frame: u64,
    held: f32,
    /// The last `ahead` held reductions.
    recent: VecDeque<f32>,
    /// The sum of the reductions in `recent`.
    sum: f64,
    /// Number of frames since the last reduction.
    rested: usize,
}

impl Limiter {
    pub fn new(threshold_dbfs: f32, release_ms: f32, shape: Shape) -> Self {
        let ahead = ((shape.rate as f32 * LOOKAHEAD_SECONDS) as usize).max(1);
        let mut limiter = Self {
            threshold: 1.0,
            release: 0.0,
            ahead,
            waiting: vec![0.0; ahead * shape.channels],
            needed: VecDeque::with_capacity(ahead + 2),
            frame: 0,
            held: 0.0,
            recent: VecDeque::from(vec![0.0; ahead]),
            sum: 0.0,
            rested: ahead,
        };
        limiter.adjust(threshold_dbfs, release_ms, shape);
        limiter
    }

    pub fn adjust(&mut self, threshold_dbfs: f32, release_ms: f32, shape: Shape) {
        self.threshold = factor(within(threshold_dbfs, -60.0, 0.0, -1.0));
        self.release = shape.smoothing(within(release_ms, 1.0, 1_000.0, 60.0));
        // The delayed audio belongs to another threshold.
        self.rested = 0;
    }

    pub fn latency(&self) -> usize {
        self.ahead
    }

    pub fn process(&mut self, block: &mut [f32], channels: usize) {
        let known = self.waiting.len();
        self.waiting.extend_from_slice(block);
        let coming = self.waiting.get(known..).unwrap_or_default();
        // Most audio never comes near the threshold.
        if self.rested >= 2 * self.ahead && loudest(coming) <= self.threshold {
            self.frame += (block.len() / channels) as u64;
            block.copy_from_slice(self.waiting.get(..block.len()).unwrap_or_default());
        } else {
            for (index, frame) in block.chunks_mut(channels).enumerate() {
                let peak = loudest(frame);
                let need = if peak > self.threshold { 1.0 - self.threshold / peak } else { 0.0 };
                let gain = self.gain(need);
                let leaving = self.waiting.iter().skip(index * channels);
                for (sample, leaving) in frame.iter_mut().zip(leaving) {
                    // The average has rounding errors, so a sample could slightly exceed the
                    // threshold.
                    *sample = (leaving * gain).clamp(-self.threshold, self.threshold);
                }
            }
        }
        self.waiting.drain(..block.len());
    }

    /// Adds the reduction that the newest input frame needs, and returns the gain for the frame
    /// that leaves the limiter.
    fn gain(&mut self, need: f32) -> f32 {
        while self.needed.back().is_some_and(|(_, kept)| *kept <= need) {
            self.needed.pop_back();
        }
        self.needed.push_back((self.frame, need));
        let oldest = self.frame.saturating_sub(self.ahead as u64);
        while self.needed.front().is_some_and(|(frame, _)| *frame < oldest) {
            self.needed.pop_front();
        }
        self.frame += 1;
        let largest = self.needed.front().map_or(0.0, |(_, need)| *need);
        self.held = largest.max(self.held * self.release);
        if self.held < MIN_REDUCTION {
            self.held = 0.0;
            self.rested = self.rested.saturating_add(1);
        } else {
            self.rested = 0;
        }
        self.recent.push_back(self.held);
        self.sum += f64::from(self.held);
        self.sum -= f64::from(self.recent.pop_front().unwrap_or(0.0));
        if self.rested >= self.ahead {
            // Only rounding errors remain.
            self.sum = 0.0;
        }
        (1.0 - (self.sum / self.ahead as f64) as f32).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tests that the shorter computation for quiet audio is inaudible.
    #[test]
    fn at_rest_it_hands_out_what_it_would_have_worked_out() {
        let shape = Shape { rate: 48_000, channels: 2 };
        let (mut resting, mut working) =
            (Limiter::new(-6.0, 20.0, shape), Limiter::new(-6.0, 20.0, shape));
        let (mut came, mut left, mut rests) = (Vec::new(), Vec::new(), 0);
        for index in 0..400_usize {
            // Occasional loud parts of a block, 1.5 s apart.
            let level = |at: usize| if index % 150 == 100 && at > 501 { 3.0 } else { 0.4 };
            let samples = |at: usize| level(at) * ((index * 960 + at) as f32 * 0.13).sin();
            let mut block: Vec<f32> = (0..960).map(samples).collect();
            came.extend_from_slice(&block);
            let mut same = block.clone();
            rests += usize::from(resting.rested >= 2 * resting.ahead);
            resting.process(&mut block, 2);
            working.rested = 0;
            working.process(&mut same, 2);
            assert!(block.iter().zip(&same).all(|(a, b)| (a - b).abs() < 1e-6), "block {index}");
            left.extend_from_slice(&block);
        }
        assert!(rests > 200, "it rested {rests} blocks of 400");
        let most = left.iter().fold(0.0_f32, |most, sample| most.max(sample.abs()));
        assert!(most <= factor(-6.0) && most > factor(-6.5), "{most}");
        // Long after a peak, the output equals the input bit for bit.
        assert_eq!(left[240 * 960..][..960], came[240 * 960 - 480..][..960]);
    }
}
