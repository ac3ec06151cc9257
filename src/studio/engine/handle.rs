//! The studio as others hold it: start it, send commands, look at it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::worker::Stuck;
use crate::base::{Clock, Latest, Worker};
use crate::media::VideoFrame;
use crate::net::Runtime;
use crate::player;
use crate::studio::command::Command;
use crate::studio::engine::Engine;
use crate::studio::engine::server::{BuiltIn, Serve};
use crate::studio::event::Event;
use crate::studio::settings::{ServerToken, Settings};
use crate::studio::snapshot::Snapshot;
use crate::studio::targets::services::Book;
use crate::studio::watch::Players;
use crate::studio::watch::choices::MAX_TILES;

/// Commands that may wait; a person cannot type faster than the studio obeys.
const COMMANDS: usize = 256;

/// Events that wait to be printed; the oldest go first.
const EVENTS: usize = 1_024;

/// Events of a broadcast being ended; a few for each target.
const LAST_WORDS: usize = 256;

/// How often it is looked whether commands have been carried out.
const SETTLE_POLL_INTERVAL: Duration = Duration::from_millis(2);

/// How a studio is started.
#[derive(Clone, Debug)]
pub struct Config {
    pub clock: Clock,
    pub settings: Settings,
    /// Where settings are kept; `None`: nothing is remembered (the command line).
    pub settings_path: Option<PathBuf>,
    /// Where what is changed of the players is kept, where nothing else is (`onair play`).
    pub players_path: Option<PathBuf>,
    /// Where stream keys are kept where there is no keyring; `None`: none are fetched or kept.
    pub keys_path: Option<PathBuf>,
    /// The folder in which recordings that are not finished are noted, to be made whole at the next
    /// start; `None`: they are not.
    pub journal: Option<PathBuf>,
    /// Whether the desktop's keyring is used where there is one.
    pub keyring: bool,
    /// Nobody watches meters: once pictures flow, parts are looked at less often.
    pub calm: bool,
    /// Loudness and true peak are measured: somebody reads them.
    pub loudness: bool,
    /// Into which file what happens is written, line by line; `None`: into none.
    pub history_path: Option<PathBuf>,
    /// Where reports of crashes are, to be told at the start; `None`: they are not.
    pub crashes: Option<PathBuf>,
    /// Lets programs change something on the built-in server over HTTP; `None`: nobody may.
    pub server_token: Option<ServerToken>,
    /// The services that are known, with a person's own.
    pub services: Book,
    /// Whether there is a program, with its sources, compositor and mixer; without one, the studio sends
    /// files and plays streams.
    pub program: bool,
    /// What was bad about the settings, to be told.
    pub warnings: Vec<String>,
    pub serve: Serve,
    /// Trust and limits of connections to targets.
    pub options: crate::net::rtmp::Options,
    /// Whether what viewers of the built-in server get is looked at, unless the target says
    /// otherwise.
    pub monitor_own: bool,
    /// How long a target is tried again; `None`: for ever.
    pub retry_for: Option<Duration>,
    /// Where the stream delay makes files, which have no names.
    pub delay_folder: PathBuf,
    /// Whether the chat beside a stream is looked for where nobody said where it is.
    pub find_chat: bool,
    /// How streams are watched; the source is put in by [`Command::Watch`].
    pub player: player::Config,
}

impl Config {
    /// A studio with these settings, remembered nowhere, whose server runs when needed.
    pub fn new(clock: Clock, settings: Settings) -> Self {
        Self {
            clock,
            settings,
            settings_path: None,
            players_path: None,
            keys_path: None,
            journal: None,
            keyring: true,
            calm: false,
            loudness: true,
            history_path: None,
            crashes: None,
            server_token: None,
            services: Book::default(),
            program: true,
            warnings: Vec::new(),
            serve: Serve::WhenNeeded,
            options: crate::net::rtmp::Options::default(),
            monitor_own: false,
            retry_for: None,
            delay_folder: crate::studio::settings::default_delay_folder(),
            find_chat: true,
            player: player::Config {
                measure: true,
                // Who watches in a window ends it themselves.
                patient: true,
                time_shift: Some(player::TimeShiftDepth::default()),
                ..player::Config::new(player::Source::Url(String::new()))
            },
        }
    }
}

/// A running studio. Dropping it asks it to end; [`Studio::end`] waits.
#[derive(Debug)]
pub struct Studio {
    commands: Sender<Command>,
    /// How many were sent.
    sent: AtomicU64,
    events: Option<Receiver<Event>>,
    snapshot: Latest<Snapshot>,
    program: Latest<VideoFrame>,
    watched: Vec<Latest<VideoFrame>>,
    worker: Worker,
}

impl Studio {
    /// Starts the studio: sources open, the program runs, nothing goes out yet.
    ///
    /// # Errors
    /// When the system grants no threads.
    pub fn start(config: Config) -> std::io::Result<Self> {
        let warnings = config.warnings.clone();
        let (engine, ends) = assemble(config)?;
        let Ends { commands, events, snapshot, program, watched } = ends;
        let worker = Worker::spawn("studio", move |_| engine.run(warnings))?;
        let (sent, events) = (AtomicU64::new(0), Some(events));
        Ok(Self { commands, sent, events, snapshot, program, watched, worker })
    }

    /// Asks for something; the next snapshots and events show what became of it.
    pub fn send(&self, command: Command) {
        self.sent.fetch_add(1, Ordering::Relaxed);
        // A studio that has ended obeys nothing.
        let _ = self.commands.send(command);
    }

    /// Whether all that was sent has been carried out, and the snapshot shows what became of it.
    pub fn is_settled(&self) -> bool {
        let sent = self.sent.load(Ordering::Relaxed);
        self.snapshot.get().is_some_and(|snapshot| snapshot.obeyed >= sent)
    }

    /// Waits until that is so, at most `limit`; whether it is.
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

    /// The studio as it is now.
    pub fn snapshot(&self) -> Snapshot {
        self.snapshot.get().unwrap_or_default()
    }

    /// Snapshots as they come, for who wants to be woken.
    pub fn snapshots(&self) -> Latest<Snapshot> {
        self.snapshot.clone()
    }

    /// What happens, in order; the first caller gets it.
    pub fn events(&mut self) -> Option<Receiver<Event>> {
        self.events.take()
    }

    /// What goes out.
    pub fn program(&self) -> Latest<VideoFrame> {
        self.program.clone()
    }

    /// What the players show: a slot for each tile there may be, by [`TileId`](crate::studio::notices::TileId).
    pub fn watched(&self) -> Vec<Latest<VideoFrame>> {
        self.watched.clone()
    }

    /// Ends everything in order and waits, at most `limit`.
    ///
    /// # Errors
    /// [`Stuck`] when it had not ended by then.
    pub fn end(mut self, limit: Duration) -> Result<(), Stuck> {
        self.send(Command::Quit);
        self.worker.wait(limit)
    }
}

/// The ends of a studio that its owner holds.
pub(in crate::studio) struct Ends {
    pub commands: Sender<Command>,
    pub events: Receiver<Event>,
    pub snapshot: Latest<Snapshot>,
    pub program: Latest<VideoFrame>,
    pub watched: Vec<Latest<VideoFrame>>,
}

/// A studio that does not run yet.
pub(in crate::studio) fn assemble(config: Config) -> std::io::Result<(Engine, Ends)> {
    let (commands, obeyed) = queue::bounded("commands", COMMANDS, Full::Block);
    let (happened, events) = queue::bounded("events", EVENTS, Full::DropOldest);
    let snapshot = Latest::default();
    let watched: Vec<Latest<VideoFrame>> =
        std::iter::repeat_with(Latest::default).take(MAX_TILES).collect();
    let program = Latest::default();
    let engine = Engine {
        clock: config.clock,
        runtime: Runtime::start()?,
        commands: obeyed,
        events: happened,
        output: snapshot.clone(),
        preview: program.clone(),
        prepared: Latest::default(),
        watch: Players::new(
            watched.clone(),
            config.player,
            (config.settings.player.network.clone(), config.settings.player.look),
            config.find_chat,
        ),
        built_in: BuiltIn::new(
            config.serve,
            config.settings.successor.clone(),
            config.server_token,
        ),
        players: config.players_path.map(|path| (path, config.settings.clone())),
        settings: config.settings,
        settings_path: config.settings_path,
        keys_path: config.keys_path,
        journal: config.journal,
        has_program: config.program,
        keyring: config.keyring,
        calm: config.calm,
        loudness: config.loudness,
        history_path: config.history_path,
        crashes: config.crashes,
        options: config.options,
        monitor_own: config.monitor_own,
        retry_for: config.retry_for,
        delay_folder: config.delay_folder,
        services: config.services,
        last_words: queue::bounded("last-words", LAST_WORDS, Full::DropOldest),
        state: Default::default(),
    };
    Ok((engine, Ends { commands, events, snapshot, program, watched }))
}

impl Drop for Studio {
    fn drop(&mut self) {
        let _ = self.commands.send(Command::Quit);
    }
}
