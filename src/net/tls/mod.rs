//! TLS: whom to trust as a client, and who we are as a server.

pub mod identity;
pub mod pin;
pub mod trust;
mod verify;

pub use identity::{Identity, IdentityError};
pub use pin::Pin;
pub use trust::Trust;
pub(in crate::net) use verify::cause;
