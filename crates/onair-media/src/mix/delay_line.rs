//! The last seconds of a strip's audio, for delayed output.

use std::collections::VecDeque;

/// A delay line of interleaved samples, the newest at the end.
pub struct DelayLine {
    channels: usize,
    /// The number of samples per channel to keep.
    kept: usize,
    audio: VecDeque<f32>,
}

impl DelayLine {
    pub fn new(channels: usize) -> Self {
        Self { channels, kept: 0, audio: VecDeque::new() }
    }

    /// Makes the line keep at least this many samples per channel.
    pub fn keep(&mut self, frames: usize) {
        self.kept = frames;
    }

    pub fn push(&mut self, block: &[f32]) {
        let most = (self.kept * self.channels).max(block.len());
        let over = (self.audio.len() + block.len()).saturating_sub(most);
        self.audio.drain(..over.min(self.audio.len()));
        self.audio.extend(block);
        if self.audio.capacity() > 4 * most.max(4_096) {
            self.audio.shrink_to(most);
        }
    }

    /// Returns the number of stored samples per channel.
    #[cfg(test)]
    pub fn len(&self) -> usize {
        self.audio.len() / self.channels
    }

    /// Adds samples to `out`, starting `back` samples per channel before the end. Missing samples
    /// are silence.
    pub fn add(&self, back: i64, out: &mut [f32]) {
        let channels = self.channels as i64;
        let first = self.audio.len() as i64 - back * channels;
        let skip = usize::try_from(-first).unwrap_or(0);
        let first = usize::try_from(first).unwrap_or(0).min(self.audio.len());
        let audio = self.audio.range(first..);
        for (to, from) in out.iter_mut().skip(skip).zip(audio) {
            *to += from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gives_back_what_was_and_silence_for_what_was_not() {
        let mut line = DelayLine::new(2);
        line.keep(6);
        for block in [[1.0, -1.0, 2.0, -2.0], [3.0, -3.0, 4.0, -4.0], [5.0, -5.0, 6.0, -6.0]] {
            line.push(&block);
        }
        let read = |back: i64| {
            let mut out = [0.0; 4];
            line.add(back, &mut out);
            out
        };
        assert_eq!(read(2), [5.0, -5.0, 6.0, -6.0]);
        assert_eq!(read(5), [2.0, -2.0, 3.0, -3.0]);
        assert_eq!(read(7), [0.0, 0.0, 1.0, -1.0]);
        assert_eq!(read(100), [0.0; 4]);
        assert_eq!(read(1), [6.0, -6.0, 0.0, 0.0]);
        assert_eq!(read(-3), [0.0; 4]);
    }

    #[test]
    fn a_delay_line_keeps_no_more_than_its_limit() {
        let mut line = DelayLine::new(1);
        line.keep(1_000);
        for _ in 0..100 {
            line.push(&[1.0; 480]);
        }
        assert_eq!(line.audio.len(), 1_000);
        line.keep(0);
        line.push(&[2.0; 480]);
        assert_eq!(line.audio.len(), 480);
    }
}
