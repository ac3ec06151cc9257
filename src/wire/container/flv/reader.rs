//! Reads a stream of tags (from a file, HTTP-FLV or RTMP messages) into parameters and packets with
//! 64-bit timestamps. Nothing it is given can stop it: a bad body is an error of its own.

use bytes::Bytes;

use super::{Error, FrameType, Metadata, Tag, TagKind, VideoTag, parse_audio, parse_video};
use crate::base::Timestamp;
use crate::media::{
    AudioCodec, AudioConfig, BitsPerSecond, EncodedPacket, FrameRate, Priority, Size, StreamConfig,
    Track, VideoCodec, VideoConfig,
};
use crate::wire::amf0::Value;
use crate::wire::codec::aac::AudioSpecificConfig;
use crate::wire::codec::four_cc::{AudioFormat, VideoFormat};
use crate::wire::codec::h264::DecoderConfig;
use crate::wire::codec::h264::nal::avcc_to_avcc4;
use crate::wire::container::flv::audio::{AudioPacket, AudioTrack};
use crate::wire::container::flv::metadata::parse_script;
use crate::wire::container::flv::video::{VideoPacket, VideoTrack};

/// What a tag meant.
#[derive(Clone, Debug)]
pub enum FlvItem {
    /// The stream said something of itself.
    Metadata(Metadata),
    /// How pictures are encoded, from here on.
    Video(VideoConfig),
    /// How sound is encoded, from here on.
    Audio(AudioConfig),
    /// A picture or sound. `captured` equals `pts`.
    Packet(EncodedPacket),
    /// The pictures have ended.
    EndOfSequence,
    /// A stream that this program cannot decode; said once for each codec.
    UnsupportedVideo(VideoFormat),
    /// A stream that this program cannot decode; said once for each codec.
    UnsupportedAudio(AudioFormat),
}

/// The reader.
#[derive(Debug, Default)]
pub struct Reader {
    time: TimestampUnwrapper,
    metadata: Metadata,
    parameters: StreamConfig,
    length_size: usize,
    unsupported_video: Option<VideoFormat>,
    unsupported_audio: Option<AudioFormat>,
}

/// Makes 64 bits of 32 by serial arithmetic: each time is the one nearest to the last. Sound and
/// pictures share it.
#[derive(Debug, Default)]
pub(super) struct TimestampUnwrapper {
    last: Option<i64>,
}

impl TimestampUnwrapper {
    pub(super) fn next(&mut self, time_ms: u32) -> i64 {
        let time = match self.last {
            None => i64::from(time_ms),
            Some(last) => {
                let ahead = time_ms.wrapping_sub(last as u32).cast_signed();
                last.saturating_add(ahead.into())
            }
        };
        self.last = Some(time);
        time
    }
}

impl Reader {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// What is known of the stream so far.
    pub fn parameters(&self) -> &StreamConfig {
        &self.parameters
    }

    /// What the stream said of itself so far.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Reads a tag; `None` where it changes nothing (a repeated configuration, a second track).
    pub fn tag(&mut self, tag: &Tag) -> Result<Option<FlvItem>, Error> {
        match tag.kind {
            TagKind::Video => self.video(tag.time_ms, &tag.body),
            TagKind::Audio => self.audio(tag.time_ms, &tag.body),
            TagKind::Script => {
                let value = parse_script(&tag.body)?;
                Ok(value.map(|value| self.script(&value)))
            }
        }
    }

    /// Reads the value of `onMetaData`.
    pub fn script(&mut self, value: &Value) -> FlvItem {
        self.metadata = Metadata::from_value(value);
        FlvItem::Metadata(self.metadata.clone())
    }

    /// Reads a video body.
    pub fn video(&mut self, time_ms: u32, body: &Bytes) -> Result<Option<FlvItem>, Error> {
        let VideoTag { frame_type, offset_nanos, track, more_tracks, .. } = parse_video(body)?;
        let Some(track) = std::iter::once(track).chain(more_tracks).find(|track| track.id == 0)
        else {
            return Ok(None);
        };
        let VideoTrack { format, packet, .. } = track;
        if matches!(packet, VideoPacket::Command(_)) {
            return Ok(None);
        }
        if format != VideoFormat::H264 {
            let news = self.unsupported_video.replace(format) != Some(format);
            return Ok(news.then_some(FlvItem::UnsupportedVideo(format)));
        }
        match packet {
            VideoPacket::SequenceStart(config) => self.video_config(config),
            VideoPacket::Frame { composition_ms, data } => {
                let dts = self.at(time_ms, offset_nanos);
                let pts = dts.offset(i64::from(composition_ms) * 1_000);
                let keyframe = matches!(frame_type, FrameType::Key | FrameType::GeneratedKey);
                if self.parameters.video.is_none() || data.is_empty() {
                    // Not decodable before a configuration.
                    return Ok(None);
                }
                let priority = match frame_type {
                    _ if keyframe => Priority::Key,
                    FrameType::Disposable => Priority::Disposable,
                    _ => Priority::Inter,
                };
                Ok(Some(FlvItem::Packet(EncodedPacket {
                    track: Track::Video,
                    pts,
                    dts,
                    keyframe,
                    priority,
                    data: avcc_to_avcc4(&data, self.length_size)?,
                    captured: pts,
                    rendition: None,
                })))
            }
            VideoPacket::SequenceEnd => Ok(Some(FlvItem::EndOfSequence)),
            _ => Ok(None),
        }
    }

    /// Reads an audio body.
    pub fn audio(&mut self, time_ms: u32, body: &Bytes) -> Result<Option<FlvItem>, Error> {
        let tag = parse_audio(body)?;
        let tracks = std::iter::once(tag.track).chain(tag.more_tracks);
        let Some(track) = tracks.into_iter().find(|track| track.id == 0) else { return Ok(None) };
        let AudioTrack { format, packet, .. } = track;
        if format != AudioFormat::Aac {
            let news = self.unsupported_audio.replace(format) != Some(format);
            return Ok(news.then_some(FlvItem::UnsupportedAudio(format)));
        }
        match packet {
            AudioPacket::SequenceStart(config) if !config.is_empty() => self.audio_config(config),
            AudioPacket::Frame(data) if !data.is_empty() => {
                let at = self.at(time_ms, tag.offset_nanos);
                if self.parameters.audio.is_none() {
                    return Ok(None);
                }
                Ok(Some(FlvItem::Packet(EncodedPacket {
                    track: Track::Audio,
                    pts: at,
                    dts: at,
                    keyframe: true,
                    priority: Priority::Key,
                    data,
                    captured: at,
                    rendition: None,
                })))
            }
            _ => Ok(None),
        }
    }

    fn at(&mut self, time_ms: u32, offset_nanos: u32) -> Timestamp {
        Timestamp::from_millis(self.time.next(time_ms)).offset(i64::from(offset_nanos / 1_000))
    }

    fn video_config(&mut self, config: Bytes) -> Result<Option<FlvItem>, Error> {
        if self.parameters.video.as_ref().is_some_and(|video| video.config == config) {
            return Ok(None);
        }
        let (parameters, length_size) = video_parameters(config, &self.metadata)?;
        self.length_size = length_size;
        self.parameters.video = Some(parameters.clone());
        Ok(Some(FlvItem::Video(parameters)))
    }

    fn audio_config(&mut self, config: Bytes) -> Result<Option<FlvItem>, Error> {
        if self.parameters.audio.as_ref().is_some_and(|audio| audio.config == config) {
            return Ok(None);
        }
        let parameters = audio_parameters(config, &self.metadata)?;
        self.parameters.audio = Some(parameters.clone());
        Ok(Some(FlvItem::Audio(parameters)))
    }
}

/// Parameters from an avcC, with what only the metadata tells, and the size of NAL lengths.
pub fn video_parameters(config: Bytes, metadata: &Metadata) -> Result<(VideoConfig, usize), Error> {
    let record = DecoderConfig::parse(&config)?;
    let sps = record.first_sps()?;
    let told = sps.frame_rate().and_then(|(num, den)| FrameRate::new(num, den));
    let frame_rate = told.or_else(|| {
        // Fractions such as 29.97 as services write them.
        let fps = metadata.frame_rate?;
        let ntsc = (fps * 1.001).round();
        if (fps - fps.round()).abs() < 0.002 {
            FrameRate::new(fps.round() as u32, 1)
        } else if (fps - ntsc / 1.001).abs() < 0.01 {
            FrameRate::new(ntsc as u32 * 1_000, 1_001)
        } else {
            FrameRate::new((fps * 1_000.0).round() as u32, 1_000)
        }
    });
    let parameters = VideoConfig {
        codec: VideoCodec::H264,
        size: Size::new(sps.width, sps.height),
        frame_rate: frame_rate.unwrap_or(FrameRate::FPS_30),
        bitrate: BitsPerSecond(metadata.video_bitrate.unwrap_or(0)),
        config,
    };
    Ok((parameters, record.length_size))
}

/// Parameters from an AudioSpecificConfig, with what only the metadata tells. Rate and channels are
/// those that a decoder with all extensions gives.
pub fn audio_parameters(config: Bytes, metadata: &Metadata) -> Result<AudioConfig, Error> {
    let specific = AudioSpecificConfig::parse(&config)?;
    let channels = match specific.output_channels() {
        0 => metadata.channels.unwrap_or(2),
        channels => channels,
    };
    Ok(AudioConfig {
        codec: AudioCodec::Aac,
        sample_rate: specific.output_sample_rate(),
        channels,
        bitrate: BitsPerSecond(metadata.audio_bitrate.unwrap_or(0)),
        config,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const AVCC: &[u8] = &[
        0x17, 0, 0, 0, 0, 0x01, 0x64, 0x00, 0x1f, 0xff, 0xe1, 0x00, 0x0a, 0x27, 0x64, 0x00, 0x1f,
        0xac, 0x56, 0x80, 0xb4, 0x0a, 0x19, 0x01, 0x00, 0x04, 0x28, 0xee, 0x3c, 0xb0,
    ];

    #[test]
    fn times_unwrap_both_ways() {
        let mut time = TimestampUnwrapper::default();
        let times = [u32::MAX - 10, 5, u32::MAX, 20, 0x8000_0000].map(|time_ms| time.next(time_ms));
        let base = i64::from(u32::MAX) + 1;
        assert_eq!(times, [base - 11, base + 5, base - 1, base + 20, base + 0x8000_0000]);
    }

    #[test]
    fn a_stream_is_told_and_its_packets_follow() {
        let mut reader = Reader::new();
        let frame = Bytes::from_static(&[0x17, 1, 0, 0, 40, 0, 0, 0, 1, 0x65]);
        assert!(reader.video(0, &frame).unwrap().is_none(), "nothing before the configuration");
        let config = Bytes::from_static(AVCC);
        let Some(FlvItem::Video(video)) = reader.video(0, &config).unwrap() else { panic!() };
        assert_eq!((video.size, video.frame_rate), (Size::new(720, 1280), FrameRate::FPS_30));
        assert!(reader.video(0, &config).unwrap().is_none(), "repeated");
        let Some(FlvItem::Packet(packet)) = reader.video(80, &frame).unwrap() else { panic!() };
        assert_eq!((packet.dts.as_millis(), packet.pts.as_millis()), (80, 120));
        assert!(packet.keyframe);
        assert!(reader.video(0, &Bytes::new()).is_err());
        assert!(matches!(reader.video(90, &frame), Ok(Some(FlvItem::Packet(_)))), "goes on");
    }

    #[test]
    fn other_codecs_are_named_once() {
        let mut reader = Reader::new();
        let body = Bytes::from_static(b"\x91av01\x01");
        let item = reader.video(0, &body).unwrap();
        assert!(matches!(item, Some(FlvItem::UnsupportedVideo(VideoFormat::Av1))));
        assert!(reader.video(0, &body).unwrap().is_none());
        assert!(reader.audio(0, &Bytes::from_static(&[0xAF, 0])).unwrap().is_none());
    }
}
