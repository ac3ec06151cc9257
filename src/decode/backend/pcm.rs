//! What needs no library: PCM, G.711 (ITU-T), and Speex as silence of the right length.

use crate::decode::downmix;
use crate::decode::error::Error;
use crate::decode::traits::AudioBackend;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, SampleBlock};
use crate::wire::codec::pcm::{Coding, Pcm};

/// The largest packet: seconds of anything.
const MAX_PACKET: usize = 1 << 20;
/// Samples of a frame of Speex in FLV: 20 ms at 16 kHz.
const SPEEX_FRAME: usize = 320;

/// The decoder.
pub(crate) struct Decoder {
    codec: AudioCodec,
    rate: u32,
    channels: u16,
    /// How the values of [`AudioCodec::Pcm`] are written down.
    shape: Option<Pcm>,
}

impl Decoder {
    pub(crate) fn open(parameters: &AudioConfig) -> Result<Self, Error> {
        let AudioConfig { codec, sample_rate: rate, channels, .. } = *parameters;
        if codec == AudioCodec::Pcm {
            let Some(shape) = Pcm::parse(&parameters.config) else {
                let reason = "it makes no sense".to_owned();
                return Err(Error::Parameters { what: "description of PCM", reason });
            };
            // More channels are mixed down.
            let (rate, channels) = (shape.sample_rate, shape.channels.min(2));
            return Ok(Self { codec, rate, channels, shape: Some(shape) });
        }
        if !(1..=2).contains(&channels) || !(1_000..=192_000).contains(&rate) {
            return Err(Error::Unsupported(format!("PCM of {channels} channels at {rate} Hz")));
        }
        Ok(Self { codec, rate, channels, shape: None })
    }
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error> {
        if packet.data.len() > MAX_PACKET {
            let reason = format!("{} bytes", packet.data.len());
            return Err(Error::Damaged { what: "PCM", reason });
        }
        let bytes = || packet.data.iter().copied();
        let mut data: Vec<f32> = match self.codec {
            AudioCodec::Pcm => self.shape.map_or_else(Vec::new, |shape| read(&packet.data, shape)),
            AudioCodec::PcmU8 => bytes().map(|value| (f32::from(value) - 128.0) / 128.0).collect(),
            AudioCodec::PcmAlaw => bytes().map(|value| scaled(a_law(value))).collect(),
            AudioCodec::PcmMulaw => bytes().map(|value| scaled(mu_law(value))).collect(),
            AudioCodec::Speex => vec![0.0; SPEEX_FRAME * usize::from(self.channels)],
            _ => {
                let pairs = packet.data.chunks_exact(2);
                pairs
                    .map(|pair| match *pair {
                        [low, high] => scaled(i16::from_le_bytes([low, high])),
                        _ => 0.0,
                    })
                    .collect()
            }
        };
        data.truncate(data.len() / usize::from(self.channels) * usize::from(self.channels));
        if data.is_empty() {
            return Ok(None);
        }
        Ok(Some(SampleBlock {
            pts: packet.pts,
            rate: self.rate,
            channels: self.channels,
            data: data.into(),
        }))
    }

    fn reset(&mut self) {}

    fn name(&self) -> &'static str {
        match self.codec {
            AudioCodec::PcmAlaw => "G.711 A-law",
            AudioCodec::PcmMulaw => "G.711 µ-law",
            AudioCodec::Speex => "Speex (silent)",
            _ => "PCM",
        }
    }
}

/// The values of a packet, in stereo where they are of more channels.
fn read(data: &[u8], shape: Pcm) -> Vec<f32> {
    let Pcm { coding, big_endian, bytes, channels, .. } = shape;
    let size = usize::from(bytes).max(1);
    // The most significant byte first, at the top of eight.
    let word = |value: &[u8]| {
        let add = |word: u64, byte: &u8| word << 8 | u64::from(*byte);
        let word =
            if big_endian { value.iter().fold(0, add) } else { value.iter().rev().fold(0, add) };
        word << (64 - 8 * size.min(8))
    };
    let whole = |word: u64| (word.cast_signed() >> 32) as f32 / 2_147_483_648.0;
    let value = |value: &[u8]| match coding {
        Coding::Signed => whole(word(value)),
        Coding::Unsigned => whole(word(value) ^ 1 << 63),
        Coding::Float if size == 8 => f64::from_bits(word(value)) as f32,
        Coding::Float => f32::from_bits((word(value) >> 32) as u32),
        Coding::ALaw => value.first().map_or(0.0, |byte| scaled(a_law(*byte))),
        Coding::MuLaw => value.first().map_or(0.0, |byte| scaled(mu_law(*byte))),
    };
    // What is no number, or far too loud, is not to reach a speaker.
    let safe = |value: f32| if value.is_finite() { value.clamp(-8.0, 8.0) } else { 0.0 };
    let values: Vec<f32> = data.chunks_exact(size).map(|it| safe(value(it))).collect();
    if channels <= 2 {
        return values;
    }
    let mut stereo = Vec::new();
    downmix::to_stereo(&values, channels.into(), 0, &mut stereo);
    stereo
}

fn scaled(value: i16) -> f32 {
    f32::from(value) / 32_768.0
}

/// G.711 table 1: every second bit is inverted.
fn a_law(value: u8) -> i16 {
    let value = value ^ 0x55;
    let (segment, step) = (value >> 4 & 7, i16::from(value & 0xF));
    let magnitude = match segment {
        0 => (step << 4) + 8,
        segment => ((step << 4) + 0x108) << (segment - 1),
    };
    if value & 0x80 != 0 { magnitude } else { -magnitude }
}

/// G.711 table 2: all bits are inverted.
fn mu_law(value: u8) -> i16 {
    let value = !value;
    let (segment, step) = (value >> 4 & 7, i16::from(value & 0xF));
    let magnitude = (((step << 3) + 0x84) << segment) - 0x84;
    if value & 0x80 != 0 { -magnitude } else { magnitude }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_every_kind_are_read() {
        let of = |coding, big_endian, bytes, data: &[u8]| {
            let shape = Pcm { coding, big_endian, bytes, channels: 1, sample_rate: 48_000 };
            read(data, shape)
        };
        let signed = Coding::Signed;
        assert_eq!(of(signed, true, 2, &[0x40, 0, 0x80, 0]), [0.5, -1.0]);
        assert_eq!(of(signed, false, 2, &[0, 0x40, 0, 0x80]), [0.5, -1.0]);
        assert_eq!(of(signed, false, 3, &[0, 0, 0x40, 0, 0, 0xC0, 7]), [0.5, -0.5]);
        assert_eq!(of(signed, true, 4, &[0x20, 0, 0, 0]), [0.25]);
        assert_eq!(of(Coding::Unsigned, false, 1, &[0x80, 0xC0, 0]), [0.0, 0.5, -1.0]);
        assert_eq!(of(Coding::Float, true, 4, &0.75_f32.to_be_bytes()), [0.75]);
        assert_eq!(of(Coding::Float, false, 8, &(-0.75_f64).to_le_bytes()), [-0.75]);
        assert_eq!(of(Coding::Float, false, 4, &f32::NAN.to_le_bytes()), [0.0]);
        assert_eq!(of(Coding::ALaw, false, 1, &[0xD5]), [8.0 / 32_768.0]);
        assert_eq!(of(Coding::MuLaw, false, 1, &[0xFF]), [0.0]);
        let shape =
            Pcm { coding: signed, big_endian: true, bytes: 1, channels: 6, sample_rate: 48_000 };
        assert_eq!(read(&[64; 12], shape).len(), 4);
    }

    #[test]
    fn both_laws_as_the_standard_tables_them() {
        // Smallest, largest and middle values.
        assert_eq!([0xD5, 0x55, 0xAA, 0x2A].map(a_law), [8, -8, 32_256, -32_256]);
        assert_eq!([0xFF, 0x7F, 0x80, 0x00].map(mu_law), [0, 0, 32_124, -32_124]);
        // Rising without a gap.
        let rising = |law: fn(u8) -> i16| {
            let mut all: Vec<i16> = (0..=255).map(law).collect();
            all.sort_unstable();
            all.windows(2).all(|pair| pair[1] - pair[0] <= 1_024)
        };
        assert!(rising(a_law) && rising(mu_law));
    }
}
