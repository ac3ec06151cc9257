//! What a decoder lacks: the packets without a frame, and the keyframes of a stream.

use std::time::Duration;

use crate::media::{FrameRate, VideoCodec};
use crate::text::problem::{Problem, problem};

/// The packets since the decoder last returned a frame.
#[derive(Debug, Default)]
pub(super) struct MissingFrames {
    pub packets: u32,
    /// True if decoding has begun at a packet that is not a keyframe for this decoder.
    pub is_anywhere: bool,
    /// True if this is the last attempt, because no keyframe arrived in time.
    pub is_late: bool,
    /// The last error of the decoder.
    pub error: Option<Problem>,
}

impl MissingFrames {
    /// Returns true if the packets last this long. Their times may jump, so their number counts.
    pub fn last(&self, duration: Duration, rate: FrameRate) -> bool {
        f64::from(self.packets) >= duration.as_secs_f64() * rate.as_f64()
    }

    /// Begins the last attempt to decode, at any packet.
    ///
    /// # Errors
    /// Fails with the reason why the video cannot be decoded, if another attempt would be no better.
    pub fn begin_last_attempt(&mut self) -> Result<(), Problem> {
        let before = std::mem::take(self);
        if before.is_anywhere || before.is_late || before.error.is_some() {
            return Err(before.error.unwrap_or_else(|| problem!("decode-no-frame")));
        }
        self.is_late = true;
        Ok(())
    }
}

/// The distances between keyframes, in packets.
#[derive(Debug, Default)]
pub(super) struct KeyframeDistances {
    /// The number of packets since the last keyframe, if there was one.
    since: Option<u32>,
    pub longest: Option<u32>,
}

impl KeyframeDistances {
    pub fn note(&mut self, is_keyframe: bool) {
        self.since = self.since.map(|since| since.saturating_add(1));
        if is_keyframe {
            self.longest = self.longest.max(self.since);
            self.since = Some(0);
        }
    }

    /// Returns true if no keyframe may follow. Only the H.264 decoder detects complete frames, so others begin between
    /// keyframes only in streams that seem to have none. H.264 can also change to a gradual refresh.
    pub fn may_lack_keyframes(&self, codec: VideoCodec) -> bool {
        match codec {
            VideoCodec::H264 => self.longest.is_none_or(|longest| {
                self.since.is_some_and(|since| since > longest.saturating_mul(2))
            }),
            _ => self.since.is_none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn h264_without_keyframes_for_long_may_have_none() {
        let mut distances = KeyframeDistances::default();
        let mut note = |count, is_keyframe| {
            (0..count).for_each(|_| distances.note(is_keyframe));
            [VideoCodec::H264, VideoCodec::Hevc].map(|codec| distances.may_lack_keyframes(codec))
        };
        assert_eq!(note(9, false), [true, true]);
        assert_eq!(note(1, true), [true, false]);
        note(29, false);
        assert_eq!(note(1, true), [false, false]);
        // A gradual refresh follows.
        assert_eq!(note(60, false), [false, false]);
        assert_eq!(note(1, false), [true, false]);
        assert_eq!(note(1, true), [false, false]);
    }
}
