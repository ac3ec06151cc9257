//! Image files as sources: still, moving, slide shows, clips.

pub mod clip;
pub(in crate::capture) mod decode;
pub(in crate::capture) mod image;
pub(in crate::capture) mod slides;
