//! The handle of the studio: starts it, sends commands, and reads its state.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::worker::Stuck;
use crate::base::{Clock, Latest, Worker};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::engine::config::Config;
use crate::studio::engine::notice_board::NoticeBoard;
use crate::studio::engine::server::BuiltIn;
use crate::studio::engine::settings_file::SettingsFile;
use crate::studio::engine::state::{
    Broadcast, EndingTasks, EngineState, KeptSecrets, Machine, Startup, TargetList,
};
use crate::studio::event::Event;
use crate::studio::snapshot::Snapshot;
use crate::studio::watch::Players;
use crate::studio::watch::choices::MAX_TILES;
use crate::studio::watch::service_chats::ServiceChats;

/// Maximum number of waiting commands. The studio executes commands faster than a user sends them.
const MAX_WAITING_COMMANDS: usize = 256;

/// Maximum number of unread events; the oldest are dropped first.
const MAX_UNREAD_EVENTS: usize = 1_024;

/// Maximum number of events of a broadcast that is ending; a few for each target.
const MAX_ENDING_EVENTS: usize = 256;

/// Interval between checks whether commands were executed.
const SETTLE_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// The sending end of the commands, which counts them. The lock gives each command its number in
/// the order in which the studio executes them.
#[derive(Clone, Debug)]
struct CommandSender {
    commands: Sender<Command>,
    /// The number of commands sent.
    sent: Arc<Mutex<u64>>,
}

impl CommandSender {
    fn new(commands: Sender<Command>) -> Self {
        Self { commands, sent: Arc::default() }
    }

    fn send(&self, command: Command) {
        let mut sent = self.sent.lock();
        *sent += 1;
        // A studio that has ended executes no commands.
        let _ = self.commands.send(command);
    }

    /// Sends a command unless half of the queue is full, so that the window never waits because of
    /// others. Returns the number of commands sent.
    fn offer(&self, command: Command) -> Option<u64> {
        let mut sent = self.sent.lock();
        if self.commands.len() >= MAX_WAITING_COMMANDS / 2 {
            return None;
        }
        match self.commands.offer(command, Duration::ZERO) {
            Ok(None) => {
                *sent += 1;
                Some(*sent)
            }
            Ok(Some(_)) | Err(_) => None,
        }
    }
}

/// What another thread needs to operate the studio, for example for remote control. Unlike the
/// [`Studio`], it never waits.
#[derive(Clone, Debug)]
pub struct StudioLink {
    sender: CommandSender,
    pub snapshots: Latest<Snapshot>,
    /// The frames of the program.
    pub program: Latest<VideoFrame>,
    pub runtime: Runtime,
    pub clock: Clock,
}

impl StudioLink {
    /// Sends a command, and returns its number, with which [`Snapshot::is_settled`] tells whether
    /// the snapshot shows its effect. Returns `None` if too many commands wait, or the studio has
    /// ended.
    pub fn send(&self, command: Command) -> Option<u64> {
        self.sender.offer(command)
    }
}

/// A running studio. Dropping it requests its end; [`Studio::end`] waits.
#[derive(Debug)]
pub struct Studio {
    commands: CommandSender,
    runtime: Runtime,
    clock: Clock,
    /// True if the end was requested.
    ending: AtomicBool,
    events: Option<Receiver<Event>>,
    snapshot: Latest<Snapshot>,
    program: Latest<VideoFrame>,
    watched: Vec<Latest<VideoFrame>>,
    worker: Worker,
}

impl Studio {
    /// Starts the studio: opens the sources and runs the program, but sends nothing yet.
    ///
    /// # Errors
    /// Fails if the system provides no threads.
    pub fn start(config: Config) -> std::io::Result<Self> {
        let warnings = config.warnings.clone();
        let (engine, ends) = assemble(config)?;
        let (runtime, clock) = (engine.runtime.clone(), engine.clock);
        let OwnerEnds { commands, events, snapshot, program, watched } = ends;
        let worker = Worker::spawn("studio", move |_| engine.run(warnings))?;
        let (ending, events) = (AtomicBool::new(false), Some(events));
        let commands = CommandSender::new(commands);
        Ok(Self { commands, runtime, clock, ending, events, snapshot, program, watched, worker })
    }

    /// Sends a command; later snapshots and events show its effect.
    pub fn send(&self, command: Command) {
        if command == Command::Quit {
            self.ending.store(true, Ordering::Relaxed);
        }
        self.commands.send(command);
    }

    /// Returns true if the end was requested.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Returns true if the studio's thread ended without ending the studio: it has panicked.
    pub fn has_crashed(&self) -> bool {
        self.worker.is_finished() && !self.snapshot().ended
    }

    /// Returns true if all commands were executed and the snapshot shows their effect.
    pub fn is_settled(&self) -> bool {
        let sent = *self.commands.sent.lock();
        self.snapshot.get().is_some_and(|snapshot| snapshot.is_settled(sent))
    }

    /// Waits for at most `limit` until the studio is settled. Returns true if it is.
    pub fn settle(&self, limit: Duration) -> bool {
        let mut waited = Duration::ZERO;
        while !self.is_settled() {
            if waited >= limit {
                return false;
            }
            std::thread::sleep(SETTLE_POLL_INTERVAL);
            waited += SETTLE_POLL_INTERVAL;
        }
        true
    }

    /// Returns the current state of the studio.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.get().unwrap_or_default()
    }

    /// Returns the slot of the snapshots, for readers that need to be woken.
    pub fn snapshots(&self) -> Latest<Snapshot> {
        self.snapshot.clone()
    }

    /// Returns what another thread needs to operate the studio.
    pub fn link(&self) -> StudioLink {
        StudioLink {
            sender: self.commands.clone(),
            snapshots: self.snapshot.clone(),
            program: self.program.clone(),
            runtime: self.runtime.clone(),
            clock: self.clock,
        }
    }

    /// Returns the events in order. Only the first caller gets them.
    pub fn events(&mut self) -> Option<Receiver<Event>> {
        self.events.take()
    }

    /// Returns the frames of the program.
    pub fn program(&self) -> Latest<VideoFrame> {
        self.program.clone()
    }

    /// Returns the frames of the players: a slot for each possible tile, by
    /// [`TileId`](crate::studio::notices::TileId).
    pub fn watched(&self) -> Vec<Latest<VideoFrame>> {
        self.watched.clone()
    }

    /// Ends everything cleanly and waits for at most `limit`.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the studio has not ended by then.
    pub fn end(mut self, limit: Duration) -> Result<(), Stuck> {
        self.send(Command::Quit);
        self.worker.wait(limit)
    }
}

/// The ends of a studio's queues and slots that the studio's owner holds.
pub(super) struct OwnerEnds {
    pub commands: Sender<Command>,
    pub events: Receiver<Event>,
    pub snapshot: Latest<Snapshot>,
    pub program: Latest<VideoFrame>,
    pub watched: Vec<Latest<VideoFrame>>,
}

/// Creates a studio that does not run yet.
pub(super) fn assemble(mut config: Config) -> std::io::Result<(Engine, OwnerEnds)> {
    let (commands, waiting) = queue::bounded("commands", MAX_WAITING_COMMANDS, Full::Block);
    let (happened, events) = queue::bounded("events", MAX_UNREAD_EVENTS, Full::DropOldest);
    let snapshot = Latest::default();
    let watched: Vec<Latest<VideoFrame>> =
        std::iter::repeat_with(Latest::default).take(MAX_TILES).collect();
    let program = Latest::default();
    let settings = std::mem::take(&mut config.settings);
    let network = (settings.player.network.clone(), settings.player.viewport);
    let players = config.players_path.take().map(|path| (path, settings.clone()));
    let engine = Engine {
        clock: config.clock,
        runtime: Runtime::start()?,
        commands: waiting,
        output: snapshot.clone(),
        program_frames: program.clone(),
        preview_frames: Latest::default(),
        watch: Players::new(watched.clone(), config.player.clone(), network, config.find_chat),
        service_chats: ServiceChats::default(),
        built_in: BuiltIn::new(
            config.serve,
            config.server_token.take(),
            config.play_key.clone(),
            &settings,
        )
        .with_flags(std::mem::take(&mut config.server))
        .with_guests(config.guests, config.meeting.take()),
        file: SettingsFile::new(config.settings_path.take(), players, config.on_air_mark.take()),
        services: std::mem::take(&mut config.services),
        notices: NoticeBoard::new(happened),
        last_words: queue::bounded("last-words", MAX_ENDING_EVENTS, Full::DropOldest),
        live: Broadcast::default(),
        targets: TargetList::default(),
        secrets: KeptSecrets::default(),
        startup: Startup::default(),
        machine: Machine::default(),
        endings: EndingTasks::default(),
        state: EngineState::default(),
        settings,
        config,
    };
    Ok((engine, OwnerEnds { commands, events, snapshot, program, watched }))
}

impl Drop for Studio {
    fn drop(&mut self) {
        self.commands.send(Command::Quit);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::engine::handlers::live::tests::at_rest;

    const LIMIT: Duration = Duration::from_secs(60);

    /// Returns a studio whose thread has run `body`.
    fn after(body: impl FnOnce(Engine) + Send + 'static) -> Studio {
        let (mut engine, ends) = at_rest(None);
        engine.config.program = false;
        let (runtime, clock) = (engine.runtime.clone(), engine.clock);
        let OwnerEnds { commands, events, snapshot, program, watched } = ends;
        let mut worker = Worker::spawn("studio", move |_| body(engine)).unwrap();
        let _ = commands.send(Command::Quit);
        worker.wait(LIMIT).unwrap();
        let (ending, events) = (AtomicBool::new(false), Some(events));
        let commands = CommandSender::new(commands);
        Studio { commands, runtime, clock, ending, events, snapshot, program, watched, worker }
    }

    #[test]
    fn a_studio_that_panicked_has_not_ended() {
        assert!(!after(|engine| engine.run(Vec::new())).has_crashed());
        assert!(after(|_| panic!("in a part")).has_crashed());
    }
}
