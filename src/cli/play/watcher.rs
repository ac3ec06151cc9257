//! The tasks that `onair play` runs alongside its window, or without a window. These tasks end the
//! players after `--duration`, execute `--control`, write `--snapshot` at the end, and print
//! events. The tasks print sentences only without a window.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::base::queue::Receiver;
use crate::base::{Clock, Latest, Timestamp};
use crate::cli::control::{Lines, MAX_COMMANDS_PER_TURN};
use crate::cli::output::events::print;
use crate::cli::output::exit::Exit;
use crate::cli::output::{Output, complain};
use crate::cli::play::args::Args;
use crate::cli::play::control::{PlayCommand, ask};
use crate::cli::play::report::{exit_of, sentence_of};
use crate::cli::play::{control, report};
use crate::cli::window::{POLL_INTERVAL, WindowCompanion};
use crate::media::VideoFrame;
use crate::player::chat::ChatState;
use crate::player::present::screenshot;
use crate::player::{self, FailureKind, Figures, Source, State};
use crate::studio::snapshot::Snapshot;
use crate::studio::watch::view::WatchState;
use crate::studio::{Command, Event, Studio, TileId, WatchCommand, event};
use crate::text::problem::{Problem, problem};

/// Interval between the statistics.
const STATS_INTERVAL: Duration = Duration::from_secs(1);

/// Returns the time of the next statistics after those of `due`. Statistics that were missed, for
/// example while the process was suspended, are not printed later.
fn following(due: Timestamp, now: Timestamp) -> Timestamp {
    let next = due + STATS_INTERVAL;
    if next > now { next } else { now + STATS_INTERVAL }
}

/// The state of the tasks that the module documentation lists.
#[derive(Debug)]
pub(super) struct Watcher {
    args: Args,
    output: Output,
    clock: Clock,
    /// Commands on standard input.
    lines: Option<Lines>,
    tiles: BTreeMap<TileId, Tile>,
    /// The last frame, which is kept because the player clears its frame when it ends.
    last_frame: Option<VideoFrame>,
    /// The state of the chat's connection, and the number of its last line.
    chat: (Option<ChatState>, u64),
    /// With a window, the time at which the first stream began to play.
    playing_since: Option<Timestamp>,
    next_stats: Option<Timestamp>,
    /// The version of the last snapshot.
    seen: u64,
    /// True if the run ended without a request from the user, because the time limit was reached or
    /// no stream could be played.
    over: bool,
    /// True if a command requested the end.
    stopped: bool,
}

/// One of the players.
#[derive(Debug, Default)]
struct Tile {
    /// The last printed state.
    state: State,
    /// The current figures, or the last figures of an ended stream.
    figures: Figures,
    /// The reason why an output file is incomplete.
    output_failure: Option<FailureKind>,
    playing_since: Option<Timestamp>,
    /// True if the time limit of the stream was reached.
    over: bool,
}

impl Tile {
    /// Returns the exit code of the stream. If `over` is true, the time limit was reached, and a
    /// stream that is lost at that time counts as lost.
    fn exit(&self, over: bool) -> Exit {
        match &self.state {
            State::Reconnecting { .. } if over => Exit::Lost,
            State::Failed(failure) => exit_of(failure.kind),
            _ => self.output_failure.map_or(Exit::Ok, exit_of),
        }
    }

    /// Returns true if data of the stream was received. `--duration` is counted from that time on.
    fn has_begun(&self, args: &Args) -> bool {
        self.figures.first_frame.is_some()
            || self.figures.audio_samples > 0
            || (args.save.is_some() && self.figures.received_bytes > 0)
    }
}

impl Watcher {
    pub(super) fn new(args: &Args, output: Output, lines: Option<Lines>, clock: Clock) -> Self {
        output.write_beside();
        Self {
            args: args.clone(),
            output,
            clock,
            lines,
            tiles: BTreeMap::new(),
            last_frame: None,
            chat: (None, 0),
            playing_since: None,
            next_stats: None,
            seen: 0,
            over: false,
            stopped: false,
        }
    }

    /// Returns the index of a tile among several streams, in the order in which they were opened.
    fn index(&self, id: TileId) -> Option<usize> {
        (self.args.sources.len() > 1).then_some(id.slot())
    }

    /// Returns true if events are printed. Otherwise, the window displays the events.
    fn prints_events(&self) -> bool {
        self.args.headless || self.output.is_json()
    }

    /// Handles the events since the last poll.
    fn catch_up(&mut self, studio: &Studio, events: &Receiver<Event>) {
        if let Some(snapshot) = studio.snapshots().newer(&mut self.seen) {
            self.follow(&snapshot);
        }
        while let Ok(event) = events.try_recv() {
            self.print_event(&event);
        }
    }

    /// Handles the changes of the players since the last poll.
    fn follow(&mut self, snapshot: &Snapshot) {
        for view in snapshot.tiles.iter().filter(|view| view.state != WatchState::Idle) {
            let tile = self.tiles.entry(view.id).or_default();
            tile.figures = view.figures.counted.clone();
            tile.output_failure = view.output_failure;
        }
        if self.args.chat.is_some() && self.prints_events() {
            self.print_chat(snapshot);
        }
    }

    fn print_chat(&mut self, snapshot: &Snapshot) {
        let (state, last_number) = &mut self.chat;
        for message in snapshot.chat.lines.iter().filter(|message| message.number > *last_number) {
            report::line(&self.output, None, message.role, &message.line);
        }
        *last_number = snapshot.chat.lines.last().map_or(*last_number, |message| message.number);
        if *state != snapshot.chat.state {
            state.clone_from(&snapshot.chat.state);
            if let Some(state) = state {
                report::chat(&self.output, None, state);
            }
        }
    }

    fn print_event(&mut self, event: &Event) {
        match event {
            Event::Player(id, player::Event::State(state)) => {
                self.print_state(*id, state);
                self.tiles.entry(*id).or_default().state = state.clone();
            }
            // The window shows notices for these messages.
            Event::Player(id, player::Event::Message(message)) if self.args.headless => {
                report::message(&self.output, self.index(*id), message);
            }
            Event::Notice(_) if self.output.is_json() && !self.args.headless => {
                print(&self.output, event);
            }
            Event::Screenshot(_) if self.prints_events() => print(&self.output, event),
            _ => {}
        }
    }

    fn print_state(&self, id: TileId, state: &State) {
        let (index, language) = (self.index(id), self.output.language());
        if let State::Failed(failure) = state
            && self.args.headless
        {
            let source = self.args.sources.get(id.slot()).map(|source| Source::parse(source));
            let text = source.map_or_else(
                || language.say_with_cure(&failure.problem),
                |it| sentence_of(language, &it, failure),
            );
            complain(report::numbered(index, text));
        }
        if let Some(fields) = report::state(language, state) {
            self.say("play", fields, index, || report::state_words(language, state));
        }
    }

    fn say(
        &self,
        name: &str,
        fields: Value,
        index: Option<usize>,
        words: impl FnOnce() -> Option<String>,
    ) {
        if self.prints_events() {
            report::event(&self.output, index, name, fields, words);
        }
    }

    fn print_stats(&mut self, now: Timestamp) {
        let next = *self.next_stats.get_or_insert(now + STATS_INTERVAL);
        if now < next {
            return;
        }
        self.next_stats = Some(following(next, now));
        let plays = |tile: &Tile| !(self.args.headless && (tile.over || tile.state.is_final()));
        for (id, tile) in self.tiles.iter().filter(|(_, tile)| plays(tile)) {
            let fields = report::fields(&tile.figures, self.args.measure);
            let words = || Some(report::stats_words(self.output.language(), &tile.figures));
            self.say("play_stats", fields, self.index(*id), words);
        }
    }

    /// Executes the waiting lines of standard input.
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
                Ok(Some(asked)) => ask::ask(asked, studio, self.args.headless),
                Err(why) => Err(why),
            };
            line.answer(&self.output, &done);
        }
    }

    /// Returns true if all requested streams have ended.
    fn all_ended(&self) -> bool {
        self.tiles.len() >= self.args.sources.len()
            && self.tiles.values().all(|tile| tile.over || tile.state.is_final())
    }

    /// With a window, returns true if `--duration` has elapsed since the first stream began to
    /// play, or if no stream can be played at all.
    fn is_time_over(&mut self, now: Timestamp) -> bool {
        let Some(duration) = self.args.duration else { return false };
        if self.playing_since.is_none() && self.tiles.values().any(|it| it.has_begun(&self.args)) {
            self.playing_since = Some(now);
        }
        match self.playing_since {
            Some(since) => now.since(since) >= duration,
            None => self.all_ended(),
        }
    }

    /// Ends streams after their time limit. Without a window, each stream has its own time limit.
    fn end_in_time(&mut self, studio: &Studio, now: Timestamp) {
        let Some(duration) = self.args.duration else { return };
        let several = self.args.sources.len() > 1;
        for (id, tile) in &mut self.tiles {
            if tile.playing_since.is_none() && tile.has_begun(&self.args) {
                tile.playing_since = Some(now);
            }
            let over = tile.playing_since.is_some_and(|since| now.since(since) >= duration);
            if over && !tile.over && !tile.state.is_final() {
                tile.over = true;
                if several {
                    studio.send(Command::Player(WatchCommand::Remove(*id)));
                }
            }
        }
    }

    /// Writes the last frame to the file of `--snapshot`, if given, and prints the file or the
    /// error. Returns the exit code.
    fn write_screenshot(&self) -> Exit {
        let Some(path) = &self.args.snapshot else { return Exit::Ok };
        let written = match &self.last_frame {
            Some(frame) => screenshot::write(path, frame).map_err(|failure| failure.problem),
            None => Err(problem!("play-no-snapshot")),
        };
        match written {
            Ok(path) => {
                let saved = event::Screenshot { path, reason: None };
                print(&self.output, &Event::Screenshot(saved));
                Exit::Ok
            }
            Err(why) => {
                complain(why.clone());
                if self.output.is_json() {
                    let failed = event::Screenshot { path: path.clone(), reason: Some(why) };
                    print(&self.output, &Event::Screenshot(failed));
                }
                Exit::File
            }
        }
    }

    /// Prints the last line of each stream and, for several streams, of the run. `own` returns the
    /// exit code of a stream. The last line contains the `failure` of the window.
    fn summarize(&self, exit: Exit, own: impl Fn(&Tile) -> Exit, failure: Option<&Problem>) {
        let (alone, measure) = (self.args.sources.len() == 1, self.args.measure);
        let error = failure.map(|why| self.output.language().say_with_cure(why));
        let end = (exit, error.as_deref());
        for (id, tile) in &self.tiles {
            // For a single stream, this is the last line.
            let own = if alone { end } else { (own(tile), None) };
            report::summary(&self.output, &tile.figures, measure, self.index(*id), own);
        }
        let figures: Vec<Figures> = self.tiles.values().map(|tile| tile.figures.clone()).collect();
        match figures.len() {
            0 => report::summary(&self.output, &Figures::default(), measure, None, end),
            1 if alone => {}
            streams => report::totals(&self.output, &figures, streams, end),
        }
    }

    fn look_at_frame(&mut self, studio: &Studio) {
        if self.args.snapshot.is_some() {
            let first = self.tiles.keys().next().map(|id| id.slot());
            let shown = first.and_then(|slot| studio.watched().get(slot).and_then(Latest::get));
            self.last_frame = shown.or_else(|| self.last_frame.take());
        }
    }
}

impl WindowCompanion for Watcher {
    fn interval(&self) -> Duration {
        POLL_INTERVAL
    }

    fn refuse(&self, why: &Problem) -> Exit {
        self.output.refuse(why, Exit::Error);
        self.output.flush();
        Exit::Error
    }

    fn poll(&mut self, studio: &Studio, events: &Receiver<Event>) -> bool {
        self.catch_up(studio, events);
        self.handle(studio);
        self.look_at_frame(studio);
        let now = self.clock.now();
        self.print_stats(now);
        self.over = if self.args.headless {
            self.end_in_time(studio, now);
            self.all_ended()
        } else {
            self.is_time_over(now)
        };
        self.over || self.stopped
    }

    fn end(
        &mut self,
        studio: &Studio,
        events: &Receiver<Event>,
        failure: Option<&Problem>,
    ) -> Exit {
        self.catch_up(studio, events);
        self.look_at_frame(studio);
        let written = self.write_screenshot();
        let written = if studio.has_crashed() { Exit::Error } else { written };
        let own = |tile: &Tile| tile.exit(self.over || tile.over);
        // A user who closes the window has seen the result.
        let shown = !self.over && !self.args.headless;
        let bad = self.tiles.values().map(own).find(|exit| *exit != Exit::Ok);
        let exit = bad.filter(|_| !shown).unwrap_or(written);
        let exit = if failure.is_some() { Exit::Device } else { exit };
        if self.prints_events() {
            self.summarize(exit, own, failure);
        }
        // With a window, the process may end before this value is dropped.
        self.output.flush();
        exit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statistics_that_were_missed_are_not_printed_later() {
        let at = Timestamp::from_millis;
        assert_eq!(following(at(5_000), at(5_010)), at(6_000));
        // The process was stopped for ten minutes.
        assert_eq!(following(at(5_000), at(605_000)), at(606_000));
    }
}
