//! Events, one value per line of `--json` (docs/reference/events.md has all).

pub mod stats;

use std::path::PathBuf;
use std::time::Duration;

/// Recordings here and of the built-in server have the same states.
pub use crate::server::RecordingState;

pub use crate::studio::targets::TargetState;

use crate::media::{Size, Track};
use crate::net::{CertificatePin, Trouble};
use crate::studio::event::stats::{DelayState, Stats};
use crate::studio::notices::health::sentence::Health;
use crate::studio::notices::{Notice, TileId};
use crate::text::Problem;
use crate::{player, server};

/// Something that happened in the studio.
#[derive(Clone, Debug)]
pub enum Event {
    /// The built-in server listens.
    Ready(Ready),
    /// A source changed its state.
    Source(Source),
    /// Another scene is sent, by this name.
    Scene(String),
    /// An encoder was opened.
    Encoder(Encoder),
    /// A target changed its state.
    Target(Target),
    /// The viewers' stream of a target changed.
    Monitor(Box<Monitor>),
    /// A recording changed its state.
    Recording(Recording),
    /// The stream delay does something else now.
    Delay(Delay),
    /// A chapter was set.
    Chapter(Chapter),
    /// The replay buffer was saved, or could not be.
    Replay(Replay),
    /// A frame was saved, or could not be.
    Snapshot(Snapshot),
    /// Once a second while broadcasting or recording.
    Stats(Box<Stats>),
    /// The last figures of the targets, when all of them have ended.
    Totals(Vec<stats::Target>),
    /// A client published, joined or left at the built-in server.
    Server(server::Event),
    /// A player changed its state, or reports something about its stream.
    Player(TileId, player::Event),
    /// A person should know.
    Notice(Notice),
    /// The health sentence changed.
    Health(Box<Health>),
    /// The broadcast has ended: nothing is sent or recorded any more.
    Stopped,
}

/// The addresses of the built-in server.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Ready {
    /// `rtmp://HOST:PORT`.
    pub rtmp: String,
    /// `rtmps://HOST:PORT`, if it speaks TLS.
    pub rtmps: Option<String>,
    /// `rtmpt://HOST:PORT`, if it takes tunnels there too.
    pub rtmpt: Option<String>,
    /// `http://HOST:PORT`, if it serves HTTP.
    pub http: Option<String>,
    /// The play address of the broadcast.
    pub play: Option<String>,
    /// The HLS address.
    pub hls: Option<String>,
    /// Where to watch by WHEP.
    pub whep: Option<String>,
    /// The file with the token that lets programs change something over HTTP.
    pub token_file: Option<String>,
}

/// A source's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Video or audio.
    pub track: Track,
    /// The choice's word: `camera`, `test`, `mic`, `tone`…
    pub kind: &'static str,
    /// It delivers again after having been stalled, lost or refused.
    pub back: bool,
    pub report: crate::media::source_status::SourceReport,
}

/// An opened encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoder {
    pub track: Track,
    pub name: String,
    pub profile: String,
    pub level: String,
    pub bitrate: u32,
    /// Why it was chosen.
    pub why: String,
}

/// A target's state and why.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Target {
    /// Its ID: on the command line counted from 0 in order.
    pub index: usize,
    /// Without the key.
    pub url: String,
    /// The name in messages: `HOST:PORT`, with its name if it has one.
    pub host: String,
    pub state: TargetState,
    /// The stage it has reached, or where it failed.
    pub stage: Option<&'static str>,
    /// The server's own code.
    pub code: Option<String>,
    /// The error and its cure.
    pub cause: Option<Problem>,
    /// The next try.
    pub retry_in: Option<Duration>,
    /// Live again: how long viewers saw nothing new.
    pub gap: Option<Duration>,
    /// The exit code of a failure.
    pub exit: Option<u8>,
    /// The kind of its problem.
    pub trouble: Option<Trouble>,
    /// Of a certificate that its owner may accept.
    pub pin: Option<CertificatePin>,
}

/// The stream delay.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    pub state: DelayState,
    /// The present delay…
    pub delay: Duration,
    /// …and the requested one.
    pub wanted: Duration,
}

/// The viewers' stream of a target, from the viewer monitor.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Monitor {
    /// The target's id.
    pub index: usize,
    /// The target's, without the key.
    pub url: String,
    /// `waiting`, `comparing` (not yet known whether it matches), `ok` (it matched), `unsure`
    /// (nothing varies), `unavailable` (it cannot be played) or the worst problem.
    pub state: &'static str,
    /// `unreachable`, `no_stream`, `stalled`, `different`, `black`, `frozen`, `silent`, `late`,
    /// `wrong_size`.
    pub troubles: Vec<&'static str>,
    /// How far viewers are behind the program, without their player's buffer.
    pub latency_ms: Option<f64>,
    /// How that was measured: by the test pattern's `markers`, or by the `sound`.
    pub latency_by: Option<&'static str>,
    /// By the markers; > 0: audio late.
    pub av_offset_ms: Option<f64>,
    pub size: Option<Size>,
    pub fps: Option<f64>,
    /// The received bits per second; `None` without data, like those above.
    pub bitrate: Option<u32>,
    /// Names of the codecs.
    pub video: Option<String>,
    pub audio: Option<String>,
    pub cause: Option<Problem>,
    /// Its notice, which has the cure.
    pub notice: Option<Problem>,
}

/// A recording's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub path: PathBuf,
    pub state: RecordingState,
    pub duration: Duration,
    pub bytes: u64,
    /// Why it failed, and the cure.
    pub reason: Option<Problem>,
    /// Which file of a split recording, from 1.
    pub part: u32,
    /// Nothing is written until it resumes.
    pub paused: bool,
}

/// A chapter in a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    pub path: PathBuf,
    /// In the file.
    pub at: Duration,
    pub title: String,
}

/// A saved replay.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    pub path: PathBuf,
    pub state: RecordingState,
    pub duration: Duration,
    pub bytes: u64,
    pub reason: Option<Problem>,
}

/// A saved screenshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub path: PathBuf,
    /// Why saving failed.
    pub reason: Option<Problem>,
}
