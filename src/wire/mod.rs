//! Floor 2: bytes to values and back. No sockets, no clocks, no threads, nothing that blocks: time
//! and randomness are arguments. Whatever comes in is hostile; nothing here panics, and no
//! allocation is sized by a length that a peer merely claimed.

#![forbid(unsafe_code)]

pub mod aac;
pub mod amf0;
pub mod base64;
pub mod bits;
pub mod block;
pub mod cadence;
pub mod carried;
pub mod chat;
pub mod container;
pub mod flv;
pub mod gradual;
pub mod h264;
pub mod hls;
pub mod http;
pub mod mkv;
pub mod mp4;
pub mod mpeg_audio;
pub mod percent;
pub mod rtmp;
pub mod rtmpt;
pub mod socks5;
pub mod sound;
pub mod ts;
pub mod unplayed;
