//! Detects stalls while a test checks a claim about real time (lip sync, the length of a wait, a
//! stream without a gap). A stall can affect the computer, or a thread of this process or of its
//! child processes. System tests include this file too (`tests/peers/mod.rs`).

use std::cell::Cell;
use std::collections::HashMap;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::{Stop, Worker};

/// Minimum duration of a stall. During such a stall, the compositor skips frames.
const STALL_THRESHOLD: Duration = Duration::from_millis(100);
/// How often each watching thread checks the clock.
const POLL_INTERVAL: Duration = Duration::from_millis(5);
/// The number of watching threads, so that a stall of one processor delays at least one of them.
const WATCHER_THREADS: usize = 4;
/// How often the threads of this process and of its child processes are checked.
const SCAN_INTERVAL: Duration = Duration::from_millis(200);
/// Maximum number of attempts to confirm a claim. The total time is limited too, because a test
/// must end within three minutes.
const MAX_ATTEMPTS: usize = 5;
const MAX_DURATION: Duration = Duration::from_secs(80);

/// Measures the longest stall of the computer.
pub struct StallGuard {
    longest: Arc<AtomicU64>,
    _workers: Vec<Worker>,
}

impl StallGuard {
    /// Starts the measurement, which ends when the guard is dropped.
    pub fn start() -> Self {
        let longest = Arc::<AtomicU64>::default();
        let watch = |number: usize| {
            let longest = Arc::clone(&longest);
            Worker::spawn(format!("watch-{number}"), move |stop| measure(stop, &longest)).unwrap()
        };
        let mut workers: Vec<Worker> = (0..WATCHER_THREADS).map(watch).collect();
        let others = Arc::clone(&longest);
        workers
            .push(Worker::spawn("watch-others", move |stop| look_around(stop, &others)).unwrap());
        Self { longest, _workers: workers }
    }

    /// Returns the longest stall so far.
    pub fn longest(&self) -> Duration {
        // A stall that is still in progress is detected by the next check.
        std::thread::sleep(SCAN_INTERVAL * 2);
        Duration::from_micros(self.longest.load(Ordering::Relaxed))
    }
}

fn note(longest: &AtomicU64, stall: Duration) {
    longest.fetch_max(u64::try_from(stall.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
}

fn measure(stop: &Stop, longest: &AtomicU64) {
    let mut last = Instant::now();
    while !stop.wait(POLL_INTERVAL) {
        note(longest, last.elapsed().saturating_sub(POLL_INTERVAL));
        last = Instant::now();
    }
}

/// Linux's figures about a thread. Other systems have no such figures, so only stalls of the whole
/// computer are detected there.
struct ThreadTimes {
    /// The time at which a signal or a debugger stopped the thread.
    held: Option<Instant>,
    /// The time for which the thread ran.
    ran: u64,
    /// The time for which the thread waited for a processor.
    waited: u64,
}

fn look_around(stop: &Stop, longest: &AtomicU64) {
    let mut threads = HashMap::<u32, ThreadTimes>::new();
    while !stop.wait(SCAN_INTERVAL) {
        let (mut now, mut processes) = (HashMap::new(), vec![std::process::id()]);
        while let Some(process) = processes.pop() {
            let folder = format!("/proc/{process}/task");
            for thread in fs::read_dir(&folder).into_iter().flatten().flatten() {
                let Ok(id) = thread.file_name().to_string_lossy().parse() else { continue };
                let read =
                    |name: &str| fs::read_to_string(thread.path().join(name)).unwrap_or_default();
                processes
                    .extend(read("children").split(' ').filter_map(|it| it.parse::<u32>().ok()));
                let stat = read("stat");
                let is_held = stat.rsplit(") ").next().is_some_and(|it| it.starts_with(['T', 't']));
                let before = threads.get(&id);
                let since = || before.and_then(|it| it.held).unwrap_or_else(Instant::now);
                let held = is_held.then(since);
                let times = read("schedstat");
                let mut times = times.split(' ').filter_map(|it| it.parse::<u64>().ok());
                let (ran, waited) = (times.next().unwrap_or(0), times.next().unwrap_or(0));
                if let Some(before) = before {
                    let more = Duration::from_nanos(waited.saturating_sub(before.waited));
                    // A thread that is always busy may wait for up to twice the time that it runs.
                    if more > Duration::from_nanos(ran.saturating_sub(before.ran)) * 2 {
                        note(longest, more);
                    }
                }
                note(longest, held.map_or(Duration::ZERO, |since| since.elapsed()));
                now.insert(id, ThreadTimes { held, ran, waited });
            }
        }
        threads = now;
    }
}

/// Checks a claim about real time. If the check fails and the computer stalled in the meantime, the
/// claim is checked again a few times. Without a stall, a failed check fails the test immediately.
pub fn in_real_time(mut claim: impl FnMut()) {
    let begun = Instant::now();
    for tries in 1.. {
        let watch = StallGuard::start();
        let Err(failed) = catch_unwind(AssertUnwindSafe(&mut claim)) else { return };
        let stall = watch.longest();
        if stall < STALL_THRESHOLD || tries >= MAX_ATTEMPTS || begun.elapsed() > MAX_DURATION {
            eprintln!("try {tries}, the machine stood for {stall:?} at most");
            resume_unwind(failed);
        }
        eprintln!("the machine stood for {stall:?}: once again");
    }
}

thread_local! {
    static RUNNING_IN_REAL_TIME: Cell<bool> = const { Cell::new(false) };
}

/// Returns true if the test already ran [`in_real_time`] in this process. Tests call this function
/// in their first line.
pub fn tried(test: fn()) -> bool {
    if RUNNING_IN_REAL_TIME.replace(true) {
        return false;
    }
    let over = catch_unwind(|| in_real_time(test));
    // Another test may run on this thread.
    RUNNING_IN_REAL_TIME.set(false);
    over.map_or_else(|failed| resume_unwind(failed), |()| true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fails_while_the_machine_goes_on_fails_at_once() {
        let mut tried = 0;
        // On a computer that really stalls, the claim is checked several times, and still fails.
        let failed = catch_unwind(AssertUnwindSafe(|| {
            in_real_time(|| {
                tried += 1;
                panic!("it does not hold");
            });
        }));
        assert!(failed.is_err() && (1..=MAX_ATTEMPTS).contains(&tried));
        in_real_time(|| tried = 0);
        assert_eq!(tried, 0);
    }

    #[cfg(unix)]
    #[test]
    fn a_started_program_that_stalls_is_noticed() {
        let mut peer = std::process::Command::new("sleep").arg("60").spawn().unwrap();
        let tell = |signal: &str| {
            let id = peer.id().to_string();
            assert!(
                std::process::Command::new("kill").args([signal, &id]).status().unwrap().success()
            );
        };
        tell("-STOP");
        let (watch, begun) = (StallGuard::start(), Instant::now());
        while watch.longest() < Duration::from_secs(1) {
            assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", watch.longest());
        }
        tell("-KILL");
        peer.wait().unwrap();
    }

    #[test]
    fn a_test_that_begins_with_being_tried_goes_on_within() {
        thread_local!(static BODIES: Cell<usize> = const { Cell::new(0) });
        fn test() {
            if !tried(test) {
                BODIES.set(BODIES.get() + 1);
            }
        }
        test();
        assert_eq!(BODIES.get(), 1);
    }
}
