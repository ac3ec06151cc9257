//! One stream that is played without a window, and what is told of it.

use std::time::Duration;

use serde_json::{Value, json};

use crate::base::{Clock, Timestamp};
use crate::cli::output::exit::Exit;
use crate::cli::output::{Output, complain, events};
use crate::cli::play::args::Args;
use crate::cli::play::report;
use crate::cli::play::report::{exit_of, sentence, sentence_of};
use crate::media::VideoFrame;
use crate::player::chat::{Chat, ChatState};
use crate::player::present::screenshot;
use crate::player::{Event, Figures, Player, PlayerMessage, Severity, Source, State};
use crate::studio;

/// Whether it has something of the stream: `--duration` counts from then on.
pub(super) fn has_begun(args: &Args, figures: &Figures) -> bool {
    figures.first_frame.is_some()
        || figures.audio_samples > 0
        || (args.save.is_some() && figures.received_bytes > 0)
}

/// Writes the last picture where `--snapshot` says, if it does, and says where; or why not, and ends so.
pub(super) fn write_snapshot(args: &Args, picture: Option<&VideoFrame>, output: &Output) -> Exit {
    let Some(path) = &args.snapshot else { return Exit::Ok };
    let written = match picture {
        Some(frame) => screenshot::write(path, frame).map_err(|failure| sentence(&failure)),
        None => Err("no picture was shown, so there is no snapshot".to_owned()),
    };
    match written {
        Ok(path) => {
            let saved = crate::studio::event::Snapshot { path, reason: None, trouble: None };
            events::print(output, &studio::Event::Snapshot(saved));
            Exit::Ok
        }
        Err(why) => {
            complain(&why);
            Exit::File
        }
    }
}

/// One of the streams, and what is told of it.
pub(super) struct Watching<'a> {
    args: &'a Args,
    output: &'a Output,
    clock: Clock,
    /// Which of several streams; `None` where there is one.
    index: Option<usize>,
    pub(super) player: Player,
    pub(super) chat: Option<Chat>,
    chat_state: Option<ChatState>,
    playing_since: Option<Timestamp>,
    next_stats: Option<Timestamp>,
    /// How it ended, once it has.
    pub(super) ended: Option<Exit>,
}

impl<'a> Watching<'a> {
    /// A stream that begins; `index`: which of several.
    pub(super) fn new(
        (args, output, clock): (&'a Args, &'a Output, Clock),
        index: Option<usize>,
        player: Player,
        chat: Option<Chat>,
    ) -> Self {
        let (chat_state, playing_since, next_stats, ended) = (None, None, None, None);
        Self {
            args,
            output,
            clock,
            index,
            player,
            chat,
            chat_state,
            playing_since,
            next_stats,
            ended,
        }
    }

    /// Which of the streams that were asked for, counted from 0.
    pub(super) fn number(&self) -> usize {
        self.index.unwrap_or(0)
    }

    /// Tells what has happened; how it ended, once it has.
    pub(super) fn step(&mut self) -> Option<Exit> {
        while let Ok(event) = self.player.events().try_recv() {
            self.tell(&event);
        }
        self.tell_chat();
        let now = self.clock.now();
        let state = self.player.state();
        let figures = self.player.figures();
        if self.playing_since.is_none() && has_begun(self.args, &figures) {
            self.playing_since = Some(now);
        }
        let next = *self.next_stats.get_or_insert(now + Duration::from_secs(1));
        if now >= next {
            self.next_stats = Some(next + Duration::from_secs(1));
            self.stats(&figures);
        }
        match state {
            State::Ended => return Some(Exit::Ok),
            State::Failed(failure) => return Some(exit_of(failure.kind)),
            _ => {}
        }
        if let (Some(since), Some(duration)) = (self.playing_since, self.args.duration)
            && now.since(since) >= duration
        {
            let lost = matches!(state, State::Reconnecting { .. });
            return Some(if lost { Exit::Lost } else { Exit::Ok });
        }
        None
    }

    /// Stops it, completes its files and says what it came to.
    pub(super) fn end(&mut self, exit: Exit) {
        let mut exit = exit;
        if !self.player.stop(Duration::from_secs(3)) && exit == Exit::Ok {
            exit = Exit::Error;
        }
        // Stopping may have had a last word.
        while let Ok(event) = self.player.events().try_recv() {
            self.tell(&event);
        }
        if let Some(failure) = self.player.output_failure()
            && exit == Exit::Ok
        {
            exit = exit_of(failure.kind);
        }
        let written = write_snapshot(self.args, self.player.picture().as_ref(), self.output);
        if exit == Exit::Ok {
            exit = written;
        }
        report::summary(self.output, &self.player.figures(), self.args.measure, self.index, exit);
        self.ended = Some(exit);
    }

    /// An event, with the number of its stream where there are several.
    fn event(&self, name: &str, fields: Value, words: impl FnOnce() -> Option<String>) {
        report::event(self.output, self.index, name, fields, words);
    }

    fn tell(&self, event: &Event) {
        match event {
            Event::State(state) => self.tell_state(state),
            Event::Message(message) => self.tell_message(message),
            Event::Line(line) if self.args.chat.is_some() => {
                report::line(self.output, self.index, line);
            }
            Event::Line(_) => {}
        }
    }

    /// What was said in the chat, and whether it can be heard.
    fn tell_chat(&mut self) {
        let Some(chat) = &self.chat else { return };
        for line in chat.heard().waiting() {
            report::line(self.output, self.index, &line);
        }
        let state = chat.state();
        if self.chat_state.as_ref() == Some(&state) {
            return;
        }
        report::chat(self.output, self.index, &state);
        self.chat_state = Some(state);
    }

    fn tell_state(&self, state: &State) {
        let Some(fields) = report::state(state) else { return };
        if let State::Failed(failure) = state {
            let source = self.args.sources.get(self.number()).map(|source| Source::parse(source));
            let said = source.map_or_else(|| sentence(failure), |it| sentence_of(&it, failure));
            complain(&report::numbered(self.index, said));
        }
        self.event("play", fields, || match state {
            State::Starting | State::Opening { .. } | State::Failed(_) => None,
            State::Playing => Some("Playing.".to_owned()),
            State::Reconnecting { cause, retry_in } => {
                Some(format!("Lost: {cause}. Next try in {:.1} s.", retry_in.as_secs_f64()))
            }
            State::Ended => Some("The stream has ended.".to_owned()),
        });
    }

    fn tell_message(&self, message: &PlayerMessage) {
        let language = self.output.language();
        let cure = language.cure(&message.problem).unwrap_or_default();
        let level = match message.severity {
            Severity::Info => "info",
            Severity::Warning => "warning",
        };
        let fields = json!({
            "level": level,
            "key": message.key(),
            "summary": language.say(&message.problem),
            "advice": cure,
            "detail": message.detail,
        });
        self.event("notice", fields, || {
            Some(format!("{} {cure}", language.say(&message.problem)).trim_end().to_owned())
        });
    }

    fn stats(&self, figures: &Figures) {
        self.event("play_stats", report::fields(figures, self.args.measure), || {
            let size = figures.size.map_or_else(|| "no picture".to_owned(), |s| s.to_string());
            Some(format!(
                "{size} {:.1} fps · {} kbps · buffer {} ms · {} dropped · {} underruns{}",
                figures.fps,
                figures.bitrate / 1_000,
                figures.buffer.as_millis(),
                figures.dropped,
                figures.underruns,
                figures.latency_ms.map_or_else(String::new, |ms| format!(" · latency {ms:.0} ms")),
            ))
        });
    }
}
