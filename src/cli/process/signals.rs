//! Ctrl-C, SIGTERM and a closed terminal (SIGHUP) end a command cleanly; a second Ctrl-C or SIGTERM
//! ends it immediately.

use std::io::Read;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};

use crate::base::Worker;
use crate::files::Trouble;
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
        let all = Self::handle(false).and_then(|it| Ok((it, Self::flag(SIGHUP)?)));
        all.map_err(|error| cannot_start(&error))
    }

    fn handle(hangup_ends: bool) -> std::io::Result<Self> {
        let interrupt = Self::default();
        // A write beyond the file size limit must return an error, and must not end the process.
        Self::flag(signal_hook::consts::SIGXFSZ)?;
        // A closing terminal sends SIGHUP more than once, followed by other signals, which do not
        // count as a second request.
        let [by_int, by_term] = <[Arc<AtomicBool>; 2]>::default();
        let (wakes, waker) = std::io::pipe()?;
        for (signal, same, other) in [(SIGINT, &by_int, &by_term), (SIGTERM, &by_term, &by_int)] {
            signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(same))?;
            signal_hook::flag::register(signal, Arc::clone(other))?;
            signal_hook::flag::register(signal, Arc::clone(&interrupt.asked))?;
            signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
        }
        Worker::spawn("onair-repeat", move |_| {
            arm(wakes, &[by_int, by_term], || std::thread::sleep(REPEAT_TIME));
        })?;
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

/// Returns the problem of a command to which the system gives no thread, file or signal handler.
pub fn cannot_start(error: &std::io::Error) -> Problem {
    let reason = match Trouble::of(error) {
        Trouble::TooManyFiles => problem!("file-too-many-open"),
        _ => Problem::from(error),
    };
    problem!("cli-start", reason = reason)
}

/// Waits for the first signal and then `nap`s, and sets the flags. From then on, each signal is a
/// second request.
fn arm(mut wakes: impl Read, flags: &[Arc<AtomicBool>], nap: impl FnOnce()) {
    if wakes.read_exact(&mut [0]).is_ok() {
        nap();
        flags.iter().for_each(|flag| flag.store(true, Ordering::SeqCst));
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
    fn a_repeated_signal_counts_only_after_a_while() {
        let flags = <[Arc<AtomicBool>; 2]>::default();
        let set = || flags.each_ref().map(|flag| flag.load(Ordering::SeqCst));
        arm(std::io::empty(), &flags, || unreachable!("there was no signal"));
        assert_eq!(set(), [false; 2]);
        arm(&b"X"[..], &flags, || assert_eq!(set(), [false; 2], "the signal may be repeated"));
        assert_eq!(set(), [true; 2]);
    }

    #[test]
    fn what_is_ignored_is_read() {
        let status = "Name:\tonair\nSigBlk:\t0000000000000001\nSigIgn:\t0000000000001001\n";
        assert!(ignored_in(status, SIGHUP));
        assert!(!ignored_in(status, SIGINT));
        assert!(!ignored_in("", SIGHUP));
    }
}
