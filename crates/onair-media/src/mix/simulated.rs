//! The real mixer in simulated time, for the test of the whole path
//! (`studio/program/lip_sync_tests.rs`). The test calls it block by block.

use std::sync::Arc;

use crate::media::samples::frames_to_micros;
use crate::media::{AudioFeed, SampleBlock};
use crate::mix::block::{Shape, limit};
use crate::mix::mixer::{Config, SharedMeter};
use crate::mix::strip::Strip;
use crate::mix::strip_id::StripId;
use crate::mix::strips::StripSet;

/// A mixer with one strip.
pub struct Mix {
    strip_set: StripSet,
    config: Config,
}

impl Mix {
    /// Creates a mixer with only this feed.
    pub fn of(config: Config, feed: Box<dyn AudioFeed>) -> Self {
        let shape = Shape { rate: config.rate, channels: usize::from(config.channels) };
        let mut strip_set = StripSet::new(shape);
        let strip = strip_set.strip(StripId::MAIN, SharedMeter::default).unwrap();
        strip.set(Arc::new(Strip::default()));
        strip.set_feed(Some(feed));
        Self { strip_set, config }
    }

    /// Returns the program's block of this many frames from sample `first` on, and whether the
    /// whole block had audio.
    pub fn block(&mut self, first: i64, frames: usize) -> (SampleBlock, bool) {
        let Config { rate, channels, origin, .. } = self.config;
        let pts = origin.offset(frames_to_micros(first, rate));
        let taken = self.strip_set.take(first, pts, frames, 0);
        let mut data = vec![0.0; frames * usize::from(channels)];
        self.strip_set.program(first, &mut data);
        limit(&mut data);
        (SampleBlock { pts, rate, channels, data: data.into() }, !taken.silent)
    }
}
