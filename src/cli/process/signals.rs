//! Ctrl-C, SIGTERM and a closed terminal (SIGHUP) end a command cleanly; a second Ctrl-C or SIGTERM
//! ends it immediately.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::cli::output::complain;

/// A flag that becomes true when the end of the process is requested.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts listening for signals. The first signal is recorded; a second signal from the user
    /// ends the process with code 1. Returns `None` if the system allows no signal handler, which
    /// is logged.
    pub fn listen() -> Option<Self> {
        Self::handle(true)
            .inspect_err(|error| complain(format!("listening for Ctrl-C: {error}")))
            .ok()
    }

    /// Starts listening for signals like [`Interrupt::listen`], except that SIGHUP only sets the
    /// returned flag. This function is for services without a terminal, which reload their
    /// configuration.
    pub fn listen_and_reload() -> Option<(Self, Arc<AtomicBool>)> {
        let all = Self::handle(false).and_then(|it| Ok((it, Self::flag(SIGHUP)?)));
        all.inspect_err(|error| complain(format!("listening for signals: {error}"))).ok()
    }

    fn handle(hangup_ends: bool) -> std::io::Result<Self> {
        let interrupt = Self::default();
        // A write beyond the file size limit must return an error, and must not end the process.
        Self::flag(signal_hook::consts::SIGXFSZ)?;
        // A closing terminal sends SIGHUP more than once, followed by other signals, which do not
        // count as a second request.
        let insisted = Arc::default();
        for signal in [SIGINT, SIGTERM] {
            // The order matters: the handler that ends the process reads the flag before it is set.
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&insisted))?;
            signal_hook::flag::register(signal, Arc::clone(&insisted))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        // A process started with `nohup` outlives its terminal.
        if hangup_ends && !is_ignored(SIGHUP) {
            signal_hook::flag::register(SIGHUP, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// Creates a flag that the signal sets, and that its reader resets.
    ///
    /// # Errors
    /// Fails if the system allows no signal handler.
    pub fn flag(signal: i32) -> std::io::Result<Arc<AtomicBool>> {
        let flag = Arc::default();
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
        Ok(flag)
    }

    /// Returns true if a signal has arrived.
    pub fn is_set(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Returns true if the process was started with this signal ignored, and false if that is unknown.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status, signal)
}

/// Determines, from the kernel's data about a process, whether the process ignores this signal.
fn ignored_in(status: &str, signal: i32) -> bool {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0);
    mask & (1 << (signal - 1)) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ignored_is_read() {
        let status = "Name:\tonair\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n";
        assert!(ignored_in(status, SIGHUP));
        assert!(!ignored_in(status, SIGINT));
        assert!(!ignored_in("", SIGHUP));
    }
}
