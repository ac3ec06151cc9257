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

use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::bits;

/// The reason why H.264 bytes are invalid.
#[derive(Copy, Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", Problem::from(*self))]
pub enum Error {
    /// A field is beyond the end, or a code is malformed.
    Bits(#[from] bits::Error),
    /// The bytes contain no NAL unit.
    NoNal,
    /// A NAL unit of an unexpected type, or one with the forbidden bit set.
    WrongNal { header: u8, expected: &'static str },
    /// The length of a NAL unit exceeds the bytes.
    Length,
    /// A value that the standard or onair does not allow, with its name in the standard.
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
