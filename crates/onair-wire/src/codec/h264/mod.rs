//! H.264 bitstreams (ITU-T H.264, ISO/IEC 14496-15): NAL units in both formats, parameter sets, the
//! decoder configuration record, and slice types. This module does not decode frames and has no
//! I/O.

pub mod config;
pub mod nal;
pub mod pps;
pub mod sps;
pub mod sps_rewrite;
pub mod vui;

pub use config::DecoderConfig;
pub use nal::{NalType, annexb_nals, annexb_to_avcc, avcc_nals, escape, nals_to_annexb, unescape};
pub use pps::Pps;
pub use sps::{Sps, profile_name};
pub use sps_rewrite::{VuiChanges, rewrite_sps_vui};
pub use vui::Vui;

use crate::wire::bits;

/// The reason why H.264 bytes are invalid.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A field is beyond the end, or a code is malformed.
    #[error("{}", bits_text(*.0))]
    Bits(#[from] bits::Error),
    /// The bytes contain no NAL unit.
    #[error("no NAL unit was found")]
    NoNal,
    /// A NAL unit of an unexpected type, or one with the forbidden bit set.
    #[error("a NAL unit begins with {header:#04x} instead of {expected}")]
    WrongNal { header: u8, expected: &'static str },
    /// The length of a NAL unit exceeds the bytes.
    #[error("a NAL unit is longer than the data")]
    Length,
    /// A value that the standard or onair does not allow, with its name in the standard.
    #[error("{0} is out of range")]
    Range(&'static str),
}

const fn bits_text(error: bits::Error) -> &'static str {
    match error {
        bits::Error::End => "a parameter set or slice ends too early",
        bits::Error::TooLong => "a parameter set or slice has an invalid code",
    }
}
