//! Encodes AAC-LC and HE-AAC with FDK-AAC, through its C interface, because the safe wrapper can neither flush
//! nor turn on the afterburner.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use bytes::Bytes;
use fdk_aac_sys as sys;

use crate::encode::backend::traits::{AudioBackend, Block, Description};
use crate::encode::config::{self, AudioProfile};
use crate::encode::error::{Error, Flaw, Step};
use crate::media::{AudioCodec, AudioConfig, BitsPerSecond};

const ENCODER_NAME: &str = "fdk-aac";

/// The FDK-AAC encoder.
pub(super) struct Encoder {
    raw: Raw,
    config: AudioConfig,
    profile: &'static str,
    block_len: usize,
    /// The delay of the decoded audio relative to the input, in samples per channel.
    delay: i64,
    /// Number of finished blocks.
    blocks: i64,
    /// The library's output buffer, with the requested size.
    scratch: Vec<u8>,
}

/// Owns the C object.
struct Raw(sys::HANDLE_AACENCODER);

// SAFETY: the object is used by one thread at a time (all methods take `&mut`), and the library
// does not bind it to a thread.
unsafe impl Send for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the handle came from aacEncOpen and is closed only here.
        unsafe {
            sys::aacEncClose(&raw mut self.0);
        }
    }
}

fn codec_error(step: Step, code: sys::AACENC_ERROR) -> Error {
    Error::Codec { encoder: ENCODER_NAME, step, code: i64::from(code) }
}

fn check(step: Step, code: sys::AACENC_ERROR) -> Result<(), Error> {
    if code == sys::AACENC_ERROR_AACENC_OK { Ok(()) } else { Err(codec_error(step, code)) }
}

impl Encoder {
    pub(super) fn open(config: &config::Audio) -> Result<Self, Error> {
        let mut handle: sys::HANDLE_AACENCODER = ptr::null_mut();
        let is_he = config.profile == AudioProfile::He;
        // Module 1 is the AAC core, and module 2 is SBR. There is no surround.
        let modules = if is_he { 1 | 2 } else { 1 };
        // SAFETY: the library writes one handle.
        let code = unsafe { sys::aacEncOpen(&raw mut handle, modules, u32::from(config.channels)) };
        check(Step::Start, code)?;
        let raw = Raw(handle);
        let settings = [
            // AAC-LC, or AAC with SBR.
            (sys::AACENC_PARAM_AACENC_AOT, if is_he { 5 } else { 2 }),
            (sys::AACENC_PARAM_AACENC_SAMPLERATE, config.sample_rate),
            // 1: one center channel, 2: left and right.
            (sys::AACENC_PARAM_AACENC_CHANNELMODE, u32::from(config.channels)),
            (sys::AACENC_PARAM_AACENC_CHANNELORDER, 1), // Channel order of WAV.
            (sys::AACENC_PARAM_AACENC_BITRATEMODE, 0),  // Constant bitrate.
            (sys::AACENC_PARAM_AACENC_BITRATE, config.bitrate.0),
            (sys::AACENC_PARAM_AACENC_TRANSMUX, 0), // Raw access units.
            (sys::AACENC_PARAM_AACENC_AFTERBURNER, 1),
            // The codec config names SBR first, so that no decoder takes it for half the rate.
            (sys::AACENC_PARAM_AACENC_SIGNALING_MODE, 2),
        ];
        for (name, value) in settings {
            // SAFETY: the handle is open.
            let code = unsafe { sys::aacEncoder_SetParam(raw.0, name, value) };
            check(Step::Configure, code)?;
        }
        // SAFETY: the handle is open; null buffers mean "apply the settings, encode nothing".
        let code = unsafe {
            sys::aacEncEncode(raw.0, ptr::null(), ptr::null(), ptr::null(), ptr::null_mut())
        };
        check(Step::Configure, code)?;
        let mut info = sys::AACENC_InfoStruct {
            maxOutBufBytes: 0,
            maxAncBytes: 0,
            inBufFillLevel: 0,
            inputChannels: 0,
            frameLength: 0,
            nDelay: 0,
            nDelayCore: 0,
            confBuf: [0; 64],
            confSize: 0,
        };
        // SAFETY: the handle is open; the library writes one structure.
        check(Step::Describe, unsafe { sys::aacEncInfo(raw.0, &raw mut info) })?;
        let malformed = |flaw| Error::Malformed { encoder: ENCODER_NAME, flaw };
        let asc = usize::try_from(info.confSize).ok().and_then(|len| info.confBuf.get(..len));
        let asc = asc.filter(|asc| asc.len() >= 2).ok_or(malformed(Flaw::NoConfig))?;
        let block_len = usize::try_from(info.frameLength).unwrap_or(0);
        if block_len == 0 || info.inputChannels != u32::from(config.channels) {
            return Err(malformed(Flaw::OtherChannels));
        }
        // The library limits the bitrate to at most 6 bits per sample and channel.
        // SAFETY: the handle is open.
        let bitrate = unsafe { sys::aacEncoder_GetParam(raw.0, sys::AACENC_PARAM_AACENC_BITRATE) };
        Ok(Self {
            raw,
            config: AudioConfig {
                codec: AudioCodec::Aac,
                sample_rate: config.sample_rate,
                channels: config.channels,
                bitrate: BitsPerSecond(bitrate),
                codec_config: Bytes::copy_from_slice(asc),
            },
            profile: if is_he { "HE" } else { "LC" },
            block_len,
            delay: i64::from(info.nDelay),
            blocks: 0,
            // The library reports the size of the largest block (768 bytes per channel).
            scratch: vec![0; usize::try_from(info.maxOutBufBytes).unwrap_or(0).clamp(768, 65_536)],
        })
    }

    /// Calls the library once. The library takes samples from the front of `pcm`, and may finish a
    /// block. If `pcm` is `None`, the library flushes. Returns the number of used values, or `None`
    /// at the end of a flush.
    fn step(
        &mut self,
        pcm: Option<&[i16]>,
        each: &mut dyn FnMut(Block),
    ) -> Result<Option<usize>, Error> {
        let mut input: *mut c_void = pcm.unwrap_or_default().as_ptr().cast_mut().cast();
        let mut input_id = sys::AACENC_BufferIdentifier_IN_AUDIO_DATA as i32;
        let input_bytes = size_of_val(pcm.unwrap_or_default());
        let mut input_size = i32::try_from(input_bytes).unwrap_or(i32::MAX);
        let mut input_element = 2;
        let in_desc = sys::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut input,
            bufferIdentifiers: &raw mut input_id,
            bufSizes: &raw mut input_size,
            bufElSizes: &raw mut input_element,
        };
        let mut output: *mut c_void = self.scratch.as_mut_ptr().cast();
        let mut output_id = sys::AACENC_BufferIdentifier_OUT_BITSTREAM_DATA as i32;
        let mut output_size = i32::try_from(self.scratch.len()).unwrap_or(i32::MAX);
        let mut output_element = 1;
        let out_desc = sys::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut output,
            bufferIdentifiers: &raw mut output_id,
            bufSizes: &raw mut output_size,
            bufElSizes: &raw mut output_element,
        };
        let values = pcm.map_or(-1, |pcm| i32::try_from(pcm.len()).unwrap_or(i32::MAX));
        let in_args = sys::AACENC_InArgs { numInSamples: values, numAncBytes: 0 };
        let mut out_args =
            sys::AACENC_OutArgs { numOutBytes: 0, numInSamples: 0, numAncBytes: 0, bitResState: 0 };
        // SAFETY: the handle is open; all descriptors point to locals that outlive the call; the
        // buffers have the given lengths; the input is only read.
        let code = unsafe {
            sys::aacEncEncode(
                self.raw.0,
                &raw const in_desc,
                &raw const out_desc,
                &raw const in_args,
                &raw mut out_args,
            )
        };
        if code == sys::AACENC_ERROR_AACENC_ENCODE_EOF {
            return Ok(None);
        }
        check(Step::Encode, code)?;
        let len = usize::try_from(out_args.numOutBytes).unwrap_or(0);
        if let Some(data) = self.scratch.get(..len)
            && !data.is_empty()
        {
            let start = self.blocks * i64::try_from(self.block_len).unwrap_or(0) - self.delay;
            self.blocks += 1;
            each(Block { data: Bytes::copy_from_slice(data), start });
        }
        Ok(Some(usize::try_from(out_args.numInSamples).unwrap_or(0)))
    }
}

impl AudioBackend for Encoder {
    fn encode(&mut self, pcm: &[i16], each: &mut dyn FnMut(Block)) -> Result<(), Error> {
        let mut rest = pcm;
        while !rest.is_empty() {
            let taken = self.step(Some(rest), each)?.unwrap_or(0);
            // The library always takes what fits into its frame buffer; without progress, this loop
            // would never end.
            rest = match rest.get(taken..) {
                Some(rest) if taken > 0 => rest,
                _ => return Err(codec_error(Step::Encode, sys::AACENC_ERROR_AACENC_OK)),
            };
        }
        Ok(())
    }

    fn flush(&mut self, each: &mut dyn FnMut(Block)) -> Result<(), Error> {
        // The delay is two blocks: do not wait for a library that never reports the end.
        for _ in 0..16 {
            if self.step(None, each)?.is_none() {
                break;
            }
        }
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.block_len
    }

    fn config(&self) -> &AudioConfig {
        &self.config
    }

    fn description(&self) -> Description {
        Description {
            name: ENCODER_NAME,
            profile: self.profile,
            level: String::new(),
            preset: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codec_config_of_he_aac_names_the_rates_of_core_and_output() {
        use crate::wire::codec::aac::AudioSpecificConfig;
        for (channels, bits) in [(2, 64_000), (1, 32_000)] {
            let (bitrate, profile) = (BitsPerSecond(bits), AudioProfile::He);
            let config = config::Audio { sample_rate: 48_000, channels, bitrate, profile };
            let mut encoder = Encoder::open(&config).unwrap();
            let asc = AudioSpecificConfig::parse(&encoder.config().codec_config).unwrap();
            let extension = asc.extension.unwrap();
            assert_eq!((asc.sample_rate, extension.sample_rate), (24_000, 48_000));
            assert!(extension.explicit && !extension.parametric_stereo);
            assert_eq!((asc.object_type, asc.channels()), (2, channels));
            assert_eq!((encoder.block_len(), encoder.description().profile), (2_048, "HE"));
            let mut bytes = 0;
            let pcm = vec![0; 48_000 * usize::from(channels)];
            encoder.encode(&pcm, &mut |block| bytes += block.data.len()).unwrap();
            assert!(bytes * 8 <= bits as usize * 11 / 10, "{bytes} bytes");
        }
    }

    #[test]
    fn the_bitrate_is_the_one_that_aac_allows() {
        for (channels, asked, real) in
            [(2, 128_000, 128_000), (2, 8_000_000, 576_000), (1, 8_000_000, 288_000)]
        {
            let bitrate = BitsPerSecond(asked);
            let profile = AudioProfile::Lc;
            let config = config::Audio { sample_rate: 48_000, channels, bitrate, profile };
            let encoder = Encoder::open(&config);
            assert_eq!(encoder.unwrap().config().bitrate, BitsPerSecond(real), "{channels}");
        }
    }
}
