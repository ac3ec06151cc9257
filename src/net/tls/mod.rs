//! TLS: trust of the client, and identity of the server.

pub mod certificate_pin;
pub mod identity;
pub mod trust;
mod verify;

pub use identity::{Identity, IdentityError};

pub use trust::Trust;
pub(in crate::net) use verify::cause;
