//! The hidden command `plugin-process`.

use crate::mix::plugin;

/// If onair started this process for an audio plugin, runs the plugin until onair closes the socket,
/// and ends the process.
pub fn run() {
    if std::env::args_os().nth(1).is_some_and(|word| word == "plugin-process") {
        std::process::exit(plugin::run());
    }
}
