//! RTP payloads: packetization of access units.

pub mod av1;
pub mod h264;

/// Maximum length of a payload in bytes. With headers, extensions and the SRTP tag, a packet stays
/// below 1,200 bytes, which every network path supports.
pub const MAX_PAYLOAD: usize = 1_100;
