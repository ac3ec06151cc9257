//! Queue of decoded audio before playback. The clock handles small deviations of the blocks'
//! timestamps from the counted samples, but not gaps or overlaps of more than 40 ms.
//!
//! This module is pure. It is used on the presenter thread.

use std::collections::VecDeque;

use crate::base::Timestamp;
use crate::media::SampleBlock;
use crate::media::samples::{frames_to_micros, micros_to_frames};

/// Gaps and overlaps of blocks up to this length, in µs, are due to millisecond timestamps or to
/// encoders.
const TOLERANCE_MICROS: i64 = 40_000;

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct Fifo {
    blocks: VecDeque<SampleBlock>,
    /// Number of frames that were already taken from the first block.
    used: usize,
    frames: usize,
}

impl Fifo {
    /// Adds a block. An overlap of more than 40 ms with the previous block is dropped.
    pub(crate) fn push(&mut self, mut samples: SampleBlock) {
        if samples.channels == 0 || samples.rate == 0 {
            return;
        }
        if let Some(last) = self.blocks.back() {
            let overlap = last.end().micros_since(samples.pts);
            if overlap > TOLERANCE_MICROS {
                let cut = micros_to_frames(overlap, samples.rate);
                let cut = usize::try_from(cut).unwrap_or(usize::MAX).min(samples.frames());
                samples.data.drain(..cut * usize::from(samples.channels));
                samples.pts = last.end();
            }
        }
        let frames = samples.frames();
        if frames > 0 {
            self.frames += frames;
            self.blocks.push_back(samples);
        }
    }

    /// Returns the media time of the next frame.
    pub(crate) fn front(&self) -> Option<Timestamp> {
        let block = self.blocks.front()?;
        Some(block.pts.offset(frames_to_micros(self.used as i64, block.rate)))
    }

    /// Returns the media time after the last frame.
    pub(crate) fn end(&self) -> Option<Timestamp> {
        self.blocks.back().map(SampleBlock::end)
    }

    /// Returns the rate and channels of the next frame.
    pub(crate) fn format(&self) -> Option<(u32, u16)> {
        self.blocks.front().map(|block| (block.rate, block.channels))
    }

    /// Returns the number of waiting frames.
    pub(crate) fn frames(&self) -> usize {
        self.frames
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.blocks.clear();
        (self.used, self.frames) = (0, 0);
    }

    /// Ends the waiting audio at `at`: trims audio after that time, or fills the gap up to that
    /// time with silence if the gap is at most `TOLERANCE_MICROS`.
    pub(crate) fn end_at(&mut self, at: Timestamp) {
        while let Some(last) = self.blocks.back_mut() {
            let over = micros_to_frames(last.end().micros_since(at), last.rate);
            let channels = usize::from(last.channels);
            let Ok(over) = usize::try_from(over) else {
                let missing = micros_to_frames(at.micros_since(last.end()), last.rate);
                if at.micros_since(last.end()) <= TOLERANCE_MICROS {
                    let missing = usize::try_from(missing).unwrap_or(0);
                    let wanted = last.data.len() + missing * channels;
                    last.data.resize(wanted, 0.0);
                    self.frames += missing;
                }
                return;
            };
            // The used part of the first block stays.
            let used = if self.blocks.len() == 1 { self.used } else { 0 };
            let Some(last) = self.blocks.back_mut() else { return };
            let frames = last.frames();
            let kept = frames.saturating_sub(over).max(used);
            self.frames = self.frames.saturating_sub(frames - kept.min(frames));
            if kept > used {
                last.data.truncate(kept * channels);
                return;
            }
            self.blocks.pop_back();
            if self.blocks.is_empty() {
                self.used = 0;
                return;
            }
        }
    }

    /// Copies up to `frames` frames from the front into `out`, up to a gap or a format change.
    pub(crate) fn peek(&self, frames: usize, out: &mut Vec<f32>) {
        out.clear();
        let Some(first) = self.blocks.front() else { return };
        let channels = usize::from(first.channels);
        let (mut wanted, mut skip) = (frames * channels, self.used * channels);
        let mut expected = first.pts;
        for block in &self.blocks {
            let hole = block.pts.micros_since(expected) > TOLERANCE_MICROS;
            if wanted == 0 || hole || (block.rate, block.channels) != (first.rate, first.channels) {
                break;
            }
            let data = block.data.get(skip..).unwrap_or_default();
            let part = data.get(..wanted.min(data.len())).unwrap_or_default();
            out.extend_from_slice(part);
            wanted -= part.len();
            skip = 0;
            expected = block.end();
        }
    }

    /// Takes `frames` frames from the front.
    pub(crate) fn consume(&mut self, mut frames: usize) {
        while frames > 0 {
            let Some(block) = self.blocks.front() else { return };
            let left = block.frames().saturating_sub(self.used);
            if frames < left {
                self.used += frames;
                self.frames -= frames;
                return;
            }
            frames -= left;
            self.frames = self.frames.saturating_sub(left);
            self.used = 0;
            self.blocks.pop_front();
        }
    }

    /// Takes the first block, or its remaining part.
    pub(crate) fn pop(&mut self) -> Option<SampleBlock> {
        let mut block = self.blocks.pop_front()?;
        if self.used > 0 {
            block.pts = block.pts.offset(frames_to_micros(self.used as i64, block.rate));
            let used = (self.used * usize::from(block.channels)).min(block.data.len());
            block.data.drain(..used);
            self.used = 0;
        }
        self.frames = self.frames.saturating_sub(block.frames());
        Some(block)
    }

    /// Drops everything before `from`.
    pub(crate) fn skip_to(&mut self, from: Timestamp) {
        while self.blocks.front().is_some_and(|block| block.end() <= from) {
            self.pop();
        }
        if let (Some(front), Some((rate, _))) = (self.front(), self.format()) {
            let early = micros_to_frames(from.micros_since(front), rate);
            if let Ok(early) = usize::try_from(early) {
                self.consume(early);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(ms: i64, frames: usize, value: f32) -> SampleBlock {
        let pts = Timestamp::from_millis(ms);
        SampleBlock { pts, rate: 1_000, channels: 2, data: vec![value; frames * 2].into() }
    }

    #[test]
    fn frames_come_out_in_order_and_time_goes_with_them() {
        let mut fifo = Fifo::default();
        fifo.push(block(0, 20, 1.0));
        fifo.push(block(21, 20, 2.0));
        let mut out = Vec::new();
        fifo.peek(30, &mut out);
        assert_eq!((out.len(), out[0], out[59]), (60, 1.0, 2.0));
        fifo.consume(30);
        assert_eq!((fifo.frames(), fifo.front()), (10, Some(Timestamp::from_millis(31))));
        assert_eq!(fifo.pop().unwrap().frames(), 10);
        assert!(fifo.is_empty() && fifo.frames() == 0);
    }

    #[test]
    fn what_waits_is_made_to_end_where_it_is_to() {
        let at = Timestamp::from_millis;
        let mut fifo = Fifo::default();
        fifo.end_at(at(5));
        fifo.push(block(0, 20, 1.0));
        fifo.push(block(20, 20, 2.0));
        fifo.push(block(40, 20, 3.0));
        fifo.consume(5);
        fifo.end_at(at(30));
        assert_eq!((fifo.frames(), fifo.end()), (25, Some(at(30))));
        // A small gap is filled; a large one stays.
        fifo.end_at(at(32));
        fifo.end_at(at(32 + 41));
        let mut out = Vec::new();
        fifo.peek(100, &mut out);
        assert_eq!((fifo.frames(), fifo.end(), out.len()), (27, Some(at(32)), 54));
        assert_eq!((out[0], out[49], out[50], out[53]), (1.0, 2.0, 0.0, 0.0));
        // The used part of a block is not restored.
        fifo.end_at(at(3));
        assert_eq!((fifo.frames(), fifo.front()), (0, None));
        fifo.push(block(50, 10, 4.0));
        assert_eq!((fifo.frames(), fifo.front()), (10, Some(at(50))));
    }

    #[test]
    fn holes_end_a_run_and_repeats_are_cut() {
        let mut fifo = Fifo::default();
        fifo.push(block(0, 50, 1.0));
        fifo.push(block(200, 10, 2.0));
        let mut out = Vec::new();
        fifo.peek(100, &mut out);
        assert_eq!(out.len(), 100);
        // The overlap is 10 ms longer than an encoder's tolerance.
        fifo.push(block(160, 100, 3.0));
        assert_eq!(fifo.frames(), 50 + 10 + 50);
        assert_eq!(fifo.end(), Some(Timestamp::from_millis(260)));
        fifo.skip_to(Timestamp::from_millis(205));
        assert_eq!(fifo.front(), Some(Timestamp::from_millis(205)));
        assert_eq!(fifo.frames(), 55);
    }
}
