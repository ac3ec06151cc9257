//! The state of the selected player for the desktop, and the meaning of the desktop's requests.
//! This module is pure.

use std::time::Duration;

use crate::studio::notices::TileId;
use crate::studio::watch::view::WatchState;
use crate::studio::{Command, Snapshot, WatchCommand};
use crate::ui::name_of;

/// If a change of position differs from the elapsed time by at least this many microseconds, it
/// counts as a jump.
pub const MIN_JUMP_MICROS: i64 = 1_500_000;

/// A request from the desktop.
#[derive(Clone, Debug, PartialEq)]
pub enum MediaKeyRequest {
    Play,
    Pause,
    PlayPause,
    Stop,
    /// Selects the next or the previous tile.
    Next,
    Previous,
    /// Seeks forward or back by this many microseconds.
    Seek(i64),
    /// Seeks to this position of a recording, if the tile still plays that recording.
    SetPosition {
        track: TileId,
        micros: i64,
    },
    SetVolume(f64),
    Open(String),
    /// Shows the window.
    Raise,
    /// Has the effect of the window's close button.
    Quit,
}

/// The playback status of MPRIS.
#[derive(Copy, Clone, Debug, Default, PartialEq, Eq)]
pub enum Status {
    Playing,
    Paused,
    #[default]
    Stopped,
}

impl Status {
    /// Returns the name of the status in MPRIS.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Playing => "Playing",
            Self::Paused => "Paused",
            Self::Stopped => "Stopped",
        }
    }
}

/// The state for the desktop.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct State {
    pub status: Status,
    pub track: TileId,
    /// The name of a stream or file, never an address.
    pub title: String,
    pub length: Option<Duration>,
    pub position: Duration,
    /// The range of the time shift, and the current distance behind the live edge.
    pub time_shift: Option<(Duration, Duration)>,
    pub volume: f64,
    /// The tiles in display order.
    pub tiles: Vec<TileId>,
}

impl State {
    /// Returns the state of the selected player, or `None` if there is nothing to play.
    pub fn of(snapshot: &Snapshot) -> Option<Self> {
        let tile = snapshot.tiles.iter().find(|tile| tile.chosen)?;
        let figures = &snapshot.watch_figures;
        if figures.url.is_empty() {
            return None;
        }
        let status = match &snapshot.watch {
            WatchState::Opening { .. } | WatchState::Playing | WatchState::Reconnecting { .. } => {
                if figures.paused {
                    Status::Paused
                } else {
                    Status::Playing
                }
            }
            WatchState::Idle | WatchState::Ended | WatchState::Failed { .. } => Status::Stopped,
        };
        Some(Self {
            status,
            track: tile.id,
            title: name_of(&figures.url),
            length: figures.duration,
            position: if figures.live { Duration::ZERO } else { figures.position },
            time_shift: figures.time_shift.map(|shift| (shift.range, shift.behind)),
            volume: if figures.muted { 0.0 } else { f64::from(figures.volume) },
            tiles: snapshot.tiles.iter().map(|tile| tile.id).collect(),
        })
    }

    /// Returns true if seeking is possible.
    pub fn can_seek(&self) -> bool {
        self.length.is_some() || self.time_shift.is_some_and(|(range, _)| !range.is_zero())
    }

    /// Returns the commands for the studio that fulfill a request. The list is empty if the request
    /// is not possible now.
    pub fn commands(&self, ask: &MediaKeyRequest) -> Vec<Command> {
        let player = |playing| vec![Command::Player(playing)];
        match ask {
            MediaKeyRequest::Play => match self.status {
                Status::Playing => Vec::new(),
                Status::Paused => player(WatchCommand::Pause(false)),
                Status::Stopped => player(WatchCommand::Again(self.track)),
            },
            MediaKeyRequest::Pause if self.status == Status::Playing => {
                player(WatchCommand::Pause(true))
            }
            MediaKeyRequest::PlayPause => {
                let other = if self.status == Status::Playing {
                    MediaKeyRequest::Pause
                } else {
                    MediaKeyRequest::Play
                };
                self.commands(&other)
            }
            MediaKeyRequest::Stop if self.status != Status::Stopped => vec![Command::StopWatching],
            MediaKeyRequest::Next => self.neighbour(1),
            MediaKeyRequest::Previous => self.neighbour(self.tiles.len().saturating_sub(1)),
            MediaKeyRequest::Seek(by) => self.seek(*by),
            MediaKeyRequest::SetPosition { track, micros } => {
                let place = u64::try_from(*micros).ok().map(Duration::from_micros);
                match place.filter(|place| self.length.is_some_and(|length| *place <= length)) {
                    Some(place) if *track == self.track => player(WatchCommand::Seek(place)),
                    _ => Vec::new(),
                }
            }
            MediaKeyRequest::SetVolume(volume) if volume.is_finite() => {
                vec![
                    Command::SetPlayerMuted(false),
                    Command::SetVolume(volume.clamp(0.0, 1.0) as f32),
                ]
            }
            MediaKeyRequest::Open(url) => vec![Command::Watch { url: url.clone() }],
            MediaKeyRequest::Pause
            | MediaKeyRequest::Stop
            | MediaKeyRequest::SetVolume(_)
            | MediaKeyRequest::Raise
            | MediaKeyRequest::Quit => Vec::new(),
        }
    }

    /// Selects the tile that is this many positions after the selected tile.
    fn neighbour(&self, steps: usize) -> Vec<Command> {
        let place = self.tiles.iter().position(|tile| *tile == self.track).unwrap_or(0);
        let next = self.tiles.get((place + steps) % self.tiles.len().max(1));
        next.filter(|next| **next != self.track)
            .map(|next| Command::Player(WatchCommand::Choose(*next)))
            .into_iter()
            .collect()
    }

    fn seek(&self, by: i64) -> Vec<Command> {
        if self.length.is_none() && self.time_shift.is_none() {
            return Vec::new();
        }
        let step = Duration::from_micros(by.unsigned_abs());
        vec![Command::Player(WatchCommand::Step { by: step, ahead: by >= 0 })]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::watch::view::{TileView, WatchFigures};

    const MICROS_PER_SECOND: i64 = 1_000_000;

    fn file() -> State {
        State {
            status: Status::Playing,
            track: TileId(1),
            length: Some(Duration::from_secs(60)),
            position: Duration::from_secs(30),
            tiles: vec![TileId(0), TileId(1), TileId(4)],
            ..State::default()
        }
    }

    fn player(playing: WatchCommand) -> Vec<Command> {
        vec![Command::Player(playing)]
    }

    #[test]
    fn nothing_secret_is_shown_and_nothing_at_all_without_a_stream() {
        let mut snapshot = Snapshot::default();
        assert_eq!(State::of(&snapshot), None);
        snapshot.tiles = vec![TileView { chosen: true, ..TileView::default() }];
        assert_eq!(State::of(&snapshot), None);
        let url = "rtmp://me:planted@host/live/show?token=planted".to_owned();
        snapshot.watch_figures =
            WatchFigures { url, volume: 0.5, live: true, ..WatchFigures::default() };
        snapshot.watch = WatchState::Playing;
        let state = State::of(&snapshot).unwrap();
        assert_eq!((state.title.as_str(), state.status), ("show · host", Status::Playing));
        assert!(!format!("{state:?}").contains("planted"));
        assert!(!state.can_seek());
        snapshot.watch_figures.paused = true;
        snapshot.watch_figures.muted = true;
        let state = State::of(&snapshot).unwrap();
        assert_eq!((state.status, state.volume), (Status::Paused, 0.0));
        snapshot.watch = WatchState::Ended;
        assert_eq!(State::of(&snapshot).unwrap().status, Status::Stopped);
    }

    #[test]
    fn keys_hold_go_on_and_begin_again() {
        let mut state = file();
        assert_eq!(state.commands(&MediaKeyRequest::PlayPause), player(WatchCommand::Pause(true)));
        assert_eq!(state.commands(&MediaKeyRequest::Play), []);
        assert_eq!(state.commands(&MediaKeyRequest::Stop), [Command::StopWatching]);
        state.status = Status::Paused;
        assert_eq!(state.commands(&MediaKeyRequest::PlayPause), player(WatchCommand::Pause(false)));
        assert_eq!(state.commands(&MediaKeyRequest::Pause), []);
        state.status = Status::Stopped;
        assert_eq!(state.commands(&MediaKeyRequest::Play), player(WatchCommand::Again(TileId(1))));
        assert_eq!(state.commands(&MediaKeyRequest::Stop), []);
    }

    #[test]
    fn seek_positions_stay_within_the_recording() {
        let state = file();
        let to = |seconds| player(WatchCommand::Seek(Duration::from_secs(seconds)));
        let step =
            |micros, ahead| player(WatchCommand::Step { by: Duration::from_micros(micros), ahead });
        assert_eq!(
            state.commands(&MediaKeyRequest::Seek(5 * MICROS_PER_SECOND)),
            step(5_000_000, true)
        );
        assert_eq!(
            state.commands(&MediaKeyRequest::Seek(-40 * MICROS_PER_SECOND)),
            step(40_000_000, false)
        );
        assert_eq!(state.commands(&MediaKeyRequest::Seek(i64::MIN)), step(1 << 63, false));
        let set = |track, micros| state.commands(&MediaKeyRequest::SetPosition { track, micros });
        assert_eq!(set(TileId(1), 10 * MICROS_PER_SECOND), to(10));
        // An invalid position, or one for another stream, has no effect.
        for (track, micros) in
            [(TileId(1), -1), (TileId(1), 61 * MICROS_PER_SECOND), (TileId(0), MICROS_PER_SECOND)]
        {
            assert_eq!(set(track, micros), []);
        }
        let live = State {
            length: None,
            time_shift: Some((Duration::from_secs(20), Duration::from_secs(5))),
            ..file()
        };
        assert!(live.can_seek());
        assert_eq!(
            live.commands(&MediaKeyRequest::Seek(-10 * MICROS_PER_SECOND)),
            step(10_000_000, false)
        );
        assert_eq!(
            State { time_shift: None, ..live }.commands(&MediaKeyRequest::Seek(MICROS_PER_SECOND)),
            []
        );
    }

    #[test]
    fn the_wall_is_walked_and_loudness_bounded() {
        let state = file();
        assert_eq!(state.commands(&MediaKeyRequest::Next), player(WatchCommand::Choose(TileId(4))));
        assert_eq!(
            state.commands(&MediaKeyRequest::Previous),
            player(WatchCommand::Choose(TileId(0)))
        );
        let alone = State { tiles: vec![TileId(1)], ..file() };
        assert_eq!(
            (alone.commands(&MediaKeyRequest::Next), alone.commands(&MediaKeyRequest::Previous)),
            (vec![], vec![])
        );
        let loud = |volume| state.commands(&MediaKeyRequest::SetVolume(volume));
        assert!(loud(7.0).contains(&Command::SetVolume(1.0)));
        assert!(loud(-1.0).contains(&Command::SetVolume(0.0)));
        assert_eq!(loud(f64::NAN), []);
    }
}
