//! What a decoder lacks: the packets without a frame, and the keyframes of a stream.

use std::time::Duration;

use crate::media::{FrameRate, VideoCodec};
use crate::text::problem::Problem;

/// The packets since the decoder last returned a frame.
#[derive(Debug, Default)]
pub(super) struct MissingFrames {
    pub packets: u32,
    /// True if decoding has begun at a packet that is not a keyframe for this decoder.
    pub is_anywhere: bool,
    /// The last error of the decoder.
    pub error: Option<Problem>,
}

impl MissingFrames {
    /// Returns true if the packets last this long. Their times may jump, so their number counts.
    pub fn last(&self, duration: Duration, rate: FrameRate) -> bool {
        f64::from(self.packets) >= duration.as_secs_f64() * rate.as_f64()
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
    /// keyframes only in streams that seem to have none.
    pub fn may_lack_keyframes(&self, codec: VideoCodec) -> bool {
        match codec {
            VideoCodec::H264 => self.longest.is_none(),
            _ => self.since.is_none(),
        }
    }
}
