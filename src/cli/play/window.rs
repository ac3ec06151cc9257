//! What `onair play` does beside its window: it ends it after `--duration`, writes `--snapshot` at the
//! end, and tells with `--json` what happens, as without a window.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::base::queue::Receiver;
use crate::base::{Clock, Latest, Timestamp};
use crate::cli::control::{Lines, MAX_COMMANDS_PER_TURN};
use crate::cli::output::Output;
use crate::cli::output::events::print;
use crate::cli::output::exit::Exit;
use crate::cli::play::args::Args;
use crate::cli::play::control::{PlayCommand, window};
use crate::cli::play::report::exit_of;
use crate::cli::play::session::{has_begun, write_snapshot};
use crate::cli::play::{control, report};
use crate::cli::window::Beside;
use crate::media::VideoFrame;
use crate::player::chat::ChatState;
use crate::player::{Figures, State};
use crate::studio::snapshot::Snapshot;
use crate::studio::watch::view::WatchState;
use crate::studio::{Event, Studio, TileId};

/// See the module.
#[derive(Debug)]
pub(super) struct WindowWatcher {
    args: Args,
    output: Output,
    clock: Clock,
    /// Commands on standard input.
    lines: Option<Lines>,
    tiles: BTreeMap<TileId, Tile>,
    /// What was shown last, which the end of the player clears.
    picture: Option<VideoFrame>,
    /// Of the chat: how its connection is, and the number of its last line.
    chat: (Option<ChatState>, u64),
    playing_since: Option<Timestamp>,
    next_stats: Option<Timestamp>,
    /// The snapshot that was looked at last.
    seen: u64,
    /// The time is over, or there is nothing that could be played: not the person ended it.
    over: bool,
    /// A line asked for the end.
    stopped: bool,
}

/// One of the players.
#[derive(Debug, Default)]
struct Tile {
    /// As it was told last.
    state: State,
    /// While it plays, or as it played last.
    figures: Figures,
}

impl Tile {
    /// How it ends; `over`: the time is over, and what is lost then is.
    fn exit(&self, over: bool) -> Exit {
        match &self.state {
            State::Reconnecting { .. } if over => Exit::Lost,
            State::Failed(failure) => exit_of(failure.kind),
            _ => Exit::Ok,
        }
    }
}

impl WindowWatcher {
    /// # Errors
    /// When the system grants no thread to read commands.
    pub(super) fn new(args: &Args, output: Output, clock: Clock) -> std::io::Result<Self> {
        Ok(Self {
            args: args.clone(),
            output,
            clock,
            lines: args.control.then(Lines::listen).transpose()?,
            tiles: BTreeMap::new(),
            picture: None,
            chat: (None, 0),
            playing_since: None,
            next_stats: None,
            seen: 0,
            over: false,
            stopped: false,
        })
    }

    /// Which of several streams it is: they are opened in the order of their places.
    fn index(&self, id: TileId) -> Option<usize> {
        (self.args.sources.len() > 1).then_some(id.slot())
    }

    /// What has happened since the last look.
    fn catch_up(&mut self, studio: &Studio, events: &Receiver<Event>) {
        if let Some(snapshot) = studio.snapshots().newer(&mut self.seen) {
            self.follow(&snapshot);
        }
        while let Ok(event) = events.try_recv() {
            self.tell(&event);
        }
    }

    /// What has become of the players since the last look.
    fn follow(&mut self, snapshot: &Snapshot) {
        for view in snapshot.tiles.iter().filter(|view| view.state != WatchState::Idle) {
            self.tiles.entry(view.id).or_default().figures = view.counted.clone();
        }
        if self.args.chat.is_some() && self.output.is_json() {
            self.tell_chat(snapshot);
        }
    }

    fn tell_chat(&mut self, snapshot: &Snapshot) {
        let (state, told) = &mut self.chat;
        for heard in snapshot.chat.lines.iter().filter(|heard| heard.number > *told) {
            report::line(&self.output, None, &heard.line);
        }
        *told = snapshot.chat.lines.last().map_or(*told, |heard| heard.number);
        if *state != snapshot.chat.state {
            state.clone_from(&snapshot.chat.state);
            if let Some(state) = state {
                report::chat(&self.output, None, state);
            }
        }
    }

    /// In words the window says all of this.
    fn tell(&mut self, event: &Event) {
        match event {
            Event::Player(id, state) => {
                if let Some(fields) = report::state(state) {
                    self.say("play", fields, self.index(*id));
                }
                self.tiles.entry(*id).or_default().state = state.clone();
            }
            Event::Notice(_) | Event::Snapshot(_) if self.output.is_json() => {
                print(&self.output, event);
            }
            _ => {}
        }
    }

    fn say(&self, name: &str, fields: serde_json::Value, index: Option<usize>) {
        if self.output.is_json() {
            report::event(&self.output, index, name, fields, || None);
        }
    }

    /// Obeys the lines that wait.
    fn handle(&mut self, studio: &Studio) {
        let ends = |text: &str| matches!(control::parse(text), Ok(Some(PlayCommand::Stop)));
        for _ in 0..MAX_COMMANDS_PER_TURN {
            let line = self.lines.as_mut().and_then(|it| it.take_for(studio, ends));
            let Some(line) = line else { break };
            let done = match control::parse(&line.text) {
                Ok(None) => continue,
                Ok(Some(PlayCommand::Stop)) => {
                    self.stopped = true;
                    Ok(())
                }
                Ok(Some(asked)) => window::ask(asked, studio),
                Err(why) => Err(why),
            };
            line.answer(&self.output, &done);
        }
    }

    /// Whether all that was asked for has come to its end and nothing of it was ever played: no time
    /// begins to run then.
    fn is_unreachable(&self) -> bool {
        self.playing_since.is_none()
            && self.tiles.len() >= self.args.sources.len()
            && self.tiles.values().all(|tile| tile.state.is_final())
    }
}

impl Beside for WindowWatcher {
    fn look(&mut self, studio: &Studio, events: &Receiver<Event>) -> bool {
        self.catch_up(studio, events);
        self.handle(studio);
        if self.args.snapshot.is_some() {
            let first = self.tiles.keys().next().map(|id| id.slot());
            let shown = first.and_then(|slot| studio.watched().get(slot).and_then(Latest::get));
            self.picture = shown.or_else(|| self.picture.take());
        }
        let now = self.clock.now();
        let mut all = self.tiles.values();
        if self.playing_since.is_none() && all.any(|it| has_begun(&self.args, &it.figures)) {
            self.playing_since = Some(now);
        }
        let next = *self.next_stats.get_or_insert(now + Duration::from_secs(1));
        if now >= next {
            self.next_stats = Some(next + Duration::from_secs(1));
            for (id, tile) in &self.tiles {
                let fields = report::fields(&tile.figures, self.args.measure);
                self.say("play_stats", fields, self.index(*id));
            }
        }
        let time = self.playing_since.zip(self.args.duration);
        let passed = time.is_some_and(|(since, duration)| now.since(since) >= duration);
        self.over = passed || self.args.duration.is_some() && self.is_unreachable();
        self.over || self.stopped
    }

    fn end(&mut self, studio: &Studio, events: &Receiver<Event>) -> Exit {
        self.catch_up(studio, events);
        let written = write_snapshot(&self.args, self.picture.as_ref(), &self.output);
        // A person who closes the window has seen what became of it.
        let bad = self.tiles.values().map(|tile| tile.exit(true)).find(|exit| *exit != Exit::Ok);
        let exit = bad.filter(|_| self.over).unwrap_or(written);
        if !self.output.is_json() {
            return exit;
        }
        let (alone, measure) = (self.args.sources.len() == 1, self.args.measure);
        for (id, tile) in &self.tiles {
            // Of one stream it is the last line.
            let own = if alone { exit } else { tile.exit(self.over) };
            report::summary(&self.output, &tile.figures, measure, self.index(*id), own);
        }
        let figures: Vec<Figures> = self.tiles.values().map(|tile| tile.figures.clone()).collect();
        match figures.len() {
            0 => report::summary(&self.output, &Figures::default(), measure, None, exit),
            1 if alone => {}
            streams => report::totals(&self.output, &figures, streams, exit),
        }
        exit
    }
}
