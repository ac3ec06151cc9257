//! node-datachannel, a third-party implementation of WebRTC: libdatachannel for Node.js.

use std::path::PathBuf;
use std::process::Command;

use crate::peers::{self, Peer};

const SCRIPT: &str = include_str!("receive.cjs");

/// The native module; `packaging/test.sh` fetches and names it.
pub struct Module(PathBuf);

/// It, if there is one; says so where there is none.
pub fn module() -> Option<Module> {
    if peers::missing(&["node"]) {
        return None;
    }
    let found = std::env::var_os("ONAIR_NODE_DATACHANNEL").map(|file| Module(file.into()));
    if found.is_none() {
        eprintln!("SKIPPED: ONAIR_NODE_DATACHANNEL names no module (see packaging/test.sh)");
    }
    found
}

impl Module {
    /// Receives for some seconds, ends the session, and tells what came as JSON.
    pub fn start(&self, endpoint: &str) -> Peer {
        Peer::start_command(
            Command::new("node").args(["-e", SCRIPT, "-"]).arg(&self.0).arg(endpoint),
        )
    }
}
