//! Floor 3: sound from devices, files and the test source, each behind an
//! [`AudioFeed`](crate::media::AudioFeed), and the way to the speakers.

mod align;
mod backend;
pub mod choice;
mod device;
mod mic;
pub mod output;
mod pace;
mod tone;

use std::sync::Arc;

pub use choice::AudioChoice;

use self::device::Direction;
use crate::base::{Clock, Timestamp};
use crate::media::markers::Schedule;
use crate::media::source::{Format, Status};
use crate::media::{AudioFeed, FrameGrid};

/// What a source needs to know of the program.
#[derive(Copy, Clone, Debug)]
pub struct Context {
    /// The session clock.
    pub clock: Clock,
    /// The instants of program pictures; samples are counted from its origin.
    pub grid: FrameGrid,
    /// Samples a second.
    pub rate: u32,
    /// Channels, interleaved.
    pub channels: u16,
}

/// An open (or opening) sound source. Dropping the feed closes it.
pub struct Source {
    /// For the mixer.
    pub feed: Box<dyn AudioFeed>,
    /// How it fares, readable at any time, also after the feed has been handed over.
    pub status: Arc<Status>,
}

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("status", &self.status).finish_non_exhaustive()
    }
}

/// Why a source or output cannot even be begun with. A microphone that is absent or busy is no
/// error: its status says so, and it is taken when it comes.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// `none` was chosen.
    #[error("no sound source was chosen")]
    NoSound,
    /// The file cannot be played.
    #[error("opening {path}: {reason}")]
    File { path: std::path::PathBuf, reason: String },
    /// The speakers cannot be opened.
    #[error("opening the speakers: {0}")]
    Output(String),
    /// The system gave no thread.
    #[error("starting a source: {0}")]
    Thread(#[from] std::io::Error),
}

/// A microphone or a pair of speakers of this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceInfo {
    /// Stable over replugging and restarts.
    pub id: String,
    /// For people.
    pub name: String,
    /// The system's default.
    pub default: bool,
}

/// The microphones there are now.
pub fn microphones() -> Vec<DeviceInfo> {
    list(Direction::Input)
}

/// The speakers and headphones there are now.
pub fn speakers() -> Vec<DeviceInfo> {
    list(Direction::Output)
}

fn list(direction: Direction) -> Vec<DeviceInfo> {
    backend::system().devices(direction).unwrap_or_else(|fault| {
        tracing::warn!(%fault, detail = fault.detail(), "listing sound devices");
        Vec::new()
    })
}

/// Opens a source.
///
/// # Errors
/// A file that cannot be played, or nothing to open.
pub fn open(choice: &AudioChoice, context: &Context) -> Result<Source, Error> {
    let Context { clock, grid, rate, channels } = *context;
    let own = |name: &str, feed: Box<dyn AudioFeed>| {
        let status = Status::new("", name);
        status.open(Format::Audio { rate, channels });
        Ok(Source { feed, status })
    };
    match choice {
        AudioChoice::Tone => {
            let schedule = Schedule::new(grid, clock.wall_micros(Timestamp::ZERO));
            own("Test tone", Box::new(tone::Tone { schedule, rate, channels }))
        }
        AudioChoice::Silence => own("Silence", Box::new(tone::Silence)),
        AudioChoice::File(path) => {
            Err(Error::File { path: path.clone(), reason: "files are not played yet".to_owned() })
        }
        AudioChoice::Mic(id) => mic::open(backend::system(), id.clone(), context),
        AudioChoice::None => Err(Error::NoSound),
    }
}
