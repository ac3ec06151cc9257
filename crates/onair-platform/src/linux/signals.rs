//! Signals: Ctrl+C, SIGTERM and a closed terminal (SIGHUP) ask the process to end, and a second Ctrl+C
//! or SIGTERM ends it at once.

use std::io::{self, PipeReader, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};

/// A signal that another program sends for a purpose of its own.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Signal {
    /// SIGHUP
    Hangup,
    /// SIGUSR1
    First,
    /// SIGUSR2
    Second,
}

/// Waits until the first signal came, so that a second one counts as such.
#[derive(Debug)]
pub struct Repetition {
    wakes: PipeReader,
    flags: [Arc<AtomicBool>; 2],
}

impl Repetition {
    /// Waits for the first signal, and then `nap`s. From then on, each signal is a second request.
    pub fn arm(self, nap: impl FnOnce()) {
        arm(self.wakes, &self.flags, nap);
    }
}

/// Sets `asked` when the user or the system asks this process to end. A second request ends the
/// process with code 1. `hangup_ends` is false for a service, for which SIGHUP has another meaning.
///
/// # Errors
/// Fails if the system allows no signal handler.
pub fn listen(asked: &Arc<AtomicBool>, hangup_ends: bool) -> io::Result<Repetition> {
    // A write beyond the file size limit must return an error, and must not end the process.
    set_by(SIGXFSZ)?;
    // A closing terminal sends SIGHUP more than once, followed by other signals, which do not count
    // as a second request.
    let [by_int, by_term] = <[Arc<AtomicBool>; 2]>::default();
    let (wakes, waker) = io::pipe()?;
    for (signal, same, other) in [(SIGINT, &by_int, &by_term), (SIGTERM, &by_term, &by_int)] {
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(same))?;
        signal_hook::flag::register(signal, Arc::clone(other))?;
        signal_hook::flag::register(signal, Arc::clone(asked))?;
        signal_hook::low_level::pipe::register(signal, waker.try_clone()?)?;
    }
    // A process started with `nohup` outlives its terminal.
    if hangup_ends && !is_ignored(SIGHUP) {
        signal_hook::flag::register(SIGHUP, Arc::clone(asked))?;
    }
    Ok(Repetition { wakes, flags: [by_int, by_term] })
}

/// Creates a flag that the signal sets, and that its reader resets.
///
/// # Errors
/// Fails if the system allows no signal handler.
pub fn flag(signal: Signal) -> io::Result<Arc<AtomicBool>> {
    set_by(match signal {
        Signal::Hangup => SIGHUP,
        Signal::First => SIGUSR1,
        Signal::Second => SIGUSR2,
    })
}

/// Ends the process without the exit handlers of libraries, some of which wait.
pub fn end_at_once(code: u8) -> ! {
    signal_hook::low_level::exit(code.into())
}

fn set_by(signal: i32) -> io::Result<Arc<AtomicBool>> {
    let flag = Arc::default();
    signal_hook::flag::register(signal, Arc::clone(&flag))?;
    Ok(flag)
}

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
