//! Encodes Opus (RFC 6716) at 48 kHz with the built-in libopus.
#![allow(unsafe_code)]

use std::ptr::NonNull;

use bytes::Bytes;
use opusic_sys as sys;

use crate::base::partial_debug;
use crate::encode::error::{Error, Step};
use crate::media::BitsPerSecond;

const ENCODER_NAME: &str = "libopus";
const SAMPLE_RATE_HZ: i32 = 48_000;
/// Maximum size of a packet, in bytes. A packet of 20 ms is at most 1,275 bytes long (§3.2).
const MAX_PACKET_BYTES: usize = 1_275;
/// The complexity of the encoder: half of the maximum, because a higher complexity hardly improves
/// the audio at these bitrates.
const ENCODER_COMPLEXITY: i32 = 5;

/// The Opus encoder, which runs on its caller's thread.
pub struct OpusEncoder {
    raw: Raw,
    channels: usize,
    lookahead: usize,
    packet: Vec<u8>,
}

partial_debug! { OpusEncoder { channels, lookahead } }

/// Owns the C object.
struct Raw(NonNull<sys::OpusEncoder>);

// SAFETY: the library keeps no state of an encoder outside of it, and does not bind it to a thread.
unsafe impl Send for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the library created the encoder, and no other reference to it exists.
        unsafe { sys::opus_encoder_destroy(self.0.as_ptr()) };
    }
}

fn check(step: Step, code: i32) -> Result<(), Error> {
    let failed = Error::Codec { encoder: ENCODER_NAME, step, code: code.into() };
    if code < 0 { Err(failed) } else { Ok(()) }
}

impl OpusEncoder {
    /// Samples per channel in a packet: 20 ms.
    pub const FRAME_SAMPLES: usize = 960;

    /// Opens an encoder for one or two channels.
    ///
    /// # Errors
    /// Fails with the library's error.
    pub fn open(channels: u16, bitrate: BitsPerSecond) -> Result<Self, Error> {
        let mut code = 0;
        // SAFETY: the call writes its result to `code`, and returns a new encoder or null.
        let encoder = unsafe {
            sys::opus_encoder_create(
                SAMPLE_RATE_HZ,
                i32::from(channels),
                sys::OPUS_APPLICATION_AUDIO,
                &raw mut code,
            )
        };
        check(Step::Start, code)?;
        let none = Error::Codec { encoder: ENCODER_NAME, step: Step::Start, code: code.into() };
        let raw = Raw(NonNull::new(encoder).ok_or(none)?);
        let bitrate = i32::try_from(bitrate.0).unwrap_or(i32::MAX);
        for (request, value) in [
            (sys::OPUS_SET_BITRATE_REQUEST, bitrate),
            (sys::OPUS_SET_COMPLEXITY_REQUEST, ENCODER_COMPLEXITY),
            // A lost packet can be reconstructed from the next one, at the cost of a few bits.
            (sys::OPUS_SET_INBAND_FEC_REQUEST, 1),
            (sys::OPUS_SET_PACKET_LOSS_PERC_REQUEST, 2),
        ] {
            // SAFETY: the encoder is open; these requests take one integer.
            check(Step::Configure, unsafe {
                sys::opus_encoder_ctl(raw.0.as_ptr(), request, value)
            })?;
        }
        let mut lookahead = 0_i32;
        // SAFETY: the encoder is open; this request writes one integer.
        check(Step::Describe, unsafe {
            sys::opus_encoder_ctl(
                raw.0.as_ptr(),
                sys::OPUS_GET_LOOKAHEAD_REQUEST,
                &raw mut lookahead,
            )
        })?;
        Ok(Self {
            raw,
            channels: channels.into(),
            lookahead: usize::try_from(lookahead).unwrap_or(0),
            packet: vec![0; MAX_PACKET_BYTES],
        })
    }

    /// Returns the delay of the decoded audio relative to the input, in samples per channel.
    pub fn lookahead(&self) -> usize {
        self.lookahead
    }

    /// Encodes [`Self::FRAME_SAMPLES`] samples of each channel, interleaved.
    ///
    /// # Errors
    /// Fails for another number of samples, or with the library's error.
    pub fn encode(&mut self, samples: &[f32]) -> Result<Bytes, Error> {
        if samples.len() != Self::FRAME_SAMPLES * self.channels {
            return Err(Error::Codec { encoder: ENCODER_NAME, step: Step::Encode, code: 0 });
        }
        // SAFETY: the encoder is open; the library reads `FRAME_SAMPLES` × channels values, which
        // exist, and writes at most the given number of bytes.
        let length = unsafe {
            sys::opus_encode_float(
                self.raw.0.as_ptr(),
                samples.as_ptr(),
                Self::FRAME_SAMPLES as i32,
                self.packet.as_mut_ptr(),
                MAX_PACKET_BYTES as i32,
            )
        };
        check(Step::Encode, length)?;
        let length = usize::try_from(length).unwrap_or(0);
        Ok(Bytes::copy_from_slice(self.packet.get(..length).unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_made_of_whole_frames_only() {
        let mut encoder = OpusEncoder::open(2, BitsPerSecond(128_000)).unwrap();
        let silent = encoder.encode(&[0.0; OpusEncoder::FRAME_SAMPLES * 2]).unwrap();
        // The packet has one frame (§3.1): the two lowest bits are 0.
        assert_eq!(silent[0] & 3, 0);
        assert!(encoder.encode(&[0.0; 10]).is_err());
        assert!((100..1_000).contains(&encoder.lookahead()), "{}", encoder.lookahead());
        assert!(OpusEncoder::open(3, BitsPerSecond(128_000)).is_err());
    }
}
