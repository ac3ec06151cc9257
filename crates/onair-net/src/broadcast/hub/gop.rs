//! The packets since the last keyframe, which are kept so that a new output can start immediately.
//! This module is pure, and runs on the hub's thread.

use std::sync::Arc;
use std::time::Duration;

use crate::base::Timestamp;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::media::{RenditionId, Track};

/// Maximum size in bytes (minutes without a keyframe at a high bitrate). Beyond this size, new
/// outputs wait for the next keyframe.
const MAX_BYTES: usize = 32 << 20;

/// A rendition without frames for this long has ended.
const ENDED_AFTER: Duration = Duration::from_secs(30);

/// The packets of a rendition from its last keyframe on, without a file's lead-in. A stream without
/// video has no such packets.
#[derive(Debug, Default)]
pub(in crate::broadcast) struct Gop {
    rendition_id: RenditionId,
    tags: Vec<Arc<SharedPacket>>,
    bytes: usize,
    /// The DTS of the last frame.
    last_frame_dts: Timestamp,
}

impl Gop {
    pub fn new(rendition_id: RenditionId) -> Self {
        Self { rendition_id, ..Self::default() }
    }

    /// Keeps a packet, unless it is a frame of another rendition, comes before the first keyframe,
    /// or exceeds the maximum size.
    pub fn push(&mut self, tag: &Arc<SharedPacket>) {
        if tag.track == Track::Video {
            if tag.rendition_id().unwrap_or_default() != self.rendition_id {
                return;
            }
            self.last_frame_dts = tag.dts;
        } else if tag.dts.since(self.last_frame_dts) > ENDED_AFTER {
            self.clear();
            return;
        }
        if tag.starts_gop() {
            if !self.tags.iter().all(|before| before.leads) {
                self.clear();
            }
        } else if self.tags.is_empty() && !tag.leads {
            return;
        }
        if self.bytes + tag.size() > MAX_BYTES {
            self.clear();
            return;
        }
        self.bytes += tag.size();
        self.tags.push(Arc::clone(tag));
    }

    /// Returns the kept packets, oldest first.
    pub fn tags(&self) -> &[Arc<SharedPacket>] {
        &self.tags
    }

    fn clear(&mut self) {
        self.tags.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
pub(in crate::broadcast) mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{
        AudioCodec, AudioConfig, BitsPerSecond, EncodedPacket, FrameRate, Priority, Rendition,
        RenditionId, Rotation, Size, StreamConfig, VideoCodec, VideoConfig,
    };

    /// Makes a small packet. Frames at multiples of 2,000 ms are keyframes.
    pub fn packet(track: Track, dts: i64) -> EncodedPacket {
        let keyframe = track == Track::Audio || dts % 2_000 == 0;
        EncodedPacket {
            track,
            pts: Timestamp::from_millis(dts),
            dts: Timestamp::from_millis(dts),
            keyframe,
            priority: if keyframe { Priority::Key } else { Priority::Inter },
            data: Bytes::from_static(&[0, 0, 0, 1, 9]),
            captured: Timestamp::from_millis(dts),
            rendition: None,
        }
    }

    /// Makes the config of a stream with AAC, and with this video.
    pub fn config(video: Option<VideoConfig>) -> StreamConfig {
        let audio = AudioConfig {
            codec: AudioCodec::Aac,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(128_000),
            codec_config: Bytes::new(),
        };
        StreamConfig { video, audio: Some(audio) }
    }

    /// Makes a frame of this rendition. Frames of the second rendition are smaller.
    pub fn of_rendition(rendition_id: RenditionId, dts: i64) -> EncodedPacket {
        let video = VideoConfig {
            codec: VideoCodec::H264,
            size: Size::new(if rendition_id == RenditionId::Main { 640 } else { 320 }, 180),
            frame_rate: FrameRate::new(25, 1).unwrap(),
            bitrate: BitsPerSecond(1_000_000),
            codec_config: Bytes::from_static(&[1, 100, 0, 30, 0xff, 0xe0, 0]),
            pixel_aspect: None,
            rotation: Rotation::None,
        };
        let rendition = Some(Arc::new(Rendition { rendition_id, video }));
        EncodedPacket { rendition, ..packet(Track::Video, dts) }
    }

    pub fn tag(track: Track, dts: i64) -> Arc<SharedPacket> {
        Arc::new(SharedPacket::new(packet(track, dts)))
    }

    #[test]
    fn each_rendition_has_its_own_frames_and_all_the_audio_while_it_lasts() {
        let mut gop = Gop::new(RenditionId::Second);
        let push = |gop: &mut Gop, packet: &EncodedPacket| {
            gop.push(&Arc::new(SharedPacket::new(packet.clone())));
        };
        for dts in [0, 33] {
            push(&mut gop, &of_rendition(RenditionId::Main, dts));
            push(&mut gop, &of_rendition(RenditionId::Second, dts));
            push(&mut gop, &packet(Track::Audio, dts));
        }
        let tracks: Vec<_> = gop.tags().iter().map(|tag| (tag.track, tag.rendition_id())).collect();
        let (video, audio) = ((Track::Video, Some(RenditionId::Second)), (Track::Audio, None));
        assert_eq!(tracks, [video, audio, video, audio]);
        push(&mut gop, &packet(Track::Audio, 31_000));
        assert!(gop.tags().is_empty());
    }

    #[test]
    fn starts_at_the_latest_keyframe_and_stays_bounded() {
        let mut gop = Gop::default();
        gop.push(&tag(Track::Video, 33));
        assert!(gop.tags().is_empty(), "nothing before the first keyframe");
        for dts in [2_000, 2_033, 4_000, 4_033] {
            gop.push(&tag(Track::Video, dts));
            gop.push(&tag(Track::Audio, dts));
        }
        let kept: Vec<i64> = gop.tags().iter().map(|tag| tag.dts.as_millis()).collect();
        assert_eq!(kept, [4_000, 4_000, 4_033, 4_033]);

        let large = packet(Track::Video, 4_066);
        let large = EncodedPacket { data: Bytes::from(vec![0; MAX_BYTES]), ..large };
        gop.push(&Arc::new(SharedPacket::new(large)));
        assert!(gop.tags().is_empty());
        gop.push(&tag(Track::Video, 6_000));
        assert_eq!(gop.tags().len(), 1);
    }
}
