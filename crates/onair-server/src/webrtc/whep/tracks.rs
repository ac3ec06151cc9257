//! The known tracks of a stream, and the reasons why browsers cannot play a stream.

use crate::text::problem::{Problem, problem};

/// The tracks that a stream is known to have.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tracks {
    pub video: Option<VideoFormat>,
    pub audio: bool,
    pub refused: Option<Unplayable>,
}

impl Tracks {
    /// Returns true if the tracks are known.
    pub fn is_known(&self) -> bool {
        self.video.is_some() || self.refused.is_some()
    }
}

/// Video that goes to browsers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum VideoFormat {
    /// H.264 with its profile, constraints and level in the form of SDP (RFC 6184 §8.1).
    H264(u32),
    Av1,
}

/// The reason why a stream is not playable in browsers.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum Unplayable {
    /// Video of this codec, which the player or WHEP does not support.
    Codec(&'static str),
    /// Frames are not decoded in display order, but RTP has only one time per frame.
    BFrames,
}

impl Unplayable {
    /// Returns the text for the client.
    pub fn text(self) -> String {
        match self {
            Self::Codec(codec) => format!(
                "The video codec of this stream is {codec}. WHEP takes H.264, and AV1 if the player offers it; watch \
                by HLS or FLV.\n"
            ),
            Self::BFrames => "This stream has B-frames, which browsers do not play over WebRTC. \
                Switch B-frames off in the encoder, or watch by HLS or FLV.\n"
                .to_owned(),
        }
    }

    /// Returns the reason for the end of a session.
    pub fn problem(self) -> Problem {
        match self {
            Self::Codec(_) => problem!("left-other-codec"),
            Self::BFrames => problem!("left-b-frames"),
        }
    }
}
