//! The queue of a stream for further processing: messages wait here for a task or thread.

use std::sync::Arc;
use std::time::Duration;

use parking_lot::{Condvar, Mutex};
use tokio::sync::Notify;

use crate::server::stream::message::{Batch, Message, Takes};
use crate::server::stream::sink::Sink;
use crate::wire::container::flv::TagKind;

/// An item of the queue.
#[derive(Debug)]
pub(crate) enum Arrival {
    Message(Arc<Message>),
    /// The publisher has left.
    Gone,
    /// A publisher is back, possibly another one.
    Back,
    /// The queue overflowed, and lost this number of frames.
    Lost {
        frames: u64,
    },
}

/// The queue of a task or thread.
#[derive(Debug)]
pub(crate) struct MessageSink {
    id: u64,
    /// The limit in bytes.
    limit: usize,
    takes: Takes,
    queue: Mutex<Queue>,
    /// Wakes the task. Several queues of one task share this signal.
    arrived: Arc<Notify>,
    /// Wakes a thread that waits.
    arrived_for_thread: Condvar,
}

#[derive(Debug, Default)]
struct Queue {
    arrivals: Vec<Arrival>,
    bytes: usize,
}

impl MessageSink {
    pub fn new(id: u64, limit: usize) -> Arc<Self> {
        Self::waking(id, limit, Takes::ONE_TRACK, Arc::default())
    }

    /// Works like `new`, for a receiver that takes other forms of messages.
    pub fn taking(id: u64, limit: usize, takes: Takes) -> Arc<Self> {
        Self::waking(id, limit, takes, Arc::default())
    }

    /// Creates another queue for the same task, which waits for both queues. It takes these forms of
    /// messages.
    pub fn beside(&self, id: u64, takes: Takes) -> Arc<Self> {
        Self::waking(id, self.limit, takes, Arc::clone(&self.arrived))
    }

    fn waking(id: u64, limit: usize, takes: Takes, arrived: Arc<Notify>) -> Arc<Self> {
        let (queue, arrived_for_thread) = (Mutex::default(), Condvar::new());
        Arc::new(Self { id, limit, takes, queue, arrived, arrived_for_thread })
    }

    /// Waits for the next item.
    pub async fn arrived(&self) {
        self.arrived.notified().await;
    }

    /// Waits for the next item on a thread, for at most `limit`.
    pub fn wait(&self, limit: Duration) {
        let mut queue = self.queue.lock();
        if queue.arrivals.is_empty() {
            self.arrived_for_thread.wait_for(&mut queue, limit);
        }
    }

    /// Takes the waiting items.
    pub fn take(&self) -> Vec<Arrival> {
        std::mem::take(&mut *self.queue.lock()).arrivals
    }

    fn add(&self, arrival: Arrival) {
        self.queue.lock().arrivals.push(arrival);
        self.wake();
    }

    /// Wakes the task or thread, which then looks for other work.
    pub fn wake(&self) {
        self.arrived.notify_one();
        self.arrived_for_thread.notify_one();
    }
}

impl Sink for MessageSink {
    fn id(&self) -> u64 {
        self.id
    }

    /// Returns false, because the viewers of the resulting stream count instead of this sink.
    fn is_viewer(&self) -> bool {
        false
    }

    fn takes_opus(&self) -> bool {
        self.takes.opus
    }

    fn deliver(&self, batch: &Batch<'_>) {
        let mut queue = self.queue.lock();
        let is_for_it = |message: &&Arc<Message>| message.for_viewer(self.takes).is_some();
        for message in batch.messages.iter().filter(is_for_it) {
            queue.bytes += message.weight();
            if queue.bytes > self.limit {
                // The lost items may include configs. These must be repeated, because the following
                // data is useless without them.
                let mut frames = 0;
                queue.arrivals.retain(|arrival| match arrival {
                    Arrival::Message(message) if message.mark.is_none() => {
                        frames += u64::from(message.kind == TagKind::Video);
                        false
                    }
                    _ => true,
                });
                // A publisher may repeat large configs: the newest ones are enough.
                let weight = |arrival: &Arrival| match arrival {
                    Arrival::Message(message) => message.weight(),
                    _ => 0,
                };
                let mut kept: usize = queue.arrivals.iter().map(weight).sum();
                let most = self.limit / 2;
                queue.arrivals.retain(|arrival| {
                    let drops = kept > most && weight(arrival) > 0;
                    kept -= if drops { weight(arrival) } else { 0 };
                    !drops
                });
                queue.arrivals.push(Arrival::Lost { frames });
                queue.bytes = kept + message.weight();
            }
            queue.arrivals.push(Arrival::Message(Arc::clone(message)));
        }
        drop(queue);
        self.wake();
    }

    fn end(&self) {
        self.add(Arrival::Gone);
    }

    fn resume(&self) {
        self.add(Arrival::Back);
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::server::stream::message::Class;

    #[test]
    fn an_overflow_counts_the_frames_that_are_lost() {
        let [video, audio] = [(TagKind::Video, Class::Inter), (TagKind::Audio, Class::Audio)].map(
            |(kind, class)| Arc::new(Message::new(kind, class, 0, &Bytes::from_static(&[0; 40]))),
        );
        let sink = MessageSink::new(1, video.weight() * 4);
        let messages: Vec<_> = [&video, &video, &audio, &video, &video].map(Arc::clone).into();
        sink.deliver(&Batch::pieces(&messages));
        let arrivals = sink.take();
        let [Arrival::Lost { frames: 3 }, Arrival::Message(_)] = &arrivals[..] else {
            panic!("{arrivals:?}")
        };
    }
}
