//! Access to streams: who may publish and who may play. RTMP and every HTTP path of a stream pass
//! through `registry/gate`. `address_list`, `rules`, `publisher_limits`, `pass`, `stream_pattern`,
//! and most of `token/` and `callback/` are pure.

pub(in crate::server) mod action;
pub(in crate::server) mod address_list;
pub(in crate::server) mod admission;
pub(in crate::server) mod callback;
pub(in crate::server) mod denied;
pub(in crate::server) mod grant;
pub mod limits;
pub(in crate::server) mod login_failures;
pub(in crate::server) mod pass;
pub(in crate::server) mod proxies;
pub(in crate::server) mod publisher_limits;
pub(in crate::server) mod rules;
pub(in crate::server) mod stream_pattern;
pub(in crate::server) mod token;

pub use action::Action;
pub use address_list::AddressList;
pub use callback::{CallKind, CallbackRules, Dialect};
pub use proxies::{ProxyHeader, ProxyRules};
pub use rules::{AccessRules, ActionRules, AppLimits, AppRules};
pub use token::{KeySet, KeySource, NewClaims, TokenRules};
