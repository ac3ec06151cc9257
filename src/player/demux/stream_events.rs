//! Stream events of sources that name their codecs: MP4, Matroska and files of audio alone.

use crate::base::Timestamp;
use crate::media::{
    AudioCodec, AudioConfig, EncodedPacket, StreamEvent, Track, TrackConfig, VideoConfig,
};
use crate::player::demux::codec_info::{MAX_CONFIG, can_be_heard};
use crate::player::demux::{Demux, DemuxedBody, Frame};
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::container::flv::audio::AudioPacket;

impl Demux {
    /// A config or a packet, with the times of its source.
    pub(in crate::player) fn event(&mut self, event: StreamEvent, now: Timestamp) -> DemuxedBody {
        match event {
            StreamEvent::Config(TrackConfig::Video(config)) => self.take_video_config(config),
            StreamEvent::Config(TrackConfig::Audio(config)) => self.take_audio_config(config),
            StreamEvent::Packet(packet) => match packet.track {
                Track::Video => self.take_video_packet(packet, now),
                Track::Audio | Track::Extra(_) => self.take_audio_packet(packet, now),
            },
        }
    }

    fn take_video_config(&mut self, VideoConfig { codec, config, .. }: VideoConfig) -> DemuxedBody {
        self.source.0 = Some(codec);
        if config.len() > MAX_CONFIG {
            return DemuxedBody::TooLong(config.len());
        }
        // The first keyframe tells the rest, where it needs none, or has it in itself.
        if config.is_empty() { DemuxedBody::Nothing } else { self.begin(codec.into(), config) }
    }

    fn take_video_packet(&mut self, packet: EncodedPacket, now: Timestamp) -> DemuxedBody {
        let Some(codec) = self.source.0 else { return DemuxedBody::Nothing };
        let format = VideoFormat::from(codec);
        if self.playable(format).is_none() {
            let told = self.told_video.replace(format) == Some(format);
            return if told { DemuxedBody::Nothing } else { DemuxedBody::UnsupportedVideo(format) };
        }
        let EncodedPacket { dts, pts, keyframe, data, .. } = packet;
        let (raw, composition) = (dts.as_micros(), pts.micros_since(dts));
        self.frame(Frame { format, codec, keyframe, raw, composition, data }, None, None, now)
    }

    fn take_audio_config(&mut self, AudioConfig { codec, config, .. }: AudioConfig) -> DemuxedBody {
        self.source.1 = Some(codec);
        if config.len() > MAX_CONFIG {
            return DemuxedBody::TooLong(config.len());
        }
        if codec == AudioCodec::Aac {
            return self.aac_config(config);
        }
        // The first packet tells the rest.
        (self.audio_config, self.sound) = (config, None);
        DemuxedBody::Nothing
    }

    fn take_audio_packet(&mut self, packet: EncodedPacket, now: Timestamp) -> DemuxedBody {
        let Some(codec) = self.source.1 else { return DemuxedBody::Nothing };
        let EncodedPacket { dts, pts, data, .. } = packet;
        let time = (dts.as_micros(), pts.micros_since(dts));
        if codec == AudioCodec::Aac {
            return self.aac_frame(data, time, now);
        }
        // Each frame says which of the two it is.
        let codec = if codec == AudioCodec::Mp2 { AudioCodec::Mp3 } else { codec };
        if !can_be_heard(codec) {
            let format = AudioFormat::from(codec);
            let told = self.told_audio.replace(format) == Some(format);
            return if told { DemuxedBody::Nothing } else { DemuxedBody::UnsupportedAudio(format) };
        }
        self.other_audio(codec, None, AudioPacket::Frame(data), time, now)
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::media::{BitsPerSecond, Priority};
    use crate::player::buffer::packets::BufferedPacket;

    fn audio(codec: AudioCodec, config: &'static [u8]) -> StreamEvent {
        StreamEvent::Config(TrackConfig::Audio(AudioConfig {
            codec,
            sample_rate: 48_000,
            channels: 2,
            bitrate: BitsPerSecond(0),
            config: Bytes::from_static(config),
        }))
    }

    fn packet(track: Track, micros: i64, data: Vec<u8>) -> StreamEvent {
        let at = Timestamp::from_micros(micros);
        StreamEvent::Packet(EncodedPacket {
            track,
            pts: at.offset(7),
            dts: at,
            keyframe: true,
            priority: Priority::Key,
            data: data.into(),
            captured: at,
            rendition: None,
        })
    }

    #[test]
    fn times_are_kept_to_the_microsecond_and_configs_come_first() {
        let (mut demux, now) = (Demux::new(false), Timestamp::ZERO);
        let mut event = |event| demux.event(event, now);
        let stray = event(packet(Track::Audio, 0, vec![1]));
        assert!(matches!(stray, DemuxedBody::Nothing), "{stray:?}");
        let begun = event(audio(AudioCodec::Aac, &[0x11, 0x90]));
        assert!(matches!(begun, DemuxedBody::Audio(BufferedPacket::Configure(_))), "{begun:?}");
        for (at, placed) in [(1_000_001, 0), (1_021_334, 21_333)] {
            let found = event(packet(Track::Audio, at, vec![1]));
            let DemuxedBody::Audio(BufferedPacket::Packet(found)) = found else {
                panic!("{found:?}")
            };
            assert_eq!((found.dts.as_micros(), found.pts.as_micros()), (placed, placed + 7));
        }
    }

    #[test]
    fn frames_of_mpeg_audio_say_which_layer_they_are() {
        let (mut demux, now) = (Demux::new(false), Timestamp::ZERO);
        assert!(matches!(demux.event(audio(AudioCodec::Mp2, &[]), now), DemuxedBody::Nothing));
        // 128 kbit/s at 44.1 kHz.
        let mut frame = vec![0xFF, 0xFB, 0x90, 0x64];
        frame.resize(417, 0);
        let found = demux.event(packet(Track::Audio, 0, frame), now);
        let DemuxedBody::NewAudio(config, _) = found else { panic!("{found:?}") };
        assert_eq!((config.codec, config.sample_rate), (AudioCodec::Mp3, 44_100));
    }

    #[test]
    fn a_config_has_a_bound() {
        let mut demux = Demux::new(false);
        static LONG: [u8; MAX_CONFIG + 1] = [0; MAX_CONFIG + 1];
        let found = demux.event(audio(AudioCodec::Vorbis, &LONG), Timestamp::ZERO);
        assert!(
            matches!(found, DemuxedBody::TooLong(bytes) if bytes == MAX_CONFIG + 1),
            "{found:?}"
        );
    }
}
