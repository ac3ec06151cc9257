//! Events of the studio. Each event is one line of `--json`; docs/reference/events.md lists all
//! events.

mod program;
pub mod service_chat;
pub mod stats;

pub use program::ProgramName;

use std::path::PathBuf;
use std::time::Duration;

/// Recordings of the program and of the built-in server have the same states.
pub use crate::server::RecordingState;

pub use crate::studio::targets::TargetState;

use crate::encode::{AudioEncoder, VideoEncoder};
use crate::media::{Size, Track};
use crate::net::{CertificatePin, Trouble};
use crate::studio::event::service_chat::ServiceChatNews;
use crate::studio::event::stats::{DelayState, Stats};
use crate::studio::notices::health::Health;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::{Notice, TileId};
use crate::text::Problem;
use crate::{player, server};

/// An event in the studio.
#[derive(Clone, Debug)]
pub enum Event {
    /// The built-in server is listening.
    Ready(Ready),
    /// A source changed its state.
    Source(Source),
    /// Another scene is on air; the value is the scene's name.
    Scene(String),
    /// An encoder was opened.
    Encoder(Encoder),
    /// A target changed its state.
    Target(Target),
    /// The result of the viewer monitor for a target changed.
    Monitor(Box<Monitor>),
    /// The state of a recording changed.
    Recording(Recording),
    /// The state of the stream delay changed.
    Delay(Delay),
    /// A chapter was set.
    Chapter(Chapter),
    /// The replay buffer was saved, or saving failed.
    Replay(Replay),
    /// A screenshot was saved, or saving failed.
    Screenshot(Screenshot),
    /// Figures, once per second while broadcasting or recording.
    Stats(Box<Stats>),
    /// The last figures, when the encoders and all targets have ended.
    Totals(stats::Totals),
    /// A guest has changed its state.
    Guest(Guest),
    /// A client of the built-in server started publishing, joined or left.
    Server(server::Event),
    /// A player changed its state, or reported something about its stream.
    Player(TileId, player::Event),
    /// A message in the chat of a streaming service, or the state of such a chat.
    ServiceChat(Box<ServiceChatNews>),
    /// A message for the user.
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
    /// `rtmps://HOST:PORT`, if the server supports TLS.
    pub rtmps: Option<String>,
    /// `rtmpt://HOST:PORT`, if the server also accepts tunnels.
    pub rtmpt: Option<String>,
    /// `http://HOST:PORT`, if the server serves HTTP.
    pub http: Option<String>,
    /// `https://HOST:PORT`, if the server serves HTTPS.
    pub https: Option<String>,
    /// The SHA-256 of the certificate of HTTPS, if onair has made the certificate.
    pub https_fingerprint: Option<String>,
    /// `HOST:PORT` for WebRTC over UDP and TCP, if the server supports WebRTC.
    pub webrtc: Option<String>,
    /// `srt://HOST:PORT`, if the server serves SRT.
    pub srt: Option<String>,
    /// The playback address of the broadcast.
    pub play: Option<String>,
    /// The HLS address.
    pub hls: Option<String>,
    /// The DASH address.
    pub dash: Option<String>,
    /// The address of HLS with MPEG-TS, for old devices.
    pub hls_ts: Option<String>,
    /// The HTTP-FLV address.
    pub flv: Option<String>,
    /// The WHEP address.
    pub whep: Option<String>,
    /// The viewer page, for browsers.
    pub watch: Option<String>,
    /// The file with the token that allows programs to make changes over HTTP.
    pub token_file: Option<String>,
}

/// A guest of the show.
#[derive(Clone, Debug, PartialEq)]
pub struct Guest {
    pub id: String,
    /// The name that the guest has given; empty before.
    pub name: String,
    pub state: crate::server::guests::GuestState,
    /// The link to join, until somebody uses it.
    pub link: Option<String>,
    pub rtt: Option<Duration>,
    /// The lost part of the packets, from 0 to 1.
    pub loss: Option<f32>,
    /// True if the guest's name is on the video.
    pub tagged: bool,
}

/// The state of a source.
#[derive(Clone, Debug, PartialEq)]
pub struct Source {
    /// Video or audio.
    pub track: Track,
    /// The kind of the choice: `camera`, `test`, `mic`, `tone`…
    pub kind: &'static str,
    /// True if the source delivers again after it was stalled, lost or refused.
    pub back: bool,
    pub report: crate::media::source_status::SourceReport,
}

/// An opened encoder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoder {
    /// The program that is encoded.
    pub program: ProgramName,
    pub track: Track,
    pub name: String,
    pub profile: String,
    pub level: String,
    pub bitrate: u32,
    /// The preset, if the encoder has presets.
    pub preset: Option<&'static str>,
    /// The reason why this encoder was chosen.
    pub why: String,
    /// True if only the recording gets this encode.
    pub is_of_recording: bool,
}

impl Encoder {
    /// Describes the encoder of a program's audio.
    pub fn of_audio(program: ProgramName, audio: &AudioEncoder) -> Self {
        let figures = audio.figures();
        Self {
            program,
            track: Track::Audio,
            name: figures.name.to_owned(),
            profile: figures.profile.to_owned(),
            level: String::new(),
            bitrate: audio.config().bitrate.0,
            preset: None,
            why: figures.why,
            is_of_recording: false,
        }
    }

    /// Describes the encoder of a program's video.
    pub fn of_video(program: ProgramName, video: &VideoEncoder, is_of_recording: bool) -> Self {
        let figures = video.figures();
        Self {
            program,
            track: Track::Video,
            name: figures.name.to_owned(),
            profile: figures.profile.to_owned(),
            level: figures.level,
            bitrate: figures.bitrate.0,
            preset: figures.preset,
            why: figures.why,
            is_of_recording,
        }
    }
}

/// The state of a target, and the reason.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Target {
    /// The id of the target; on the command line, its position from 0.
    pub index: usize,
    /// The program that the target gets.
    pub program: ProgramName,
    /// The URL without the key.
    pub url: String,
    /// The name in messages: `HOST:PORT`, with the target's name if it has one.
    pub host: String,
    pub state: TargetState,
    /// The server where the target is live, if the target redirected there.
    pub server: Option<String>,
    /// The stage that was reached, or at which the attempt failed.
    pub stage: Option<&'static str>,
    /// The server's own code for the error.
    pub code: Option<String>,
    /// The error and its cure.
    pub cause: Option<Problem>,
    /// The time until the next attempt.
    pub retry_in: Option<Duration>,
    /// The time for which viewers saw nothing new, if the target is live again.
    pub gap: Option<Duration>,
    /// The number of frames that the outage has cost, if the target is live again.
    pub lost_frames: u64,
    /// True if `cause` and `code` are those of an earlier attempt. `stage` is that of the present
    /// one.
    pub is_earlier: bool,
    /// The time for retries (`--retry-for`), if the target has failed because it is over.
    pub retried_for: Option<Duration>,
    /// The exit code of a failure.
    pub exit: Option<u8>,
    /// The kind of the problem.
    pub trouble: Option<Trouble>,
    /// The pin of a certificate that the user may accept.
    pub pin: Option<CertificatePin>,
}

/// The stream delay.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Delay {
    pub state: DelayState,
    /// The current delay.
    pub delay: Duration,
    /// The requested delay.
    pub wanted: Duration,
}

/// Results of the viewer monitor for one target.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct Monitor {
    /// The id of the target.
    pub index: usize,
    /// The URL of the target, without the key.
    pub url: String,
    /// `waiting`, `comparing` (a match is not known yet), `ok` (the stream matches), `unsure`
    /// (the stream does not vary, or repeats), `unavailable` (the stream cannot be played) or the
    /// most severe problem.
    pub state: &'static str,
    /// All problems: `unreachable`, `no_stream`, `stalled`, `different`, `black`, `frozen`,
    /// `silent`, `late`, `wrong_size`.
    pub troubles: Vec<&'static str>,
    /// The viewers' delay behind the program, without the buffer of their player.
    pub latency_ms: Option<f64>,
    /// The method of the latency measurement: `markers` of the test pattern, or `audio`.
    pub latency_by: Option<&'static str>,
    /// The audio offset measured by the markers; positive values mean late audio.
    pub av_offset_ms: Option<f64>,
    pub size: Option<Size>,
    pub fps: Option<f64>,
    /// The received bits per second; like the fields above, `None` without data.
    pub bitrate: Option<u32>,
    /// The name of the video codec.
    pub video: Option<String>,
    pub audio: Option<String>,
    pub cause: Option<Problem>,
    /// The notice of the problem, which contains the cure.
    pub notice: Option<Problem>,
}

/// A recording's state.
#[derive(Clone, Debug, PartialEq)]
pub struct Recording {
    /// The recorded program or source.
    pub program: ProgramName,
    pub path: PathBuf,
    pub state: RecordingState,
    pub duration: Duration,
    pub bytes: u64,
    /// The reason for a failure, and the cure.
    pub reason: Option<Problem>,
    /// The number of the file within a split recording, from 1.
    pub part: u32,
    /// True if nothing is written until the recording resumes.
    pub paused: bool,
}

impl Recording {
    /// Returns the notice about a recording that has ended.
    pub fn message(&self) -> Option<StudioMessage> {
        let path = self.path.display().to_string();
        let reason = self.reason.clone().unwrap_or_default();
        // The file contains nothing that can be played.
        let is_empty = self.part == 1 && self.duration.is_zero();
        match self.state {
            RecordingState::Writing | RecordingState::Deleted => None,
            RecordingState::Failed if is_empty => {
                Some(StudioMessage::RecordingNotStarted { path, reason })
            }
            RecordingState::Failed => Some(StudioMessage::RecordingFailed { path, reason }),
            RecordingState::Finished => Some(StudioMessage::RecordingSaved { path }),
        }
    }
}

/// A chapter in a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chapter {
    pub path: PathBuf,
    /// The position in the file.
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
pub struct Screenshot {
    pub path: PathBuf,
    /// The reason why saving failed.
    pub reason: Option<Problem>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_empty_first_part_means_that_the_recording_did_not_start() {
        for (part, millis, key) in [
            (1, 0, "recording-not-started"),
            (1, 1, "recording-failed"),
            (2, 0, "recording-failed"),
        ] {
            let recording = Recording {
                program: ProgramName::Main,
                path: "show.mp4".into(),
                state: RecordingState::Failed,
                duration: Duration::from_millis(millis),
                bytes: 0,
                reason: None,
                part,
                paused: false,
            };
            assert_eq!(recording.message().unwrap().problem().id(), key, "{part}, {millis} ms");
        }
    }
}
