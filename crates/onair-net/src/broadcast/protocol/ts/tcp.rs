//! A transport stream over TCP.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use futures_util::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{sleep, timeout};

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::link::{Link, LinkEvent, LinkReading, StreamStart};
use crate::broadcast::protocol::ts::muxer::Muxer;
use crate::net::{Cause, ConnectStage, Error, Stream};
use crate::wire::container::ts::PACKET_BYTES;

/// Interval between checks of whether the receiver has the last byte.
const UNSENT_CHECK_INTERVAL: Duration = Duration::from_millis(20);
/// Maximum number of reads in one call. A receiver has nothing to say.
const MAX_READS: usize = 8;

/// The connection. What the receiver sends is read and dropped.
#[derive(Debug)]
pub(super) struct TcpLink {
    stream: Stream,
    peer: String,
    muxer: Muxer,
    /// Queue of transport packets. The publisher limits it by its size.
    queue: VecDeque<Bytes>,
    queued: usize,
    written: u64,
    /// True if the receiver sends no more. It may still receive.
    is_read: bool,
}

impl TcpLink {
    pub fn new(stream: Stream, peer: String) -> Self {
        let (muxer, queue) = (Muxer::default(), VecDeque::new());
        Self { stream, peer, muxer, queue, queued: 0, written: 0, is_read: false }
    }

    fn error(&self, cause: Cause) -> Error {
        Error { stage: ConnectStage::Media, cause, peer: self.peer.clone() }
    }

    /// Writes as much as the system takes.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Result<(), Cause> {
        while let Some(first) = self.queue.front_mut() {
            match Pin::new(&mut self.stream).poll_write(cx, first) {
                Poll::Pending => break,
                Poll::Ready(Ok(0)) => return Err(Cause::Closed),
                Poll::Ready(Ok(taken)) => {
                    first.advance(taken.min(first.len()));
                    if first.is_empty() {
                        self.queue.pop_front();
                    }
                    self.queued = self.queued.saturating_sub(taken);
                    self.written += taken as u64;
                }
                Poll::Ready(Err(error)) => return Err(Cause::from_io(&error)),
            }
        }
        Ok(())
    }

    /// Reads until the receiver has nothing more to say.
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Result<(), Cause> {
        for _ in 0..MAX_READS {
            if self.is_read {
                return Ok(());
            }
            let mut block = [0; 1_024];
            let mut block = ReadBuf::new(&mut block);
            match Pin::new(&mut self.stream).poll_read(cx, &mut block) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(())) => self.is_read = block.filled().is_empty(),
                Poll::Ready(Err(error)) => return Err(Cause::from_io(&error)),
            }
        }
        cx.waker().wake_by_ref();
        Ok(())
    }
}

impl Link for TcpLink {
    fn peer(&self) -> &str {
        &self.peer
    }

    fn begin(&mut self, start: &StreamStart<'_>) {
        self.muxer.begin(start);
    }

    fn send(&mut self, packet: &SharedPacket, origin: Timestamp) {
        let bytes = self.muxer.write(packet, origin);
        if !bytes.is_empty() {
            self.queued += bytes.len();
            self.queue.push_back(bytes);
        }
    }

    fn queued_bytes(&self) -> usize {
        self.queued
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<LinkEvent, Error>> {
        let moved = self.poll_write(cx).and_then(|()| self.poll_read(cx));
        moved.map_err(|cause| self.error(cause))?;
        match room.is_some_and(|room| self.queued <= room) {
            true => Poll::Ready(Ok(LinkEvent::Room)),
            false => Poll::Pending,
        }
    }

    fn reading(&self) -> LinkReading {
        LinkReading {
            written: self.written,
            unaccepted: self.stream.unsent_bytes().unwrap_or(0),
            queued: self.queued as u64,
            since_ack: self.stream.since_last_ack(),
        }
    }

    fn round_trip(&self) -> Option<Duration> {
        self.stream.round_trip()
    }

    fn has_way(&self) -> bool {
        self.stream.has_way()
    }

    fn is_local_there(&self) -> bool {
        self.stream.is_local_there()
    }

    fn is_within_machine(&self) -> bool {
        self.stream.is_within_machine()
    }

    fn set_user_timeout(&self, limit: Duration) {
        self.stream.set_user_timeout(limit);
    }

    /// Keeps only the rest of a transport packet that has begun.
    fn discard_queued_media(&mut self) {
        let sent = usize::try_from(self.written % PACKET_BYTES as u64).unwrap_or(0);
        let rest = if sent == 0 { 0 } else { PACKET_BYTES - sent };
        let mut first = self.queue.pop_front().unwrap_or_default();
        first.truncate(rest);
        self.queue.clear();
        self.queued = first.len();
        if !first.is_empty() {
            self.queue.push_back(first);
        }
    }

    fn close(mut self: Box<Self>, limit: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            let sent = async {
                if poll_fn(|cx| self.poll(cx, Some(0))).await.is_err()
                    || self.stream.shutdown().await.is_err()
                {
                    return;
                }
                while self.stream.unsent_bytes().is_some_and(|unsent| unsent > 0) {
                    sleep(UNSENT_CHECK_INTERVAL).await;
                }
            };
            // After the limit, the connection is cut.
            let _ = timeout(limit, sent).await;
        })
    }
}
