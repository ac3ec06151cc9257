//! Ctrl-C, SIGTERM and a closed terminal (SIGHUP) end a command properly; a second Ctrl-C or
//! SIGTERM ends it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::cli::output::complain;

/// Becomes true when somebody asked the program to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts listening. The first signal is noted; a second one of the user ends the process with
    /// code 1. Returns `None` if the system allows no signal handler, which is logged.
    pub fn listen() -> Option<Self> {
        Self::handle().inspect_err(|error| complain(format!("listening for Ctrl-C: {error}"))).ok()
    }

    fn handle() -> std::io::Result<Self> {
        let interrupt = Self::default();
        // A file that may not grow any further is a separate error, and no reason to die.
        #[cfg(unix)]
        Self::flag(signal_hook::consts::SIGXFSZ)?;
        // A terminal that closes sends SIGHUP more than once, and others after it: those are no
        // second wish.
        let insisted = Arc::default();
        for signal in [SIGINT, SIGTERM] {
            // Order matters: the handler that ends the process looks at the flag before it is set.
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&insisted))?;
            signal_hook::flag::register(signal, Arc::clone(&insisted))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        // What was started by `nohup` outlives its terminal.
        if !is_ignored(SIGHUP) {
            signal_hook::flag::register(SIGHUP, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// A flag that the signal sets; its reader resets it.
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

/// Returns true if the process was started with this signal ignored; if unknown, it was not.
fn is_ignored(signal: i32) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    ignored_in(&status, signal)
}

/// The same from the kernel's data about a process.
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
