//! What `onair play` does beside its window: it ends it after `--duration`, writes `--snapshot` at the
//! end, and tells with `--json` what happens, as without a window.

use std::time::Duration;

use serde_json::json;

use super::args::Args;
use super::headless::{event, fields, has_begun, summary, totals, write_snapshot};
use super::words::exit_of;
use crate::base::queue::Receiver;
use crate::base::{Clock, Latest, Timestamp};
use crate::cli::Exit;
use crate::cli::output::Output;
use crate::cli::window::Beside;
use crate::cli::words::print_notice;
use crate::media::VideoFrame;
use crate::player::Figures;
use crate::studio::snapshot::{Snapshot, WatchState};
use crate::studio::{Event, Studio, TileId};

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
    /// The snapshot that was looked at last.
    seen: u64,
    /// How the command ends.
    exit: Exit,
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
            seen: 0,
            exit: Exit::Ok,
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
            WatchState::Failed { cause, .. } => json!({ "state": "failed", "cause": cause }),
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

/// How the command ends where the time is over and this is what has become of a stream.
fn exit_with(state: &WatchState) -> Exit {
    match state {
        WatchState::Reconnecting { .. } => Exit::Lost,
        WatchState::Failed { kind, .. } => exit_of(*kind),
        WatchState::Idle | WatchState::Opening | WatchState::Playing | WatchState::Ended => {
            Exit::Ok
        }
    }
}

impl Beside for Watcher {
    fn look(&mut self, studio: &Studio, events: &Receiver<Event>) -> bool {
        if let Some(snapshot) = studio.snapshots().newer(&mut self.seen) {
            self.follow(&snapshot);
        }
        while let Ok(event) = events.try_recv() {
            if let (true, Event::Notice(notice)) = (self.output.is_json(), &event) {
                print_notice(&self.output, notice);
            }
        }
        if self.args.snapshot.is_some() {
            let first = self.tiles.first().map(|tile| tile.id.slot());
            let shown = first.and_then(|slot| studio.watched().get(slot).and_then(Latest::get));
            self.picture = shown.or_else(|| self.picture.take());
        }
        let now = self.clock.now();
        let mut all = self.tiles.iter();
        if self.playing_since.is_none() && all.any(|it| has_begun(&self.args, &it.figures)) {
            self.playing_since = Some(now);
        }
        let next = *self.next_stats.get_or_insert(now + Duration::from_secs(1));
        if now >= next {
            self.next_stats = Some(next + Duration::from_secs(1));
            for (at, tile) in self.tiles.iter().enumerate() {
                self.say("play_stats", fields(&tile.figures, self.args.measure), self.index(at));
            }
        }
        let time = self.playing_since.zip(self.args.duration);
        let over = time.is_some_and(|(since, duration)| now.since(since) >= duration);
        if over {
            // A person who closes the window has seen it.
            let exits = self.tiles.iter().map(|tile| exit_with(&tile.state));
            self.exit = exits.into_iter().find(|exit| *exit != Exit::Ok).unwrap_or(Exit::Ok);
        }
        over
    }

    fn end(&mut self) -> Exit {
        let written = write_snapshot(&self.args, self.picture.as_ref());
        let exit = if self.exit == Exit::Ok { written } else { self.exit };
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
