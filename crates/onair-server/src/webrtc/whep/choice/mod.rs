//! The video that a viewer gets: the stream itself, or one of its renditions, and the delay of its playout. `link` and
//! `playout` are pure.

pub(super) mod link;
pub(super) mod playout;
pub(crate) mod selection;
pub(super) mod switching;
