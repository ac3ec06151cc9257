//! RTP payloads: packetization of access units.

pub mod av1;
pub mod h264;
pub mod opus;

/// Maximum length of a payload in bytes. A datagram then has at most 1,200 bytes, which every network path supports:
/// with the header (12), the extensions (20, or up to 32 if the player chooses a long mid), the number of a resent packet
/// (2) and the SRTP tag (16).
pub const MAX_PAYLOAD_BYTES: usize = 1_150;
