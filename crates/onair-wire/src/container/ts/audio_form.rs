//! The form of audio in a transport stream: its stream type, its descriptors, and its packets.

use bytes::Bytes;

use crate::media::{AudioCodec, AudioConfig};
use crate::wire::codec::aac::{AudioSpecificConfig, adts};

/// MPEG audio below this sample rate is MPEG-2 audio.
const MIN_MPEG1_RATE_HZ: u32 = 32_000;

/// The form of the audio in the stream.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum AudioForm {
    /// AAC with ADTS headers.
    Aac(AudioSpecificConfig),
    /// MP3 with this stream type.
    Mp3(u8),
    /// Opus with this number of channels, for receivers of endless streams.
    Opus(u8),
}

impl AudioForm {
    pub fn new(config: &AudioConfig, takes_opus: bool) -> Option<Self> {
        match config.codec {
            AudioCodec::Aac => {
                let config = AudioSpecificConfig::parse(&config.codec_config).ok()?;
                adts::header(&config, 0).ok()?;
                Some(Self::Aac(config))
            }
            AudioCodec::Mp3 => {
                let is_mpeg2 = (1..MIN_MPEG1_RATE_HZ).contains(&config.sample_rate);
                Some(Self::Mp3(if is_mpeg2 { 0x04 } else { 0x03 }))
            }
            AudioCodec::Opus if takes_opus => {
                Some(Self::Opus(u8::try_from(config.channels.clamp(1, 2)).unwrap_or(2)))
            }
            _ => None,
        }
    }

    pub const fn stream_type(&self) -> u8 {
        match self {
            Self::Aac(_) => 0x0F,
            Self::Mp3(stream_type) => *stream_type,
            // Private data, whose descriptors name the codec.
            Self::Opus(_) => 0x06,
        }
    }

    /// Returns the stream ID of the units: that of audio, or of private data.
    pub const fn stream_id(&self) -> u8 {
        match self {
            Self::Aac(_) | Self::Mp3(_) => 0xC0,
            Self::Opus(_) => 0xBD,
        }
    }

    /// Returns the descriptors in the program map table: for Opus, the registration and the channel
    /// configuration (mapping of Opus to transport streams, 5.1).
    pub fn descriptors(&self) -> Vec<u8> {
        match self {
            Self::Aac(_) | Self::Mp3(_) => Vec::new(),
            Self::Opus(channels) => {
                vec![0x05, 4, b'O', b'p', b'u', b's', 0x7F, 2, 0x80, *channels]
            }
        }
    }

    pub fn packet(&self, data: &Bytes) -> Option<Bytes> {
        match self {
            Self::Mp3(_) => Some(data.clone()),
            Self::Opus(_) => Some([&opus_control(data.len())[..], data].concat().into()),
            Self::Aac(config) => {
                let header = adts::header(config, data.len()).ok()?;
                Some([&header[..], data].concat().into())
            }
        }
    }
}

/// Returns the control header before an Opus packet of this size (mapping of Opus to transport
/// streams, 4.1).
fn opus_control(size: usize) -> Vec<u8> {
    let mut header = vec![0x7F, 0xE0];
    header.resize(2 + size / 255, 0xFF);
    header.push((size % 255) as u8);
    header
}
