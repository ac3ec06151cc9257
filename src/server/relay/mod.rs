//! Relays: streams that this server sends to other RTMP servers (push), or gets from them (pull). A
//! pull runs always, or on demand. On demand, it begins when a viewer who may play requests a
//! stream that is not on this server, and ends some seconds after the last viewer has left. Each
//! relay has a list of addresses: after a failure, it continues with the next address. Packets pass
//! unchanged. `registry/relays` has the rules and the running relays; `attempts` is pure.

pub(in crate::server) mod attempts;
mod cycle;
pub(in crate::server) mod pull;
pub(in crate::server) mod pulls;
pub(in crate::server) mod push;
pub(in crate::server) mod pushes;
pub(in crate::server) mod task;
mod waits;

pub use crate::server::event::relay::{Direction, RelayChange, RelayState};
pub use crate::server::registry::relays::rules::{MAX_RELAY_RULES, MAX_TARGETS, RelayRule};
pub use crate::server::registry::relays::target::RelayTarget;
