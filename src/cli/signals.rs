//! Ctrl-C and SIGTERM end a command cleanly; a second one ends it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Becomes true when somebody asked the program to end.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts listening. The first signal is noted, the second ends the process with code 1.
    ///
    /// # Errors
    /// When the system allows no signal handler.
    pub fn listen() -> std::io::Result<Self> {
        let interrupt = Self::default();
        // A file that may not grow any further is an error of its own, and no reason to die.
        #[cfg(unix)]
        Self::flag(signal_hook::consts::SIGXFSZ)?;
        for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
            // Order matters: the handler that ends the process looks at the flag before it is set.
            signal_hook::flag::register_conditional_shutdown(
                signal,
                1,
                Arc::clone(&interrupt.asked),
            )?;
            signal_hook::flag::register(signal, Arc::clone(&interrupt.asked))?;
        }
        Ok(interrupt)
    }

    /// A flag that a signal of a number sets, to be taken back by who has answered it.
    ///
    /// # Errors
    /// When the system allows no signal handler.
    pub fn flag(signal: i32) -> std::io::Result<Arc<AtomicBool>> {
        let flag = Arc::default();
        signal_hook::flag::register(signal, Arc::clone(&flag))?;
        Ok(flag)
    }

    /// Whether a signal has come.
    pub fn is_set(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}
