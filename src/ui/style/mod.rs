//! Theme, fonts, icons and the scale of the interface.

pub mod fonts;
pub mod icons;
pub mod scale;
pub mod theme;
