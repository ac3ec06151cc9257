//! Streams for browsers over WebRTC with WHEP (draft-ietf-wish-whep): ICE-lite on one UDP port, DTLS-SRTP,
//! H.264 as published, and audio as Opus. The library str0m implements the protocols; the packets of a stream
//! are made once for all viewers. `cursor`, `timeline`, `negotiation` and `routes` are pure; `production` is
//! the thread of a stream, and `session` the task of a viewer.

mod audio;
mod cursor;
pub(in crate::server) mod endpoint;
mod frame;
mod frame_maker;
mod mailbox;
mod negotiation;
mod presence;
mod production;
mod productions;
mod routes;
pub(in crate::server) mod session;
mod timeline;
mod tracks;
