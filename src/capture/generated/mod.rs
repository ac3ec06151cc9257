//! Frames that are computed: the test pattern and plain or graded colors.

pub(in crate::capture) mod color_source;
pub(in crate::capture) mod dot_font;
pub(in crate::capture) mod test_pattern;
