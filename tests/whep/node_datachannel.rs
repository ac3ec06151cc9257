//! node-datachannel, a third-party implementation of WebRTC: libdatachannel for Node.js.

use std::path::PathBuf;
use std::process::Command;

use crate::peers::{self, Peer};

const SCRIPT: &str = include_str!("receive.cjs");

/// The path of the native module. `packaging/test.sh` fetches it and sets the path.
pub struct Module(PathBuf);

/// Returns the module, or `None` (with a message) if there is none.
pub fn module() -> Option<Module> {
    if peers::missing(&["node"]) {
        return None;
    }
    peers::fetched("ONAIR_NODE_DATACHANNEL").map(Module)
}

impl Module {
    /// Receives for some seconds, ends the session, and prints a report as JSON.
    pub fn start(&self, endpoint: &str) -> Peer {
        Peer::start_command(
            Command::new("node").args(["-e", SCRIPT, "-"]).arg(&self.0).arg(endpoint),
        )
    }
}
