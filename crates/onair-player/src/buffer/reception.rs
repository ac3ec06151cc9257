//! The received part of a stream, from which the presenter computes its timing.

use std::collections::VecDeque;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::media::Track;
use crate::player::buffer::live_edge::LiveEdge;
use crate::player::buffer::pace::PlayPace;
use crate::player::clock::jitter::Jitter;
use crate::player::clock::of_track;
use crate::player::clock::playout::ReceivedSpan;

/// Maximum part of the buffer that the latency of a speaker may use, in µs.
const MAX_LATENCY_SHARE_MICROS: i64 = 100_000;
/// The part of the buffer that the latency of a speaker may not use, in µs: a packet, and the audio
/// that waits in the speaker.
const WAITING_AUDIO_MICROS: i64 = 40_000;

/// The received part of a stream.
#[derive(Debug, Default)]
pub(crate) struct Reception {
    live: bool,
    pub(crate) jitter: Jitter,
    first: Option<Timestamp>,
    edge: Option<Timestamp>,
    last: [Option<Timestamp>; 2],
    pub(crate) ended: bool,
    /// The playback position for a stream that plays at a distance from its end.
    live_edge: Option<LiveEdge>,
    /// How far audio plays before its timestamps, in µs. The audio must arrive earlier by that
    /// much.
    sooner: i64,
    /// The latency of the speaker, in µs.
    speaker_latency: i64,
}

impl Reception {
    /// Creates the state before any data is received.
    pub(crate) fn new(live: bool, jitter: Jitter) -> Self {
        Self { live, jitter, ..Self::default() }
    }

    /// Creates the state for a live stream.
    #[cfg(any(test, feature = "test-support"))]
    pub(crate) fn of_live(buffer: Duration) -> Self {
        Self::new(true, Jitter::new(buffer))
    }

    /// Records that a packet of `track` with this `dts` arrived at `now`.
    pub(crate) fn arrived(&mut self, track: Track, dts: Timestamp, now: Timestamp) {
        if self.live {
            self.jitter.arrived(track, dts, now);
        }
        let last = of_track(&mut self.last, track);
        // A packet lasts about as long as the previous one.
        let lasts = last.map_or(20_000, |last| dts.micros_since(last)).clamp(10_000, 100_000);
        *last = Some(dts);
        let end = dts.offset(lasts);
        self.edge = Some(self.edge.map_or(end, |edge| edge.max(end)));
        self.first = Some(self.first.map_or(dts, |first| first.min(dts)));
    }

    /// Sets the pace of playback.
    pub(crate) fn set_pace(&mut self, pace: PlayPace) {
        self.live = pace == PlayPace::Live;
        match (pace, &mut self.live_edge) {
            // A new connection with the same distance keeps the target.
            (PlayPace::Followed(distance), Some(edge)) if edge.distance() == distance => {}
            (PlayPace::Followed(distance), Some(edge)) => edge.change(distance),
            (PlayPace::Followed(distance), None) => self.live_edge = Some(LiveEdge::new(distance)),
            (PlayPace::Live | PlayPace::Recorded, _) => self.live_edge = None,
        }
    }

    /// Sets the time, in microseconds, by which audio plays after its timestamps. If the value is
    /// negative, audio plays before its timestamps, and a live stream is delayed by that much.
    pub(crate) fn set_av_offset(&mut self, micros: i64) {
        self.sooner = micros.saturating_neg().max(0);
    }

    /// Sets the latency of the speaker, in µs. The speaker gets the audio earlier by that much, so
    /// a live stream is delayed by the part for which its buffer is too short.
    pub(crate) fn set_speaker_latency(&mut self, micros: i64) {
        self.speaker_latency = micros;
    }

    fn speaker_delay(&self) -> i64 {
        let share = self.jitter.kept().saturating_sub(WAITING_AUDIO_MICROS);
        (self.speaker_latency - share.clamp(0, MAX_LATENCY_SHARE_MICROS)).max(0)
    }

    /// Records that at `seen`, the end of the stream was at `media`.
    pub(crate) fn see_edge(&mut self, seen: Timestamp, media: Timestamp) {
        if let Some(live_edge) = &mut self.live_edge {
            live_edge.see(seen, media);
        }
    }

    /// Records that playback begins or resumes: `media` is presented at `now`.
    pub(crate) fn begun(&mut self, now: Timestamp, media: Timestamp) {
        if let Some(live_edge) = &mut self.live_edge {
            // The target does not include the delay for early audio.
            live_edge.begin(now, media.offset(self.sooner));
        }
    }

    /// Records a stall: everything received has been shown.
    pub(crate) fn broke(&mut self, now: Timestamp) {
        self.jitter.broke(now);
        if let Some(live_edge) = &mut self.live_edge {
            live_edge.lose();
        }
    }

    /// Moves to `at` after the queues were cleared.
    pub(crate) fn move_to(&mut self, at: Timestamp) {
        (self.first, self.edge) = (Some(at), Some(at));
        self.last = [None, None];
        self.jitter.forget();
    }

    /// Continues the stream after its end, because its publisher is back.
    pub(crate) fn resume(&mut self) {
        if std::mem::replace(&mut self.ended, false) {
            self.jitter.forget();
            if let Some(live_edge) = &mut self.live_edge {
                live_edge.forget();
            }
        }
    }

    /// Returns the delivery jitter of a live stream. Data in segments arrives on request and has no
    /// jitter.
    pub(crate) fn jitter(&self) -> Option<Duration> {
        self.jitter.measured().filter(|_| self.live)
    }

    /// Returns the received part in the form that the presenter needs.
    pub(crate) fn received(&mut self, now: Timestamp) -> ReceivedSpan {
        let delay = self.speaker_delay();
        let target = match &mut self.live_edge {
            Some(live_edge) => live_edge.target(now),
            None if self.live => self.jitter.target(now).map(|target| target.saturating_add(delay)),
            None => None,
        };
        ReceivedSpan {
            first: self.first,
            edge: self.edge,
            target: target.map(|target| target.saturating_add(self.sooner)),
            settling: self.live && self.jitter.settling(now),
            ended: self.ended,
        }
    }
}

/// Arrival times of the newest frames by media time, to measure their age at arrival. The feed
/// records the times, and the presenter reads them.
#[derive(Debug, Default)]
pub(crate) struct Arrivals(Mutex<VecDeque<(Timestamp, Timestamp)>>);

/// Maximum number of stored arrivals: more frames than any buffer contains.
const MAX_ARRIVALS: usize = 1_024;

impl Arrivals {
    /// Records that the frame with this `pts` arrived completely at `now`.
    pub(crate) fn note(&self, pts: Timestamp, now: Timestamp) {
        let mut known = self.0.lock();
        if known.len() >= MAX_ARRIVALS {
            known.pop_front();
        }
        known.push_back((pts, now));
    }

    /// Returns the arrival time of the frame with this `pts`.
    pub(crate) fn of(&self, pts: Timestamp) -> Option<Timestamp> {
        self.0.lock().iter().rev().find(|(of, _)| *of == pts).map(|(_, came)| *came)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::player::buffer::pace::LiveDistance;

    #[test]
    fn the_target_grows_with_early_audio_and_speaker_latency() {
        let at = Timestamp::from_millis;
        let mut reception = Reception::of_live(Duration::from_millis(300));
        reception.arrived(Track::Video, at(0), at(1_000));
        let target = |reception: &mut Reception, ms| reception.received(at(ms)).target;
        let usual = target(&mut reception, 1_000).unwrap();
        for (offset, kept) in [(-500_000, 500_000), (500_000, 0), (-2_000_000, 2_000_000), (0, 0)] {
            reception.set_av_offset(offset);
            assert_eq!(target(&mut reception, 1_000), Some(usual + kept), "{offset}");
        }
        for (latency, kept) in [(40_000, 0), (250_000, 150_000), (0, 0)] {
            reception.set_speaker_latency(latency);
            assert_eq!(target(&mut reception, 1_000), Some(usual + kept), "{latency}");
        }
        reception.jitter.set_buffer(Duration::from_millis(100), false);
        for (latency, kept) in [(40_000, 0), (60_000, 0), (100_000, 40_000), (200_000, 140_000)] {
            reception.set_speaker_latency(latency);
            let short = usual - 200_000;
            assert_eq!(target(&mut reception, 1_000), Some(short + kept), "{latency}");
        }
        // A stream that plays at a distance from its end keeps that distance, however often it
        // restarts.
        let mut reception = Reception::of_live(Duration::from_millis(300));
        let hold_back = Duration::from_secs(1);
        let distance = LiveDistance { hold_back, least: hold_back, at_once: true };
        reception.set_pace(PlayPace::Followed(distance));
        reception.see_edge(at(1_000), at(5_000));
        reception.set_av_offset(-500_000);
        for ms in [1_000, 1_010, 1_020] {
            let target = target(&mut reception, ms).unwrap();
            assert_eq!(target, -3_000_000 + 500_000, "{ms}");
            reception.begun(at(ms), at(ms).offset(-target));
        }
    }
}
