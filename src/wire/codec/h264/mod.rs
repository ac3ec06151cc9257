//! H.264 bytes (ITU-T H.264, ISO/IEC 14496-15): NAL units and their two packings, parameter sets,
//! the decoder configuration record, slice types, decoding times from presentation times. Pure; no
//! frames are decoded here.

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

use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::bits;

/// What is wrong with some H.264 bytes.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Problem::from(*self))]
pub enum Error {
    /// A field lies beyond the end, or a code is malformed.
    Bits(#[from] bits::Error),
    /// The bytes hold no NAL unit.
    NoNal,
    /// Another NAL unit than the one asked for, or one with the forbidden bit set.
    WrongNal { header: u8, expected: &'static str },
    /// A NAL unit's length reaches beyond the bytes.
    Length,
    /// A value outside what the standard allows, or what onair accepts, by its name in the standard.
    Range(&'static str),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        match error {
            Error::Bits(bits::Error::End) => problem!("h264-cut-off"),
            Error::Bits(bits::Error::TooLong) => problem!("h264-code"),
            Error::NoNal => problem!("h264-no-nal"),
            Error::WrongNal { header, expected } => {
                let header = format!("{header:#04x}");
                problem!("h264-wrong-nal", header = header, expected = expected)
            }
            Error::Length => problem!("h264-length"),
            Error::Range(field) => problem!("h264-range", field = field),
        }
    }
}
