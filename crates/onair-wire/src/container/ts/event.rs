//! Events of a transport stream with its own clock, and their conversion to stream events.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{
    AudioCodec, EncodedPacket, Metadata, StreamEvent, Track, TrackConfig, VideoCodec,
};
use crate::wire::codec::{AudioInfo, pcm};
use crate::wire::container::{track_config, unsupported};

/// Ticks per second of all times in this module.
pub const TICKS_PER_SECOND: i64 = 90_000;

/// Codec in a transport stream.
#[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
pub enum Codec {
    H264,
    Hevc,
    Aac,
    /// MPEG audio of any layer.
    Mpeg,
    Opus,
    Ac3,
    Eac3,
    /// Uncompressed audio (SMPTE 302M).
    S302m,
    /// Uncompressed audio of Blu-ray.
    BluRayPcm,
    /// Another `stream_type` of the program map.
    Other(u8),
}

/// An event of the demuxer. Times are in units of 1/90,000 s, without wrap-around.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The decoder configuration record for the following packets.
    VideoConfig { codec: Codec, config: Bytes },
    /// A video access unit, whose NAL units have 4-byte lengths.
    Video { codec: Codec, dts: i64, pts: i64, keyframe: bool, data: Bytes },
    /// The AudioSpecificConfig for the following packets.
    AudioConfig(Bytes),
    /// An audio access unit.
    Audio { codec: Codec, pts: i64, data: Bytes },
    /// A codec that onair does not support, reported once.
    Unsupported(Codec),
    /// Video and audio samples are encrypted (SAMPLE-AES), reported once before the first of them.
    Encrypted,
    /// The packets are encrypted, reported once.
    Scrambled,
    /// Packets are missing or damaged.
    Lost,
}

/// Converts events of a transport stream to stream events.
#[derive(Debug, Default)]
pub struct StreamEvents {
    /// The audio codec of the last config.
    audio: Option<Codec>,
}

impl StreamEvents {
    /// Converts an event. Some events have no equivalent.
    pub fn take(&mut self, event: Event, take: &mut dyn FnMut(StreamEvent)) {
        match event {
            Event::VideoConfig { codec, config } => {
                let config =
                    track_config::video_config(video_codec(codec), config).map(TrackConfig::Video);
                config.into_iter().for_each(|config| take(StreamEvent::Config(config)));
            }
            Event::Video { dts, pts, keyframe, data, .. } => {
                take(packet(Track::Video, (dts, pts), keyframe, data));
            }
            Event::AudioConfig(config) => {
                let (codec, name) = match &config {
                    config if config.starts_with(b"OpusHead") => (AudioCodec::Opus, Codec::Opus),
                    config if config.starts_with(pcm::CONFIG_MAGIC) => {
                        (AudioCodec::Pcm, Codec::S302m)
                    }
                    _ => (AudioCodec::Aac, Codec::Aac),
                };
                self.audio = Some(name);
                take(audio_config(codec, config));
            }
            Event::Audio { codec, pts, data } => {
                let itself = match codec {
                    Codec::Mpeg => Some(AudioCodec::Mp3),
                    Codec::Ac3 => Some(AudioCodec::Ac3),
                    Codec::Eac3 => Some(AudioCodec::Eac3),
                    _ => None,
                };
                // Each frame of these codecs contains the other parameters.
                if let Some(itself) = itself.filter(|_| self.audio != Some(codec)) {
                    self.audio = Some(codec);
                    take(audio_config(itself, Bytes::new()));
                }
                take(packet(Track::Audio, (pts, pts), true, data));
            }
            Event::Unsupported(codec) => {
                let stream_type = match codec {
                    Codec::BluRayPcm => 0x80,
                    Codec::Other(stream_type) => stream_type,
                    _ => return,
                };
                let track = unsupported::of_ts(stream_type);
                take(StreamEvent::Metadata(Metadata::Unsupported(track)));
            }
            Event::Encrypted | Event::Scrambled | Event::Lost => {}
        }
    }
}

/// Converts a 90 kHz time to microseconds.
pub const fn micros(ticks: i64) -> i64 {
    ticks.saturating_mul(1_000_000 / 10_000).div_euclid(TICKS_PER_SECOND / 10_000)
}

/// Converts microseconds to a 90 kHz time.
pub const fn ticks(micros: i64) -> i64 {
    micros.saturating_mul(TICKS_PER_SECOND / 10_000).div_euclid(1_000_000 / 10_000)
}

fn video_codec(codec: Codec) -> VideoCodec {
    if codec == Codec::Hevc { VideoCodec::Hevc } else { VideoCodec::H264 }
}

fn audio_config(codec: AudioCodec, config: Bytes) -> StreamEvent {
    let parsed = match codec {
        AudioCodec::Aac => track_config::aac_config(config.clone()),
        _ => track_config::audio_config(codec, None, &config, &[]),
    };
    // An unreadable config is left to the decoder, which reports the error.
    let unread = || AudioInfo::default().config(codec, config);
    StreamEvent::Config(TrackConfig::Audio(parsed.unwrap_or_else(unread)))
}

fn packet(track: Track, (dts, pts): (i64, i64), keyframe: bool, data: Bytes) -> StreamEvent {
    let times = (Timestamp::from_micros(micros(dts)), Timestamp::from_micros(micros(pts)));
    StreamEvent::Packet(EncodedPacket::received(track, times, keyframe, data))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_and_configs_come_before_their_packets() {
        assert_eq!([micros(90_000), micros(3_003), micros(-9)], [1_000_000, 33_366, -100]);
        let (mut events, mut found) = (StreamEvents::default(), Vec::new());
        let audio = |codec| Event::Audio { codec, pts: 9, data: Bytes::from_static(b"x") };
        for event in [audio(Codec::Mpeg), audio(Codec::Mpeg), audio(Codec::Ac3)] {
            events.take(event, &mut |event| {
                found.push(match event {
                    StreamEvent::Config(TrackConfig::Audio(config)) => Some(config.codec),
                    _ => None,
                });
            });
        }
        let (mp3, ac3) = (Some(AudioCodec::Mp3), Some(AudioCodec::Ac3));
        assert_eq!(found, [mp3, None, None, ac3, None]);
    }
}
