//! The order of the events of a video and an audio playlist. This module is pure.

use crate::base::Timestamp;
use crate::media::StreamEvent;
use crate::player::clock::of_track;

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

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{AudioCodec, EncodedPacket, Track, TrackConfig};
    use crate::wire::codec::AudioInfo;

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
