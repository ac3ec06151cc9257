//! The output of a viewer's session: datagrams and events of str0m.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use str0m::bwe::BweKind;
use str0m::net::{Protocol, Transmit};
use str0m::{Event as RtcEvent, IceConnectionState, Input, Output};

use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::whep::routes;
use crate::server::whep::session::{Session, broken};
use crate::server::whep::viewer_tracks::Sounds;

/// Maximum number of packets in one wake-up of the task.
const MAX_PACKETS: usize = 64;
/// Time after which datagrams that do not fit into the socket are tried again.
const FULL_PAUSE: Duration = Duration::from_millis(1);

impl Session {
    /// Sends the output of str0m, and handles its events. Returns the time of the next poll.
    pub(super) fn drain(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, &'static str> {
        self.flush(registry);
        // Until the socket has room, str0m keeps its packets.
        if self.outgoing.is_full() {
            return Ok(Instant::now() + FULL_PAUSE);
        }
        let until = self.poll(registry, slot);
        self.flush(registry);
        match self.outgoing.is_full() {
            true => until.map(|until| until.min(Instant::now() + FULL_PAUSE)),
            false => until,
        }
    }

    /// Polls str0m until it has no output, or the wake-up has sent its maximum. Returns the time of the next poll.
    fn poll(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, &'static str> {
        let mut packets = 0;
        let mut had_events = false;
        loop {
            let now = match self.rtc.poll_output().map_err(|error| broken(&error))? {
                Output::Timeout(until) => {
                    let now = Instant::now();
                    if until > now || packets >= MAX_PACKETS {
                        self.next_poll = until;
                        self.unsent = 0;
                        return Ok(until);
                    }
                    now
                }
                Output::Transmit(transmit) => {
                    let is_media = !routes::is_wanted(&transmit.contents);
                    self.transmit(registry, transmit);
                    self.unsent = self.unsent.saturating_sub(usize::from(is_media));
                    if !is_media || packets >= MAX_PACKETS {
                        continue;
                    }
                    // After each packet, the pacer waits until it gets the current time. str0m
                    // returns media last, so nothing else waits here. After the last packet, the
                    // known time of the next poll is still right: each poll that reaches it learns
                    // the next one.
                    let now = Instant::now();
                    if now < self.next_poll && !had_events && self.was_last_packet() {
                        return Ok(self.next_poll);
                    }
                    now
                }
                Output::Event(event) => {
                    had_events = true;
                    self.handle(registry, slot, event)?;
                    continue;
                }
            };
            packets += 1;
            self.rtc.handle_input(Input::Timeout(now)).map_err(|error| broken(&error))?;
        }
    }

    /// Returns true if the pacer had a single packet when it last got the time.
    fn was_last_packet(&mut self) -> bool {
        // Asking str0m takes longer. It may also have packets that are sent again, or wait for the link.
        if self.unsent > 0 {
            return false;
        }
        let mids =
            [self.video.as_ref().map(|it| it.route.mid), self.audio.as_ref().map(Sounds::mid)];
        let mut direct = self.rtc.direct_api();
        let mut waiting = 0;
        for mid in mids.into_iter().flatten() {
            let stream = direct.stream_tx_by_mid(mid, None);
            let queue = stream.as_ref().and_then(|stream| stream.queue_info());
            waiting += queue.map_or(0, |queue| queue.packet_count());
        }
        waiting == 1
    }

    /// Handles an event of str0m.
    fn handle(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
        event: RtcEvent,
    ) -> Result<(), &'static str> {
        match event {
            RtcEvent::Connected => self.connected(registry, slot)?,
            RtcEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                return Err("the connection is lost");
            }
            RtcEvent::EgressBitrateEstimate(
                BweKind::Twcc { estimate, .. } | BweKind::Remb { estimate, .. },
            ) => self.switching.estimate = Some(estimate.as_u64()),
            RtcEvent::MediaEgressStats(stats) => {
                let video = self.video.as_mut().filter(|it| it.route.mid == stats.mid);
                if let (Some(video), Some(loss)) = (video, stats.loss) {
                    video.playout.report(loss, stats.rtt);
                }
            }
            RtcEvent::KeyframeRequest(_) => self.help(registry, Instant::now()),
            RtcEvent::Closed => return Err("closed by the peer"),
            _ => {}
        }
        Ok(())
    }

    /// Sends a datagram, over UDP together with the next ones.
    pub(super) fn transmit(&mut self, registry: &Registry, transmit: Transmit) {
        let Transmit { proto, destination, contents, .. } = transmit;
        let sent = match proto {
            Protocol::Tcp => {
                let link = self.tcp.iter().find(|link| link.peer == destination);
                let is_sent = link.is_some_and(|link| link.send(&contents));
                if is_sent { contents.len() } else { 0 }
            }
            _ => self.outgoing.push(contents, destination),
        };
        self.count(registry, sent);
    }

    pub(super) fn flush(&mut self, registry: &Registry) {
        let sent = self.outgoing.flush();
        self.count(registry, sent);
    }

    /// Counts bytes that were sent.
    pub(super) fn count(&self, registry: &Registry, bytes: usize) {
        if bytes > 0 {
            self.mailbox.count(bytes as u64);
            registry.totals.sent_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }
}
