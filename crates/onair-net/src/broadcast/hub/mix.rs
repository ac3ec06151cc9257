//! A hub of the same stream with other sound: an extra audio track in the place of the program's
//! audio. Outputs subscribe to it as to any hub, so no protocol and no muxer knows about mixes.
//!
//! The hub has no thread and no queue: the thread of the hub that it follows passes each packet on.
//! Frames are shared, and an audio packet is wrapped once for all outputs of the mix. If the extra
//! track is not encoded, the outputs get video only, and never the program's audio, because the
//! user left a source out of the mix on purpose.

use std::sync::Arc;

use crate::base::queue::Gauge;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::hub::{Hub, HubFeed, begin_together};
use crate::broadcast::output::Sink;
use crate::media::{AudioCodec, Codec, EncodedPacket, ExtraTrack, ExtraTracks, RenditionId, Track};

/// Passes the packets of a hub on to the outputs of a mix.
#[derive(Debug)]
pub(super) struct MixSink {
    track: ExtraTrack,
    feed: HubFeed,
}

impl MixSink {
    /// Returns the packet as the outputs of the mix get it; the program's audio is left out.
    fn mixed(&self, tag: &Arc<SharedPacket>) -> Option<Arc<SharedPacket>> {
        match tag.track {
            Track::Audio => None,
            Track::Extra(track) if track == self.track => {
                let packet = EncodedPacket { track: Track::Audio, ..EncodedPacket::clone(tag) };
                Some(Arc::new(SharedPacket::of(Codec::Audio(AudioCodec::Aac), packet)))
            }
            Track::Video | Track::Extra(_) | Track::Rendition(_) => Some(Arc::clone(tag)),
        }
    }
}

impl Sink for MixSink {
    fn offer(&self, tag: &Arc<SharedPacket>) {
        if let Some(tag) = self.mixed(tag) {
            self.feed.pass_on(&tag);
        }
    }

    fn end(&self) {
        self.feed.end();
    }
}

impl Drop for MixSink {
    /// Ends the outputs, like a hub that is dropped.
    fn drop(&mut self) {
        self.feed.end();
    }
}

impl Hub {
    /// Returns a hub of this stream in which this extra track is the audio. It begins like the
    /// stream if the track is available from there, or else at a new keyframe. It ends with this
    /// hub.
    pub fn with_mix(&self, track: ExtraTrack) -> Self {
        let shared = &self.feed.shared;
        let gauge: Arc<Gauge> = Arc::clone(&shared.input);
        let mut feed = HubFeed::new(shared.config.clone(), shared.head.clone(), gauge);
        feed.follow(&self.feed);
        feed.opus().prefer(shared.opus.is_preferred());
        let sink = Arc::new(MixSink { track, feed: feed.clone() });
        let extras = ExtraTracks::NONE.with(track, true);
        let mut state = self.feed.shared.state.lock();
        let is_whole = begin_together(state.gop.tags(), extras);
        if is_whole {
            state.gop.tags().iter().for_each(|tag| sink.offer(tag));
        }
        if state.ended {
            sink.end();
        }
        let its = Arc::downgrade(&sink);
        state.sinks.push(its);
        drop(state);
        if !is_whole {
            self.feed.ask_keyframe(RenditionId::Main);
        }
        Self { feed, worker: None, mix: Some(sink) }
    }
}

impl HubFeed {
    /// Returns true if both are feeds of the same hub.
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::queue::{self, Full};
    use crate::broadcast::hub::backlog::Limits;
    use crate::broadcast::hub::gop::tests::{config, of_rendition, packet};
    use crate::broadcast::hub::subscription::{NextPacket, Subscription};
    use crate::media::StreamConfig;

    fn all(output: &Subscription) -> Vec<(Track, i64)> {
        let mut tags = Vec::new();
        loop {
            match output.next_timeout(Duration::from_secs(30)) {
                NextPacket::Tag(tag) => tags.push((tag.track, tag.dts.as_millis())),
                NextPacket::Waiting => panic!("nothing came"),
                NextPacket::Ended => return tags,
            }
        }
    }

    #[test]
    fn outputs_of_a_mix_get_its_track_in_the_place_of_the_programs_audio() {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(config(None), input).unwrap();
        let (two, three) = (ExtraTrack::new(2).unwrap(), ExtraTrack::new(3).unwrap());
        hub.set_extras([two, three].into_iter().collect());
        let mixed = hub.with_mix(two);
        let program = hub.subscribe("program", Limits::FILE);
        let output = mixed.subscribe("mix", Limits::FILE);
        let whole = mixed.subscribe_after(
            "recording",
            Limits::FILE,
            None,
            Some([three].into_iter().collect()),
        );
        for at in [0, 20, 40] {
            for track in [Track::Audio, Track::Extra(two), Track::Extra(three)] {
                packets.send(packet(track, at)).unwrap();
            }
        }
        drop(packets);
        let audio = [0, 20, 40].map(|at| (Track::Audio, at));
        assert_eq!(all(&program), audio);
        assert_eq!(all(&output), audio);
        let mut tracks: Vec<_> = all(&whole).into_iter().map(|(track, _)| track).collect();
        tracks.sort_by_key(|track| *track == Track::Audio);
        assert_eq!(tracks, [[Track::Extra(three); 3], [Track::Audio; 3]].concat());
        assert_eq!(mixed.figures().audio_packets, 3);
    }

    #[test]
    fn a_mix_whose_track_is_not_encoded_carries_no_audio() {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(config(None), input).unwrap();
        let mixed = hub.with_mix(ExtraTrack::new(2).unwrap());
        let output = mixed.subscribe("mix", Limits::FILE);
        packets.send(packet(Track::Audio, 0)).unwrap();
        drop(packets);
        assert_eq!(all(&output), []);
    }

    #[test]
    fn a_mix_has_the_video_delay_and_the_b_frames_of_its_stream() {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(config(None), input).unwrap();
        let mixed = hub.with_mix(ExtraTrack::new(2).unwrap());
        assert!(!mixed.feed.has_b_frames());
        let delay = Duration::from_millis(200);
        hub.set_video_delay(delay);
        hub.set_b_frames(true);
        assert_eq!(mixed.feed().video_delay(), delay);
        assert!(mixed.feed().has_b_frames());
        drop(packets);
    }

    #[test]
    fn frames_are_shared_and_a_keyframe_is_asked_of_the_encoder() {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(StreamConfig::default(), input).unwrap();
        let (asked, asks) = queue::bounded("asks", 4, Full::DropOldest);
        hub.on_keyframe_wanted(move || _ = asked.send(()));
        let mixed = hub.with_mix(ExtraTrack::new(2).unwrap());
        mixed.feed.ask_keyframe(RenditionId::Main);
        assert!(asks.recv_timeout(Duration::from_secs(30)).is_ok());
        let (program, output) =
            (hub.subscribe("program", Limits::FILE), mixed.subscribe("mix", Limits::FILE));
        packets.send(of_rendition(RenditionId::Main, 0)).unwrap();
        drop(packets);
        let frame = |output: &Subscription| match output.next_timeout(Duration::from_secs(30)) {
            NextPacket::Tag(tag) => tag,
            other => panic!("{other:?}"),
        };
        assert!(Arc::ptr_eq(&frame(&program), &frame(&output)));
    }
}
