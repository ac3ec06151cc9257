//! One player of the *Watch* page: what it plays, and what became of it.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::{Clock, Latest};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::player::{self, Failure, OfferedChat, Player, Source, State};
use crate::studio::notices::TileId;
use crate::studio::watch::view::{WatchFigures, WatchState};
use crate::studio::watch::viewport::Viewport;

/// How long a player may take to end before its threads are left to themselves.
const END: Duration = Duration::from_millis(800);

/// Messages of a player that is not chosen; older ones go.
const MAX_KEPT: usize = 8;

/// A player, or what became of the last one.
#[derive(Debug)]
pub(super) struct Tile {
    pub(super) id: TileId,
    /// How its frame is looked at.
    pub(super) look: Viewport,
    screen: Latest<VideoFrame>,
    player: Option<Player>,
    url: String,
    state: WatchState,
    /// The certificate for which it gave up.
    offered: Option<Box<OfferedChat>>,
    /// What it said while it was not chosen.
    kept: VecDeque<player::PlayerMessage>,
}

impl Tile {
    /// A tile that plays nothing; `url` is what it may play again.
    pub(super) fn new(id: TileId, screen: Latest<VideoFrame>, url: String, look: Viewport) -> Self {
        let (player, state, offered, kept) = (None, WatchState::Idle, None, VecDeque::new());
        Self { id, look, screen, player, url, state, offered, kept }
    }

    /// Plays this URL or file.
    pub(super) fn open(
        &mut self,
        url: String,
        config: &mut player::Config,
        runtime: &Runtime,
        clock: Clock,
    ) -> Result<(), Failure> {
        self.close();
        config.source = Source::parse(&url);
        self.url = url;
        self.kept.clear();
        let opened = Player::open(config, runtime, clock, self.screen.clone());
        // Files and a place were named for the first stream only.
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

    /// Stops playing. Its threads end in the background.
    pub(super) fn close(&mut self) {
        if let Some(mut player) = self.player.take() {
            // It ends by and by, and the slot is another's by then.
            player.leave();
            // What takes longer than a moment ends on a separate thread.
            let ending = crate::base::Worker::spawn("watch-end", move |_| {
                player.stop(END);
            });
            if let Err(error) = ending {
                tracing::warn!(%error, "ending the player");
            }
        }
        self.screen.clear();
        self.state = WatchState::Idle;
        self.offered = None;
    }

    /// Ends what plays and waits for that; nothing else will play here.
    pub(super) fn end(&mut self, limit: Duration) {
        if let Some(player) = &mut self.player {
            player.stop(limit);
        }
    }

    /// Keeps what it said for when it is chosen: the newest, each once.
    pub(super) fn keep(&mut self, said: player::PlayerMessage) {
        self.kept.retain(|old| old.key() != said.key());
        self.kept.push_back(said);
        if self.kept.len() > MAX_KEPT {
            self.kept.pop_front();
        }
    }

    /// What was kept, once.
    pub(super) fn take_kept(&mut self) -> impl Iterator<Item = player::PlayerMessage> {
        std::mem::take(&mut self.kept).into_iter()
    }

    pub(super) fn kept(&self) -> impl Iterator<Item = &player::PlayerMessage> {
        self.kept.iter()
    }

    pub(super) fn player(&self) -> Option<&Player> {
        self.player.as_ref()
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    pub(super) fn state(&self) -> &WatchState {
        &self.state
    }

    pub(super) fn offered(&self) -> Option<&OfferedChat> {
        self.offered.as_deref()
    }

    pub(super) fn screen(&self) -> Latest<VideoFrame> {
        self.screen.clone()
    }

    /// What happened since the last call.
    pub(super) fn poll(&mut self) -> Vec<player::Event> {
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

    /// How it fares; loudness is everybody's.
    pub(super) fn figures(&self, volume: f32, muted: bool) -> WatchFigures {
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
        const KEYS: &[&str] = player::PlayerMessage::KEYS;
        let mut tile = Tile::new(TileId(0), Latest::default(), String::new(), Viewport::default());
        let said = |key| player::PlayerMessage {
            problem: Problem::of(key, Vec::new()),
            severity: player::Severity::Warning,
            quiet: false,
            detail: String::new(),
        };
        KEYS.iter().for_each(|key| tile.keep(said(key)));
        tile.keep(said(KEYS[KEYS.len() - 2]));
        assert_eq!(tile.kept().count(), MAX_KEPT);
        let newest = tile.take_kept().last().unwrap();
        assert_eq!(newest.key(), KEYS[KEYS.len() - 2]);
        assert_eq!(tile.kept().count(), 0);
    }
}
