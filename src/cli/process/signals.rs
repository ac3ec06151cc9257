//! Ctrl-C, SIGTERM and a closed terminal (SIGHUP) end a command cleanly; a second Ctrl-C or SIGTERM
//! ends it immediately.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::base::Worker;
use crate::files::Trouble;
use crate::platform::signals::{self, Signal};
use crate::text::problem::{Problem, problem};

/// For this time after the first signal, the same signal again is not a second request. `timeout`
/// sends its signal both to the command and to the command's process group.
const REPEAT_TIME: Duration = Duration::from_millis(100);

/// A flag that becomes true when the end of the process is requested.
#[derive(Clone, Debug, Default)]
pub struct Interrupt {
    asked: Arc<AtomicBool>,
}

impl Interrupt {
    /// Starts listening for signals. The first signal is recorded; a second signal from the user
    /// ends the process with code 1.
    ///
    /// # Errors
    /// Fails if the system allows no signal handler.
    pub fn listen() -> Result<Self, Problem> {
        Self::handle(true).map_err(|error| cannot_start(&error))
    }

    /// Starts listening for signals like [`Interrupt::listen`], except that SIGHUP only sets the
    /// returned flag. This function is for services without a terminal, which reload their
    /// configuration.
    ///
    /// # Errors
    /// Fails if the system allows no signal handler.
    pub fn listen_and_reload() -> Result<(Self, Arc<AtomicBool>), Problem> {
        let all = Self::handle(false).and_then(|it| Ok((it, signals::flag(Signal::Hangup)?)));
        all.map_err(|error| cannot_start(&error))
    }

    fn handle(hangup_ends: bool) -> std::io::Result<Self> {
        let interrupt = Self::default();
        let repetition = signals::listen(&interrupt.asked, hangup_ends)?;
        Worker::spawn("onair-repeat", move |_| {
            repetition.arm(|| std::thread::sleep(REPEAT_TIME));
        })?;
        Ok(interrupt)
    }

    /// Returns true if a signal has arrived.
    pub fn is_set(&self) -> bool {
        self.asked.load(Ordering::Relaxed)
    }
}

/// Returns the problem of a command to which the system gives no thread, file or signal handler.
pub fn cannot_start(error: &std::io::Error) -> Problem {
    let reason = match Trouble::of(error) {
        Trouble::TooManyFiles => problem!("file-too-many-open"),
        _ => Problem::from(error),
    };
    problem!("cli-start", reason = reason)
}
