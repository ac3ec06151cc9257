//! One output's end of the hub: a named queue bounded by time and bytes, read by a thread or a
//! task. The hub never waits for it.

use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

pub use crate::broadcast::backlog::{Figures, Limits};

use crate::broadcast::Tag;
use crate::broadcast::backlog::Backlog;

/// What became of a wait.
#[derive(Clone, Debug)]
pub enum Next {
    /// The next packet.
    Tag(Arc<Tag>),
    /// None came in time.
    Waiting,
    /// The stream has ended and everything was handed out.
    Ended,
}

/// The reading end. Dropping it ends the subscription.
#[derive(Debug)]
pub struct Subscription {
    pub(super) line: Arc<Line>,
}

/// What hub and reader share.
#[derive(Debug)]
pub(super) struct Line {
    name: String,
    state: Mutex<State>,
    thread: Condvar,
    task: Notify,
}

#[derive(Debug)]
struct State {
    backlog: Backlog,
    ended: bool,
}

impl Line {
    pub fn new(name: String, backlog: Backlog, ended: bool) -> Arc<Self> {
        let state = Mutex::new(State { backlog, ended });
        Arc::new(Self { name, state, thread: Condvar::new(), task: Notify::new() })
    }

    pub fn push(&self, tag: &Arc<Tag>) {
        self.state.lock().backlog.push(tag);
        self.wake();
    }

    pub fn end(&self) {
        self.state.lock().ended = true;
        self.wake();
    }

    fn wake(&self) {
        self.thread.notify_one();
        self.task.notify_one();
    }
}

impl State {
    fn next(&mut self) -> Next {
        match self.backlog.pop() {
            Some(tag) => Next::Tag(tag),
            None if self.ended => Next::Ended,
            None => Next::Waiting,
        }
    }
}

impl Subscription {
    /// The name given at its start.
    pub fn name(&self) -> &str {
        &self.line.name
    }

    /// The next packet if one waits.
    pub fn try_next(&self) -> Next {
        self.line.state.lock().next()
    }

    /// Waits for the next packet; `None` at the end of the stream. Cancel-safe.
    pub async fn next(&self) -> Option<Arc<Tag>> {
        loop {
            match self.try_next() {
                Next::Tag(tag) => return Some(tag),
                Next::Ended => return None,
                Next::Waiting => self.line.task.notified().await,
            }
        }
    }

    /// Waits until a packet is there, without taking it; `false` at the end of the stream.
    /// Cancel-safe.
    pub async fn ready(&self) -> bool {
        loop {
            {
                let state = self.line.state.lock();
                if state.backlog.peek().is_some() {
                    return true;
                }
                if state.ended {
                    return false;
                }
            }
            self.line.task.notified().await;
        }
    }

    /// Waits for the next packet on a thread, at most `limit`.
    pub fn next_timeout(&self, limit: Duration) -> Next {
        let until = Instant::now() + limit;
        let mut state = self.line.state.lock();
        loop {
            match state.next() {
                Next::Waiting => {}
                other => return other,
            }
            if self.line.thread.wait_until(&mut state, until).timed_out() {
                return state.next();
            }
        }
    }

    /// The next packet without taking it.
    pub fn peek(&self) -> Option<Arc<Tag>> {
        self.line.state.lock().backlog.peek().cloned()
    }

    /// From the oldest to the newest of what waits, by DTS.
    pub fn queued(&self) -> Duration {
        self.line.state.lock().backlog.queued()
    }

    /// Packets that wait.
    pub fn len(&self) -> usize {
        self.line.state.lock().backlog.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// What became of what came.
    pub fn figures(&self) -> Figures {
        self.line.state.lock().backlog.figures()
    }
}
