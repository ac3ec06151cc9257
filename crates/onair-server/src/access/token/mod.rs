//! Signed tokens that expire (JWT, RFC 7519, in the compact form of RFC 7515). `claims`, `keys` and
//! `verify` are pure; `key_source` reads and fetches public keys.

pub(crate) mod claims;
pub(crate) mod key_source;
pub(crate) mod keys;
pub(crate) mod problem;
pub(crate) mod verify;

pub use claims::NewClaims;
pub use key_source::{KeySet, KeySource, TokenRules};
