//! Publishers over WebRTC with WHIP (RFC 9725). str0m reorders packets, asks for lost ones, and joins them to frames.
//! `session` is the task of a publisher. It makes the frames to the same messages that RTMP publishers send, so that
//! nothing behind the stream knows where they come from. `keyframes` decides when to ask for a keyframe, `timeline` puts
//! both tracks on one clock, `layers` chooses one of several sizes, and `tracks` makes messages. These four and
//! `negotiation` are pure.
//!
//! A publisher claims its stream when it has connected, and not when it sends its offer: an offer that leads to no
//! connection takes the stream from nobody. Frames that follow a loss are never passed on before the next keyframe,
//! because viewers would see damaged pictures.

mod keyframes;
mod layers;
mod negotiation;
pub(crate) mod session;
mod timeline;
mod tracks;
