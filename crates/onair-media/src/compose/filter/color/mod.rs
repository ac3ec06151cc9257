//! Filters of color: correction, keys, LUT.

pub(in crate::compose::filter) mod correction;
pub(in crate::compose::filter) mod cube;
pub(in crate::compose::filter) mod key;
pub(in crate::compose::filter) mod lut;
