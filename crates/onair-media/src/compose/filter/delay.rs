//! Delays frames to match late audio. The queue is limited in frames and bytes. If a limit is
//! reached, the delay is shorter.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::VideoFrame;

/// Maximum delay.
pub const MAX_DELAY: Duration = Duration::from_millis(500);
/// Maximum number of waiting frames.
const MAX_FRAMES: usize = 64;
/// Maximum total size of the waiting frames, in bytes.
const MAX_BYTES: usize = 192 << 20;
/// Time without a call, in addition to the delay, after which the filter restarts, because its
/// queue is outdated.
const MAX_CALL_GAP: Duration = Duration::from_millis(500);

/// The implementation of [`Filter::Delay`](super::Filter::Delay).
#[derive(Debug)]
pub struct Delay {
    by: Duration,
    /// Waiting frames, the oldest first, each with the instant of its arrival.
    waiting: VecDeque<(Timestamp, VideoFrame)>,
    /// The time of the last pull.
    last_pull: Option<Timestamp>,
}

fn bytes(frame: &VideoFrame) -> usize {
    frame.size().pixels() * if frame.planes().is_opaque() { 3 } else { 5 } / 2
}

impl Delay {
    pub fn new(by: Duration) -> Self {
        Self {
            by: by.min(MAX_DELAY),
            waiting: VecDeque::with_capacity(MAX_FRAMES),
            last_pull: None,
        }
    }

    /// Sets the delay. The queue is kept.
    pub fn set(&mut self, by: Duration) {
        self.by = by.min(MAX_DELAY);
    }

    /// Returns the delayed frame for the time `at`. At first, the result is the oldest frame.
    pub fn run(&mut self, frame: &VideoFrame, at: Timestamp) -> VideoFrame {
        let before = self.last_pull.replace(at);
        // The source was not shown in the meantime.
        if before.is_some_and(|before| at.since(before) > self.by + MAX_CALL_GAP) {
            self.waiting.clear();
        }
        let newest = self.waiting.back().map(|(_, frame)| Arc::as_ptr(frame.shared()));
        if newest != Some(Arc::as_ptr(frame.shared())) {
            let mut held: usize = self.waiting.iter().map(|(_, frame)| bytes(frame)).sum();
            held += bytes(frame);
            while self.waiting.len() >= MAX_FRAMES || held > MAX_BYTES {
                let Some((_, oldest)) = self.waiting.pop_front() else { break };
                held -= bytes(&oldest);
            }
            self.waiting.push_back((at, frame.clone()));
        }
        let due = |seen: &Timestamp| at.since(*seen) >= self.by;
        // A frame has ended when the next one is due.
        while self.waiting.get(1).is_some_and(|(seen, _)| due(seen)) {
            self.waiting.pop_front();
        }
        self.waiting.front().map_or_else(|| frame.clone(), |(_, frame)| frame.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Pooled;
    use crate::media::{Color, Planes, Size};

    fn frame(luma: u8) -> VideoFrame {
        let mut planes = Planes::black(Size::new(2, 2));
        planes.y.fill(luma);
        let planes = Arc::new(Pooled::unpooled(planes));
        VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
    }

    #[test]
    fn frames_come_as_much_later_as_was_asked_for() {
        let mut delay = Delay::new(Duration::from_millis(100));
        let seen: Vec<u8> = (0..10_u8)
            .map(|n| delay.run(&frame(n), Timestamp::from_millis(40 * i64::from(n))).planes().y[0])
            .collect();
        // 100 ms are two and a half frames, so the delay is three frames.
        assert_eq!(seen, [0, 0, 0, 0, 1, 2, 3, 4, 5, 6]);
        // A static frame passes through.
        let still = frame(77);
        let last = (10..20).map(|n| delay.run(&still, Timestamp::from_millis(40 * n)));
        assert_eq!(last.last().unwrap().planes().y[0], 77);
        assert_eq!(delay.waiting.len(), 1);
    }

    #[test]
    fn what_was_seen_before_a_pause_does_not_come_again() {
        let mut delay = Delay::new(Duration::from_millis(100));
        for n in 0..10_u8 {
            delay.run(&frame(n), Timestamp::from_millis(40 * i64::from(n)));
        }
        let hour = 3_600_000;
        let seen: Vec<u8> = (0..6_u8)
            .map(|n| {
                let at = Timestamp::from_millis(hour + 40 * i64::from(n));
                delay.run(&frame(100 + n), at).planes().y[0]
            })
            .collect();
        assert_eq!(seen, [100, 100, 100, 100, 101, 102]);
    }

    #[test]
    fn a_delay_that_is_drawn_goes_on_from_where_it_is() {
        let mut delay = Delay::new(Duration::from_millis(100));
        let mut seen = Vec::new();
        for n in 0..20_u8 {
            match n {
                8 => delay.set(Duration::from_millis(200)),
                14 => delay.set(Duration::from_millis(40)),
                _ => {}
            }
            let at = Timestamp::from_millis(40 * i64::from(n));
            seen.push(delay.run(&frame(n), at).planes().y[0]);
        }
        // The video freezes while the delay increases, and never shows a frame that is later than
        // allowed.
        assert_eq!(seen, [0, 0, 0, 0, 1, 2, 3, 4, 4, 4, 5, 6, 7, 8, 13, 14, 15, 16, 17, 18]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut delay = Delay::new(Duration::from_secs(100));
        for n in 0..2_000 {
            delay.run(&frame(1), Timestamp::from_millis(n));
        }
        assert!(delay.waiting.len() <= MAX_FRAMES && delay.by == MAX_DELAY);
        let large = || {
            let planes = Arc::new(Pooled::unpooled(Planes::black(Size::new(8192, 4096))));
            VideoFrame { pts: Timestamp::ZERO, color: Color::PROGRAM, surface: planes.into() }
        };
        for n in 0..8 {
            delay.run(&large(), Timestamp::from_millis(3_000 + n));
        }
        let held: usize = delay.waiting.iter().map(|(_, frame)| bytes(frame)).sum();
        assert!(held <= MAX_BYTES && !delay.waiting.is_empty());
    }
}
