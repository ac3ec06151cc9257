//! A connection to a receiver by SRT.

use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BytesMut;
use futures_util::future::BoxFuture;

use crate::base::{Clock, Timestamp};
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::protocol::link::{Link, LinkEvent, LinkQuality, LinkReading, StreamStart};
use crate::broadcast::protocol::ts::muxer::Muxer;
use crate::net::connect::datagrams::DatagramSender;
use crate::net::srt::SrtSocket;
use crate::net::srt::socket::MAX_CLOSE_DURATION;
use crate::net::{ConnectStage, Error};
use crate::wire::container::ts::PACKET_BYTES;

/// Size of a payload: seven transport packets.
const PAYLOAD_BYTES: usize = 7 * PACKET_BYTES;

/// Time limit for sending the backlog at a stop. The end of the connection repeats what was lost.
const DRAIN_TIMEOUT: Duration = Duration::from_millis(250);
/// OBS is known for a *Stop* that hangs; this one is over in every state.
const MAX_STOP_DURATION: Duration = Duration::from_millis(1_500);
const _: () = assert!(
    DRAIN_TIMEOUT.as_millis() + MAX_CLOSE_DURATION.as_millis() < MAX_STOP_DURATION.as_millis()
);

/// The connection.
pub(super) struct SrtLink {
    socket: SrtSocket,
    peer: String,
    clock: Clock,
    muxer: Muxer,
    /// Transport packets that do not fill a payload yet.
    begun: BytesMut,
}

impl SrtLink {
    pub fn new(socket: SrtSocket, authority: String, clock: Clock) -> Self {
        // A listener knows its caller now.
        let peer = match socket.sender() {
            Some(sender) if authority.starts_with(':') => sender.peer().to_owned(),
            _ => authority,
        };
        Self { socket, peer, clock, muxer: Muxer::default(), begun: BytesMut::new() }
    }

    /// Queues the transport packets, once there are at least this many bytes.
    fn cut(&mut self, least: usize) {
        while self.begun.len() >= least.max(1) {
            let length = self.begun.len().min(PAYLOAD_BYTES);
            let payload = self.begun.split_to(length).freeze();
            self.socket.send(payload);
        }
    }

    fn sender(&self) -> Option<&DatagramSender> {
        self.socket.sender()
    }
}

impl Link for SrtLink {
    fn peer(&self) -> &str {
        &self.peer
    }

    fn begin(&mut self, start: &StreamStart<'_>) {
        self.muxer.begin(start);
    }

    fn send(&mut self, packet: &SharedPacket, origin: Timestamp) {
        let bytes = self.muxer.write(packet, origin);
        self.begun.extend_from_slice(&bytes);
        self.cut(PAYLOAD_BYTES);
    }

    fn queued_bytes(&self) -> usize {
        self.socket.engine().queued_bytes()
    }

    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        room: Option<usize>,
    ) -> Poll<Result<LinkEvent, Error>> {
        if let Poll::Ready(cause) = self.socket.poll_run(cx) {
            let peer = self.peer.clone();
            return Poll::Ready(Err(Error { stage: ConnectStage::Media, cause, peer }));
        }
        // A receiver may send too, but nobody wants it.
        while self.socket.discard_received() {}
        match room.is_some_and(|room| self.queued_bytes() <= room) {
            true => Poll::Ready(Ok(LinkEvent::Room)),
            false => Poll::Pending,
        }
    }

    fn reading(&self) -> LinkReading {
        let engine = self.socket.engine();
        let (written, accepted) = engine.counters();
        LinkReading {
            written,
            unaccepted: written.saturating_sub(accepted),
            queued: engine.queued_bytes() as u64,
            since_ack: Some(self.clock.now().since(engine.accepted_at())),
        }
    }

    fn round_trip(&self) -> Option<Duration> {
        self.socket.figures().round_trip
    }

    fn quality(&self) -> Option<LinkQuality> {
        let figures = self.socket.figures();
        Some(LinkQuality {
            packets: figures.sent_packets,
            missed_packets: figures.missed_packets,
            repeated_bytes: figures.repeated_bytes,
            given_up_packets: figures.given_up_packets,
        })
    }

    fn has_way(&self) -> bool {
        self.sender().is_none_or(DatagramSender::has_way)
    }

    fn is_local_there(&self) -> bool {
        self.sender().is_none_or(DatagramSender::is_local_there)
    }

    fn is_within_machine(&self) -> bool {
        self.sender().is_some_and(DatagramSender::is_within_machine)
    }

    fn drain_limit(&self) -> Option<Duration> {
        Some(DRAIN_TIMEOUT)
    }

    fn discard_queued_media(&mut self) {
        self.socket.discard();
        self.begun.clear();
    }

    fn close(mut self: Box<Self>, limit: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async move {
            self.cut(1);
            self.socket.close(limit).await;
        })
    }
}
