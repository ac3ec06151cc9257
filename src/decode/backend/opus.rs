//! Opus (RFC 6716), one stream of one or two channels, always at 48 kHz.

use opus_decoder::OpusDecoder;

use super::guard::guarded;
use crate::decode::decoder::AudioBackend;
use crate::decode::error::Error;
use crate::media::{AudioParameters, EncodedPacket, Samples};

const RATE: u32 = 48_000;
/// The longest packet lasts 120 ms.
const MAX_FRAMES: usize = 5_760;
/// The largest packet: 48 frames of 1,275 bytes (RFC 6716 §3.2), and their lengths.
const MAX_PACKET: usize = 64 << 10;

/// The decoder.
pub(crate) struct Decoder {
    inner: OpusDecoder,
    channels: usize,
    /// What the stream wants to be changed by (OpusHead).
    gain: f32,
    block: Vec<f32>,
}

fn open(channels: usize) -> Result<OpusDecoder, Error> {
    guarded("configuration of sound", || {
        OpusDecoder::new(RATE, channels).map_err(|error| Error::Parameters {
            what: "Opus configuration",
            reason: error.to_string(),
        })
    })
}

impl Decoder {
    pub(crate) fn open(parameters: &AudioParameters) -> Result<Self, Error> {
        let config = parameters.config.strip_prefix(b"OpusHead").unwrap_or_default();
        let channels = config.get(1).copied().unwrap_or(2);
        let mapped = config.get(10).is_some_and(|family| *family != 0);
        if mapped || !(1..=2).contains(&channels) {
            return Err(Error::Unsupported(format!("Opus of {channels} channels")));
        }
        let gain = config.get(8..10).and_then(<[u8]>::first_chunk::<2>).copied();
        let decibels = f32::from(i16::from_le_bytes(gain.unwrap_or_default())) / 256.0;
        let channels = usize::from(channels);
        Ok(Self {
            inner: open(channels)?,
            channels,
            gain: 10_f32.powf(decibels.clamp(-40.0, 40.0) / 20.0),
            block: vec![0.0; MAX_FRAMES * channels],
        })
    }
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<Samples>, Error> {
        if packet.data.is_empty() || packet.data.len() > MAX_PACKET {
            let reason = format!("{} bytes", packet.data.len());
            return Err(Error::Damaged { what: "Opus", reason });
        }
        let (inner, block) = (&mut self.inner, &mut self.block);
        let mut finished = false;
        let decoded = guarded("Opus", || {
            let decoded = inner.decode_float(&packet.data, block, false);
            finished = true;
            decoded.map_err(|e| Error::Damaged { what: "Opus", reason: e.to_string() })
        });
        if !finished {
            self.reset();
        }
        let data = self.block.get(..decoded? * self.channels).unwrap_or_default();
        if data.is_empty() {
            return Ok(None);
        }
        Ok(Some(Samples {
            pts: packet.pts,
            rate: RATE,
            channels: self.channels as u16,
            data: data
                .iter()
                .map(|value| (value * self.gain).clamp(-1.0, 1.0))
                .collect::<Vec<_>>()
                .into(),
        }))
    }

    fn reset(&mut self) {
        if let Ok(inner) = open(self.channels) {
            self.inner = inner;
        }
    }

    fn name(&self) -> &'static str {
        "Opus"
    }
}
