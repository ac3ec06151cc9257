//! How long to wait for a server's data.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::net::error::Cause;

/// Less than this in the time for which silence is borne is a trickle, and no better than silence: the
/// least audio takes more.
const MIN_BYTES: usize = 8 << 10;

/// One time limit for all attempts to get the same data.
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
    /// Begins now: at most `quiet` without data, and `whole` in all.
    pub fn new(quiet: Duration, whole: Duration) -> Self {
        let now = Instant::now();
        Self { quiet, whole, began: now, since: now, answered: false, gathered: 0 }
    }

    /// The server has answered. Only the first answer counts: a server that answers and closes
    /// repeatedly sends nothing.
    pub fn answered(&mut self) {
        if !std::mem::replace(&mut self.answered, true) {
            self.since = Instant::now();
        }
    }

    /// This many bytes arrived.
    pub fn came(&mut self, bytes: usize) {
        self.gathered = self.gathered.saturating_add(bytes);
        if self.gathered >= MIN_BYTES {
            (self.gathered, self.since) = (0, Instant::now());
        }
    }

    /// When it ends, and which limit that is.
    fn end(&self) -> (Instant, Duration) {
        let (quiet, whole) = (self.since + self.quiet, self.began + self.whole);
        if quiet <= whole { (quiet, self.quiet) } else { (whole, self.whole) }
    }

    /// Whether it has ended.
    pub fn is_over(&self) -> bool {
        Instant::now() >= self.end().0
    }

    /// Waits for something no longer than it lasts.
    ///
    /// # Errors
    /// [`Cause::TimedOut`].
    pub async fn wait<T>(&self, it: impl Future<Output = T>) -> Result<T, Cause> {
        let (end, after) = self.end();
        timeout_at(end, it).await.map_err(|_| Cause::TimedOut { after })
    }
}
