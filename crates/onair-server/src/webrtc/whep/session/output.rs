//! The output of a viewer's session: datagrams and events of str0m.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::bwe::BweKind;
use str0m::{Event as RtcEvent, IceConnectionState, Input, Output, PacerReason, Reason};

use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::webrtc::whep::session::{Session, broken};
use crate::server::webrtc::whep::viewer_tracks::waiting_packets;
use crate::text::problem::{Problem, problem};
use crate::wire::webrtc::rtcp;

/// Maximum number of packets in one wake-up of the task.
const MAX_PACKETS_PER_TURN: usize = 64;
/// Time after which datagrams that do not fit into the socket are tried again.
const FULL_SOCKET_PAUSE: Duration = Duration::from_millis(1);
/// Interval between polls of a connection that has nothing to send.
const IDLE_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Usual maximum interval between frames. A poll that is due earlier is done together with the current frame.
const MAX_FRAME_INTERVAL: Duration = Duration::from_millis(40);

impl Session {
    /// Sends the output of str0m, and handles its events. Returns the time of the next poll.
    pub(super) fn drain(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, Problem> {
        self.transport.flush(registry);
        // Until the socket has room, str0m keeps its packets.
        if self.transport.is_full() {
            return Ok(Instant::now() + FULL_SOCKET_PAUSE);
        }
        let until = self.poll(registry, slot);
        self.transport.flush(registry);
        match self.transport.is_full() {
            true => until.map(|until| until.min(Instant::now() + FULL_SOCKET_PAUSE)),
            false => until,
        }
    }

    /// Polls str0m until it has no output, or the wake-up has sent its maximum. Returns the time of the next poll.
    fn poll(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, Problem> {
        let mut packets = 0;
        let mut had_events = false;
        // The packets of a wake-up leave together, so they may have the same time.
        let mut now = Instant::now();
        loop {
            match self.transport.rtc.poll_output().map_err(|error| broken(&error))? {
                Output::Timeout(until) => {
                    now = Instant::now();
                    if until > now || packets >= MAX_PACKETS_PER_TURN {
                        let is_idle = self.allows_late_polls() && self.waiting_packets() == 0;
                        self.transport.mailbox.hold_reports(is_idle);
                        self.next_poll = if is_idle { self.late_poll(until, now) } else { until };
                        self.unsent = 0;
                        return Ok(self.next_poll);
                    }
                }
                Output::Transmit(transmit) => {
                    let is_media = !rtcp::is_wanted_of_viewer(&transmit.contents);
                    self.transport.transmit(registry, transmit);
                    self.unsent = self.unsent.saturating_sub(usize::from(is_media));
                    if !is_media || packets >= MAX_PACKETS_PER_TURN {
                        continue;
                    }
                    // The pacer sends one packet, and then waits for the current time. str0m
                    // returns media after everything else. After the last packet, the poll can
                    // therefore end here, and `next_poll` stays valid, because the poll at that
                    // time returns the next one.
                    let soon =
                        if self.allows_late_polls() { now + MAX_FRAME_INTERVAL } else { now };
                    if soon < self.next_poll && !had_events && self.was_last_packet() {
                        return Ok(self.next_poll);
                    }
                }
                Output::Event(event) => {
                    let is_estimate = matches!(event, RtcEvent::EgressBitrateEstimate(_));
                    had_events |= !(is_estimate && self.allows_late_polls());
                    self.handle(registry, slot, event)?;
                    continue;
                }
            }
            packets += 1;
            self.transport.rtc.handle_input(Input::Timeout(now)).map_err(|error| broken(&error))?;
        }
    }

    /// Returns true if nothing depends on the exact times at which str0m renews its estimate of the link. A choice of
    /// renditions depends on them, because probes of the link begin at these times.
    fn allows_late_polls(&self) -> bool {
        self.joined.is_some() && !self.switching.variants.has_choice
    }

    /// Returns the time of the next poll if no packet waits, and str0m wants to be polled at `until`. It wants this every
    /// few milliseconds only to renew its estimate and the budget of its pacer. Each frame renews them too.
    fn late_poll(&self, until: Instant, now: Instant) -> Instant {
        match self.transport.rtc.last_timeout_reason() {
            Reason::BweDelayControl | Reason::Pacer(PacerReason::Handle) => {
                until.max(now + IDLE_POLL_INTERVAL)
            }
            _ => until,
        }
    }

    /// Returns true if the pacer had a single packet when it last got the time.
    fn was_last_packet(&mut self) -> bool {
        // Asking str0m takes longer. It may also have packets that are sent again, or wait for the link.
        self.unsent == 0 && self.waiting_packets() == 1
    }

    /// Returns the number of packets that the pacer had when it last got the time.
    pub(super) fn waiting_packets(&mut self) -> usize {
        let mids = [
            self.video.as_ref().map(|it| it.route.mid),
            self.audio.as_ref().map(|it| it.route.mid),
        ];
        mids.into_iter().flatten().map(|mid| waiting_packets(&mut self.transport.rtc, mid)).sum()
    }

    /// Handles an event of str0m.
    fn handle(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
        event: RtcEvent,
    ) -> Result<(), Problem> {
        match event {
            RtcEvent::Connected => self.connected(registry, slot)?,
            RtcEvent::IceConnectionStateChange(IceConnectionState::Disconnected) => {
                return Err(problem!("left-disconnected"));
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
            RtcEvent::KeyframeRequest(_) => self.restore_video(registry, Instant::now()),
            RtcEvent::Closed => return Err(problem!("left-closed")),
            _ => {}
        }
        Ok(())
    }
}
