//! Decodes audio formats that need no library: PCM and G.711 (ITU-T).

use crate::decode::downmix;
use crate::decode::error::Error;
use crate::decode::traits::AudioBackend;
use crate::media::{AudioCodec, AudioConfig, EncodedPacket, SampleBlock};
use crate::text::problem::problem;
use crate::wire::codec::pcm::{Coding, Pcm};

/// Maximum size of a packet in bytes, enough for several seconds of any format.
const MAX_PACKET_BYTES: usize = 1 << 20;

/// The decoder for the formats that need no library.
pub(crate) struct Decoder {
    codec: AudioCodec,
    rate: u32,
    channels: u16,
    /// The format of the values.
    shape: Pcm,
}

impl Decoder {
    pub(crate) fn open(config: &AudioConfig) -> Result<Self, Error> {
        let AudioConfig { codec, sample_rate: rate, channels, .. } = *config;
        if codec == AudioCodec::Pcm {
            let Some(shape) = Pcm::parse(&config.codec_config) else {
                let reason = problem!("decode-invalid");
                return Err(Error::Config { codec: "PCM", reason });
            };
            // More than two channels are downmixed.
            let (rate, channels) = (shape.sample_rate, shape.channels.min(2));
            return Ok(Self { codec, rate, channels, shape });
        }
        if !(1..=2).contains(&channels) || !(1_000..=192_000).contains(&rate) {
            let kind = problem!("decode-pcm-kind", channels = channels, rate = rate);
            return Err(Error::Unsupported(kind));
        }
        let (coding, bytes) = match codec {
            AudioCodec::PcmU8 => (Coding::Unsigned, 1),
            AudioCodec::PcmAlaw => (Coding::ALaw, 1),
            AudioCodec::PcmMulaw => (Coding::MuLaw, 1),
            _ => (Coding::Signed, 2),
        };
        let shape = Pcm { coding, big_endian: false, bytes, channels, sample_rate: rate };
        Ok(Self { codec, rate, channels, shape })
    }
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error> {
        if packet.data.len() > MAX_PACKET_BYTES {
            return Err(Error::length("PCM", packet.data.len()));
        }
        let mut data = read(&packet.data, self.shape);
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
            _ => "PCM",
        }
    }
}

/// Returns the values of a packet, downmixed to stereo if there are more channels.
fn read(data: &[u8], shape: Pcm) -> Vec<f32> {
    // NaN and extreme values must not reach a speaker.
    let safe = |value: f32| if value.is_finite() { value.clamp(-8.0, 8.0) } else { 0.0 };
    let values: Vec<f32> = shape.values(data).map(safe).collect();
    if shape.channels <= 2 {
        return values;
    }
    let mut stereo = Vec::new();
    downmix::to_stereo(&values, shape.channels.into(), 0, &mut stereo);
    stereo
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
}
