//! Bounded queues between threads. Every queue has a name, a depth and a policy for when it is
//! full; depth and drops can be read at any time through its [`Gauge`].
//!
//! Whoever waits sleeps at once: items come tens of times a second, milliseconds apart, and a channel
//! that first spins and yields (as crossbeam's does, for items that come microseconds apart) cost a
//! broadcast a thirtieth of its work. Queues that lead to a socket live in `broadcast/` and `server/`:
//! they drop by timestamp, not by count.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::{Condvar, Mutex, MutexGuard};

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

/// What both ends share.
struct Channel<T> {
    inner: Mutex<Inner<T>>,
    /// An item came, or the last sender went.
    more: Condvar,
    /// An item was taken, or the receiver went.
    room: Condvar,
    gauge: Arc<Gauge>,
    is_key: Option<fn(&T) -> bool>,
}

struct Inner<T> {
    items: VecDeque<T>,
    senders: usize,
    has_receiver: bool,
    /// What comes is thrown away up to the next keyframe.
    skipping: bool,
    /// Who waits for an item, and for room: nobody else is woken.
    hungry: usize,
    blocked: usize,
}

/// The producing end. Clones feed the same queue; when the last is dropped, the stream has ended.
pub struct Sender<T> {
    channel: Arc<Channel<T>>,
}

/// The consuming end.
pub struct Receiver<T> {
    channel: Arc<Channel<T>>,
}

impl<T> std::fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Sender").field("gauge", &self.channel.gauge).finish_non_exhaustive()
    }
}

impl<T> std::fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Receiver").field("gauge", &self.channel.gauge).finish_non_exhaustive()
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.channel.inner.lock().senders += 1;
        Self { channel: Arc::clone(&self.channel) }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut inner = self.channel.inner.lock();
        inner.senders -= 1;
        if inner.senders == 0 {
            drop(inner);
            self.channel.more.notify_all();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut inner = self.channel.inner.lock();
        inner.has_receiver = false;
        let left = std::mem::take(&mut inner.items);
        drop(inner);
        self.channel.room.notify_all();
        // Outside the lock: it may close devices.
        drop(left);
    }
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
    let gauge = Arc::new(Gauge {
        name,
        depth: depth.max(1),
        full,
        sent: AtomicU64::new(0),
        dropped: AtomicU64::new(0),
        received: AtomicU64::new(0),
    });
    let inner = Inner {
        items: VecDeque::new(),
        senders: 1,
        has_receiver: true,
        skipping: false,
        hungry: 0,
        blocked: 0,
    };
    let inner = Mutex::new(inner);
    let (more, room) = (Condvar::new(), Condvar::new());
    let channel = Arc::new(Channel { inner, more, room, gauge, is_key });
    (Sender { channel: Arc::clone(&channel) }, Receiver { channel })
}

impl<T> Sender<T> {
    /// Puts an item into the queue by its policy. `Ok(false)`: something was thrown away (this item
    /// or an older one).
    ///
    /// # Errors
    /// [`Closed`] once the receiver is gone.
    pub fn send(&self, item: T) -> Result<bool, Closed> {
        let inner = self.channel.inner.lock();
        if !inner.has_receiver {
            return Err(Closed);
        }
        match self.channel.gauge.full {
            Full::Block => self.send_blocking(inner, item),
            Full::DropOldest => Ok(self.send_dropping_oldest(inner, item)),
            Full::DropToKeyframe => Ok(self.send_keyed(inner, item)),
        }
    }

    /// The queue's figures.
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.channel.gauge
    }

    /// Items waiting now.
    pub fn len(&self) -> usize {
        self.channel.inner.lock().items.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn dropped(&self, count: usize) {
        self.channel.gauge.dropped.fetch_add(count as u64, Ordering::Relaxed);
    }

    /// Puts an item in for which there is room.
    fn push(&self, mut inner: MutexGuard<'_, Inner<T>>, item: T) {
        inner.items.push_back(item);
        let hungry = inner.hungry > 0;
        drop(inner);
        self.channel.gauge.sent.fetch_add(1, Ordering::Relaxed);
        if hungry {
            self.channel.more.notify_one();
        }
    }

    fn send_blocking(&self, mut inner: MutexGuard<'_, Inner<T>>, item: T) -> Result<bool, Closed> {
        let depth = self.channel.gauge.depth;
        if inner.items.len() >= depth {
            inner.blocked += 1;
            let is_full = |inner: &mut Inner<T>| inner.has_receiver && inner.items.len() >= depth;
            self.channel.room.wait_while(&mut inner, is_full);
            inner.blocked -= 1;
            if !inner.has_receiver {
                drop(inner);
                return Err(Closed);
            }
        }
        self.push(inner, item);
        Ok(true)
    }

    fn send_dropping_oldest(&self, mut inner: MutexGuard<'_, Inner<T>>, item: T) -> bool {
        let full = inner.items.len() >= self.channel.gauge.depth;
        let oldest = if full { inner.items.pop_front() } else { None };
        self.push(inner, item);
        self.dropped(usize::from(oldest.is_some()));
        oldest.is_none()
    }

    fn send_keyed(&self, mut inner: MutexGuard<'_, Inner<T>>, item: T) -> bool {
        let key = self.channel.is_key.is_some_and(|is_key| is_key(&item));
        let full = inner.items.len() >= self.channel.gauge.depth;
        if key {
            let stale = if full || inner.skipping {
                std::mem::take(&mut inner.items)
            } else {
                VecDeque::new()
            };
            inner.skipping = false;
            self.push(inner, item);
            self.dropped(stale.len());
            stale.is_empty()
        } else if full || inner.skipping {
            inner.skipping = true;
            drop(inner);
            self.dropped(1);
            false
        } else {
            self.push(inner, item);
            true
        }
    }
}

impl<T> Receiver<T> {
    /// Waits for the next item, at most `timeout`.
    ///
    /// # Errors
    /// [`Empty::Waiting`] after the timeout, [`Empty::Closed`] at the end of the stream.
    pub fn recv_timeout(&self, timeout: Duration) -> Result<T, Empty> {
        let mut inner = self.channel.inner.lock();
        if inner.is_dry() {
            inner.hungry += 1;
            self.channel.more.wait_while_for(&mut inner, |inner| inner.is_dry(), timeout);
            inner.hungry -= 1;
        }
        self.take(inner)
    }

    /// Waits for the next item; `None` at the end of the stream (all senders dropped, all items
    /// received). For threads whose producer is certain to end.
    pub fn recv(&self) -> Option<T> {
        let mut inner = self.channel.inner.lock();
        if inner.is_dry() {
            inner.hungry += 1;
            self.channel.more.wait_while(&mut inner, |inner| inner.is_dry());
            inner.hungry -= 1;
        }
        self.take(inner).ok()
    }

    /// The next item if one waits.
    ///
    /// # Errors
    /// [`Empty::Waiting`] or [`Empty::Closed`].
    pub fn try_recv(&self) -> Result<T, Empty> {
        self.take(self.channel.inner.lock())
    }

    /// The items that wait, and those that come while they are taken.
    pub fn waiting(&self) -> impl Iterator<Item = T> + '_ {
        std::iter::from_fn(|| self.try_recv().ok())
    }

    /// The queue's figures.
    pub fn gauge(&self) -> &Arc<Gauge> {
        &self.channel.gauge
    }

    /// Items waiting now.
    pub fn len(&self) -> usize {
        self.channel.inner.lock().items.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn take(&self, mut inner: MutexGuard<'_, Inner<T>>) -> Result<T, Empty> {
        match inner.items.pop_front() {
            Some(item) => {
                let blocked = inner.blocked > 0;
                drop(inner);
                self.channel.gauge.received.fetch_add(1, Ordering::Relaxed);
                if blocked {
                    self.channel.room.notify_one();
                }
                Ok(item)
            }
            None if inner.senders == 0 => Err(Empty::Closed),
            None => Err(Empty::Waiting),
        }
    }
}

impl<T> Inner<T> {
    /// Whether there is nothing, and something may still come.
    fn is_dry(&self) -> bool {
        self.items.is_empty() && self.senders > 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::Worker;

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
    fn a_keyframe_into_a_full_queue_ends_the_skipping() {
        let (tx, rx) = bounded_keyed("test", 2, |item: &u32| item.is_multiple_of(10));
        for item in [0, 1, 2, 10, 11] {
            tx.send(item).unwrap();
        }
        drop(tx);
        assert_eq!(rx.waiting().collect::<Vec<_>>(), [10, 11]);
        assert_eq!((rx.gauge().sent(), rx.gauge().dropped()), (4, 3));
    }

    #[test]
    fn whoever_waits_is_woken() {
        let (tx, rx) = bounded("test", 1, Full::Block);
        let (answer, answered) = bounded("answers", 1, Full::Block);
        let worker = Worker::spawn("onair-test", move |_| {
            while let Some(item) = rx.recv() {
                answer.send(item).unwrap();
            }
        })
        .unwrap();
        for item in 0..1_000 {
            tx.send(item).unwrap();
            if item % 2 == 1 {
                // Two were sent: the worker waits for room now, or soon.
                assert_eq!(answered.recv(), Some(item - 1));
                assert_eq!(answered.recv(), Some(item));
            }
        }
        assert_eq!(answered.recv_timeout(Duration::from_millis(1)), Err(Empty::Waiting));
        drop(tx);
        assert_eq!(answered.recv_timeout(Duration::from_secs(10)), Err(Empty::Closed));
        worker.join(Duration::from_secs(10)).unwrap();
    }

    #[test]
    fn what_is_left_when_the_receiver_goes_is_dropped_then() {
        let (tx, rx) = bounded("test", 2, Full::DropOldest);
        let item = Arc::new(());
        tx.send(Arc::clone(&item)).unwrap();
        drop(rx);
        assert_eq!((Arc::strong_count(&item), tx.len()), (1, 0));
    }

    #[test]
    fn senders_learn_that_the_receiver_is_gone_even_while_blocked() {
        let (tx, rx) = bounded("test", 1, Full::Block);
        tx.send(1).unwrap();
        let (blocked, said) = (tx.clone(), Arc::new(Mutex::new(None)));
        let its = Arc::clone(&said);
        let worker = Worker::spawn("onair-test", move |_| *its.lock() = Some(blocked.send(3)));
        while tx.channel.inner.lock().blocked == 0 {
            std::thread::yield_now();
        }
        drop(rx);
        worker.unwrap().join(Duration::from_secs(10)).unwrap();
        assert_eq!(*said.lock(), Some(Err(Closed)));
        assert_eq!(tx.send(2), Err(Closed));
        for full in [Full::DropOldest, Full::Block] {
            let (tx, rx) = bounded("test", 1, full);
            drop(rx);
            assert_eq!(tx.send(1), Err(Closed));
        }
    }
}
