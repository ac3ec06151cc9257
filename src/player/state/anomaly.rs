//! What is said of a stream that is not as it should be, and is played on: each once a player, but for
//! what comes back.

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
    /// Picture and sound count from different zeros.
    TimesDiffer,
    /// They came to the end of what they can count to, and began anew.
    TimesWrapped,
    /// The first ones are so many hours after zero.
    TimesHigh(u64),
    /// Nothing tells of the stream beside its pictures and sound.
    NoMetadata,
    /// The broadcaster left and is back, on the same connection.
    PublisherBack,
    /// The connection was lost for so many seconds.
    Regained(u64),
    ChangedCodec(String),
    ChangedSize(String),
    /// The same codec at another rate, or with more or fewer channels.
    ChangedAudio(String),
    NoAudio,
    NoVideo,
    /// Sound began so many seconds after the picture.
    LateAudio(u64),
    /// Sound that comes by a list of its own does not come, and why.
    Unheard(String),
    /// Pictures come, and nothing that tells how to decode them.
    NoHeaders,
    /// Pictures come, and none that the others could begin with.
    NoKeyframe,
    /// Pictures are left out, because decoding takes too long.
    TooSlow,
    /// A place that was gone to cannot be had, and why.
    Unmoved(String),
    /// One cannot go about in a file, because its server gives no parts of it.
    Fixed,
}

impl Anomaly {
    /// Which message it is.
    pub(in crate::player) fn key(&self) -> &'static str {
        match self {
            Self::Stalled => "player-stalled",
            Self::JumpedAhead => "player-jumped-ahead",
            Self::TimesJumped => "player-times-jumped",
            Self::TimesBackwards => "player-times-backwards",
            Self::TimesDiffer => "player-times-differ",
            Self::TimesWrapped => "player-times-wrapped",
            Self::TimesHigh(_) => "player-times-high",
            Self::NoMetadata => "player-no-metadata",
            Self::PublisherBack => "player-publisher-back",
            Self::Regained(_) => "player-regained",
            Self::ChangedCodec(_) => "player-changed-codec",
            Self::ChangedSize(_) => "player-changed-size",
            Self::ChangedAudio(_) => "player-changed-sound",
            Self::NoAudio => "player-no-sound",
            Self::NoVideo => "player-no-picture",
            Self::LateAudio(_) => "player-late-sound",
            Self::Unheard(_) => "player-sound-missing",
            Self::NoHeaders => "player-no-headers",
            Self::NoKeyframe => "player-no-keyframe",
            Self::TooSlow => "player-too-slow",
            Self::Unmoved(_) => "player-unmoved",
            Self::Fixed => "player-fixed",
        }
    }

    /// Said of each time it happens, as long as there is room: which size it is says nothing of whether it
    /// was told.
    pub(in crate::player) fn is_each_time(&self) -> bool {
        matches!(self, Self::ChangedSize(_))
    }

    /// What it is once of: another codec, or another form of the sound, is said of each.
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

    pub(in crate::player) fn summary(&self) -> String {
        match self {
            Self::Stalled => "Nothing more came in time: the playing stood still.".into(),
            Self::JumpedAhead => "The playing jumped ahead, to keep its delay.".into(),
            Self::TimesJumped => "The stream's times jumped; it is played on.".into(),
            Self::TimesBackwards => {
                "The stream's times run backwards now and then; it is played on.".into()
            }
            Self::TimesDiffer => {
                "Picture and sound count their times from different beginnings; they are played as they come."
                    .into()
            }
            Self::TimesWrapped => {
                "The stream's times came to the end of what they can count to, and began anew; it is played on."
                    .into()
            }
            Self::TimesHigh(hours) => {
                format!("The stream's times begin {hours} h after zero; it is played from there.")
            }
            Self::NoMetadata => {
                "The stream tells nothing of itself (onMetaData is missing); it is played as it comes.".into()
            }
            Self::PublisherBack => "The broadcast ended, and has begun again.".into(),
            Self::Regained(seconds) => format!("The stream is back after {seconds} s."),
            Self::ChangedCodec(codec) => format!("The stream goes on with another codec: {codec}."),
            Self::ChangedSize(size) => format!("The stream goes on with another size: {size}."),
            Self::ChangedAudio(sound) => format!("The stream goes on with other sound: {sound}."),
            Self::NoAudio => "The stream has no sound.".into(),
            Self::NoVideo => "The stream has no picture.".into(),
            Self::LateAudio(seconds) => format!("The sound began {seconds} s after the picture."),
            Self::Unheard(why) => {
                format!("The sound does not come: {why}. The picture goes on without it.")
            }
            Self::NoHeaders => {
                "The pictures cannot be shown: what tells how to decode them (SPS and PPS) is missing.".into()
            }
            Self::NoKeyframe => {
                "The pictures cannot be shown: none comes that the others could begin with.".into()
            }
            Self::TooSlow => {
                "This machine does not decode the pictures in time: some are left out.".into()
            }
            Self::Unmoved(why) => format!("That place cannot be gone to: {why}. It is played on."),
            Self::Fixed => {
                "One cannot go about in this file: its server gives it from its beginning alone.".into()
            }
        }
    }

    pub(in crate::player) fn advice(&self) -> &'static str {
        match self {
            Self::Stalled => "Check the network connection; a larger buffer evens out more.",
            Self::Unheard(_) => "It is heard again as soon as it comes.",
            Self::NoHeaders => {
                "The broadcaster must begin the broadcast again, or send the headers again."
            }
            Self::NoKeyframe => "The broadcaster must send keyframes: every two seconds is usual.",
            Self::TooSlow => "Watch it smaller, close other programs, or try the system's decoder.",
            Self::Unmoved(_) => "Try again, or check the server.",
            Self::Fixed => "A server that gives parts of files (Range) is needed for that.",
            _ => "",
        }
    }

    pub(in crate::player) fn detail(&self) -> String {
        match self {
            Self::Regained(time) | Self::LateAudio(time) | Self::TimesHigh(time) => {
                time.to_string()
            }
            Self::ChangedCodec(what)
            | Self::ChangedSize(what)
            | Self::ChangedAudio(what)
            | Self::Unheard(what)
            | Self::Unmoved(what) => what.clone(),
            _ => String::new(),
        }
    }
}
