//! onair's side of a plugin's process: starts it, passes settings on, takes the state that it
//! reports, and starts it again after a failure, once. Nothing that the process sends is believed.

use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::base::launcher::{self, Helper};
use crate::base::{Backoff, Stop};
use crate::mix::block::Shape;
use crate::mix::plugin::backend::connection::{MessageReader, send};
use crate::mix::plugin::backend::ring::Ring;
use crate::mix::plugin::link::{LinkState, Report, Saved};
use crate::mix::plugin::parameter::PluginParameter;
use crate::mix::plugin::session::Session;
use crate::mix::plugin::settings::Plugin;
use crate::mix::plugin::trouble::{PluginTrouble, Refusal};
use crate::mix::plugin::wire::{Reply, Request, Settings, Task};

/// Time limit for opening. Large plugins read hundreds of files.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);
/// The time without filtered audio that is a hang.
const AUDIO_TIMEOUT: Duration = Duration::from_secs(2);
/// The time without a message that is a hang. Windows of plugins may take some seconds to open.
const ALIVE_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for sending. The process reads at once, unless it hangs.
const SEND_TIMEOUT: Duration = Duration::from_secs(2);
/// Time limit for the last state before the end.
const SAVE_TIMEOUT: Duration = Duration::from_millis(500);
/// Interval of looking for requests and changes.
const POLL_INTERVAL: Duration = Duration::from_millis(20);
const PING_INTERVAL: Duration = Duration::from_secs(1);
/// The running time after which an earlier failure is forgotten.
const FORGIVEN_AFTER: Duration = Duration::from_secs(60);
/// The longest delay of a plugin, in seconds.
const MAX_LATENCY_SECONDS: u32 = 1;
/// Maximum number of messages that are read before other work.
const MAX_MESSAGES: usize = 64;

/// Starts a process with its end of the socket and with these rings.
pub(super) fn launch(ring: &Ring) -> Result<(UnixStream, Helper), PluginTrouble> {
    let not_started = |error: io::Error| match error.kind() {
        io::ErrorKind::Unsupported => PluginTrouble::NoLauncher,
        _ => PluginTrouble::NotStarted { reason: error.to_string() },
    };
    let (socket, theirs) = launcher::stream().map_err(not_started)?;
    let files: [&dyn AsRawFd; 2] = [&theirs, &ring.file()];
    let helper = launcher::launch("plugin-process", &files).map_err(not_started)?;
    Ok((socket, helper))
}

/// Returns the trouble that an error of the socket means.
pub(super) fn trouble(error: &io::Error) -> PluginTrouble {
    match error.kind() {
        io::ErrorKind::InvalidData => PluginTrouble::Garbage,
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            PluginTrouble::Hung { seconds: SEND_TIMEOUT.as_secs() }
        }
        _ => PluginTrouble::Ended,
    }
}

/// Runs a plugin until the filter is removed.
pub(in crate::mix::plugin) fn supervise(
    plugin: &Arc<Plugin>,
    shape: Shape,
    session: &Arc<Session>,
    stop: &Stop,
) {
    let link = Arc::clone(&plugin.link);
    let mut supervisor =
        Supervisor { plugin: Arc::clone(plugin), shape, session: Arc::clone(session), number: 0 };
    let (mut backoff, mut failed) = (Backoff::new(u64::from(std::process::id())), false);
    while !stop.is_set() {
        let began = Instant::now();
        link.update(|it| {
            if !matches!(it.state, LinkState::Restarting(_)) {
                it.state = LinkState::Starting;
            }
        });
        let Err(trouble) = supervisor.run(stop) else { break };
        failed = failed && began.elapsed() < FORGIVEN_AFTER;
        let id = plugin.plugin.short();
        tracing::warn!(plugin = id, ?trouble, again = !failed, "a plugin does not run");
        link.update(|it| it.process = None);
        if trouble.may_pass() && !failed {
            failed = true;
            session.silence();
            link.update(|it| it.state = LinkState::Restarting(trouble));
            stop.wait(backoff.next_wait(Duration::ZERO));
            continue;
        }
        session.bypass();
        link.update(|it| it.state = LinkState::Bypassed(trouble));
        while !stop.is_set() && !link.takes_restart() {
            // Settings that change in the meantime are those of the next try.
            supervisor.follow();
            stop.wait(Duration::from_millis(200));
        }
        failed = false;
        session.silence();
    }
}

struct Supervisor {
    /// The settings that the process has, or gets when it starts.
    plugin: Arc<Plugin>,
    shape: Shape,
    session: Arc<Session>,
    /// The number of the last settings.
    number: u64,
}

/// A running process.
struct Process {
    socket: UnixStream,
    reader: MessageReader,
    ring: Arc<Ring>,
    has_state: bool,
    parameters: Vec<PluginParameter>,
    last_message: Instant,
    /// Kills the process at the end.
    _helper: Helper,
}

impl Supervisor {
    fn follow(&mut self) -> Option<Arc<Plugin>> {
        let wanted = self.session.wanted()?;
        Some(std::mem::replace(&mut self.plugin, wanted))
    }

    /// Runs one process. Returns `Ok` when the filter is removed.
    fn run(&mut self, stop: &Stop) -> Result<(), PluginTrouble> {
        if self.plugin.plugin.is_none() {
            return Err(PluginTrouble::NotChosen);
        }
        self.follow();
        // The last state of the previous process, if nobody has taken it yet.
        if let Some(newer) = self.plugin.with_saved() {
            self.plugin = Arc::new(newer);
        }
        let ring = Ring::new(self.shape.channels.max(1));
        let ring = ring.map_err(|it| PluginTrouble::NotStarted { reason: it.to_string() })?;
        let (socket, helper) = launch(&ring)?;
        let id = self.plugin.plugin.short();
        tracing::debug!(process = helper.number(), plugin = id, "plugin process");
        self.plugin.link.update(|it| it.process = Some(helper.number()));
        let mut process = Process {
            socket,
            reader: MessageReader::default(),
            ring: Arc::new(ring),
            has_state: false,
            parameters: Vec::new(),
            last_message: Instant::now(),
            _helper: helper,
        };
        self.number += 1;
        let task = Task {
            file: self.plugin.plugin.file.to_string_lossy().into_owned(),
            id: self.plugin.plugin.id.clone(),
            rate: self.shape.rate,
            channels: u32::try_from(self.shape.channels.max(1)).unwrap_or(1),
            settings: self.settings(true),
        };
        process.send(&Request::Open(task))?;
        self.open(&mut process, stop)?;
        let (mut pinged, mut progress) = (Instant::now(), (0, Instant::now()));
        while !stop.is_set() {
            for _ in 0..MAX_MESSAGES {
                let Some(reply) = process.next(POLL_INTERVAL)? else { break };
                self.take(reply, &mut process)?;
            }
            if let Some(before) = self.follow() {
                self.send_changes(&before, &process)?;
            }
            if self.plugin.link.takes_window() {
                process.send(&Request::Window)?;
            }
            if pinged.elapsed() >= PING_INTERVAL {
                pinged = Instant::now();
                process.send(&Request::Ping)?;
            }
            if process.last_message.elapsed() > ALIVE_TIMEOUT {
                return Err(PluginTrouble::Hung { seconds: ALIVE_TIMEOUT.as_secs() });
            }
            if self.session.has_garbage() {
                return Err(PluginTrouble::Garbage);
            }
            let done = process.ring.processed();
            // Without audio from the mixer, there is nothing to do.
            if done != progress.0 || process.ring.written() == done {
                progress = (done, Instant::now());
            } else if progress.1.elapsed() >= AUDIO_TIMEOUT {
                return Err(PluginTrouble::Hung { seconds: AUDIO_TIMEOUT.as_secs() });
            }
        }
        self.last_state(&mut process);
        Ok(())
    }

    /// Returns the current settings for the process.
    fn settings(&self, with_state: bool) -> Settings {
        let state = with_state.then(|| self.plugin.state.to_vec());
        Settings { number: self.number, state, values: self.plugin.values.clone() }
    }

    /// Waits until the plugin is open.
    fn open(&mut self, process: &mut Process, stop: &Stop) -> Result<(), PluginTrouble> {
        let began = Instant::now();
        loop {
            match process.next(POLL_INTERVAL)? {
                Some(Reply::Opened { name, latency, has_window, has_state, parameters }) => {
                    let latency = self.latency(latency)?;
                    process.has_state = has_state;
                    process.parameters.clone_from(&parameters);
                    let before = self.plugin.link.report();
                    let report = Report {
                        state: LinkState::Running,
                        name,
                        has_window,
                        latency,
                        parameters,
                        process: before.process,
                    };
                    self.plugin.link.update(|it| *it = report);
                    self.session.run(Arc::clone(&process.ring), latency as usize);
                    return Ok(());
                }
                Some(Reply::Refused(refusal)) => return Err(PluginTrouble::Refused(refusal)),
                Some(Reply::Alive) | None => {}
                Some(_) => return Err(PluginTrouble::Garbage),
            }
            if stop.is_set() {
                return Ok(());
            }
            if began.elapsed() > OPEN_TIMEOUT {
                return Err(PluginTrouble::Hung { seconds: OPEN_TIMEOUT.as_secs() });
            }
        }
    }

    /// Returns the delay of the plugin, if onair can compensate for it.
    fn latency(&self, latency: u32) -> Result<u32, PluginTrouble> {
        // The rings hold no more.
        let most = self.shape.rate.saturating_mul(MAX_LATENCY_SECONDS).min(24_000);
        match latency <= most {
            true => Ok(latency),
            false => {
                let step = format!("latency of {latency} samples");
                Err(PluginTrouble::Refused(Refusal::Failed { step }))
            }
        }
    }

    fn take(&self, reply: Reply, process: &mut Process) -> Result<(), PluginTrouble> {
        match reply {
            Reply::Alive => {}
            Reply::Latency(latency) => {
                let latency = self.latency(latency)?;
                self.plugin.link.update(|it| it.latency = latency);
                self.session.run(Arc::clone(&process.ring), latency as usize);
            }
            Reply::Saved { number, state, values } => {
                // A state that is too large does not come.
                let has_state = !state.is_empty();
                for parameter in &mut process.parameters {
                    if let Some(value) = values.get(&parameter.id) {
                        parameter.value = *value;
                    }
                }
                let parameters = process.parameters.clone();
                let moved = parameters.iter().filter(|it| it.value != it.rest);
                let changed = moved.map(|it| (it.id, it.value)).collect();
                self.plugin.link.update(|it| it.parameters = parameters);
                // Older settings are still under way to the process.
                if number == self.number {
                    self.plugin.link.save(Saved {
                        state: state.into(),
                        values,
                        changed,
                        of_state: Arc::clone(&self.plugin.state),
                        of_values: self.plugin.values.clone(),
                        has_state: process.has_state && has_state,
                    });
                }
            }
            Reply::Opened { .. } | Reply::Refused(_) | Reply::Found(_) => {
                return Err(PluginTrouble::Garbage);
            }
        }
        Ok(())
    }

    /// Sends what changed since these settings, except what the process itself has reported.
    fn send_changes(&mut self, before: &Plugin, process: &Process) -> Result<(), PluginTrouble> {
        let saved = self.plugin.link.saved().filter(|saved| {
            let its_values = |(id, value): (&u32, &f64)| saved.values.get(id) == Some(value);
            saved.state == self.plugin.state && self.plugin.values.iter().all(its_values)
        });
        if let Some(saved) = saved {
            // These settings are the plugin's own.
            self.plugin.link.save(Saved {
                of_state: Arc::clone(&self.plugin.state),
                of_values: self.plugin.values.clone(),
                ..saved
            });
            return Ok(());
        }
        if *before == *self.plugin {
            return Ok(());
        }
        self.number += 1;
        self.plugin.link.forget();
        process.send(&Request::Set(self.settings(before.state != self.plugin.state)))
    }

    /// Takes the last state of a plugin that is no longer needed.
    fn last_state(&self, process: &mut Process) {
        if process.send(&Request::Save).is_err() {
            return;
        }
        let until = Instant::now() + SAVE_TIMEOUT;
        while Instant::now() < until {
            match process.next(POLL_INTERVAL) {
                Ok(Some(saved @ Reply::Saved { .. })) => {
                    let _: Result<(), PluginTrouble> = self.take(saved, process);
                    return;
                }
                Ok(_) => {}
                Err(_) => return,
            }
        }
    }
}

impl Process {
    fn send(&self, request: &Request) -> Result<(), PluginTrouble> {
        send(&self.socket, &request.to_bytes(), SEND_TIMEOUT).map_err(|error| trouble(&error))
    }

    fn next(&mut self, limit: Duration) -> Result<Option<Reply>, PluginTrouble> {
        let message = self.reader.next(&self.socket, limit).map_err(|error| trouble(&error))?;
        let Some(message) = message else { return Ok(None) };
        self.last_message = Instant::now();
        Reply::parse(&message).map(Some).map_err(|_| PluginTrouble::Garbage)
    }
}
