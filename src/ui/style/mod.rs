//! Theme, fonts and icons.

pub mod fonts;
pub mod icons;
pub mod theme;
