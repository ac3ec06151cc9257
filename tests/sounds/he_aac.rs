//! HE-AAC encoded by FDK-AAC through its C interface. The other encoders that the tests use cannot
//! produce HE-AAC.
#![allow(unsafe_code, reason = "a C library")]

use std::ffi::c_void;
use std::ptr;

use fdk_aac_sys as sys;

/// An AudioSpecificConfig, and access units of a 440 Hz tone in 48 kHz stereo.
pub struct Made {
    pub config: Vec<u8>,
    pub units: Vec<Vec<u8>>,
    /// The number of samples in an access unit.
    pub length: u32,
}

/// Encodes `seconds` with this audio object type: 5 is HE-AAC, and 29 is HE-AAC v2.
pub fn make(object_type: u32, seconds: u32) -> Made {
    let mut handle: sys::HANDLE_AACENCODER = ptr::null_mut();
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
    // SAFETY: one handle is written. It is used until it is closed below, with plain numbers.
    unsafe {
        assert_eq!(sys::aacEncOpen(&raw mut handle, 0, 2), 0);
        for (name, value) in [
            (sys::AACENC_PARAM_AACENC_AOT, object_type),
            (sys::AACENC_PARAM_AACENC_SAMPLERATE, 48_000),
            (sys::AACENC_PARAM_AACENC_CHANNELMODE, 2),
            (sys::AACENC_PARAM_AACENC_BITRATE, if object_type == 29 { 32_000 } else { 64_000 }),
            (sys::AACENC_PARAM_AACENC_TRANSMUX, 0),
        ] {
            assert_eq!(sys::aacEncoder_SetParam(handle, name, value), 0);
        }
        let none = ptr::null();
        assert_eq!(sys::aacEncEncode(handle, none, ptr::null(), ptr::null(), ptr::null_mut()), 0);
        assert_eq!(sys::aacEncInfo(handle, &raw mut info), 0);
    }
    let length = info.frameLength as usize;
    let mut units = Vec::new();
    let frames = 48_000 * seconds as usize / length;
    for block in 0..frames {
        let pcm: Vec<i16> = (0..length)
            .flat_map(|at| {
                let time = (block * length + at) as f64 / 48_000.0;
                let value = (time * 440.0 * std::f64::consts::TAU).sin() * 10_000.0;
                [value as i16; 2]
            })
            .collect();
        let mut out = vec![0_u8; 8_192];
        let mut input: *mut c_void = pcm.as_ptr().cast_mut().cast();
        let (mut in_id, mut in_size, mut in_element) =
            (sys::AACENC_BufferIdentifier_IN_AUDIO_DATA as i32, (pcm.len() * 2) as i32, 2);
        let mut output: *mut c_void = out.as_mut_ptr().cast();
        let (mut out_id, mut out_size, mut out_element) =
            (sys::AACENC_BufferIdentifier_OUT_BITSTREAM_DATA as i32, out.len() as i32, 1);
        let in_desc = sys::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut input,
            bufferIdentifiers: &raw mut in_id,
            bufSizes: &raw mut in_size,
            bufElSizes: &raw mut in_element,
        };
        let out_desc = sys::AACENC_BufDesc {
            numBufs: 1,
            bufs: &raw mut output,
            bufferIdentifiers: &raw mut out_id,
            bufSizes: &raw mut out_size,
            bufElSizes: &raw mut out_element,
        };
        let in_args = sys::AACENC_InArgs { numInSamples: pcm.len() as i32, numAncBytes: 0 };
        let mut done =
            sys::AACENC_OutArgs { numOutBytes: 0, numInSamples: 0, numAncBytes: 0, bitResState: 0 };
        // SAFETY: the handle is open, and the descriptors point to locals that outlive the call.
        let code = unsafe {
            sys::aacEncEncode(
                handle,
                &raw const in_desc,
                &raw const out_desc,
                &raw const in_args,
                &raw mut done,
            )
        };
        assert_eq!((code, done.numInSamples as usize), (0, pcm.len()));
        if done.numOutBytes > 0 {
            units.push(out[..done.numOutBytes as usize].to_vec());
        }
    }
    let config = info.confBuf[..info.confSize as usize].to_vec();
    // SAFETY: the handle was opened above, and is closed only here.
    unsafe { sys::aacEncClose(&raw mut handle) };
    Made { config, units, length: info.frameLength }
}
