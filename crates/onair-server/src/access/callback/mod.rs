//! Callbacks: other systems decide who may publish and play, and receive notices. The requests have
//! the format of nginx-rtmp, SRS or MediaMTX, so receivers for these servers work unchanged. The
//! dialects are pure. `destination` posts requests, and `calls` chooses the receivers of questions
//! and notices.

pub(crate) mod calls;
mod destination;
pub(crate) mod exchange;
mod mediamtx;
mod nginx;
pub(crate) mod rules;
mod srs;
pub(crate) mod visit;

pub use rules::{CallKind, CallbackRules, Dialect};
