//! Bounded queues between threads. Every queue has a name, a depth and a policy for when it is
//! full; depth and drops can be read at any time through its [`Gauge`].
//!
//! Built on crossbeam channels, so that a consumer can `select!` over several. Queues that lead to
//! a socket live in `broadcast/` and `server/`: they drop by timestamp, not by count.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel as channel;

/// What a sender does when the queue is full.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Full {
    /// Wait until there is room. For work that must not be lost and whose producer may wait.
    Block,
    /// Make room by throwing away what has waited longest. For live pictures.
    DropOldest,
    /// Throw away what comes until something decodable by itself comes, then start afresh from it.
    /// Needs [`bounded_keyed`].
    DropToKeyframe,
}

/// The other end is gone: the stream has ended, or its consumer has stopped.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the other end of the queue is gone")]
pub struct Closed;

/// Why nothing was received.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub enum Empty {
    /// Nothing is waiting (yet).
    Waiting,
    /// All senders are gone and everything they sent has been received.
    Closed,
}

/// What a queue is and how it fares. Shared with the statistics.
#[derive(Debug)]
pub struct Gauge {
    name: &'static str,
    depth: usize,
    full: Full,
    sent: AtomicU64,
    dropped: AtomicU64,
    received: AtomicU64,
}

impl Gauge {
    /// The queue's name.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The most items it holds.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// Its policy.
    pub fn full(&self) -> Full {
        self.full
    }

    /// Items accepted since the start.
    pub fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    /// Items thrown away since the start, by its policy.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }

    /// Items handed to the consumer since the start.
    pub fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

/// The producing end. Clones feed the same queue; when the last is dropped, the stream has ended.
#[derive(Debug)]
pub struct Sender<T> {
    sender: channel::Sender<T>,
    /// Held to throw away the oldest item; does not keep the queue open for senders, see `closed`.
    drain: channel::Receiver<T>,
    gauge: Arc<Gauge>,
    is_key: Option<fn(&T) -> bool>,
    skipping: Arc<std::sync::atomic::AtomicBool>,
    alive: std::sync::Weak<()>,
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            drain: self.drain.clone(),
            gauge: Arc::clone(&self.gauge),
            is_key: self.is_key,
            skipping: Arc::clone(&self.skipping),
            alive: std::sync::Weak::clone(&self.alive),
        }
    }
}

/// The consuming end.
#[derive(Debug)]
pub struct Receiver<T> {
    receiver: channel::Receiver<T>,
    gauge: Arc<Gauge>,
    _alive: Arc<()>,
}

/// A queue of at most `depth` items (at least 1) with a policy other than
/// [`Full::DropToKeyframe`], which needs to know keyframes and is treated as
/// [`Full::DropOldest`] here.
pub fn bounded<T>(name: &'static str, depth: usize, full: Full) -> (Sender<T>, Receiver<T>) {
    let full = if full == Full::DropToKeyframe { Full::DropOldest } else { full };
    build(name, depth, full, None)
}

/// A queue with the policy [`Full::DropToKeyframe`]; `is_key` tells items that decode by
/// themselves.
pub fn bounded_keyed<T>(
    name: &'static str,
    depth: usize,
    is_key: fn(&T) -> bool,
) -> (Sender<T>, Receiver<T>) {
    build(name, depth, Full::DropToKeyframe, Some(is_key))
}

fn build<T>(
    name: &'static str,
    depth: usize,
    full: Full,
    is_key: Option<fn(&T) -> bool>,
) -> (Sender<T>, Receiver<T>) {
    let depth = depth.max(1);
    let (sender, receiver) = channel::bounded(depth);
    let gauge = Arc::new(Gauge {
        name,
        depth,
        full,
        sent: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
        received: AtomicU64::new(0),
    });
    let alive = Arc::new(());
    let tx = Sender {
        sender,
        drain: receiver.clone(),
        gauge: Arc::clone(&gauge),
        is_key,
        skipping: Arc::default(),
        alive: Arc::downgrade(&alive),
    };
    (tx, Receiver { receiver, gauge, _alive: alive })
}

impl<T> Sender<T> {
    /// Puts an item into the queue by its policy. `Ok(false)`: something was thrown away (this item
    /// or an older one).
    ///
    /// # Errors
    /// [`Closed`] once the receiver is gone.
    pub fn send(&self, item: T) -> Result<bool, Closed> {
        match self.gauge.full {
            Full::Block => self.send_blocking(item),
            Full::DropOldest => self.send_dropping_oldest(item),
            Full::DropToKeyframe => self.send_keyed(item),
        }
    }

    /// The queue's figures.
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// Items waiting now.
    pub fn len(&self) -> usize {
        self.sender.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.sender.is_empty()
    }

    fn closed(&self) -> bool {
        self.alive.strong_count() == 0
    }

    fn accepted(&self) {
        self.gauge.sent.fetch_add(1, Ordering::Relaxed);
    }

    fn dropped(&self, count: u64) {
        self.gauge.dropped.fetch_add(count, Ordering::Relaxed);
    }

    fn send_blocking(&self, mut item: T) -> Result<bool, Closed> {
        // The sender holds a receiver (for the dropping policies), so the channel itself never
        // reports a missing consumer: look every so often.
        loop {
            if self.closed() {
                return Err(Closed);
            }
            match self.sender.send_timeout(item, Duration::from_millis(50)) {
                Ok(()) => {
                    self.accepted();
                    return Ok(true);
                }
                Err(channel::SendTimeoutError::Timeout(back)) => item = back,
                Err(channel::SendTimeoutError::Disconnected(_)) => return Err(Closed),
            }
        }
    }

    fn send_dropping_oldest(&self, mut item: T) -> Result<bool, Closed> {
        let mut clean = true;
        loop {
            if self.closed() {
                return Err(Closed);
            }
            match self.sender.try_send(item) {
                Ok(()) => {
                    self.accepted();
                    return Ok(clean);
                }
                Err(channel::TrySendError::Full(back)) => {
                    item = back;
                    if self.drain.try_recv().is_ok() {
                        self.dropped(1);
                        clean = false;
                    }
                }
                Err(channel::TrySendError::Disconnected(_)) => return Err(Closed),
            }
        }
    }

    fn send_keyed(&self, item: T) -> Result<bool, Closed> {
        if self.closed() {
            return Err(Closed);
        }
        let key = self.is_key.is_some_and(|is_key| is_key(&item));
        if self.skipping.load(Ordering::Relaxed) && !key {
            self.dropped(1);
            return Ok(false);
        }
        let mut clean = true;
        if key && (self.sender.is_full() || self.skipping.swap(false, Ordering::Relaxed)) {
            while self.drain.try_recv().is_ok() {
                self.dropped(1);
                clean = false;
            }
        }
        match self.sender.try_send(item) {
            Ok(()) => {
                self.accepted();
                Ok(clean)
            }
            Err(channel::TrySendError::Full(_)) => {
                self.skipping.store(true, Ordering::Relaxed);
                self.dropped(1);
                Ok(false)
            }
            Err(channel::TrySendError::Disconnected(_)) => Err(Closed),
        }
    }
}

impl<T> Receiver<T> {
    /// Waits for the next item, at most `timeout`.
    ///
    /// # Errors
    /// [`Empty::Waiting`] after the timeout, [`Empty::Closed`] at the end of the stream.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, Empty> {
        match self.receiver.recv_timeout(timeout) {
            Ok(item) => Ok(self.received(item)),
            Err(channel::RecvTimeoutError::Timeout) => Err(Empty::Waiting),
            Err(channel::RecvTimeoutError::Disconnected) => Err(Empty::Closed),
        }
    }

    /// Waits for the next item; `None` at the end of the stream (all senders dropped, all items
    /// received). For threads whose producer is certain to end.
    pub fn recv(&self) -> Option<T> {
        self.receiver.recv().ok().map(|item| self.received(item))
    }

    /// The next item if one waits.
    ///
    /// # Errors
    /// [`Empty::Waiting`] or [`Empty::Closed`].
    pub fn try_recv(&self) -> Result<T, Empty> {
        match self.receiver.try_recv() {
            Ok(item) => Ok(self.received(item)),
            Err(channel::TryRecvError::Empty) => Err(Empty::Waiting),
            Err(channel::TryRecvError::Disconnected) => Err(Empty::Closed),
        }
    }

    /// The items that wait, and those that come while they are taken.
    pub fn waiting(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.try_recv().ok())
    }

    /// The queue's figures.
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
    }

    /// Items waiting now.
    pub fn len(&self) -> usize {
        self.receiver.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.receiver.is_empty()
    }

    /// The channel below, for `crossbeam_channel::select!` (receive through it and the item does
    /// not count as received in the gauge).
    pub fn channel(&self) -> &channel::Receiver<T> {
        &self.receiver
    }

    fn received(&self, item: T) -> T {
        self.gauge.received.fetch_add(1, Ordering::Relaxed);
        item
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_oldest_keeps_the_newest_and_counts() {
        let (tx, rx) = bounded("test", 2, Full::DropOldest);
        assert_eq!(tx.send(1), Ok(true));
        assert_eq!(tx.send(2), Ok(true));
        assert_eq!(tx.send(3), Ok(false));
        assert_eq!(tx.gauge().dropped(), 1);
        drop(tx);
        assert_eq!(rx.recv(), Some(2));
        assert_eq!(rx.recv(), Some(3));
        assert_eq!(rx.recv(), None);
        assert_eq!(rx.gauge().received(), 2);
    }

    #[test]
    fn drop_to_keyframe_never_leaves_a_hole_before_a_keyframe() {
        let (tx, rx) = bounded_keyed("test", 3, |item: &u32| item.is_multiple_of(10));
        for item in 0..5 {
            tx.send(item).unwrap();
        }
        // 3 and 4 did not fit; 5 refers to them, so it must not pass although there is room.
        assert_eq!(rx.recv(), Some(0));
        assert_eq!(tx.send(5), Ok(false));
        // A keyframe starts afresh and takes the stale rest with it.
        assert_eq!(tx.send(10), Ok(false));
        assert_eq!(tx.send(11), Ok(true));
        drop(tx);
        assert_eq!(rx.recv(), Some(10));
        assert_eq!(rx.recv(), Some(11));
        assert_eq!(rx.recv(), None);
    }

    #[test]
    fn senders_learn_that_the_receiver_is_gone_even_while_blocked() {
        let (tx, rx) = bounded("test", 1, Full::Block);
        tx.send(1).unwrap();
        drop(rx);
        assert_eq!(tx.send(2), Err(Closed));
        for full in [Full::DropOldest, Full::Block] {
            let (tx, rx) = bounded("test", 1, full);
            drop(rx);
            assert_eq!(tx.send(1), Err(Closed));
        }
    }
}
