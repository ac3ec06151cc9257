//! The output of a publisher's session: datagrams, frames and events of str0m.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use str0m::format::Codec;
use str0m::media::{MediaData, MediaTime};
use str0m::{Event as RtcEvent, IceConnectionState, Output};

use crate::media::VideoCodec;
use crate::net::webrtc::panics::contain;
use crate::server::event::LinkFigures;
use crate::server::registry::{ConnectionSlot, Registry};
use crate::server::webrtc::whip::layers::Verdict;
use crate::server::webrtc::whip::session::reordering::Reordering;
use crate::server::webrtc::whip::session::{Session, broken};
use crate::server::webrtc::whip::timeline::{FrameTimes, Kind};
use crate::server::webrtc::whip::tracks::size;
use crate::text::problem::{Problem, problem};

impl Session {
    /// Sends the output of str0m, and handles its events. Returns the time of the next poll.
    pub(super) fn drain(
        &mut self,
        registry: &Arc<Registry>,
        slot: &ConnectionSlot,
    ) -> Result<Instant, Problem> {
        loop {
            // str0m joins the frames of a stranger here.
            let Some(output) = contain(|| self.transport.rtc.poll_output()) else {
                self.transport.is_broken = true;
                return Err(problem!("left-unreadable"));
            };
            match output.map_err(|error| broken(&error))? {
                Output::Timeout(until) => {
                    self.transport.flush(registry);
                    return Ok(until);
                }
                Output::Transmit(transmit) => self.transport.transmit(registry, transmit),
                Output::Event(event) => self.handle(registry, slot, event)?,
            }
        }
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
            RtcEvent::MediaData(frame) => self.frame(&frame)?,
            RtcEvent::MediaIngressStats(stats) => {
                let is_main = self.video.or(self.audio) == Some(stats.mid);
                if let Some(publication) = self.publication.as_ref().filter(|_| is_main) {
                    let link = LinkFigures { loss: stats.loss, rtt: stats.rtt };
                    publication.stream.note_link(self.transport.mailbox.id, link);
                    if let Some(place) = &self.guest {
                        place.note_link(link);
                    }
                }
            }
            RtcEvent::Closed => return Err(problem!("left-closed")),
            _ => {}
        }
        Ok(())
    }

    /// Takes a frame.
    fn frame(&mut self, frame: &MediaData) -> Result<(), Problem> {
        let Some(connected) = self.connected_at else { return Ok(()) };
        let kind = match Some(frame.mid) {
            mid if mid == self.video => Kind::Video,
            mid if mid == self.audio => Kind::Audio,
            _ => return Ok(()),
        };
        let rtp = micros(frame.time);
        let times = FrameTimes {
            rtp,
            arrival: i64::try_from(
                frame.network_time.saturating_duration_since(connected).as_micros(),
            )
            .unwrap_or(i64::MAX),
            sender: frame.last_sender_info.map(|info| {
                // The clock of RTP has 32 bits.
                let ticks = (frame.time.numer() as u32).wrapping_sub(info.rtp_time.numer() as u32);
                let since = i64::from(ticks.cast_signed()) * 1_000_000;
                let since = since / i64::from(frame.time.denom().max(1));
                wall_micros(info.ntp_time).saturating_add(since).saturating_sub(rtp)
            }),
        };
        if kind == Kind::Audio {
            let at = self.timeline.time(kind, times);
            self.tracks.audio(&frame.data, at);
            return Ok(());
        }
        let now = Instant::now();
        let is_key = frame.is_keyframe();
        let codec = match frame.params.spec().codec {
            Codec::H265 => VideoCodec::Hevc,
            Codec::Av1 => VideoCodec::Av1,
            _ => VideoCodec::H264,
        };
        if let Some(rid) = frame.rid {
            let size = is_key.then(|| size(codec, &frame.data));
            let verdict = self.layers.frame(rid, size, now);
            if let (true, Some(publication)) = (is_key, &self.publication) {
                let sizes = self.layers.sizes(now);
                publication.stream.note_layers(self.transport.mailbox.id, sizes);
            }
            match verdict {
                Verdict::Use => {}
                Verdict::Change => {
                    self.timeline.change_video();
                    self.reordering = Reordering::default();
                }
                Verdict::Drop => return Ok(()),
            }
        }
        if self.reordering.is_certain_after(rtp) {
            return Err(problem!("left-publisher-b-frames"));
        }
        if !frame.contiguous && !is_key {
            self.tracks.await_keyframe();
        }
        let at = self.timeline.time(kind, times);
        match self.tracks.video(codec, &frame.data, is_key, at) {
            true if is_key => self.keyframes.receive(now),
            true => {}
            false => self.keyframes.lose(),
        }
        Ok(())
    }
}

/// Returns a time of RTP in µs.
fn micros(time: MediaTime) -> i64 {
    let micros = u128::from(time.numer()) * 1_000_000 / u128::from(time.denom().max(1));
    i64::try_from(micros).unwrap_or(i64::MAX)
}

/// Returns the time of a sender's clock in µs since 1970.
fn wall_micros(time: SystemTime) -> i64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}
