//! Callbacks: other systems decide who may publish and play, and receive notices. The requests have
//! the format of nginx-rtmp, SRS or MediaMTX, so receivers for these servers work unchanged. The
//! dialects are pure. `destination` posts requests, and `calls` chooses the receivers of questions
//! and notices.

pub(in crate::server) mod calls;
mod destination;
pub(in crate::server) mod exchange;
mod mediamtx;
mod nginx;
pub(in crate::server) mod rules;
mod srs;
pub(in crate::server) mod visit;

pub use rules::{CallKind, CallbackRules, Dialect};
