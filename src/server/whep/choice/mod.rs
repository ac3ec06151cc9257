//! The video that a viewer gets: the stream itself, or one of its renditions. `link` is pure.

pub(super) mod link;
pub(in crate::server) mod selection;
pub(super) mod switching;
