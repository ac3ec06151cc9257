//! Windows has no limit of open handles that onair could reach.

/// Handles reserved for everything else than connections.
pub(in crate::net) const RESERVED_DESCRIPTORS: u64 = 256;
/// Maximum number of sockets and files that onair uses.
pub(in crate::net) const MAX_DESCRIPTORS: u64 = 65_536 + RESERVED_DESCRIPTORS;

/// Returns the number that onair uses at most.
pub(in crate::net) fn raise_limit() -> Option<u64> {
    Some(MAX_DESCRIPTORS)
}
