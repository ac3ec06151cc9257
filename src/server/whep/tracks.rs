//! What is known of a stream's tracks, and why a stream cannot go to browsers this way.

/// The tracks.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::server) struct Tracks {
    /// Profile, constraints and level of the pictures, as SDP has them (RFC 6184 §8.1).
    pub h264_profile: Option<u32>,
    pub audio: bool,
    pub refused: Option<Unplayable>,
}

impl Tracks {
    /// Whether it is known what there is.
    pub fn is_known(&self) -> bool {
        self.h264_profile.is_some() || self.refused.is_some()
    }
}

/// Why it cannot.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(in crate::server) enum Unplayable {
    /// Pictures of this codec.
    Codec(&'static str),
    /// Pictures are not decoded in the order in which they are shown; RTP has one time for each.
    BFrames,
}

impl Unplayable {
    /// For whoever asked.
    pub fn text(self) -> String {
        match self {
            Self::Codec(codec) => format!(
                "The video codec of this stream is {codec}. WHEP takes H.264; watch by HLS or FLV.\n"
            ),
            Self::BFrames => "This stream has B-frames, which browsers do not play over WebRTC. \
                Switch B-frames off in the encoder, or watch by HLS or FLV.\n"
                .to_owned(),
        }
    }

    /// Why a session ends, in a log.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Codec(_) => "the stream has another codec now",
            Self::BFrames => "the stream has B-frames",
        }
    }
}
