//! Decodes Opus (RFC 6716) with the built-in libopus: one stream of one or two channels, always at
//! 48 kHz.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use opusic_sys as sys;

use crate::decode::error::Error;
use crate::decode::traits::AudioBackend;
use crate::media::{AudioConfig, EncodedPacket, SampleBlock};
use crate::text::Problem;
use crate::text::problem::problem;

const SAMPLE_RATE_HZ: u32 = 48_000;
/// Maximum number of samples per channel in a packet, which is 120 ms.
const MAX_CHANNEL_SAMPLES: usize = 5_760;
/// Maximum size of a packet in bytes: 48 frames of 1,275 bytes (RFC 6716 §3.2), and their lengths.
const MAX_PACKET_BYTES: usize = 64 << 10;

/// The Opus decoder.
pub(crate) struct Decoder {
    inner: Handle,
    channels: usize,
    /// The stream's gain (OpusHead).
    gain: f32,
    block: Vec<f32>,
}

/// Owns the library's decoder.
struct Handle(NonNull<sys::OpusDecoder>);

// SAFETY: the library keeps no state of a decoder outside of it, and does not bind it to a thread.
unsafe impl Send for Handle {}

impl Handle {
    fn open(channels: usize) -> Result<Self, Error> {
        let mut code = 0;
        // SAFETY: the call writes its result to `code`, which is valid, and returns a new decoder
        // or null.
        let decoder = unsafe {
            sys::opus_decoder_create(SAMPLE_RATE_HZ as i32, channels as i32, &raw mut code)
        };
        NonNull::new(decoder)
            .map(Self)
            .ok_or_else(|| Error::Config { codec: "Opus", reason: reason(code) })
    }

    /// Decodes a packet to a block with this many channels, and returns the number of samples per
    /// channel.
    fn decode(
        &mut self,
        packet: &[u8],
        block: &mut [f32],
        channels: usize,
    ) -> Result<usize, Error> {
        let frames = block.len() / channels.max(1);
        // SAFETY: the decoder is open; the library reads `packet.len()` bytes of the packet, and
        // writes at most `frames` × channels values to the block.
        let result = unsafe {
            sys::opus_decode_float(
                self.0.as_ptr(),
                packet.as_ptr(),
                i32::try_from(packet.len()).unwrap_or(i32::MAX),
                block.as_mut_ptr(),
                i32::try_from(frames).unwrap_or_default(),
                0,
            )
        };
        usize::try_from(result)
            .map_err(|_| Error::Damaged { codec: "Opus", reason: reason(result) })
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the library created the decoder, and no other reference to it exists.
        unsafe { sys::opus_decoder_destroy(self.0.as_ptr()) };
    }
}

/// Returns the library's message for a code.
fn reason(code: i32) -> Problem {
    // SAFETY: the library returns a constant text for any code.
    let text = unsafe { std::ffi::CStr::from_ptr(sys::opus_strerror(code)) };
    Problem::words(text.to_string_lossy())
}

impl Decoder {
    pub(crate) fn open(config: &AudioConfig) -> Result<Self, Error> {
        let codec_config = config.codec_config.strip_prefix(b"OpusHead").unwrap_or_default();
        let channels = codec_config.get(1).copied().unwrap_or(2);
        let mapped = codec_config.get(10).is_some_and(|family| *family != 0);
        if mapped || !(1..=2).contains(&channels) {
            return Err(Error::Unsupported(problem!("decode-opus-kind", channels = channels)));
        }
        let gain = codec_config.get(8..10).and_then(<[u8]>::first_chunk::<2>).copied();
        let decibels = f32::from(i16::from_le_bytes(gain.unwrap_or_default())) / 256.0;
        let channels = usize::from(channels);
        Ok(Self {
            inner: Handle::open(channels)?,
            channels,
            gain: 10_f32.powf(decibels.clamp(-40.0, 40.0) / 20.0),
            block: vec![0.0; MAX_CHANNEL_SAMPLES * channels],
        })
    }
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error> {
        if packet.data.is_empty() || packet.data.len() > MAX_PACKET_BYTES {
            return Err(Error::length("Opus", packet.data.len()));
        }
        let decoded = self.inner.decode(&packet.data, &mut self.block, self.channels);
        let data = self.block.get(..decoded? * self.channels).unwrap_or_default();
        if data.is_empty() {
            return Ok(None);
        }
        Ok(Some(SampleBlock {
            pts: packet.pts,
            rate: SAMPLE_RATE_HZ,
            channels: self.channels as u16,
            data: data
                .iter()
                .map(|value| (value * self.gain).clamp(-1.0, 1.0))
                .collect::<Vec<_>>()
                .into(),
        }))
    }

    fn reset(&mut self) {
        if let Ok(inner) = Handle::open(self.channels) {
            self.inner = inner;
        }
    }

    fn name(&self) -> &'static str {
        "Opus"
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::base::Timestamp;
    use crate::media::{AudioCodec, BitsPerSecond, Track};

    fn decoder(channels: u8) -> Decoder {
        let head = [&b"OpusHead\x01"[..], &[channels], &[0, 0, 0x80, 0xBB, 0, 0, 0, 0, 0]].concat();
        let (codec, bitrate) = (AudioCodec::Opus, BitsPerSecond(0));
        let channels = channels.into();
        let codec_config = Bytes::from(head);
        let config =
            AudioConfig { codec, sample_rate: SAMPLE_RATE_HZ, channels, bitrate, codec_config };
        Decoder::open(&config).unwrap()
    }

    #[test]
    fn packets_of_every_kind_are_taken_or_refused() {
        // Each first byte selects another mode, duration and number of frames (RFC 6716 §3.1).
        for channels in [1, 2] {
            let mut decoder = decoder(channels);
            let (mut taken, mut seed) = (0, 1_u32);
            for round in 0..4_000_u32 {
                let length = 1 + round as usize % 300;
                let body = std::iter::repeat_with(|| {
                    seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    (seed >> 24) as u8
                });
                let bytes: Vec<u8> =
                    std::iter::once(round as u8).chain(body).take(length).collect();
                let times = (Timestamp::ZERO, Timestamp::ZERO);
                let packet = EncodedPacket::received(Track::Audio, times, true, bytes.into());
                if let Ok(Some(samples)) = decoder.decode(&packet) {
                    taken += 1;
                    assert!(samples.data.len() <= MAX_CHANNEL_SAMPLES * usize::from(channels));
                    assert!(samples.data.iter().all(|value| value.abs() <= 1.0));
                }
            }
            assert!(taken > 1_000, "{taken}");
        }
    }
}
