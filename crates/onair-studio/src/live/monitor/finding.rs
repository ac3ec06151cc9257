//! Faults that the viewer monitor finds in the viewers' stream.

use crate::base::{Timestamp, named};
use crate::media::Size;
use crate::text::Problem;
use crate::text::problem::problem;

named! {
    /// The possible faults, the most severe first.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
    pub enum Trouble {
        Unreachable = "unreachable",
        NoStream = "no_stream",
        Stalled = "stalled",
        Different = "different",
        Black = "black",
        Frozen = "frozen",
        Silent = "silent",
        Late = "late",
        WrongSize = "wrong_size",
    }
    /// Returns the name of the fault in events.
    fn name;
}

/// One fault, and its known cause.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub trouble: Trouble,
    /// The symptom, if a fault has several.
    pub sign: Symptom,
    pub cause: Cause,
    /// The time since which the fault has lasted, if its text mentions that.
    pub since: Option<Timestamp>,
    /// The same time in microseconds since the Unix epoch.
    pub since_micros: Option<i64>,
}

/// The cause of a fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The stream has ended at the server.
    Ended,
    Nothing,
    /// The stream arrives at this percentage of playback speed.
    Slow(String),
    /// The stream matches nothing that was sent in this many seconds.
    Different(u64),
    /// Viewers are this many seconds behind.
    Late(String),
    Black,
    /// Audio arrives without video.
    NoVideo,
    Frozen,
    Silent,
    /// Video arrives without audio.
    NoAudio,
    /// No audio arrives, and no video was sent.
    NoAudioAtAll,
    Size {
        got: Size,
        fps: String,
        wanted: Size,
        wanted_fps: String,
    },
    /// The player's message.
    Player(Problem),
}

impl Cause {
    /// Returns the text of the cause, with the time of day at which the fault began.
    pub fn problem(&self, time: &str) -> Problem {
        match self {
            Self::Ended => problem!("monitor-cause-ended"),
            Self::Nothing => problem!("monitor-cause-nothing", time = time),
            Self::Slow(percent) => problem!("monitor-cause-slow", percent = percent),
            Self::Different(seconds) => problem!("monitor-cause-different", seconds = *seconds),
            Self::Late(seconds) => problem!("monitor-cause-late", seconds = seconds),
            Self::Black => problem!("monitor-cause-black", time = time),
            Self::NoVideo => problem!("monitor-cause-no-video", time = time),
            Self::Frozen => problem!("monitor-cause-frozen", time = time),
            Self::Silent => problem!("monitor-cause-silent", time = time),
            Self::NoAudio => problem!("monitor-cause-no-audio", time = time),
            Self::NoAudioAtAll => problem!("monitor-cause-no-audio-at-all", time = time),
            Self::Size { got, fps, wanted, wanted_fps } => problem!(
                "monitor-cause-size",
                size = got.to_string(),
                fps = fps,
                wanted = wanted.to_string(),
                wanted_fps = wanted_fps,
            ),
            Self::Player(problem) => problem.clone(),
        }
    }
}

/// The symptom with which a fault appears.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Symptom {
    /// No data arrives.
    Nothing,
    /// Data arrives too slowly.
    Slow,
    /// The content is wrong.
    Content,
}

pub fn finding(trouble: Trouble, cause: Cause) -> Finding {
    Finding { trouble, sign: Symptom::Content, cause, since: None, since_micros: None }
}

impl Finding {
    pub(super) fn since(self, since: Timestamp) -> Self {
        Self { since: Some(since), ..self }
    }

    pub(super) fn of(self, sign: Symptom) -> Self {
        Self { sign, ..self }
    }
}
