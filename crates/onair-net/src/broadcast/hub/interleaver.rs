//! Sorts video packets (of each rendition) and audio packets (of each track) by DTS. The
//! interleaver waits for an empty queue only if the queue's next packet can be earlier, and only
//! for a limited time. After that, the interleaver ignores the queue until the queue has packets
//! again. This module is pure, and runs on the hub's thread.

use std::collections::VecDeque;
use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{EncodedPacket, ExtraRendition, ExtraTrack, ExtraTracks, RenditionId, Track};

/// The time for which a packet waits for the other track after both have begun.
const TRACK_TIMEOUT: Duration = Duration::from_millis(150);
/// The time for which the first packets wait for the other track, because encoders need a while to
/// start.
const FIRST_TRACK_TIMEOUT: Duration = Duration::from_millis(500);
/// The same while there are further renditions, whose encoders share the processor. Frames that are still later are
/// dropped, because packets behind them have been sent.
const RENDITION_TIMEOUT: Duration = Duration::from_millis(300);
/// Maximum number of held packets of a track that is ahead, without an audio delay. Beyond this
/// number, packets are not held any longer.
const MAX_HELD_PACKETS: usize = 512;

/// The approximate minimum interval between packets in ms, if many are held.
const MIN_PACKET_INTERVAL_MS: usize = 8;

/// The queues of all tracks.
#[derive(Debug)]
pub(in crate::broadcast) struct Interleaver {
    video: TrackQueue,
    /// Frames of the second rendition, while it exists.
    second: TrackQueue,
    audio: TrackQueue,
    /// Frames of the further renditions, while these exist.
    renditions: [TrackQueue; ExtraRendition::MAX],
    /// True for a rendition whose frames are dropped up to its next keyframe, because one was too late.
    is_late: [bool; ExtraRendition::MAX],
    /// The DTS of the newest packet that was sent.
    sent: Option<Timestamp>,
    /// The extra audio tracks, in the order of their indexes.
    extras: [TrackQueue; 5],
    /// The expected extra tracks. Packets do not wait for other extra tracks.
    expected: ExtraTracks,
    /// Additional time that audio may need.
    lag: Duration,
    /// Additional time that video may need.
    video_lag: Duration,
}

#[derive(Debug, Default)]
struct TrackQueue {
    /// Waiting packets, each with the time of its arrival.
    waiting: VecDeque<(Timestamp, EncodedPacket)>,
    /// True if the stream has no such track, or if the track is late, so that the other tracks do
    /// not wait for it.
    absent: bool,
    /// True if the track has delivered at least once.
    begun: bool,
    /// The DTS of the newest audio packet.
    newest: Timestamp,
    /// The shortest interval between audio packets so far. All have the same duration, so the next
    /// packet is not earlier than `newest` plus this interval.
    interval: Option<Duration>,
}

impl Interleaver {
    /// Creates an interleaver for a stream that has these tracks.
    pub fn new(video: bool, audio: bool) -> Self {
        let absent = || TrackQueue { absent: true, ..TrackQueue::default() };
        Self {
            video: TrackQueue { absent: !video, ..TrackQueue::default() },
            second: absent(),
            renditions: std::array::from_fn(|_| absent()),
            is_late: [false; ExtraRendition::MAX],
            sent: None,
            audio: TrackQueue { absent: !audio, ..TrackQueue::default() },
            extras: std::array::from_fn(|_| absent()),
            expected: ExtraTracks::NONE,
            lag: Duration::ZERO,
            video_lag: Duration::ZERO,
        }
    }

    /// Sets the delay of all audio that a negative sync offset of a mixer strip causes.
    pub fn set_audio_delay(&mut self, lag: Duration) {
        if lag > self.lag {
            // A track that was late until now is expected again.
            self.audio.absent &= !self.audio.begun;
        }
        self.lag = lag;
    }

    /// Sets the delay of all video that an encoder causes that looks ahead.
    pub fn set_video_delay(&mut self, lag: Duration) {
        self.video_lag = lag;
    }

    /// Sets the expected extra audio tracks. Packets wait for a new track once that track has
    /// delivered a packet, and no longer wait for an ended track.
    pub fn expect(&mut self, extras: ExtraTracks) {
        self.expected = extras;
        for (track, line) in ExtraTrack::all().zip(&mut self.extras) {
            line.absent |= !extras.has(track);
        }
    }

    /// Takes a packet at time `now`. The packets of one track arrive in DTS order.
    pub fn push(&mut self, packet: EncodedPacket, now: Timestamp) {
        let second =
            packet.rendition.as_ref().is_some_and(|its| its.rendition_id == RenditionId::Second);
        let mut expected = true;
        let line = match packet.track {
            Track::Video if second => &mut self.second,
            Track::Video => &mut self.video,
            Track::Rendition(its) => {
                let place = its.place();
                let line = self.renditions.get_mut(place);
                let Some((line, is_late)) = line.zip(self.is_late.get_mut(place)) else { return };
                if self.sent.is_some_and(|sent| packet.dts < sent) {
                    *is_late = true;
                } else if packet.keyframe {
                    *is_late = false;
                }
                if *is_late {
                    return;
                }
                line
            }
            Track::Audio => &mut self.audio,
            Track::Extra(track) => {
                expected = self.expected.has(track);
                let Some(line) = self.extras.get_mut(track.place()) else { return };
                line
            }
        };
        line.absent = !expected;
        if !matches!(packet.track, Track::Video | Track::Rendition(_)) {
            line.note_interval(packet.dts);
        }
        line.begun = true;
        line.waiting.push_back((now, packet));
    }

    /// Returns the next packet that may be sent at `now`.
    pub fn pop(&mut self, now: Timestamp) -> Option<EncodedPacket> {
        let patience = self.patience();
        let most =
            MAX_HELD_PACKETS + self.longest_lag().as_millis() as usize / MIN_PACKET_INTERVAL_MS;
        let (next, ready) = self.next()?;
        let ((dts, _), waited) = (ready.first()?, ready.waits_since()?);
        let is_late = now.since(waited) >= patience || ready.waiting.len() > most;
        let [a, b, c, d, e] = &mut self.extras;
        let [r, s, t] = &mut self.renditions;
        let mut lines =
            [&mut self.video, r, s, t, &mut self.second, &mut self.audio, a, b, c, d, e];
        if is_late {
            for line in lines.iter_mut().filter(|line| line.waiting.is_empty()) {
                line.absent = true;
            }
        }
        let is_next = !lines.iter().any(|line| line.may_precede(dts));
        let packet = lines.get_mut(next).filter(|_| is_next)?.take()?;
        self.sent = Some(self.sent.map_or(packet.dts, |sent| sent.max(packet.dts)));
        Some(packet)
    }

    /// Returns the time at which [`Interleaver::pop`] must be called again, even without new
    /// packets. At this time, `pop` returns a packet.
    pub fn due(&self) -> Option<Timestamp> {
        let (_, ready) = self.next()?;
        Some(ready.waits_since()? + self.patience())
    }

    /// Returns the queue of the next packet, and its place among the queues.
    fn next(&self) -> Option<(usize, &TrackQueue)> {
        let [a, b, c, d, e] = &self.extras;
        let [r, s, t] = &self.renditions;
        let lines = [&self.video, r, s, t, &self.second, &self.audio, a, b, c, d, e];
        // Of packets with the same time, keyframes go first: an output that waits for a keyframe then
        // gets no other frame of that time before it. Frames go before audio, because a stream begins
        // with a frame.
        let firsts = lines.into_iter().enumerate();
        let firsts = firsts.filter_map(|(place, line)| Some((line.first()?, place, line)));
        let (_, place, line) = firsts.min_by_key(|(first, place, _)| (*first, *place))?;
        Some((place, line))
    }

    /// Ends the stream, so that the held packets no longer wait.
    pub fn finish(&mut self) {
        self.video.absent = true;
        self.second.absent = true;
        self.audio.absent = true;
        self.renditions.iter_mut().chain(&mut self.extras).for_each(|line| line.absent = true);
    }

    fn longest_lag(&self) -> Duration {
        self.lag.max(self.video_lag)
    }

    fn patience(&self) -> Duration {
        let begun = self.video.begun && self.audio.begun;
        let has_renditions = self.renditions.iter().any(|line| !line.absent);
        self.longest_lag()
            + match (begun, has_renditions) {
                (false, _) => FIRST_TRACK_TIMEOUT,
                (true, true) => RENDITION_TIMEOUT,
                (true, false) => TRACK_TIMEOUT,
            }
    }
}

impl TrackQueue {
    /// Returns the DTS of the first packet, and whether that packet is an inter frame.
    fn first(&self) -> Option<(Timestamp, bool)> {
        self.waiting.front().map(|(_, packet)| (packet.dts, !packet.keyframe))
    }

    /// Returns the time of arrival of the first packet.
    fn waits_since(&self) -> Option<Timestamp> {
        self.waiting.front().map(|(since, _)| *since)
    }

    /// Updates the shortest interval with a new packet.
    fn note_interval(&mut self, dts: Timestamp) {
        if self.begun {
            let interval = dts.since(self.newest);
            self.interval = Some(self.interval.map_or(interval, |least| least.min(interval)));
        }
        self.newest = dts;
    }

    /// Returns true if a packet that has not arrived can belong before a waiting packet of another
    /// track with this DTS.
    fn may_precede(&self, dts: Timestamp) -> bool {
        let next = self.interval.map(|interval| self.newest + interval);
        !self.absent && self.waiting.is_empty() && next.is_none_or(|next| next < dts)
    }

    fn take(&mut self) -> Option<EncodedPacket> {
        self.waiting.pop_front().map(|(_, packet)| packet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::{of_rendition, packet};

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn drain(interleaver: &mut Interleaver, now: i64) -> Vec<(Track, i64)> {
        std::iter::from_fn(|| interleaver.pop(at(now)))
            .map(|packet| (packet.track, packet.dts.as_millis()))
            .collect()
    }

    #[test]
    fn order_is_by_dts_and_frames_go_first() {
        let mut order = Interleaver::new(true, true);
        for dts in [0, 21, 42] {
            order.push(packet(Track::Audio, dts), at(0));
        }
        for dts in [0, 33] {
            order.push(packet(Track::Video, dts), at(0));
        }
        use Track::{Audio, Video};
        let expected = [(Video, 0), (Audio, 0), (Audio, 21), (Video, 33)];
        assert_eq!(drain(&mut order, 0), expected);
        order.finish();
        assert_eq!(drain(&mut order, 0), [(Audio, 42)]);
    }

    #[test]
    fn a_frame_waits_only_for_audio_that_belongs_before_it() {
        use Track::{Audio, Video};
        let mut order = Interleaver::new(true, true);
        for (track, dts) in [(Video, 0), (Audio, 0), (Audio, 21), (Video, 33), (Audio, 42)] {
            order.push(packet(track, dts), at(0));
        }
        assert_eq!(drain(&mut order, 0).last(), Some(&(Video, 33)));
        // Audio of 21 ms follows each 21 ms, so the next packet has 63.
        order.push(packet(Video, 63), at(63));
        assert_eq!(drain(&mut order, 63), [(Audio, 42), (Video, 63)]);
        order.push(packet(Video, 66), at(66));
        assert!(drain(&mut order, 66).is_empty());
        order.push(packet(Audio, 63), at(80));
        assert_eq!(drain(&mut order, 80), [(Audio, 63), (Video, 66)]);
    }

    #[test]
    fn a_late_track_delays_the_other_once_and_only_for_a_while() {
        let mut order = Interleaver::new(true, true);
        order.push(packet(Track::Video, 0), at(0));
        assert!(order.pop(at(499)).is_none());
        assert_eq!(order.due(), Some(at(500)));
        assert!(order.pop(at(500)).is_some());
        // The track is known to be late, so the other tracks no longer wait for it.
        order.push(packet(Track::Video, 33), at(501));
        assert!(order.pop(at(501)).is_some());
        // The late track returns, with old packets first. These packets are sent immediately, and
        // the other tracks wait for this track again.
        order.push(packet(Track::Audio, 0), at(510));
        order.push(packet(Track::Video, 66), at(533));
        assert_eq!(drain(&mut order, 533), [(Track::Audio, 0)]);
        order.push(packet(Track::Audio, 70), at(540));
        assert_eq!(drain(&mut order, 540), [(Track::Video, 66)]);
        assert_eq!(drain(&mut order, 540 + 150), [(Track::Audio, 70)]);
    }

    #[test]
    fn a_packet_is_sent_when_it_is_due_even_if_another_track_has_waited_longer() {
        let two = ExtraTrack::new(2).unwrap();
        let extra = Track::Extra(two);
        let mut order = Interleaver::new(true, true);
        order.expect(ExtraTracks::NONE.with(two, true));
        for (track, dts) in [(Track::Video, 0), (Track::Audio, 0), (Track::Video, 40)] {
            order.push(packet(track, dts), at(0));
        }
        assert_eq!(drain(&mut order, 0), [(Track::Video, 0), (Track::Audio, 0)]);
        assert_eq!(order.due(), Some(at(150)));
        order.push(packet(extra, 1), at(100));
        order.push(packet(Track::Audio, 21), at(100));
        assert_eq!(drain(&mut order, 100), [(extra, 1)]);
        // The next packet is audio, which arrived later than the frame.
        assert!(drain(&mut order, 249).is_empty());
        assert_eq!(order.due(), Some(at(250)));
        assert_eq!(drain(&mut order, 250), [(Track::Audio, 21), (Track::Video, 40)]);
        assert_eq!(order.due(), None);
    }

    #[test]
    fn video_that_is_known_to_lag_is_waited_for() {
        use Track::{Audio, Video};
        let mut order = Interleaver::new(true, true);
        order.set_video_delay(Duration::from_secs(2));
        let mut sent = Vec::new();
        for now in (0..6_000).step_by(20) {
            order.push(packet(Audio, now), at(now));
            if now >= 2_000 {
                order.push(packet(Video, now - 2_000), at(now));
            }
            sent.extend(drain(&mut order, now));
        }
        assert!(sent.is_sorted_by_key(|(_, dts)| *dts), "{sent:?}");
        let frames = sent.iter().filter(|(track, _)| *track == Video).count();
        assert!(frames >= 199 && sent.first() == Some(&(Video, 0)), "{frames} frames");
    }

    #[test]
    fn audio_that_is_known_to_lag_is_waited_for() {
        let mut order = Interleaver::new(true, true);
        order.push(packet(Track::Video, 0), at(0));
        order.push(packet(Track::Audio, 0), at(0));
        order.set_audio_delay(Duration::from_secs(20));
        for frame in 1..600 {
            let dts = frame * 33;
            order.push(packet(Track::Video, dts), at(dts));
            drain(&mut order, dts);
        }
        assert_eq!(order.video.waiting.len(), 599);
        order.push(packet(Track::Audio, 100), at(20_000));
        let sent: Vec<_> = drain(&mut order, 20_000).into_iter().map(|(_, dts)| dts).collect();
        // The next audio packet has 200.
        assert_eq!(sent, [33, 66, 99, 100, 132, 165, 198]);
    }

    #[test]
    fn the_second_rendition_lies_in_the_same_order_and_is_waited_for_only_while_it_is_there() {
        let mut order = Interleaver::new(true, true);
        let second = |dts, keyframe| {
            let key = if keyframe { 0 } else { 33 };
            let packet = of_rendition(RenditionId::Second, key);
            EncodedPacket { dts: at(dts), pts: at(dts), ..packet }
        };
        order.push(packet(Track::Video, 33), at(0));
        order.push(packet(Track::Audio, 34), at(0));
        assert_eq!(drain(&mut order, 0), [(Track::Video, 33)]);
        order.push(packet(Track::Video, 66), at(33));
        order.push(second(66, true), at(33));
        let first = order.pop(at(33)).unwrap();
        assert_eq!((first.track, first.dts), (Track::Audio, at(34)));
        order.push(packet(Track::Audio, 90), at(40));
        // Of packets with the same time, the keyframe is first.
        let renditions: Vec<_> = std::iter::from_fn(|| order.pop(at(40)))
            .map(|packet| packet.rendition.map(|its| its.rendition_id))
            .collect();
        assert_eq!(renditions, [Some(RenditionId::Second)]);
        // The other tracks still wait for this track…
        order.push(packet(Track::Video, 99), at(66));
        assert_eq!(order.pop(at(66)).map(|it| it.dts), None);
        // …but not forever.
        let rest = drain(&mut order, 40 + 151);
        assert_eq!(rest, [(Track::Video, 66), (Track::Audio, 90), (Track::Video, 99)]);
    }

    #[test]
    fn extra_audio_is_in_order_while_it_is_made_and_nobody_waits_for_it_afterwards() {
        let two = ExtraTrack::new(2).unwrap();
        let extra = Track::Extra(two);
        let mut order = Interleaver::new(true, true);
        let video_and_audio = |order: &mut Interleaver, dts| {
            order.push(packet(Track::Video, dts), at(dts));
            order.push(packet(Track::Audio, dts + 1), at(dts));
        };
        order.expect(ExtraTracks::NONE.with(two, true));
        video_and_audio(&mut order, 0);
        video_and_audio(&mut order, 40);
        // The track has not begun, so the other tracks do not wait for it.
        let expected = [(Track::Video, 0), (Track::Audio, 1), (Track::Video, 40)];
        assert_eq!(drain(&mut order, 40), expected);
        order.push(packet(extra, 42), at(60));
        video_and_audio(&mut order, 80);
        assert_eq!(drain(&mut order, 80), [(Track::Audio, 41), (extra, 42)]);
        order.push(packet(extra, 82), at(81));
        assert_eq!(drain(&mut order, 81), [(Track::Video, 80)]);
        // These are the remaining packets of an encoder that was ended.
        order.expect(ExtraTracks::NONE);
        order.push(packet(extra, 100), at(100));
        video_and_audio(&mut order, 120);
        let expected = [(Track::Audio, 81), (extra, 82), (extra, 100), (Track::Video, 120)];
        assert_eq!(drain(&mut order, 120), expected);
        video_and_audio(&mut order, 160);
        assert_eq!(drain(&mut order, 160), [(Track::Audio, 121), (Track::Video, 160)]);
    }

    #[test]
    fn a_stream_of_one_track_never_waits() {
        let mut order = Interleaver::new(false, true);
        order.push(packet(Track::Audio, 0), at(0));
        assert!(order.pop(at(0)).is_some());
    }

    #[test]
    fn a_frame_of_a_rendition_that_is_too_late_is_dropped_with_those_up_to_its_next_keyframe() {
        let extra = Track::Rendition(ExtraRendition::at(0).unwrap());
        let frame = |dts: i64, keyframe| EncodedPacket { keyframe, ..packet(extra, dts) };
        let mut order = Interleaver::new(true, false);
        for dts in [0, 33] {
            order.push(packet(Track::Video, dts), at(dts));
        }
        order.push(frame(0, true), at(40));
        assert_eq!(drain(&mut order, 40), [(Track::Video, 0), (extra, 0)]);
        // The other frames wait for a limited time.
        assert!(drain(&mut order, 200).is_empty());
        assert_eq!(drain(&mut order, 600), [(Track::Video, 33)]);
        for (dts, keyframe) in [(20, false), (33, false), (66, true), (100, false)] {
            order.push(frame(dts, keyframe), at(610));
        }
        for dts in [66, 100, 133] {
            order.push(packet(Track::Video, dts), at(620));
        }
        let video = |dts| (Track::Video, dts);
        let expected = [(extra, 66), video(66), video(100), (extra, 100), video(133)];
        let sent = drain(&mut order, 2_000);
        assert_eq!(sent.len(), expected.len(), "{sent:?}");
        assert!(expected.iter().all(|it| sent.contains(it)), "{sent:?}");
    }
}
