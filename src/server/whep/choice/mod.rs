//! What a viewer gets of a stream: the video itself or a rendition of it. `link` is pure.

pub(super) mod link;
pub(in crate::server) mod selection;
pub(super) mod switching;
