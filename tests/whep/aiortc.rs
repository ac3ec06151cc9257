//! aiortc, a third-party implementation of WebRTC, run by a Python script.

use std::path::PathBuf;
use std::process::Command;

use crate::peers::{self, Peer};

const SCRIPT: &str = include_str!("receive.py");
const HOSTILE: &str = include_str!("hostile.py");

/// The path of a Python that has aiortc. `packaging/test.sh` sets it up.
pub struct Program(PathBuf);

/// Returns the program, or `None` (with a message) if there is none.
pub fn program() -> Option<Program> {
    peers::fetched("ONAIR_AIORTC").map(Program)
}

impl Program {
    /// Receives for some seconds, ends the session, and prints a report as JSON.
    pub fn start(&mut self, endpoint: &str) -> Peer {
        Peer::start_command(Command::new(&self.0).args(["-c", SCRIPT, endpoint]))
    }

    /// Attacks the WebRTC port, and the session of the viewer with this ICE user name. Prints
    /// counts as JSON.
    pub fn attack(&mut self, endpoint: &str, port: u16, viewer: &str) -> Peer {
        let port = port.to_string();
        Peer::start_command(Command::new(&self.0).args(["-c", HOSTILE, endpoint, &port, viewer]))
    }
}
