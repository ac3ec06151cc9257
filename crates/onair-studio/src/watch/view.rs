//! The players as displayed in the window.

use std::ops::{Deref, DerefMut};
use std::time::Duration;

use crate::net::CertificatePin;
use crate::player;
use crate::studio::notices::{Notice, TileId};
use crate::studio::watch::choices::ShownFrame;
use crate::studio::watch::viewport::Viewport;
use crate::text::Problem;

/// The state of a player.
#[derive(Clone, Debug, PartialEq, Default)]
pub enum WatchState {
    #[default]
    Idle,
    /// Opening, up to the first video or audio, at this stage, as named in events.
    Opening {
        stage: Option<&'static str>,
    },
    Playing,
    /// The connection is lost and being restored.
    Reconnecting {
        cause: Problem,
    },
    /// The end of the stream or file was reached.
    Ended,
    /// Playback failed; a notice contains the reason.
    Failed {
        cause: Problem,
        kind: player::FailureKind,
    },
}

impl WatchState {
    /// Returns true if a stream is playing, being opened or reconnecting.
    pub fn is_busy(&self) -> bool {
        matches!(self, Self::Opening { .. } | Self::Playing | Self::Reconnecting { .. })
    }
}

/// One of the players.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct TileView {
    pub id: TileId,
    pub viewport: Viewport,
    /// True if the player is selected: it is audible, and the controls apply to it.
    pub chosen: bool,
    pub state: WatchState,
    pub figures: WatchFigures,
    pub frame: ShownFrame,
    /// The reason why an output file is incomplete, if it is.
    pub output_failure: Option<player::FailureKind>,
    /// A certificate because of which playback failed, and which the user may accept.
    pub offered: Option<CertificatePin>,
    /// The messages received while the player was not selected, oldest first.
    pub notices: Vec<Notice>,
}

/// The figures of a player.
#[derive(Clone, Debug, PartialEq, Default)]
pub struct WatchFigures {
    pub url: String,
    /// True for a live stream, in which seeking is possible only within the time shift.
    pub live: bool,
    /// The volume of all players.
    pub volume: f32,
    /// True if the user muted all players.
    pub muted: bool,
    /// All counters and measurements, to which `WatchFigures` dereferences.
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
    /// Returns the latency measured by the markers of the test source, if they are visible. Files
    /// and recordings have no latency, even if they contain markers.
    pub fn latency(&self) -> Option<Duration> {
        self.latency_ms.filter(|_| self.live).and_then(time)
    }

    /// Returns the latency by the sender's clock, if the stream declares that clock and both clocks
    /// seem to agree.
    pub fn sender_latency(&self) -> Option<Duration> {
        self.sender_latency_ms.filter(|_| self.live).and_then(time)
    }
}

/// Converts milliseconds to a duration; `None` below zero.
fn time(millis: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(millis / 1_000.0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_live_streams_have_a_latency() {
        let (latency_ms, sender_latency_ms) = (Some(43_000.0), Some(500.0));
        let counted =
            player::Figures { latency_ms, sender_latency_ms, ..player::Figures::default() };
        let mut figures = WatchFigures { counted, ..WatchFigures::default() };
        assert_eq!((figures.latency(), figures.sender_latency()), (None, None));
        figures.live = true;
        let expected = (Some(Duration::from_secs(43)), Some(Duration::from_millis(500)));
        assert_eq!((figures.latency(), figures.sender_latency()), expected);
    }
}
