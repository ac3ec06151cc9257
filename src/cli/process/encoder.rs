//! The hidden command `encoder-process`, and the launcher that starts it.

use crate::base::launcher;
use crate::encode::run_encoder_process;

/// If onair started this process as an encoder, encodes until onair closes the socket, and ends the
/// process.
pub fn run() {
    if std::env::args_os().nth(1).is_some_and(|word| word == "encoder-process") {
        std::process::exit(run_encoder_process());
    }
}

/// Starts the launcher, with which encoders of the system's libraries can be opened later. Without
/// it, they are listed as not available.
pub fn prepare() {
    if let Err(error) = launcher::start() {
        match error.kind() {
            // The list of encoders says so.
            std::io::ErrorKind::Unsupported => tracing::debug!(%error, "no encoder processes"),
            _ => tracing::warn!(%error, "encoder processes cannot be started"),
        }
    }
}
