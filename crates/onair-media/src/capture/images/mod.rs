//! Image files as sources: static images, animations, slide shows and clips.

pub mod clip;
pub(in crate::capture) mod decode;
pub(in crate::capture) mod image;
pub(in crate::capture) mod slides;
