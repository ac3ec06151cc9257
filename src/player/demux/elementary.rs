//! Elementary streams as FLV tags, which the rest of the player reads.

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::{EncodedPacket, Priority, Track, VideoCodec};
use crate::player::demux::flv_bodies::{enhanced, picture, raw};
use crate::wire::codec::pcm;
use crate::wire::container::flv;
use crate::wire::container::flv::reader::video_parameters;
use crate::wire::container::flv::{Metadata, Tag, TagKind};
use crate::wire::container::ts::{CLOCK, Codec, Event};
use crate::wire::container::unsupported::UnsupportedTrack;

/// Wire time of a 90 kHz time.
pub(in crate::player) fn millis(ticks: i64) -> u32 {
    // Modulo 2³², as the format has it.
    (ticks * 1_000).div_euclid(CLOCK) as u32
}

fn tag(kind: TagKind, time_ms: u32, body: Bytes) -> Tag {
    Tag { kind, time_ms, body }
}

/// What a transport stream gave, as a tag; `None` where it makes none. `last_ms` is the time of the
/// tag before, which configurations get.
pub(in crate::player) fn of_ts(event: Event, last_ms: u32) -> Option<Tag> {
    match event {
        Event::VideoConfig { codec: Codec::Hevc, config } => {
            Some(tag(TagKind::Video, last_ms, enhanced(0x90, b"hvc1", &config)))
        }
        Event::VideoConfig { config, .. } => {
            let (parameters, _) = video_parameters(config, &Metadata::default()).ok()?;
            Some(tag(TagKind::Video, last_ms, flv::video_sequence_header(&parameters)))
        }
        Event::Picture { codec, dts, pts, keyframe, data } => {
            let time_ms = millis(dts);
            // The composition time counts from the rounded time.
            let composition = millis(pts).wrapping_sub(time_ms).cast_signed();
            let packet = EncodedPacket {
                track: Track::Video,
                pts: Timestamp::from_millis(composition.into()),
                dts: Timestamp::ZERO,
                keyframe,
                priority: Priority::Key,
                data,
                captured: Timestamp::ZERO,
                rendition: None,
            };
            let codec = if codec == Codec::Hevc { VideoCodec::Hevc } else { VideoCodec::H264 };
            Some(tag(TagKind::Video, time_ms, picture(codec, &packet)))
        }
        Event::AudioConfig(config) if config.starts_with(b"OpusHead") => {
            Some(tag(TagKind::Audio, last_ms, enhanced(0x90, b"Opus", &config)))
        }
        Event::AudioConfig(config) if config.starts_with(pcm::MARK) => {
            Some(tag(TagKind::Audio, last_ms, enhanced(0x90, pcm::MARK, &config)))
        }
        Event::AudioConfig(config) => Some(tag(TagKind::Audio, last_ms, raw(&[0xAF, 0], &config))),
        Event::Sound { codec, pts, data } => {
            let body = match codec {
                Codec::Aac => raw(&[0xAF, 1], &data),
                Codec::Opus => enhanced(0x91, b"Opus", &data),
                Codec::Ac3 => enhanced(0x91, b"ac-3", &data),
                Codec::Eac3 => enhanced(0x91, b"ec-3", &data),
                Codec::S302m => enhanced(0x91, pcm::MARK, &data),
                _ => raw(&[0x2F], &data),
            };
            Some(tag(TagKind::Audio, millis(pts), body))
        }
        Event::Unsupported(_) | Event::Sealed | Event::Scrambled | Event::Lost => None,
    }
}

/// What an event says is left out.
pub(in crate::player) fn unsupported(event: &Event) -> Option<UnsupportedTrack> {
    match event {
        Event::Unsupported(Codec::BluRayPcm) => Some(UnsupportedTrack::of_ts(0x80)),
        Event::Unsupported(Codec::Other(stream_type)) => {
            Some(UnsupportedTrack::of_ts(*stream_type))
        }
        _ => None,
    }
}
