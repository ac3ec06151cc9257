//! The process of a plugin: loads it, filters audio on a thread, and answers requests on the main
//! thread until onair closes the socket. CLAP says which function runs on which of both.
#![allow(unsafe_code)]

mod audio;
mod callbacks;
mod events;
mod instance;
mod library;
mod ports;
mod texts;
mod window;

use std::fs;
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use crate::base::{launcher, sandbox};
use crate::mix::plugin::backend::connection::{MessageReader, send};
use crate::mix::plugin::backend::host::audio::Audio;
use crate::mix::plugin::backend::host::callbacks::HOST;
use crate::mix::plugin::backend::host::events::Events;
use crate::mix::plugin::backend::host::instance::Instance;
use crate::mix::plugin::backend::host::library::Library;
use crate::mix::plugin::backend::host::window::Window;
use crate::mix::plugin::backend::ring::Ring;
use crate::mix::plugin::parameter::PluginValues;
use crate::mix::plugin::trouble::Refusal;
use crate::mix::plugin::wire::{Reply, Request, Settings, Task};

/// Time limit for the first request.
const TASK_TIMEOUT: Duration = Duration::from_secs(10);
/// Time limit for sending. onair reads at once, unless it hangs.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Interval of looking for what the plugin asked for, without and with a window.
const POLL_INTERVAL: Duration = Duration::from_millis(50);
const WINDOW_POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The time without a change after which the state is reported, and the longest wait.
const SETTLED_AFTER: Duration = Duration::from_millis(300);
const REPORTED_AFTER: Duration = Duration::from_secs(2);
/// Maximum number of channels.
const MAX_CHANNELS: u32 = 8;

/// Runs the process of a plugin. Returns the exit code.
pub fn run() -> i32 {
    let Some((socket, memory)) = inherited() else { return 2 };
    // If memory runs out, the kernel ends plugins before onair.
    let _: io::Result<()> = fs::write("/proc/self/oom_score_adj", "900");
    let no_memory_image = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call reads one structure.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const no_memory_image) };
    // Before the plugin is loaded, because its start code is not trusted either.
    sandbox::process();
    match serve(&socket, memory) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Returns the socket and the memory that the launcher passed on, or `None` if a user started the
/// command.
fn inherited() -> Option<(UnixStream, OwnedFd)> {
    let (socket, memory): (RawFd, RawFd) = (launcher::FIRST_FILE, launcher::FIRST_FILE + 1);
    // SAFETY: plain calls; a closed descriptor gives an error. Open ones have no other owner in this
    // process.
    unsafe {
        for file in [socket, memory] {
            if libc::fcntl(file, libc::F_SETFD, libc::FD_CLOEXEC) < 0 {
                return None;
            }
        }
        let (socket, memory) = (UnixStream::from_raw_fd(socket), OwnedFd::from_raw_fd(memory));
        socket.peer_addr().is_ok().then_some((socket, memory))
    }
}

fn serve(socket: &UnixStream, memory: OwnedFd) -> io::Result<()> {
    HOST.begin();
    let mut reader = MessageReader::default();
    let refuse = |refusal| send(socket, &Reply::Refused(refusal).to_bytes(), SEND_TIMEOUT);
    match next(socket, &mut reader, TASK_TIMEOUT)? {
        Some(Request::Scan(file)) => match Library::load(Path::new(&file)) {
            Ok(library) => send(socket, &Reply::Found(library.plugins()).to_bytes(), SEND_TIMEOUT),
            Err(refusal) => refuse(refusal),
        },
        Some(Request::Open(task)) if (1..=MAX_CHANNELS).contains(&task.channels) => {
            let ring = Arc::new(Ring::of(memory, task.channels as usize)?);
            match Host::open(socket, ring, &task) {
                Ok(mut host) => host.serve(reader),
                Err(refusal) => refuse(refusal),
            }
        }
        _ => Err(io::ErrorKind::InvalidData.into()),
    }
}

fn next(
    socket: &UnixStream,
    reader: &mut MessageReader,
    limit: Duration,
) -> io::Result<Option<Request>> {
    let Some(message) = reader.next(socket, limit)? else { return Ok(None) };
    Request::parse(&message).map(Some).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// A running plugin.
struct Host<'a> {
    socket: &'a UnixStream,
    ring: Arc<Ring>,
    instance: Instance,
    events: Arc<Events>,
    audio: Option<Audio>,
    window: Option<Window>,
    rate: u32,
    channels: usize,
    latency: u32,
    name: String,
    /// The number of the last settings.
    number: u64,
    /// The state that the plugin had at first.
    first_state: Vec<u8>,
    /// When the plugin changed first and last since its last report.
    changed: Option<(Instant, Instant)>,
    reported: Option<(u64, Vec<u8>, PluginValues)>,
}

impl<'a> Host<'a> {
    fn open(socket: &'a UnixStream, ring: Arc<Ring>, task: &Task) -> Result<Self, Refusal> {
        let library = Library::load(Path::new(&task.file))?;
        let name = library.name_of(&task.id).ok_or(Refusal::NotInFile)?;
        let instance = library.create(&task.id)?;
        let first_state = instance.save_state().unwrap_or_default();
        let state = task.settings.state.as_deref().unwrap_or_default();
        if !state.is_empty() && !instance.load_state(state) {
            return Err(Refusal::Failed { step: "state.load".into() });
        }
        let events = Arc::new(Events::default());
        instance.flush(&events, &task.settings.values);
        let mut host = Self {
            socket,
            ring,
            instance,
            events,
            audio: None,
            window: None,
            rate: task.rate,
            channels: task.channels as usize,
            latency: 0,
            name,
            number: task.settings.number,
            first_state,
            changed: None,
            reported: None,
        };
        host.activate()?;
        Ok(host)
    }

    fn activate(&mut self) -> Result<(), Refusal> {
        if !self.instance.activate(self.rate) {
            return Err(Refusal::Failed { step: "activate".into() });
        }
        // CLAP lets a plugin announce its new latency while it is activated.
        HOST.restart.store(false, Ordering::Release);
        self.latency = self.instance.latency();
        let events = Arc::clone(&self.events);
        let audio = Audio::start(&self.instance, Arc::clone(&self.ring), events, self.channels);
        let failed = |error: io::Error| Refusal::Failed { step: error.to_string() };
        self.audio = Some(audio.map_err(failed)?);
        Ok(())
    }

    fn answer(&self, reply: &Reply) -> io::Result<()> {
        send(self.socket, &reply.to_bytes(), SEND_TIMEOUT)
    }

    fn serve(&mut self, mut reader: MessageReader) -> io::Result<()> {
        self.answer(&Reply::Opened {
            name: self.name.clone(),
            latency: self.latency,
            has_window: self.instance.has_window(),
            has_state: self.instance.has_state(),
            parameters: self.instance.parameters(),
        })?;
        loop {
            if self.wait() {
                loop {
                    match next(self.socket, &mut reader, Duration::from_millis(1)) {
                        Ok(None) => break,
                        Ok(Some(request)) => self.take(request)?,
                        Err(error) => {
                            self.end();
                            // onair no longer needs this process.
                            return match error.kind() {
                                io::ErrorKind::UnexpectedEof => Ok(()),
                                _ => Err(error),
                            };
                        }
                    }
                }
            }
            self.attend()?;
        }
    }

    /// Waits for onair, for files and timers of the plugin. Returns true if onair sent something.
    fn wait(&self) -> bool {
        let files = HOST.files();
        let poll = |file: RawFd, events| libc::pollfd { fd: file, events, revents: 0 };
        let mut waits = vec![poll(self.socket.as_raw_fd(), libc::POLLIN)];
        waits.extend(files.iter().map(|(file, flags)| {
            let write = if flags & 2 != 0 { libc::POLLOUT } else { 0 };
            poll(*file, if flags & 1 != 0 { libc::POLLIN | write } else { write })
        }));
        let most = if self.window.is_some() { WINDOW_POLL_INTERVAL } else { POLL_INTERVAL };
        let limit = HOST.next_timer().map_or(most, |next| next.min(most));
        let limit = i32::try_from(limit.as_millis()).unwrap_or(0).max(1);
        // SAFETY: the list has this length.
        unsafe { libc::poll(waits.as_mut_ptr(), waits.len() as libc::nfds_t, limit) };
        for ((file, _), wait) in files.iter().zip(waits.iter().skip(1)) {
            let flag = |event, flag: u32| if wait.revents & event != 0 { flag } else { 0 };
            let flags = flag(libc::POLLIN, 1)
                | flag(libc::POLLOUT, 2)
                | flag(libc::POLLERR | libc::POLLHUP | libc::POLLNVAL, 4);
            if flags != 0 {
                self.instance.on_file(*file, flags);
            }
        }
        waits.first().is_some_and(|wait| wait.revents != 0)
    }

    fn take(&mut self, request: Request) -> io::Result<()> {
        match request {
            Request::Ping => self.answer(&Reply::Alive),
            Request::Save => {
                self.reported = None;
                self.report()
            }
            Request::Set(Settings { number, state, values }) => {
                self.number = number;
                match state {
                    Some(state) if state.is_empty() => {
                        self.instance.load_state(&self.first_state);
                    }
                    Some(state) => {
                        self.instance.load_state(&state);
                    }
                    None => {}
                }
                self.events.push(&values);
                self.change();
                Ok(())
            }
            Request::Window => {
                if self.window.is_none() {
                    self.window = Window::open(&self.instance, &self.name);
                }
                Ok(())
            }
            Request::Open(_) | Request::Scan(_) => Err(io::ErrorKind::InvalidData.into()),
        }
    }

    /// Notes a change of the plugin's state.
    fn change(&mut self) {
        let now = Instant::now();
        self.changed = Some((self.changed.map_or(now, |(first, _)| first), now));
    }

    /// Does what the plugin asked for.
    fn attend(&mut self) -> io::Result<()> {
        for timer in HOST.due_timers() {
            self.instance.on_timer(timer);
        }
        let took = |flag: &std::sync::atomic::AtomicBool| flag.swap(false, Ordering::AcqRel);
        if took(&HOST.callback) {
            self.instance.on_main_thread();
        }
        if took(&HOST.restart) {
            self.restart()?;
        }
        if took(&HOST.dirty) {
            self.change();
        }
        let closed = took(&HOST.closed);
        if let Some(window) = &mut self.window
            && (closed || window.is_closed(&self.instance))
        {
            if let Some(window) = self.window.take() {
                window.close(&self.instance);
            }
            self.change();
        }
        if let Some((first, last)) = self.changed
            && (last.elapsed() >= SETTLED_AFTER || first.elapsed() >= REPORTED_AFTER)
        {
            self.report()?;
        }
        Ok(())
    }

    /// Starts the plugin again, because its latency or its ports changed.
    fn restart(&mut self) -> io::Result<()> {
        self.stop();
        self.activate().map_err(|_| io::Error::other("the plugin does not start again"))?;
        self.answer(&Reply::Latency(self.latency))
    }

    /// Reports the state, if it is another one.
    fn report(&mut self) -> io::Result<()> {
        self.changed = None;
        let state = self.instance.save_state().unwrap_or_default();
        let report = (self.number, state, self.instance.values());
        if self.reported.as_ref() != Some(&report) {
            let (number, state, values) = report.clone();
            self.answer(&Reply::Saved { number, state, values })?;
            self.reported = Some(report);
        }
        Ok(())
    }

    fn stop(&mut self) {
        if let Some(audio) = self.audio.take() {
            audio.stop();
            self.instance.deactivate();
        }
    }

    fn end(&mut self) {
        if let Some(window) = self.window.take() {
            window.close(&self.instance);
        }
        self.stop();
    }
}
