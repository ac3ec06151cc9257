//! The players as the window sees them.

use std::time::Duration;

use crate::decode::By;
use crate::media::Size;
use crate::net::CertificatePin;
use crate::player::{self, Rewind, Saving};
use crate::studio::notices::{Notice, TileId};
use crate::studio::watch::choices::ShownFrame;
use crate::studio::watch::picture_view::PictureView;

/// What the player is doing.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum WatchState {
    #[default]
    Idle,
    /// On the way to the first picture or sound, at this stage of it, as events name it.
    Opening {
        stage: Option<&'static str>,
    },
    Playing,
    /// Lost; trying again.
    Reconnecting {
        cause: String,
    },
    /// Came to the end of the stream or file.
    Ended,
    /// Gave up; a notice says why.
    Failed {
        cause: String,
        kind: player::FailureKind,
    },
}

/// One of the players.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TileView {
    pub id: TileId,
    pub look: PictureView,
    /// It is heard, and the controls are its.
    pub chosen: bool,
    pub state: WatchState,
    pub figures: WatchFigures,
    /// All that is counted.
    pub counted: player::Figures,
    pub picture: ShownFrame,
    /// Why a file of it that was to be written is not whole, if so.
    pub output_failure: Option<player::FailureKind>,
    /// A certificate for which it gave up, which its owner may accept.
    pub offered: Option<CertificatePin>,
    /// What it said while it was not chosen, oldest first.
    pub said: Vec<Notice>,
}

/// Figures of the player.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WatchFigures {
    pub url: String,
    /// It comes as it happens: there is no going about in it, save in what is kept of it.
    pub live: bool,
    pub size: Option<Size>,
    /// Names of the codecs, such as `H.264 High` and `AAC-LC 48 kHz stereo`.
    pub video: String,
    pub audio: String,
    /// What decodes the pictures.
    pub decoder: Option<By>,
    pub fps: f64,
    /// What arrives, bits a second.
    pub bitrate: u32,
    pub buffer: Duration,
    /// 1 is as recorded.
    pub speed: f64,
    pub dropped: u64,
    pub late: u64,
    /// Times that there was nothing to show or to hear.
    pub underruns: u64,
    pub reconnects: u32,
    /// See [`crate::player::Figures::losses`].
    pub losses: u32,
    /// By the test source's markers, when they are seen.
    pub latency: Option<Duration>,
    /// By the time of its sender's clock that the stream carries, where it does and the clocks may agree.
    pub sender_latency: Option<Duration>,
    /// How unevenly it comes, see [`crate::player::Figures::jitter`].
    pub jitter: Option<Duration>,
    /// Sound against picture in milliseconds, > 0: sound late; by the markers.
    pub av_offset_ms: Option<f64>,
    pub first_frame: Option<Duration>,
    pub volume: f32,
    pub muted: bool,
    pub playing_for: Duration,
    /// Where in a recording it is, and how long that is, where one can go about in it.
    pub position: Duration,
    pub duration: Option<Duration>,
    pub paused: bool,
    /// How far one can go back in a broadcast, and how far back it is.
    pub rewind: Option<Rewind>,
    /// The file that is being written.
    pub saving: Option<Saving>,
}
