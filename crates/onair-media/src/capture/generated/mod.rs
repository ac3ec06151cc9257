//! Computed frames: the test pattern, colors and gradients.

pub(in crate::capture) mod color_source;
pub(in crate::capture) mod dot_font;
pub(in crate::capture) mod test_pattern;
