//! Relays: streams that this server sends to other RTMP servers (push), or gets from them (pull). A
//! pull runs always, or on demand. On demand, it begins when a viewer who may play requests a
//! stream that is not on this server, and ends some seconds after the last viewer has left. Each
//! relay has a list of addresses: after a failure, it continues with the next address. Packets pass
//! unchanged. `registry/relays` has the rules and the running relays; `attempts` is pure.

pub(crate) mod attempts;
mod cycle;
pub(crate) mod pull;
pub(crate) mod pulls;
pub(crate) mod push;
pub(crate) mod pushes;
pub(crate) mod task;
mod waits;

pub use crate::server::event::relay::{Direction, RelayChange, RelayState};
pub use crate::server::registry::relays::rules::{MAX_RELAY_RULES, MAX_TARGETS, RelayRule};
pub use crate::server::registry::relays::target::RelayTarget;
