//! A hub of the same stream with other video: that of an encoder which only one output has, such as a
//! recording with its own quality. Outputs subscribe to it as to any hub, so the recorder does not
//! know about it.
//!
//! The hub has its own thread and interleaver, because its encoder may look ahead for a second, for
//! which no target may wait. The followed hub passes its audio on, and never waits: it sorts packets
//! for one output only, and its queue holds several seconds.
//!
//! If the encoder fails, the output must not lose the show: the followed hub then passes its video on
//! too, from its next keyframe. The recorder continues in a new file there, because the codec config
//! changes.

use std::io;
use std::sync::Arc;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::base::queue::{self, Full, Receiver, Sender};
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::hub::{Hub, HubFeed};
use crate::broadcast::output::Sink;
use crate::media::{EncodedPacket, RenditionId, StreamConfig, Track, VideoConfig};

/// Maximum number of packets that wait for the hub, which is several seconds of them.
const MAX_QUEUED_PACKETS: usize = 1_024;

/// The queue of a hub with its own video.
#[derive(Debug)]
pub struct OwnPackets {
    /// Leads to the hub; for the encoder.
    pub packets: Sender<EncodedPacket>,
    input: Receiver<EncodedPacket>,
}

impl Default for OwnPackets {
    fn default() -> Self {
        let (packets, input) = queue::bounded("own packets", MAX_QUEUED_PACKETS, Full::DropOldest);
        Self { packets, input }
    }
}

/// The origin of the video of a hub that [`Hub::with_video`] returned.
#[derive(Debug)]
pub struct OwnVideo {
    feed: HubFeed,
    sink: Arc<OwnVideoSink>,
}

impl OwnVideo {
    /// Lets the hub continue with the video of the stream, from the stream's next keyframe.
    pub fn use_stream(&self, stream: &Hub) {
        self.sink.state.lock().video = Passed::AfterKeyframe(self.feed.newest());
        let feed = stream.feed();
        let shared = &self.feed.shared;
        let asks = feed.clone();
        let ask = move || asks.ask_keyframe(RenditionId::Main);
        if let Some(place) = shared.want_keyframe.lock().first_mut() {
            *place = Some(Box::new(ask));
        }
        feed.ask_keyframe(RenditionId::Main);
    }
}

/// Passes packets of a hub on to a hub with its own video.
#[derive(Debug)]
struct OwnVideoSink {
    state: Mutex<SinkState>,
}

#[derive(Debug)]
struct SinkState {
    /// `None` after the end of the followed hub.
    packets: Option<Sender<EncodedPacket>>,
    video: Passed,
}

/// The frames of the followed hub that are passed on.
#[derive(Debug)]
enum Passed {
    None,
    /// All frames from the first keyframe after this DTS on.
    AfterKeyframe(Timestamp),
    All,
}

impl Passed {
    fn takes(&mut self, tag: &SharedPacket) -> bool {
        if tag.rendition_id() == Some(RenditionId::Second) {
            return false;
        }
        match self {
            Self::None => false,
            Self::AfterKeyframe(after) if !tag.starts_gop() || tag.dts <= *after => false,
            Self::AfterKeyframe(_) | Self::All => {
                *self = Self::All;
                true
            }
        }
    }
}

impl Sink for OwnVideoSink {
    fn offer(&self, tag: &Arc<SharedPacket>) {
        let mut state = self.state.lock();
        if tag.extra_rendition().is_some() || tag.track == Track::Video && !state.video.takes(tag) {
            return;
        }
        if let Some(packets) = &state.packets {
            // The hub may have ended with its output.
            let _ = packets.send(EncodedPacket::clone(tag));
        }
    }

    fn end(&self) {
        self.state.lock().packets = None;
    }
}

impl Hub {
    /// Returns a hub of this stream whose video comes from another encoder, which sends its packets
    /// to this queue. It ends after this hub and the encoder have ended.
    ///
    /// # Errors
    /// Fails if the system provides no thread.
    pub fn with_video(
        &self,
        video: VideoConfig,
        queue: OwnPackets,
    ) -> io::Result<(Self, OwnVideo)> {
        let config = StreamConfig { video: Some(video), ..self.config().clone() };
        let OwnPackets { packets, input } = queue;
        let hub = Self::spawn(config, input)?;
        hub.set_extras(*self.feed.shared.extras.lock());
        hub.prefer_opus(self.feed.opus().is_preferred());
        let state = Mutex::new(SinkState { packets: Some(packets), video: Passed::None });
        let sink = Arc::new(OwnVideoSink { state });
        self.attach(&sink);
        let feed = hub.feed.clone();
        Ok((Self { mix: Some(sink.clone()), ..hub }, OwnVideo { feed, sink }))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::broadcast::hub::backlog::Limits;
    use crate::broadcast::hub::gop::tests::{config, of_rendition, packet};
    use crate::broadcast::hub::subscription::{NextPacket, Subscription};
    use crate::media::{BitsPerSecond, FrameRate, Rendition, Rotation, Size, VideoCodec};

    const WAIT: Duration = Duration::from_secs(30);

    fn video(config: &'static [u8]) -> VideoConfig {
        VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(640, 360),
            frame_rate: FrameRate::FPS_30,
            bitrate: BitsPerSecond(1_000_000),
            codec_config: bytes::Bytes::from_static(config),
            pixel_aspect: None,
            rotation: Rotation::None,
        }
    }

    fn frame(config: &'static [u8], dts: i64, keyframe: bool) -> EncodedPacket {
        let rendition = Rendition { rendition_id: RenditionId::Main, video: video(config) };
        let rendition = Some(Arc::new(rendition));
        EncodedPacket { keyframe, rendition, ..of_rendition(RenditionId::Main, dts) }
    }

    /// Returns the next packets: the track, the DTS, and the config of a frame.
    fn next(output: &Subscription, count: usize) -> Vec<(Track, i64, Vec<u8>)> {
        let all = (0..count).map(|_| match output.next_timeout(WAIT) {
            NextPacket::Tag(tag) => {
                let its = tag.rendition.as_ref().map(|it| it.video.codec_config.to_vec());
                (tag.track, tag.dts.as_millis(), its.unwrap_or_default())
            }
            other => panic!("{other:?}"),
        });
        all.collect()
    }

    #[test]
    fn an_output_gets_its_own_frames_with_the_audio_of_the_stream() {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(config(Some(video(b"stream"))), input).unwrap();
        let queue = OwnPackets::default();
        let own = queue.packets.clone();
        let (other, _origin) = hub.with_video(video(b"own"), queue).unwrap();
        let output = other.subscribe("recording", Limits::FILE);
        assert_eq!(&other.config().video.as_ref().unwrap().codec_config[..], b"own");
        for dts in [0, 40, 80] {
            packets.send(frame(b"stream", dts, dts == 0)).unwrap();
            packets.send(packet(Track::Audio, dts + 10)).unwrap();
            own.send(frame(b"own", dts, dts == 0)).unwrap();
        }
        drop((packets, own));
        let pair =
            |dts| [(Track::Video, dts, b"own".to_vec()), (Track::Audio, dts + 10, Vec::new())];
        assert_eq!(next(&output, 6), [pair(0), pair(40), pair(80)].concat());
        assert!(matches!(output.next_timeout(WAIT), NextPacket::Ended));
    }

    #[test]
    fn after_the_own_encoder_failed_the_streams_frames_follow_from_a_keyframe() {
        let (packets, input) = queue::bounded("packets", 64, Full::Block);
        let hub = Hub::spawn(config(Some(video(b"stream"))), input).unwrap();
        let (asked, asks) = queue::bounded("asks", 4, Full::DropOldest);
        hub.on_keyframe_wanted(move || _ = asked.send(()));
        let queue = OwnPackets::default();
        let own = queue.packets.clone();
        let (other, origin) = hub.with_video(video(b"own"), queue).unwrap();
        let output = other.subscribe("recording", Limits::FILE);
        own.send(frame(b"own", 0, true)).unwrap();
        packets.send(frame(b"stream", 0, true)).unwrap();
        packets.send(packet(Track::Audio, 0)).unwrap();
        assert_eq!(next(&output, 1), [(Track::Video, 0, b"own".to_vec())]);
        origin.use_stream(&hub);
        assert!(asks.recv_timeout(WAIT).is_ok());
        drop(own);
        packets.send(frame(b"stream", 40, false)).unwrap();
        packets.send(frame(b"stream", 80, true)).unwrap();
        packets.send(frame(b"stream", 120, false)).unwrap();
        drop(packets);
        let video = |dts| (Track::Video, dts, b"stream".to_vec());
        let all = [(Track::Audio, 0, Vec::new()), video(80), video(120)];
        assert_eq!(next(&output, 3), all);
        assert!(matches!(output.next_timeout(WAIT), NextPacket::Ended));
    }
}
