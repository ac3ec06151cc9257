//! The time limit for a server's data.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::net::error::Cause;

/// Minimum number of bytes within the silence limit. Less data counts as silence, because even
/// low-bitrate audio needs more.
const MIN_PROGRESS_BYTES: usize = 8 << 10;

/// A time limit for all attempts to get the same data.
#[derive(Clone, Debug)]
pub struct StallTimeout {
    quiet: Duration,
    whole: Duration,
    began: Instant,
    since: Instant,
    answered: bool,
    gathered: usize,
}

impl StallTimeout {
    /// Starts the limit: at most `quiet` without data, and at most `whole` in total.
    pub fn new(quiet: Duration, whole: Duration) -> Self {
        let now = Instant::now();
        Self { quiet, whole, began: now, since: now, answered: false, gathered: 0 }
    }

    /// Records that the server has answered. Only the first answer counts: a server that answers
    /// and closes repeatedly sends nothing.
    pub fn answered(&mut self) {
        if !std::mem::replace(&mut self.answered, true) {
            self.since = Instant::now();
        }
    }

    /// Records that this many bytes arrived.
    pub fn came(&mut self, bytes: usize) {
        self.gathered = self.gathered.saturating_add(bytes);
        if self.gathered >= MIN_PROGRESS_BYTES {
            (self.gathered, self.since) = (0, Instant::now());
        }
    }

    /// Returns the end time, and the limit that causes it.
    fn end(&self) -> (Instant, Duration) {
        let (quiet, whole) = (self.since + self.quiet, self.began + self.whole);
        if quiet <= whole { (quiet, self.quiet) } else { (whole, self.whole) }
    }

    /// Returns true if the time limit has passed.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end().0
    }

    /// Waits for a future until the time limit has passed.
    ///
    /// # Errors
    /// Fails with [`Cause::TimedOut`] after the limit.
    pub async fn wait<T>(&self, it: impl Future<Output = T>) -> Result<T, Cause> {
        let (end, after) = self.end();
        timeout_at(end, it).await.map_err(|_| Cause::TimedOut { after })
    }
}
