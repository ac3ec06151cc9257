//! What happened, one value for each line that `--json` prints (docs/reference/events.md has all of them).

pub mod stats;

use std::path::PathBuf;
use std::time::Duration;

/// A recording here and one of the built-in server are told of by the same words.
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
    /// What viewers of a target get has changed.
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
    /// Somebody published, joined or left at the built-in server.
    Server(server::Event),
    /// A player does something else now, or says something of its stream.
    Player(TileId, player::Event),
    /// A person should know.
    Notice(Notice),
    /// The health sentence is another one.
    Health(Box<Health>),
    /// The broadcast has ended: nothing is sent or recorded any more.
    Stopped,
}

/// Where the built-in server listens.
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
    /// Where to watch the broadcast.
    pub play: Option<String>,
    /// Where to watch by HLS.
    pub hls: Option<String>,
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

/// An encoder as it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoder {
    pub track: Track,
    pub name: String,
    pub profile: String,
    pub level: String,
    pub bitrate: u32,
    /// Why this one.
    pub why: String,
}

/// A target's state and why.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Target {
    /// Its id: on the command line counted from 0 in the order they were given.
    pub index: usize,
    /// Without the key.
    pub url: String,
    /// What messages call it: `HOST:PORT`, with its name where it has one.
    pub host: String,
    pub state: TargetState,
    /// Where on the way it is or failed.
    pub stage: Option<&'static str>,
    /// The server's own code.
    pub code: Option<String>,
    /// What went wrong, and what helps.
    pub cause: Option<Problem>,
    /// The next try.
    pub retry_in: Option<Duration>,
    /// Live again: for how long viewers saw nothing new.
    pub gap: Option<Duration>,
    /// The exit code of a failure.
    pub exit: Option<u8>,
    /// What kind of trouble it is in.
    pub trouble: Option<Trouble>,
    /// Of a certificate that its owner may accept.
    pub pin: Option<CertificatePin>,
}

/// The stream delay.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    pub state: DelayState,
    /// As it is…
    pub delay: Duration,
    /// …and as it was asked for.
    pub wanted: Duration,
}

/// What viewers of a target get, as the confidence monitor sees it.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Monitor {
    /// The target's id.
    pub index: usize,
    /// The target's, without the key.
    pub url: String,
    /// `waiting`, `comparing` (not known yet whether it is what is sent), `ok` (it matched),
    /// `unsure` (nothing in it varies), `unavailable` (nothing can be seen there) or the worst of
    /// the troubles.
    pub state: &'static str,
    /// `unreachable`, `no_stream`, `stalled`, `different`, `black`, `frozen`, `silent`, `late`,
    /// `wrong_size`.
    pub troubles: Vec<&'static str>,
    /// How far viewers are behind: from the program to the arrival there, without their player.
    pub latency_ms: Option<f64>,
    /// How that is known: by the test source's `markers`, or by the `sound`.
    pub latency_by: Option<&'static str>,
    /// By the markers; > 0: audio late.
    pub av_offset_ms: Option<f64>,
    pub size: Option<Size>,
    pub fps: Option<f64>,
    /// What arrives, bits a second; `None` while nothing does, as with those above.
    pub bitrate: Option<u32>,
    /// Names of the codecs.
    pub video: Option<String>,
    pub audio: Option<String>,
    pub cause: Option<Problem>,
    /// The notice that tells of it, which has what helps.
    pub notice: Option<Problem>,
}

/// A recording's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    pub path: PathBuf,
    pub state: RecordingState,
    pub duration: Duration,
    pub bytes: u64,
    /// Why it failed, and what helps.
    pub reason: Option<Problem>,
    /// Which file of a split recording, from 1.
    pub part: u32,
    /// Nothing is written until it is resumed.
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

/// The replay buffer as it was saved.
#[derive(Clone, Debug, PartialEq)]
pub struct Replay {
    pub path: PathBuf,
    pub state: RecordingState,
    pub duration: Duration,
    pub bytes: u64,
    pub reason: Option<Problem>,
}

/// A frame as it was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    pub path: PathBuf,
    /// Why it was not.
    pub reason: Option<Problem>,
}
