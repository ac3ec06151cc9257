//! How long what a server is to send is waited for.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::net::error::Cause;

/// Less than this in the time for which silence is borne is a trickle, and no better than silence: the
/// least audio takes more.
const MIN_BYTES: usize = 8 << 10;

/// One patience for all tries to get the same thing.
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
    /// Begins now: silence is borne for `quiet`, and all of it has come when `whole` has passed.
    pub fn new(quiet: Duration, whole: Duration) -> Self {
        let now = Instant::now();
        Self { quiet, whole, began: now, since: now, answered: false, gathered: 0 }
    }

    /// The server has an answer. Only the first one counts: who answers and hangs up again and again
    /// sends nothing.
    pub fn answered(&mut self) {
        if !std::mem::replace(&mut self.answered, true) {
            self.since = Instant::now();
        }
    }

    /// So many bytes of it came.
    pub fn came(&mut self, bytes: usize) {
        self.gathered = self.gathered.saturating_add(bytes);
        if self.gathered >= MIN_BYTES {
            (self.gathered, self.since) = (0, Instant::now());
        }
    }

    /// When it ends, and after how long of what.
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
