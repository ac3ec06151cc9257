//! Brings the tags of a publisher into the one form that all outputs understand. Codec configs come before their
//! frames, even if a publisher sends them only within frames or not at all. H.264 and HEVC have NAL lengths. The times of both tracks
//! have one origin. This module has no I/O.

mod aac;
mod nals;
mod remark;
mod times;
mod video;

use bytes::Bytes;

use self::aac::AacTrack;
pub use self::remark::Remark;
use self::times::TrackTimes;
use self::video::VideoTrack;
use super::{Metadata, TagKind};
use crate::base::Timestamp;

/// Normalizes the bodies and times of one publisher.
#[derive(Debug, Default)]
pub struct Normalizer {
    video: VideoTrack,
    audio: AacTrack,
    times: TrackTimes,
    remarks: Vec<Remark>,
    /// The remarks so far; each is made once.
    made: Vec<Remark>,
}

impl Normalizer {
    /// Takes a body. Returns a config that must precede it, if any, and the body.
    pub fn take(&mut self, kind: TagKind, time_ms: u32, body: Bytes) -> (Option<Bytes>, Bytes) {
        let (remarks, made) = (&mut self.remarks, &mut self.made);
        let mut remark = |remark| note(remarks, made, remark);
        match kind {
            TagKind::Video => self.video.take(body, &mut remark),
            TagKind::Audio => (self.audio.take(time_ms, &body, &mut remark), body),
            TagKind::Script => (None, body),
        }
    }

    /// Takes the publisher's metadata.
    pub fn metadata(&mut self, metadata: &Metadata) {
        self.audio.declare(metadata);
    }

    /// Returns the time of media that arrived at `now`.
    pub fn place(&mut self, kind: TagKind, time_ms: u32, now: Timestamp) -> u32 {
        let placed = self.times.place(kind, time_ms, now);
        if placed.moved {
            note(&mut self.remarks, &mut self.made, Remark::TimesMoved);
        }
        placed.time_ms
    }

    /// Returns the time of a config or other data, whose own time may have no meaning.
    pub fn place_beside(&self, kind: TagKind, time_ms: u32) -> u32 {
        self.times.place_beside(kind, time_ms)
    }

    /// Returns by how much the audio was moved.
    pub fn audio_shift_ms(&self) -> u32 {
        self.times.audio_shift_ms()
    }

    /// Takes the new remarks.
    pub fn remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }
}

fn note(remarks: &mut Vec<Remark>, made: &mut Vec<Remark>, remark: Remark) {
    if !made.contains(&remark) {
        made.push(remark);
        remarks.push(remark);
    }
}
