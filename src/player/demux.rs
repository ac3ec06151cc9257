//! FLV bodies, from RTMP or a file, become parameters and packets on the continuous media time.
//! Codecs that cannot be played are named once. Runs on the feed thread.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{
    AudioCodec, AudioParameters, BitsPerSecond, EncodedPacket, FrameRate, Priority, Size, Track,
    VideoCodec, VideoParameters,
};
use crate::player::packets::Unit;
use crate::player::timeline::Timeline;
use crate::wire::aac::AudioSpecificConfig;
use crate::wire::flv::audio::AudioPacket;
use crate::wire::flv::video::VideoPacket;
use crate::wire::flv::{self, AudioFormat, FrameType, VideoFormat};
use crate::wire::h264::DecoderConfig;

/// What a body gave.
#[derive(Debug)]
pub(super) enum Found {
    Video(Unit<VideoParameters>),
    Audio(Unit<AudioParameters>),
    /// A codec we have no decoder for; told once a codec.
    UnsupportedVideo(VideoFormat),
    UnsupportedAudio(AudioFormat),
    /// The body makes no sense.
    Damaged,
    /// Nothing to decode in it.
    Nothing,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Demux {
    timeline: Timeline,
    video_ready: bool,
    audio_ready: bool,
    /// The tracks of pictures and sound that are played: those that came first.
    tracks: (Option<u8>, Option<u8>),
    told_video: Option<VideoFormat>,
    told_audio: Option<AudioFormat>,
}

impl Demux {
    /// For a stream that comes as it happens, or a file.
    pub(super) fn new(live: bool) -> Self {
        Self {
            timeline: Timeline::new(live),
            video_ready: false,
            audio_ready: false,
            tracks: (None, None),
            told_video: None,
            told_audio: None,
        }
    }

    /// Whether what comes does so as it happens.
    pub(super) fn set_live(&mut self, live: bool) {
        self.timeline.set_live(live);
    }

    /// The connection was made anew.
    pub(super) fn restart(&mut self) {
        self.timeline.restart();
        (self.video_ready, self.audio_ready) = (false, false);
        self.tracks = (None, None);
    }

    /// A video body with its wire time.
    pub(super) fn video(&mut self, time_ms: u32, body: &Bytes, now: Timestamp) -> Found {
        let Ok(tag) = flv::parse_video(body) else { return Found::Damaged };
        if tag.frame_type == FrameType::Command {
            return Found::Nothing;
        }
        let (keyframe, nanos) = (tag.frame_type == FrameType::Key, tag.offset_nanos);
        let played = *self.tracks.0.get_or_insert(tag.track.id);
        let Some(track) = tag.into_track(played) else { return Found::Nothing };
        let format = track.format;
        if format != VideoFormat::H264 {
            let picture =
                matches!(track.packet, VideoPacket::Frame { .. } | VideoPacket::SequenceStart(_));
            return if picture && self.told_video.replace(format) != Some(format) {
                Found::UnsupportedVideo(format)
            } else {
                Found::Nothing
            };
        }
        match track.packet {
            VideoPacket::SequenceStart(config) => match video_parameters(config) {
                Some(parameters) => {
                    self.video_ready = true;
                    Found::Video(Unit::Configure(parameters))
                }
                None => Found::Damaged,
            },
            VideoPacket::Frame { composition_ms, data } => {
                if data.is_empty() || !self.video_ready {
                    return Found::Nothing;
                }
                let dts = self.timeline.place(Track::Video, time_ms, now).dts;
                // A picture more than ten seconds off its place is a lie.
                let composition = i64::from(composition_ms.clamp(-10_000, 10_000));
                Found::Video(Unit::Packet(EncodedPacket {
                    track: Track::Video,
                    pts: dts.offset(composition * 1_000 + i64::from(nanos / 1_000)),
                    dts,
                    keyframe,
                    priority: if keyframe { Priority::Key } else { Priority::Inter },
                    data,
                    captured: now,
                }))
            }
            _ => Found::Nothing,
        }
    }

    /// An audio body with its wire time.
    pub(super) fn audio(&mut self, time_ms: u32, body: &Bytes, now: Timestamp) -> Found {
        let Ok(tag) = flv::parse_audio(body) else {
            return if body.is_empty() { Found::Nothing } else { Found::Damaged };
        };
        let nanos = tag.offset_nanos;
        let played = *self.tracks.1.get_or_insert(tag.track.id);
        let Some(track) = tag.into_track(played) else { return Found::Nothing };
        let format = track.format;
        if format != AudioFormat::Aac {
            return if self.told_audio.replace(format) == Some(format) {
                Found::Nothing
            } else {
                Found::UnsupportedAudio(format)
            };
        }
        match track.packet {
            AudioPacket::SequenceStart(config) if config.is_empty() => Found::Nothing,
            AudioPacket::SequenceStart(config) => match audio_parameters(config) {
                Some(parameters) => {
                    self.audio_ready = true;
                    Found::Audio(Unit::Configure(parameters))
                }
                None => Found::Damaged,
            },
            AudioPacket::Frame(data) => {
                if data.is_empty() || !self.audio_ready {
                    return Found::Nothing;
                }
                let dts = self.timeline.place(Track::Audio, time_ms, now).dts;
                Found::Audio(Unit::Packet(EncodedPacket {
                    track: Track::Audio,
                    pts: dts.offset((nanos / 1_000).into()),
                    dts,
                    keyframe: true,
                    priority: Priority::Key,
                    data,
                    captured: now,
                }))
            }
            _ => Found::Nothing,
        }
    }
}

fn video_parameters(config: Bytes) -> Option<VideoParameters> {
    let parsed = DecoderConfig::parse(&config).ok()?;
    let sps = parsed.first_sps().ok()?;
    let rate = sps.frame_rate().and_then(|(num, den)| FrameRate::new(num, den));
    Some(VideoParameters {
        codec: VideoCodec::H264,
        size: Size::new(sps.width, sps.height),
        frame_rate: rate.unwrap_or(FrameRate::FPS_30),
        bitrate: BitsPerSecond(0),
        config,
    })
}

fn audio_parameters(config: Bytes) -> Option<AudioParameters> {
    let parsed = AudioSpecificConfig::parse(&config).ok()?;
    Some(AudioParameters {
        codec: AudioCodec::Aac,
        sample_rate: parsed.output_sample_rate(),
        channels: parsed.output_channels(),
        bitrate: BitsPerSecond(0),
        config,
    })
}
