//! The limiter: looks ahead, so that the gain is down before the crest comes and nothing leaves
//! above the threshold. The gain a crest needs is held for as long as the look-ahead (a sliding
//! minimum) and then averaged over the same time: it arrives exactly in time, without a step.

use std::collections::VecDeque;

use crate::mix::block::{Shape, factor, loudest, within};

/// How far it looks ahead.
const AHEAD_SECONDS: f32 = 0.005;

pub(super) struct Limiter {
    threshold: f32,
    /// What is left of a reduction after one frame.
    release: f32,
    /// Frames it looks ahead.
    ahead: usize,
    /// The sound on its way, interleaved.
    waiting: VecDeque<f32>,
    /// Gains needed in the window, with the frame each belongs to, smallest first: those that a
    /// later and smaller one outlives are not kept.
    needed: VecDeque<(u64, f32)>,
    frame: u64,
    held: f32,
    /// The last `ahead` held gains, and their sum.
    recent: VecDeque<f32>,
    sum: f64,
}

impl Limiter {
    pub(super) fn new(threshold_dbfs: f32, release_ms: f32, shape: Shape) -> Self {
        let ahead = ((shape.rate as f32 * AHEAD_SECONDS) as usize).max(1);
        let mut limiter = Self {
            threshold: 1.0,
            release: 0.0,
            ahead,
            waiting: VecDeque::from(vec![0.0; ahead * shape.channels]),
            needed: VecDeque::with_capacity(ahead + 2),
            frame: 0,
            held: 1.0,
            recent: VecDeque::from(vec![1.0; ahead]),
            sum: ahead as f64,
        };
        limiter.adjust(threshold_dbfs, release_ms, shape);
        limiter
    }

    pub(super) fn adjust(&mut self, threshold_dbfs: f32, release_ms: f32, shape: Shape) {
        self.threshold = factor(within(threshold_dbfs, -60.0, 0.0, -1.0));
        self.release = shape.smoothing(within(release_ms, 1.0, 1_000.0, 60.0));
    }

    pub(super) fn latency(&self) -> usize {
        self.ahead
    }

    pub(super) fn process(&mut self, block: &mut [f32], channels: usize) {
        for frame in block.chunks_mut(channels) {
            let peak = loudest(frame);
            let need = if peak > self.threshold { self.threshold / peak } else { 1.0 };
            let gain = self.gain(need);
            for sample in frame.iter_mut() {
                self.waiting.push_back(*sample);
                *sample = self.waiting.pop_front().unwrap_or(0.0) * gain;
                // The average is exact to a few bits only.
                *sample = sample.clamp(-self.threshold, self.threshold);
            }
        }
    }

    /// The gain of the frame that leaves while one that needs `need` comes in.
    fn gain(&mut self, need: f32) -> f32 {
        while self.needed.back().is_some_and(|(_, kept)| *kept >= need) {
            self.needed.pop_back();
        }
        self.needed.push_back((self.frame, need));
        let oldest = self.frame.saturating_sub(self.ahead as u64);
        while self.needed.front().is_some_and(|(frame, _)| *frame < oldest) {
            self.needed.pop_front();
        }
        self.frame += 1;
        let smallest = self.needed.front().map_or(1.0, |(_, need)| *need);
        let risen = 1.0 - (1.0 - self.held) * self.release;
        self.held = smallest.min(risen);
        self.recent.push_back(self.held);
        self.sum += f64::from(self.held);
        self.sum -= f64::from(self.recent.pop_front().unwrap_or(1.0));
        ((self.sum / self.ahead as f64) as f32).clamp(0.0, 1.0)
    }
}
