//! Whether decoding keeps up with what is played, and what is left out where it does not: from where it
//! is found to be behind up to a keyframe, so that the frame comes back to its audio. Who is behind
//! and catches up (after a jump, or a moment in which the machine was busy) is left alone.
//!
//! Pure: all times are media time. Runs on the video thread.

use crate::base::Timestamp;
use crate::media::EncodedPacket;
use crate::player::buffer::packets::{Buffered, Packets};

/// Further behind what is played than this is late.
const LATE_THRESHOLD: i64 = 500_000;
/// Who is late has this much of what is played to catch up by a quarter of it.
const TRIAL: i64 = 500_000;
/// A keyframe that is no further behind is in time.
const KEYFRAME_TOLERANCE: i64 = 100_000;
/// No keyframe for this long: what comes is decoded as far as it can be.
const KEYFRAME_TIMEOUT: i64 = 10_000_000;
/// In time for this long, and decoding has recovered.
const RECOVERED: i64 = 60_000_000;

/// What becomes of a packet.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::player) enum Verdict {
    Decode,
    /// The first that is left out. `slow`: the decoder would never catch up.
    Break {
        slow: bool,
    },
    /// One more of them.
    Leave,
}

/// See the module.
#[derive(Debug, Default)]
pub(in crate::player) struct FrameDrop {
    /// Since this position, with how far it was behind then.
    trial: Option<(Timestamp, i64)>,
    skip: Option<Skip>,
    /// Where playing was when it was last too slow, until it has recovered.
    slow_at: Option<Timestamp>,
    /// How often playing had begun again.
    begun: u32,
}

/// What is being left out.
#[derive(Copy, Clone, Debug)]
struct Skip {
    /// Where playing was then.
    from: Timestamp,
    slow: bool,
}

impl FrameDrop {
    /// What comes is of another place of the stream.
    pub(in crate::player) fn forget(&mut self) {
        (self.trial, self.skip, self.slow_at) = (None, None, None);
    }

    /// Judges a packet that is taken from `queue` while `position` is played, which has begun again so
    /// often.
    pub(in crate::player) fn judge<P: Buffered>(
        &mut self,
        packet: &EncodedPacket,
        position: Timestamp,
        begun: u32,
        queue: &Packets<P>,
    ) -> Verdict {
        if std::mem::replace(&mut self.begun, begun) != begun {
            // It may have gone ahead: that is nobody's slowness.
            self.trial = None;
        }
        if let Some(skip) = self.skip {
            return self.go_on(skip, packet, position, queue);
        }
        // Where nothing waits it is the sender who is late.
        let waiting = queue.newest().map_or(0, |newest| newest.micros_since(packet.dts));
        let late = position.micros_since(packet.pts).min(waiting);
        if late <= LATE_THRESHOLD {
            self.trial = None;
            return Verdict::Decode;
        }
        let (since, was) = *self.trial.get_or_insert((position, late));
        let passed = position.micros_since(since);
        if passed < TRIAL {
            return Verdict::Decode;
        }
        let gained = was - late;
        if gained >= was / 4 {
            self.trial = Some((position, late));
            return Verdict::Decode;
        }
        // Far behind, a decoder that is much faster than what is played is not slow.
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
        // What is slow would only fall behind again, and never come back to its audio.
        let good = packet.keyframe
            && (late <= KEYFRAME_TOLERANCE || !skip.slow && !queue.has_keyframe_until(position));
        let long = position.micros_since(skip.from) > KEYFRAME_TIMEOUT;
        if good || long {
            (self.skip, self.trial) = (None, None);
            return Verdict::Decode;
        }
        Verdict::Leave
    }

    /// Once, when a decoder that was too slow has kept up for long.
    pub(in crate::player) fn has_recovered(&mut self, position: Timestamp) -> bool {
        let steady = self.trial.is_none() && self.skip.is_none();
        let recovered =
            steady && self.slow_at.is_some_and(|at| position.micros_since(at) > RECOVERED);
        if recovered {
            self.slow_at = None;
        }
        recovered
    }
}
