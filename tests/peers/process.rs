//! One process: start it, inspect it, wait for it, end it.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{PipeReader, PipeWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// The default time limit. It is generous, because tests run on a busy computer.
pub const LIMIT: Duration = Duration::from_secs(60);

/// Returns true if a program is installed. For nginx, its RTMP module must be installed too. `webrtcbin` is the
/// element of GStreamer.
pub fn found(program: &str) -> bool {
    match program {
        "nginx" => super::nginx::program().is_some(),
        "webrtcbin" => super::others::has_webrtcbin(),
        _ => on_path(program).is_some(),
    }
}

/// Returns the path of a program.
pub fn on_path(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders = std::env::split_paths(&path).chain([PathBuf::from("/usr/sbin")]);
    folders.map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// Returns a free port of 127.0.0.1 below the range of outgoing connections.
pub fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let start = std::process::id().wrapping_mul(2_654_435_761) >> 8;
    for _ in 0..1_000 {
        let step = NEXT.fetch_add(1, Ordering::Relaxed).wrapping_mul(37);
        let port = 20_000 + u16::try_from(start.wrapping_add(step) % 12_000).unwrap();
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
    panic!("no free port");
}

/// The pause before a condition is checked again. It is longer after the first second, because checks
/// take the processor from the programs that are waited for.
fn pause(start: Instant) {
    let is_new = start.elapsed() < Duration::from_secs(1);
    thread::sleep(Duration::from_millis(if is_new { 10 } else { 25 }));
}

/// Checks `condition` repeatedly until it is true, for at most `limit`.
///
/// # Panics
/// When it does not hold by then; `what` says what was waited for.
#[track_caller]
pub fn wait_for(what: &str, limit: Duration, mut condition: impl FnMut() -> bool) {
    let start = Instant::now();
    while !condition() {
        assert!(start.elapsed() < limit, "waited {limit:?} in vain for {what}");
        pause(start);
    }
}

/// Returns true if a process listens on this port. Reads the kernel's table instead of connecting,
/// because some peers accept only one connection.
fn listening(port: u16) -> bool {
    let wanted = format!(":{port:04X}");
    ["/proc/net/tcp", "/proc/net/tcp6"].iter().any(|table| {
        fs::read_to_string(table).unwrap_or_default().lines().any(|line| {
            let mut fields = line.split_whitespace().skip(1);
            fields.next().is_some_and(|local| local.ends_with(&wanted))
                && fields.nth(1) == Some("0A")
        })
    })
}

/// Returns a pipe without any more space.
pub fn full_pipe() -> (PipeReader, PipeWriter) {
    let (reader, writer) = std::io::pipe().unwrap();
    // Another opening of the pipe, so that writes by the process wait for space.
    let path = format!("/proc/self/fd/{}", writer.as_raw_fd());
    let mut options = File::options();
    options.write(true).custom_flags(libc::O_NONBLOCK);
    let mut filler = options.open(path).unwrap();
    while filler.write_all(&[b'\n'; 4_096]).is_ok() {}
    while filler.write_all(b"\n").is_ok() {}
    (reader, writer)
}

/// A running program.
#[derive(Debug)]
pub struct Peer {
    name: String,
    child: Child,
    folder: TempDir,
}

impl Peer {
    /// Starts `program` with `arguments`. Its output is kept in files.
    pub fn start<A: AsRef<OsStr>>(program: &str, arguments: impl IntoIterator<Item = A>) -> Self {
        Self::start_command(Command::new(on_path(program).expect(program)).args(arguments))
    }

    /// Starts a prepared command; standard output and error go to files.
    pub fn start_command(command: &mut Command) -> Self {
        Self::spawn(command.stdin(Stdio::null()))
    }

    /// Works like [`Peer::start_command`], and also returns a pipe to the standard input.
    pub fn start_with_input(command: &mut Command) -> (Self, ChildStdin) {
        let mut peer = Self::spawn(command.stdin(Stdio::piped()));
        let input = peer.child.stdin.take().expect("its standard input");
        (peer, input)
    }

    /// Works like [`Peer::start_command`], with this standard output instead of a file.
    pub fn start_with_output(command: &mut Command, output: impl Into<Stdio>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self::spawn_in(command.stdin(Stdio::null()).stdout(output), folder)
    }

    /// Works like [`Peer::start_command`], with this standard error instead of a file.
    pub fn start_with_errors(command: &mut Command, errors: impl Into<Stdio>) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = File::create(folder.path().join("out")).expect("an output file");
        Self::spawn_with(command.stdin(Stdio::null()).stdout(out).stderr(errors), folder)
    }

    fn spawn(command: &mut Command) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let out = File::create(folder.path().join("out")).expect("an output file");
        Self::spawn_in(command.stdout(out), folder)
    }

    fn spawn_in(command: &mut Command, folder: TempDir) -> Self {
        let err = File::create(folder.path().join("err")).expect("an output file");
        Self::spawn_with(command.stderr(err), folder)
    }

    fn spawn_with(command: &mut Command, folder: TempDir) -> Self {
        let child =
            command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        let name = Path::new(command.get_program()).file_name().unwrap_or_default();
        Self { name: name.to_string_lossy().into_owned(), child, folder }
    }

    /// Returns the process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns the standard output so far.
    pub fn output(&self) -> String {
        self.read("out")
    }

    /// Returns the bytes of the standard output after the first `read`.
    pub fn output_after(&self, read: u64) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut file = File::open(self.folder.path().join("out")).expect("its output");
        file.seek(SeekFrom::Start(read))
            .and_then(|_| file.read_to_end(&mut bytes))
            .expect("output");
        bytes
    }

    /// Returns the standard error so far.
    pub fn errors(&self) -> String {
        self.read("err")
    }

    /// Returns the output and the errors so far, with the crash reports that the errors name. They
    /// are in temporary folders, which are removed with the test.
    fn report(&self) -> String {
        let (output, errors) = (self.output(), self.errors());
        let named = errors.lines().filter_map(|line| line.split_once("report without keys: "));
        let crashes: String = named.filter_map(|(_, path)| fs::read_to_string(path).ok()).collect();
        output + &errors + &crashes
    }

    fn read(&self, file: &str) -> String {
        let bytes = fs::read(self.folder.path().join(file)).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    /// Returns the exit status, if the process has ended.
    pub fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the state of a child")
    }

    /// Waits for `condition`. If the program ends first, fails immediately and shows its output.
    pub fn wait_until(
        &mut self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut(&Self) -> bool,
    ) {
        let start = Instant::now();
        while !condition(self) {
            let ended = self.status();
            if ended.is_some() && condition(self) {
                return;
            }
            assert!(
                ended.is_none() && start.elapsed() < limit,
                "{} did not come to {what} ({ended:?}); it said:\n{}",
                self.name,
                self.report()
            );
            pause(start);
        }
    }

    /// Waits until the process ends on its own.
    ///
    /// # Panics
    /// With its output when it has not ended after `limit`.
    pub fn wait(&mut self, limit: Duration) -> ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.status() {
                return status;
            }
            assert!(
                start.elapsed() < limit,
                "{} did not end within {limit:?}; it said:\n{}",
                self.name,
                self.report()
            );
            pause(start);
        }
    }

    /// Waits until the process ends on its own with success.
    pub fn wait_success(&mut self, limit: Duration) {
        let status = self.wait(limit);
        assert!(status.success(), "{} ended with {status}; it said:\n{}", self.name, self.report());
    }

    /// Sends SIGINT, as Ctrl-C does.
    pub fn interrupt(&self) {
        self.signal("INT");
    }

    /// Sends a signal by name, such as `TERM` or `STOP`.
    pub fn signal(&self, signal: &str) {
        let line = format!("kill -{signal} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &line]).status();
        assert!(sent.is_ok_and(|status| status.success()), "{line}");
    }

    /// Kills the process immediately, like a crash.
    pub fn kill(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Waits until something listens on `port`.
pub fn wait_listening(peer: &mut Peer, port: u16) {
    peer.wait_until(&format!("listening on port {port}"), LIMIT, |_| listening(port));
}
