//! The player in the window: one stream at a time.

use std::time::Duration;

use crate::base::{Clock, Latest};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::player::{self, Player, Source, State};
use crate::studio::message::Message;
use crate::studio::snapshot::{WatchFigures, WatchState};

/// How long a player may take to end before its threads are left to themselves.
const END: Duration = Duration::from_millis(800);

/// The player, or what became of the last one.
#[derive(Debug)]
pub(super) struct Watch {
    screen: Latest<VideoFrame>,
    player: Option<Player>,
    url: String,
    state: WatchState,
    /// How to play, volume and mute as they are now.
    config: player::Config,
}

impl Watch {
    pub(super) fn new(screen: Latest<VideoFrame>, config: player::Config) -> Self {
        let (url, state) = (String::new(), WatchState::Idle);
        Self { screen, player: None, url, state, config }
    }

    /// Plays this URL or file; gives a message where that cannot even begin.
    pub(super) fn open(&mut self, url: String, runtime: &Runtime, clock: Clock) -> Option<Message> {
        self.close();
        self.config.source = Source::parse(&url);
        self.url = url;
        match Player::open(&self.config, runtime, clock, self.screen.clone()) {
            Ok(player) => {
                self.player = Some(player);
                self.state = WatchState::Opening;
                None
            }
            Err(failure) => {
                self.state = WatchState::Failed { cause: failure.cause.clone() };
                Some(message(&failure))
            }
        }
    }

    /// Stops playing. Its threads end in the background.
    pub(super) fn close(&mut self) {
        if let Some(mut player) = self.player.take() {
            // What takes longer than a moment ends on a thread of its own.
            let ending = crate::base::Worker::spawn("watch-end", move |_| {
                player.stop(END);
            });
            if let Err(error) = ending {
                tracing::warn!(%error, "ending the player");
            }
        }
        self.screen.clear();
        self.state = WatchState::Idle;
    }

    pub(super) fn set_volume(&mut self, volume: f32) {
        self.config.volume = if volume.is_finite() { volume.clamp(0.0, 1.0) } else { 1.0 };
        if let Some(player) = &self.player {
            player.set_volume(self.config.volume);
        }
    }

    pub(super) fn set_muted(&mut self, muted: bool) {
        self.config.muted = muted;
        if let Some(player) = &self.player {
            player.set_muted(muted);
        }
    }

    /// What happened since the last call.
    pub(super) fn poll(&mut self) -> Vec<Message> {
        let mut messages = Vec::new();
        let Some(player) = &self.player else { return messages };
        while let Ok(event) = player.events().try_recv() {
            match event {
                player::Event::State(State::Failed(failure)) => messages.push(message(&failure)),
                player::Event::State(_) => {}
                player::Event::Message(said) => messages.push(Message::Player(said)),
            }
        }
        self.state = match player.state() {
            State::Starting | State::Opening { .. } => WatchState::Opening,
            State::Playing => WatchState::Playing,
            State::Reconnecting { cause, .. } => WatchState::Reconnecting { cause },
            State::Ended => WatchState::Ended,
            State::Failed(failure) => WatchState::Failed { cause: failure.cause },
        };
        messages
    }

    pub(super) fn state(&self) -> WatchState {
        self.state.clone()
    }

    pub(super) fn figures(&self) -> WatchFigures {
        let figures = self.player.as_ref().map(Player::figures).unwrap_or_default();
        WatchFigures {
            url: self.url.clone(),
            size: figures.size,
            video: figures.video,
            audio: figures.audio,
            fps: figures.fps,
            bitrate: figures.bitrate,
            buffer: figures.buffer,
            dropped: figures.dropped,
            late: figures.late,
            latency: figures
                .latency_ms
                .and_then(|millis| Duration::try_from_secs_f64(millis / 1_000.0).ok()),
            av_offset_ms: figures.av_offset_ms,
            first_picture: figures.first_picture,
            volume: self.config.volume,
            muted: self.config.muted,
            playing_for: figures.playing_for,
        }
    }
}

fn message(failure: &player::Failure) -> Message {
    let key = match failure.kind {
        player::Kind::NoSuchStream => "watch-no-stream",
        player::Kind::Unreachable => "watch-unreachable",
        player::Kind::Refused => "watch-refused",
        player::Kind::Lost => "watch-lost",
        player::Kind::Codec => "watch-codec",
        player::Kind::File => "watch-file",
        player::Kind::Usage | player::Kind::System => "watch-failed",
    };
    Message::Watch { key, cause: failure.cause.clone(), advice: failure.advice.clone() }
}
