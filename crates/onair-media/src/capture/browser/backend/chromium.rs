//! Finds and starts Chromium.
#![allow(unsafe_code)]

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::capture::browser::backend::cdp::Cdp;
use crate::capture::browser::wire::{PageTask, Trouble};

/// The names of the program, the smallest first.
const NAMES: [&str; 8] = [
    "chromium-headless-shell",
    "headless_shell",
    "chrome-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome-stable",
    "google-chrome",
    "microsoft-edge-stable",
];
/// Folders that are searched before those of `PATH`. There, the names belong to the programs
/// themselves. In `PATH`, they can belong to scripts, which Chromium would outlive.
const FOLDERS: [&str; 4] = [
    "/usr/lib/chromium",
    "/usr/lib64/chromium-browser",
    "/opt/google/chrome",
    "/opt/chrome-headless-shell",
];
/// The variable that names another program.
const PROGRAM_VARIABLE: &str = "ONAIR_CHROMIUM";

/// The variables of the environment that Chromium gets. Others can contain keys.
const VARIABLES: [&str; 17] = [
    "PATH",
    "HOME",
    "USER",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "LC_TIME",
    "LANGUAGE",
    "TZ",
    "TMPDIR",
    "XDG_RUNTIME_DIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "FONTCONFIG_FILE",
    "PULSE_SERVER",
    "PULSE_COOKIE",
    "PULSE_RUNTIME_PATH",
];

/// The options of Chromium that do not depend on the page.
const OPTIONS: &[&str] = &[
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--no-service-autorun",
    "--disable-background-networking",
    "--disable-breakpad",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-extensions",
    "--disable-sync",
    "--disable-features=Translate,MediaRouter,OptimizationHints,DialMediaRouteProvider,AutofillServerCommunication",
    // A page that is not visible to Chromium goes on.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--disable-gpu",
    "--force-color-profile=srgb",
    "--force-device-scale-factor=1",
    "--hide-scrollbars",
    "--autoplay-policy=no-user-gesture-required",
    // Nobody could answer a question of the page.
    "--deny-permission-prompts",
    "--block-new-web-contents",
    "--password-store=basic",
    // Connections that bypass the proxy could reach the local network.
    "--force-webrtc-ip-handling-policy=disable_non_proxied_udp",
    "--proxy-bypass-list=<-loopback>",
    "--disable-quic",
    "--js-flags=--max-old-space-size=512",
];

/// Maximum length of Chromium's last words in a reason.
const MAX_LAST_WORDS: usize = 200;

/// A running Chromium. Dropping it kills it and everything that it started.
pub(super) struct Chromium {
    child: Child,
    words: File,
    /// True if Chromium's own sandbox restricts the page.
    pub sandboxed: bool,
}

/// Returns Chromium's path.
pub(super) fn find() -> Option<PathBuf> {
    if let Some(program) = std::env::var_os(PROGRAM_VARIABLE) {
        return Some(program.into()).filter(|program: &PathBuf| program.is_file());
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> =
        FOLDERS.iter().map(PathBuf::from).chain(std::env::split_paths(&path)).collect();
    let named = |name: &&str| folders.iter().map(|it| it.join(name)).find(|it| is_program(it));
    NAMES.iter().find_map(named)
}

fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|it| it.is_file() && it.permissions().mode() & 0o111 != 0)
}

impl Chromium {
    /// Starts Chromium with a profile folder, with all its connections through the proxy at this port,
    /// and with its audio in this sink.
    pub fn start(
        task: &PageTask,
        profile: &Path,
        proxy: u16,
        sink: Option<&str>,
    ) -> Result<(Self, Cdp), Trouble> {
        let failed = |error: io::Error| Trouble::NotStarted { reason: error.to_string() };
        let program = find().ok_or(Trouble::NoBrowser)?;
        // Chromium refuses its sandbox to root.
        // SAFETY: a plain call.
        let sandboxed = unsafe { libc::geteuid() } != 0;
        let (their_requests, requests) = pipe().map_err(failed)?;
        let (answers, their_answers) = pipe().map_err(failed)?;
        let (words, their_words) = pipe().map_err(failed)?;
        let mut command = Command::new(&program);
        command.args(OPTIONS);
        command.arg(format!("--window-size={},{}", task.size.width, task.size.height));
        command.arg(format!("--proxy-server=http://127.0.0.1:{proxy}"));
        let mut folder = OsString::from("--user-data-dir=");
        folder.push(profile);
        command.arg(folder).arg("--disk-cache-size=67108864");
        if sink.is_none() {
            command.arg("--mute-audio");
        }
        if !sandboxed {
            command.arg("--no-sandbox");
        }
        command.arg("about:blank").env_clear();
        command.envs(VARIABLES.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        if let Some(sink) = sink {
            command.env("PULSE_SINK", sink);
        }
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::from(their_words));
        let files = [their_requests.as_raw_fd(), their_answers.as_raw_fd()];
        // SAFETY: only calls that are safe between `fork` and `exec`.
        unsafe { command.pre_exec(move || prepare(files)) };
        let child = command.spawn().map_err(failed)?;
        let cdp = Cdp::new(File::from(requests), File::from(answers)).map_err(failed)?;
        let words = File::from(words);
        nonblocking(words.as_raw_fd());
        Ok((Self { child, words, sandboxed }, cdp))
    }

    /// Returns the number of the process.
    pub fn number(&self) -> u32 {
        self.child.id()
    }

    /// Returns the last line that Chromium wrote, such as the reason why it does not start.
    pub fn last_words(&mut self) -> String {
        let mut text = vec![0; 64 << 10];
        let length = self.words.read(&mut text).unwrap_or(0);
        let text = String::from_utf8_lossy(text.get(..length).unwrap_or_default());
        let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        // The reason is in the line of the most severe kind.
        let line = lines.clone().rfind(|line| line.contains("FATAL")).or_else(|| lines.next_back());
        let line = line.unwrap_or("no answer");
        line.rsplit("] ").next().unwrap_or(line).chars().take(MAX_LAST_WORDS).collect()
    }

    /// Reads and drops what Chromium wrote, so that it never waits for a reader.
    pub fn drain_words(&mut self) {
        let mut text = [0; 4_096];
        for _ in 0..16 {
            if !matches!(self.words.read(&mut text), Ok(1..)) {
                break;
            }
        }
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Ok(number) = i32::try_from(self.child.id()) {
            // SAFETY: a plain call. The process leads its own group, and was not waited for yet.
            unsafe { libc::kill(-number, libc::SIGKILL) };
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Prepares Chromium's process, between `fork` and `exec`.
fn prepare(files: [RawFd; 2]) -> io::Result<()> {
    // SAFETY: plain calls.
    unsafe {
        libc::prctl(libc::PR_SET_PDEATHSIG, libc::SIGKILL);
        libc::setpgid(0, 0);
        // The launcher ignores these, and Chromium would inherit it.
        for signal in [libc::SIGINT, libc::SIGTERM, libc::SIGHUP, libc::SIGCHLD, libc::SIGPIPE] {
            libc::signal(signal, libc::SIG_DFL);
        }
        // First out of the way of the numbers that Chromium expects.
        let mut moved = [-1; 2];
        for (to, file) in moved.iter_mut().zip(files) {
            *to = libc::fcntl(file, libc::F_DUPFD_CLOEXEC, 64);
        }
        for (number, file) in (3..).zip(moved) {
            if file < 0 || libc::dup2(file, number) < 0 {
                return Err(io::Error::last_os_error());
            }
        }
    }
    Ok(())
}

fn nonblocking(file: RawFd) {
    // SAFETY: plain calls on an open descriptor.
    unsafe {
        let flags = libc::fcntl(file, libc::F_GETFL);
        libc::fcntl(file, libc::F_SETFL, flags | libc::O_NONBLOCK);
    }
}

fn pipe() -> io::Result<(OwnedFd, OwnedFd)> {
    let mut ends = [0; 2];
    // SAFETY: the call writes two descriptors, which are new and have no other owner.
    unsafe {
        if libc::pipe2(ends.as_mut_ptr(), libc::O_CLOEXEC) != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok((OwnedFd::from_raw_fd(ends[0]), OwnedFd::from_raw_fd(ends[1])))
    }
}
