//! What is unusual about a stream.

/// What is unusual about a stream, for the operator.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remark {
    /// H.264 frames arrived without parameter sets. The video waits for them.
    NoVideoConfig,
    /// The parameter sets of H.264 were taken from a frame.
    VideoConfigInBand,
    /// H.264 in Annex B was converted.
    AnnexB,
    /// AAC arrived without a config. The audio waits for it.
    NoAudioConfig,
    /// The config of AAC was derived from its frames.
    AudioConfigDerived,
    /// The times of a track did not fit, and were moved.
    TimesMoved,
}

impl Remark {
    /// Returns the cause as one word.
    pub const fn cause(self) -> &'static str {
        match self {
            Self::NoVideoConfig => "no-video-config",
            Self::VideoConfigInBand => "video-config-in-band",
            Self::AnnexB => "annex-b",
            Self::NoAudioConfig => "no-audio-config",
            Self::AudioConfigDerived => "audio-config-derived",
            Self::TimesMoved => "times-moved",
        }
    }
}

/// Number of bodies without a config after which this is remarkable.
pub(super) const MIN_BARE_BODIES: u32 = 50;
