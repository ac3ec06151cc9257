//! TLS: trust of the client, and identity of the server.

pub mod acme;
pub mod certificate_pin;
mod challenges;
pub mod identity;
pub mod own_certificate;
pub mod trust;
mod verify;

pub use challenges::Challenges;
pub use identity::{HttpVersion, Identity, IdentityError};
pub use own_certificate::OwnCertificate;

pub use trust::Trust;
pub(in crate::net) use verify::cause;
