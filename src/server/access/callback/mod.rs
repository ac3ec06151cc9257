//! Callbacks: other systems decide who may publish and play, and learn what happened. The requests
//! are those of nginx-rtmp, SRS or MediaMTX, whose receivers work unchanged. The dialects are pure;
//! `destination` posts, and `calls` chooses the receivers of questions and notices.

pub(in crate::server) mod calls;
mod destination;
mod dialect;
mod exchange;
mod mediamtx;
mod nginx;
pub(in crate::server) mod rules;
mod srs;
pub(in crate::server) mod visit;

pub use rules::{CallKind, CallbackRules, Dialect};
