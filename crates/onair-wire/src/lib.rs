//! Floor 2: converts bytes to values and back. This room has no sockets, clocks, threads or
//! blocking calls; time and randomness are arguments.
//!
#![doc = include_str!("../README.md")]
#![forbid(unsafe_code)]

use crate as wire;
use onair_base::{base, media};

pub mod amf0;
pub mod bits;
pub mod byte_block;
pub mod chat;
pub mod codec;
pub mod container;
pub mod dash;
pub mod hls;
pub mod http;
pub mod percent;
pub mod proxy;
pub mod rtmp;
pub mod webrtc;
