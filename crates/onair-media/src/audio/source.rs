//! The interface of an audio source for its owner.

use std::sync::Arc;

use crate::base::{Clock, partial_debug};
use crate::media::playback_control::EndBehavior;
use crate::media::source_status::SourceStatus;
use crate::media::{AudioFeed, FrameGrid, Transport};
use crate::text::problem::{Problem, problem};

/// The context of a source: the program's clock and format.
#[derive(Copy, Clone, Debug)]
pub struct Context {
    /// The session clock.
    pub clock: Clock,
    /// The frame grid of the program. Samples are counted from its origin.
    pub grid: FrameGrid,
    /// Samples per second.
    pub rate: u32,
    /// Number of interleaved channels.
    pub channels: u16,
    /// The initial end behavior of a file.
    pub at_end: EndBehavior,
}

/// An open (or opening) audio source. Dropping the feed closes the source.
pub struct Source {
    /// The feed for the mixer.
    pub feed: Box<dyn AudioFeed>,
    /// The state of the source, which is readable at any time, even after the feed was moved.
    pub status: Arc<SourceStatus>,
    /// The control that sets the end behavior of a file and restarts the file.
    pub transport: Transport,
}

partial_debug!(Source { status });

/// The reason why a source or output cannot be created. A missing or busy microphone is not an
/// error: its status reports the problem, and the source opens the microphone as soon as possible.
#[derive(Debug, thiserror::Error)]
#[error("{}", Problem::from(self))]
pub enum Error {
    /// The choice is `none`.
    NoAudio,
    /// The file cannot be played.
    File { path: std::path::PathBuf, reason: Problem },
    /// The speakers cannot be opened.
    Output(Problem),
    /// The system could not start a thread.
    Thread(#[from] std::io::Error),
}

impl From<&Error> for Problem {
    fn from(error: &Error) -> Self {
        match error {
            Error::NoAudio => problem!("source-no-audio"),
            Error::File { path, reason } => {
                problem!("source-file", path = path.display().to_string(), reason = reason)
            }
            Error::Output(reason) => problem!("source-no-speakers", reason = reason),
            Error::Thread(error) => problem!("source-no-thread", reason = error.to_string()),
        }
    }
}

/// An application that is connected to the audio server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApplicationInfo {
    /// The display name. Applications with the same name count as one.
    pub name: String,
    /// The name of the application's program, which may be empty.
    pub program: String,
    /// True if the application has a stream to the speakers.
    pub playing: bool,
}

impl ApplicationInfo {
    /// Returns each application once, with the playing ones first.
    pub(in crate::audio) fn listed(all: impl Iterator<Item = Self>) -> Vec<Self> {
        let mut found: Vec<Self> = Vec::new();
        for info in all {
            match found.iter_mut().find(|known| known.name == info.name) {
                Some(known) => known.playing |= info.playing,
                None => found.push(info),
            }
        }
        found.sort_by_key(|info| (!info.playing, info.name.to_lowercase()));
        found
    }
}

/// A microphone or a speaker device of this computer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// An id that is stable across replugging and restarts.
    pub id: String,
    /// The display name.
    pub name: String,
    /// True for the system's default device.
    pub default: bool,
}

#[cfg(test)]
mod tests {
    use super::ApplicationInfo;

    #[test]
    fn an_application_with_two_streams_is_listed_once_and_playing_ones_come_first() {
        let of = |name: &str, playing| ApplicationInfo {
            name: name.to_owned(),
            program: name.to_lowercase(),
            playing,
        };
        let all = [of("Browser", false), of("music", false), of("Browser", true), of("Game", true)];
        let listed = ApplicationInfo::listed(all.into_iter());
        let names: Vec<_> = listed.into_iter().map(|it| (it.name, it.playing)).collect();
        let expected = [("Browser", true), ("Game", true), ("music", false)];
        assert_eq!(names, expected.map(|(name, playing)| (name.to_owned(), playing)));
    }
}
