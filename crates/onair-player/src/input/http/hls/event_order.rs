//! The order of the events of a video and an audio playlist, and the removal of events that another
//! variant has already delivered. This module is pure.

use std::time::Duration;

use crate::base::Timestamp;
use crate::media::{EncodedPacket, StreamEvent, Track};
use crate::player::clock::of_track;

/// A keyframe at most this much after the wanted time continues the previous frames.
const MAX_FRAME_INTERVAL: Duration = Duration::from_millis(100);

/// Returns the DTS of the last packet, in microseconds.
pub(super) fn end(events: &[StreamEvent]) -> Option<i64> {
    events.iter().rev().find_map(StreamEvent::dts).map(Timestamp::as_micros)
}

/// Sorts by time; equal times keep their order, and a config stays before its packet.
pub(super) fn in_order(events: &mut [StreamEvent]) {
    let mut next = [Timestamp::MAX; 2];
    let mut keys: Vec<Timestamp> = Vec::with_capacity(events.len());
    for event in events.iter().rev() {
        let [video, audio] = next;
        keys.push(match event.track() {
            None => video.min(audio),
            Some(track) => {
                let next = of_track(&mut next, track);
                *next = event.dts().unwrap_or(*next);
                *next
            }
        });
    }
    keys.reverse();
    let mut order: Vec<usize> = (0..events.len()).collect();
    order.sort_by_key(|at| keys.get(*at).copied());
    let sorted: Vec<StreamEvent> = order.iter().filter_map(|at| events.get(*at).cloned()).collect();
    events.clone_from_slice(&sorted);
}

/// Removes the first `played` of a segment, and returns the duration that was removed. Video
/// continues from a keyframe, so the removed part can be shorter.
pub(super) fn skip_played(events: &mut Vec<StreamEvent>, played: Duration) -> Duration {
    let first_frame = frames(events).map(|packet| packet.dts).min();
    let (begins, from) = if let Some(begins) = first_frame {
        let until = begins + played + MAX_FRAME_INTERVAL;
        let keyframes = frames(events).filter(|packet| packet.keyframe && packet.dts <= until);
        (begins, keyframes.map(|packet| packet.dts).max().unwrap_or(begins))
    } else if let Some(begins) = events.iter().filter_map(StreamEvent::dts).min() {
        (begins, begins + played)
    } else {
        return Duration::ZERO;
    };
    events.retain(|event| event.dts().is_none_or(|dts| dts >= from));
    from.since(begins)
}

fn frames(events: &[StreamEvent]) -> impl Iterator<Item = &EncodedPacket> {
    events.iter().filter_map(|event| event.packet_of(Track::Video))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{AudioCodec, TrackConfig};
    use crate::wire::codec::AudioInfo;

    #[test]
    fn what_another_variant_has_delivered_is_removed_up_to_a_keyframe() {
        let packet = |track, millis: i64| {
            let at = Timestamp::from_millis(millis);
            let keyframe = track == Track::Audio || millis % 2_000 == 0;
            StreamEvent::Packet(EncodedPacket::received(track, (at, at), keyframe, Bytes::new()))
        };
        let video = (0..250).map(|frame| packet(Track::Video, frame * 40));
        let audio = (0..500).map(|frame| packet(Track::Audio, frame * 20));
        let first = |events: &[StreamEvent], track| {
            events.iter().find_map(|event| event.packet_of(track)).unwrap().dts.as_millis()
        };
        for (played, from) in [(2_000, 2_000), (3_960, 4_000), (3_000, 2_000), (1_000, 0)] {
            let mut events: Vec<_> = video.clone().chain(audio.clone()).collect();
            let removed = skip_played(&mut events, Duration::from_millis(played));
            assert_eq!(removed.as_millis(), u128::try_from(from).unwrap(), "{played}");
            let firsts = (first(&events, Track::Video), first(&events, Track::Audio));
            assert_eq!(firsts, (from, from), "{played}");
        }
        let mut events: Vec<_> = audio.collect();
        skip_played(&mut events, Duration::from_millis(3_010));
        assert_eq!(first(&events, Track::Audio), 3_020);
        assert_eq!(skip_played(&mut Vec::new(), Duration::from_secs(1)), Duration::ZERO);
    }

    #[test]
    fn events_of_two_lists_are_ordered_and_configs_stay_before_their_packets() {
        let packet = |track, millis| {
            let at = Timestamp::from_millis(millis);
            StreamEvent::Packet(EncodedPacket::received(track, (at, at), true, Bytes::new()))
        };
        let config =
            AudioInfo { sample_rate: 48_000, channels: 2 }.config(AudioCodec::Aac, Bytes::new());
        let config = StreamEvent::Config(TrackConfig::Audio(config));
        let video = [0, 40, 80].map(|at| packet(Track::Video, at));
        let audio = [10, 31].map(|at| packet(Track::Audio, at));
        let mut events: Vec<_> = video.into_iter().chain([config]).chain(audio).collect();
        in_order(&mut events);
        let times: Vec<_> = events.iter().map(|it| it.dts().map(Timestamp::as_millis)).collect();
        assert_eq!(times, [Some(0), None, Some(10), Some(31), Some(40), Some(80)]);
    }
}
