//! Checks whether decoding keeps up with playback. If not, this module chooses the packets to skip:
//! all packets up to a keyframe, so that video and audio match again. A decoder that is catching up
//! (after a jump or a busy moment) keeps all its packets.
//!
//! This module is pure: all times are media time. It runs on the video thread.

use crate::base::Timestamp;
use crate::media::EncodedPacket;
use crate::player::buffer::packets::{Buffered, Packets};

/// A frame counts as late if it is further behind playback than this, in µs.
const LATE_THRESHOLD_MICROS: i64 = 500_000;
/// The playback time, in µs, within which a late decoder must reduce its delay by a quarter.
const CATCH_UP_MICROS: i64 = 500_000;
/// A keyframe is in time if it is at most this far behind playback, in µs.
const KEYFRAME_TOLERANCE_MICROS: i64 = 100_000;
/// After this long without a keyframe, in µs, packets are decoded anyway.
const KEYFRAME_TIMEOUT_MICROS: i64 = 10_000_000;
/// Decoding has recovered once it has kept up for this long, in µs.
const RECOVERY_MICROS: i64 = 60_000_000;

/// The verdict about a packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Decode,
    /// The first skipped packet. `slow` means that the decoder would never catch up.
    Break {
        slow: bool,
    },
    /// Another skipped packet.
    Leave,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(crate) struct FrameDrop {
    /// Playback position and delay at the start of the trial.
    trial: Option<(Timestamp, i64)>,
    skip: Option<Skip>,
    /// The playback position at which decoding was last too slow; `None` after it has recovered.
    slow_at: Option<Timestamp>,
    /// The number of playback starts when the last packet was judged.
    begun: u32,
}

/// A skip in progress.
#[derive(Copy, Clone, Debug)]
struct Skip {
    /// The playback position at the start of the skip.
    from: Timestamp,
    slow: bool,
}

impl FrameDrop {
    /// Resets the state, because the next packet is from another position of the stream.
    pub(crate) fn forget(&mut self) {
        (self.trial, self.skip, self.slow_at) = (None, None, None);
    }

    /// Judges a packet from `queue` at playback `position`; `begun` is the number of playback
    /// starts.
    pub(crate) fn judge<P: Buffered>(
        &mut self,
        packet: &EncodedPacket,
        position: Timestamp,
        begun: u32,
        queue: &Packets<P>,
    ) -> Verdict {
        if std::mem::replace(&mut self.begun, begun) != begun {
            // Playback may have jumped ahead, which does not mean that the decoder is slow.
            self.trial = None;
        }
        if let Some(skip) = self.skip {
            return self.go_on(skip, packet, position, queue);
        }
        // If no packets are waiting, the sender is late, not the decoder.
        let waiting = queue.newest().map_or(0, |newest| newest.micros_since(packet.dts));
        let late = position.micros_since(packet.pts).min(waiting);
        if late <= LATE_THRESHOLD_MICROS {
            self.trial = None;
            return Verdict::Decode;
        }
        let (since, was) = *self.trial.get_or_insert((position, late));
        let passed = position.micros_since(since);
        if passed < CATCH_UP_MICROS {
            return Verdict::Decode;
        }
        let gained = was - late;
        if gained >= was / 4 {
            self.trial = Some((position, late));
            return Verdict::Decode;
        }
        // A decoder that is far behind but much faster than playback is not slow.
        let skip = Skip { from: position, slow: gained < passed / 4 };
        if skip.slow {
            self.slow_at = Some(position);
        }
        self.skip = Some(skip);
        match self.go_on(skip, packet, position, queue) {
            Verdict::Decode => Verdict::Decode,
            _ => Verdict::Break { slow: skip.slow },
        }
    }

    fn go_on<P: Buffered>(
        &mut self,
        skip: Skip,
        packet: &EncodedPacket,
        position: Timestamp,
        queue: &Packets<P>,
    ) -> Verdict {
        let late = position.micros_since(packet.pts);
        // A slow decoder that began at an older keyframe would fall behind again.
        let good = packet.keyframe
            && (late <= KEYFRAME_TOLERANCE_MICROS
                || !skip.slow && !queue.has_keyframe_until(position));
        let long = position.micros_since(skip.from) > KEYFRAME_TIMEOUT_MICROS;
        if good || long {
            (self.skip, self.trial) = (None, None);
            return Verdict::Decode;
        }
        Verdict::Leave
    }

    /// Returns true, once, when a slow decoder has kept up for long enough.
    pub(crate) fn has_recovered(&mut self, position: Timestamp) -> bool {
        let steady = self.trial.is_none() && self.skip.is_none();
        let recovered =
            steady && self.slow_at.is_some_and(|at| position.micros_since(at) > RECOVERY_MICROS);
        if recovered {
            self.slow_at = None;
        }
        recovered
    }
}
