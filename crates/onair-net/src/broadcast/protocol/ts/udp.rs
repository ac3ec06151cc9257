//! A transport stream in datagrams. No receiver answers, so the link is never the bottleneck, and
//! only the system can tell that nothing can be sent.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::future::BoxFuture;
use tokio::time::{Instant, Sleep, timeout};

use crate::base::{Clock, Timestamp};
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::link::{Link, LinkEvent, LinkReading, StreamStart};
use crate::broadcast::protocol::ts::muxer::Muxer;
use crate::broadcast::protocol::ts::pacer::Pacer;
use crate::media::BitsPerSecond;
use crate::net::connect::datagrams::DatagramSender;
use crate::net::{Cause, ConnectStage, Error};
use crate::wire::container::ts::null_packet;

/// The sender with its queue.
#[derive(Debug)]
pub(super) struct UdpLink {
    sender: DatagramSender,
    clock: Clock,
    muxer: Muxer,
    /// Size of a datagram.
    packet_bytes: usize,
    /// Transport packets that do not fill a datagram yet.
    begun: BytesMut,
    /// Queue of datagrams. The publisher limits it by its size.
    queue: VecDeque<Bytes>,
    queued: usize,
    written: u64,
    pacer: Pacer,
    timer: Pin<Box<Sleep>>,
    /// The time for which the timer is set.
    wakes: Option<Timestamp>,
}

impl UdpLink {
    pub fn new(
        sender: DatagramSender,
        packet_bytes: usize,
        bitrate: Option<BitsPerSecond>,
        clock: Clock,
    ) -> Self {
        Self {
            sender,
            clock,
            muxer: Muxer::default(),
            packet_bytes,
            begun: BytesMut::new(),
            queue: VecDeque::new(),
            queued: 0,
            written: 0,
            pacer: Pacer::new(bitrate, clock.now()),
            timer: Box::pin(tokio::time::sleep(Duration::ZERO)),
            wakes: None,
        }
    }

    /// Waits until a datagram may be sent.
    fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let next = self.pacer.next();
        if next <= self.clock.now() {
            return Poll::Ready(());
        }
        if self.wakes != Some(next) {
            self.wakes = Some(next);
            self.timer.as_mut().reset(Instant::from_std(self.clock.instant(next)));
        }
        self.timer.as_mut().poll(cx)
    }

    /// Sends the datagrams that are due.
    fn poll_send(&mut self, cx: &mut Context<'_>) -> Result<(), Cause> {
        while let Some(first) = self.queue.front() {
            let length = first.len();
            if self.poll_due(cx).is_pending() {
                return Ok(());
            }
            let Some(first) = self.queue.front() else { return Ok(()) };
            match self.sender.poll_send(cx, first) {
                Poll::Pending => return Ok(()),
                Poll::Ready(Ok(_)) => self.written += length as u64,
                Poll::Ready(Err(error)) if DatagramSender::is_passing(&error) => {}
                Poll::Ready(Err(error)) => return Err(Cause::from_io(&error)),
            }
            self.pacer.sent(self.clock.now(), length, self.queued);
            self.queue.pop_front();
            self.queued = self.queued.saturating_sub(length);
        }
        Ok(())
    }

    /// Fills the last datagram.
    fn fill(&mut self) {
        if self.begun.is_empty() {
            return;
        }
        while self.begun.len() < self.packet_bytes {
            self.begun.extend_from_slice(&null_packet());
        }
        self.cut();
    }

    /// Moves full datagrams to the queue.
    fn cut(&mut self) {
        while self.begun.len() >= self.packet_bytes {
            let datagram = self.begun.split_to(self.packet_bytes).freeze();
            self.queued += datagram.len();
            self.queue.push_back(datagram);
        }
    }
}

impl Link for UdpLink {
    fn peer(&self) -> &str {
        self.sender.peer()
    }

    fn begin(&mut self, start: &StreamStart<'_>) {
        self.muxer.begin(start);
    }

    fn send(&mut self, packet: &SharedPacket, origin: Timestamp) {
        let bytes = self.muxer.write(packet, origin);
        self.begun.extend_from_slice(&bytes);
        self.cut();
    }

    fn queued_bytes(&self) -> usize {
        self.queued
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<LinkEvent, Error>> {
        self.poll_send(cx).map_err(|cause| {
            let peer = self.sender.peer().to_owned();
            Error { stage: ConnectStage::Media, cause, peer }
        })?;
        match room.is_some_and(|room| self.queued <= room) {
            true => Poll::Ready(Ok(LinkEvent::Room)),
            false => Poll::Pending,
        }
    }

    fn reading(&self) -> LinkReading {
        let (written, queued) = (self.written, self.queued as u64);
        LinkReading { written, queued, unaccepted: 0, since_ack: None }
    }

    fn round_trip(&self) -> Option<Duration> {
        None
    }

    fn has_way(&self) -> bool {
        self.sender.has_way()
    }

    fn is_local_there(&self) -> bool {
        self.sender.is_local_there()
    }

    fn is_within_machine(&self) -> bool {
        self.sender.is_within_machine()
    }

    fn discard_queued_media(&mut self) {
        self.queue.clear();
        self.begun.clear();
        self.queued = 0;
    }

    fn close(mut self: Box<Self>, limit: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.fill();
            // After the limit, the rest is lost. After an error too.
            let _ = timeout(limit, poll_fn(|cx| self.poll(cx, Some(0)))).await;
        })
    }
}
