//! Guests and a studio meet at a server on a public computer.
//!
//! The studio connects out to the server (`/meet`, a WebSocket with a key), so that nothing must be open at home. The
//! server has the page of the guests, and passes the requests of the page to the studio over that connection (`hall`).
//! The studio answers them as it answers the guests in its own network (`studio`), with the same tokens, lobby and
//! limits. Only this signaling goes through the server.
//!
//! The media goes directly between guest and studio. Both ask STUN servers for their public addresses, and the studio
//! sends checks to the addresses in the guest's offer, which opens its router for the guest's checks
//! (`webrtc::reach`). If a router has a new port for every destination, the guest's *browser* uses a TURN server, which
//! it has allowed to pass on what the studio sends: the studio needs no TURN client, because everything that it must
//! do is to send to the address of the relay. This is why the server passes no media on: the path is the shortest one,
//! the server sees no picture (DTLS is end to end, with the fingerprints in the answers), and a lost server ends
//! nothing that is connected.
//!
//! What must never happen: the server learns the token of a guest before the guest uses it; a request reaches another
//! studio; a wrong token costs the studio anything; a studio sends a page of its own, or one guest's flood delays the
//! others.

mod hall;
mod message;
pub(crate) mod studio;

pub(in crate::http) use crate::server::http::webrtc::meeting::hall::add_to;
