//! The players as the window sees them.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::net::CertificatePin;
use crate::player;
use crate::studio::notices::{Notice, TileId};
use crate::studio::watch::choices::ShownFrame;
use crate::studio::watch::viewport::Viewport;
use crate::text::Problem;

/// What the player is doing.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum WatchState {
    #[default]
    Idle,
    /// On the way to the first video or audio, at this stage of it, as events name it.
    Opening {
        stage: Option<&'static str>,
    },
    Playing,
    /// Lost; trying again.
    Reconnecting {
        cause: Problem,
    },
    /// Came to the end of the stream or file.
    Ended,
    /// Gave up; a notice says why.
    Failed {
        cause: Problem,
        kind: player::FailureKind,
    },
}

/// One of the players.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TileView {
    pub id: TileId,
    pub look: Viewport,
    /// It is heard, and the controls are its.
    pub chosen: bool,
    pub state: WatchState,
    pub figures: WatchFigures,
    pub picture: ShownFrame,
    /// Why a file of it that was to be written is not whole, if so.
    pub output_failure: Option<player::FailureKind>,
    /// A certificate for which it gave up, which its owner may accept.
    pub offered: Option<CertificatePin>,
    /// What it said while it was not chosen, oldest first.
    pub said: Vec<Notice>,
}

/// How a player fares.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WatchFigures {
    pub url: String,
    /// It comes as it happens: there is no going about in it, save in what is kept of it.
    pub live: bool,
    /// How loud all players are, and whether the listener silenced them.
    pub volume: f32,
    pub muted: bool,
    /// All that is counted and measured; `WatchFigures` has these fields too.
    pub counted: player::Figures,
}

impl Deref for WatchFigures {
    type Target = player::Figures;

    fn deref(&self) -> &player::Figures {
        &self.counted
    }
}

impl DerefMut for WatchFigures {
    fn deref_mut(&mut self) -> &mut player::Figures {
        &mut self.counted
    }
}

impl WatchFigures {
    /// By the test source's markers, when they are seen.
    pub fn latency(&self) -> Option<Duration> {
        self.latency_ms.and_then(time)
    }

    /// By the time of its sender's clock that the stream carries, where it does and the clocks may agree.
    pub fn sender_latency(&self) -> Option<Duration> {
        self.sender_latency_ms.and_then(time)
    }
}

/// None below zero.
fn time(millis: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(millis / 1_000.0).ok()
}
