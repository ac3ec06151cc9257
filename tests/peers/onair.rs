//! onair as a process, with its JSON events.

use std::process::{ChildStdin, Command, ExitStatus};
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
}

impl Onair {
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
        let peer = Peer::start_command(command);
        Self { peer, settings }
    }

    /// Keeps a command away from the user's settings and displays. Returns the new settings folder.
    fn away(command: &mut Command) -> TempDir {
        let settings = tempfile::tempdir().unwrap();
        command.env_remove("DISPLAY").env_remove("WAYLAND_DISPLAY");
        command.env("XDG_CONFIG_HOME", settings.path());
        command.env("XDG_STATE_HOME", settings.path());
        settings
    }

    /// Works like [`Onair::start`], with `--control`. Also returns the pipe for commands.
    pub fn start_told(arguments: &[&str]) -> (Self, ChildStdin) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_onair"));
        command.args(arguments).args(["--control", "--json"]);
        let settings = Self::away(&mut command);
        let (peer, input) = Peer::start_told(&mut command);
        (Self { peer, settings }, input)
    }

    /// Returns all events so far.
    pub fn events(&self) -> Vec<Value> {
        let output = self.peer.output();
        // The last line may be incomplete.
        let whole = output.rfind('\n').map_or("", |end| &output[..end]);
        whole
            .lines()
            .map(|line| serde_json::from_str(line).unwrap_or_else(|e| panic!("{e}: {line}")))
            .collect()
    }

    /// Waits for the first event that `wanted` accepts.
    pub fn wait_event(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut found = None;
        let read = |peer: &Peer| -> Option<Value> {
            let output = peer.output();
            let whole = output.rfind('\n').map_or("", |end| &output[..end]);
            whole.lines().filter_map(|line| serde_json::from_str(line).ok()).find(|v| wanted(v))
        };
        self.peer.wait_until(what, LIMIT, |peer| {
            found = read(peer);
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
