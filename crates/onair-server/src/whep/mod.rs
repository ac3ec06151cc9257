//! Streams for browsers over WebRTC with WHEP (draft-ietf-wish-whep): ICE-lite on one port of UDP and TCP, DTLS-SRTP,
//! H.264 as published or as a rendition, audio as Opus. The library str0m implements the protocols; the packets of
//! a stream are made once for all viewers. `cursor`, `negotiation`, `routes`, `choice/link` and `choice/playout` are pure;
//! `production` has the thread of a stream, and `session` is the task of a viewer.

pub(crate) mod choice;
mod cursor;
pub(crate) mod endpoint;
mod frame;
mod mailbox;
mod negotiation;
mod path;
mod presence;
pub(crate) mod production;
mod routes;
pub(crate) mod session;
pub(crate) mod tcp;
mod tracks;
mod viewer_tracks;
