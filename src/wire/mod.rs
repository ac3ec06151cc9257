//! Floor 2: bytes to values and back. No sockets, no clocks, no threads, nothing that blocks: time
//! and randomness are arguments. Whatever comes in is hostile; nothing here panics, and no
//! allocation is sized by a length that a peer merely claimed.

#![forbid(unsafe_code)]

pub mod amf0;
pub mod bits;
pub mod byte_block;
pub mod chat;
pub mod codec;
pub mod container;
pub mod hls;
pub mod http;
pub mod rtmp;
pub mod rtp;
pub mod sdp;
pub mod socks5;
pub mod stun;
