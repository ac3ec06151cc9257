//! Runs a search on a separate thread, because drivers, displays and disks can take a long time to
//! respond.

use crate::base::Worker;
use crate::base::queue::{self, Full, Receiver};

/// A search that may be running.
#[derive(Debug)]
pub struct Search<T>(Option<Receiver<T>>);

impl<T> Default for Search<T> {
    fn default() -> Self {
        Self(None)
    }
}

/// The state of a search.
#[derive(Debug)]
pub enum Outcome<T> {
    /// No search is running.
    Idle,
    Waiting,
    /// The search has ended; `None` if it failed.
    Over(Option<T>),
}

impl<T: Send + 'static> Search<T> {
    pub fn is_under_way(&self) -> bool {
        self.0.is_some()
    }

    /// Begins a search. It replaces a search that may be running.
    pub fn begin(&mut self, name: &'static str, look: impl FnOnce() -> T + Send + 'static) {
        let (answer, search) = queue::bounded(name, 1, Full::DropOldest);
        let looking = Worker::spawn(name, move |_| {
            // The studio may have ended in the meantime.
            let _ = answer.send(look());
        });
        match looking {
            Ok(_) => self.0 = Some(search),
            Err(error) => tracing::warn!(%error, "the search for {} failed", name),
        }
    }

    /// Reports the end of a search once.
    pub fn poll(&mut self) -> Outcome<T> {
        let Some(search) = &self.0 else { return Outcome::Idle };
        let found = match search.try_recv() {
            Err(queue::Empty::Waiting) => return Outcome::Waiting,
            found => found.ok(),
        };
        self.0 = None;
        Outcome::Over(found)
    }
}
