//! H.264 bytes (ITU-T H.264, ISO/IEC 14496-15): NAL units and their two packings, parameter sets,
//! the decoder configuration record, slice types, decoding times from presentation times. Pure; no
//! pictures are decoded here.

pub mod config;
pub mod dts;
pub mod nal;
pub mod pps;
pub mod sps;
pub mod sps_rewrite;
pub mod vui;

pub use config::DecoderConfig;
pub use dts::DtsExtractor;
pub use nal::{
    NalType, SliceType, annexb_nals, annexb_to_avcc, avcc_nals, avcc_to_annexb, escape, slice_type,
    unescape,
};
pub use pps::Pps;
pub use sps::{Sps, level_name, profile_name};
pub use sps_rewrite::{VuiChanges, rewrite_sps_vui};
pub use vui::Vui;

use crate::wire::bits;

/// What is wrong with some H.264 bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field lies beyond the end, or a code is malformed.
    #[error("parameter set or slice: {0}")]
    Bits(#[from] bits::Error),
    /// The bytes hold no NAL unit.
    #[error("there is no NAL unit")]
    NoNal,
    /// Another NAL unit than the one asked for, or one with the forbidden bit set.
    #[error("a NAL unit has the header byte {header:#04x} where {expected} is due")]
    WrongNal { header: u8, expected: &'static str },
    /// A NAL unit's length reaches beyond the bytes.
    #[error("a NAL unit's length reaches beyond the end of the data")]
    Length,
    /// A value outside what the standard allows, or what we accept.
    #[error("{0} is out of range")]
    Range(&'static str),
}
