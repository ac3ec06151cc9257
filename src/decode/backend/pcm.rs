//! What needs no library: PCM, G.711 (ITU-T), and Speex as silence of the right length.

use crate::decode::decoder::AudioBackend;
use crate::decode::error::Error;
use crate::media::{AudioCodec, AudioParameters, EncodedPacket, Samples};

/// The largest packet: seconds of anything.
const MAX_PACKET: usize = 1 << 20;
/// Samples of a frame of Speex in FLV: 20 ms at 16 kHz.
const SPEEX_FRAME: usize = 320;

/// The decoder.
pub(crate) struct Decoder {
    codec: AudioCodec,
    rate: u32,
    channels: u16,
}

impl Decoder {
    pub(crate) fn open(parameters: &AudioParameters) -> Result<Self, Error> {
        let AudioParameters { codec, sample_rate: rate, channels, .. } = *parameters;
        if !(1..=2).contains(&channels) || !(1_000..=192_000).contains(&rate) {
            return Err(Error::Unsupported(format!("PCM of {channels} channels at {rate} Hz")));
        }
        Ok(Self { codec, rate, channels })
    }
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<Samples>, Error> {
        if packet.data.len() > MAX_PACKET {
            let reason = format!("{} bytes", packet.data.len());
            return Err(Error::Damaged { what: "PCM", reason });
        }
        let bytes = || packet.data.iter().copied();
        let mut data: Vec<f32> = match self.codec {
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
        Ok(Some(Samples { pts: packet.pts, rate: self.rate, channels: self.channels, data }))
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
