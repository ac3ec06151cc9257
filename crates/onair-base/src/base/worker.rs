//! Named threads. The owner of a thread can stop it, and wait for its end with a time limit. This
//! is the only module that starts threads.

use std::io;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};

/// The length of one slice of a wait.
const WAIT_SLICE: Duration = Duration::from_millis(50);

/// A request to stop, which the requester and the thread share.
#[derive(Clone, Debug, Default)]
pub struct Stop {
    shared: Arc<(Mutex<bool>, Condvar)>,
}

impl Stop {
    /// Creates a new token that is not set.
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks the thread to stop.
    pub fn set(&self) {
        *self.shared.0.lock() = true;
        self.shared.1.notify_all();
    }

    /// Returns true if the stop was requested.
    pub fn is_set(&self) -> bool {
        *self.shared.0.lock()
    }

    /// Sleeps for `timeout` or until the stop is requested. Returns whether the stop was requested.
    pub fn wait(&self, timeout: Duration) -> bool {
        let mut set = self.shared.0.lock();
        self.shared.1.wait_while_for(&mut set, |set| !*set, timeout);
        *set
    }
}

/// Waits in slices until `done` returns true, for at most `limit` in total. A stall of the whole
/// computer counts as one slice, because the other thread stalled too.
fn in_slices(limit: Duration, mut done: impl FnMut(Duration) -> bool) -> bool {
    let mut left = limit;
    loop {
        let slice = left.min(WAIT_SLICE);
        if done(slice) {
            return true;
        }
        left -= slice;
        if left.is_zero() {
            return false;
        }
    }
}

/// A running thread. Dropping this value requests the stop and does not wait; [`Worker::join`]
/// waits.
#[derive(Debug)]
pub struct Worker {
    name: String,
    stop: Stop,
    done: Stop,
    handle: Option<thread::JoinHandle<()>>,
}

/// The thread did not end in time and continues on its own.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("thread {0} did not end in time")]
pub struct Stuck(pub String);

impl Worker {
    /// Starts `body` on a separate thread. `name` is visible in debuggers and in `top` (its first
    /// 15 bytes). `body` must return soon after its [`Stop`] is set.
    ///
    /// # Errors
    /// Fails if the system cannot start more threads.
    pub fn spawn(
        name: impl Into<String>,
        body: impl FnOnce(&Stop) + Send + 'static,
    ) -> io::Result<Self> {
        let name = name.into();
        let (stop, done) = (Stop::new(), Stop::new());
        let (its_stop, its_done) = (stop.clone(), SetOnDrop(done.clone()));
        #[allow(clippy::disallowed_methods, reason = "the one place that starts threads")]
        let handle = thread::Builder::new().name(name.clone()).spawn(move || {
            let _done = its_done;
            body(&its_stop);
        })?;
        Ok(Self { name, stop, done, handle: Some(handle) })
    }

    /// Requests the stop and does not wait.
    pub fn stop(&self) {
        self.stop.set();
    }

    /// Returns true if the thread has ended.
    pub fn is_finished(&self) -> bool {
        self.handle.as_ref().is_none_or(thread::JoinHandle::is_finished)
    }

    /// Requests the stop and waits for the end of the thread, for at most `limit`.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the thread has not ended within `limit`. The thread continues on its
    /// own.
    pub fn join(mut self, limit: Duration) -> Result<(), Stuck> {
        self.stop.set();
        self.wait(limit)
    }

    /// Waits, for at most `limit`, until the thread ends on its own.
    ///
    /// # Errors
    /// Fails with [`Stuck`] if the thread has not ended within `limit`.
    pub fn wait(&mut self, limit: Duration) -> Result<(), Stuck> {
        if !in_slices(limit, |slice| self.done.wait(slice)) {
            return Err(Stuck(self.name.clone()));
        }
        if let Some(handle) = self.handle.take()
            && handle.join().is_err()
        {
            tracing::error!(thread = self.name, "a thread panicked");
        }
        Ok(())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.stop.set();
    }
}

/// A guard that marks the thread as ended when dropped, also after a panic.
struct SetOnDrop(Stop);

impl Drop for SetOnDrop {
    fn drop(&mut self) {
        self.0.set();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stops_when_asked_and_is_named() {
        let (tx, rx) = crossbeam_channel::bounded(1);
        let worker = Worker::spawn("onair-test", move |stop| {
            tx.send(thread::current().name().map(str::to_owned)).unwrap();
            while !stop.wait(Duration::from_secs(10)) {}
        })
        .unwrap();
        assert_eq!(rx.recv().unwrap().as_deref(), Some("onair-test"));
        assert!(!worker.is_finished());
        worker.join(Duration::from_secs(30)).unwrap();
    }

    #[test]
    fn a_stuck_thread_is_reported_and_left() {
        let (release, hold) = crossbeam_channel::bounded::<()>(0);
        let worker = Worker::spawn("onair-stuck", move |_| assert!(hold.recv().is_err())).unwrap();
        assert_eq!(worker.join(Duration::from_millis(10)), Err(Stuck("onair-stuck".into())));
        drop(release);
    }

    #[test]
    fn a_stalled_computer_takes_only_a_slice_of_a_limit() {
        let mut slices = Vec::new();
        // Each wait takes as long as the computer stalls; the limit applies to the sum of the
        // requested times.
        let mut wait = |slice: Duration| {
            slices.push(slice);
            slices.len() == 9
        };
        assert!(!in_slices(WAIT_SLICE * 5 / 2, &mut wait));
        assert!(in_slices(Duration::from_secs(10), &mut wait));
        assert_eq!(slices[..4], [WAIT_SLICE, WAIT_SLICE, WAIT_SLICE / 2, WAIT_SLICE]);
    }
}
