//! Converts the stream events of a source for decoders: configs where needed, and packets in
//! continuous media time. Unsupported codecs are reported once. This module runs on the feed
//! thread.

pub(crate) mod file_samples;
pub(crate) mod sequence_headers;
pub(crate) mod track_presence;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{
    AudioCodec, AudioConfig, EncodedPacket, PixelAspect, Priority, Rotation, StreamEvent, Track,
    TrackConfig, VideoCodec, VideoConfig,
};
use crate::player::buffer::packets::BufferedPacket;
use crate::player::clock::timeline::Timeline;
use crate::player::state::anomaly::TimestampAnomaly;
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::container::track_config::{
    MAX_CONFIG_BYTES, aac_config, audio_config, bare_video_config, in_band, video_config,
};
use onair_media::decode::inventory;

/// Maximum valid difference between the PTS and DTS of a frame, in microseconds.
const MAX_COMPOSITION_MICROS: i64 = 10_000_000;

/// The result of an event.
#[derive(Debug)]
pub(super) enum Demuxed {
    Video(BufferedPacket<VideoConfig>),
    Audio(BufferedPacket<AudioConfig>),
    /// A frame in a new codec without a separate config. The config was derived from the frame.
    NewVideo(VideoConfig, EncodedPacket),
    /// Audio with a new config, which was derived from the packet.
    NewAudio(AudioConfig, EncodedPacket),
    /// A codec without a decoder; reported once per codec.
    UnsupportedVideo(VideoFormat),
    UnsupportedAudio(AudioFormat),
    /// The data is invalid.
    Damaged,
    /// A config that is too long, with its size in bytes.
    TooLong(usize),
    /// Nothing to decode.
    Nothing,
}

/// See the module documentation.
#[derive(Debug, Default)]
pub(super) struct Demux {
    /// To restart after a reconnect, call [`Demux::restart`], which also resets the configs.
    pub(super) timeline: Timeline,
    /// The codecs of the packets, according to the last configs.
    codecs: (Option<VideoCodec>, Option<AudioCodec>),
    /// The codec of the current video, once it can be decoded.
    playing: Option<VideoCodec>,
    /// The pixel aspect and the rotation of the video, according to the last config.
    pixel_aspect: Option<PixelAspect>,
    rotation: Rotation,
    /// The codec that was last checked, and whether it has a decoder.
    asked: Option<(VideoCodec, bool)>,
    reported: (Option<VideoCodec>, Option<AudioCodec>),
    aac_ready: bool,
    /// The config of audio other than AAC, as announced.
    announced: Option<AudioConfig>,
    /// The config that the packets define.
    audio: Option<AudioConfig>,
    /// An anomaly of the timestamps that has not been taken yet.
    pub(super) timestamp_anomaly: Option<TimestampAnomaly>,
    /// Number of frames that arrived before the codec config.
    headless: u64,
}

impl Demux {
    /// Creates a demuxer for a live stream or a file.
    pub(super) fn new(live: bool) -> Self {
        Self { timeline: Timeline::new(live), ..Self::default() }
    }

    /// Returns the number of frames that arrived before the codec config.
    pub(super) fn headless(&self) -> u64 {
        self.headless
    }

    /// Returns the media time of a packet.
    fn place(&mut self, track: Track, raw: i64, now: Timestamp) -> Timestamp {
        let placed = self.timeline.place(track, raw, now);
        self.timestamp_anomaly = self.timestamp_anomaly.or(placed.timestamp_anomaly);
        placed.dts
    }

    /// Restarts after a reconnect.
    pub(super) fn restart(&mut self) {
        self.timeline.restart();
        self.begin_anew();
    }

    /// Begins another file; `firm` means that its timestamps are trusted.
    pub(super) fn take_file(&mut self, firm: bool) {
        self.timeline.firm = firm;
        self.begin_anew();
    }

    /// Resets the configs.
    fn begin_anew(&mut self) {
        (self.codecs, self.playing) = ((None, None), None);
        (self.aac_ready, self.announced, self.audio) = (false, None, None);
    }

    /// Handles a config or a packet, whose times are those of the source.
    pub(super) fn event(&mut self, event: StreamEvent, now: Timestamp) -> Demuxed {
        match event {
            StreamEvent::Config(TrackConfig::Video(VideoConfig {
                codec_config: config, ..
            }))
            | StreamEvent::Config(TrackConfig::Audio(AudioConfig {
                codec_config: config, ..
            })) if config.len() > MAX_CONFIG_BYTES => Demuxed::TooLong(config.len()),
            StreamEvent::Config(TrackConfig::Video(config)) => self.video_config(config),
            StreamEvent::Config(TrackConfig::Audio(config)) => self.audio_config(config),
            StreamEvent::Packet(packet) => match packet.track {
                Track::Video | Track::Rendition(_) => self.video_packet(packet, now),
                Track::Audio | Track::Extra(_) => self.audio_packet(packet, now),
            },
            StreamEvent::Metadata(_) | StreamEvent::Discontinuity | StreamEvent::End => {
                Demuxed::Nothing
            }
        }
    }

    fn video_config(&mut self, config: VideoConfig) -> Demuxed {
        let VideoConfig { codec, codec_config: config, pixel_aspect, rotation, .. } = config;
        self.codecs.0 = Some(codec);
        (self.pixel_aspect, self.rotation) = (pixel_aspect, rotation);
        // The first keyframe contains the missing values if the codec needs no config, or sends the
        // config in band.
        if config.is_empty() {
            return Demuxed::Nothing;
        }
        if !self.is_decodable(codec) {
            self.reported.0 = Some(codec);
            return Demuxed::UnsupportedVideo(codec.into());
        }
        let Some(config) = video_config(codec, config) else { return Demuxed::Damaged };
        self.playing = Some(codec);
        let config = VideoConfig { pixel_aspect, rotation, ..config };
        Demuxed::Video(BufferedPacket::Configure(config))
    }

    fn video_packet(&mut self, packet: EncodedPacket, now: Timestamp) -> Demuxed {
        let Some(codec) = self.codecs.0 else { return Demuxed::Nothing };
        if !self.is_decodable(codec) {
            let is_reported = self.reported.0.replace(codec) == Some(codec);
            return if is_reported {
                Demuxed::Nothing
            } else {
                Demuxed::UnsupportedVideo(codec.into())
            };
        }
        let known = self.playing == Some(codec);
        let (keyframe, data) = (packet.keyframe, &packet.data);
        // Missing parameter sets may be in the frames.
        let inside = (!known && codec == VideoCodec::H264).then(|| in_band(data)).flatten();
        let headless = !known && codec.needs_config() && inside.is_none();
        if data.is_empty() || headless || !known && inside.is_none() && !keyframe {
            self.headless += u64::from(headless && !data.is_empty());
            return Demuxed::Nothing;
        }
        let composition = packet.pts.micros_since(packet.dts);
        let dts = self.place(Track::Video, packet.dts.as_micros(), now);
        let pts = dts.offset(composition.clamp(-MAX_COMPOSITION_MICROS, MAX_COMPOSITION_MICROS));
        let priority = if keyframe { Priority::Key } else { Priority::Inter };
        let packet = EncodedPacket { dts, pts, priority, captured: now, ..packet };
        if known {
            return Demuxed::Video(BufferedPacket::Packet(packet));
        }
        self.playing = Some(codec);
        let config = inside.unwrap_or_else(|| bare_video_config(codec, Bytes::new(), &packet.data));
        // Without a codec config, only the container can declare another aspect.
        let pixel_aspect = self.pixel_aspect.or(config.pixel_aspect);
        let config = VideoConfig { pixel_aspect, rotation: self.rotation, ..config };
        Demuxed::NewVideo(config, packet)
    }

    /// Returns true if the codec can be decoded.
    fn is_decodable(&mut self, codec: VideoCodec) -> bool {
        if self.playing == Some(codec) {
            return true;
        }
        let (of, can) = self.asked.get_or_insert((codec, false));
        if *of != codec || !*can {
            (*of, *can) = (codec, can_play_video(codec));
        }
        *can
    }

    fn audio_config(&mut self, config: AudioConfig) -> Demuxed {
        self.codecs.1 = Some(config.codec);
        self.audio = None;
        if config.codec != AudioCodec::Aac {
            // The first packet contains the missing values.
            self.announced = Some(config);
            return Demuxed::Nothing;
        }
        if config.codec_config.is_empty() {
            return Demuxed::Nothing;
        }
        let Some(config) = aac_config(config.codec_config) else { return Demuxed::Damaged };
        self.aac_ready = true;
        Demuxed::Audio(BufferedPacket::Configure(config))
    }

    fn audio_packet(&mut self, packet: EncodedPacket, now: Timestamp) -> Demuxed {
        let Some(codec) = self.codecs.1 else { return Demuxed::Nothing };
        // Each MPEG audio frame declares its own layer.
        let codec = if codec == AudioCodec::Mp2 { AudioCodec::Mp3 } else { codec };
        if !can_play_audio(codec) {
            let is_reported = self.reported.1.replace(codec) == Some(codec);
            return if is_reported {
                Demuxed::Nothing
            } else {
                Demuxed::UnsupportedAudio(codec.into())
            };
        }
        let is_aac = codec == AudioCodec::Aac;
        if packet.data.is_empty() || is_aac && !self.aac_ready {
            return Demuxed::Nothing;
        }
        let mut fresh = None;
        if !is_aac {
            // Most audio has no separate config. The config is then derived from the packets, and
            // passed on when it changes.
            let announced = self.announced.as_ref();
            let (rate, config) = announced
                .map(|it| ((it.sample_rate, it.channels), it.codec_config.clone()))
                .unzip();
            let config = config.unwrap_or_default();
            let Some(read) = audio_config(codec, rate, &config, &packet.data) else {
                return Demuxed::Damaged;
            };
            if self.audio.as_ref() != Some(&read) {
                self.audio = Some(read.clone());
                fresh = Some(read);
            }
        }
        let later = packet.pts.micros_since(packet.dts);
        let dts = self.place(Track::Audio, packet.dts.as_micros(), now);
        let pts = dts.offset(later.clamp(0, MAX_COMPOSITION_MICROS));
        let (keyframe, priority, track) = (true, Priority::Key, Track::Audio);
        let packet = EncodedPacket { track, dts, pts, keyframe, priority, captured: now, ..packet };
        match fresh {
            Some(config) => Demuxed::NewAudio(config, packet),
            None => Demuxed::Audio(BufferedPacket::Packet(packet)),
        }
    }
}

/// Returns true if the video codec has a decoder.
pub(super) fn can_play_video(codec: VideoCodec) -> bool {
    inventory::video_decoder(codec).is_ok()
}

/// Returns true if the audio codec has a decoder.
pub(super) fn can_play_audio(codec: AudioCodec) -> bool {
    inventory::audio_decoder(codec).is_ok()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::player::buffer::packets::BufferedPacket;
    use crate::wire::codec::AudioInfo;
    use crate::wire::codec::h264::DecoderConfig;

    fn audio(codec: AudioCodec, config: &'static [u8]) -> StreamEvent {
        let config = AudioInfo { sample_rate: 48_000, channels: 2 }
            .config(codec, Bytes::from_static(config));
        StreamEvent::Config(TrackConfig::Audio(config))
    }

    fn packet(track: Track, micros: i64, data: Vec<u8>) -> StreamEvent {
        let at = Timestamp::from_micros(micros);
        StreamEvent::Packet(EncodedPacket::received(track, (at, at.offset(7)), true, data.into()))
    }

    #[test]
    fn video_keeps_its_rotation_and_its_pixel_aspect() {
        let (sps, pps) = ([0x67, 66, 0xc0, 10, 0xda, 0x0a, 0x1f, 0x90], [0x68, 0xce, 0x38, 0x80]);
        let [sps, pps] = [&sps[..], &pps[..]].map(Bytes::copy_from_slice);
        let sets = DecoderConfig::new(sps, pps).unwrap().build().unwrap();
        let config = video_config(VideoCodec::H264, sets).unwrap();
        let pixel_aspect = PixelAspect::new(4, 3);
        let config = VideoConfig { pixel_aspect, rotation: Rotation::Left, ..config };
        let event = StreamEvent::Config(TrackConfig::Video(config.clone()));
        let found = Demux::new(false).event(event, Timestamp::ZERO);
        let Demuxed::Video(BufferedPacket::Configure(found)) = found else { panic!("{found:?}") };
        assert_eq!(found, config);
    }

    #[test]
    fn times_are_kept_to_the_microsecond_and_configs_come_first() {
        let (mut demux, now) = (Demux::new(false), Timestamp::ZERO);
        let mut event = |event| demux.event(event, now);
        let stray = event(packet(Track::Audio, 0, vec![1]));
        assert!(matches!(stray, Demuxed::Nothing), "{stray:?}");
        let begun = event(audio(AudioCodec::Aac, &[0x11, 0x90]));
        assert!(matches!(begun, Demuxed::Audio(BufferedPacket::Configure(_))), "{begun:?}");
        for (at, placed) in [(1_000_001, 0), (1_021_334, 21_333)] {
            let found = event(packet(Track::Audio, at, vec![1]));
            let Demuxed::Audio(BufferedPacket::Packet(found)) = found else { panic!("{found:?}") };
            assert_eq!((found.dts.as_micros(), found.pts.as_micros()), (placed, placed + 7));
        }
    }

    #[test]
    fn frames_of_mpeg_audio_say_which_layer_they_are() {
        let (mut demux, now) = (Demux::new(false), Timestamp::ZERO);
        assert!(matches!(demux.event(audio(AudioCodec::Mp2, &[]), now), Demuxed::Nothing));
        // 128 kbit/s at 44.1 kHz.
        let mut frame = vec![0xFF, 0xFB, 0x90, 0x64];
        frame.resize(417, 0);
        let found = demux.event(packet(Track::Audio, 0, frame), now);
        let Demuxed::NewAudio(config, _) = found else { panic!("{found:?}") };
        assert_eq!((config.codec, config.sample_rate), (AudioCodec::Mp3, 44_100));
    }

    #[test]
    fn a_config_has_a_bound() {
        let mut demux = Demux::new(false);
        static OVERSIZED_CONFIG: [u8; MAX_CONFIG_BYTES + 1] = [0; MAX_CONFIG_BYTES + 1];
        let found = demux.event(audio(AudioCodec::Vorbis, &OVERSIZED_CONFIG), Timestamp::ZERO);
        assert!(
            matches!(found, Demuxed::TooLong(bytes) if bytes == MAX_CONFIG_BYTES + 1),
            "{found:?}"
        );
    }
}
