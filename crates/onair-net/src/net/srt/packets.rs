//! Sizes and numbers of packets.

/// Maximum size of a datagram.
pub const MAX_DATAGRAM_BYTES: usize = 1_500;

/// Sequence numbers have 31 bits.
pub(super) const SEQUENCE_MASK: u32 = (1 << 31) - 1;

/// Returns the distance from one sequence number to another, which is negative if the other one is
/// older.
pub(super) fn distance(from: u32, to: u32) -> i64 {
    let ahead = i64::from(to.wrapping_sub(from) & SEQUENCE_MASK);
    if ahead > i64::from(SEQUENCE_MASK / 2) { ahead - i64::from(SEQUENCE_MASK) - 1 } else { ahead }
}
