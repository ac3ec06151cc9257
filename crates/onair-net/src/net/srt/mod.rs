//! SRT (draft-sharabayko-srt-01): a connection over datagrams that repeats what was lost, and gives
//! up what would come too late.
//!
//! The library provides the packets, the handshakes and the cryptography. The rest is ours: its
//! queue of sent packets gives a repeated packet a new time, which a receiver that plays by these
//! times would play too late, its adapter for sockets cannot encrypt, and its listener keeps a state
//! for every caller before the caller has proven its address.
//!
//! An [`Engine`](engine::Engine) is one connection without sockets and without a clock: datagrams
//! and times go in, datagrams and payloads come out. Targets, the server and the player drive the
//! same engine, by a [`SrtSocket`] of their own or by one that the server's port feeds. All tests of
//! loss, delay and order are therefore simulations of two engines.
//!
//! What must never happen: an answer that is larger than its question, or a state, before a caller
//! has returned the cookie; a buffer without a bound; a packet of a stranger that reaches a
//! connection; a passphrase or a stream id in a log or an error.

pub mod accept;
pub mod calling;
pub mod congestion;
pub mod engine;
pub mod handshake;
pub mod keys;
#[cfg(test)]
mod lossy_link_tests;
pub mod mode;
pub mod packets;
pub mod port;
pub mod receive_buffer;
pub mod send_buffer;
pub mod socket;
pub mod url;

pub use handshake::connect;
pub use mode::Mode;
pub use packets::MAX_DATAGRAM_BYTES;
pub use socket::SrtSocket;
pub use url::{SrtUrl, UrlError};
