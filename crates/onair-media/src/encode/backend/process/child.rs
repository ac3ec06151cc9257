//! The encoder process itself: loads the library, encodes frame by frame, and ends when onair closes
//! the socket.
#![allow(unsafe_code)]

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use crate::base::{Mapping, launcher, sandbox};
use crate::encode::backend::process::connection::{receive, send};
use crate::encode::backend::process::library::{self, Encoder};
use crate::encode::backend::process::wire::{Refusal, Reply, Request, Task};

/// Time limit for sending. onair reads at once, unless it hangs.
const SEND_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum length of the library's last words in a reason.
const MAX_LAST_WORDS: usize = 200;

/// Runs the encoder process. Returns the exit code.
pub fn run() -> i32 {
    let Some((socket, memory)) = inherited() else { return 2 };
    match serve(&socket, memory.as_raw_fd()) {
        Ok(()) => 0,
        Err(_) => 1,
    }
}

/// Returns the socket and the memory that the launcher passed on, or `None` if a user started the
/// command.
fn inherited() -> Option<(UnixStream, OwnedFd)> {
    let is_open = |file: RawFd| {
        // SAFETY: a plain call; a closed descriptor gives an error.
        unsafe { libc::fcntl(file, libc::F_GETFD) >= 0 }
    };
    let (socket, memory) = (launcher::FIRST_FILE, launcher::FIRST_FILE + 1);
    if !is_open(socket) || !is_open(memory) {
        return None;
    }
    // SAFETY: the descriptors are open, and nothing else in this process owns them.
    let (socket, memory) =
        unsafe { (UnixStream::from_raw_fd(socket), OwnedFd::from_raw_fd(memory)) };
    socket.peer_addr().is_ok().then_some((socket, memory))
}

fn serve(socket: &UnixStream, memory: RawFd) -> io::Result<()> {
    let answer = |reply: &Reply| send(socket, &reply.to_bytes(), SEND_TIMEOUT);
    let Request::Open(task) = next(socket)? else { return Err(io::ErrorKind::InvalidData.into()) };
    let mut words = LastWords::listen();
    let length = task.size.pixels() / 2 * 3;
    let frame = Mapping::of(memory, length, 0)?;
    let refuse = |refusal| answer(&Reply::Refused(refusal));
    // Before the library is loaded, because its start code is not trusted either. A driver of
    // hardware opens devices and sockets later.
    restrict(&task);
    // SVT-AV1 writes a page of information otherwise.
    // SAFETY: the process has only one thread.
    unsafe { std::env::set_var("SVT_LOG", "1") };
    let codecs = match library::load(&task.encoder) {
        Ok(codecs) => codecs,
        Err(refusal) => return refuse(refusal),
    };
    let mut encoder = match Encoder::open(&codecs, &task) {
        Ok(encoder) => encoder,
        Err(reason) => {
            let reason = words.after(reason);
            return refuse(Refusal::Failed { reason });
        }
    };
    let (library, header) = (codecs.version.clone(), encoder.header());
    answer(&Reply::Opened { library, header })?;
    loop {
        let request = match next(socket) {
            Ok(request) => request,
            // onair no longer needs this process.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
            Err(error) => return Err(error),
        };
        let done = match request {
            Request::Frame { number, key } => {
                let place = i64::try_from(number).unwrap_or(i64::MAX);
                let sent = encoder.send(frame.bytes(), place, key);
                sent.and_then(|()| drain(&mut encoder, socket)).map(|()| number)
            }
            Request::Finish => {
                encoder.finish();
                drain(&mut encoder, socket).map(|()| u64::MAX)
            }
            Request::Change(options) => match encoder.change(&options) {
                Ok(()) => continue,
                Err(reason) => Err(reason),
            },
            Request::Open(_) => return Err(io::ErrorKind::InvalidData.into()),
        };
        match done {
            Ok(number) => answer(&Reply::Done { number })?,
            Err(reason) => return answer(&Reply::Failed { reason: words.after(reason) }),
        }
    }
}

fn next(socket: &UnixStream) -> io::Result<Request> {
    let message = receive(socket, None)?;
    Request::parse(&message).map_err(|_| io::ErrorKind::InvalidData.into())
}

/// Sends all packets that are ready.
fn drain(encoder: &mut Encoder<'_>, socket: &UnixStream) -> Result<(), String> {
    let send = |pts, dts, key, data: &[u8]| {
        let packet = Reply::Packet { pts, dts, key, data: data.to_vec() };
        send(socket, &packet.to_bytes(), SEND_TIMEOUT)
    };
    while let Some(sent) = encoder.receive(send)? {
        sent.map_err(|error| error.to_string())?;
    }
    Ok(())
}

/// Restricts the process, as far as the encoder can work.
fn restrict(task: &Task) {
    let no_memory_image = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the call reads one structure.
    unsafe { libc::setrlimit(libc::RLIMIT_CORE, &raw const no_memory_image) };
    match task.is_hardware {
        true => sandbox::process(),
        false => sandbox::video_decoder(),
    }
}

/// What the library writes to standard error, such as the reason of a driver.
struct LastWords(Option<File>);

impl LastWords {
    /// Redirects standard error. The pipe never blocks: when it is full, text is lost.
    fn listen() -> Self {
        let mut ends = [0; 2];
        // SAFETY: the call writes two descriptors, which then have no other owner.
        unsafe {
            if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC | libc::O_NONBLOCK) != 0 {
                return Self(None);
            }
            libc::dup2(ends[1], libc::STDERR_FILENO);
            libc::close(ends[1]);
            Self(Some(File::from_raw_fd(ends[0])))
        }
    }

    /// Returns the reason, with the last two lines of the library, if there are any. The reason of a
    /// driver often comes before a summary.
    fn after(&mut self, reason: String) -> String {
        let mut text = vec![0; 64 << 10];
        let length = self.0.as_mut().and_then(|pipe| pipe.read(&mut text).ok()).unwrap_or(0);
        let text = String::from_utf8_lossy(text.get(..length).unwrap_or_default());
        // The library begins a line with the name and the address of an object: `[libx264 @ 0x…] `.
        let without_object = |line: &str| match line.split_once("] ") {
            Some((object, line)) if object.starts_with('[') => line.to_owned(),
            _ => line.to_owned(),
        };
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let lines: Vec<String> = lines.map(without_object).collect();
        let last = lines.get(lines.len().saturating_sub(2)..).unwrap_or_default();
        if last.is_empty() {
            return reason;
        }
        let line: String = last.join("; ").chars().take(MAX_LAST_WORDS).collect();
        format!("{reason}: {line}")
    }
}
