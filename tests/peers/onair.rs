//! onair as a process, with its JSON events.

use std::process::{ChildStdin, Command, ExitStatus, Stdio};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::process::{LIMIT, Peer};

/// A running `onair … --json`.
#[derive(Debug)]
pub struct Onair {
    pub peer: Peer,
    /// The settings folder, which is empty at first.
    pub settings: TempDir,
    received: Mutex<ReceivedEvents>,
}

/// The events that were read so far. A test that waits for one asks a hundred times per second, so
/// each line is read only once.
#[derive(Debug, Default)]
struct ReceivedEvents {
    bytes: u64,
    events: Vec<Value>,
    /// The lines that are no JSON.
    wrong: Vec<String>,
}

impl ReceivedEvents {
    fn read(&mut self, peer: &Peer) {
        let new = peer.output_after(self.bytes);
        // The last line may be incomplete.
        let whole = new.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        self.bytes += whole as u64;
        for line in String::from_utf8_lossy(&new[..whole]).lines() {
            match serde_json::from_str(line) {
                Ok(event) => self.events.push(event),
                Err(error) => self.wrong.push(format!("{error}: {line}")),
            }
        }
    }
}

impl Onair {
    /// A running process with this settings folder.
    pub fn of(peer: Peer, settings: TempDir) -> Self {
        Self { peer, settings, received: Mutex::default() }
    }

    /// Starts `onair` with these arguments and `--json`, without access to the user's settings and
    /// displays.
    pub fn start(arguments: &[&str]) -> Self {
        Self::start_with(arguments, &[])
    }

    /// Works like [`Onair::start`], with environment variables.
    pub fn start_with(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(arguments).arg("--json");
        Self::start_command(&mut command, variables)
    }

    /// Starts a prepared command with environment variables.
    pub fn start_command(command: &mut Command, variables: &[(&str, &str)]) -> Self {
        let settings = Self::away(command);
        command.envs(variables.iter().copied());
        Self::of(Peer::start_command(command), settings)
    }

    /// Works like [`Onair::start`], with this standard output instead of a file.
    pub fn start_with_output(arguments: &[&str], output: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(arguments).arg("--json");
        let settings = Self::away(&mut command);
        Self::of(Peer::start_with_output(&mut command, output), settings)
    }

    /// Works like [`Onair::start`], with this standard error instead of a file.
    pub fn start_with_errors(arguments: &[&str], errors: impl Into<Stdio>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(arguments).arg("--json");
        let settings = Self::away(&mut command);
        Self::of(Peer::start_with_errors(&mut command, errors), settings)
    }

    /// Keeps a command away from the user's settings and displays. Returns the new settings folder.
    fn away(command: &mut Command) -> TempDir {
        let settings = tempfile::tempdir().unwrap();
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.env("XDG_CONFIG_HOME", settings.path());
        command.env("XDG_STATE_HOME", settings.path());
        // Measured encoders would change the automatic choice.
        command.env("XDG_CACHE_HOME", settings.path());
        settings
    }

    /// Works like [`Onair::start`], with `--control`. Also returns the pipe for commands.
    pub fn start_with_input(arguments: &[&str]) -> (Self, ChildStdin) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(arguments).args(["--control", "--json"]);
        let settings = Self::away(&mut command);
        let (peer, input) = Peer::start_with_input(&mut command);
        (Self::of(peer, settings), input)
    }

    /// Works like [`Onair::start_command`]. Also returns the pipe for commands.
    pub fn start_command_with_input(command: &mut Command) -> (Self, ChildStdin) {
        let settings = Self::away(command);
        let (peer, input) = Peer::start_with_input(command);
        (Self::of(peer, settings), input)
    }

    /// Returns all events so far.
    pub fn events(&self) -> Vec<Value> {
        let received = self.received();
        assert_eq!(received.wrong, Vec::<String>::new());
        received.events.clone()
    }

    /// Returns the events after the first `seen`.
    pub fn events_after(&self, seen: usize) -> Vec<Value> {
        self.received().events[seen..].to_vec()
    }

    fn received(&self) -> MutexGuard<'_, ReceivedEvents> {
        let mut received = self.received.lock().unwrap();
        received.read(&self.peer);
        received
    }

    /// Waits for the first event that `wanted` accepts.
    pub fn wait_event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let received = self.received.get_mut().unwrap();
        let (mut found, mut seen) = (None, 0);
        self.peer.wait_until(what, LIMIT, |peer| {
            received.read(peer);
            found = received.events[seen..].iter().find(|event| wanted(event)).cloned();
            seen = received.events.len();
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits for the first event of this name.
    pub fn wait_named(&mut self, name: &str) -> Value {
        self.wait_event(&format!("the event '{name}'"), |event| event["event"] == name)
    }

    /// Returns the play URL of the `ready` event.
    pub fn play_url(&mut self) -> String {
        self.wait_named("ready")["play"].as_str().expect("a play URL").to_owned()
    }

    /// Interrupts onair, and waits for its end.
    pub fn stop(&mut self, limit: Duration) -> ExitStatus {
        self.peer.interrupt();
        self.peer.wait(limit)
    }
}
