//! The data for viewers: a frame of video or audio in packets, made once for all viewers.

use std::sync::Arc;
use std::time::Instant;

/// One access unit.
#[derive(Debug)]
pub(in crate::webrtc) struct Frame {
    /// Number of the production that made the frame.
    pub production: u64,
    /// True for video in AV1; other video is H.264.
    pub is_av1: bool,
    pub kind: FrameKind,
    /// Number of the video frame, without gaps. Audio has no numbers.
    pub index: u64,
    /// Presentation time in microseconds of the stream. It continues when the publisher's times jump.
    pub at: i64,
    /// Wall-clock time of the frame, as far as known, never in the future.
    pub wallclock: Instant,
    /// Arrival time.
    pub arrived: Instant,
    /// RTP payloads, shared by all viewers.
    pub payloads: Vec<Arc<[u8]>>,
}

/// The kind of a frame.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::webrtc) enum FrameKind {
    Key,
    Inter,
    Audio,
}

impl Frame {
    pub fn is_video(&self) -> bool {
        self.kind != FrameKind::Audio
    }

    /// Returns the total size of the packets in bytes.
    pub fn size(&self) -> usize {
        self.payloads.iter().map(|payload| payload.len()).sum()
    }
}
