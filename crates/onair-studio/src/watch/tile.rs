//! One player of the *Watch* page: its stream, and its state.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::{Clock, Latest};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::player::{self, Failure, OfferedChat, Player, Source, State};
use crate::studio::notices::TileId;
use crate::studio::watch::closing::ClosingPlayers;
use crate::studio::watch::view::{WatchFigures, WatchState};
use crate::studio::watch::viewport::Viewport;

/// Maximum number of kept messages of a player that is not selected; older ones are dropped.
const MAX_KEPT_MESSAGES: usize = 8;

/// A player, or the final state of the last one.
#[derive(Debug)]
pub struct Tile {
    pub id: TileId,
    /// The viewport.
    pub viewport: Viewport,
    pub screen: Latest<VideoFrame>,
    pub player: Option<Player>,
    pub url: String,
    pub state: WatchState,
    /// The certificate because of which playback failed.
    pub offered: Option<Box<OfferedChat>>,
    /// The messages received while the tile was not selected.
    kept: VecDeque<player::PlayerMessage>,
}

impl Tile {
    /// Creates a tile that plays nothing. `url` is the stream that it may play again.
    pub fn new(id: TileId, screen: Latest<VideoFrame>, url: String, viewport: Viewport) -> Self {
        let (player, state, offered, kept) = (None, WatchState::Idle, None, VecDeque::new());
        Self { id, viewport, screen, player, url, state, offered, kept }
    }

    /// Plays this URL or file in a closed tile.
    pub fn open(
        &mut self,
        url: String,
        config: &mut player::Config,
        runtime: &Runtime,
        clock: Clock,
    ) -> Result<(), Failure> {
        config.source = Source::parse(&url);
        self.url = url;
        self.kept.clear();
        let opened = Player::open(config, runtime, clock, self.screen.clone());
        // Output files and a position apply only to the first stream.
        (config.save, config.audio_dump, config.start) = (None, None, None);
        match opened {
            Ok(player) => {
                self.player = Some(player);
                self.state = WatchState::Opening { stage: None };
                Ok(())
            }
            Err(failure) => {
                self.state = failed(&failure);
                Err(failure)
            }
        }
    }

    /// Stops playing. The player ends among the closing ones.
    pub fn close(&mut self, closing: &mut ClosingPlayers) {
        if let Some(player) = self.player.take() {
            closing.add(self.id, player);
        }
        self.screen.clear();
        self.state = WatchState::Idle;
        self.offered = None;
    }

    /// Ends the player and waits for it. The tile plays nothing afterwards.
    pub fn end(&mut self, limit: Duration) {
        if let Some(player) = &mut self.player {
            player.stop(limit);
        }
    }

    /// Keeps a message until the tile is selected. Only the newest messages are kept, each once.
    pub fn keep(&mut self, message: player::PlayerMessage) {
        self.kept.retain(|old| old.key() != message.key());
        self.kept.push_back(message);
        if self.kept.len() > MAX_KEPT_MESSAGES {
            self.kept.pop_front();
        }
    }

    /// Drops the kept messages with this key, because their problem is over.
    pub fn forget(&mut self, key: &str) {
        self.kept.retain(|message| message.key() != key);
    }

    /// Returns the kept messages, once.
    pub fn take_kept(&mut self) -> impl Iterator<Item = player::PlayerMessage> {
        std::mem::take(&mut self.kept).into_iter()
    }

    pub fn kept(&self) -> impl Iterator<Item = &player::PlayerMessage> {
        self.kept.iter()
    }

    /// Returns the events since the last call.
    pub fn poll(&mut self) -> Vec<player::Event> {
        let Some(player) = &self.player else { return Vec::new() };
        let events = player.events().waiting().collect();
        self.state = match player.state() {
            State::Starting => WatchState::Opening { stage: None },
            State::Opening { stage } => WatchState::Opening { stage: Some(stage) },
            State::Playing => WatchState::Playing,
            State::Reconnecting { cause, .. } => WatchState::Reconnecting { cause },
            State::Ended => WatchState::Ended,
            State::Failed(failure) => {
                self.offered.clone_from(&failure.offered);
                failed(&failure)
            }
        };
        events
    }

    /// Returns the figures of the player. Volume and mute are those of all players.
    pub fn figures(&self, volume: f32, muted: bool) -> WatchFigures {
        let counted = self.player.as_ref().map(Player::figures).unwrap_or_default();
        let live = matches!(Source::parse(&self.url), Source::Url(_)) && counted.duration.is_none();
        WatchFigures { url: self.url.clone(), live, volume, muted, counted }
    }
}

fn failed(failure: &Failure) -> WatchState {
    WatchState::Failed { cause: failure.problem.clone(), kind: failure.kind }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::Problem;

    #[test]
    fn what_is_kept_is_bounded_and_each_once() {
        const NOTICE_KEYS: &[&str] = player::PlayerMessage::ALL_IDS;
        let mut tile = Tile::new(TileId(0), Latest::default(), String::new(), Viewport::default());
        let player_message = |key| player::PlayerMessage {
            problem: Problem::of(key, Vec::new()),
            severity: player::Severity::Warning,
            quiet: false,
            detail: String::new(),
        };
        NOTICE_KEYS.iter().for_each(|key| tile.keep(player_message(key)));
        tile.keep(player_message(NOTICE_KEYS[NOTICE_KEYS.len() - 2]));
        assert_eq!(tile.kept().count(), MAX_KEPT_MESSAGES);
        tile.forget("player-unmoved");
        assert_eq!(tile.kept().count(), MAX_KEPT_MESSAGES - 1);
        let newest = tile.take_kept().last().unwrap();
        assert_eq!(newest.key(), NOTICE_KEYS[NOTICE_KEYS.len() - 2]);
        assert_eq!(tile.kept().count(), 0);
    }
}
