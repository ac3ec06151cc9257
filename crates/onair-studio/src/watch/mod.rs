//! The players in the window: up to nine side by side, one of which is selected. Each player has
//! its own engine and threads, so problems of one player do not affect the others.

pub mod chat;
pub mod chat_roll;
mod chat_session;
pub mod choices;
mod closing;
pub mod own_chat;
pub mod service_chats;
#[cfg(test)]
mod tests;
mod tile;
pub mod view;
pub mod viewport;

use std::time::Duration;

use crate::base::{Clock, Latest};
use crate::media::VideoFrame;
use crate::net::{CertificatePin, Options, Runtime};
use crate::player::{self, Failure, Player, State, TimeShiftDepth};
use crate::studio::notices::TileId;
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::row::Group;
use crate::studio::watch::chat::{ChatChoices, ChatView};
use crate::studio::watch::choices::{MAX_TILES, Network, PlayerChoices, ShownFrame, WatchCommand};
use crate::studio::watch::closing::ClosingPlayers;
use crate::studio::watch::view::{TileView, WatchFigures, WatchState};
use crate::studio::watch::viewport::Viewport;
use crate::text::problem::problem;
use chat_session::ChatSession;
use tile::Tile;

/// Time limit for the players to finalize files when onair ends.
const PLAYERS_END_TIMEOUT: Duration = Duration::from_secs(3);

/// How a message is reported.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(super) enum MessageVia {
    /// Reported at once, and added to the event log.
    Reported,
    /// Reported, but already in the event log.
    Again,
    /// Only added to the event log.
    Noted,
}

/// A report of a tile's player.
#[derive(Debug)]
pub(super) enum TileReport {
    Message(StudioMessage, MessageVia),
    /// The problem of the message with this key is over.
    Over(&'static str),
}

/// The players of the *Watch* page.
#[derive(Debug)]
pub(super) struct Players {
    /// A slot for each possible tile.
    screens: Vec<Latest<VideoFrame>>,
    /// The tiles in display order.
    tiles: Vec<Tile>,
    closing: ClosingPlayers,
    chosen: TileId,
    /// The playback configuration, with the current volume and mute.
    config: player::Config,
    /// The network options.
    network: Network,
    /// The options on which the network options are based.
    base: Options,
    /// The viewport of the first player.
    viewport: Viewport,
    talk: ChatSession,
    /// State changes and messages of players that were not reported yet, oldest first.
    unreported: Vec<(TileId, player::Event)>,
    attempts: u64,
}

impl Players {
    /// Creates the players, which show their frames in `screens`, one slot each.
    pub fn new(
        screens: Vec<Latest<VideoFrame>>,
        config: player::Config,
        (network, viewport): (Network, Viewport),
        find_chat: bool,
    ) -> Self {
        let base = config.net.clone();
        let mut watch = Self {
            screens,
            tiles: Vec::new(),
            closing: ClosingPlayers::default(),
            chosen: TileId::default(),
            config,
            network,
            base,
            viewport: viewport.checked(),
            talk: ChatSession::new(find_chat),
            unreported: Vec::new(),
            attempts: 0,
        };
        // Saved options were checked when they were read.
        let _ = watch.set_network(watch.network.clone());
        watch
    }

    fn set_network(&mut self, network: Network) -> Result<(), Failure> {
        self.config.net = network.options(&self.base).map_err(|why| {
            let problem = problem!("play-connection-settings", reason = why);
            Failure::new(player::FailureKind::Usage, problem)
        })?;
        self.config.reconnect = network.reconnect;
        self.network = network;
        self.talk.retry();
        Ok(())
    }

    /// Accepts this certificate if the chat's server presented it, and connects again.
    pub fn trust_chat(&mut self, pin: CertificatePin) -> Option<StudioMessage> {
        let offered = self.talk.offered().filter(|offered| offered.pin == pin)?;
        let mut network = self.network.clone();
        network.trust(&offered.server, pin);
        self.set_network(network).err().map(|failure| message(&failure, None))
    }

    /// Accepts this certificate if the server of a tile presented it, and plays again.
    pub fn trust(
        &mut self,
        (id, pin): (TileId, CertificatePin),
        runtime: &Runtime,
        clock: Clock,
    ) -> Option<StudioMessage> {
        let offered = self.tile(id)?.offered.as_deref().filter(|offered| offered.pin == pin)?;
        let mut network = self.network.clone();
        network.trust(&offered.server, pin);
        match self.set_network(network) {
            Ok(()) => self.again(id, runtime, clock),
            Err(failure) => Some(message(&failure, None)),
        }
    }

    /// Restores tiles with these streams and viewports, without playing them.
    pub fn restore(&mut self, wall: &[(String, Viewport)]) {
        for (url, viewport) in wall.iter().take(MAX_TILES) {
            if let Some(id) = self.place(url.clone()) {
                self.set_viewport(id, *viewport);
            }
        }
        if let Some(first) = self.tiles.first() {
            self.chosen = first.id;
        }
    }

    /// Plays this URL or file in the selected tile. Returns a message if playback cannot be
    /// started.
    pub fn open(&mut self, url: String, runtime: &Runtime, clock: Clock) -> Option<StudioMessage> {
        if self.tiles.is_empty() {
            self.chosen = self.place(String::new())?;
        }
        self.open_in(self.chosen, url, runtime, clock)
    }

    /// Plays this URL or file in a new tile, if there is space for one.
    pub fn add(&mut self, url: String, runtime: &Runtime, clock: Clock) -> Option<StudioMessage> {
        let first = self.tiles.is_empty();
        let id = self.place(String::new())?;
        if first {
            self.chosen = id;
        }
        self.open_in(id, url, runtime, clock)
    }

    /// Plays all of these streams, each in a separate tile. Recordings start at the same position.
    pub fn add_all(
        &mut self,
        urls: Vec<String>,
        runtime: &Runtime,
        clock: Clock,
    ) -> Vec<StudioMessage> {
        let start = self.config.start;
        let mut messages = Vec::new();
        for url in urls {
            self.config.start = start;
            messages.extend(self.add(url, runtime, clock));
        }
        messages
    }

    /// Plays the stream of a tile again.
    pub fn again(&mut self, id: TileId, runtime: &Runtime, clock: Clock) -> Option<StudioMessage> {
        let url = self.tile(id)?.url.clone();
        if url.is_empty() { None } else { self.open_in(id, url, runtime, clock) }
    }

    /// Returns the position at which the selected recording plays again after this command, if the
    /// recording has played to its end.
    pub fn replay_position(&self, playing: &WatchCommand) -> Option<Duration> {
        let tile = self.tile(self.chosen).filter(|tile| tile.state == WatchState::Ended)?;
        let player = tile.player.as_ref()?;
        match *playing {
            WatchCommand::Seek(to) => player.seek_position(to),
            WatchCommand::Step { by, ahead: false } => {
                player.seek_position(player.position().saturating_sub(by))
            }
            _ => None,
        }
    }

    /// Plays the selected recording again from this position.
    pub fn replay(
        &mut self,
        from: Duration,
        runtime: &Runtime,
        clock: Clock,
    ) -> Option<StudioMessage> {
        self.config.start = Some(from);
        self.again(self.chosen, runtime, clock)
    }

    fn open_in(
        &mut self,
        id: TileId,
        url: String,
        runtime: &Runtime,
        clock: Clock,
    ) -> Option<StudioMessage> {
        self.attempts += 1;
        let muted = self.config.muted;
        self.config.muted |= id != self.chosen;
        let Self { tiles, closing, config, .. } = self;
        let tile = tiles.iter_mut().find(|tile| tile.id == id);
        let failed = tile.and_then(|tile| {
            tile.close(closing);
            tile.open(url, config, runtime, clock).err()
        });
        self.config.muted = muted;
        self.share_memory();
        let failed = failed?;
        self.unreported.push((id, player::Event::State(State::Failed(failed.clone()))));
        (self.tiles.len() == 1).then(|| message(&failed, None))
    }

    /// Creates a new tile for this stream.
    fn place(&mut self, url: String) -> Option<TileId> {
        let taken = |id: TileId| self.tiles.iter().any(|tile| tile.id == id);
        let ids = (0..).map(TileId).zip(&self.screens).take(MAX_TILES);
        let (id, screen) = ids.into_iter().find(|(id, _)| !taken(*id))?;
        let screen = screen.clone();
        // A tile that is added next to another one has the default viewport.
        let viewport = if self.tiles.is_empty() { self.viewport } else { Viewport::default() };
        self.tiles.push(Tile::new(id, screen, url, viewport));
        Some(id)
    }

    fn set_viewport(&mut self, id: TileId, viewport: Viewport) {
        let viewport = viewport.checked();
        if let Some(tile) = self.tiles.iter_mut().find(|tile| tile.id == id) {
            tile.viewport = viewport;
        }
    }

    /// Shares the memory limit for rewinding among all players.
    fn share_memory(&self) {
        let each = TimeShiftDepth::default().bytes / self.tiles.len().max(1);
        for player in self.players() {
            player.set_time_shift_bytes(each);
        }
    }

    fn tile(&self, id: TileId) -> Option<&Tile> {
        self.tiles.iter().find(|tile| tile.id == id)
    }

    fn players(&self) -> impl Iterator<Item = &Player> {
        self.tiles.iter().filter_map(|tile| tile.player.as_ref())
    }

    fn player(&self) -> Option<&Player> {
        self.tile(self.chosen)?.player.as_ref()
    }

    /// Returns the selected tile.
    pub fn chosen(&self) -> TileId {
        self.chosen
    }

    /// Returns true if this tile is the selected one.
    pub fn is_chosen(&self, id: TileId) -> bool {
        self.chosen == id
    }

    /// Stops the selected player.
    pub fn close(&mut self) {
        let chosen = self.chosen;
        if let Some(tile) = self.tiles.iter_mut().find(|tile| tile.id == chosen) {
            tile.close(&mut self.closing);
        }
    }

    /// Ends all players in parallel, and waits at most as long as for one. The players' final
    /// states can still be read.
    pub fn end(&mut self, clock: Clock) {
        self.players().for_each(Player::leave);
        let until = clock.now() + PLAYERS_END_TIMEOUT;
        for tile in &mut self.tiles {
            tile.end(until.since(clock.now()));
        }
        self.closing.end(until, clock);
    }

    fn remove(&mut self, id: TileId) {
        if let Some(place) = self.tiles.iter().position(|tile| tile.id == id) {
            self.tiles.remove(place).close(&mut self.closing);
            if self.chosen == id {
                let next = self.tiles.get(place).or(self.tiles.last());
                self.chosen = next.map_or_else(TileId::default, |tile| tile.id);
            }
            if let [left] = self.tiles.as_slice() {
                self.viewport = left.viewport;
            }
            self.hear();
            self.share_memory();
        }
    }

    /// Makes only the selected player audible.
    fn hear(&self) {
        for tile in &self.tiles {
            if let Some(player) = &tile.player {
                player.set_muted(self.config.muted || tile.id != self.chosen);
            }
        }
    }

    fn set_av_offset(&mut self, millis: i32) {
        let most = player::MAX_AV_OFFSET_MS;
        self.config.av_offset_ms = millis.clamp(-most, most);
        self.players().for_each(|player| player.set_av_offset(self.config.av_offset_ms));
    }

    /// Executes a command that needs only the players.
    pub fn handle(&mut self, playing: &WatchCommand) -> Result<(), Failure> {
        match playing {
            WatchCommand::Choose(id) if self.tile(*id).is_some() => {
                self.chosen = *id;
                self.hear();
            }
            WatchCommand::Remove(id) => self.remove(*id),
            WatchCommand::SetAvOffset(millis) => self.set_av_offset(*millis),
            WatchCommand::StepAvOffset(millis) => {
                self.set_av_offset(self.config.av_offset_ms.saturating_add(*millis));
            }
            WatchCommand::SetBuffer(buffer) => {
                self.config.auto_buffer = buffer.is_none();
                self.config.buffer = buffer.unwrap_or(player::INITIAL_AUTO_BUFFER);
                self.players().for_each(|player| player.set_buffer(*buffer));
            }
            WatchCommand::SetBalance(balance) => {
                let balance = if balance.is_finite() { balance.clamp(-1.0, 1.0) } else { 0.0 };
                self.config.balance = balance;
                self.players().for_each(|player| player.set_balance(balance));
            }
            WatchCommand::SetSpeaker(id) => {
                self.config.device.clone_from(id);
                self.players().for_each(|player| player.set_speaker(id.clone()));
            }
            WatchCommand::SetViewport(id, viewport) => {
                self.set_viewport(*id, *viewport);
                if self.tiles.len() < 2 {
                    self.viewport = viewport.checked();
                }
            }
            WatchCommand::SetDecoder(decoder) => self.config.decoder = *decoder,
            WatchCommand::SetNetwork(network) => self.set_network(network.clone())?,
            WatchCommand::SetChatAddress(address) => {
                let of = self.tile(self.chosen).map(|tile| tile.url.clone());
                self.talk.set_address(&of.unwrap_or_default(), address.trim());
            }
            WatchCommand::Say(text) => self.talk.say(text),
            WatchCommand::SetChat(choices) => self.talk.choose(choices.clone()),
            _ => {
                let Some(player) = self.player() else { return Ok(()) };
                control(player, playing)?;
            }
        }
        Ok(())
    }

    pub fn set_volume(&mut self, volume: f32) {
        self.config.volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        let volume = self.config.volume;
        self.players().for_each(|player| player.set_volume(volume));
    }

    pub fn set_muted(&mut self, muted: bool) {
        self.config.muted = muted;
        self.hear();
    }

    /// Returns the reports since the last call. If several players are active, each shows its end
    /// in its tile, and a player that is not selected keeps its messages until it is selected.
    pub fn poll(&mut self) -> Vec<(TileId, TileReport)> {
        let mut reports = Vec::new();
        let alone = self.tiles.len() == 1;
        for tile in &mut self.tiles {
            let (id, chosen) = (tile.id, tile.id == self.chosen);
            if chosen {
                let again = |it| TileReport::Message(StudioMessage::Player(it), MessageVia::Again);
                reports.extend(tile.take_kept().map(|it| (id, again(it))));
            }
            for event in tile.poll() {
                if matches!(event, player::Event::State(_) | player::Event::Message(_)) {
                    self.unreported.push((id, event.clone()));
                }
                if matches!(&event, player::Event::State(state) if state.is_final()) {
                    Group::Progress.keys().iter().for_each(|key| tile.forget(key));
                }
                let report = match event {
                    player::Event::State(State::Failed(failure)) if alone => {
                        TileReport::Message(message(&failure, Some(id)), MessageVia::Reported)
                    }
                    player::Event::Message(message) if message.quiet => {
                        TileReport::Message(StudioMessage::Player(message), MessageVia::Noted)
                    }
                    player::Event::Message(message) => {
                        if !chosen {
                            tile.keep(message.clone());
                        }
                        let way = if chosen { MessageVia::Reported } else { MessageVia::Noted };
                        TileReport::Message(StudioMessage::Player(message), way)
                    }
                    player::Event::Over(key) => {
                        tile.forget(key);
                        TileReport::Over(key)
                    }
                    player::Event::Line(line) => {
                        if chosen {
                            self.talk.add(line);
                        }
                        continue;
                    }
                    player::Event::State(_) => continue,
                };
                reports.push((id, report));
            }
        }
        for (id, message) in self.closing.poll() {
            self.unreported.push((id, player::Event::Message(message.clone())));
            let way = if message.quiet { MessageVia::Noted } else { MessageVia::Reported };
            reports.push((id, TileReport::Message(StudioMessage::Player(message), way)));
        }
        reports
    }

    /// Returns the state changes and messages of players since the last call.
    pub fn take_events(&mut self) -> Vec<(TileId, player::Event)> {
        std::mem::take(&mut self.unreported)
    }

    /// Connects to the chat of the selected player while it plays, and takes new lines. `own`
    /// returns the addresses of the built-in server, and is called when another stream is played.
    pub fn talk(&mut self, own: impl FnOnce() -> (String, String), runtime: &Runtime) {
        let Self { tiles, chosen, talk, config, .. } = self;
        let playing = tiles.iter().find(|tile| tile.id == *chosen && tile.player.is_some());
        let plays = playing.is_some_and(|tile| tile.state == WatchState::Playing);
        talk.follow(playing.map_or("", |tile| tile.url.as_str()), plays, own, &config.net, runtime);
        self.talk.poll();
    }

    /// Returns the chat of the selected player.
    pub fn chat(&self) -> ChatView {
        self.talk.view()
    }

    /// Returns the network options of the players.
    pub fn net_options(&self) -> &Options {
        &self.config.net
    }

    /// Records whether a key of YouTube's API is stored.
    pub fn set_youtube_key(&mut self, is_stored: bool) {
        self.talk.choices.youtube_key = is_stored;
    }

    /// Returns the display options of the chat.
    pub fn chat_choices(&self) -> &ChatChoices {
        &self.talk.choices
    }

    /// Returns the frame of the selected player.
    pub fn chosen_frame(&self) -> Option<VideoFrame> {
        self.tile(self.chosen)?.screen.get()
    }

    /// Returns the state of the selected player.
    pub fn state(&self) -> WatchState {
        self.tile(self.chosen).map(|tile| tile.state.clone()).unwrap_or_default()
    }

    /// Returns the number of times that a player began to open a stream or file.
    pub fn attempts(&self) -> u64 {
        self.attempts
    }

    /// Returns the figures of the selected player among these views.
    pub fn figures(&self, of: &[TileView]) -> WatchFigures {
        let (volume, muted) = (self.config.volume, self.config.muted);
        match of.iter().find(|view| view.chosen) {
            Some(view) => view.figures.clone(),
            None => WatchFigures { volume, muted, ..WatchFigures::default() },
        }
    }

    /// Returns the volume of all players.
    pub fn volume(&self) -> f32 {
        self.config.volume
    }

    /// Returns the views of all players.
    pub fn views(&self) -> Vec<TileView> {
        let view = |tile: &Tile| TileView {
            id: tile.id,
            viewport: tile.viewport,
            chosen: tile.id == self.chosen,
            state: tile.state.clone(),
            figures: tile.figures(self.config.volume, self.config.muted),
            frame: ShownFrame(tile.screen.clone()),
            output_failure: tile.player.as_ref().and_then(Player::output_failure).map(|it| it.kind),
            offered: tile.offered.as_ref().map(|offered| offered.pin),
            notices: tile
                .kept()
                .map(|it| StudioMessage::Player(it.clone()).notice(0, ""))
                .collect(),
        };
        self.tiles.iter().map(view).collect()
    }

    /// Returns the streams of the tiles in order, and their viewports.
    pub fn wall(&self) -> Vec<(String, Viewport)> {
        self.tiles.iter().map(|tile| (tile.url.clone(), tile.viewport)).collect()
    }

    /// Returns the playback options of all players.
    pub fn choices(&self) -> PlayerChoices {
        let (network, viewport) = (self.network.clone(), self.viewport);
        PlayerChoices { network, viewport, ..PlayerChoices::of(&self.config) }
    }
}

/// Executes a command for one player.
fn control(player: &Player, playing: &WatchCommand) -> Result<(), Failure> {
    match playing {
        WatchCommand::Pause(paused) => player.pause(*paused),
        WatchCommand::Seek(to) => {
            player.seek(*to);
        }
        WatchCommand::SeekBehindLive(behind) => {
            player.seek_behind_live(*behind);
        }
        WatchCommand::Step { by, ahead } => {
            player.step(*by, *ahead);
        }
        WatchCommand::GoToLive => player.go_live(),
        WatchCommand::Save(path) => player.start_saving(path)?,
        WatchCommand::StopSaving => player.stop_saving(),
        _ => {}
    }
    Ok(())
}

/// Returns the message for a failure; `tile` is the tile of the player that failed, if any.
pub(super) fn message(failure: &player::Failure, tile: Option<TileId>) -> StudioMessage {
    let key = match failure.kind {
        player::FailureKind::NoSuchStream => "watch-no-stream",
        player::FailureKind::Unreachable => "watch-unreachable",
        player::FailureKind::Refused => "watch-refused",
        player::FailureKind::Lost => "watch-lost",
        player::FailureKind::Codec => "watch-codec",
        player::FailureKind::File => "watch-file",
        player::FailureKind::Usage | player::FailureKind::System => "watch-failed",
    };
    let trust = tile.zip(failure.offered.as_ref().map(|offered| offered.pin));
    StudioMessage::Watch { key, cause: failure.problem.clone(), trust }
}
