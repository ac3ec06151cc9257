//! Anomalies of a stream that still plays: each reported once per player, except recurring ones.

use crate::text::Problem;
use crate::text::problem::problem;

/// An anomaly of a stream's timestamps.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum TimestampAnomaly {
    /// The timestamps jumped.
    Jumped,
    /// The timestamps made a small step back.
    Backwards,
    /// The tracks have different time origins.
    Differ,
    /// The timestamps wrapped at 32 bits.
    Wrapped,
    /// The first timestamp is high: it has this value in hours.
    High(u64),
}

/// See the module documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Anomaly {
    /// No data arrived in time.
    Stalled,
    /// Playback jumped ahead to keep the latency.
    JumpedAhead,
    /// The timestamps have this anomaly.
    Times(TimestampAnomaly),
    /// The stream has no metadata.
    NoMetadata,
    /// The broadcaster left and returned on the same connection.
    PublisherBack,
    /// The connection was lost for this many seconds.
    Regained(u64),
    ChangedCodec(String),
    ChangedSize(String),
    /// The same codec at another rate, or with more or fewer channels.
    ChangedAudio(String),
    NoAudio,
    NoVideo,
    /// Audio began this many seconds after the video.
    LateAudio(u64),
    /// The separate audio does not arrive, with the reason.
    AudioMissing(Problem),
    /// Frames arrive without a codec config.
    NoHeaders,
    /// Frames arrive without a keyframe.
    NoKeyframe,
    /// Frames are dropped, because decoding is too slow.
    TooSlow,
    /// A seek is impossible, with the reason.
    Unmoved(Problem),
    /// Seeking in a file is impossible, because its server does not support ranges.
    Fixed,
}

impl Anomaly {
    /// Returns the key of the anomaly's message.
    pub(crate) fn key(&self) -> &'static str {
        self.problem().id()
    }

    /// Returns the problem with its cure.
    pub(crate) fn problem(&self) -> Problem {
        match self {
            Self::Stalled => problem!("player-stalled"),
            Self::JumpedAhead => problem!("player-jumped-ahead"),
            Self::Times(TimestampAnomaly::Jumped) => problem!("player-times-jumped"),
            Self::Times(TimestampAnomaly::Backwards) => problem!("player-times-backwards"),
            Self::Times(TimestampAnomaly::Differ) => problem!("player-times-differ"),
            Self::Times(TimestampAnomaly::Wrapped) => problem!("player-times-wrapped"),
            Self::Times(TimestampAnomaly::High(hours)) => {
                problem!("player-times-high", detail = *hours)
            }
            Self::NoMetadata => problem!("player-no-metadata"),
            Self::PublisherBack => problem!("player-publisher-back"),
            Self::Regained(detail) => problem!("player-regained", detail = *detail),
            Self::ChangedCodec(detail) => problem!("player-changed-codec", detail = detail),
            Self::ChangedSize(detail) => problem!("player-changed-size", detail = detail),
            Self::ChangedAudio(detail) => problem!("player-changed-audio", detail = detail),
            Self::NoAudio => problem!("player-no-audio"),
            Self::NoVideo => problem!("player-no-video"),
            Self::LateAudio(detail) => problem!("player-late-audio", detail = *detail),
            Self::AudioMissing(detail) => problem!("player-audio-missing", detail = detail),
            Self::NoHeaders => problem!("player-no-headers"),
            Self::NoKeyframe => problem!("player-no-keyframe"),
            Self::TooSlow => problem!("player-too-slow"),
            Self::Unmoved(detail) => problem!("player-unmoved", detail = detail),
            Self::Fixed => problem!("player-fixed"),
        }
    }

    /// Returns true if every occurrence is reported, until the player has reported its maximum
    /// number of messages. Two changes of the video's size are different events.
    pub(crate) fn is_each_time(&self) -> bool {
        matches!(self, Self::ChangedSize(_))
    }

    /// Returns the subject for reporting once: each codec or audio format is reported separately.
    pub(crate) fn of(&self) -> String {
        match self {
            Self::ChangedCodec(what) | Self::ChangedAudio(what) => what.clone(),
            _ => String::new(),
        }
    }

    /// Returns true if the anomaly can recur, and is then reported each time instead of once.
    pub(crate) fn returns(&self) -> bool {
        matches!(self, Self::PublisherBack | Self::Regained(_) | Self::Unmoved(_))
    }

    /// Returns true if something that the user requested is missing. The anomaly then becomes a
    /// notice, not only a line in the event log.
    pub(crate) fn hurts(&self) -> bool {
        matches!(
            self,
            Self::AudioMissing(_)
                | Self::NoHeaders
                | Self::NoKeyframe
                | Self::TooSlow
                | Self::Unmoved(_)
        )
    }

    pub(crate) fn detail(&self) -> String {
        match self {
            Self::Regained(time)
            | Self::LateAudio(time)
            | Self::Times(TimestampAnomaly::High(time)) => time.to_string(),
            Self::ChangedCodec(what) | Self::ChangedSize(what) | Self::ChangedAudio(what) => {
                what.clone()
            }
            Self::AudioMissing(why) | Self::Unmoved(why) => why.to_string(),
            _ => String::new(),
        }
    }
}
