//! What the encoder's thread shares with the owner of the encoder.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64};

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::encode::backend::Description;
use crate::encode::error::Error;
use crate::media::Size;
use crate::text::Problem;

/// The failure of an encoder that another one replaced, while the stream went on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// The encoder that failed, by its name.
    pub encoder: &'static str,
    pub reason: Problem,
    /// The encoder in its place. It is the same one if it was started again.
    pub now: &'static str,
    /// The lighter preset, if the encoder did not fail, but was too slow.
    pub lighter: Option<&'static str>,
}

/// Maximum number of incidents that wait to be reported.
const MAX_INCIDENTS: usize = 8;

#[derive(Debug)]
pub(super) struct Shared {
    pub(super) description: Mutex<Description>,
    pub(super) incidents: Mutex<Vec<Incident>>,
    pub(super) encoded: AtomicU64,
    pub(super) keyframes: AtomicU64,
    pub(super) bytes: AtomicU64,
    pub(super) refused: AtomicU64,
    pub(super) busy_micros: AtomicU64,
    /// The bitrate that was set.
    pub(super) bitrate: AtomicU32,
    /// The bitrate that the encoder uses.
    pub(super) used_bitrate: AtomicU32,
    /// The encoder encodes one in this many frames.
    pub(super) step: AtomicU32,
    /// The maximum number of B-frames in a row, if it is lower than that of the configuration.
    pub(super) b_frames: AtomicU8,
    /// The scaled size: width in the high bits, height in the low ones.
    pub(super) size: AtomicU64,
    /// The encoded size in the same form.
    pub(super) encoded_size: AtomicU64,
    pub(super) keyframe_wanted: AtomicBool,
    pub(super) taken: Mutex<TakenFrames>,
    pub(super) failure: Mutex<Option<Error>>,
}

impl Shared {
    /// Keeps an incident until it is taken.
    pub(super) fn report(&self, incident: Incident) {
        let mut incidents = self.incidents.lock();
        if incidents.len() < MAX_INCIDENTS {
            incidents.push(incident);
        }
    }
}

/// The frames that the encoder took so far.
#[derive(Debug, Default)]
pub(super) struct TakenFrames {
    count: u32,
    /// The timestamps of the first and the last frame.
    span: Option<(Timestamp, Timestamp)>,
}

impl TakenFrames {
    pub(super) fn add(&mut self, pts: Timestamp) {
        self.count = self.count.saturating_add(1);
        let first = self.span.map_or(pts, |(first, _)| first);
        self.span = Some((first, pts));
    }

    /// Returns the mean frame rate by the timestamps, or `None` before the second frame.
    pub(super) fn rate(&self) -> Option<f64> {
        let (first, last) = self.span?;
        let seconds = last.since(first).as_secs_f64();
        (seconds > 0.0).then(|| f64::from(self.count.saturating_sub(1)) / seconds)
    }
}

pub(super) fn packed(size: Size) -> u64 {
    u64::from(size.width) << 32 | u64::from(size.height)
}

pub(super) fn unpacked(size: u64) -> Size {
    Size::new((size >> 32) as u32, size as u32)
}
