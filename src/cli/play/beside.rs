//! What `onair play` does beside its window: it ends it after `--duration`, writes `--snapshot` at the
//! end, and tells with `--json` what happens, as without a window.

use std::time::Duration;

use serde_json::json;

use super::args::Args;
use super::headless::{event, fields, summary, totals};
use super::words::sentence;
use crate::base::queue::Receiver;
use crate::base::{Clock, Latest, Timestamp};
use crate::cli::Exit;
use crate::cli::output::{Output, complain};
use crate::cli::window::Beside;
use crate::cli::words::print_notice;
use crate::media::VideoFrame;
use crate::player::{Figures, snapshot};
use crate::studio::snapshot::{Snapshot, WatchState};
use crate::studio::{Event, TileId};

/// See the module.
#[derive(Debug)]
pub(super) struct Watcher {
    args: Args,
    output: Output,
    clock: Clock,
    tiles: Vec<Tile>,
    /// What was shown last, which the end of the player clears.
    picture: Option<VideoFrame>,
    playing_since: Option<Timestamp>,
    next_stats: Option<Timestamp>,
}

/// One of the players.
#[derive(Debug)]
struct Tile {
    id: TileId,
    state: WatchState,
    /// While it plays, or as it played last.
    figures: Figures,
}

impl Watcher {
    pub(super) fn new(args: &Args, output: Output, clock: Clock) -> Self {
        Self {
            args: args.clone(),
            output,
            clock,
            tiles: Vec::new(),
            picture: None,
            playing_since: None,
            next_stats: None,
        }
    }

    /// Which of several streams it is.
    fn index(&self, at: usize) -> Option<usize> {
        (self.args.sources.len() > 1).then_some(at)
    }

    /// What has become of the players since the last look.
    fn follow(&mut self, snapshot: &Snapshot) {
        for view in snapshot.tiles.iter().filter(|view| view.state != WatchState::Idle) {
            let known = self.tiles.iter().position(|tile| tile.id == view.id);
            let at = known.unwrap_or(self.tiles.len());
            if known.is_none() {
                let (state, figures) = (WatchState::Idle, Figures::default());
                self.tiles.push(Tile { id: view.id, state, figures });
            }
            let index = self.index(at);
            let Some(tile) = self.tiles.get_mut(at) else { continue };
            tile.figures = view.counted.clone();
            if tile.state != view.state {
                tile.state = view.state.clone();
                self.tell(&view.state, index);
            }
        }
    }

    fn tell(&self, state: &WatchState, index: Option<usize>) {
        let fields = match state {
            WatchState::Idle => return,
            WatchState::Opening => json!({ "state": "opening" }),
            WatchState::Playing => json!({ "state": "playing" }),
            WatchState::Reconnecting { cause } => {
                json!({ "state": "reconnecting", "cause": cause })
            }
            WatchState::Ended => json!({ "state": "ended" }),
            WatchState::Failed { cause } => json!({ "state": "failed", "cause": cause }),
        };
        self.say("play", fields, index);
    }

    /// In words the window says it.
    fn say(&self, name: &str, fields: serde_json::Value, index: Option<usize>) {
        if self.output.is_json() {
            event(&self.output, index, name, fields, || None);
        }
    }
}

impl Beside for Watcher {
    fn look(
        &mut self,
        snapshot: &Snapshot,
        events: &Receiver<Event>,
        watched: &[Latest<VideoFrame>],
    ) -> bool {
        self.follow(snapshot);
        while let Ok(event) = events.try_recv() {
            if let (true, Event::Notice(notice)) = (self.output.is_json(), &event) {
                print_notice(&self.output, notice);
            }
        }
        let first = self.tiles.first().map(|tile| tile.id.slot());
        if self.args.snapshot.is_some()
            && let Some(frame) = first.and_then(|slot| watched.get(slot)).and_then(Latest::get)
        {
            self.picture = Some(frame);
        }
        let now = self.clock.now();
        let plays = |tile: &Tile| {
            tile.figures.first_picture.is_some()
                || tile.figures.audio_samples > 0
                || (self.args.save.is_some() && tile.figures.received_bytes > 0)
        };
        if self.playing_since.is_none() && self.tiles.iter().any(plays) {
            self.playing_since = Some(now);
        }
        let next = *self.next_stats.get_or_insert(now + Duration::from_secs(1));
        if now >= next {
            self.next_stats = Some(next + Duration::from_secs(1));
            for (at, tile) in self.tiles.iter().enumerate() {
                self.say("play_stats", fields(&tile.figures, self.args.measure), self.index(at));
            }
        }
        let over = self.playing_since.zip(self.args.duration);
        over.is_some_and(|(since, duration)| now.since(since) >= duration)
    }

    fn end(&mut self) -> Exit {
        let mut exit = Exit::Ok;
        if let Some(path) = &self.args.snapshot {
            let written = match &self.picture {
                Some(frame) => snapshot::write(path, frame).map_err(|failure| sentence(&failure)),
                None => Err("no picture was shown, so there is no snapshot".to_owned()),
            };
            if let Err(why) = written {
                complain(&why);
                exit = Exit::File;
            }
        }
        if !self.output.is_json() {
            return exit;
        }
        for (at, tile) in self.tiles.iter().enumerate() {
            summary(&self.output, &tile.figures, self.args.measure, self.index(at), exit);
        }
        let figures: Vec<Figures> = self.tiles.iter().map(|tile| tile.figures.clone()).collect();
        match figures.len() {
            0 => summary(&self.output, &Figures::default(), self.args.measure, None, exit),
            1 if self.args.sources.len() == 1 => {}
            streams => totals(&self.output, &figures, streams, exit),
        }
        exit
    }
}
