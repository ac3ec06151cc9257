//! The sending half of a connection: its socket, its queue, and its state.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::AsyncWrite;

use crate::base::{Clock, Timestamp};
use crate::net;
use crate::server::stream::message::{Batch, Message};
use crate::server::stream::viewer_queue::{Queue, no_slices};

/// The sending half. It owns the socket, and the receiving half borrows it.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub stream: net::Stream,
    pub queue: Queue,
    /// Number of bytes that the system has accepted.
    pub sent: u64,
    pub failed: Option<io::ErrorKind>,
    /// The time since which the system has accepted nothing.
    stuck_since: Option<Timestamp>,
}

impl Outgoing {
    pub fn new(stream: net::Stream, queue_bytes: usize) -> Self {
        let queue = Queue::new(queue_bytes);
        Self { stream, queue, sent: 0, failed: None, stuck_since: None }
    }

    /// Sends a whole batch past an empty queue. Returns false if the messages must be queued
    /// individually. Data that the system does not accept goes to the queue.
    pub fn send_past_queue(&mut self, batch: &Batch<'_>, cx: &mut Context<'_>) -> bool {
        let Some(joined) = batch.joined.as_ref().filter(|_| self.queue.is_clear()) else {
            return false;
        };
        if self.failed.is_some() {
            return true;
        }
        let taken = match Pin::new(&mut self.stream).poll_write(cx, joined) {
            Poll::Ready(taken) => taken,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        };
        self.past_queue(batch, joined.len(), taken);
        true
    }

    /// Returns true if a joined batch can bypass the queue.
    pub fn can_be_lent(&self) -> bool {
        self.failed.is_none() && self.queue.is_clear() && self.stream.is_tcp()
    }

    /// Handles the result of sending a joined batch of `length` bytes past the queue. The result is
    /// the number of bytes sent. The rest is queued.
    pub fn past_queue(
        &mut self,
        batch: &Batch<'_>,
        length: usize,
        taken: io::Result<usize>,
    ) -> u64 {
        match taken {
            Ok(0) => self.failed = Some(io::ErrorKind::WriteZero),
            Ok(written) => {
                self.sent += written as u64;
                self.stuck_since = None;
                if written < length {
                    queue_rest(&mut self.queue, batch.messages, written);
                }
                return written as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                queue_rest(&mut self.queue, batch.messages, 0);
            }
            Err(error) => self.failed = Some(error.kind()),
        }
        0
    }

    /// Writes as much as the system accepts; `cx` is woken when it accepts more.
    pub fn flush(&mut self, cx: &mut Context<'_>, clock: Clock) {
        let (mut taken, mut stuck) = (false, false);
        while !self.queue.is_empty() && self.failed.is_none() {
            let mut slices = no_slices();
            let count = self.queue.slices(&mut slices);
            let slices = slices.get(..count).unwrap_or_default();
            match Pin::new(&mut self.stream).poll_write_vectored(cx, slices) {
                Poll::Ready(Ok(0)) => self.failed = Some(io::ErrorKind::WriteZero),
                Poll::Ready(Ok(written)) => {
                    self.queue.advance(written);
                    self.sent += written as u64;
                    taken = true;
                }
                Poll::Ready(Err(error)) => self.failed = Some(error.kind()),
                Poll::Pending => {
                    stuck = true;
                    break;
                }
            }
        }
        // TLS keeps data that the socket did not accept at once.
        if self.failed.is_none() {
            match Pin::new(&mut self.stream).poll_flush(cx) {
                Poll::Ready(Ok(())) => {}
                Poll::Ready(Err(error)) => self.failed = Some(error.kind()),
                Poll::Pending => stuck = true,
            }
        }
        if taken || !stuck {
            self.stuck_since = None;
        }
        if stuck && self.failed.is_none() && self.stuck_since.is_none() {
            self.stuck_since = Some(clock.now());
        }
    }

    /// Returns true if everything was sent, and nothing must be flushed.
    pub fn is_done(&self) -> bool {
        self.queue.is_empty() && self.failed.is_none() && !self.stream.is_tls()
    }

    /// Returns true if the system has accepted nothing for this long.
    pub fn is_stuck(&self, now: Timestamp, limit: Duration) -> bool {
        self.stuck_since.is_some_and(|since| now.since(since) >= limit)
    }
}

/// Queues messages whose first `sent` bytes were sent past the empty queue.
fn queue_rest(queue: &mut Queue, messages: &[Arc<Message>], mut sent: usize) {
    for message in messages {
        let bytes = message.rtmp();
        let gone = sent.min(bytes.len());
        sent -= gone;
        if gone == 0 {
            queue.push(message.class, message.mark, bytes);
        } else if gone < bytes.len() {
            queue.push_rest(bytes, gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::server::stream::message::Class;
    use crate::wire::container::flv::TagKind;

    #[test]
    fn what_the_system_did_not_take_follows_byte_for_byte() {
        let messages: Vec<_> = [(Class::Key, b'k'), (Class::Audio, b's'), (Class::Inter, b'i')]
            .map(|(class, byte)| {
                let body = Bytes::from(vec![byte; 5]);
                Arc::new(Message::new(TagKind::Video, class, 40, &body))
            })
            .into();
        let joined = Batch::joined(&messages).joined.unwrap();
        for sent in 0..=joined.len() {
            let mut queue = Queue::new(1_000);
            queue_rest(&mut queue, &messages, sent);
            let rest: Vec<u8> = std::iter::from_fn(|| queue.pop()).flatten().collect();
            assert_eq!(rest, joined[sent..], "after {sent}");
        }
    }

    #[test]
    fn a_full_queue_keeps_what_is_partly_sent_and_skips_the_rest() {
        let message = |class, length| {
            let body = Bytes::from(vec![0; length]);
            Arc::new(Message::new(TagKind::Video, class, 0, &body))
        };
        let messages =
            [message(Class::Key, 500), message(Class::Audio, 50), message(Class::Inter, 90)];
        let mut queue = Queue::new(100);
        queue_rest(&mut queue, &messages, 1);
        assert!(!queue.is_clear());
        let left: usize = std::iter::from_fn(|| queue.pop()).map(|bytes| bytes.len()).sum();
        assert_eq!(left, messages[0].weight() - 1 + messages[1].weight());
        assert!(queue.is_empty() && !queue.is_clear(), "frames are skipped up to a keyframe");
        assert_eq!(queue.skipped(), 1);
    }
}
