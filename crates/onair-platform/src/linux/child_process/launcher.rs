//! Starts helper processes of this program, for a process that may no longer start any.
//!
//! The [sandbox](crate::sandbox) of a command refuses to start programs. Helpers, such as the
//! process that loads an encoder library, may have to be started later, again and again. So
//! `main` calls [`start`] before the sandbox and before there are threads: the process splits, and
//! the other half, the launcher, waits for requests. It only ever starts this program with one of
//! the `HELPERS` as its command, so a hostile process gains nothing from it.
//!
//! The launcher ends with the process that it serves, and its helpers end with it. Signals of a
//! terminal (Ctrl+C) reach neither: their work ends when they are told.

#![allow(unsafe_code)]

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::net::UnixStream;
use std::sync::OnceLock;
use std::time::Duration;

use parking_lot::Mutex;

use crate::system::descriptors::{self, MAX_FILES};

/// The hidden commands that the launcher starts.
const HELPERS: [&CStr; 3] = [c"encoder-process", c"browser-process", c"plugin-process"];

/// The variables that helpers get, or their beginnings. Others can contain keys, and a helper runs
/// code that is not trusted.
const VARIABLES: [&[u8]; 24] = [
    b"PATH=",
    b"HOME=",
    b"USER=",
    b"LANG=",
    b"LANGUAGE=",
    b"LC_",
    b"TZ=",
    b"TMPDIR=",
    b"LD_LIBRARY_PATH=",
    b"XDG_",
    b"DISPLAY=",
    b"XAUTHORITY=",
    b"WAYLAND_DISPLAY=",
    b"DBUS_SESSION_BUS_ADDRESS=",
    b"PULSE_",
    b"PIPEWIRE_",
    b"FONTCONFIG_",
    b"LIBVA_",
    b"VDPAU_",
    b"CUDA_",
    b"MESA_",
    b"RUST_",
    b"LLVM_PROFILE_FILE=",
    b"ONAIR_CHROMIUM=",
];
/// Maximum number of variables that helpers get.
const MAX_VARIABLES: usize = 128;

/// The descriptor of a helper's first file. The others follow it.
pub const FIRST_FILE: RawFd = 3;

/// Time limit for the launcher's answer. Starting a process takes about a millisecond.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(2);

/// The connection to the launcher.
static LAUNCHER: OnceLock<Mutex<Connection>> = OnceLock::new();

struct Connection {
    socket: OwnedFd,
    /// The number of requests, which answers repeat.
    requests: u32,
}

/// A running helper. Dropping it kills the helper.
#[derive(Debug)]
pub struct Helper {
    /// A descriptor of the process, so that no other process with the same number is meant.
    process: OwnedFd,
    number: u32,
}

impl Helper {
    /// Returns the number of the process.
    pub fn number(&self) -> u32 {
        self.number
    }
}

impl Drop for Helper {
    fn drop(&mut self) {
        // SAFETY: a plain call on an open descriptor. A process that has ended gives an error.
        unsafe {
            let none = std::ptr::null::<libc::siginfo_t>();
            let process = self.process.as_raw_fd();
            libc::syscall(libc::SYS_pidfd_send_signal, process, libc::SIGKILL, none, 0);
        }
    }
}

/// Starts the launcher, once per process. This must happen while the process has only one thread.
///
/// # Errors
/// Fails if the process already has several threads, or the system cannot start another process.
pub fn start() -> io::Result<()> {
    if std::fs::read_dir("/proc/self/task")?.count() != 1 {
        return Err(io::Error::other("the process has several threads"));
    }
    let (ours, theirs) = pair(libc::SOCK_SEQPACKET)?;
    // SAFETY: there is no other thread, so the copy of this process has no lock that nobody
    // releases.
    match unsafe { libc::fork() } {
        0 => {
            // Otherwise, the launcher would never see the end of the process.
            drop(ours);
            serve(&theirs)
        }
        number if number > 0 => {
            let timeout = libc::timeval { tv_sec: ANSWER_TIMEOUT.as_secs() as _, tv_usec: 0 };
            for option in [libc::SO_RCVTIMEO, libc::SO_SNDTIMEO] {
                // SAFETY: the options have this type.
                unsafe {
                    libc::setsockopt(
                        ours.as_raw_fd(),
                        libc::SOL_SOCKET,
                        option,
                        (&raw const timeout).cast(),
                        size_of_val(&timeout) as _,
                    );
                }
            }
            let _ = LAUNCHER.set(Mutex::new(Connection { socket: ours, requests: 0 }));
            Ok(())
        }
        _ => Err(io::Error::last_os_error()),
    }
}

/// Starts a helper with these files as its descriptors from [`FIRST_FILE`] on.
///
/// # Errors
/// Fails if this process has no launcher, or the launcher cannot start the helper.
pub fn launch(helper: &str, files: &[&dyn AsRawFd]) -> io::Result<Helper> {
    let mut launcher = LAUNCHER.get().ok_or(io::ErrorKind::Unsupported)?.lock();
    launcher.requests = launcher.requests.wrapping_add(1);
    let request = launcher.requests.to_le_bytes();
    let files: Vec<RawFd> = files.iter().map(|file| file.as_raw_fd()).collect();
    let socket = launcher.socket.as_fd();
    descriptors::send(socket, &[&request[..], helper.as_bytes()].concat(), &files)?;
    loop {
        let mut answer = [0; 8];
        let (length, mut files) = match descriptors::receive(socket, &mut answer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            received => received?,
        };
        if length == 0 {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        let [a, b, c, d, number @ ..] = answer;
        let number = u32::from_le_bytes(number);
        let started = files.pop().map(|process| Helper { process, number });
        // The answer to a request whose caller no longer waits: dropping it kills that helper.
        if [a, b, c, d] != request {
            continue;
        }
        return started.ok_or_else(|| io::Error::from_raw_os_error(number.cast_signed()));
    }
}

/// Returns the two ends of a stream between this process and a helper.
///
/// # Errors
/// Fails if the process has no descriptors left.
pub fn stream() -> io::Result<(UnixStream, OwnedFd)> {
    let (ours, theirs) = UnixStream::pair()?;
    Ok((ours, theirs.into()))
}

fn pair(kind: libc::c_int) -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the call writes two descriptors.
    let made =
        unsafe { libc::socketpair(libc::AF_UNIX, kind | libc::SOCK_CLOEXEC, 0, ends.as_mut_ptr()) };
    if made != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the descriptors are new and have no other owner.
    Ok(ends.map(|end| unsafe { OwnedFd::from_raw_fd(end) }).into())
}

/// The launcher: starts helpers until the served process ends.
fn serve(requests: &OwnedFd) -> ! {
    // SAFETY: plain calls without pointers to this process's memory, except static texts.
    unsafe {
        libc::prctl(libc::PR_SET_NAME, c"onair-launcher".as_ptr());
        // Both are inherited by helpers. Ended helpers need not be waited for.
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD, libc::SIGPIPE] {
            libc::signal(signal, libc::SIG_IGN);
        }
        let nothing = libc::open(c"/dev/null".as_ptr(), libc::O_RDWR | libc::O_CLOEXEC);
        if nothing >= 0 {
            // The output belongs to the served process: its reader waits for the end of it.
            for standard in 0..=1 {
                libc::dup2(nothing, standard);
            }
        }
    }
    loop {
        let mut word = [0; 36];
        let (request, helper, files) = match descriptors::receive(requests.as_fd(), &mut word) {
            Ok((0, _)) => break,
            Ok((length, files)) => {
                let Some((request, word)) =
                    word.get(..length).and_then(|word| word.split_first_chunk::<4>())
                else {
                    break;
                };
                (*request, HELPERS.iter().find(|helper| helper.to_bytes() == word), files)
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(_) => break,
        };
        let started = helper.ok_or(libc::EINVAL).and_then(|helper| run(helper, &files));
        let sent = match started {
            Ok((number, process)) => {
                let answer = [request, number.to_le_bytes()].concat();
                descriptors::send(requests.as_fd(), &answer, &[process.as_raw_fd()])
            }
            Err(code) => {
                let answer = [request, code.to_le_bytes()].concat();
                descriptors::send(requests.as_fd(), &answer, &[])
            }
        };
        if sent.is_err() {
            break;
        }
    }
    // SAFETY: ends the process without the exit handlers of the served process.
    unsafe { libc::_exit(0) }
}

/// Starts one helper. Returns its number and its descriptor, or the code of the error.
fn run(helper: &CStr, files: &[OwnedFd]) -> Result<(i32, OwnedFd), i32> {
    let failed = || io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
    // SAFETY: the launcher has only one thread.
    match unsafe { libc::fork() } {
        0 => become_helper(helper, files),
        number if number > 0 => {
            // SAFETY: a plain call; the process cannot have been replaced by another one with the
            // same number, because numbers are reused only much later.
            let process = unsafe { libc::syscall(libc::SYS_pidfd_open, number, 0) };
            match RawFd::try_from(process) {
                // SAFETY: the descriptor is new and has no other owner.
                Ok(process) if process >= 0 => {
                    Ok((number, unsafe { OwnedFd::from_raw_fd(process) }))
                }
                _ => {
                    let code = failed();
                    // SAFETY: a plain call.
                    unsafe { libc::kill(number, libc::SIGKILL) };
                    Err(code)
                }
            }
        }
        _ => Err(failed()),
    }
}

/// Replaces this process by the helper.
fn become_helper(helper: &CStr, files: &[OwnedFd]) -> ! {
    // SAFETY: plain calls; the texts are static and end with zeros, and so does the list.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        // First move the files out of the way of the numbers that they will get.
        let mut moved = [-1; MAX_FILES];
        for (to, file) in moved.iter_mut().zip(files) {
            *to = libc::fcntl(file.as_raw_fd(), libc::F_DUPFD_CLOEXEC, 64);
        }
        for (number, file) in (FIRST_FILE..).zip(moved).take(files.len()) {
            // The copy stays open in the helper.
            if file < 0 || libc::dup2(file, number) < 0 {
                libc::_exit(126);
            }
        }
        // This path stays valid when an update replaces the program.
        let words = [c"onair".as_ptr(), helper.as_ptr(), std::ptr::null()];
        let variables = variables();
        libc::execve(c"/proc/self/exe".as_ptr(), words.as_ptr(), variables.as_ptr());
        libc::_exit(127)
    }
}

unsafe extern "C" {
    /// The variables of this process: texts, and a null pointer at the end.
    static environ: *const *const libc::c_char;
}

/// Returns the variables that a helper gets, with a null pointer at the end.
fn variables() -> [*const libc::c_char; MAX_VARIABLES] {
    let mut kept = [std::ptr::null(); MAX_VARIABLES];
    let mut places = kept.iter_mut().take(MAX_VARIABLES - 1);
    // SAFETY: the launcher has only one thread, so nobody changes the variables.
    unsafe {
        let mut next = environ;
        while !next.is_null() && !(*next).is_null() {
            let text = CStr::from_ptr(*next).to_bytes();
            if VARIABLES.iter().any(|name| text.starts_with(name)) {
                let Some(place) = places.next() else { break };
                *place = *next;
            }
            next = next.add(1);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn helpers_get_the_path_and_no_variable_that_may_be_a_key() {
        let names: Vec<String> = variables()
            .iter()
            .take_while(|text| !text.is_null())
            // SAFETY: these are texts of this process's environment.
            .map(|text| unsafe { CStr::from_ptr(*text) }.to_string_lossy().into_owned())
            .collect();
        assert!(names.iter().any(|text| text.starts_with("PATH=")));
        // Cargo sets this one.
        assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
        assert!(names.iter().all(|text| !text.starts_with("CARGO_")));
    }
}
