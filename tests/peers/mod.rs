//! Third-party programs for tests. This module finds and starts them, gives them free ports on
//! 127.0.0.1, waits for them with a limit, and ends them by their process ID on drop. It writes
//! their output to files in a temporary folder, so that no pipe fills up and a failing test can
//! print the output.
//!
//! A test that needs such programs starts with `peers::require!("ffmpeg", "nginx");`. If a program
//! is missing, the test prints a conspicuous line and skips itself. If `CI` is set, the test fails
//! instead.

pub mod certificates;
pub mod client;
pub mod desktop;
pub mod ffmpeg;
pub mod nginx;
pub mod obs;
pub mod onair;
pub mod others;
mod process;
pub mod resources;
#[path = "../../crates/onair-base/src/base/stall_guard.rs"]
pub mod stall_guard;
pub mod throttle;
pub mod watcher;
pub mod web;

use std::path::PathBuf;

use ::onair::base::{Stop, Worker};
pub use nginx::Nginx;
pub use onair::Onair;
pub use process::{LIMIT, Peer, found, free_port, full_pipe, on_path, wait_for, wait_listening};

/// Ends the test here, with a conspicuous line, if a program is missing (see [`missing`]).
macro_rules! require {
    ($($program:expr),+ $(,)?) => {
        if $crate::peers::missing(&[$($program),+]) {
            return;
        }
    };
}
pub(crate) use require;

/// The first line of a test that depends on real time. If the test fails and the computer stalled
/// in the meantime, the test runs again (see [`stall_guard`]).
macro_rules! in_real_time {
    ($test:ident) => {
        if $crate::peers::stall_guard::tried($test) {
            return;
        }
    };
}
pub(crate) use in_real_time;

/// Returns true if one of these programs is missing, and reports that on standard error.
///
/// # Panics
/// Where `CI` is set: there every peer must be installed.
pub fn missing(programs: &[&str]) -> bool {
    let absent: Vec<&str> = programs.iter().copied().filter(|name| !found(name)).collect();
    if absent.is_empty() {
        return false;
    }
    let list = absent.join(", ");
    skipped(&format!("{list} is not installed (packaging/test.sh installs what the tests need)"))
}

/// Returns the file that this variable names, or reports on standard error that there is none.
/// `packaging/test.sh` fetches the file and sets the variable.
///
/// # Panics
/// Where `CI` is set: there every file must have been fetched.
pub fn fetched(variable: &str) -> Option<PathBuf> {
    let file = std::env::var_os(variable).map(PathBuf::from);
    if file.is_none() {
        skipped(&format!("{variable} names no file (packaging/test.sh fetches it)"));
    }
    file
}

/// Reports on standard error why a test is skipped, and returns true.
///
/// # Panics
/// Where `CI` is set: there no test is skipped.
pub fn skipped(reason: &str) -> bool {
    let is_ci = std::env::var_os("CI").is_some_and(|value| !value.is_empty() && value != "false");
    assert!(!is_ci, "{reason}");
    skipped_even_in_ci(reason)
}

/// Reports on standard error why a test is skipped, and returns true, even where `CI` is set. For
/// devices, kernel modules and data that not every machine has.
pub fn skipped_even_in_ci(reason: &str) -> bool {
    eprintln!("SKIPPED: {reason}");
    true
}
