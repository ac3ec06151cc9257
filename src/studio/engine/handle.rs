//! The studio as others hold it: start it, send commands, look at it.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::worker::Stuck;
use crate::base::{Latest, Worker};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::engine::config::Config;
use crate::studio::engine::notice_board::NoticeBoard;
use crate::studio::engine::server::BuiltIn;
use crate::studio::engine::settings_file::SettingsFile;
use crate::studio::engine::state::{
    Broadcast, Endings, EngineState, KeptSecrets, Machine, Startup, TargetList,
};
use crate::studio::event::Event;
use crate::studio::snapshot::Snapshot;
use crate::studio::watch::Players;
use crate::studio::watch::choices::MAX_TILES;

/// Commands that may wait; a person cannot type faster than the studio obeys.
const COMMANDS: usize = 256;

/// Events that wait to be printed; the oldest go first.
const EVENTS: usize = 1_024;

/// Events of a broadcast being ended; a few for each target.
const LAST_WORDS: usize = 256;

/// How often to check whether commands were executed.
const SETTLE_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// A running studio. Dropping it asks it to end; [`Studio::end`] waits.
#[derive(Debug)]
pub struct Studio {
    commands: Sender<Command>,
    /// The number of commands sent.
    sent: AtomicU64,
    /// Its end was asked for.
    ending: AtomicBool,
    events: Option<Receiver<Event>>,
    snapshot: Latest<Snapshot>,
    program: Latest<VideoFrame>,
    watched: Vec<Latest<VideoFrame>>,
    worker: Worker,
}

impl Studio {
    /// Starts the studio: sources open and the program runs, but nothing is sent yet.
    ///
    /// # Errors
    /// Fails if the system grants no threads.
    pub fn start(config: Config) -> std::io::Result<Self> {
        let warnings = config.warnings.clone();
        let (engine, ends) = assemble(config)?;
        let Ends { commands, events, snapshot, program, watched } = ends;
        let worker = Worker::spawn("studio", move |_| engine.run(warnings))?;
        let (sent, ending, events) = (AtomicU64::new(0), AtomicBool::new(false), Some(events));
        Ok(Self { commands, sent, ending, events, snapshot, program, watched, worker })
    }

    /// Sends a command; later snapshots and events show its effect.
    pub fn send(&self, command: Command) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        if command == Command::Quit {
            self.ending.store(true, Ordering::Relaxed);
        }
        // A studio that has ended obeys nothing.
        let _ = self.commands.send(command);
    }

    /// Returns true if somebody has asked it to end.
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    /// Returns true if all commands were executed and the snapshot shows their effect.
    pub fn is_settled(&self) -> bool {
        let sent = self.sent.load(Ordering::Relaxed);
        self.snapshot.get().is_some_and(|snapshot| snapshot.obeyed >= sent)
    }

    /// Waits for that, at most `limit`; returns whether it is so.
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

    /// The present state.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.get().unwrap_or_default()
    }

    /// The snapshots, for readers that need a wake-up.
    pub fn snapshots(&self) -> Latest<Snapshot> {
        self.snapshot.clone()
    }

    /// The events in order; the first caller gets them.
    pub fn events(&mut self) -> Option<Receiver<Event>> {
        self.events.take()
    }

    /// The program's frames.
    pub fn program(&self) -> Latest<VideoFrame> {
        self.program.clone()
    }

    /// The players' frames: a slot for each possible tile, by
    /// [`TileId`](crate::studio::notices::TileId).
    pub fn watched(&self) -> Vec<Latest<VideoFrame>> {
        self.watched.clone()
    }

    /// Ends everything properly and waits, at most `limit`.
    ///
    /// # Errors
    /// [`Stuck`] when it had not ended by then.
    pub fn end(mut self, limit: Duration) -> Result<(), Stuck> {
        self.send(Command::Quit);
        self.worker.wait(limit)
    }
}

/// The owner's ends of a studio.
pub(in crate::studio) struct Ends {
    pub commands: Sender<Command>,
    pub events: Receiver<Event>,
    pub snapshot: Latest<Snapshot>,
    pub program: Latest<VideoFrame>,
    pub watched: Vec<Latest<VideoFrame>>,
}

/// A studio that does not run yet.
pub(in crate::studio) fn assemble(mut config: Config) -> std::io::Result<(Engine, Ends)> {
    let (commands, obeyed) = queue::bounded("commands", COMMANDS, Full::Block);
    let (happened, events) = queue::bounded("events", EVENTS, Full::DropOldest);
    let snapshot = Latest::default();
    let watched: Vec<Latest<VideoFrame>> =
        std::iter::repeat_with(Latest::default).take(MAX_TILES).collect();
    let program = Latest::default();
    let settings = std::mem::take(&mut config.settings);
    let network = (settings.player.network.clone(), settings.player.look);
    let players = config.players_path.take().map(|path| (path, settings.clone()));
    let engine = Engine {
        clock: config.clock,
        runtime: Runtime::start()?,
        commands: obeyed,
        output: snapshot.clone(),
        preview: program.clone(),
        prepared: Latest::default(),
        watch: Players::new(watched.clone(), config.player.clone(), network, config.find_chat),
        built_in: BuiltIn::new(
            config.serve,
            settings.successor.clone(),
            config.server_token.take(),
        ),
        file: SettingsFile::new(config.settings_path.take(), players, config.on_air_mark.take()),
        services: std::mem::take(&mut config.services),
        notices: NoticeBoard::new(config.clock, happened),
        last_words: queue::bounded("last-words", LAST_WORDS, Full::DropOldest),
        live: Broadcast::default(),
        targets: TargetList::default(),
        secrets: KeptSecrets::default(),
        startup: Startup::default(),
        machine: Machine::default(),
        endings: Endings::default(),
        state: EngineState::default(),
        settings,
        config,
    };
    Ok((engine, Ends { commands, events, snapshot, program, watched }))
}

impl Drop for Studio {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Quit);
    }
}
