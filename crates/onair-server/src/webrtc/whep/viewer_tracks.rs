//! The tracks of one viewer: writes frames as RTP packets.

use std::sync::Arc;
use std::time::{Duration, Instant};

use str0m::Rtc;
use str0m::media::{MediaTime, Mid};
use str0m::rtp::{ExtensionValues, RtpWrite, SeqNo};

use crate::server::webrtc::whep::choice::playout::Playout;
use crate::server::webrtc::whep::choice::selection::Variant;
use crate::server::webrtc::whep::cursor::Cursor;
use crate::server::webrtc::whep::frame::{Frame, FrameKind};
use crate::server::webrtc::whep::negotiation::{Route, VideoRoute};
use crate::server::webrtc::whep::production::productions::ProductionUse;

/// If frames wait for the link longer than this, frames are dropped up to the next keyframe.
const MAX_FRAME_DELAY: Duration = Duration::from_secs(1);
/// Maximum number of waiting packets, apart from cached frames that the link has time for.
const MAX_PACKETS: u64 = 4_096;
/// Maximum time between the arrival of a frame and its display, on a good link.
const MAX_PLAYOUT_DELAY: Duration = Duration::from_millis(100);

/// The video track for one viewer.
pub(super) struct VideoTrack {
    pub route: VideoRoute,
    pub cursor: Cursor,
    /// Sequence number of the next packet. It has no gaps, even if frames are skipped, because receivers take
    /// gaps for losses.
    next_sequence_number: u64,
    /// Sequence number after the last packet of cached frames, if any were sent.
    cached_end: Option<u64>,
    /// Time at which a link with the estimated bitrate has sent the cached frames.
    catch_up_until: Option<Instant>,
    /// Deadline for the keyframe that the encoder was asked for. After the deadline, the viewer
    /// gets cached frames.
    pub keyframe_deadline: Option<Instant>,
    pub playout: Playout,
    /// The variant from which the frames come.
    pub variant: Variant,
    pub used: ProductionUse,
    /// The variant to which the track changes at the next keyframe.
    pub next_variant: Option<NextVariant>,
}

/// A variant that replaces another one.
pub(super) struct NextVariant {
    pub variant: Variant,
    pub used: ProductionUse,
    /// Keyframes before this time of the stream, in microseconds, are too old.
    pub from: i64,
}

/// The audio track for one viewer.
pub(super) struct AudioTrack {
    pub route: Route,
    next_sequence_number: u64,
}

impl VideoTrack {
    pub fn new(route: VideoRoute, (variant, used): (Variant, ProductionUse)) -> Self {
        Self {
            route,
            cursor: Cursor::default(),
            next_sequence_number: 0,
            cached_end: None,
            catch_up_until: None,
            keyframe_deadline: None,
            playout: Playout::default(),
            variant,
            used,
            next_variant: None,
        }
    }

    /// Cancels the change of variant.
    pub fn cancel_change(&mut self, id: u64) {
        if let Some(next) = self.next_variant.take() {
            next.used.unsubscribe(id);
        }
    }

    /// Stops the delivery of frames.
    pub fn leave(&self, id: u64) {
        self.used.unsubscribe(id);
        self.next_variant.iter().for_each(|next| next.used.unsubscribe(id));
    }

    /// Changes to the next variant if this frame is the first keyframe of that variant. Returns the
    /// variant that is no longer used.
    pub fn change_at(&mut self, frame: &Frame) -> Option<ProductionUse> {
        let is_first = |next: &mut NextVariant| {
            let is_its = next.used.production.id() == frame.production;
            is_its && frame.kind == FrameKind::Key && frame.at >= next.from
        };
        let next = self.next_variant.take_if(is_first)?;
        self.cursor.change_to(frame);
        self.variant = next.variant;
        Some(std::mem::replace(&mut self.used, next.used))
    }

    /// Returns true if packets of cached frames still wait for the link.
    pub fn awaits_cached(&self, rtc: &mut Rtc) -> bool {
        let waiting = waiting_packets(rtc, self.route.mid) as u64;
        self.cached_end.is_some_and(|end| waiting > self.next_sequence_number - end)
    }

    /// Returns true if frames wait too long for the link, or too many wait.
    pub fn is_crowded(&self, rtc: &mut Rtc, now: Instant) -> bool {
        let catches_up = self.catch_up_until.is_some_and(|until| now < until + MAX_FRAME_DELAY);
        let mut direct = rtc.direct_api();
        let stream = direct.stream_tx_by_mid(self.route.mid, None);
        let info = stream.and_then(|stream| stream.queue_info());
        info.is_some_and(|queue| {
            let waits = queue.first_unsent().map(|since| now.saturating_duration_since(since));
            let count = queue.packet_count() as u64;
            if catches_up {
                let cached_end = self.cached_end.unwrap_or(0);
                return count.min(self.next_sequence_number - cached_end) > MAX_PACKETS;
            }
            count > MAX_PACKETS || waits.is_some_and(|waits| waits > MAX_FRAME_DELAY)
        })
    }

    /// Notes that the link needs this time for cached frames.
    pub fn catch_up(&mut self, time: Duration, now: Instant) {
        self.catch_up_until = Some(now + time);
    }

    /// Returns true while a link with the estimated bitrate still sends the last cached frames.
    pub fn is_catching_up(&self, now: Instant) -> bool {
        self.catch_up_until.is_some_and(|until| now < until)
    }

    /// Sends a cached frame with the timestamp `at`, in microseconds.
    pub fn write_cached(&mut self, rtc: &mut Rtc, frame: &Frame, at: i64, now: Instant) {
        self.write(rtc, frame, at, now);
        self.cached_end = Some(self.next_sequence_number);
    }

    /// Sends a frame with the timestamp `at`, in microseconds.
    pub fn write(&mut self, rtc: &mut Rtc, frame: &Frame, at: i64, now: Instant) {
        let pt = self.route.payload_type(frame.is_av1);
        let mut direct = rtc.direct_api();
        let stream = direct.stream_tx_by_mid(self.route.mid, None);
        let (Some(stream), Some(pt)) = (stream, pt) else { return };
        let (time, wallclock) = (rtp_time(at, 90_000), shifted(frame, at, now));
        // On a good link, frames are shown as soon as they are decoded, because the stream is live.
        let delay = self.playout.delay();
        let millis = |time: Duration| MediaTime::from_millis(time.as_millis() as u64);
        let extensions = ExtensionValues {
            play_delay_min: Some(millis(delay)),
            play_delay_max: Some(millis(delay.max(MAX_PLAYOUT_DELAY))),
            ..ExtensionValues::default()
        };
        let last = frame.payloads.len().saturating_sub(1);
        for (index, payload) in frame.payloads.iter().enumerate() {
            let number = SeqNo::from(self.next_sequence_number);
            self.next_sequence_number += 1;
            stream.write_rtp(
                RtpWrite::new(pt, number, time, wallclock, Arc::clone(payload))
                    .marker(index == last)
                    .nackable(true)
                    .ext_vals(extensions.clone()),
            );
        }
    }
}

impl AudioTrack {
    pub fn new(route: Route) -> Self {
        Self { route, next_sequence_number: 0 }
    }

    /// Sends a frame.
    pub fn write(&mut self, rtc: &mut Rtc, frame: &Frame, now: Instant) {
        let mut direct = rtc.direct_api();
        let Some(stream) = direct.stream_tx_by_mid(self.route.mid, None) else { return };
        let (time, wallclock) = (rtp_time(frame.at, 48_000), shifted(frame, frame.at, now));
        for payload in &frame.payloads {
            let number = SeqNo::from(self.next_sequence_number);
            let is_first = self.next_sequence_number == 0;
            self.next_sequence_number += 1;
            stream.write_rtp(
                RtpWrite::new(self.route.pt, number, time, wallclock, Arc::clone(payload))
                    .marker(is_first),
            );
        }
    }
}

/// Returns the number of packets of a track that the pacer had when it last got the time.
pub(super) fn waiting_packets(rtc: &mut Rtc, mid: Mid) -> usize {
    let mut direct = rtc.direct_api();
    let info = direct.stream_tx_by_mid(mid, None).and_then(|stream| stream.queue_info());
    info.map_or(0, |queue| queue.packet_count())
}

/// Returns the time that a link with this estimate in bits per second needs for these cached frames. Returns `None` if
/// the link is slower than the stream. str0m sends waiting packets within about 2 s, if necessary above the estimate:
/// on a fast link, the estimate is only a small multiple of the stream's bitrate.
pub(super) fn catch_up_time(group: &[Arc<Frame>], estimate: u64) -> Option<Duration> {
    let bits = group.iter().map(|frame| frame.size() as u64 * 8).sum::<u64>();
    let time = Duration::from_micros(bits.saturating_mul(1_000_000) / estimate.max(1));
    let micros = group.last().zip(group.first()).map_or(0, |(last, first)| last.at - first.at);
    let media = Duration::from_micros(micros.max(0).unsigned_abs());
    (time <= media.max(MAX_FRAME_DELAY)).then_some(time)
}

/// Converts microseconds to the clock of a track, which wraps.
fn rtp_time(at: i64, rate: i64) -> u32 {
    let ticks = i128::from(at) * i128::from(rate) / 1_000_000;
    ticks.rem_euclid(1 << 32) as u32
}

/// Returns the wall-clock time of a frame that is sent with another timestamp. It is never in the future, which
/// sender reports cannot express.
fn shifted(frame: &Frame, at: i64, now: Instant) -> Instant {
    let by = Duration::from_micros(at.abs_diff(frame.at));
    let then = if at >= frame.at { frame.wallclock + by } else { frame.wallclock - by };
    then.min(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_wrap_as_the_clocks_of_rtp_do() {
        assert_eq!(rtp_time(1_000_000, 90_000), 90_000);
        assert_eq!(rtp_time(20_000, 48_000), 960);
        assert_eq!(rtp_time(-1_000_000, 48_000), u32::MAX - 47_999);
        assert_eq!(rtp_time(47_721_859_000, 90_000), 14);
    }
}
