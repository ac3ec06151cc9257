//! What is said of a stream that is not as it should be, and is played on: each once a player, but for
//! what comes back.

use crate::text::Problem;
use crate::text::problem::problem;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::player) enum Anomaly {
    /// Nothing more came in time.
    Stalled,
    /// The delay is kept by leaving something out.
    JumpedAhead,
    /// The times made a leap, ahead or back.
    TimesJumped,
    /// They step back a little now and then.
    TimesBackwards,
    /// Video and audio count from different zeros.
    TimesDiffer,
    /// They came to the end of what they can count to, and began again.
    TimesWrapped,
    /// The first ones are this many hours after zero.
    TimesHigh(u64),
    /// Nothing tells of the stream beside its video and audio.
    NoMetadata,
    /// The broadcaster left and is back, on the same connection.
    PublisherBack,
    /// The connection was lost for this many seconds.
    Regained(u64),
    ChangedCodec(String),
    ChangedSize(String),
    /// The same codec at another rate, or with more or fewer channels.
    ChangedAudio(String),
    NoAudio,
    NoVideo,
    /// Audio began this many seconds after the frame.
    LateAudio(u64),
    /// Audio that comes by a separate list does not come, and why.
    Unheard(Problem),
    /// Frames come, and nothing that tells how to decode them.
    NoHeaders,
    /// Frames come, and none that the others could begin with.
    NoKeyframe,
    /// Frames are left out, because decoding takes too long.
    TooSlow,
    /// A place that was gone to cannot be had, and why.
    Unmoved(Problem),
    /// One cannot go about in a file, because its server gives no parts of it.
    Fixed,
}

impl Anomaly {
    /// Which message it is.
    pub(in crate::player) fn key(&self) -> &'static str {
        self.problem().id()
    }

    /// What happened, and what helps.
    pub(in crate::player) fn problem(&self) -> Problem {
        match self {
            Self::Stalled => problem!("player-stalled"),
            Self::JumpedAhead => problem!("player-jumped-ahead"),
            Self::TimesJumped => problem!("player-times-jumped"),
            Self::TimesBackwards => problem!("player-times-backwards"),
            Self::TimesDiffer => problem!("player-times-differ"),
            Self::TimesWrapped => problem!("player-times-wrapped"),
            Self::TimesHigh(detail) => problem!("player-times-high", detail = *detail),
            Self::NoMetadata => problem!("player-no-metadata"),
            Self::PublisherBack => problem!("player-publisher-back"),
            Self::Regained(detail) => problem!("player-regained", detail = *detail),
            Self::ChangedCodec(detail) => problem!("player-changed-codec", detail = detail),
            Self::ChangedSize(detail) => problem!("player-changed-size", detail = detail),
            Self::ChangedAudio(detail) => problem!("player-changed-audio", detail = detail),
            Self::NoAudio => problem!("player-no-audio"),
            Self::NoVideo => problem!("player-no-video"),
            Self::LateAudio(detail) => problem!("player-late-audio", detail = *detail),
            Self::Unheard(detail) => problem!("player-audio-missing", detail = detail),
            Self::NoHeaders => problem!("player-no-headers"),
            Self::NoKeyframe => problem!("player-no-keyframe"),
            Self::TooSlow => problem!("player-too-slow"),
            Self::Unmoved(detail) => problem!("player-unmoved", detail = detail),
            Self::Fixed => problem!("player-fixed"),
        }
    }

    /// Said of each time it happens, as long as there is room: which size it is says nothing of whether it
    /// was told.
    pub(in crate::player) fn is_each_time(&self) -> bool {
        matches!(self, Self::ChangedSize(_))
    }

    /// What it is once of: another codec, or another form of the audio, is said of each.
    pub(in crate::player) fn of(&self) -> String {
        match self {
            Self::ChangedCodec(what) | Self::ChangedAudio(what) => what.clone(),
            _ => String::new(),
        }
    }

    /// Said each time, and not once.
    pub(in crate::player) fn returns(&self) -> bool {
        matches!(self, Self::PublisherBack | Self::Regained(_) | Self::Unmoved(_))
    }

    /// Something is missing that was asked for: worth a card, and not only a line in what happened.
    pub(in crate::player) fn hurts(&self) -> bool {
        matches!(
            self,
            Self::Unheard(_)
                | Self::NoHeaders
                | Self::NoKeyframe
                | Self::TooSlow
                | Self::Unmoved(_)
        )
    }

    pub(in crate::player) fn detail(&self) -> String {
        match self {
            Self::Regained(time) | Self::LateAudio(time) | Self::TimesHigh(time) => {
                time.to_string()
            }
            Self::ChangedCodec(what) | Self::ChangedSize(what) | Self::ChangedAudio(what) => {
                what.clone()
            }
            Self::Unheard(why) | Self::Unmoved(why) => why.to_string(),
            _ => String::new(),
        }
    }
}
