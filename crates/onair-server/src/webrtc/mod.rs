//! Streams over WebRTC: out with WHEP (`whep/`), and in with WHIP (`whip/`). All sessions share one port of UDP and TCP: `routes` finds the session
//! of a datagram, and `mailbox` keeps it for the session's task. `address_checks` proves the addresses of a peer. The
//! server is ICE-lite. The library str0m implements the protocols, and has no I/O.

mod address_checks;
mod answer;
pub(crate) mod endpoint;
mod mailbox;
mod path;
mod public_address;
mod reach;
mod routes;
pub(crate) mod tcp;
mod transport;
pub(crate) mod whep;
pub(crate) mod whip;
