//! The beginning of a page's process: what it inherits, its profile folder, and its end.
#![allow(unsafe_code)]

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::fd::{FromRawFd, RawFd};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use crate::base::launcher;
use crate::capture::browser::backend::connection::{MessageReader, send};
use crate::capture::browser::backend::host::{PageHost, SEND_TIMEOUT};
use crate::capture::browser::backend::session::Session;
use crate::capture::browser::page;
use crate::capture::browser::wire::{PageTask, Report, Request, Trouble};

/// Time limit for the first request.
const TASK_TIMEOUT: Duration = Duration::from_secs(10);
/// Maximum number of sources with the same page at a time.
const MAX_PROFILES: u32 = 32;

/// Runs the process of a page. Returns the exit code.
pub fn run<G: PageHost>(host: impl FnOnce() -> io::Result<G>) -> i32 {
    let Some(socket) = inherited() else { return 2 };
    // If memory runs out, the kernel ends pages before onair.
    let _: io::Result<()> = fs::write("/proc/self/oom_score_adj", "900");
    match serve(&socket, host) {
        Ok(()) => 0,
        Err(trouble) => {
            let report = Report::Trouble(trouble);
            i32::from(send(&socket, &report.to_bytes(), SEND_TIMEOUT).is_err())
        }
    }
}

/// Returns the socket that the launcher passed on, or `None` if a user started the command.
fn inherited() -> Option<UnixStream> {
    let socket: RawFd = launcher::FIRST_FILE;
    // SAFETY: a plain call; a closed descriptor gives an error.
    if unsafe { libc::fcntl(socket, libc::F_SETFD, libc::FD_CLOEXEC) } < 0 {
        return None;
    }
    // SAFETY: the descriptor is open, and nothing else in this process owns it.
    let socket = unsafe { UnixStream::from_raw_fd(socket) };
    socket.peer_addr().is_ok().then_some(socket)
}

fn serve<G: PageHost>(
    socket: &UnixStream,
    host: impl FnOnce() -> io::Result<G>,
) -> Result<(), Trouble> {
    let failed = |error: io::Error| Trouble::NotStarted { reason: error.to_string() };
    let mut requests = MessageReader::default();
    let first = requests.next(socket, TASK_TIMEOUT, |_, body| Request::parse(body));
    let Ok(Some(Request::Page(task))) = first else { return Err(Trouble::Garbage) };
    let mut host = host().map_err(failed)?;
    // Without its sink, the page would be heard from the speakers.
    let name = page::sink_name(&task.page);
    let sink = host.create_sink(&name).then_some(name);
    // The lock lasts as long as the process.
    let (profile, _lock) = profile(&task).map_err(failed)?;
    Session::start(socket, requests, task, &host, (&profile, sink.as_deref()))?.run()
}

/// Returns the folder for the logins and the storage of a page, which no other process uses.
fn profile(task: &PageTask) -> io::Result<(PathBuf, File)> {
    use std::os::unix::fs::DirBuilderExt;
    let base = dirs::data_local_dir().ok_or(io::ErrorKind::NotFound)?.join("onair").join("browser");
    let name = page::profile_name(&task.page);
    for number in 1..=MAX_PROFILES {
        let folder = match number {
            1 => base.join(&name),
            number => base.join(format!("{name}-{number}")),
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&folder)?;
        let lock = File::create(folder.join("onair.lock"))?;
        match lock.try_lock() {
            Ok(()) => return Ok((folder, lock)),
            Err(TryLockError::WouldBlock) => {}
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other("too many sources show this page"))
}
