//! Access to streams: who may publish and who may play. RTMP and every HTTP path of a stream pass
//! through `registry/gate`. `address_list`, `rules`, `publisher_limits`, `pass`, `stream_pattern`,
//! and most of `token/` and `callback/` are pure.

pub(crate) mod action;
pub(crate) mod address_list;
pub(crate) mod admission;
pub(crate) mod callback;
pub(crate) mod denied;
pub(crate) mod grant;
pub mod limits;
pub(crate) mod login_failures;
pub(crate) mod pass;
pub(crate) mod proxies;
pub(crate) mod publisher_limits;
pub(crate) mod rules;
pub(crate) mod stream_pattern;
pub(crate) mod token;

pub use action::Action;
pub use address_list::AddressList;
pub use callback::{CallKind, CallbackRules, Dialect};
pub use proxies::{ProxyHeader, ProxyRules};
pub use rules::{AccessRules, ActionRules, AppLimits, AppRules};
pub use token::{KeySet, KeySource, NewClaims, TokenRules};
