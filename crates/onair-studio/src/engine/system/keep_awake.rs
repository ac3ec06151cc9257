//! Prevents the screen saver and sleep during a broadcast, a recording, while there is a replay
//! buffer, and while a player saves its stream.

use crate::base::{Worker, hold_awake};
use crate::studio::live::view::LiveState;
use crate::studio::snapshot::Snapshot;

/// Returns true while sleep would interrupt a broadcast, a recording, the replay buffer or a player
/// that saves its stream.
pub fn is_needed(snapshot: &Snapshot) -> bool {
    let is_live = matches!(
        snapshot.live,
        LiveState::Connecting { .. } | LiveState::OnAir | LiveState::Reconnecting { .. }
    );
    let is_saving = snapshot.tiles.iter().any(|tile| tile.figures.saving.is_some());
    is_live || snapshot.recording.is_some() || snapshot.replay.is_some() || is_saving
}

/// The state of the request to keep the computer awake.
#[derive(Debug, Default)]
pub struct Awake {
    worker: Option<Worker>,
}

impl Awake {
    /// Starts or ends the request.
    pub fn keep(&mut self, awake: bool) {
        if awake == self.worker.is_some() {
            return;
        }
        // Dropping the worker requests its stop, which ends the request.
        self.worker = None;
        if awake {
            self.worker = Worker::spawn("onair-awake", hold_awake)
                .inspect_err(|error| tracing::debug!(%error, "preventing screen blanking failed"))
                .ok();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;
    use std::time::Duration;

    use super::*;
    use crate::player::Saving;
    use crate::studio::snapshot::{RecordingFigures, ReplayFigures};
    use crate::studio::watch::view::TileView;

    #[test]
    fn a_broadcast_a_recording_and_a_replay_buffer_each_keep_the_computer_awake() {
        let none = Snapshot::default();
        assert!(!is_needed(&none));
        assert!(!is_needed(&Snapshot { live: LiveState::Stopping, ..none.clone() }));
        assert!(is_needed(&Snapshot { live: LiveState::OnAir, ..none.clone() }));
        let recording = RecordingFigures {
            path: PathBuf::new(),
            duration: Duration::ZERO,
            bytes: 0,
            paused: false,
            chapters: 0,
        };
        assert!(is_needed(&Snapshot { recording: Some(recording), ..none.clone() }));
        let replay = ReplayFigures { filled: Duration::ZERO, room: Duration::from_secs(30) };
        assert!(is_needed(&Snapshot { replay: Some(replay), ..none }));
    }

    #[test]
    fn a_player_that_saves_its_stream_keeps_the_computer_awake() {
        let mut saves = TileView::default();
        let idle = Snapshot { tiles: vec![saves.clone()], ..Snapshot::default() };
        assert!(!is_needed(&idle));
        // The player saves, although another one is selected.
        saves.figures.saving = Some(Saving::default());
        let selected = TileView { chosen: true, ..TileView::default() };
        assert!(is_needed(&Snapshot { tiles: vec![selected, saves], ..Snapshot::default() }));
    }
}
