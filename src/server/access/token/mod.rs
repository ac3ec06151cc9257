//! Signed tokens that expire (JWT, RFC 7519, in the compact form of RFC 7515). `claims`, `keys` and
//! `verify` are pure; `key_source` reads and fetches public keys.

pub(in crate::server) mod claims;
pub(in crate::server) mod key_source;
pub(in crate::server) mod keys;
pub(in crate::server) mod problem;
pub(in crate::server) mod verify;

pub use claims::NewClaims;
pub use key_source::{KeySet, KeySource, TokenRules};
