//! Streams for browsers with WHEP (draft-ietf-wish-whep): H.264 as published or as a rendition, audio as Opus. The
//! packets of a stream are made once for all viewers. `cursor`, `negotiation`, `choice/link` and `choice/playout` are
//! pure; `production` has the thread of a stream, and `session` is the task of a viewer.

pub(crate) mod choice;
mod cursor;
pub(super) mod frame;
pub(super) mod negotiation;
mod presence;
pub(crate) mod production;
pub(crate) mod session;
mod tracks;
mod viewer_tracks;
