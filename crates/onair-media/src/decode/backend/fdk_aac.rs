//! Decodes AAC-LC and HE-AAC with FDK-AAC, through its C interface, because the safe wrapper cannot
//! disable the limiter, which adds 15 ms. More than two channels are downmixed to stereo.
#![allow(unsafe_code)]

use fdk_aac_sys as sys;

use crate::decode::error::{Error, Step};
use crate::decode::traits::AudioBackend;
use crate::media::{AudioConfig, EncodedPacket, SampleBlock};
use crate::text::problem::problem;

const DECODER_NAME: &str = "fdk-aac";

/// Maximum number of values in a block: 2,048 samples (HE-AAC) in 8 channels.
const MAX_BLOCK_VALUES: usize = 2_048 * 8;

/// Maximum size of an access unit in bytes: 6,144 bits per channel (ISO/IEC 14496-3 §4.5.3.2) in 8
/// channels, plus a margin.
const MAX_PACKET_BYTES: usize = 8_192;

/// The FDK-AAC decoder.
pub(crate) struct Decoder {
    raw: Raw,
    codec_config: Vec<u8>,
    name: String,
    block: Box<[i16]>,
}

/// Owns the C object.
struct Raw(sys::HANDLE_AACDECODER);

// SAFETY: the object is used by one thread at a time (all methods take `&mut`), and the library
// does not bind it to a thread.
unsafe impl Send for Raw {}

impl Drop for Raw {
    fn drop(&mut self) {
        // SAFETY: the handle came from aacDecoder_Open and is closed only here.
        unsafe { sys::aacDecoder_Close(self.0) }
    }
}

fn damaged(code: sys::AAC_DECODER_ERROR) -> Error {
    Error::Damaged { codec: "AAC", reason: problem!("decode-code", code = format!("{code:#x}")) }
}

impl Raw {
    /// Opens a decoder for an AudioSpecificConfig.
    fn open(config: &[u8]) -> Result<Self, Error> {
        // SAFETY: the arguments are only numbers, and null is checked.
        let handle = unsafe { sys::aacDecoder_Open(sys::TRANSPORT_TYPE_TT_MP4_RAW, 1) };
        if handle.is_null() {
            return Err(Error::Codec { decoder: DECODER_NAME, step: Step::Start, code: 0 });
        }
        let raw = Self(handle);
        let settings = [
            (sys::AACDEC_PARAM_AAC_PCM_LIMITER_ENABLE, 0),
            (sys::AACDEC_PARAM_AAC_PCM_MAX_OUTPUT_CHANNELS, 2),
            // Conceal damage with noise, because the default method needs the next block.
            (sys::AACDEC_PARAM_AAC_CONCEAL_METHOD, 1),
            // Keep the loudness of the stream.
            (sys::AACDEC_PARAM_AAC_DRC_REFERENCE_LEVEL, -1),
            (sys::AACDEC_PARAM_AAC_UNIDRC_SET_EFFECT, -1),
        ];
        for (name, value) in settings {
            // SAFETY: the handle is open.
            let code = unsafe { sys::aacDecoder_SetParam(raw.0, name, value) };
            if code != sys::AAC_DECODER_ERROR_AAC_DEC_OK {
                let code = i64::from(code);
                return Err(Error::Codec { decoder: DECODER_NAME, step: Step::Configure, code });
            }
        }
        let mut conf = config.as_ptr().cast_mut();
        let len = u32::try_from(config.len()).unwrap_or(0);
        // SAFETY: the handle is open; the one buffer has `len` bytes, which are only read.
        let code = unsafe { sys::aacDecoder_ConfigRaw(raw.0, &raw mut conf, &raw const len) };
        if code != sys::AAC_DECODER_ERROR_AAC_DEC_OK {
            return Err(Error::Unsupported(format!("AAC ({code:#x})").into()));
        }
        Ok(raw)
    }
}

impl Decoder {
    pub(crate) fn open(config: &AudioConfig) -> Result<Self, Error> {
        let codec_config = config.codec_config.to_vec();
        if !(2..=64).contains(&codec_config.len()) {
            let reason = problem!("decode-length", bytes = codec_config.len());
            return Err(Error::Config { codec: "AAC", reason });
        }
        let name = match codec_config.first().map_or(0, |byte| byte >> 3) {
            2 => "AAC-LC".to_owned(),
            5 => "HE-AAC".to_owned(),
            29 => "HE-AAC v2".to_owned(),
            other => return Err(Error::Unsupported(format!("AAC object type {other}").into())),
        };
        let raw = Raw::open(&codec_config)?;
        Ok(Self { raw, codec_config, name, block: vec![0; MAX_BLOCK_VALUES].into_boxed_slice() })
    }
}

impl AudioBackend for Decoder {
    fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, Error> {
        if packet.data.is_empty() {
            return Ok(None);
        }
        if packet.data.len() > MAX_PACKET_BYTES {
            return Err(Error::length("AAC", packet.data.len()));
        }
        let mut data = packet.data.as_ptr().cast_mut();
        let len = u32::try_from(packet.data.len()).unwrap_or(0);
        let mut left = len;
        // SAFETY: the handle is open; the one buffer has `len` bytes, which are only read.
        let code = unsafe {
            sys::aacDecoder_Fill(self.raw.0, &raw mut data, &raw const len, &raw mut left)
        };
        if code != sys::AAC_DECODER_ERROR_AAC_DEC_OK {
            return Err(damaged(code));
        }
        let room = i32::try_from(self.block.len()).unwrap_or(0);
        // SAFETY: the handle is open; the library writes at most `room` values.
        let code =
            unsafe { sys::aacDecoder_DecodeFrame(self.raw.0, self.block.as_mut_ptr(), room, 0) };
        if code != sys::AAC_DECODER_ERROR_AAC_DEC_OK {
            // No data of this packet may remain for the next one. SAFETY: the handle is open.
            unsafe {
                sys::aacDecoder_SetParam(self.raw.0, sys::AACDEC_PARAM_AAC_TPDEC_CLEAR_BUFFER, 1);
            }
            return Err(damaged(code));
        }
        // SAFETY: the handle is open; the structure belongs to it and is read before its next call.
        let info = unsafe { sys::aacDecoder_GetStreamInfo(self.raw.0).as_ref() };
        let Some(info) = info else { return Err(damaged(code)) };
        let (Ok(rate), Ok(channels), Ok(frames)) = (
            u32::try_from(info.sampleRate),
            u16::try_from(info.numChannels),
            usize::try_from(info.frameSize),
        ) else {
            return Err(damaged(code));
        };
        let Some(pcm) = self.block.get(..frames * usize::from(channels)) else {
            return Err(damaged(code));
        };
        if pcm.is_empty() || rate == 0 || channels > 2 {
            return Ok(None);
        }
        Error::check_rate("AAC", rate)?;
        // The delay of SBR in the decoder (`outputDelay`) is not subtracted: encoders have accounted for
        // it, because other decoders do not subtract it either.
        Ok(Some(SampleBlock {
            pts: packet.pts,
            rate,
            channels,
            data: pcm.iter().map(|value| f32::from(*value) / 32_768.0).collect::<Vec<_>>().into(),
        }))
    }

    fn reset(&mut self) {
        // A new decoder has no history; if it cannot be opened, the old one is better than none.
        if let Ok(raw) = Raw::open(&self.codec_config) {
            self.raw = raw;
        }
    }

    fn name(&self) -> &str {
        &self.name
    }
}
