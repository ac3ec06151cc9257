//! Audio bodies in the legacy form (Annex E.4.2) and the enhanced form ("Enhanced Audio").

use bytes::Bytes;

use super::Error;
use crate::wire::codec::four_cc::AudioFormat;
use crate::wire::container::flv::enhanced::{AUDIO_MULTITRACK, Fields, Part, modifiers, parts};

/// An audio body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioTag {
    /// Nanoseconds to add to the time of the tag (ModEx).
    pub offset_nanos: u32,
    /// True for the multitrack form, even with a single track.
    pub is_multitrack: bool,
    /// Rate and channels of a legacy header.
    pub legacy: Option<LegacyAudio>,
    /// The only or the first track.
    pub track: AudioTrack,
    /// Further tracks (Multitrack); mostly empty, which allocates nothing.
    pub more_tracks: Vec<AudioTrack>,
}

/// Rate and channels of a legacy header. They have no meaning for AAC, whose header always says
/// 44.1 kHz stereo.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct LegacyAudio {
    pub sample_rate: u32,
    pub sample_bits: u8,
    pub channels: u16,
}

/// The part of a body that belongs to one track.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AudioTrack {
    /// The track id, 0 outside multitrack bodies.
    pub id: u8,
    pub format: AudioFormat,
    pub packet: AudioPacket,
}

/// A packet of an audio body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioPacket {
    /// A decoder configuration. An empty one occurs and means "not known yet".
    SequenceStart(Bytes),
    /// Coded audio.
    Frame(Bytes),
    /// The end of the audio.
    SequenceEnd,
    /// The channel layout (enhanced form). The order of the channels is not kept.
    MultichannelConfig { channels: u8 },
}

/// Returns true for a body with one track of Opus, which has the enhanced form.
pub fn is_opus(body: &[u8]) -> bool {
    const ENHANCED: u8 = 9;
    let is_enhanced = |head: &u8| head >> 4 == ENHANCED && head & 0x0F < AUDIO_MULTITRACK;
    body.first().is_some_and(is_enhanced) && body.get(1..5) == Some(b"Opus")
}

impl AudioTag {
    /// Returns all tracks of the body.
    pub fn tracks(&self) -> impl Iterator<Item = &AudioTrack> {
        std::iter::once(&self.track).chain(&self.more_tracks)
    }

    /// Returns the track with this id.
    pub fn into_track(self, id: u8) -> Option<AudioTrack> {
        std::iter::once(self.track).chain(self.more_tracks).find(|track| track.id == id)
    }

    /// Returns true if the body has a channel layout, which is kept in addition to the
    /// configuration.
    pub fn is_layout(&self) -> bool {
        matches!(self.track.packet, AudioPacket::MultichannelConfig { .. })
    }

    /// Returns true if this body must be kept for late viewers. An empty AAC configuration is not
    /// kept.
    pub fn is_sequence_start(&self) -> bool {
        self.tracks().any(|track| match &track.packet {
            AudioPacket::SequenceStart(config) => {
                !config.is_empty() || !matches!(track.format, AudioFormat::Aac)
            }
            AudioPacket::MultichannelConfig { .. } => true,
            AudioPacket::Frame(_) | AudioPacket::SequenceEnd => false,
        })
    }
}

/// Reads an audio body. The packets share the bytes of the body.
pub fn parse_audio(body: &Bytes) -> Result<AudioTag, Error> {
    let mut fields = Fields::new(body, "audio");
    let first = fields.u8()?;
    let (format, low) = (first >> 4, first & 0xF);
    if format == EX_HEADER_FORMAT {
        let (packet_type, offset_nanos) = modifiers(&mut fields, low)?;
        let is_multitrack = packet_type == AUDIO_MULTITRACK;
        let (first, others) = parts(&mut fields, packet_type, AUDIO_MULTITRACK)?;
        let track = track(first)?;
        let more_tracks = others.into_iter().map(self::track).collect::<Result<_, _>>()?;
        return Ok(AudioTag { offset_nanos, is_multitrack, legacy: None, track, more_tracks });
    }
    let id = format;
    let format = AudioFormat::from_legacy(id);
    let packet = if format == AudioFormat::Aac {
        match fields.u8()? {
            0 => AudioPacket::SequenceStart(fields.rest),
            1 => AudioPacket::Frame(fields.rest),
            value => return Err(Error::Unknown { what: "AAC packet type", value }),
        }
    } else {
        AudioPacket::Frame(fields.rest)
    };
    let sample_rate = match (id, low >> 2) {
        (4, _) => 16_000,
        (5 | 7 | 8 | 14, _) => 8_000,
        (11, _) => 16_000,
        (_, 0) => 5_512,
        (_, 1) => 11_025,
        (_, 2) => 22_050,
        _ => 44_100,
    };
    let sample_bits = if low & 2 == 0 { 8 } else { 16 };
    let legacy = Some(LegacyAudio { sample_rate, sample_bits, channels: 1 + u16::from(low & 1) });
    let track = AudioTrack { id: 0, format, packet };
    Ok(AudioTag { offset_nanos: 0, is_multitrack: false, legacy, track, more_tracks: Vec::new() })
}

const EX_HEADER_FORMAT: u8 = 9;

/// Packet types in the enhanced header.
mod packet_type {
    pub(super) const SEQUENCE_START: u8 = 0;
    pub(super) const CODED_FRAMES: u8 = 1;
    pub(super) const SEQUENCE_END: u8 = 2;
    pub(super) const MULTICHANNEL_CONFIG: u8 = 4;
}

fn track(part: Part) -> Result<AudioTrack, Error> {
    let Part { id, fourcc, packet_type, mut fields } = part;
    let format = AudioFormat::from_fourcc(fourcc);
    let packet = match packet_type {
        packet_type::SEQUENCE_START => AudioPacket::SequenceStart(fields.rest),
        packet_type::CODED_FRAMES => AudioPacket::Frame(fields.rest),
        packet_type::SEQUENCE_END => AudioPacket::SequenceEnd,
        packet_type::MULTICHANNEL_CONFIG => {
            let (order, channels) = (fields.u8()?, fields.u8()?);
            // Nothing, bit flags of the present speakers, or a speaker for each channel.
            let length = match order {
                0 => 0,
                1 => 4,
                2 => usize::from(channels),
                value => return Err(Error::Unknown { what: "channel order", value }),
            };
            fields.take(length)?;
            AudioPacket::MultichannelConfig { channels }
        }
        value => return Err(Error::Unknown { what: "audio packet type", value }),
    };
    Ok(AudioTrack { id, format, packet })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(bytes: &'static [u8]) -> Result<AudioTag, Error> {
        parse_audio(&Bytes::from_static(bytes))
    }

    #[test]
    fn legacy_bodies() {
        let config = parse(&[0xAF, 0, 0x11, 0x90]).unwrap();
        assert!(config.is_sequence_start());
        assert!(!parse(&[0xAF, 0]).unwrap().is_sequence_start());
        let mp3 = parse(&[0x2F, 1, 2]).unwrap();
        assert_eq!(mp3.track.format, AudioFormat::Mp3);
        assert_eq!(mp3.track.packet, AudioPacket::Frame(Bytes::from_static(&[1, 2])));
        let audio = LegacyAudio { sample_rate: 44_100, sample_bits: 16, channels: 2 };
        assert_eq!(mp3.legacy, Some(audio));
        for bad in [&[][..], &[0xAF], &[0xAF, 2]] {
            assert!(parse(bad).is_err());
        }
    }

    #[test]
    fn enhanced_bodies() {
        let layout = parse(b"\x94Opus\x01\x02\x00\x00\x00\x03").unwrap();
        assert_eq!(layout.track.packet, AudioPacket::MultichannelConfig { channels: 2 });
        let track = parse(b"\x95\x00ac-3\x01").unwrap().track;
        assert_eq!((track.id, track.format), (1, AudioFormat::Ac3));
        assert!(parse(b"\x94Opus\x01\x02\x00\x00\x00").is_err());
        assert!(parse(b"\x94Opus\x02\x09\x00").is_err());
        assert!(parse(b"\x93Opus").is_err());
    }
}
