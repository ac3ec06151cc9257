//! Payloads of RTP: how access units travel in packets.

pub mod h264;

/// The longest payload, in bytes. With its headers, their extensions and the seal of SRTP it stays below the
/// 1,200 bytes that pass everywhere.
pub const MAX_PAYLOAD: usize = 1_100;
