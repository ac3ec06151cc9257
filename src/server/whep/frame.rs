//! What goes to viewers: a picture or a piece of sound in packets, made once for all of them.

use std::sync::Arc;
use std::time::Instant;

/// One access unit.
#[derive(Debug)]
pub(super) struct Frame {
    pub kind: FrameKind,
    /// Counts the frames of its kind, without a gap.
    pub index: u64,
    /// When it is shown or heard, in microseconds of the stream; continues where the publisher's times jump.
    pub at: i64,
    /// That instant, as far as it can be known, and not in the future.
    pub wallclock: Instant,
    /// When it came.
    pub arrived: Instant,
    /// Payloads of RTP, shared by all viewers.
    pub payloads: Vec<Arc<[u8]>>,
}

/// What a frame is.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum FrameKind {
    Key,
    Inter,
    Sound,
}

impl Frame {
    pub fn is_video(&self) -> bool {
        self.kind != FrameKind::Sound
    }

    /// Bytes in its packets.
    pub fn size(&self) -> usize {
        self.payloads.iter().map(|payload| payload.len()).sum()
    }
}
