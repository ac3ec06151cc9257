//! The test tone, in sync with the test pattern's flash, and digital silence.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::markers::Schedule;
use crate::media::samples::micros_to_frames;
use crate::media::{AudioFeed, Pulled};

/// The feed of the test tone.
pub(super) struct Tone {
    pub(super) schedule: Schedule,
    pub(super) rate: u32,
    pub(super) channels: u16,
}

impl AudioFeed for Tone {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        let first = micros_to_frames(at.micros_since(self.schedule.grid().origin), self.rate);
        self.schedule.tone(first, self.rate, self.channels, out);
        Pulled::Audio
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

/// The feed of digital silence.
pub(super) struct Silence;

impl AudioFeed for Silence {
    fn pull(&mut self, _: Timestamp, out: &mut [f32]) -> Pulled {
        out.fill(0.0);
        Pulled::Audio
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::FrameGrid;
    use crate::media::samples::frames_to_micros;

    #[test]
    fn blocks_with_rounded_stamps_join_without_a_seam() {
        let grid = FrameGrid { origin: Timestamp::from_micros(33), rate: "30".parse().unwrap() };
        let schedule = Schedule::new(grid, 1_790_000_000_123_456);
        let mut tone = Tone { schedule, rate: 44_100, channels: 1 };
        let mut whole = vec![0.0; 44_100];
        tone.pull(grid.origin, &mut whole);
        let mut parts = vec![0.0; 44_100];
        for (block, out) in parts.chunks_mut(441).enumerate() {
            let at = grid.origin.offset(frames_to_micros(block as i64 * 441, 44_100));
            tone.pull(at, out);
        }
        assert_eq!(whole, parts);
    }
}
